"""How many items a study needs: formula, simulation, and what is not planned for."""

import json
from dataclasses import replace
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t as students_t

from scoring import statistics as st
from scoring.statistics.planning_grades import TYPICAL, drawn_grades, underlying

TRIPLES = json.loads((Path(__file__).parents[2] / "golden" / "radpref_triples.json").read_text())["counts"]
T1 = st.typical_components("T1")
WIDE = st.Components(
    item=60, system_item=40, reader=30, residual=25, mean=500, low=0, high=1000, source="a scale with room"
)
SIXTY = st.StudySize(n_clusters=60)


def reason(act, *arguments, **named) -> str:
    with pytest.raises(st.UndefinedStatisticError) as caught:
        act(*arguments, **named)
    return caught.value.reason


def test_typical_variances_of_t1_are_those_of_the_radpref_grades():
    table = np.array([[int(digit) for digit in triple] for triple, n in TRIPLES.items() for _ in range(n)], float)
    n, k = table.shape
    units, readers = table.mean(axis=1), table.mean(axis=0)
    residual = ((table - units[:, None] - readers + table.mean()) ** 2).sum() / ((n - 1) * (k - 1))
    between = (k * units.var(ddof=1) - residual) / k

    assert T1.residual == pytest.approx(residual, abs=5e-4)
    assert T1.item + T1.system_item == pytest.approx(between, abs=5e-4)
    assert T1.reader == pytest.approx((n * readers.var(ddof=1) - residual) / n, abs=5e-4)
    assert "RadPref" in T1.source


def test_typical_variances_of_t4_give_the_published_iccs():
    t4 = st.typical_components("T4")
    unit = t4.item + t4.system_item

    assert unit / (unit + t4.reader + t4.residual) == pytest.approx(0.561, abs=1e-3)
    assert unit / (unit + t4.residual) == pytest.approx(0.622, abs=1e-3)
    assert t4.reader == pytest.approx(np.var([0.86, 0.48, 1.54, 1.31, 1.08, 1.76], ddof=1), abs=1e-3)


@pytest.mark.parametrize("rubric", TYPICAL)
def test_simulated_grades_have_the_declared_mean_and_spread(rubric):
    components = replace(TYPICAL[rubric], reader=0.0)
    total = components.item + components.system_item + components.residual
    grades = drawn_grades(components, SIXTY, np.random.default_rng(1), systems=1, clusters=20_000)

    assert grades.mean() == pytest.approx(components.mean, abs=0.05)
    assert grades.var() == pytest.approx(total, rel=0.04)
    assert set(np.unique(grades)) <= set(np.arange(components.low, components.high + 1))
    assert underlying(components).item >= components.item * 0.8


def test_the_width_of_a_mean_is_that_of_the_formula_written_out():
    variance = 60 + (40 + 25 / 2 + 30 / 2 * (1 - 2 / 6)) / 3
    size = st.StudySize(n_clusters=50, items_per_cluster=3, readings_per_item=2, n_readers=6)

    found = st.expected_width("mean", components=WIDE, size=size, seed=3)

    assert found.closed_form == pytest.approx(2 * students_t.ppf(0.975, 49) * sqrt(variance / 50), rel=1e-9)
    assert found.width == pytest.approx(found.closed_form, rel=0.05)


def test_item_and_reader_cancel_in_a_paired_difference():
    size = st.StudySize(n_clusters=50, readings_per_item=2, n_readers=6)
    found = st.expected_width("difference", components=WIDE, size=size, seed=3)
    harder = replace(WIDE, item=6000.0, reader=0.0)

    assert found.closed_form == pytest.approx(2 * students_t.ppf(0.975, 49) * sqrt(2 * (40 + 25 / 2) / 50), rel=1e-9)
    assert found.width == pytest.approx(found.closed_form, rel=0.05)
    assert st.closed_form_width("difference", components=harder, size=size) == pytest.approx(found.closed_form)
    assert found.value == 0.0


def test_in_a_crossed_study_severity_widens_nothing():
    crossed = st.StudySize(n_clusters=50, readings_per_item=6, n_readers=6)
    kinder = replace(WIDE, reader=0.0)

    assert st.closed_form_width("mean", components=WIDE, size=crossed) == st.closed_form_width(
        "mean", components=kinder, size=crossed
    )


