"""Mean, spread and shares, with the denominators named."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scoring.statistics.errors import UndefinedStatisticError


def standard_deviation(values: ArrayLike) -> float:
    """Sample standard deviation with n − 1 in the denominator (1, 2, 3 → 1.0).

    Raises:
        UndefinedStatisticError: `too_few_units` below two values.
    """
    data = np.asarray(values, dtype=np.float64).ravel()
    if data.size < 2:
        raise UndefinedStatisticError("too_few_units", f"a spread needs two values, there are {data.size}")
    return float(data.std(ddof=1))


@dataclass(frozen=True, kw_only=True)
class PassShare:
    """How many passed, against what was scored and against what was expected.

    Attributes:
        n_passed: values that met the threshold.
        n_scored: values that exist.
        n_expected: values that should exist; the difference is missing, failed or undefined.
    """

    n_passed: int
    n_scored: int
    n_expected: int

    @property
    def of_scored(self) -> float:
        """Share of the scored.

        Raises:
            UndefinedStatisticError: `empty` when nothing was scored.
        """
        return _share(self.n_passed, self.n_scored, "scored")

    @property
    def of_expected(self) -> float:
        """Share of the expected.

        Raises:
            UndefinedStatisticError: `empty` when nothing was expected.
        """
        return _share(self.n_passed, self.n_expected, "expected")

    def __str__(self) -> str:
        if not self.n_scored or not self.n_expected:
            return f"none of {self.n_expected} expected was scored"
        return (
            f"{self.of_scored:.0%} of {self.n_scored} scored, {self.of_expected:.0%} of {self.n_expected} expected"
        ).replace("%", " %")


def pass_share(passed: Sequence[bool | None]) -> PassShare:
    """Count passes; None is a value that was expected and does not exist.

    Example:
        >>> str(pass_share([True, True, True, False, None]))
        '75 % of 4 scored, 60 % of 5 expected'
    """
    scored = [value for value in passed if value is not None]
    return PassShare(n_passed=sum(scored), n_scored=len(scored), n_expected=len(passed))


def _share(passed: int, total: int, name: str) -> float:
    if total == 0:
        raise UndefinedStatisticError("empty", f"nothing was {name}")
    return passed / total
