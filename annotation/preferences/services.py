"""The act of a reader who compares: submit a preference once, or amend it for a stated reason."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from annotation.audit.record import record
from annotation.grading import presentation
from annotation.grading.bases import refuse_other_draft
from annotation.grading.errors import AlreadySubmittedError, AmendedMeanwhileError, InvalidGradeError
from annotation.grading.rules import Judgment, NamedError, Problem
from annotation.grading.services import (
    Entry,
    Receipt,
    claim,
    hold_reading,
    is_amendment_of,
    refuse_closed,
    refuse_closed_meanwhile,
    refuse_damaged,
)
from annotation.grading.working_time import Work, total_work
from annotation.people.models import User
from annotation.preferences import seals
from annotation.preferences.models import Preference, PreferenceChoice, PreferenceError, PreferenceFlag
from annotation.preferences.rules import Comparison, Pick, Said, compared, prefer
from annotation.studies.models import Reading, ReadingOutput


@transaction.atomic
def submit_preference(*, reading: Reading, actor: User, entry: Entry) -> Receipt:
    """Store what a reader prefers, once; with a reason, a further version of it.

    The same submit key again returns the same receipt, also after the study was locked.

    Raises:
        InvalidGradeError: the payload is no preference, or its key brought another one; nothing is stored.
        AlreadySubmittedError: somebody was first and no reason for an amendment is given.
        StudyClosedError: the study does not run.
        DamagedImageError: a picture of the reading was lost or changed in the store.
    """
    reading = hold_reading(reading)
    sent = Preference.objects.filter(reading=reading, submit_key=entry.submit_key).first()
    if sent is not None:
        _refuse_other_entry(sent, _said(reading, entry), entry.reason)
        return Receipt(sent.version, sent.submitted_at)
    refuse_closed(reading.study)
    refuse_damaged(reading)
    newest = Preference.objects.filter(reading=reading).aggregate(newest=Max("version"))["newest"] or 0
    is_amendment = is_amendment_of(reading, entry)
    if not is_amendment:
        refuse_other_draft(reading, entry.base)
    elif entry.base.version is not None and newest != entry.base.version:
        raise AmendedMeanwhileError(f"Version {newest} was submitted meanwhile; both versions are kept.")
    said, now = _said(reading, entry), timezone.now()
    counted = total_work(reading, entry.work, now)
    if not is_amendment:
        claim(reading, now)
    try:
        with transaction.atomic():
            stored = _store(_row(reading, actor, entry, said, version=newest + 1, counted=counted, now=now), said)
    except IntegrityError as problem:
        raise AlreadySubmittedError("This reading was submitted in another window at the same moment.") from problem
    record(
        seals.AMENDED if is_amendment else seals.SUBMITTED,
        actor=actor,
        subject=reading,
        version=stored.version,
        safety={label: judgment.safety for label, judgment in said.outputs.items()},
        seals=seals.seal_of(stored),
    )
    refuse_closed_meanwhile(reading)
    return Receipt(stored.version, stored.submitted_at)


def _said(reading: Reading, entry: Entry) -> Said:
    study = reading.study
    question = presentation.question_of(
        presentation.presented(reading.pk), presentation.sheet_of_open(reading.study_id)
    )
    criteria = compared(question) if study.compare_criteria else ()
    said, problems = prefer(entry.payload, Comparison(study.outputs_per_reading, question, criteria))
    if said is None:
        raise InvalidGradeError(problems)
    return said


def _row(
    reading: Reading, actor: User, entry: Entry, said: Said, *, version: int, counted: Work, now: datetime
) -> Preference:
    return Preference(
        reading=reading,
        version=version,
        author=actor,
        choice=said.overall.choice,
        strength=said.strength,
        rationale=said.rationale,
        reference_wrong=said.reference_wrong,
        reason_for_change=(entry.reason or "").strip(),
        active_ms=counted.active_ms,
        idle_ms=counted.idle_ms,
        viewing=entry.viewing or {},
        client_time=entry.client_time,
        submit_key=entry.submit_key,
        submitted_at=now,
    )


def _store(row: Preference, said: Said) -> Preference:
    places = {place.label: place for place in ReadingOutput.objects.filter(reading=row.reading)}
    criteria = {criterion.code: criterion for criterion in presentation.sheet_of_open(row.reading.study_id).criteria}
    row.chosen = _place(said.overall, places)
    row.save(force_insert=True)
    PreferenceChoice.objects.bulk_create(
        PreferenceChoice(preference=row, criterion=criteria[code], choice=pick.choice, chosen=_place(pick, places))
        for code, pick in said.by_criterion.items()
    )
    PreferenceFlag.objects.bulk_create(
        PreferenceFlag(preference=row, reading_output=places[label], safety=judgment.safety)
        for label, judgment in said.outputs.items()
        if judgment.safety != "none"
    )
    PreferenceError.objects.bulk_create(
        PreferenceError(
            preference=row,
            reading_output=places[label],
            error_code_id=error.code,
            nowhere=error.nowhere,
            position=position,
        )
        for label, judgment in said.outputs.items()
        for position, error in enumerate(judgment.errors)
    )
    return row


def _place(pick: Pick, places: dict[str, ReadingOutput]) -> ReadingOutput | None:
    return None if pick.label is None else places[pick.label]


def _refuse_other_entry(stored: Preference, said: Said, reason: str | None) -> None:
    """Raises InvalidGradeError: the key brought another entry before. Times and what was looked at may differ."""
    if said_before(stored) != said or stored.reason_for_change != (reason or "").strip():
        words = "this submit key brought another entry before; take a new key for each submission"
        raise InvalidGradeError([Problem("", "submit_key", words)])


def said_before(stored: Preference) -> Said:
    """A stored preference as the rules made it."""
    labels = stored.reading.reading_outputs.order_by("position").values_list("label", flat=True)
    flags = {flag.reading_output.label: flag.safety for flag in stored.flags.select_related("reading_output")}
    errors: dict[str, list[NamedError]] = {}
    for error in stored.errors.select_related("reading_output").order_by("position"):
        errors.setdefault(error.reading_output.label, []).append(NamedError(error.error_code_id, error.nowhere))
    return Said(
        overall=Pick(stored.choice, stored.chosen_label),
        by_criterion={
            one.criterion.code: Pick(one.choice, one.chosen_label)
            for one in stored.choices.select_related("criterion", "chosen")
        },
        strength=stored.strength,
        rationale=stored.rationale,
        reference_wrong=stored.reference_wrong,
        outputs={
            label: Judgment(label, (), errors=tuple(errors.get(label, ())), safety=flags.get(label, "none"))
            for label in labels
        },
    )
