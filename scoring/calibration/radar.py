"""The radar of tier disagreement: outputs that metrics praise and readers warn of, and the reverse.

Each side is a place among the graded outputs of the same format, 0 the worst and 1 the best (mid-ranks, so that equal
values share a place). The metrics' place is the mean over tiers of the mean place over the measures of a tier. A
severe flag that is pending or confirmed puts the readers' place to 0, whatever else they said.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

import numpy as np

from annotation.adjudication import queue
from annotation.formats import taxonomy
from annotation.studies.models import Study
from scoring.agreement.ratings import Ratings
from scoring.calibration.measures import Floats, Held, Measure
from scoring.statistics.calibration import expert_means
from scoring.statistics.correlation import mid_ranks

FEWEST = 3
"""Below this many graded outputs of a format there are no places to speak of."""

SEVERE = ("pending", "confirmed")
PRAISED, WARNED = "praised", "missed"
SIDES = (PRAISED, WARNED)


@dataclass(frozen=True)
class Row:
    """One output on the radar.

    Attributes:
        key: its address; it says nothing to whoever does not know the output's key.
        output: key of the output; never shown.
        letter: of its system.
        item: code of its item.
        task: words of the task.
        modality: words of the modality.
        praise: place by the metrics, 0…1.
        readers: place by the readers, 0…1.
        mean: mean of the readers' values.
        n_readers: readers with a value.
        severe: a severe flag stands.
        places: measure, its value, its place.
    """

    key: UUID
    output: UUID
    letter: str
    item: str
    task: str
    modality: str
    praise: float
    readers: float
    mean: float
    n_readers: int
    severe: bool
    places: tuple[tuple[Measure, float, float], ...]

    @property
    def gap(self) -> float:
        """Above 0 the metrics praise what readers warn of."""
        return self.praise - self.readers


@dataclass(frozen=True)
class Radar:
    """All rows, the largest disagreement first, and what is not on it.

    Attributes:
        rows: outputs with a place on both sides.
        waiting: graded outputs that somebody still reads.
        ungraded: outputs without a value by readers.
        unmeasured: graded outputs without a value of any measure.
        few: formats with too few graded outputs, with their number.
    """

    rows: tuple[Row, ...]
    waiting: int
    ungraded: int
    unmeasured: int
    few: tuple[tuple[str, int], ...]


def row_key(study: Study, output: UUID | str) -> UUID:
    return uuid5(study.pk, f"{output}/radar/")


def radar(study: Study, found: Held, experts: Ratings) -> Radar:
    """The radar on one criterion; outputs that are still being read are counted and not shown."""
    said = expert_means(experts.values)
    means = _turned(said, falling=experts.code in found.falling)
    waiting = {str(output) for output in queue.waiting_outputs(study)}
    graded = ~np.isnan(means)
    open_ = np.array([key in waiting for key in experts.units], dtype=np.bool_)
    kept = graded & ~open_
    measures = found.beside(experts)
    places, pools = _places(found, kept, means, measures)
    vetoes = queue.vetoes(study)
    n_readers = (~np.isnan(experts.values)).sum(axis=0)
    rows, unmeasured = [], 0
    for column in np.nonzero(kept)[0].tolist():
        unit, output = found.units[column], UUID(experts.units[column])
        if pools[unit.format] < FEWEST:
            continue
        own = [
            (measure, float(found.values[measure.key][column]), float(places[measure.key][column]))
            for measure in measures
            if not np.isnan(places[measure.key][column])
        ]
        if not own:
            unmeasured += 1
            continue
        severe = vetoes.get(output) in SEVERE
        rows.append(
            Row(
                key=row_key(study, output),
                output=output,
                letter=unit.letter,
                item=unit.item,
                task=taxonomy.task_label(unit.task),
                modality=taxonomy.modality_label(unit.modality),
                praise=_by_tier(own),
                readers=0.0 if severe else float(places[""][column]),
                mean=float(said[column]),
                n_readers=int(n_readers[column]),
                severe=severe,
                places=tuple(own),
            )
        )
    return Radar(
        rows=tuple(sorted(rows, key=lambda row: (-row.gap, row.item, row.letter))),
        waiting=int((graded & open_).sum()),
        ungraded=int((~graded).sum()),
        unmeasured=unmeasured,
        few=tuple((taxonomy.format_label(name), n) for name, n in sorted(pools.items()) if n < FEWEST),
    )


def _turned(values: Floats, *, falling: bool) -> Floats:
    return -values if falling else values


def _places(
    found: Held, kept: np.ndarray[Any, Any], means: Floats, measures: Iterable[Measure]
) -> tuple[dict[str, Floats], Counter[str]]:
    """Measure (and "" for the readers) → place of each output within its format; outputs by format."""
    formats = np.array([unit.format for unit in found.units], dtype=object)
    sides = {"": means} | {
        one.key: _turned(found.values[one.key], falling=not one.higher_is_better) for one in measures
    }
    places = {key: np.full(means.size, np.nan) for key in sides}
    pools: Counter[str] = Counter(formats[kept].tolist())
    for name in pools:
        for key, values in sides.items():
            pool = kept & (formats == name) & ~np.isnan(values)
            n = int(pool.sum())
            if n >= FEWEST:
                places[key][pool] = (mid_ranks(values[pool]) - 0.5) / n
    return places, pools


def _by_tier(own: list[tuple[Measure, float, float]]) -> float:
    tiers: dict[str, list[float]] = {}
    for measure, _, place in own:
        tiers.setdefault(measure.tier, []).append(place)
    return float(np.mean([np.mean(places) for places in tiers.values()]))


def cases_by_output(study: Study) -> dict[UUID, str]:
    """Output → its cases of adjudication in words, such as "overall: open"."""
    found: dict[UUID, list[str]] = {}
    for case in queue.cases_of(study):
        about = case.subject if case.criterion is None else case.criterion.code.replace("_", " ")
        found.setdefault(case.output, []).append(f"{about}: {case.state}")
    return {output: ", ".join(sorted(said)) for output, said in found.items()}


def radar_told(found: Radar, experts: Ratings, cases: Mapping[UUID, str]) -> dict[str, Any]:
    """As it is kept."""
    return {
        "criterion": {"code": experts.code, "label": experts.label},
        "rows": [row_told(row) | {"case": cases.get(row.output, "")} for row in found.rows],
        "waiting": found.waiting,
        "ungraded": found.ungraded,
        "unmeasured": found.unmeasured,
        "few": [list(pair) for pair in found.few],
    }


def side_of(rows: Iterable[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Rows of one side, the largest disagreement first: metrics praise and readers warn, or the reverse."""
    if name == WARNED:
        return sorted((row for row in rows if row["gap"] < 0), key=lambda row: float(row["gap"]))
    return [row for row in rows if row["gap"] > 0]


def row_told(row: Row) -> dict[str, Any]:
    return {
        "key": str(row.key),
        "item": row.item,
        "system": row.letter,
        "task": row.task,
        "modality": row.modality,
        "praise": row.praise,
        "readers": row.readers,
        "gap": row.gap,
        "mean": row.mean,
        "n_readers": row.n_readers,
        "severe": row.severe,
        "measures": [
            {"key": measure.key, "label": measure.label, "value": value, "place": place}
            for measure, value, place in row.places
        ],
    }
