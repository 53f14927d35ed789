"""Do 95 % intervals of the calibration hold 95 %? Simulated studies with clusters, few readers and rounded scales.

`COVERAGE_REPLICATIONS` shortens a trial run; the stated result is with 2,000 a cell. A cell passes between 93 and
97 %, give or take two standard errors of the simulation.
"""

import os
from collections.abc import Iterator

import numpy as np
import pytest

from scoring import statistics as st
from scoring.statistics.association import Pairs, as_pairs, correlations
from scoring.statistics.jackknife import jackknife_interval, whole_and_without_each

pytestmark = pytest.mark.soak

REPLICATIONS = int(os.environ.get("COVERAGE_REPLICATIONS", "2000"))
LOW, HIGH = 0.93, 0.97


def require_coverage(name: str, hits: list[bool]) -> None:
    share = float(np.mean(hits))
    slack = 2.0 * (0.95 * 0.05 / len(hits)) ** 0.5
    print(f"{name}: {share:.4f} of {len(hits)}")
    assert LOW - slack <= share <= HIGH + slack, name


def judged(generator, *, n_clusters, n_readers, rounded, rho=0.7, n_systems=3):
    """Judge and mean of readers over clusters × systems; a cluster shares part of its quality and of the error."""
    quality = generator.normal(size=(n_clusters, 1)) * 0.3**0.5
    quality = quality + generator.normal(size=(n_clusters, n_systems)) * 0.7**0.5 + np.linspace(-1, 1, n_systems)
    readers = quality[..., None] + 0.7 * generator.normal(size=(n_clusters, n_systems, n_readers))
    error = generator.normal(size=(n_clusters, 1)) * 0.3**0.5
    error = error + generator.normal(size=(n_clusters, n_systems)) * 0.7**0.5
    size = (1.0 / (rho**2 * (1 + 0.49 / n_readers)) - 1.0) ** 0.5
    judge = quality + size * error
    if rounded:
        judge, readers = (np.clip(np.round(values + 3), 1, 5) for values in (judge, readers))
    return judge.ravel(), readers.mean(axis=-1).ravel()


def pairs_of(judge, experts, n_systems=3) -> Pairs:
    n_clusters = judge.size // n_systems
    return as_pairs(
        judge,
        experts,
        groups=np.tile(np.arange(n_systems), n_clusters).tolist(),
        clusters=np.repeat(np.arange(n_clusters), n_systems).tolist(),
    )


def truth_of(kind: str, **study) -> float:
    """The coefficient in the population: that of a very large study, for Kendall the mean of many."""
    generator = np.random.default_rng(99)
    n_clusters, times = (600, 40) if kind == "kendall" else (60_000, 4)
    found = []
    for _ in range(times):
        pairs = pairs_of(*judged(generator, n_clusters=n_clusters, **study))
        one = Pairs(
            first=pairs.first,
            second=pairs.second,
            groups=pairs.groups,
            clusters=np.zeros_like(pairs.clusters),
            n_clusters=1,
            n_groups=pairs.n_groups,
        )
        found.append(correlations(one, np.ones((1, 1)), kind=kind)[0][0])
    return float(np.mean(found))


@pytest.mark.parametrize("kind", ["pearson", "spearman", "kendall"])
@pytest.mark.parametrize("n_clusters", [30, 80, 200])
@pytest.mark.parametrize(("n_readers", "rounded"), [(2, False), (2, True), (6, True)])
def test_correlation_within_systems_covers(kind, n_clusters, n_readers, rounded):
    study = {"n_readers": n_readers, "rounded": rounded}
    truth = truth_of(kind, **study)
    generator = np.random.default_rng(n_clusters)
    weights = whole_and_without_each(n_clusters)
    hits = []
    for _ in range(REPLICATIONS):
        pairs = pairs_of(*judged(generator, n_clusters=n_clusters, **study))
        interval = jackknife_interval(*correlations(pairs, weights, kind=kind), fisher=True)
        hits.append(interval.low <= truth <= interval.high)

    require_coverage(f"{kind} within systems, {n_clusters} clusters, {n_readers} readers, rounded {rounded}", hits)


def differences(generator, *, n_clusters, rounded, sizes) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    clusters = np.repeat(np.arange(n_clusters), np.resize(sizes, n_clusters))
    while True:
        values = 0.3 + 0.6 * generator.normal(size=n_clusters)[clusters] + 0.8 * generator.normal(size=clusters.size)
        yield (np.round(1.2 * values) if rounded else values), clusters


@pytest.mark.parametrize("n_clusters", [30, 80, 200])
@pytest.mark.parametrize(("sizes", "rounded"), [((3,), False), ((1, 2, 6), False), ((3,), True)])
def test_bias_and_limits_of_agreement_cover(n_clusters, sizes, rounded):
    large = next(differences(np.random.default_rng(98), n_clusters=600_000, rounded=rounded, sizes=sizes))[0]
    spread = 1.959963985 * large.std()
    truth = (large.mean(), large.mean() - spread, large.mean() + spread)
    drawn = differences(np.random.default_rng(n_clusters), n_clusters=n_clusters, rounded=rounded, sizes=sizes)
    hits: list[list[bool]] = [[], [], []]
    for seed in range(REPLICATIONS):
        values, clusters = next(drawn)
        found = st.limits_of_agreement(
            values, np.zeros(values.size), clusters=clusters.tolist(), seed=seed, draws=999
        )
        for place, interval in enumerate((found.bias_interval, found.lower_interval, found.upper_interval)):
            hits[place].append(interval.low <= truth[place] <= interval.high)

    for name, row in zip(("bias", "lower limit", "upper limit"), hits, strict=True):
        require_coverage(f"{name}, {n_clusters} clusters of {sizes}, rounded {rounded}", row)


