"""What the formulas of *Systems* give before anybody changes a cell: their values are stored beside them. Pure."""

from collections.abc import Iterable, Sequence
from math import fsum

from scoring.composites.combining import Declaration, OutputScore

MEAN, CONFIRMED, SCORED = range(3)
"""Pending flags refuted; confirmed; failed and missing outputs left out."""


class LiveValues:
    """Means of tasks, formats and systems, computed as the sheet does.

    Args:
        declaration: the composite.
        scores: outputs; those outside the graded sample do not enter.
    """

    def __init__(self, declaration: Declaration, scores: Sequence[OutputScore]) -> None:
        self._declaration = declaration
        self._values: dict[tuple[str, str], dict[str, tuple[list[float], list[float], list[float]]]] = {}
        for score in scores:
            tasks = self._values.setdefault((score.row.system, score.row.format), {})
            kinds = tasks.setdefault(score.row.task, ([], [], []))
            if score.row.in_sample:
                _add(kinds, score)

    def of_task(self, system: str, name: str, task: str) -> tuple[int, float | None, float | None, float | None]:
        """Number of outputs that enter, then the mean of each kind."""
        kinds = self._values[system, name][task]
        return (len(kinds[MEAN]), _mean(kinds[MEAN]), _mean(kinds[CONFIRMED]), _mean(kinds[SCORED]))

    def of_format(self, system: str, name: str, kind: int) -> float | None:
        groups = [kinds[kind] for kinds in self._values.get((system, name), {}).values()]
        if self._declaration.weighting == "plain":
            return _mean(value for group in groups for value in group)
        return _mean(fsum(group) / len(group) for group in groups if group)

    def of_system(self, system: str, kind: int) -> float | None:
        """Over formats with their weights; None when one with weight has no number."""
        weights = self._declaration.formats
        values = {name: self.of_format(system, name, kind) for name, weight in weights.items() if weight > 0}
        if not values or any(value is None for value in values.values()):
            return None
        products = [weights[name] * value for name, value in values.items() if value is not None]
        return fsum(products) / fsum(weights[name] for name in values)


def _add(kinds: tuple[list[float], list[float], list[float]], score: OutputScore) -> None:
    if score.refuted is not None:
        kinds[MEAN].append(score.refuted)
        if score.row.status == "ok":
            kinds[SCORED].append(score.refuted)
    if score.confirmed is not None:
        kinds[CONFIRMED].append(score.confirmed)


def _mean(values: Iterable[float]) -> float | None:
    known = list(values)
    return fsum(known) / len(known) if known else None
