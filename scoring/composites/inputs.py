"""From the database to the rows that a composite is computed from: pages, workbook and JSON read only these."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

from annotation.adjudication.queue import adjudicated_values, vetoes
from annotation.adjudication.rules import Veto
from annotation.grading.models import CriterionScore, Grade
from annotation.studies.models import Criterion, Reading, ReadingOutput, Study, StudyItem, StudySystem
from annotation.systems.models import Output
from scoring.composites.combining import Declaration, OutputRow
from scoring.composites.services import criterion_of, metric_codes
from scoring.runs.models import MetricValue
from scoring.runs.services import current_values

NOT_MEASURED = "not measured"
NOT_GRADED = "not graded"
NOT_APPLICABLE = "not_applicable"
SUPERSEDED = "superseded"


@dataclass(frozen=True)
class StudyOutput:
    """One output of a study with its system's letter and its item."""

    output: Output
    letter: str
    study_item: StudyItem


@dataclass(frozen=True)
class GradedOutput:
    """What readers said of one output: scores by criterion over readers, and the gravest safety flag."""

    scores: Mapping[tuple[str, str], list[float]]
    safety: list[str]
    n_readers: int


def study_outputs(study: Study) -> list[StudyOutput]:
    """The outputs of a study's systems for its items, one version of each.

    The version that readings show; where none does, the newest that was there when the study opened, so that a
    failure still counts when the output is delivered after all, too late to be graded.
    """
    systems = {row.submission_id: row.letter for row in StudySystem.objects.filter(study=study)}
    items = {
        row.revision_id: row
        for row in main_items(study).select_related("revision__item__dataset").order_by("revision__item__number")
    }
    outputs = Output.objects.filter(submission__in=systems, revision__in=main_items(study).values("revision"))
    shown = set(ReadingOutput.objects.filter(reading__study=study).values_list("output_id", flat=True))
    chosen: dict[tuple[Any, Any], Output] = {}
    for output in outputs.order_by("version"):
        key = (output.submission_id, output.revision_id)
        held = chosen.get(key)
        late = study.opened_at is not None and output.created_at > study.opened_at
        if held is None or output.pk in shown or not (held.pk in shown or late):
            chosen[key] = output
    return sorted(
        (
            StudyOutput(output, systems[submission], items[revision])
            for (submission, revision), output in chosen.items()
        ),
        key=lambda row: (row.study_item.revision.item.number, row.letter),
    )


def main_items(study: Study) -> QuerySet[StudyItem]:
    """Items that results are made of; training, pilot and attention items are not."""
    return study.study_items.filter(role=StudyItem.Role.MAIN)


def latest_grades(study: Study) -> list[Grade]:
    """The newest version of every grade of submitted readings."""
    newest = {grade.reading_output_id: grade for grade in _grades(study).select_related("reading_output")}
    return list(newest.values())


def _grades(study: Study) -> Any:
    """All final versions of main readings, the newest of each output last."""
    return (
        Grade.objects.filter(
            reading_output__reading__study=study,
            reading_output__reading__role=Reading.Role.MAIN,
            stage=Grade.Stage.WITH,
        )
        .exclude(reading_output__reading__status=Reading.Status.VOID)
        .order_by("version", "submitted_at")
    )


def graded_outputs(study: Study, criteria: Collection[tuple[str, str]] | None = None) -> dict[Any, GradedOutput]:
    """Latest grades by output: three queries whatever their number; scores of all criteria, or of these."""
    rows = _grades(study).values_list("reading_output_id", "pk", "reading_output__output_id", "safety")
    newest = {shown: facts for shown, *facts in rows}
    outputs = {grade: output for grade, output, _ in newest.values()}
    scores: dict[Any, dict[tuple[str, str], list[float]]] = defaultdict(lambda: defaultdict(list))
    given = CriterionScore.objects.filter(grade__reading_output__reading__study=study, value__isnull=False)
    if criteria is not None:
        wanted = [Q(criterion__rubric__code=rubric, criterion__code=code) for rubric, code in sorted(criteria)]
        given = given.filter(reduce(or_, wanted, Q(pk__in=[])))
    given = given.order_by("grade__submitted_at", "pk")
    for key, rubric, criterion, value in given.values_list(
        "grade_id", "criterion__rubric__code", "criterion__code", "value"
    ):
        if value is not None and key in outputs:
            scores[outputs[key]][rubric, criterion].append(value)
    safety: dict[Any, list[str]] = defaultdict(list)
    for _, output, flag in newest.values():
        safety[output].append(flag)
    return {
        output: GradedOutput(scores=scores.get(output, {}), safety=flags, n_readers=len(flags))
        for output, flags in safety.items()
    }


