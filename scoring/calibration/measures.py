"""What can be held against the experts in a study: every metric and every judge, with their values by output.

Names of judges may name a system ("aurora judges aurora"); until the names of a study are open, such a judge is
called by a number.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.datasets.models import Item
from annotation.studies.models import Criterion, Study, StudySystem
from annotation.systems.models import Output
from annotation.systems.naming import FAMILIES, find_names, names_of_system
from scoring.agreement.ratings import Ratings, study_ratings
from scoring.calibration.errors import UnknownMeasureError
from scoring.calibration.models import Judge, Judgment
from scoring.runs.models import MetricValue
from scoring.runs.services import current_values

Floats = NDArray[np.float64]
METRIC, JUDGE = "metric", "judge"
NOT_MEASURED, SUPERSEDED, NOT_APPLICABLE = "not measured", "superseded", "not_applicable"
SAFETY = "safety"


@dataclass(frozen=True)
class Measure:
    """A metric, or one criterion of a judge.

    Attributes:
        key: its address: `metric:psnr`, `judge:KEY:overall`.
        label: its words.
        tier: pixel, semantic or judge.
        higher_is_better: its direction.
        scale: declared ends, None for a metric.
        unit: of a metric; "" without one.
        about: settings of a metric; rubric, scale and view of a judge.
        criterion: code of a judge's criterion, "" for a metric.
        circular: letters of systems that the judge's name names; only once names are open.
    """

    key: str
    label: str
    tier: str
    higher_is_better: bool
    scale: tuple[float, float] | None = None
    unit: str = ""
    about: str = ""
    criterion: str = ""
    circular: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unit:
    """One output that readers of the study were given."""

    letter: str
    item: str
    task: str
    modality: str
    format: str
    superseded: bool


@dataclass(frozen=True, eq=False)
class Held:
    """All measures and experts of a study, column by column of `ratings.units`.

    Attributes:
        ratings: the experts' first final grades, one entry per criterion, then safety.
        units: what each column is.
        measures: in the order of tiers and labels.
        values: measure → one value per column, NaN where absent.
        reasons: measure → why there is no value, "" where there is one.
        falling: criteria of which a higher value is worse.
    """

    ratings: tuple[Ratings, ...]
    units: tuple[Unit, ...]
    measures: tuple[Measure, ...]
    values: dict[str, Floats]
    reasons: dict[str, list[str]]
    falling: frozenset[str]

    @cached_property
    def letters(self) -> list[str]:
        return [unit.letter for unit in self.units]

    def measure(self, key: str) -> Measure:
        """Raises UnknownMeasureError: no such measure."""
        found = next((one for one in self.measures if one.key == key), None)
        if found is None:
            raise UnknownMeasureError(f"measure: {key[:80]!r}: not in this study")
        return found

    def criterion(self, code: str) -> Ratings:
        """The ratings of a criterion; of the study's overall criterion, or else its first, when none is named.

        Raises:
            UnknownMeasureError: no such criterion.
        """
        if not code:
            return next((one for one in self.ratings if one.code.endswith(":overall")), self.ratings[0])
        found = next((one for one in self.ratings if one.code == code), None)
        if found is None:
            raise UnknownMeasureError(f"criterion: {code[:80]!r}: not in this study")
        return found

    def matching(self, measure: Measure) -> Ratings:
        """The experts' criterion of the same code as a judge's; the overall one where there is none."""
        own = (one for one in self.ratings if measure.criterion and one.code.endswith(f":{measure.criterion}"))
        return next(own, self.criterion(""))

    def beside(self, criterion: Ratings) -> list[Measure]:
        """Metrics, and of each judge the criterion of the same code: what a table holds against one criterion."""
        code = criterion.code.partition(":")[2] or criterion.code
        return [one for one in self.measures if one.tier != JUDGE or one.criterion == code]

    def goes_up(self, measure: Measure, criterion: Ratings) -> bool:
        """Whether a higher value of the measure should go with a higher value of the experts."""
        return measure.higher_is_better == (criterion.code not in self.falling)

    def missing(self, measure: Measure, kept: NDArray[np.bool_]) -> dict[str, int]:
        """Why outputs have no value of the measure, counted."""
        reasons = self.reasons[measure.key]
        counted = Counter(reasons[place] for place in np.nonzero(kept)[0].tolist() if reasons[place])
        return dict(sorted(counted.items()))


def held(study: Study) -> Held:
    """Everything that certificates, courtroom and radar of a study are made from: ten queries."""
    ratings = tuple(study_ratings(study))
    keys = ratings[0].units
    facts = _units(study)
    units = tuple(facts[key] for key in keys)
    columns = {key: place for place, key in enumerate(keys)}
    found = [*_metrics(study, columns), *_judged(study, columns)]
    values: dict[str, Floats] = {}
    reasons: dict[str, list[str]] = {}
    for measure, cells in found:
        values[measure.key] = np.full(len(keys), np.nan)
        reasons[measure.key] = [SUPERSEDED if unit.superseded else NOT_MEASURED for unit in units]
        for place, value, reason in cells:
            reasons[measure.key][place] = reason
            if value is not None:
                values[measure.key][place] = value
    falling = Criterion.objects.filter(
        rubric__study_rubrics__study=study, direction=Criterion.Direction.HIGHER_WORSE
    ).values_list("rubric__code", "code")
    return Held(
        ratings=ratings,
        units=units,
        measures=tuple(measure for measure, _ in found),
        values=values,
        reasons=reasons,
        falling=frozenset({SAFETY, *(f"{rubric}:{code}" for rubric, code in falling)}),
    )


Cells = list[tuple[int, float | None, str]]


def _units(study: Study) -> dict[str, Unit]:
    """Output → what it is: one query."""
    rows = (
        Output.objects.filter(reading_outputs__reading__study=study, submission__study_systems__study=study)
        .order_by()
        .distinct()
        .values_list(
            "pk", "submission__study_systems__letter", "revision__item__number", "revision__task",
            "revision__modality", "revision__format", "superseded_by",
        )
    )  # fmt: skip
    return {
        str(pk): Unit(letter, Item(number=number).code, task, modality, kind, superseded is not None)
        for pk, letter, number, task, modality, kind, superseded in rows
    }


NAMED = tuple(
    f"settings__{name}" for name in ("metric", "label", "tier", "direction", "unit", "version", "settings_hash")
)


def listed(study: Study) -> list[Measure]:
    """The measures of a study without their values: four queries."""
    outputs = Output.objects.filter(submission__study_systems__study=study)
    rows = _measured(outputs).exclude(reason=NOT_APPLICABLE).values_list("settings_id", *NAMED).order_by().distinct()
    metrics = sorted((_of_metric(named) for _, *named in rows), key=lambda one: (one.tier, one.label))
    pairs = Judgment.objects.filter(output__in=outputs).order_by().values_list("judge", "criterion").distinct()
    return [*metrics, *sorted(_of_pairs(study, pairs).values(), key=lambda one: (one.label, one.key))]


def _measured(outputs: Any) -> Any:
    return current_values(outputs).filter(subject=MetricValue.Subject.OUTPUT)


def _of_metric(named: Sequence[Any]) -> Measure:
    code, label, tier, direction, unit, version, digest = named
    return Measure(
        key=f"{METRIC}:{code}",
        label=label,
        tier=tier,
        higher_is_better=direction == "higher",
        unit=unit,
        about=f"version {version}, settings {digest[:12]}",
    )


def _metrics(study: Study, columns: dict[str, int]) -> list[tuple[Measure, Cells]]:
    """Metrics with values for outputs of this study: one query."""
    outputs = Output.objects.filter(submission__study_systems__study=study)
    measures: dict[int, Measure] = {}
    cells: dict[int, Cells] = {}
    rows = _measured(outputs).order_by().values_list("output_id", "settings_id", "value", "reason", *NAMED)
    for output, settings, value, reason, *named in rows:
        if reason != NOT_APPLICABLE and settings not in measures:
            measures[settings] = _of_metric(named)
        place = columns.get(str(output))
        if place is not None:
            cells.setdefault(settings, []).append((place, value, reason))
    found = [(measure, cells.get(settings, [])) for settings, measure in measures.items()]
    return sorted(found, key=lambda pair: (pair[0].tier, pair[0].label))


def _judged(study: Study, columns: dict[str, int]) -> list[tuple[Measure, Cells]]:
    """Judges with judgments about outputs of this study, by criterion; the newest of each: three queries."""
    outputs = Output.objects.filter(submission__study_systems__study=study)
    rows = Judgment.objects.filter(output__in=outputs).order_by("version")
    newest: dict[tuple[Any, int], dict[int, tuple[float | None, str]]] = {}
    for output, judge, criterion, value, reason in rows.values_list(
        "output_id", "judge_id", "criterion_id", "value", "reason"
    ):
        cells = newest.setdefault((judge, criterion), {})
        place = columns.get(str(output))
        if place is not None:
            cells[place] = (value, reason)
    measures = _of_pairs(study, newest)
    found = [
        (measures[key], [(place, value, reason) for place, (value, reason) in sorted(cells.items())])
        for key, cells in newest.items()
    ]
    return sorted(found, key=lambda pair: (pair[0].label, pair[0].key))


def _of_pairs(study: Study, pairs: Iterable[tuple[Any, int]]) -> dict[tuple[Any, int], Measure]:
    """(judge, criterion) → measure: three queries."""
    keys = list(pairs)
    judges = {one.pk: one for one in Judge.objects.select_related("rubric").filter(pk__in={key[0] for key in keys})}
    criteria = Criterion.objects.in_bulk({key[1] for key in keys})
    names = judge_names(study, judges.values())
    return {key: _of_judge(judges[key[0]], criteria[key[1]], names[key[0]]) for key in keys}


def _of_judge(judge: Judge, criterion: Criterion, named: tuple[str, tuple[str, ...]]) -> Measure:
    name, circular = named
    prompt = f", prompt {judge.prompt}" if judge.prompt else ", prompt not declared"
    return Measure(
        key=f"{JUDGE}:{judge.pk}:{criterion.code}",
        label=f"{name}: {criterion.label.lower()}",
        tier=JUDGE,
        higher_is_better=criterion.direction == Criterion.Direction.HIGHER_BETTER,
        scale=judge.scale,
        about=f"{judge.rubric}, scale {judge.scale_words}, {judge.get_view_display()}{prompt}",
        criterion=criterion.code,
        circular=circular,
    )


def judge_names(study: Study, judges: Iterable[Judge]) -> dict[Any, tuple[str, tuple[str, ...]]]:
    """What each judge is called on pages of a study, and the letters of systems that its name names.

    While names are withheld, a judge whose name contains one of the study's systems, or of a public family of
    models, is called "Judge 1", "Judge 2", …, and no letter is told.
    """
    known: Sequence[Judge] = sorted(judges, key=lambda one: (one.created_at, str(one.pk)))
    systems = list(StudySystem.objects.filter(study=study).select_related("submission__system_version__system"))
    by_letter = {
        row.letter: names_of_system(
            name=row.submission.system_version.system.name,
            slug=row.submission.system_version.system.slug,
            version=row.submission.system_version.version,
        )
        for row in systems
    }
    everything = sorted({name for names in by_letter.values() for name in names} | set(FAMILIES))
    found = {}
    for place, judge in enumerate(known, start=1):
        if study.names_are_open:
            letters = tuple(letter for letter, names in by_letter.items() if find_names(judge.name, names))
            found[judge.pk] = (judge.name, letters)
        else:
            found[judge.pk] = (f"Judge {place}" if find_names(judge.name, everything) else judge.name, ())
    return found
