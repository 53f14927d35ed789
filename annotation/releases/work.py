"""Freezing a release as long work: its items in chunks; it appears, whole, when the last one is in."""

from collections.abc import Iterator

from annotation.releases.errors import FreezeError
from annotation.releases.models import Release
from annotation.releases.services import CHUNK, KIND, add_to_release, close_release, revisions_to_freeze
from annotation.work.errors import WorkError
from annotation.work.kinds import ChunkPlan, Commit, Payload, register
from annotation.work.models import Job


def _unfinished(job: Job) -> Release | None:
    unfinished = Release.with_unfinished.filter(pk=job.parameters["release"], state=Release.State.FREEZING)
    return unfinished.select_related("dataset").first()


def _plan(job: Job) -> Iterator[ChunkPlan]:
    """What is releasable at this moment; what changes later does not change the release."""
    release = _unfinished(job)
    if release is None:
        raise FreezeError(["the release that was to be frozen is gone"])
    rows = [[str(revision), digest] for revision, digest in revisions_to_freeze(release)]
    for at in range(0, len(rows), CHUNK):
        yield ChunkPlan({"rows": rows[at : at + CHUNK]}, len(rows[at : at + CHUNK]))


def _run(job: Job, payload: Payload) -> Commit:
    release = _unfinished(job)
    if release is None:
        raise FreezeError(["the release that was to be frozen is gone"])

    def commit() -> Payload | None:
        add_to_release(release, payload["rows"])
        return None

    return commit


def _finish(job: Job) -> None:
    """A release that is whole is frozen; of one that is not, nothing stays."""
    release = _unfinished(job)
    if release is None:
        return
    if job.state == Job.State.DONE:
        close_release(release, actor=job.requested_by)
        result = {"url": release.get_absolute_url(), "label": "Show the release"}
        Job.objects.filter(pk=job.pk).update(result=result)
    else:
        release.delete()


def _resume(job: Job) -> None:
    raise WorkError("Nothing of this release was kept; freeze it again")


register(
    KIND,
    plan=_plan,
    run=_run,
    finish=_finish,
    resume=_resume,
    label="Freezing a release",
    unit="items",
)
