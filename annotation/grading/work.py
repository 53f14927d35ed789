"""The leak scan as long work: a chunk walks readings of one reader, the last one puts the parts together."""

from collections.abc import Iterator
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from annotation.audit.record import record
from annotation.grading.scanning import put_together, readings_to_scan, scan_readings
from annotation.people.models import User
from annotation.studies.errors import StudyError
from annotation.studies.models import Study
from annotation.systems.models import datasets_read_by
from annotation.work.executor import checkpoint
from annotation.work.kinds import ChunkPlan, Commit, Payload, register
from annotation.work.models import Chunk, Job
from annotation.work.services import enqueue

KIND = "leak-scan"
SCANNED = "leaks scanned"
AT_ONCE = 10
SAMPLE = 50
WORDS_MOST, WORD_LENGTH = 50, (3, 100)


def read_words(typed: str) -> list[str]:
    """Further words to search for, one a line or between commas.

    Raises:
        StudyError: a word too short or too long, or too many.
    """
    words = list(dict.fromkeys(word.strip() for word in typed.replace(",", "\n").splitlines() if word.strip()))
    low, high = WORD_LENGTH
    for word in words:
        if not low <= len(word) <= high:
            raise StudyError(f"words: {word[:40]}: must have {low} to {high} characters.")
    if len(words) > WORDS_MOST:
        raise StudyError(f"words: {len(words)}: at most {WORDS_MOST}.")
    return words


def ask_for_scan(*, study: Study, actor: User, sample: int | None, words: list[str]) -> Job:
    """Ask for a scan of a sample of the readings or, with None, of all; one that is under way is given instead.

    Raises:
        StudyError: the study has no readings yet.
    """
    with transaction.atomic():
        Study.objects.select_for_update().get(pk=study.pk)
        waiting = Job.objects.open().filter(kind=KIND, subject_id=str(study.pk), cancel_requested=False).first()
        if waiting is not None:
            return waiting
        if study.state == Study.State.DRAFT or not study.readings.exists():
            raise StudyError("Readings are drawn when the study opens; scan it then, before the first reader begins.")
        return enqueue(
            kind=KIND,
            title=f"Leak scan of {study.name}",
            parameters={"study": str(study.pk), "sample": sample, "words": words},
            requested_by=actor,
            subject=study,
        )


def last_report(study: Study) -> Job | None:
    """The newest scan that came to its end, with what it found in `report`."""
    done = Job.objects.filter(kind=KIND, subject_id=str(study.pk), state=Job.State.DONE)
    job = done.select_related("requested_by").order_by("-finished_at").first()
    chunk = job.chunks.filter(payload__step="compare", state=Chunk.State.DONE).first() if job is not None else None
    if job is None or chunk is None:
        return None
    job.report = chunk.result  # type: ignore[attr-defined]
    return job


def _study(job: Job) -> Study:
    return Study.objects.get(pk=UUID(job.parameters["study"]))


def _plan(job: Job) -> Iterator[ChunkPlan]:
    for enrollment, readings in readings_to_scan(_study(job), job.parameters["sample"]).items():
        for at in range(0, len(readings), AT_ONCE):
            some = readings[at : at + AT_ONCE]
            payload = {"step": "walk", "enrollment": enrollment, "readings": some, "around": at == 0}
            yield ChunkPlan(payload, len(some))
    yield ChunkPlan({"step": "compare"}, 0)


def _run(job: Job, payload: Payload) -> Commit:
    study = _study(job)
    if payload["step"] == "compare":
        return _compare(job, study)
    checkpoint()
    found = scan_readings(
        study, payload["enrollment"], payload["readings"], around=payload["around"], extra=job.parameters["words"]
    )
    return lambda: found


def _compare(job: Job, study: Study) -> Commit:
    walked = job.chunks.filter(payload__step="walk")
    report = put_together(walked.filter(state=Chunk.State.DONE).values_list("result", flat=True), seed=study.seed)
    report["failed"] = walked.filter(state=Chunk.State.FAILED).count()

    def commit() -> Payload:
        record(
            SCANNED, actor=job.requested_by, subject=study, readings=report["readings"], answers=report["answers"],
            bytes=report["received"] + report["unpacked"], hits=report["n_hits"], tells=len(report["tells"]),
            failed=report["failed"],
        )  # fmt: skip
        url = reverse("annotation:blinding-leaks", args=[study.slug])
        Job.objects.filter(pk=job.pk).update(result={"url": url, "label": "Show what was found"})
        return report

    return commit


def _hidden(user: User) -> Q:
    """Scans of studies on what this person still reads blind."""
    blind = Study.objects.filter(release__dataset__in=datasets_read_by(user)).values_list("pk", flat=True)
    return Q(subject_id__in=[str(pk) for pk in blind])


register(
    KIND, plan=_plan, run=_run, hidden=_hidden, label="Leak scan", unit="readings", exclusive=True,
)  # fmt: skip
