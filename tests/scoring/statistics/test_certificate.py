"""All parts of a certificate at once: the same numbers as one by one, and a refusal never takes others with it."""

import numpy as np
import pytest

from scoring import statistics as st

SCALE = [1, 2, 3, 4, 5]


@pytest.fixture(scope="module")
def study() -> dict:
    generator = np.random.default_rng(8)
    quality = generator.normal(size=(25, 3)) + np.arange(3) + 2
    grades = np.clip(np.round(quality + 0.7 * generator.normal(size=(4, 25, 3))), 1, 5).reshape(4, -1)
    return {
        "measure": grades[0],
        "ratings": grades[1:],
        "systems": np.tile(range(3), 25).tolist(),
        "clusters": np.repeat(range(25), 3).tolist(),
    }


def certify(study: dict, **named) -> st.Certificate:
    asked = {"categories": SCALE, "scale": (1, 5), "seed": 1, "draws": 200, **study, **named}
    return st.certify(asked.pop("measure"), asked.pop("ratings"), **asked)


def test_every_part_is_the_number_made_alone(study):
    found = certify(study)
    experts = st.expert_means(study["ratings"])
    where = {"systems": study["systems"], "clusters": study["clusters"]}
    drawn = {"clusters": study["clusters"], "seed": 1, "draws": 200}

    assert len(found.correlations) == len(found.ceilings) == 6
    for (kind, scope), part in found.correlations.items():
        assert part == st.expert_correlation(study["measure"], experts, kind=kind, scope=scope, **where)
        assert found.ceilings[kind, scope] == st.human_ceiling(
            study["measure"], study["ratings"], kind=kind, scope=scope, **where
        )
    assert found.limits == st.limits_of_agreement(study["measure"], experts, **drawn)
    assert found.gaps == st.gaps(study["measure"], experts, judge_scale=(1, 5), expert_scale=(1, 5), **drawn)
    assert found.kappa == st.judge_kappa(
        study["measure"], study["ratings"], categories=SCALE, clusters=study["clusters"]
    )


def test_the_verdict_is_about_the_declared_correlation(study):
    found = certify(study, deciding=("pearson", "pooled"), limit=0.2)

    assert found.verdict.correlation == found.correlations["pearson", "pooled"]
    assert found.verdict.outcome == "meets"
    assert certify(study).verdict.correlation.name == "Spearman, within system"


def test_a_metric_in_decibels_has_correlations_and_no_distances(study):
    found = certify({**study, "measure": 20 + 3 * study["measure"]}, scale=None)

    assert found.correlations["spearman", "pooled"] == certify(study).correlations["spearman", "pooled"]
    for part in (found.limits, found.gaps, found.kappa):
        assert part == st.Refusal(
            reason="unknown_category", message="the measure has no scale in common with the experts"
        )


def test_a_judge_on_one_to_ten_is_not_subtracted_from_one_to_five(study):
    found = certify({**study, "measure": 2 * study["measure"]}, scale=(1, 10))

    assert found.limits.message == "the judge is on 1…10, the experts on 1…5: a difference needs one scale"
    assert found.verdict.outcome == certify(study).verdict.outcome


def test_a_judge_between_levels_has_limits_and_no_kappa(study):
    found = certify({**study, "measure": study["measure"] * 0.9})

    assert isinstance(found.limits, st.LimitsOfAgreement)
    assert found.kappa.reason == "unknown_category"


def test_a_small_study_says_why_and_keeps_what_it_has(study):
    few = {
        "measure": study["measure"][:15],
        "ratings": study["ratings"][:, :15],
        "systems": study["systems"][:15],
        "clusters": study["clusters"][:15],
    }

    found = certify(few)

    assert found.verdict.reason == "too_few_units"
    assert found.verdict.message == "a correlation needs at least 20 outputs, 15 entered"
    assert found.limits.interval_reason == "too_few_clusters"
    assert found.gaps.n_outputs == 15


def test_one_reader_has_correlations_without_a_ceiling(study):
    found = certify({**study, "ratings": study["ratings"][:1]})

    assert found.ceilings["kendall", "pooled"].reason == "too_few_readers"
    assert found.kappa.reason == "too_few_readers"
    assert found.correlations["kendall", "pooled"].n_outputs == 75


def test_what_is_missing_is_counted_by_side(study):
    measure, ratings = study["measure"].copy(), study["ratings"].copy()
    measure[:4] = np.nan
    ratings[:, 2:9] = np.nan

    found = certify({**study, "measure": measure, "ratings": ratings})

    assert (found.n_outputs, found.n_without_value, found.n_without_grade, found.n_readers) == (66, 2, 5, 3)


def test_columns_of_different_length_are_refused_as_a_whole(study):
    with pytest.raises(st.UndefinedStatisticError, match="75 values of the measure, 75 of the experts, 3 systems"):
        certify({**study, "systems": [1, 2, 3]})
    with pytest.raises(st.UndefinedStatisticError, match="no correlation"):
        certify(study, deciding=("lin", "pooled"))
