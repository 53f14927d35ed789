"""From first final grades to the arrays that agreement is computed from: readers × outputs, one per criterion."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotation.grading.models import CriterionScore, Grade
from annotation.studies.models import Criterion, Enrollment, Reading, ReadingOutput, Study

SAFETY_LEVELS = ("none", "low", "moderate", "severe")
SAFETY = "safety"
FINAL_STAGE = Grade.Stage.WITH.value
Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


class Absent(NamedTuple):
    """A grade without a value: which reader and output (places), and why."""

    reader: int
    unit: int
    reason: str


@dataclass(frozen=True, eq=False)
class Units:
    """The outputs of a study, in the order of the columns, and what a selection asks of them.

    Attributes:
        keys: output ids.
        clusters: cluster of each output.
        tasks: task of each output's item.
        modalities: modality of each output's item.
    """

    keys: tuple[str, ...]
    clusters: tuple[str, ...]
    tasks: tuple[str, ...]
    modalities: tuple[str, ...]

    def taken(self, places: Sequence[int]) -> "Units":
        """Only these outputs."""
        columns = (self.keys, self.clusters, self.tasks, self.modalities)
        return Units(*(tuple(column[place] for place in places) for column in columns))


@dataclass(frozen=True, eq=False)
class Ratings:
    """The grades of one criterion.

    Attributes:
        code: criterion, `rubric:criterion`, or `safety`.
        label: its words.
        readers: reader codes, in the order of the rows.
        outputs: the outputs, in the order of the columns.
        values: readers × outputs, NaN where a reader gave no value.
        again: the same, of the first hidden repeat; they enter intra-reader agreement only.
        categories: the declared scale, unused levels included.
        assigned: readers × outputs, readings given to the reader.
        graded: readers × outputs, submitted grades.
        absent: grades without a value.
    """

    code: str
    label: str
    readers: tuple[str, ...]
    outputs: Units
    values: Floats
    again: Floats
    categories: tuple[float, ...]
    assigned: Whole
    graded: Whole
    absent: tuple[Absent, ...]

    @property
    def units(self) -> tuple[str, ...]:
        return self.outputs.keys

    @property
    def clusters(self) -> tuple[str, ...]:
        return self.outputs.clusters

    @property
    def n_assigned(self) -> int:
        return int(self.assigned.sum())

    @property
    def n_graded(self) -> int:
        return int(self.graded.sum())

    @property
    def n_not_applicable(self) -> dict[str, int]:
        """Grades without a value by reason."""
        return dict(Counter(one.reason for one in self.absent))

    def taken(self, rows: Sequence[int], columns: Sequence[int]) -> "Ratings":
        """Only these readers and outputs."""
        row_of = {old: new for new, old in enumerate(rows)}
        column_of = {old: new for new, old in enumerate(columns)}
        block = np.ix_(np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64))
        return replace(
            self,
            readers=tuple(self.readers[row] for row in rows),
            outputs=self.outputs.taken(columns),
            values=self.values[block],
            again=self.again[block],
            assigned=self.assigned[block],
            graded=self.graded[block],
            absent=tuple(
                Absent(row_of[one.reader], column_of[one.unit], one.reason)
                for one in self.absent
                if one.reader in row_of and one.unit in column_of
            ),
        )


class _Place(NamedTuple):
    """Where a graded output of a reading stands in the arrays."""

    reader: int
    unit: int
    repeated: bool


class _Frame(NamedTuple):
    """What all criteria of a study share."""

    readers: tuple[str, ...]
    outputs: Units
    places: dict[int, _Place]


def study_ratings(study: Study, *, stage: str = FINAL_STAGE, codes: Collection[str] | None = None) -> list[Ratings]:
    """One entry per criterion of the study's rubrics, then the safety flag; first final grades of main readings.

    Amendments, decided values, training, pilot and attention readings never enter. With two stages the grades of one
    are taken; those with the reference are the final ones. `codes` (`rubric:criterion`) leaves out other criteria.
    """
    frame = _frame(study)
    finals = Grade.objects.filter(reading_output__reading__study=study, version=1, stage=stage)
    first = [row for row in finals.values_list("reading_output_id", "safety") if row[0] in frame.places]
    criteria = [one for one in _criteria(study) if codes is None or f"{one.rubric.code}:{one.code}" in codes]
    scores = _scores(study, stage, criteria)
    found = [
        _ratings(
            frame,
            [shown for shown, _ in first],
            scores[criterion.pk],
            code=f"{criterion.rubric.code}:{criterion.code}",
            label=criterion.label,
            categories=scale(criterion),
        )
        for criterion in criteria
    ]
    levels = {level: float(place) for place, level in enumerate(SAFETY_LEVELS)}
    flags = [(shown, levels[level], "") for shown, level in first]
    shown = [shown for shown, _ in first]
    label, steps = "Harm if believed", tuple(levels.values())
    return [*found, _ratings(frame, shown, flags, code=SAFETY, label=label, categories=steps)]


def scale(criterion: Criterion) -> tuple[float, ...]:
    """Every level of the criterion's declared scale."""
    rubric = criterion.rubric
    count = round((rubric.scale_max - rubric.scale_min) / rubric.scale_step)
    return tuple(rubric.scale_min + place * rubric.scale_step for place in range(count + 1))


