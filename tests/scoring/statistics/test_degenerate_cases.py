"""What has no value says why; nothing becomes NaN or a silent 0."""

import numpy as np
import pytest

from scoring import statistics as st

NAN = float("nan")
SAME = np.full((3, 12), 4.0)
PERFECT = np.tile(np.array([1.0, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2]), (3, 1))
ONE_READER = PERFECT[:1]
GAPS = np.array([[1.0, 2, NAN, 4], [1.0, NAN, 3, 4], [NAN, 2, 3, 5]])
SCALE = [1, 2, 3, 4, 5]
ALL = {
    "alpha": lambda table: st.krippendorff_alpha(table, level="ordinal"),
    "alpha_nominal": lambda table: st.krippendorff_alpha(table, level="nominal"),
    "fleiss": lambda table: st.fleiss_kappa(table, categories=SCALE),
    "icc": lambda table: st.icc(table, form="A,1"),
    "icc_reml": lambda table: st.icc_reml(table, form="A,1"),
    "gwet": lambda table: st.gwet_ac(table, categories=SCALE, weights="quadratic"),
    "percent": st.percent_agreement,
}


def reason(act, *arguments, **named) -> str:
    with pytest.raises(st.UndefinedStatisticError) as caught:
        act(*arguments, **named)
    assert str(caught.value)
    return caught.value.reason


@pytest.mark.parametrize("name", ALL)
def test_no_rating_at_all_is_empty(name):
    assert reason(ALL[name], np.full((2, 3), NAN)) == "empty"
    assert reason(ALL[name], np.empty((0, 0))) == "empty"


@pytest.mark.parametrize("name", ["alpha", "alpha_nominal", "gwet", "percent", "icc_reml"])
def test_one_reader_has_no_pair(name):
    assert reason(ALL[name], ONE_READER) == "no_pairs"


@pytest.mark.parametrize("name", ["fleiss", "icc"])
def test_one_reader_is_too_few(name):
    assert reason(ALL[name], ONE_READER) == "too_few_readers"


@pytest.mark.parametrize("name", ["alpha", "alpha_nominal", "fleiss", "icc", "icc_reml"])
def test_one_level_throughout_has_no_variation(name):
    assert reason(ALL[name], SAME) == "no_variation"


def test_one_level_throughout_is_full_agreement_for_gwet_and_percent():
    assert ALL["gwet"](SAME) == 1.0
    assert ALL["percent"](SAME) == 1.0


@pytest.mark.parametrize("name", ALL)
def test_perfect_agreement_is_exactly_one(name):
    assert ALL[name](PERFECT) == 1.0


@pytest.mark.parametrize("name", ["fleiss", "icc"])
def test_gaps_are_refused_where_the_formula_needs_complete_data(name):
    assert reason(ALL[name], GAPS) == "gaps"


@pytest.mark.parametrize("name", ["alpha", "gwet", "icc_reml", "percent"])
def test_gaps_are_taken_where_the_formula_knows_them(name):
    assert -1.0 <= ALL[name](GAPS) <= 1.0


def test_an_infinite_rating_is_refused():
    assert reason(st.krippendorff_alpha, [[1.0, float("inf")], [1.0, 2.0]], level="interval") == "unusable_value"


def test_a_value_outside_the_scale_is_named():
    with pytest.raises(st.UndefinedStatisticError, match=r"6\.0 is not on the scale"):
        st.gwet_ac([[1.0, 6.0], [1.0, 2.0]], categories=SCALE)


def test_a_negative_value_has_no_ratio():
    assert reason(st.krippendorff_alpha, [[-1.0, 2.0], [1.0, 2.0]], level="ratio") == "unusable_value"


def test_an_unknown_level_or_form_is_refused():
    assert reason(st.krippendorff_alpha, PERFECT, level="interesting") == "unknown_category"
    assert reason(st.icc, PERFECT, form="B,1") == "unknown_category"
    assert reason(st.icc_reml, PERFECT, form="B,1") == "unknown_category"


def test_no_f_interval_exists_when_readers_never_differ():
    assert reason(st.icc_interval, PERFECT, form="A,1") == "no_variation"
    assert reason(st.icc_interval, PERFECT, form="C,1") == "no_variation"


def test_cohen_kappa_leaves_out_what_one_reader_did_not_grade():
    complete = st.cohen_kappa([1, 2, 3, 3], [1, 2, 3, 2], categories=SCALE)

    assert st.cohen_kappa([1, 2, 3, 3, None], [1, 2, 3, 2, 5], categories=SCALE) == complete
    assert st.cohen_kappa([1, 2, 3, 3, NAN], [1, 2, 3, 2, 5], categories=SCALE) == complete


