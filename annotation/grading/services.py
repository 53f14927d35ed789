"""Acts of a reader: save a draft, submit or amend a grade, skip a reading.

The server's clock decides, and time is counted once: what a client says it worked is capped by the wall time
since the last save, so that the sum never exceeds it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.db.models.functions import Coalesce
from django.utils import timezone

from annotation.assets import storage
from annotation.audit.record import record
from annotation.grading import gates, kinds, presentation, repeats, seals, stages, training
from annotation.grading.bases import NO_BASE, Base, draft_json, refuse_other_draft, refuse_other_grade
from annotation.grading.errors import (
    AlreadySubmittedError,
    DamagedImageError,
    InvalidGradeError,
    StaleDraftError,
    StudyClosedError,
)
from annotation.grading.models import Draft, Grade
from annotation.grading.presentation import Sheet
from annotation.grading.rules import (
    REASON_AT_LEAST,
    SKIP_REASONS,
    Judgment,
    Problem,
    judge,
    text_problem,
)
from annotation.grading.storing import store_grades
from annotation.grading.working_time import NO_WORK, Work, counted_work, total_work
from annotation.people.models import User
from annotation.studies.models import Reading, Study

OPEN_STATUSES = [Reading.Status.QUEUED, Reading.Status.IN_PROGRESS, Reading.Status.SKIPPED]
_CLOSED = {
    Study.State.DRAFT: "The study is not open yet.",
    Study.State.PAUSED: "The study is paused. What you entered is kept; go on when its coordinator resumes it.",
    Study.State.LOCKED: "The study is locked: grades can be read and no longer changed.",
    Study.State.UNBLINDED: "The study is locked and unblinded: grades can be read and no longer changed.",
}


@dataclass(frozen=True)
class Entry:
    """What a reader submits. `reason` makes it an amendment of what was submitted before."""

    payload: Any
    submit_key: UUID
    work: Work = NO_WORK
    client_time: datetime | None = None
    viewing: dict[str, Any] | None = None
    reason: str | None = None
    base: Base = NO_BASE
    stage: str | None = None


@dataclass(frozen=True)
class Receipt:
    """`stays`: the reading goes on, with the reference or with what its training says."""

    version: int
    submitted_at: datetime
    stays: bool = False


def closed_reason(study: Study) -> str | None:
    """Why the study takes no grades now; None while it runs."""
    return _CLOSED.get(Study.State(study.state))


def hold_reading(reading: Reading) -> Reading:
    """The reading as it is now, held until the transaction ends."""
    return (
        Reading.objects.select_for_update(of=("self",))
        .select_related("study", "study_item__revision")
        .get(pk=reading.pk)
    )


def damage_reason(shown: presentation.Presentation) -> str | None:
    """Why a reading cannot be graded although its study runs: a picture is in quarantine, or not what was stored."""
    if presentation.is_shut(shown):
        return presentation.SHUT
    damage = storage.first_damage(pane.asset for pane in shown.panes if pane.asset is not None)
    if damage is None:
        return None
    return f"An image of this reading {damage}. It cannot be graded until it is mended; tell your coordinator."


def refuse_damaged(reading: Reading) -> None:
    if reason := damage_reason(presentation.presented(reading.pk)):
        raise DamagedImageError(reason)


def refuse_closed(study: Study) -> None:
    if reason := closed_reason(study):
        raise StudyClosedError(reason, study.state)


@transaction.atomic
def save_draft(
    *,
    reading: Reading,
    actor: User,
    payload: dict[str, Any],
    client_id: str,
    revision: int,
    base_revision: int = 0,
    work: Work | None = None,
    stage: str | None = None,
) -> Draft:
    """Keep what is entered so far. Sending the same revision of a client again changes nothing.

    Raises:
        StaleDraftError: another client saved a draft that this one was not based on, or numbered below it.
        StudyClosedError, AlreadySubmittedError: the reading takes no draft now.
    """
    reading = hold_reading(reading)
    draft = Draft.objects.filter(reading=reading).first()
    if draft is not None and draft.client_id == client_id and revision <= draft.revision:
        repeats.refuse_other_draft(draft, revision, payload)
        return draft
    refuse_closed(reading.study)
    if reading.status not in OPEN_STATUSES:
        raise AlreadySubmittedError("This reading is submitted; a change needs a reason.")
    stages.refuse_other_stage(reading, stage)
    gates.refuse_waiting(reading)
    if draft is not None and draft.client_id != client_id and not base_revision == draft.revision < revision:
        raise StaleDraftError(draft_json(draft))
    counted = counted_work(reading, draft, work or Work(), timezone.now())
    draft = draft or Draft(reading=reading)
    draft.payload, draft.client_id, draft.revision = payload, client_id, revision
    draft.active_ms += counted.active_ms
    draft.idle_ms += counted.idle_ms
    draft.save()
    _begin(reading, actor)
    return draft


def _begin(reading: Reading, actor: User) -> None:
    """The first entry opens a reading; an entry in a skipped one takes the skip back."""
    if reading.status == Reading.Status.IN_PROGRESS:
        return
    Reading.objects.filter(pk=reading.pk, status=reading.status).update(
        status=Reading.Status.IN_PROGRESS,
        opened_at=Coalesce("opened_at", timezone.now()),
        skip_reason="",
        skip_text="",
    )
    if reading.status == Reading.Status.SKIPPED:
        record("reading reopened", actor=actor, subject=reading)


def submit_reading(*, reading: Reading, actor: User, entry: Entry) -> Receipt:
    """Store the grades of all outputs of a reading, once; with a reason, amend what was submitted.

    The same submit key again returns the same receipt, also after the study was locked.

    Raises:
        InvalidGradeError: the payload cannot be graded, or its key brought another one; nothing is stored.
        AlreadySubmittedError: somebody was first and no reason for an amendment is given.
        StudyClosedError: the study does not run.
        DamagedImageError: a picture of the reading was lost or changed in the store.
    """
    kind = kinds.kind_of(reading.study)
    receipt = (kind.submit if kind else _submit)(reading=reading, actor=actor, entry=entry)
    Draft.objects.filter(reading=reading).delete()
    return receipt


def amend_grade(*, reading: Reading, actor: User, entry: Entry) -> Receipt:
    """A further version of a submitted grade, for a stated reason, while the study runs; nothing is removed."""
    if not (entry.reason or "").strip():
        raise InvalidGradeError([_reason_problem("")])
    return submit_reading(reading=reading, actor=actor, entry=entry)


@transaction.atomic
def _submit(*, reading: Reading, actor: User, entry: Entry) -> Receipt:
    reading = hold_reading(reading)
    sent = Grade.objects.filter(reading_output__reading=reading, submit_key=entry.submit_key).first()
    sheet = presentation.sheet_of_open(reading.study_id)
    if sent is not None:
        judgments = _judgments(reading, sheet, entry, sent.stage)
        repeats.refuse_other_entry(reading, entry.submit_key, judgments, entry.reason)
        return _receipt(reading, sent)
    refuse_closed(reading.study)
    refuse_damaged(reading)
    is_amendment = is_amendment_of(reading, entry)
    stage = stages.stage_of(reading)
    stages.refuse_other_stage(reading, entry.stage)
    if is_amendment:
        refuse_other_grade(reading, entry.base)
    else:
        refuse_other_draft(reading, entry.base)
    judgments = _judgments(reading, sheet, entry, stage)
    now = timezone.now()
    counted = total_work(reading, entry.work, now)
    if not is_amendment:
        _take(reading, stage, now)
    version = _next_version(reading, stage)
    try:
        with transaction.atomic():
            grades = store_grades(
                reading=reading,
                actor=actor,
                entry=entry,
                judgments=judgments,
                by_code={criterion.code: criterion for criterion in sheet.criteria},
                version=version,
                stage=stage,
                counted=counted,
                now=now,
            )
    except IntegrityError as problem:
        raise AlreadySubmittedError("This reading was submitted in another window at the same moment.") from problem
    record(
        seals.AMENDED if is_amendment else seals.SUBMITTED,
        actor=actor,
        subject=reading,
        version=version,
        safety={judgment.label: judgment.safety for judgment in judgments},
        grades={str(grade.pk): grade.payload_hash for grade in grades},
        **({"stage": stage} if stage == stages.WITHOUT else {}),
    )
    refuse_closed_meanwhile(reading)
    training.settle(reading, actor)
    return _receipt(reading, grades[0])


def _take(reading: Reading, stage: str, now: datetime) -> None:
    """This submission is the one: of the first stage, or of the reading."""
    if stage == stages.WITHOUT:
        stages.reveal(reading, now)
    else:
        claim(reading, now)


def _receipt(reading: Reading, grade: Grade) -> Receipt:
    stays = grade.stage == stages.WITHOUT or reading.role == Reading.Role.TRAINING
    return Receipt(grade.version, grade.submitted_at, stays)


def refuse_closed_meanwhile(reading: Reading) -> None:
    """The event above waited for the study's chain, which closing the study writes too: now its state is sure."""
    refuse_closed(Study.objects.only("state").get(pk=reading.study_id))