def _frame(study: Study) -> _Frame:
    """Readers, outputs and the place of every graded output; one query."""
    rows = list(
        ReadingOutput.objects.filter(reading__study=study, reading__enrollment__role=Enrollment.Role.READER)
        .filter(reading__role__in=[Reading.Role.MAIN, Reading.Role.REPEAT], reading__replicate__lte=2)
        .exclude(reading__status=Reading.Status.VOID)
        .values_list(
            "pk", "reading__enrollment__reader_code", "output_id", "reading__role", "reading__study_item__cluster",
            "reading__study_item__revision__task", "reading__study_item__revision__modality",
        )
    )  # fmt: skip
    readers = sorted({row[1] or "" for row in rows})
    facts = {str(row[2]): row[4:] for row in rows}
    keys = sorted(facts)
    row_of = {reader: place for place, reader in enumerate(readers)}
    column_of = {key: place for place, key in enumerate(keys)}
    places = {
        row[0]: _Place(row_of[row[1] or ""], column_of[str(row[2])], row[3] == Reading.Role.REPEAT) for row in rows
    }
    columns = [tuple(facts[key][place] for key in keys) for place in range(3)]
    return _Frame(tuple(readers), Units(tuple(keys), *columns), places)


def _criteria(study: Study) -> list[Criterion]:
    return list(
        Criterion.objects.filter(rubric__study_rubrics__study=study)
        .select_related("rubric")
        .order_by("rubric__study_rubrics__position", "position")
    )


def _scores(
    study: Study, stage: str, criteria: Sequence[Criterion]
) -> dict[int, list[tuple[int, float | None, str]]]:
    """Values of first grades by criterion: graded output, value, reason."""
    scores: dict[int, list[tuple[int, float | None, str]]] = defaultdict(list)
    rows = CriterionScore.objects.filter(
        criterion__in=criteria,
        grade__version=1,
        grade__stage=stage,
        grade__reading_output__reading__study=study,
    ).order_by()
    for criterion, shown, value, reason in rows.values_list(
        "criterion_id", "grade__reading_output_id", "value", "na_reason"
    ):
        scores[criterion].append((shown, value, reason))
    return scores


def _ratings(
    frame: _Frame,
    graded: Collection[int],
    scores: Collection[tuple[int, float | None, str]],
    *,
    code: str,
    label: str,
    categories: tuple[float, ...],
) -> Ratings:
    shape = (len(frame.readers), len(frame.outputs.keys))
    values, again = np.full(shape, np.nan), np.full(shape, np.nan)
    assigned, submitted = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    absent = []
    for place in frame.places.values():
        assigned[place.reader, place.unit] += not place.repeated
    for shown in graded:
        place = frame.places[shown]
        submitted[place.reader, place.unit] += not place.repeated
    for shown, value, reason in scores:
        found = frame.places.get(shown)
        if found is None:
            continue
        if value is not None:
            (again if found.repeated else values)[found.reader, found.unit] = value
        elif not found.repeated:
            absent.append(Absent(found.reader, found.unit, reason))
    return Ratings(
        code=code,
        label=label,
        readers=frame.readers,
        outputs=frame.outputs,
        values=values,
        again=again,
        categories=categories,
        assigned=assigned,
        graded=submitted,
        absent=tuple(sorted(absent)),
    )
