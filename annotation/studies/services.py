"""Acts on a study: create, pilot, open, pause, resume, lock; enroll a person and end an enrollment.

Opening draws everything that chance decides, once, and stores it; after that nothing is random.
"""

from dataclasses import replace
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from annotation.audit.record import record
from annotation.people.models import User
from annotation.studies import consent, drawing, freezing, unblinding
from annotation.studies.allocation import AllocationError
from annotation.studies.design import StudyDesign
from annotation.studies.errors import DesignError, DesignProblem, StudyError, StudyStateError
from annotation.studies.models import (
    Enrollment,
    Reading,
    Rubric,
    Study,
    StudyItem,
    StudyRubric,
    StudySystem,
)
from annotation.studies.planning import Plan, PlannedItem, plan
from annotation.studies.stand_ins import make_stand_ins
from annotation.studies.states import StudyState


@transaction.atomic
def create_study(*, design: StudyDesign, actor: User | None) -> Study:
    """A study in draft, with its items, letters and people; whoever creates it coordinates it.

    Raises:
        DesignError: with `field: value: rule` for everything that does not fit.
    """
    if actor is None and not design.coordinators:
        raise DesignError([DesignProblem("coordinators", "", "names nobody; name at least one person")])
    made = plan(design, actor=actor)
    try:
        with transaction.atomic():
            study = unsaved_study(made, actor)
            study.save(force_insert=True)
    except IntegrityError as problem:
        raise DesignError([DesignProblem("slug", design.slug, "is taken by another study")]) from problem
    StudyRubric.objects.bulk_create(
        StudyRubric(study=study, rubric=rubric, position=place) for place, rubric in enumerate(made.rubrics)
    )
    StudySystem.objects.bulk_create(
        StudySystem(study=study, submission=submission, letter=letter) for letter, submission in made.lettered
    )
    StudyItem.objects.bulk_create(unsaved_item(study, item) for item in made.items)
    _enroll_planned(study, made, actor)
    record(
        "study created",
        actor=actor,
        subject=study,
        design=_design_without_names(made),
        items=len(made.items),
        without_output=list(made.without_output),
        in_quarantine=list(made.in_quarantine),
    )
    return study


def unsaved_item(study: Study, item: PlannedItem) -> StudyItem:
    made = StudyItem(study=study, revision=item.revision, stratum=item.stratum, cluster=item.cluster)
    if (aside := item.aside) is not None:
        made.role, made.control, made.partner = aside.role, aside.control, aside.partner
        made.expected, made.feedback = aside.expected, aside.feedback
    return made


def unsaved_study(made: Plan, actor: User | None) -> Study:
    design = made.design
    return Study(
        slug=design.slug,
        name=design.name,
        release=made.release,
        outputs_per_reading=design.mode,
        pairs_per_item=design.pairs_per_item,
        compare_criteria=design.compare_criteria,
        readers_per_item=design.readers_per_item,
        assignment=design.assignment,
        anchor_items=design.anchor_items,
        stages=design.stages,
        repeats=design.repeats,
        washout_days=design.washout_days,
        attention_items=design.attention_items,
        pilot_items=design.pilot_items,
        admission=design.admission,
        design=design.to_json(),
        gap=design.gap,
        seed=design.seed,
        instructions=design.instructions,
        consent_text=design.consent_text,
        guess_block=design.guess_block,
        due_on=design.due_on,
        created_by=actor,
    )


def unsaved_readers(study: Study, made: Plan) -> list[Enrollment]:
    rows = []
    for number, reader in enumerate(made.design.readers, start=1):
        person = made.people[reader.username]
        rows.append(_enrollment(study, person, Enrollment.Role.READER, code=_code(number), cap=reader.cap))
    return rows


def _enroll_planned(study: Study, made: Plan, actor: User | None) -> None:
    design, rows = made.design, unsaved_readers(study, made)
    rows += [_enrollment(study, made.people[name], Enrollment.Role.ANALYST) for name in design.analysts]
    running = {made.people[name].pk: made.people[name] for name in design.coordinators}
    if actor is not None:
        running[actor.pk] = actor
    rows += [_enrollment(study, person, Enrollment.Role.COORDINATOR) for person in running.values()]
    Enrollment.objects.bulk_create(rows)


def _enrollment(
    study: Study, user: User, role: str, *, code: str | None = None, cap: int | None = None
) -> Enrollment:
    return Enrollment(study=study, user=user, role=role, reader_code=code, cap=cap)


def _code(number: int) -> str:
    return f"R{number:02d}"