def is_amendment_of(reading: Reading, entry: Entry) -> bool:
    reason = entry.reason
    if reading.status in OPEN_STATUSES:
        if reason and reason.strip():
            raise InvalidGradeError([Problem("", "reason", "is for amendments; nothing is submitted yet")])
        gates.refuse_waiting(reading)
        return False
    if reason is None:
        raise AlreadySubmittedError("This reading is submitted; a change needs a reason.")
    if text_problem(reason) or len(reason.strip()) < REASON_AT_LEAST:
        raise InvalidGradeError([_reason_problem(reason)])
    return True


def _reason_problem(reason: str) -> Problem:
    needed = f"{len(reason.strip())} characters; say in {REASON_AT_LEAST} or more why the grade changes"
    return Problem("", "reason", text_problem(reason) or needed)


def _judgments(reading: Reading, sheet: Sheet, entry: Entry, stage: str) -> list[Judgment]:
    question = presentation.question_of(presentation.presented(reading.pk), sheet)
    judgments, problems = judge(entry.payload, question)
    if problems:
        raise InvalidGradeError(problems)
    stages.refuse_reference_flags(stage, judgments)
    return judgments


def claim(reading: Reading, now: datetime) -> None:
    won = Reading.objects.filter(
        pk=reading.pk, status__in=OPEN_STATUSES, submitted_at=None, study__state__in=stages.GRADED_STATES
    ).update(
        status=Reading.Status.SUBMITTED,
        submitted_at=now,
        opened_at=Coalesce("opened_at", now),
        skip_reason="",
        skip_text="",
    )
    if not won:
        raise AlreadySubmittedError("This reading was submitted in another window at the same moment.")


