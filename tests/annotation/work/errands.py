"""Kinds of work for tests: a unit makes one dataset, so a doubled one breaks a constraint and a lost one is missed.

Run as a module this is a worker process that knows these kinds: `python -m tests.annotation.work.errands`.
"""

import os
import signal
import time
from collections.abc import Iterable

from annotation.work.kinds import ChunkPlan, Commit, Payload, known_kinds, register

POISON = "poison"


def plan(job) -> Iterable[ChunkPlan]:
    size = job.parameters.get("size", 1)
    numbers = list(range(job.parameters["n"]))
    return [ChunkPlan({"numbers": numbers[at : at + size]}, len(numbers[at : at + size])) for at in numbers[::size]]


def run(job, payload: Payload) -> Commit:
    from annotation.datasets.models import Dataset
    from annotation.work import executor

    for number in payload["numbers"]:
        executor.checkpoint()
        if number in job.parameters.get("bad", []):
            raise ValueError(f"item {number} is bad")
        if number in job.parameters.get(POISON, []):
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(job.parameters.get("seconds", 0))

    def commit() -> Payload:
        for number in payload["numbers"]:
            Dataset.objects.create(slug=f"{job.title}-{number}", name=str(os.getpid()))
        return {"made": len(payload["numbers"])}

    return commit


def split(payload: Payload) -> list[ChunkPlan]:
    return [ChunkPlan({"numbers": [number]}, 1) for number in payload["numbers"]]


def register_errands() -> None:
    known_kinds()
    register("errand", plan=plan, run=run, label="Errand", unit="items")
    register("errand-split", plan=plan, run=run, split=split, label="Errand", unit="items")
    register("errand-in-order", plan=plan, run=run, sequential=True, exclusive=True, label="Errand", unit="items")


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medgen.settings")
    django.setup()
    register_errands()
    from annotation.work.workers import work_here

    work_here(once=True)


if __name__ == "__main__":
    main()