def with_adjudicated(study: Study, graded: Mapping[Any, GradedOutput]) -> dict[Any, GradedOutput]:
    """The same, with the decided value in place of the readers' where an adjudicator decided: three queries."""
    decided = adjudicated_values(study)
    criteria = Criterion.objects.select_related("rubric").in_bulk({criterion for _, criterion in decided})
    found = dict(graded)
    for (output, criterion), value in decided.items():
        if output in found:
            asked = criteria[criterion]
            scores = {**found[output].scores, (asked.rubric.code, asked.code): [value]}
            found[output] = replace(found[output], scores=scores)
    return found


def output_rows(study: Study, declaration: Declaration, *, adjudicated: bool = False) -> list[OutputRow]:
    """One row per system and item of the study; on readers' own grades unless adjudicated values are asked for.

    An item is in the graded sample when at least one reading of it is submitted, whichever system it showed: a
    failed output then counts at the bottom, and one on an item nobody has graded yet does not.
    """
    outputs = study_outputs(study)
    sources = [criterion_of(component.source) for component in declaration.components]
    graded = graded_outputs(study, {source for source in sources if source})
    if adjudicated:
        graded = with_adjudicated(study, graded)
    states = vetoes(study)
    sample = set(
        study.readings.filter(status=Reading.Status.SUBMITTED, role=Reading.Role.MAIN)
        .values_list("study_item_id", flat=True)
        .distinct()
    )
    measured = measured_values(Output.objects.filter(submission__study_systems__study=study))
    return [
        _row(row, declaration, graded, measured, sample=sample, veto=states.get(row.output.pk)) for row in outputs
    ]


class Measured(NamedTuple):
    """A metric value, or the reason why there is none."""

    value: float | None
    reason: str


def measured_values(outputs: Any) -> dict[Any, dict[str, Measured]]:
    """Present values of outputs by metric."""
    values: dict[Any, dict[str, Measured]] = defaultdict(dict)
    rows = current_values(outputs).filter(subject=MetricValue.Subject.OUTPUT).order_by()
    for output, metric, value, reason in rows.values_list("output_id", "settings__metric", "value", "reason"):
        values[output][metric] = Measured(value, reason)
    return values


def _row(
    row: StudyOutput,
    declaration: Declaration,
    graded: Mapping[Any, GradedOutput],
    measured: Mapping[Any, Mapping[str, Measured]],
    *,
    sample: set[Any],
    veto: Veto | None,
) -> OutputRow:
    revision = row.study_item.revision
    grades = graded.get(row.output.pk)
    values: dict[str, list[float]] = {}
    identical, reasons = set(), {}
    for component in declaration.components_of(revision.format):
        criterion = criterion_of(component.source)
        if criterion:
            found = list(grades.scores.get(criterion, [])) if grades else []
            reason = "" if found else (NOT_APPLICABLE if grades else NOT_GRADED)
        else:
            absent = SUPERSEDED if row.output.superseded_by_id else NOT_MEASURED
            found, reason = first_metric(metric_codes(component.source), measured.get(row.output.pk, {}), absent)
        if found:
            values[component.code] = found
        elif reason == "identical":
            identical.add(component.code)
        else:
            reasons[component.code] = reason
    return OutputRow(
        system=row.letter,
        item=revision.item.code,
        cluster=row.study_item.cluster,
        format=revision.format,
        task=revision.task,
        status=row.output.status,  # type: ignore[arg-type]
        values=values if row.output.status == Output.Status.OK else {},
        identical=frozenset(identical),
        reasons=reasons,
        veto=veto,
        in_sample=row.study_item.pk in sample,
    )


def first_metric(codes: Iterable[str], values: Mapping[str, Measured], absent: str) -> tuple[list[float], str]:
    """The first metric that applies: its value, or the reason why it has none; `absent` without any value."""
    reason = absent
    for code in codes:
        value = values.get(code)
        if value is None:
            continue
        if value.value is not None:
            return [value.value], ""
        reason = value.reason
        if reason != NOT_APPLICABLE:
            return [], reason
    return [], reason
