"""Importing what a judge or an external metric said of a submission's outputs.

Everything is declared beforehand: who judged, by which rubric version, on which scale, in which view. Good lines go
in, each other one becomes a problem that names file, line, field, value and rule; the whole import is one
transaction, so that nothing is half-written.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction

from annotation.audit.record import hold, record
from annotation.datasets.models import ItemAlias
from annotation.formats.problems import FormatError, Problem, shown
from annotation.grading.presentation import rule_of
from annotation.grading.rules import why_not_applicable
from annotation.people.models import User
from annotation.studies.models import Criterion
from annotation.systems.models import Output, OutputPart, Submission
from scoring.calibration.answers import FAILED, MISSING, Answer, read_answer
from scoring.calibration.declaring import Checked, Declaration, check_declaration
from scoring.calibration.errors import JudgmentError
from scoring.calibration.models import Judge, Judgment, JudgmentImport
from scoring.calibration.reading import ITEM, JudgedLine, read_judged
from scoring.calibration.seals import IMPORTED, seal_of_import

ROWS_AT_ONCE = 500
PROBLEMS_KEPT = 500
_OUTSIDE = "not_applicable"


@dataclass
class JudgmentSummary:
    """What an import did, or would do: lines by verdict, values by reason, and every problem."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    n_values: int = 0
    n_coerced: int = 0
    n_not_judged: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    batch: JudgmentImport | None = None

    @property
    def lines(self) -> int:
        return self.new + self.changed + self.unchanged + self.refused

    def counts(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("new", "changed", "unchanged", "refused")}

    def count(self, verdict: str) -> None:
        setattr(self, verdict, getattr(self, verdict) + 1)

    def refuse(self, problem: Problem) -> None:
        self.problems.append(problem)
        self.refused += 1


@dataclass(frozen=True)
class _Target:
    """One output that may have been judged."""

    output: UUID
    status: str
    format: str
    has_image: bool
    has_text: bool
    has_reference: bool
    code: str


def import_judgments(
    *, path: Path, submission: Submission, declaration: Declaration, actor: User | None, dry_run: bool = False
) -> JudgmentSummary:
    """Read a file of judgments about one submission; good lines go in, in one transaction.

    A line about an output judged before by the same judge becomes new versions of the values that differ.

    Raises:
        JudgmentError: a declaration is absent or does not fit, or the file cannot be read.
    """
    checked = check_declaration(declaration)
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        listed = list(read_judged(path, checked.scale))
    except (OSError, FormatError) as problem:
        raise JudgmentError(f"{path.name}: {problem}") from problem
    with transaction.atomic():
        hold()
        judge = checked.row()
        run = _Run(path.name, submission, checked, judge, _present(judge, submission))
        rows = [row for line, target in _matched(run, listed) for row in _rows(run, line, target)]
        summary = run.summary
        summary.n_not_judged = Output.objects.gradable().filter(submission=submission).count() - len(run.seen)
        if not dry_run and summary.lines > summary.refused:
            summary.batch = _store(run, rows, digest, actor)
    return summary


@dataclass
class _Run:
    """One file being imported: what it is about, what is there already, what becomes of it."""

    file: str
    submission: Submission
    checked: Checked
    judge: Judge
    present: dict[tuple[UUID, int], Judgment]
    seen: dict[UUID, int] = field(default_factory=dict)
    summary: JudgmentSummary = field(default_factory=JudgmentSummary)

    def __post_init__(self) -> None:
        """Say it when the judge was told another scale than its rubric has."""
        rubric, scale = self.checked.rubric, self.checked.scale
        if (scale.low, scale.high) != (rubric.scale_min, rubric.scale_max):
            rule = (
                f"{rubric} asks {rubric.scale_min:g} to {rubric.scale_max:g}: the judge can be correlated with its "
                "readers; differences from them are refused, and nothing is rescaled"
            )
            self.note(None, "scale", scale.scale_words, rule)

    def note(self, line: int | None, where: str, value: object, rule: str) -> None:
        said = value if isinstance(value, str) else shown(value)
        self.summary.problems.append(Problem(self.file, line, where, said, rule, fatal=False))

    def refuse(self, line: JudgedLine, rule: str) -> None:
        scheme, value = line.ids[0]
        self.summary.refuse(Problem(self.file, line.number, scheme, value, rule))