def _design_without_names(made: Plan) -> dict[str, object]:
    """The design for the trail: people by id, no free text."""
    design = made.design
    trained = tuple(replace(one, feedback="") for one in design.training)
    data = replace(design, name="", instructions="", consent_text="", training=trained).to_json()
    data["readers"] = [[str(made.people[reader.username].pk), reader.cap] for reader in design.readers]
    for role in ("analysts", "coordinators"):
        data[role] = [str(made.people[name].pk) for name in getattr(design, role)]
    return data


@transaction.atomic
def pilot_study(*, study: Study, actor: User | None) -> Study:
    """Let readers in for training and pilot readings, which enter no result; the main readings are not drawn yet.

    Raises:
        StudyStateError: the study is no draft.
        StudyError: there is nothing to pilot, too few readers, nobody who runs it.
    """
    now = timezone.now()
    won = Study.objects.filter(pk=study.pk, state=Study.State.DRAFT).update(state=Study.State.PILOT, piloted_at=now)
    study.refresh_from_db()
    if not won:
        raise StudyStateError(f"This study is {study.state}; only a draft can be piloted.")
    inputs = _checked_inputs(study)
    try:
        n_readings = drawing.store(study, inputs, drawing.draw_first(study, inputs, pilot=True))
    except AllocationError as problem:
        raise StudyError(f"The readings cannot be drawn: {problem}.") from problem
    if not n_readings:
        raise StudyError("There is nothing to pilot: the design has no pilot and no training items.")
    _let_in(study, actor)
    record("study piloted", actor=actor, subject=study, readings=n_readings)
    return study


@transaction.atomic
def open_study(*, study: Study, actor: User | None) -> Study:
    """Draw readers, order, labels and places once, store them, lock the rubrics, and let readers in.

    Raises:
        StudyStateError: the study was opened before.
        StudyError: too few readers, nothing to show, nobody who runs it.
    """
    now = timezone.now()
    won = Study.objects.filter(pk=study.pk, state__in=[Study.State.DRAFT, Study.State.PILOT]).update(
        state=Study.State.RUNNING, opened_at=now
    )
    study.refresh_from_db()
    if not won:
        raise StudyStateError(f"This study is {study.state}; it was opened before.")
    inputs = _checked_inputs(study)
    try:
        design = drawing.draw(study, inputs)
        first = drawing.draw_first(study, inputs, pilot=False)
    except AllocationError as problem:
        raise StudyError(f"The readings cannot be drawn: {problem}.") from problem
    emptied = _remove_empty(study, inputs)
    n_ended = study.readings.filter(role=Reading.Role.PILOT, status__in=Reading.UNSUBMITTED).update(
        status=Reading.Status.VOID, void_reason="the pilot ended"
    )
    planned = {code: [*first[code], *readings] for code, readings in design.readings.items()}
    n_readings = drawing.store(study, inputs, planned)
    if design.anchors:
        anchors = [inputs.items[code].pk for code in design.anchors]
        study.study_items.filter(pk__in=anchors).update(is_anchor=True)
    if study.attention_items:
        make_stand_ins(study)
    study.design_hash = drawing.design_hash(study, inputs, design)
    study.save(update_fields=["design_hash"])
    _let_in(study, actor)
    ended: dict[str, Any] = {} if study.piloted_at is None else {"pilot_ended": n_ended}
    record(
        "study opened",
        actor=actor,
        subject=study,
        design_hash=study.design_hash,
        readings=n_readings,
        without_output=emptied,
        **ended,
    )
    return study


def _checked_inputs(study: Study) -> drawing.Inputs:
    if not study.enrollments.filter(role=Enrollment.Role.COORDINATOR, active=True).exists():
        raise StudyError("Nobody coordinates this study; enroll a coordinator first.")
    if not study.study_rubrics.exists():
        raise StudyError("This study asks nothing; give it a rubric first.")
    return drawing.inputs_of(study)


def _remove_empty(study: Study, inputs: drawing.Inputs) -> list[str]:
    """Take out items that have too few outputs to be shown now; the codes of them."""
    few = drawing.least_outputs(study)
    rows = {code: row for code, row in inputs.items.items() if len(inputs.shown[code]) < few}
    emptied = {code: row for code, row in rows.items() if row.role != StudyItem.Role.ATTENTION}
    if study.piloted_at is not None:
        emptied = {code: row for code, row in emptied.items() if row.role == StudyItem.Role.MAIN}
    study.study_items.filter(pk__in=[row.pk for row in emptied.values()]).delete()
    return list(emptied)


