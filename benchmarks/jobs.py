"""What a job costs: the demo's metrics as a direct call and as a job, and a worker that has nothing to do.

Run `python -m benchmarks.jobs` on a home that holds the demo (MEDGEN_HOME); values are computed again each time.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

ROUNDS, IDLE_S, SETTLE_S = 3, 30, 4
ROOT = Path(__file__).resolve().parents[1]


def metrics() -> tuple[list[float], list[float]]:
    """Seconds of each round: direct, as a job; the rounds alternate, as the machine is noisy."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medgen.settings")
    django.setup()
    from annotation.systems.models import Submission
    from annotation.work.executor import work_off
    from scoring.runs.services import run_metrics
    from scoring.runs.work import ask_for_metrics

    submissions = list(Submission.objects.all())
    run_metrics(submissions=submissions, force=True)  # loads what is loaded once
    direct, as_job = [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        run_metrics(submissions=submissions, force=True)
        direct.append(time.perf_counter() - began)
        began = time.perf_counter()
        work_off(ask_for_metrics(submissions=submissions, actor=None, force=True))
        as_job.append(time.perf_counter() - began)
    return direct, as_job


def idle() -> tuple[float, float, float]:
    """Resident and proportional MiB and percent of one processor of a worker without work."""
    words = [sys.executable, "manage.py", "worker"]
    worker = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        time.sleep(SETTLE_S)
        before = _ticks(worker.pid)
        time.sleep(IDLE_S)
        used = (_ticks(worker.pid) - before) / os.sysconf("SC_CLK_TCK")
        rows = Path(f"/proc/{worker.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        kib = {row.split(":")[0]: int(row.split()[1]) for row in rows[1:]}
        return kib["Rss"] / 1024, kib["Pss"] / 1024, 100 * used / IDLE_S
    finally:
        worker.terminate()
        worker.wait()


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


if __name__ == "__main__":
    direct, as_job = metrics()
    print(f"direct {median(direct):.2f} s, as a job {median(as_job):.2f} s, {median(as_job) / median(direct):.2f}x")
    rss, pss, cpu = idle()
    print(f"idle worker: {rss:.0f} MiB resident, {pss:.0f} MiB proportional, {cpu:.2f} % of one processor")