def _present(judge: Judge, submission: Submission) -> dict[tuple[UUID, int], Judgment]:
    """The newest judgment of every output and criterion of this submission by this judge: one query."""
    if judge._state.adding:
        return {}
    rows = Judgment.objects.filter(judge=judge, output__submission=submission).order_by("version")
    return {(row.output_id, row.criterion_id): row for row in rows.defer("raw")}


def _matched(run: _Run, listed: list[JudgedLine | Problem]) -> Iterator[tuple[JudgedLine, _Target]]:
    """Lines with the output they are about; all others are refused with the reason."""
    targets, by_id = _targets(run.submission)
    for line in listed:
        if isinstance(line, Problem):
            run.summary.refuse(line)
            continue
        items = {by_id[one] for one in line.ids if one in by_id}
        if len(items) != 1:
            rule = "its ids name several items" if items else f"names no item of {run.submission.code}"
            run.refuse(line, rule)
            continue
        target = targets[items.pop()]
        rule = _why_not(target, run.checked)
        if not rule and target.output in run.seen:
            rule = f"line {run.seen[target.output]} judges {target.code} already; say once what counts"
        if rule:
            run.refuse(line, rule)
            continue
        run.seen[target.output] = line.number
        yield line, target


def _why_not(target: _Target, checked: Checked) -> str:
    """Why nobody can have judged this output in this view; empty when somebody can."""
    if target.status != Output.Status.OK:
        return f"the output for {target.code} is {target.status}: there is nothing that could be judged"
    if checked.scale.view == Judge.View.WITH_REFERENCE and not target.has_reference:
        return f"{target.code} has no reference, and the declared view is with_reference (missing_reference)"
    return ""


def _targets(submission: Submission) -> tuple[dict[UUID, _Target], dict[tuple[str, str], UUID]]:
    """Current outputs by item, and every id of these items: four queries."""
    outputs = Output.objects.current().filter(submission=submission).select_related("revision__item")
    images = set(_parts(submission, OutputPart.Kind.IMAGE))
    texts = set(_parts(submission, OutputPart.Kind.TEXT))
    referenced = set(outputs.filter(revision__images__role="reference").values_list("pk", flat=True))
    targets: dict[UUID, _Target] = {}
    ids: dict[tuple[str, str], UUID] = {}
    for output in outputs:
        revision, item = output.revision, output.revision.item
        targets[item.pk] = _Target(
            output=output.pk,
            status=output.status,
            format=revision.format,
            has_image=output.pk in images,
            has_text=output.pk in texts,
            has_reference=output.pk in referenced or bool(revision.reference_text or revision.reference_sections),
            code=item.code,
        )
        ids[ITEM, item.code] = item.pk
    aliases = ItemAlias.objects.filter(item__in=list(targets))
    for item_key, scheme, value in aliases.values_list("item_id", "scheme", "value"):
        ids[scheme, value] = item_key
        ids.setdefault((ITEM, value), item_key)
    return targets, ids


def _parts(submission: Submission, kind: str) -> Any:
    return OutputPart.objects.filter(output__submission=submission, kind=kind).values_list("output_id", flat=True)