def test_the_expected_width_is_the_one_that_bootstrap_intervals_have():
    generator = np.random.default_rng(8)
    expected = st.expected_width("mean", components=T1, size=SIXTY, seed=1).width
    grades = drawn_grades(T1, SIXTY, generator, systems=40, clusters=60).mean(axis=(2, 3))
    widths = [st.bootstrap_interval(row, clusters=range(60), seed=1, draws=500) for row in grades]

    assert np.mean([interval.high - interval.low for interval in widths]) == pytest.approx(expected, rel=0.07)


def test_the_expected_width_of_alpha_is_the_one_that_its_intervals_have():
    generator = np.random.default_rng(9)
    expected = st.expected_width("alpha", components=T1, size=SIXTY, seed=1)
    grades = drawn_grades(T1, SIXTY, generator, systems=30, clusters=60)[:, :, 0, :]
    intervals = [
        st.alpha_interval(table.T, level="ordinal", clusters=range(60), seed=1, draws=400) for table in grades
    ]

    assert np.mean([interval.high - interval.low for interval in intervals]) == pytest.approx(expected.width, rel=0.2)
    assert expected.closed_form is None
    assert 0.7 < expected.value < 0.9


@pytest.mark.parametrize(("quantity", "width"), [("mean", 0.5), ("difference", 0.7), ("alpha", 0.25)])
def test_the_smallest_study_reaches_the_width_and_one_cluster_less_does_not(quantity, width):
    found = st.smallest_study(quantity, width=width, components=T1, size=SIXTY, seed=2)
    less = replace(found.size, n_clusters=found.size.n_clusters - 1)

    assert found.width <= width
    assert st.expected_width(quantity, components=T1, size=less, seed=2).width > width


def test_the_same_seed_gives_the_same_study():
    first, second = (st.smallest_study("mean", width=0.5, components=T1, size=SIXTY, seed=2) for _ in range(2))

    assert first == second


def test_more_readings_need_fewer_items():
    two = st.smallest_study("difference", width=0.6, components=T1, size=SIXTY, seed=2)
    six = st.smallest_study(
        "difference", width=0.6, components=T1, size=replace(SIXTY, readings_per_item=6, n_readers=6), seed=2
    )

    assert six.size.n_clusters < two.size.n_clusters


def test_a_width_out_of_reach_is_refused_with_the_one_that_is_reached():
    with pytest.raises(st.UndefinedStatisticError, match="20,000 clusters still give a width of") as caught:
        st.smallest_study("mean", width=0.01, components=T1, size=SIXTY, seed=1)

    assert caught.value.reason == "out_of_reach"


def test_a_rare_category_is_refused_in_words_with_the_number_needed():
    with pytest.raises(st.UndefinedStatisticError) as caught:
        st.require_frequent(60, share=0.02, category="severe harm")

    assert caught.value.reason == "rare_category"
    assert str(caught.value) == (
        "“severe harm” is expected in 2.0 % of outputs, 1.2 of 60 per system and stratum; below 5 a comparison says "
        "nothing: 250 are needed per system and stratum"
    )
    assert st.require_frequent(250, share=0.02, category="severe harm") == pytest.approx(5.0)
    assert reason(st.require_frequent, 60, share=0.0, category="x") == "rare_category"
    assert reason(st.require_frequent, 60, share=1.2, category="x") == "unusable_value"


def test_what_cannot_be_planned_is_refused():
    width = st.expected_width

    assert reason(width, "mean", components=T1, size=st.StudySize(n_clusters=9), seed=1) == "too_few_clusters"
    assert reason(width, "mean", components=replace(T1, item=-1.0), size=SIXTY, seed=1) == "unusable_value"
    assert reason(width, "mean", components=replace(T1, high=1), size=SIXTY, seed=1) == "unusable_value"
    one = replace(SIXTY, readings_per_item=1)
    assert reason(width, "alpha", components=T1, size=one, seed=1) == "no_pairs"
    assert reason(width, "mean", components=T1, size=replace(SIXTY, readings_per_item=3), seed=1) == "unusable_value"
    still = replace(T1, item=0.0, system_item=0.0, reader=0.0, residual=0.0)
    assert reason(width, "alpha", components=still, size=SIXTY, seed=1) == "no_variation"
    assert reason(st.smallest_study, "mean", width=0.0, components=T1, size=SIXTY, seed=1) == "unusable_value"
    assert reason(st.typical_components, "T9") == "unknown_category"
