"""Blinding indices: published tables, laws that follow from the definition, and where there is no index.

Tables: CRISP trial (Bang et al. 2004, table 7) and the investigators of the SOX trial (Houweling et al. 2014,
table 2). The figures of the second are those that BlindingIndex.jl 0.0 prints in its README for this table.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.statistics.blinding import bang_index, james_index
from scoring.statistics.errors import UndefinedStatisticError

COUNTS = st.integers(min_value=0, max_value=300)


def test_the_crisp_trial_by_hand():
    treatment = bang_index(right=82, wrong=25, unknown=170)
    placebo = bang_index(right=29, wrong=27, unknown=83)

    assert treatment.value == pytest.approx(57 / 277)
    assert treatment.standard_error == pytest.approx(math.sqrt((107 / 277 - (57 / 277) ** 2) / 277))
    assert placebo.value == pytest.approx(2 / 139)
    assert placebo.low < 0 < placebo.high
    assert treatment.low > 0
    assert james_index([[82, 25], [27, 29]], [170, 83]).value == pytest.approx(0.7476, abs=1e-3)


def test_the_crisp_trial_by_the_definition_with_kappa():
    """James' index as the paper writes it: {1 + P_DK + (1 − P_DK) K_D} / 2."""
    table, n = np.array([[82, 25], [27, 29]]), 416
    unknown = 253 / n
    observed = (25 + 27) / n / (1 - unknown)
    rows, columns = table.sum(axis=1) / n, table.sum(axis=0) / n
    expected = (rows[0] * columns[1] + rows[1] * columns[0]) / (1 - unknown) ** 2
    kappa = (observed - expected) / expected

    found = james_index(table, [170, 83])

    assert found.value == pytest.approx((1 + unknown + (1 - unknown) * kappa) / 2)


def test_the_sox_trial_as_other_software_has_it():
    james = james_index([[48, 4], [22, 30]], [330, 319])
    treatment = bang_index(right=48, wrong=4, unknown=330)
    placebo = bang_index(right=30, wrong=22, unknown=319)

    shown = [round(number, 3) for number in (james.value, james.standard_error, james.low, james.high)]
    assert shown == [0.896, 0.011, 0.875, 0.918]
    assert [round(n, 3) for n in (treatment.value, treatment.standard_error)] == [0.115, 0.018]
    assert [round(n, 3) for n in (placebo.value, placebo.standard_error, placebo.low)] == [0.022, 0.019, -0.016]


def test_the_variance_of_james_is_the_delta_method():
    table, unknown = np.array([[9.0, 3, 1], [2, 7, 4]]), np.array([5.0, 6])
    n = table.sum() + unknown.sum()
    cells = np.concatenate([table.ravel(), unknown])

    def index(values):
        return james_index(values[:6].reshape(2, 3) * 1e6, values[6:] * 1e6).value

    step = 1e-4
    slopes = np.array([(index(cells + step * e) - index(cells - step * e)) / (2 * step) for e in np.eye(8)]) * n
    shares = cells / n
    variance = (shares @ slopes**2 - (shares @ slopes) ** 2) / n

    assert james_index(table, unknown).standard_error == pytest.approx(math.sqrt(variance), rel=1e-4)


@pytest.mark.parametrize("k", [2, 3, 8])
def test_guessing_at_random_among_k_systems_is_nought(k):
    found = bang_index(right=10, wrong=10 * (k - 1), unknown=7, n_systems=k)

    assert found.value == pytest.approx(0)
    assert bang_index(right=5, wrong=0, unknown=0, n_systems=k).value == 1
    assert bang_index(right=0, wrong=5, unknown=0, n_systems=k).value == pytest.approx(-1 / (k - 1))
    assert bang_index(right=0, wrong=0, unknown=5, n_systems=k).value == 0


@given(right=COUNTS, wrong=COUNTS, unknown=COUNTS, k=st.integers(min_value=2, max_value=20))
def test_bang_stays_on_its_scale_and_falls_with_every_wrong_guess(right, wrong, unknown, k):
    if right + wrong + unknown == 0:
        return
    found = bang_index(right=right, wrong=wrong, unknown=unknown, n_systems=k)
    worse = bang_index(right=right, wrong=wrong + 1, unknown=unknown, n_systems=k)

    assert -1 / (k - 1) - 1e-12 <= found.low <= found.value <= found.high <= 1 + 1e-12
    assert worse.value <= found.value + 1e-12


@given(st.lists(COUNTS, min_size=9, max_size=9), st.permutations([0, 1, 2]))
def test_james_does_not_depend_on_the_order_of_the_systems(cells, order):
    table = np.array(cells).reshape(3, 3)
    try:
        found = james_index(table, [4, 5, 6])
    except UndefinedStatisticError:
        return
    turned = james_index(table[np.ix_(order, order)], [[4, 5, 6][place] for place in order])

    assert turned.value == pytest.approx(found.value)
    assert turned.standard_error == pytest.approx(found.standard_error, abs=1e-9)
    assert 0 <= found.low <= found.high <= 1


def test_nobody_who_could_tell_is_total_blindness_and_all_right_is_none():
    assert james_index([[0, 0], [0, 0]], [12, 9]).value == 1
    assert james_index([[12, 0], [0, 9]], [0, 0]).value == 0


def test_a_guess_of_no_system_of_the_study_is_wrong():
    named = james_index([[8, 2], [2, 8]], [3, 3])
    foreign = james_index([[8, 0, 2], [0, 8, 2]], [3, 3])

    assert 0 < foreign.value < 1
    assert foreign.value != named.value
    assert foreign.n == named.n == 26


@pytest.mark.parametrize(
    ("table", "unknown", "reason"),
    [
        ([[0, 0], [0, 0]], [0, 0], "empty"),
        ([[7, 0], [0, 0]], [0, 2], "no_variation"),
        ([[1, 2]], [1], "shape"),
        ([[1, 2], [3, -4]], [1, 1], "shape"),
        ([[1, 2], [3, 4]], [1], "shape"),
        ([1, 2], [1, 2], "shape"),
    ],
)
def test_james_without_a_value_says_why(table, unknown, reason):
    with pytest.raises(UndefinedStatisticError) as caught:
        james_index(table, unknown)

    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("counts", "k", "reason"), [((0, 0, 0), 2, "empty"), ((1, 1, 1), 1, "shape"), ((-1, 1, 1), 2, "shape")]
)
def test_bang_without_a_value_says_why(counts, k, reason):
    right, wrong, unknown = counts

    with pytest.raises(UndefinedStatisticError) as caught:
        bang_index(right=right, wrong=wrong, unknown=unknown, n_systems=k)

    assert caught.value.reason == reason
