"""Acts on cases: ask for one, decide it, reopen it. Each is a new row with its seal; no grade is touched."""

from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction

from annotation.adjudication import queue, rules
from annotation.adjudication.errors import AdjudicationError, AdjudicationStateError, OwnGradeError
from annotation.adjudication.models import Adjudication
from annotation.adjudication.queue import Case
from annotation.adjudication.seals import VERBS, seal_of
from annotation.audit.record import chain_of, hold, record
from annotation.people.models import User
from annotation.studies.models import Criterion, Study
from annotation.systems.models import Output

TEXT_LIMIT = 4000
Act, Subject = Adjudication.Act, Adjudication.Subject
MOVED = "Grades or decisions of this case came in while you looked at it. Look again, then decide."


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What an adjudicator enters: a value of the criterion's scale, or a verdict on a flag.

    Attributes:
        value: for a criterion.
        verdict: for safety and reference: confirmed or refuted.
        level: for a confirmed safety flag: severe or moderate.
        cause: code of `Adjudication.Cause`.
        rationale: why, in words.
        seen: `Case.seen` of what stood before the adjudicator.
    """

    cause: str
    rationale: str
    seen: str
    value: float | None = None
    verdict: str = ""
    level: str = ""


@transaction.atomic
def decide(*, study: Study, key: UUID, actor: User, decision: Decision) -> Adjudication:
    """Decide an open case.

    Raises:
        OwnGradeError: the person graded this output.
        AdjudicationStateError: locked, decided before, readers still read it, or moved on meanwhile.
        AdjudicationError: the decision does not fit the question.
    """
    case = _held_case(study, key)
    if case.output in queue.own_outputs(actor):
        raise OwnGradeError("You graded this output, or were given it to grade; somebody else decides about it.")
    if case.state == "waiting":
        raise AdjudicationStateError("Readers of this output are still reading; decide when they are done.")
    if not case.is_undecided:
        raise AdjudicationStateError("This case is decided. Reopen it with a reason to decide it again.")
    if decision.seen != case.seen:
        raise AdjudicationStateError(MOVED)
    rationale = _words("rationale", decision.rationale)
    _check(case, decision)
    letters = queue.letters_of(study, case)
    return _write(
        study,
        case,
        actor,
        act=Act.DECIDED,
        value=decision.value,
        verdict=decision.verdict,
        level=decision.level,
        cause=decision.cause,
        rationale=rationale,
        inputs=[
            {"letter": letters[one.reader], "grade": str(one.grade)}
            for one in sorted(case.said, key=lambda said: (letters[said.reader], said.place))
        ],
    )


@transaction.atomic
def reopen(*, study: Study, key: UUID, actor: User, reason: str, seen: str) -> Adjudication:
    """Take a decision up again; it stays in the chain, and the case waits for a new one.

    Raises:
        AdjudicationStateError: locked, not decided, or moved on meanwhile.
        AdjudicationError: no reason.
    """
    case = _held_case(study, key)
    if case.state != "decided":
        raise AdjudicationStateError("This case is not decided; there is nothing to reopen.")
    if seen != case.seen:
        raise AdjudicationStateError(MOVED)
    return _write(study, case, actor, act=Act.REOPENED, rationale=_words("reason", reason))


@transaction.atomic
def request(
    *, study: Study, output: Output, subject: str, criterion: Criterion | None, actor: User, reason: str
) -> Adjudication:
    """Ask for a decision that no grade asks for.

    Raises:
        AdjudicationStateError: locked, or there is such a case.
        AdjudicationError: nobody graded the output, the study does not ask the criterion, no reason.
    """
    _refuse_closed(study)
    hold(chain_of(study))
    words = _words("reason", reason)
    if subject not in Subject.values:
        raise AdjudicationError(f"subject: {subject[:40]}: choose one of {', '.join(Subject.values)}.")
    if (subject == Subject.CRITERION) != (criterion is not None):
        raise AdjudicationError("criterion: name one for a case about a criterion, and none for the others.")
    if criterion is not None and not study.study_rubrics.filter(rubric=criterion.rubric_id).exists():
        raise AdjudicationError(f"criterion: {criterion.code}: this study does not ask it.")
    said = queue.newest_grades(study, only=output.pk).get(output.pk, [])
    if not said:
        raise AdjudicationError("output: nobody has graded it yet; there is nothing to decide about.")
    number = None if criterion is None else criterion.pk
    key = rules.case_key(study.pk, output.pk, subject, number)
    if any(case.key == key for case in queue.cases_of(study, only=output.pk)):
        raise AdjudicationStateError("There is such a case already; reopen it if its decision is wrong.")
    case = Case(key, output.pk, subject, criterion, Adjudication.Trigger.MANUAL, "open", tuple(said), frozenset())
    return _write(study, case, actor, act=Act.REQUESTED, rationale=words)


def closed_words(study: Study) -> str:
    """Why a study takes no acts now; empty when it does."""
    if study.state == Study.State.DRAFT:
        return "The study has not been opened."
    return "The study is unblinded: names are open, and its decisions are final." if study.names_are_open else ""


def _refuse_closed(study: Study) -> None:
    if words := closed_words(study):
        raise AdjudicationStateError(words)


def _held_case(study: Study, key: UUID) -> Case:
    """The case as it is now, with no other act on the study until this transaction ends."""
    hold(chain_of(study))
    study.refresh_from_db(fields=["state"])
    _refuse_closed(study)
    case = queue.find_case(study, key)
    if case is None:
        raise AdjudicationStateError("This is no case any more: a reader amended what made it one.")
    return case


def _words(name: str, text: str) -> str:
    words = text.strip()
    if not words:
        raise AdjudicationError(f"{name}: say why, in a sentence.")
    if len(words) > TEXT_LIMIT:
        raise AdjudicationError(f"{name}: {len(words)} characters; at most {TEXT_LIMIT}.")
    return words


def _check(case: Case, decision: Decision) -> None:
    """Raises AdjudicationError: the decision does not answer the question."""
    if decision.cause not in Adjudication.Cause.values:
        raise AdjudicationError(
            f"cause: {decision.cause[:40]!r}: choose one of {', '.join(Adjudication.Cause.values)}."
        )
    if case.criterion is not None:
        _check_value(case.criterion, decision)
        return
    if decision.value is not None:
        raise AdjudicationError("value: a flag is confirmed or refuted; it has no value.")
    if decision.verdict not in Adjudication.Verdict.values:
        raise AdjudicationError(f"verdict: {decision.verdict[:40]!r}: choose confirmed or refuted.")
    confirms_harm = case.subject == Subject.SAFETY and decision.verdict == Adjudication.Verdict.CONFIRMED
    allowed = Adjudication.Level.values if confirms_harm else [""]
    if decision.level not in allowed:
        words = "choose moderate or severe" if confirms_harm else "only for confirmed harm"
        raise AdjudicationError(f"level: {decision.level[:40]!r}: {words}.")


def _check_value(criterion: Criterion, decision: Decision) -> None:
    rubric, value = criterion.rubric, decision.value
    if value is None or not rules.on_scale(value, rubric.scale_min, rubric.scale_max, rubric.scale_step):
        said = "none" if value is None else f"{value:g}"
        scale = f"{rubric.scale_min:g} to {rubric.scale_max:g} in steps of {rubric.scale_step:g}"
        raise AdjudicationError(f"value: {said}: choose one of the scale, {scale}.")
    if decision.verdict or decision.level:
        raise AdjudicationError("verdict: a criterion has a value; only flags are confirmed or refuted.")


def _write(study: Study, case: Case, actor: User, *, act: str, rationale: str, **facts: object) -> Adjudication:
    try:
        with transaction.atomic():
            row = Adjudication.objects.create(
                study=study,
                output_id=case.output,
                subject=case.subject,
                criterion=case.criterion,
                case_key=case.key,
                version=len(case.acts) + 1,
                act=act,
                trigger=case.trigger,
                author=actor,
                rationale=rationale,
                **facts,
            )
    except IntegrityError as problem:
        raise AdjudicationStateError(MOVED) from problem
    record(
        VERBS[Act(act)],
        actor=actor,
        subject=row,
        case=str(row.case_key),
        version=row.version,
        about=case.subject,
        verdict=row.verdict,
        seals=seal_of(row),
    )
    return row
