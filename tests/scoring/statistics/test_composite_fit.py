"""Fitted weights: non-negative, of sum 1, judged only on clusters they never saw."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy.optimize import minimize

from scoring import statistics as st
from scoring.statistics.composite_fit import fit_composite


def data(seed: int = 1, *, n_clusters: int = 60, noise: float = 0.5, n: int = 3):
    """Components, clinical mean, clusters of three outputs (one per system), systems."""
    generator = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(n_clusters), 3)
    case = generator.normal(size=n_clusters)[clusters]
    table = generator.normal(size=(clusters.size, n)) + 0.5 * case[:, None]
    clinical = 3 + table @ np.array([0.6, 0.2, 0.0, 0.0])[:n] + 0.3 * case + noise * generator.normal(size=case.size)
    return table, clinical, clusters.tolist(), ["A", "B", "C"] * n_clusters


def fit(seed: int = 1, *, ceiling=None, **named):
    table, clinical, clusters, systems = data(seed, **named)
    names = ["ssim", "bleu", "noise", "more"][: table.shape[1]]
    return fit_composite(table, clinical, names=names, clusters=clusters, systems=systems, ceiling=ceiling)


def reason(act, *arguments, **named) -> str:
    with pytest.raises(st.UndefinedStatisticError) as caught:
        act(*arguments, **named)
    return caught.value.reason


def test_weights_are_the_constrained_least_squares_solution():
    table, clinical, _, _ = data(2)
    found = fit(2)

    def loss(parts):
        return ((clinical - parts[0] - table @ parts[1:]) ** 2).sum()

    direct = minimize(loss, [3, 0.1, 0.1, 0.1], bounds=[(None, None), *[(0, None)] * 3], tol=1e-12).x
    assert [weight.weight for weight in found.weights] == pytest.approx(direct[1:] / direct[1:].sum(), abs=1e-4)
    assert found.slope == pytest.approx(direct[1:].sum(), abs=1e-4)
    assert found.intercept == pytest.approx(direct[0], abs=1e-3)


def test_a_component_that_falls_with_the_grades_gets_weight_zero():
    table, clinical, clusters, _ = data(3)
    table[:, 2] = -clinical + np.random.default_rng(1).normal(size=clinical.size)
    found = fit_composite(table, clinical, names=["a", "b", "c"], clusters=clusters)

    assert found.weights[2].weight == 0.0
    assert sum(weight.weight for weight in found.weights) == pytest.approx(1.0)
    assert found.within is None


def test_each_prediction_is_that_of_a_fit_without_its_cluster():
    table, clinical, clusters, _ = data(4)
    places = np.array(clusters)
    found = fit(4)

    for own in (0, 17, 59):
        rest = places != own
        design = np.c_[np.ones(rest.sum()), table[rest]]
        coefficients = np.linalg.lstsq(design, clinical[rest], rcond=None)[0]
        if (coefficients[1:] >= 0).all():
            expected = coefficients[0] + table[~rest] @ coefficients[1:]
            assert np.array(found.predictions)[~rest] == pytest.approx(expected, abs=1e-9)


def test_grades_of_its_own_cluster_never_reach_a_prediction():
    table, clinical, clusters, _ = data(5)
    changed = clinical.copy()
    changed[:3] += 100.0
    named = {"names": ["a", "b", "c"], "clusters": clusters}

    before = fit_composite(table, clinical, **named).predictions
    after = fit_composite(table, changed, **named).predictions

    assert after[:3] == pytest.approx(before[:3], abs=1e-9)
    assert after[3:6] != pytest.approx(before[3:6], abs=1e-3)


def test_pure_noise_does_not_look_good_out_of_cluster():
    generator = np.random.default_rng(6)
    found = []
    for _ in range(20):
        table, clinical = generator.normal(size=(60, 3)), generator.normal(size=60)
        try:
            fitted = fit_composite(table, clinical, names="abc", clusters=range(60))
            found.append(fitted.pooled.value)
        except st.UndefinedStatisticError as error:
            assert error.reason == "no_variation"

    assert len(found) > 10
    assert np.mean(found) < 0.1


def test_both_correlations_stand_beside_the_ceiling():
    found = fit(ceiling=0.82)
    predictions, (_, clinical, _, systems) = np.array(found.predictions), data()
    means = {system: (np.array(systems) == system) for system in "ABC"}
    a, b = predictions.copy(), clinical.copy()
    for rows in means.values():
        a[rows] -= a[rows].mean()
        b[rows] -= b[rows].mean()

    assert found.pooled.value == pytest.approx(np.corrcoef(predictions, clinical)[0, 1], abs=1e-9)
    assert found.within.value == pytest.approx(a @ b / np.sqrt((a @ a) * (b @ b)), abs=1e-9)
    assert found.pooled.interval.low < found.pooled.value < found.pooled.interval.high
    assert (found.ceiling, found.n_outputs, found.n_clusters, found.n_systems) == (0.82, 180, 60, 3)
    assert all(0 <= weight.low <= weight.weight <= weight.high <= 1 for weight in found.weights)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(order=some.randoms(use_true_random=False), seed=some.integers(0, 30))
def test_the_order_of_outputs_changes_no_weight(order, seed):
    table, clinical, clusters, _ = data(seed)
    rows = list(range(clinical.size))
    order.shuffle(rows)
    named = {"names": ["a", "b", "c"]}

    first = fit_composite(table, clinical, clusters=clusters, **named)
    second = fit_composite(table[rows], clinical[rows], clusters=[clusters[row] for row in rows], **named)

    assert [w.weight for w in second.weights] == pytest.approx([w.weight for w in first.weights], abs=1e-9)
    assert second.pooled.value == pytest.approx(first.pooled.value, abs=1e-9)


def test_too_little_is_refused_by_number():
    table, clinical, clusters, _ = data(7, n_clusters=29)
    named = {"names": ["a", "b", "c"]}
    with pytest.raises(st.UndefinedStatisticError, match="3 weights need at least 30 clusters"):
        fit_composite(table, clinical, clusters=clusters, **named)

    assert reason(fit_composite, table[:19], clinical[:19], clusters=range(19), **named) == "too_few_units"
    table, clinical, clusters, _ = data(7)
    assert reason(fit_composite, table, np.full(180, 3.0), clusters=clusters, **named) == "no_variation"
    assert reason(fit_composite, -table, clinical, clusters=clusters, **named) == "no_variation"
    assert reason(fit_composite, table * np.nan, clinical, clusters=clusters, **named) == "unusable_value"
    assert reason(fit_composite, table, clinical, clusters=clusters, ceiling=1.2, **named) == "unusable_value"
    assert reason(fit_composite, table[:, :2], clinical, clusters=clusters, **named) == "shape"
    assert reason(fit_composite, table[:, :0], clinical, names=[], clusters=clusters) == "empty"