def _next_version(reading: Reading, stage: str) -> int:
    own = Grade.objects.filter(reading_output__reading=reading, stage=stage)
    return (own.aggregate(newest=Max("version"))["newest"] or 0) + 1


@transaction.atomic
def skip_reading(*, reading: Reading, actor: User, reason: str, text: str = "") -> None:
    """Put a reading aside with a reason; its draft stays, and an entry later takes the skip back.

    Raises:
        InvalidGradeError: the reason is none of the offered ones, or “other” without words.
        AlreadySubmittedError, StudyClosedError: the reading cannot be skipped now.
    """
    if problem := _skip_problem(reason, text):
        raise InvalidGradeError([problem])
    reading = hold_reading(reading)
    if reading.status == Reading.Status.SKIPPED and (reading.skip_reason, reading.skip_text) == (
        reason,
        text.strip(),
    ):
        return
    refuse_closed(reading.study)
    own = Reading.objects.filter(pk=reading.pk, status__in=OPEN_STATUSES, study__state__in=stages.GRADED_STATES)
    won = own.update(status=Reading.Status.SKIPPED, skip_reason=reason, skip_text=text.strip())
    if not won:
        raise AlreadySubmittedError("This reading is submitted and cannot be skipped.")
    record("reading skipped", actor=actor, subject=reading, reason=reason)


def _skip_problem(reason: str, text: str) -> Problem | None:
    if reason not in SKIP_REASONS:
        return Problem("", "reason", f"{str(reason)[:40]}: choose one of {', '.join(SKIP_REASONS)}")
    if problem := text_problem(text):
        return Problem("", "text", problem)
    if reason == "other" and len(text.strip()) < REASON_AT_LEAST:
        return Problem("", "text", f"say in {REASON_AT_LEAST} or more characters why you skip this reading")
    return None