@pytest.mark.parametrize("n_clusters", [30, 80])
def test_severity_adjusted_means_and_differences_cover(n_clusters):
    """Two of three readers per item, and systems that do unlike on an item, which the model does not know."""
    able, strict = np.array([-0.9, -0.2, 0.3, 0.8]), np.array([-0.8, 0.1, 0.7])

    def scores(generator, size):
        shape = (size, 4, 3)
        item = 0.8 * generator.normal(size=(size, 1, 1)) + 0.6 * generator.normal(size=(size, 4, 1))
        location = np.broadcast_to(able[:, None] - strict - item, shape)
        shares = np.exp(location[..., None] * np.arange(5) - np.cumsum([0, -1.5, -0.5, 0.5, 1.5]))
        shares /= shares.sum(axis=-1, keepdims=True)
        levels = 1.0 + (generator.random(shape)[..., None] > np.cumsum(shares, axis=-1)).sum(axis=-1)
        return levels, (shares @ np.arange(1, 6)).mean(axis=(0, 2))

    truth = scores(np.random.default_rng(97), 100_000)[1]
    generator = np.random.default_rng(n_clusters)
    items, systems, readers = (column.ravel() for column in np.indices((n_clusters, 4, 3)))
    means, apart = [], []
    for _ in range(max(200, REPLICATIONS // 4)):
        levels = scores(generator, n_clusters)[0].ravel()
        levels[items % 3 == readers] = np.nan
        fit = st.many_facet(
            levels, systems=systems, readers=readers, items=items, clusters=items, categories=[1, 2, 3, 4, 5]
        )
        means.extend(row.interval.low <= truth[row.name] <= row.interval.high for row in fit.systems)
        interval = st.adjusted_difference(fit, 3, 0).interval
        apart.append(interval.low <= truth[3] - truth[0] <= interval.high)

    require_coverage(f"adjusted mean, {n_clusters} clusters", means)
    require_coverage(f"adjusted difference, {n_clusters} clusters", apart)


@pytest.mark.parametrize("n_clusters", [30, 80])
def test_held_out_accuracy_covers(n_clusters):
    """Truth is what the threshold found in each study reaches in the population."""

    def outputs(generator, size):
        quality = 0.6 * generator.normal(size=(size, 1)) + 0.8 * generator.normal(size=(size, 3))
        verdicts = quality + 0.5 * generator.normal(size=quality.shape) > 0.2
        return (quality + 0.7 * generator.normal(size=quality.shape)).ravel(), verdicts.ravel()

    values, verdicts = outputs(np.random.default_rng(96), 200_000)
    passing, failing = np.sort(values[verdicts]), np.sort(values[~verdicts])
    generator = np.random.default_rng(n_clusters)
    hits = []
    for seed in range(max(200, REPLICATIONS // 4)):
        metric, passes = outputs(generator, n_clusters)
        clusters = np.repeat(range(n_clusters), 3).tolist()
        found = st.pass_threshold(metric, passes.tolist(), clusters=clusters, seed=seed, draws=300)
        above = 1.0 - np.searchsorted(passing, found.threshold) / passing.size
        truth = (above + np.searchsorted(failing, found.threshold) / failing.size) / 2.0
        interval = found.held_out.interval
        hits.append(interval.low <= truth <= interval.high)

    require_coverage(f"held-out balanced accuracy, {n_clusters} clusters", hits)


@pytest.mark.parametrize("n_clusters", [30, 80])
@pytest.mark.parametrize("n_readers", [2, 4])
def test_a_judge_as_noisy_as_a_reader_is_as_good_as_one(n_clusters, n_readers):
    """The difference of judge and readers against the same target is 0 in truth."""
    generator = np.random.default_rng(n_clusters + n_readers)
    systems = np.tile(np.arange(3), n_clusters).tolist()
    clusters = np.repeat(np.arange(n_clusters), 3).tolist()
    hits = []
    for _ in range(REPLICATIONS):
        quality = 0.5 * generator.normal(size=(n_clusters, 1)) + generator.normal(size=(n_clusters, 3)) + np.arange(3)
        noise = 0.8 * generator.normal(size=(n_readers + 1, n_clusters, 3))
        levels = np.clip(np.round(quality + noise + 2), 1, 5).reshape(n_readers + 1, -1)
        found = st.human_ceiling(
            levels[0], levels[1:], kind="spearman", scope="within system", systems=systems, clusters=clusters
        )
        hits.append(found.difference_interval.low <= 0.0 <= found.difference_interval.high)

    require_coverage(f"judge minus reader, {n_clusters} clusters, {n_readers} readers", hits)
