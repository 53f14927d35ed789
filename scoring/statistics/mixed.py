"""Intraclass correlation with gaps: variance components of units and readers by restricted likelihood."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scoring.statistics.errors import UndefinedStatisticError
from scoring.statistics.icc import FORMS, Form
from scoring.statistics.ratings import Floats, as_ratings

_STARTS = ((1.0, 0.5), (0.3, 0.1), (3.0, 1.0))
_LARGEST_RATIO = 1e8


@dataclass(frozen=True, kw_only=True)
class VarianceComponents:
    """Restricted maximum likelihood estimates, in squared units of the scale.

    Attributes:
        units: variance between units.
        readers: variance between readers; 0 where they are fixed or left out.
        error: residual variance.
    """

    units: float
    readers: float
    error: float


def icc_reml(ratings: ArrayLike, *, form: Form) -> float:
    """Intraclass correlation from REML variance components; gaps are allowed.

    Absolute agreement takes readers as random, consistency as fixed, one-way leaves them out. The ",k" forms
    are the reliability of a mean of k readings, k being the harmonic mean of the readings per unit. On complete
    data with positive components the values equal `icc`.

    Args:
        ratings: readers × units, NaN where a reader did not grade.
        form: as for `icc`.

    Returns:
        0…1 (a variance cannot be negative); 1 when readers never differ on a unit.

    Raises:
        UndefinedStatisticError: `too_few_units` below two units, `no_pairs` when no unit has two ratings,
            `no_variation` when all ratings are equal, `no_convergence` when the likelihood has no inner
            maximum.

    References:
        Patterson and Thompson, Biometrika 58(3), 1971, doi:10.1093/biomet/58.3.545.
    """
    if form not in FORMS:
        raise UndefinedStatisticError("unknown_category", f"{form!r} is not one of {', '.join(FORMS)}")
    table = as_ratings(ratings)
    table = table[:, ~np.isnan(table).all(axis=0)]
    table = table[~np.isnan(table).all(axis=1)]
    _require_estimable(table)
    if bool((np.nanmax(table, axis=0) == np.nanmin(table, axis=0)).all()):
        return 1.0
    parts = variance_components(table, form=form)
    total = parts.units + parts.readers + parts.error
    single = parts.units / total
    if form.endswith("1"):
        return single
    per_unit = (~np.isnan(table)).sum(axis=0)
    k = float(per_unit.size / (1.0 / per_unit).sum())
    return k * single / (1 + (k - 1) * single)


def variance_components(table: Floats, *, form: Form) -> VarianceComponents:
    """Maximize the restricted likelihood over the two variance ratios.

    Raises:
        UndefinedStatisticError: `no_convergence`.
    """
    from scipy.optimize import minimize

    model = _Model(table, form=form)
    starts = _STARTS if model.readers_are_random else tuple(start[:1] for start in _STARTS)
    fits = [
        minimize(
            model.criterion, start, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-10, "maxiter": 2000}
        )
        for start in starts
    ]
    best = min(fits, key=lambda fit: float(fit.fun))
    ratios = [float(value) ** 2 for value in best.x]
    if not np.isfinite(best.fun) or max(ratios) > _LARGEST_RATIO:
        raise UndefinedStatisticError("no_convergence", "the variance components have no finite maximum")
    error = model.residual(ratios) / model.freedom
    readers = error * ratios[1] if model.readers_are_random else 0.0
    return VarianceComponents(units=error * ratios[0], readers=readers, error=error)


def _require_estimable(table: Floats) -> None:
    if table.shape[1] < 2:
        raise UndefinedStatisticError("too_few_units", f"an ICC needs two units, there is {table.shape[1]}")
    if int((~np.isnan(table)).sum(axis=0).max()) < 2:
        raise UndefinedStatisticError("no_pairs", "no unit has two ratings")
    if float(np.nanmin(table)) == float(np.nanmax(table)):
        raise UndefinedStatisticError("no_variation", "all ratings are equal")


class _Model:
    """Ratings = mean (or fixed readers) + unit + reader + error, with the units absorbed block by block."""

    def __init__(self, table: Floats, *, form: Form) -> None:
        readers, units = np.nonzero(~np.isnan(table))
        values = table[readers, units] - float(np.nanmean(table))
        n_readers, n_units = table.shape
        by_reader = np.zeros((values.size, n_readers))
        by_reader[np.arange(values.size), readers] = 1.0
        fixed = by_reader if form[0] == "C" else np.ones((values.size, 1))
        columns = np.hstack([by_reader, fixed, values[:, None]])
        by_unit = np.zeros((n_units, columns.shape[1]))
        np.add.at(by_unit, units, columns)
        self.readers_are_random = form[0] == "A"
        self.n_random = n_readers
        self.n_fixed = fixed.shape[1]
        self.freedom = values.size - self.n_fixed
        self._crossed = columns.T @ columns
        self._by_unit = by_unit
        self._per_unit = np.bincount(units, minlength=n_units).astype(np.float64)

    def criterion(self, roots: Floats) -> float:
        """Minus twice the restricted log-likelihood, up to a constant; infinite where it does not exist."""
        ratios = [float(root) ** 2 for root in roots]
        moments, log_size = self._moments(ratios)
        sign, log_fixed = np.linalg.slogdet(moments[:-1, :-1])
        residual = self._left_over(moments)
        if sign <= 0 or residual <= 0 or not np.isfinite(residual):
            return float("inf")
        return log_size + float(log_fixed) + self.freedom * float(np.log(residual))

    def residual(self, ratios: list[float]) -> float:
        """Weighted residual sum of squares after the fixed effects."""
        return self._left_over(self._moments(ratios)[0])

    def _moments(self, ratios: list[float]) -> tuple[Floats, float]:
        """Products of fixed effects and values under the inverse covariance, and its log determinant."""
        shrink = ratios[0] / (1.0 + self._per_unit * ratios[0])
        crossed = self._crossed - self._by_unit.T @ (shrink[:, None] * self._by_unit)
        log_size = float(np.log1p(self._per_unit * ratios[0]).sum())
        size = self.n_random
        rest = crossed[size:, size:]
        if self.readers_are_random:
            inner = np.eye(size) + ratios[1] * crossed[:size, :size]
            log_size += float(np.linalg.slogdet(inner)[1])
            rest = rest - ratios[1] * crossed[size:, :size] @ np.linalg.solve(inner, crossed[:size, size:])
        return rest, log_size

    @staticmethod
    def _left_over(moments: Floats) -> float:
        fixed, mixed = moments[:-1, :-1], moments[:-1, -1]
        return float(moments[-1, -1] - mixed @ np.linalg.lstsq(fixed, mixed, rcond=None)[0])