def _rows(run: _Run, line: JudgedLine, target: _Target) -> list[Judgment]:
    """What is to be written of one line; its values, reasons and problems are counted."""
    summary, present = run.summary, run.present
    known = any((target.output, criterion.pk) in present for criterion in run.checked.criteria.values())
    rows = []
    for criterion, answer in _answers(run, line, target):
        summary.reasons.update([answer.reason] if answer.reason else [])
        summary.n_values += answer.value is not None
        summary.n_coerced += answer.coerced
        before = present.get((target.output, criterion.pk))
        if before is None or (before.value, before.reason) != (answer.value, answer.reason):
            rows.append(
                Judgment(
                    output_id=target.output,
                    criterion=criterion,
                    version=1 if before is None else before.version + 1,
                    value=answer.value,
                    reason=answer.reason,
                    raw=answer.raw,
                    coerced=answer.coerced,
                )
            )
    summary.count(("changed" if known else "new") if rows else "unchanged")
    return rows


def _answers(run: _Run, line: JudgedLine, target: _Target) -> Iterator[tuple[Criterion, Answer]]:
    """The answer to every criterion of the declared rubric, and to no other."""
    checked, scale = run.checked, run.checked.scale
    for code in sorted(set(line.said) - set(checked.criteria)):
        run.note(line.number, code, line.said[code], f"is no criterion of {checked.rubric}; the answer is left out")
    whole = _whole(line, checked)
    if whole is not None and whole.rule:
        run.note(line.number, "reply", line.reply, _typed(whole))
    for code, criterion in checked.criteria.items():
        if _outside(criterion, target):
            yield criterion, Answer(None, _OUTSIDE)
        elif whole is not None:
            yield criterion, whole
        elif code not in line.said:
            yield criterion, MISSING
        else:
            answer = read_answer(line.said[code], low=scale.low, high=scale.high)
            if answer.rule:
                run.note(line.number, code, line.said[code], _typed(answer))
            yield criterion, answer


def _typed(answer: Answer) -> str:
    return f"{answer.rule} ({answer.reason}); in no mean"


def _whole(line: JudgedLine, checked: Checked) -> Answer | None:
    """What a reply that holds no scores says for every criterion; None when there are scores."""
    if line.failed:
        return FAILED
    if not line.reply:
        return None
    found = read_answer(line.reply, low=checked.scale.low, high=checked.scale.high)
    rule = "one number for several criteria; it is the score of none"
    return found if found.value is None else Answer(None, "unparsable", line.reply, rule=rule)


def _outside(criterion: Criterion, target: _Target) -> bool:
    """Whether the rubric does not ask this criterion of such an output."""
    shape: dict[str, Any] = {"format": target.format, "has_image": target.has_image, "has_text": target.has_text}
    return why_not_applicable(rule_of(criterion), **shape) is not None


def _store(run: _Run, rows: list[Judgment], digest: str, actor: User | None) -> JudgmentImport:
    judge, summary = run.judge, run.summary
    if judge._state.adding:
        judge.save()
    batch = JudgmentImport.objects.create(
        judge=judge,
        submission=run.submission,
        file_sha256=digest,
        reasons=dict(sorted(summary.reasons.items())),
        problems=kept_problems(summary.problems),
        requested_by=actor,
        **summary.counts(),
    )
    for row in rows:
        row.batch, row.judge = batch, judge
    Judgment.objects.bulk_create(rows, batch_size=ROWS_AT_ONCE)
    facts: dict[str, Any] = {**summary.counts(), "values": summary.n_values, "seals": seal_of_import(batch)}
    record(IMPORTED, actor=actor, subject=batch, judge=str(judge.pk), **facts)
    return batch


def kept_problems(problems: list[Problem]) -> list[dict[str, Any]]:
    """Problems as they are stored and told: the first 500, then how many more there were."""
    told: list[dict[str, Any]] = [problem_told(one) for one in problems[:PROBLEMS_KEPT]]
    if len(problems) > PROBLEMS_KEPT:
        rest = Problem("", None, "", "", f"{len(problems) - PROBLEMS_KEPT} more problems are not kept", fatal=False)
        told.append(problem_told(rest))
    return told


def problem_told(problem: Problem) -> dict[str, Any]:
    return {name: getattr(problem, name) for name in ("file", "line", "field", "value", "rule", "fatal")}
