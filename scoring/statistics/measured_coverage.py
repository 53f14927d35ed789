"""How often 95 % intervals of alpha and ICC held the truth in simulated studies, where that is not 93–97 %.

The numbers are those of `docs/validation.md`; `make soak` measures them again and fails when they moved.
"""

from dataclasses import dataclass

ENOUGH_CLUSTERS = 50
"""From this many clusters on all simulated kinds of studies held the truth in 93–97 %."""

_REPLICATIONS = 2000
_MEASURED = {
    ("alpha", 10): (0.841, 0.972),
    ("alpha", 20): (0.921, 0.968),
    ("alpha", 30): (0.928, 0.968),
    ("ICC(A,1)", 10): (0.751, 0.955),
    ("ICC(A,1)", 20): (0.898, 0.958),
    ("ICC(A,1)", 30): (0.921, 0.958),
}


@dataclass(frozen=True, kw_only=True)
class MeasuredCoverage:
    """Coverage of nominal 95 % intervals over simulated kinds of studies.

    Attributes:
        statistic: "alpha" or "ICC(A,1)".
        n_clusters: clusters of the simulated studies.
        lowest: share of intervals that held the truth, 0…1, in the kind of study with the lowest.
        highest: the same in the kind with the highest.
        replications: simulated studies of each kind.
    """

    statistic: str
    n_clusters: int
    lowest: float
    highest: float
    replications: int

    def __str__(self) -> str:
        studies = f"{self.replications:,} simulated studies of each kind with {self.n_clusters} clusters"
        share = f"{100 * self.lowest:.0f}–{100 * self.highest:.0f} %"
        return f"in {studies}, {share} of the 95 % intervals of {self.statistic} held the truth"


def measured_coverage(statistic: str, *, n_clusters: int) -> MeasuredCoverage | None:
    """What to print beside an interval of alpha or ICC over few clusters.

    Args:
        statistic: "alpha" or "ICC(A,1)" (also for ICC(A,k), whose limits are the same ones stepped up).
        n_clusters: clusters that entered the interval.

    Returns:
        The measurement at the largest simulated number of clusters that is not above; None from 50 clusters on,
        where 93–97 % were measured, and for other statistics.
    """
    sizes = [size for name, size in _MEASURED if name == statistic and size <= n_clusters]
    if not sizes or n_clusters >= ENOUGH_CLUSTERS:
        return None
    lowest, highest = _MEASURED[statistic, max(sizes)]
    return MeasuredCoverage(
        statistic=statistic, n_clusters=max(sizes), lowest=lowest, highest=highest, replications=_REPLICATIONS
    )