def _let_in(study: Study, actor: User | None) -> None:
    Rubric.objects.filter(study_rubrics__study=study).update(state=Rubric.State.LOCKED)
    consent.publish_at_opening(study=study, actor=actor)
    unblinding.scan(study=study, actor=actor)


def pause_study(*, study: Study, actor: User | None) -> Study:
    """Readers keep their drafts and cannot submit until the study is resumed."""
    return _move(study, actor, "study paused", start=[Study.State.RUNNING], end=Study.State.PAUSED)


def resume_study(*, study: Study, actor: User | None) -> Study:
    return _move(study, actor, "study resumed", start=[Study.State.PAUSED], end=Study.State.RUNNING)


@transaction.atomic
def lock_study(*, study: Study, actor: User | None) -> Study:
    """End grading for good, lock the composite and freeze what the numbers depend on; names stay withheld."""
    locked = _move(
        study, actor, "study locked", start=[Study.State.RUNNING, Study.State.PAUSED], end=Study.State.LOCKED
    )
    freezing.freeze(study=locked, actor=actor)
    return locked


@transaction.atomic
def _move(study: Study, actor: User | None, verb: str, *, start: list[StudyState], end: StudyState) -> Study:
    """One conditional update decides; the loser of a race is refused."""
    moment = {"locked_at": timezone.now()} if end == Study.State.LOCKED else {}
    won = Study.objects.filter(pk=study.pk, state__in=start).update(state=end, **moment)
    study.refresh_from_db()
    if not won:
        words = " or ".join(start)
        raise StudyStateError(f"This study is {study.state}; only a {words} study can be {verb.split()[1]}.")
    record(verb, actor=actor, subject=study)
    return study


@transaction.atomic
def enroll_person(*, study: Study, user: User, role: str, actor: User | None, cap: int | None = None) -> Enrollment:
    """Give a person a role in a study; a role that was ended is taken up again.

    Raises:
        StudyError: the person holds the role, is deactivated, or would be a new reader of an opened study.
    """
    if role not in Enrollment.Role.values:
        raise StudyError(f"role: {role[:40]}: choose one of {', '.join(Enrollment.Role.values)}.")
    if not user.is_active:
        raise StudyError(f"{user} is deactivated.")
    study = Study.objects.select_for_update().get(pk=study.pk)
    held = study.enrollments.filter(user=user, role=role).first()
    if held is not None and held.withdrawn_at is not None:
        raise StudyError(
            f"{user} has left this study; only they themselves can take part again, on its consent page."
        )
    if held is not None and held.replaced_by_id is not None:
        raise StudyError(f"{user} was replaced in this study; the readings are somebody else's now.")
    if held is not None and held.active:
        raise StudyError(f"{user} is {role} of this study already.")
    drawn = study.state not in (Study.State.DRAFT, Study.State.PILOT)
    if held is None and role == Enrollment.Role.READER and drawn:
        raise StudyError(
            "The readings were drawn when the study opened; a further reader would change them. "
            "Add readers before opening, or plan a second study."
        )
    if held is not None:
        held.active = True
        held.save(update_fields=["active"])
    else:
        is_reader = role == Enrollment.Role.READER
        code = next_code(study) if is_reader else None
        held = Enrollment.objects.create(study=study, user=user, role=role, reader_code=code, cap=cap)
    record("person enrolled", actor=actor, subject=study, person=str(user.pk), role=role)
    return held


def next_code(study: Study) -> str:
    """Codes are never used again, also not those of readers who left."""
    codes = study.enrollments.exclude(reader_code=None).values_list("reader_code", flat=True)
    return _code(1 + max((int(str(code)[1:]) for code in codes), default=0))


@transaction.atomic
def end_enrollment(*, enrollment: Enrollment, actor: User | None) -> Enrollment:
    """Take a role away; what the person graded stays, under their code.

    Raises:
        StudyError: this is the last coordinator, or the role was ended before.
    """
    study = Study.objects.select_for_update().get(pk=enrollment.study_id)
    others = study.enrollments.filter(role=Enrollment.Role.COORDINATOR, active=True).exclude(pk=enrollment.pk)
    if enrollment.role == Enrollment.Role.COORDINATOR and not others.exists():
        raise StudyError("This is the last coordinator of the study; enroll another one first.")
    if not Enrollment.objects.filter(pk=enrollment.pk, active=True).update(active=False):
        raise StudyError("This role was ended before.")
    enrollment.refresh_from_db()
    record("enrollment ended", actor=actor, subject=study, person=str(enrollment.user_id), role=enrollment.role)
    return enrollment