def test_cohen_kappa_degenerate_cases():
    assert reason(st.cohen_kappa, [1, 1], [1, 1], categories=SCALE) == "no_variation"
    assert reason(st.cohen_kappa, [1, None], [None, 1], categories=SCALE) == "no_pairs"
    assert reason(st.cohen_kappa, [1], [1, 2], categories=SCALE) == "shape"
    assert reason(st.cohen_kappa, [1, 2], [1, 2], categories=[]) == "unknown_category"
    assert reason(st.cohen_kappa, [1, 2], [1, 2], categories=[1, 1, 2]) == "unknown_category"
    assert st.cohen_kappa([1, 2], [2, 1], categories=[1, 2]) == -1.0


def test_cohen_kappa_takes_words():
    assert st.cohen_kappa(["yes", "no"], ["yes", "no"], categories=["yes", "partly", "no"], weights="linear") == 1.0


def test_an_unused_end_level_changes_weighted_kappa_of_words_not_plain_kappa():
    a, b = [1, 2, 3, 3, 1], [1, 3, 3, 2, 2]
    short, long = [1, 2, 3], [1, 2, 3, 9]

    assert st.cohen_kappa(a, b, categories=short) == pytest.approx(st.cohen_kappa(a, b, categories=long))
    assert st.gwet_ac([a, b], categories=short) != pytest.approx(st.gwet_ac([a, b], categories=long))
    assert st.gwet_ac([a, b], categories=short, weights="quadratic") != pytest.approx(
        st.gwet_ac([a, b], categories=long, weights="quadratic")
    )


def test_pairs_below_ten_shared_units_have_no_kappa_but_their_counts():
    pair = st.pairwise_agreement(PERFECT[:2, :9], categories=SCALE)[0]

    assert (pair.n_shared, pair.exact, pair.kappa, pair.reason) == (9, 1.0, None, "too_few_units")


def test_a_pair_without_shared_units_has_no_agreement_at_all():
    pair = st.pairwise_agreement([[1.0, NAN], [NAN, 2.0]], categories=SCALE)[0]

    assert (pair.n_shared, pair.exact, pair.quadratic_kappa) == (0, None, None)


def test_agreement_within_a_point():
    assert st.percent_agreement([[1.0, 2, 5], [2.0, 2, 3]], tolerance=1) == pytest.approx(2 / 3)


def test_positive_agreement_counts_flags_only():
    assert st.positive_agreement([1, 1, 0, 0, NAN], [1, 0, 0, 0, 1]) == pytest.approx(2 / 3)
    assert reason(st.positive_agreement, [0, 0], [0, 0]) == "no_variation"
    assert reason(st.positive_agreement, [NAN], [1]) == "no_pairs"


def test_correlations_of_a_constant_or_a_single_unit_do_not_exist():
    for correlation in (st.kendall_tau_b, st.spearman):
        assert reason(correlation, [1, 1, 1], [1, 2, 3]) == "no_variation"
        assert reason(correlation, [1], [2]) == "too_few_units"
        assert reason(correlation, [1, 2], [1]) == "shape"
        assert correlation([1, 2, 3, NAN], [10, 20, 30, 1]) == pytest.approx(1.0)
        assert correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1.0)


def test_correlations_equal_scipy_on_tied_values():
    from scipy.stats import kendalltau, spearmanr

    generator = np.random.default_rng(5)
    a = generator.integers(1, 6, 600).astype(float)
    b = np.clip(a + generator.integers(-2, 3, 600), 1, 5)

    assert st.kendall_tau_b(a, b) == pytest.approx(kendalltau(a, b).statistic, abs=1e-12)
    assert st.spearman(a, b) == pytest.approx(spearmanr(a, b).statistic, abs=1e-12)


def test_reml_recovers_components_of_a_simulation_with_gaps():
    generator = np.random.default_rng(2)
    truth = generator.normal(0, 2, (1, 400)) + generator.normal(0, 1, (8, 1)) + generator.normal(0, 1, (8, 400))
    truth[generator.random(truth.shape) < 0.5] = NAN

    consistency = st.icc_reml(truth, form="C,1")
    absolute = st.icc_reml(truth, form="A,1")

    assert consistency == pytest.approx(4 / 5, abs=0.03)
    assert absolute < consistency
    assert st.icc_reml(truth, form="C,k") > consistency


def test_spread_uses_n_minus_one():
    assert st.standard_deviation([1, 2, 3]) == 1.0
    assert reason(st.standard_deviation, [1]) == "too_few_units"


def test_pass_share_names_both_denominators():
    share = st.pass_share([True, True, True, False, None])

    assert str(share) == "75 % of 4 scored, 60 % of 5 expected"
    assert (share.of_scored, share.of_expected) == (0.75, 0.6)
    assert reason(lambda: st.pass_share([None]).of_scored) == "empty"
    assert str(st.pass_share([None])) == "none of 1 expected was scored"
