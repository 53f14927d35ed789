"""From first final grades to the arrays that agreement is computed from: readers × units, one per criterion."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.grading.models import CriterionScore, Grade
from annotation.studies.models import Criterion, Enrollment, Reading, ReadingOutput, Study

SAFETY_LEVELS = ("none", "low", "moderate", "severe")


@dataclass(frozen=True)
class Ratings:
    """The grades of one criterion.

    Attributes:
        code: criterion, `rubric:criterion`, or `safety`.
        label: its words.
        readers: reader codes, in the order of the rows.
        units: output ids, in the order of the columns.
        clusters: cluster of each unit.
        values: readers × units, NaN where a reader gave no value.
        categories: the declared scale, unused levels included.
        n_assigned: readings × outputs given to readers.
        n_graded: submitted grades.
        n_not_applicable: grades without a value by reason.
    """

    code: str
    label: str
    readers: tuple[str, ...]
    units: tuple[str, ...]
    clusters: tuple[str, ...]
    values: NDArray[np.float64]
    categories: tuple[float, ...]
    n_assigned: int
    n_graded: int
    n_not_applicable: dict[str, int]


def study_ratings(study: Study) -> list[Ratings]:
    """One entry per criterion of the study's rubrics, then the safety flag; first final grades only."""
    places = _places(study)
    readers = sorted({reader for reader, _ in places.values()})
    units = sorted({unit for _, unit in places.values()})
    clusters = _clusters(study, units)
    finals = Grade.objects.filter(reading_output__reading__study=study, version=1)
    first = [row for row in finals.values_list("pk", "reading_output_id", "safety") if row[1] in places]
    cells = {grade: places[place] for grade, place, _ in first}
    scores = _scores(study)
    found = []
    for criterion in _criteria(study):
        values, reasons = _fill(cells, scores[criterion.pk], readers, units)
        found.append(
            Ratings(
                code=f"{criterion.rubric.code}:{criterion.code}",
                label=criterion.label,
                readers=tuple(readers),
                units=tuple(str(unit) for unit in units),
                clusters=clusters,
                values=values,
                categories=scale(criterion),
                n_assigned=len(places),
                n_graded=len(cells),
                n_not_applicable=reasons,
            )
        )
    found.append(_safety(first, places, readers, units, clusters))
    return found


def scale(criterion: Criterion) -> tuple[float, ...]:
    """Every level of the criterion's declared scale."""
    rubric = criterion.rubric
    count = round((rubric.scale_max - rubric.scale_min) / rubric.scale_step)
    return tuple(rubric.scale_min + place * rubric.scale_step for place in range(count + 1))


def _places(study: Study) -> dict[Any, tuple[str, Any]]:
    """Reading output → (reader code, output)."""
    rows = ReadingOutput.objects.filter(
        reading__study=study, reading__enrollment__role=Enrollment.Role.READER
    ).exclude(reading__status=Reading.Status.VOID)
    return {
        pk: (reader or "", output)
        for pk, reader, output in rows.values_list("pk", "reading__enrollment__reader_code", "output_id")
    }


def _clusters(study: Study, units: Sequence[Any]) -> tuple[str, ...]:
    rows = ReadingOutput.objects.filter(reading__study=study).values_list("output_id", "reading__study_item__cluster")
    cluster = dict(rows)
    return tuple(cluster[unit] for unit in units)


def _criteria(study: Study) -> list[Criterion]:
    return list(
        Criterion.objects.filter(rubric__study_rubrics__study=study)
        .select_related("rubric")
        .order_by("rubric__study_rubrics__position", "position")
    )


def _scores(study: Study) -> dict[int, dict[Any, tuple[float | None, str]]]:
    """Values of first grades by criterion and grade."""
    scores: dict[int, dict[Any, tuple[float | None, str]]] = defaultdict(dict)
    rows = CriterionScore.objects.filter(grade__version=1, grade__reading_output__reading__study=study).values_list(
        "criterion_id", "grade_id", "value", "na_reason"
    )
    for criterion, grade, value, reason in rows:
        scores[criterion][grade] = (value, reason)
    return scores


def _fill(
    cells: dict[Any, tuple[str, Any]],
    scores: dict[Any, tuple[float | None, str]],
    readers: Sequence[str],
    units: Sequence[Any],
) -> tuple[NDArray[np.float64], dict[str, int]]:
    rows = {reader: place for place, reader in enumerate(readers)}
    columns = {unit: place for place, unit in enumerate(units)}
    values = np.full((len(readers), len(units)), np.nan)
    reasons: dict[str, int] = defaultdict(int)
    for grade, (value, reason) in scores.items():
        if grade not in cells:
            continue
        reader, unit = cells[grade]
        if value is None:
            reasons[reason] += 1
        else:
            values[rows[reader], columns[unit]] = value
    return values, dict(reasons)


def _safety(
    first: list[Any],
    places: dict[Any, tuple[str, Any]],
    readers: Sequence[str],
    units: Sequence[Any],
    clusters: tuple[str, ...],
) -> Ratings:
    levels = {level: float(place) for place, level in enumerate(SAFETY_LEVELS)}
    cells = {grade: places[place] for grade, place, _ in first}
    values, _ = _fill(cells, {grade: (levels[level], "") for grade, _, level in first}, readers, units)
    return Ratings(
        code="safety",
        label="Harm if believed",
        readers=tuple(readers),
        units=tuple(str(unit) for unit in units),
        clusters=clusters,
        values=values,
        categories=tuple(levels.values()),
        n_assigned=len(places),
        n_graded=len(first),
        n_not_applicable={},
    )
