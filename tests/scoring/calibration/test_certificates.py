"""Certificates, courtroom and radar of one small study, held against scipy and against plain loops."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from annotation.adjudication import queue
from scoring.agreement.models import AnalysisRun
from scoring.calibration import services, stored
from scoring.calibration.courtroom import widened
from scoring.calibration.errors import LimitError, UnknownMeasureError
from scoring.calibration.limits import present_limit, state_limit
from scoring.calibration.measures import held, listed
from scoring.calibration.radar import SIDES, radar, row_key, side_of
from scoring.statistics import expert_means
from scoring.statistics.jackknife import jackknife_interval
from tests.scoring.calibration.world import METRIC, kept, made

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    with kept(django_db_blocker):
        yield made()


@pytest.fixture(scope="module")
def columns(world, django_db_blocker):
    with django_db_blocker.unblock():
        return held(world.study)


@pytest.fixture(scope="module")
def judged(world, columns, django_db_blocker):
    with django_db_blocker.unblock():
        return services.certificate(world.study, f"judge:{world.judge.pk}:overall", of=columns)


def test_correlations_are_those_of_scipy_over_the_outputs_that_have_both(columns, judged, world):
    values = columns.values[f"judge:{world.judge.pk}:overall"]
    means = expert_means(columns.criterion("").values)
    both = ~np.isnan(values) & ~np.isnan(means)
    by_scipy = {
        "pearson": stats.pearsonr(values[both], means[both])[0],
        "spearman": stats.spearmanr(values[both], means[both])[0],
        "kendall": stats.kendalltau(values[both], means[both])[0],
    }

    pooled = {one["kind"]: one for one in judged["correlations"] if one["scope"] == "pooled"}

    assert {kind: one["value"] for kind, one in pooled.items()} == pytest.approx(by_scipy, abs=1e-12)
    assert {(one["n_outputs"], one["n_missing"]) for one in pooled.values()} == {(41, 1)}
    assert (judged["n_without_value"], judged["missing"]) == (1, {"not measured": 1})


def test_the_human_ceiling_holds_readers_and_judge_against_the_same_targets(columns, judged, world):
    values = columns.values[f"judge:{world.judge.pk}:overall"]
    table = columns.criterion("").values
    kept_ = ~np.isnan(values)
    human, judge = [], []
    for reader in range(3):
        target = np.delete(table, reader, axis=0).mean(axis=0)[kept_]
        human.append(stats.spearmanr(table[reader][kept_], target)[0])
        judge.append(stats.spearmanr(values[kept_], target)[0])

    found = next(one for one in judged["correlations"] if (one["kind"], one["scope"]) == ("spearman", "pooled"))

    assert found["ceiling"]["human"] == pytest.approx(np.mean(human), abs=1e-12)
    assert found["ceiling"]["measure"] == pytest.approx(np.mean(judge), abs=1e-12)


def test_a_metric_has_no_differences_and_the_words_say_why(world, columns):
    found = services.certificate(world.study, f"metric:{METRIC}", of=columns)

    assert found["limits"] == {"bias": None, "reason": "the measure has no scale in common with the experts"}
    assert found["missing"] == {"empty_reference": 1}
    assert found["verdict"]["outcome"] in {"meets", "misses"}
    assert "Spearman, within system" in found["verdict"]["words"]


def test_the_threshold_is_derived_again_and_judged_on_clusters_left_out(judged):
    found = judged["threshold"]

    assert (found["passes_from"], found["passes_up_to"]) == (4.0, False)
    assert 1 <= found["threshold"] <= 5
    assert found["held_out"]["balanced"] <= found["apparent"] + 1e-9
    assert found["held_out"]["n_passed"] + found["held_out"]["n_failed"] == 41


def test_harm_falls_where_quality_rises(world, columns):
    found = services.certificate(world.study, f"metric:{METRIC}", "safety", of=columns)

    assert found["criterion"]["direction"] == "higher is worse"
    assert "do not vary" in found["verdict"]["words"]


def test_a_criterion_without_any_value_is_refused_part_by_part(world, columns):
    empty = replace(columns.criterion(""), values=np.full_like(columns.criterion("").values, np.nan))

    found = services.certificate_of(columns, columns.measures[0], empty, present_limit(world.study))

    assert {one["value"] for one in found["correlations"]} == {None}
    assert all(one["reason"] for one in found["correlations"])
    assert (found["verdict"]["outcome"], found["n_outputs"], found["points"]) == ("refused", 0, [])


def test_a_certificate_is_computed_once_per_state(world, columns, monkeypatch):
    key = f"metric:{METRIC}"
    first = services.certificate(world.study, key, of=columns)
    monkeypatch.setattr(services, "certify", None)

    assert services.certificate(world.study, key) == first
    runs = AnalysisRun.objects.filter(study=world.study, kind="certificate", parameters__measure=key)
    assert runs.filter(parameters__criterion="").count() == 1


def test_an_unknown_measure_or_criterion_is_named(columns):
    with pytest.raises(UnknownMeasureError, match="measure: 'metric:nothing'"):
        columns.measure("metric:nothing")
    with pytest.raises(UnknownMeasureError, match="criterion: 'T1:nothing'"):
        columns.criterion("T1:nothing")


def test_measures_are_listed_without_reading_their_values(world, columns):
    assert listed(world.study) == list(columns.measures)


def test_the_courtroom_tries_every_measure_and_says_how_many_trials_there_were(world, columns):
    found = services.courtroom(world.study, of=columns)

    everything = found["groups"][0]
    assert [one["tier"] for one in found["measures"]] == ["semantic", "judge"]
    assert {group["kind"] for group in found["groups"]} == {"all", "task", "modality", "both"}
    assert found["family"] == 8
    assert found["simultaneous_level"] == pytest.approx(1 - 0.05 / 8)
    cell = everything["cells"][1]
    within = services.certificate(world.study, found["measures"][1]["key"], of=columns)
    same = next(one for one in within["correlations"] if (one["kind"], one["scope"]) == ("spearman", "within system"))
    assert (cell["value"], cell["low"], cell["n_outputs"]) == (same["value"], same["low"], same["n_outputs"])
    assert cell["all_low"] < cell["low"] < cell["value"] < cell["high"] < cell["all_high"]


def test_a_widened_interval_is_the_jackknife_interval_at_the_level_of_all_cells():
    values = np.concatenate([[0.6], 0.6 + 0.05 * np.random.default_rng(1).normal(size=30)])
    defined = np.ones(31, dtype=bool)
    one, all_ = (jackknife_interval(values, defined, fisher=True, level=level) for level in (0.95, 1 - 0.05 / 12))

    assert widened(one, 12) == pytest.approx((all_.low, all_.high), abs=1e-12)
    assert widened(one, 1) == pytest.approx((one.low, one.high), abs=1e-12)


def test_the_radar_ranks_by_the_distance_of_places_and_turns_metrics_that_fall(world, columns):
    found = radar(world.study, columns, columns.criterion(""))

    assert len(found.rows) == 42
    assert [row.gap for row in found.rows] == sorted((row.gap for row in found.rows), reverse=True)
    means = expert_means(columns.criterion("").values)
    row = found.rows[0]
    column = columns.criterion("").units.index(str(row.output))
    assert row.readers == pytest.approx((stats.rankdata(means)[column] - 0.5) / 42)
    assert found.waiting == found.ungraded == 0


def test_the_kept_radar_has_both_sides_and_tells_the_cases_of_now(world, columns):
    found = services.tier_radar(world.study, of=columns)
    praised, missed = (side_of(found["rows"], name) for name in SIDES)

    assert praised[0]["gap"] == max(row["gap"] for row in found["rows"])
    assert missed[0]["gap"] == min(row["gap"] for row in found["rows"])
    spread = {row["key"] for row in found["rows"] if "overall" in row["case"]}
    assert spread == {str(row_key(world.study, case.output)) for case in queue.cases_of(world.study)}


def test_an_output_that_is_still_read_is_counted_and_not_shown(world, columns, monkeypatch):
    first = world.outputs()[0].pk
    monkeypatch.setattr(queue, "waiting_outputs", lambda study: {first})

    found = radar(world.study, columns, columns.criterion(""))

    assert found.waiting == 1
    assert first not in {row.output for row in found.rows}


def test_a_stated_limit_is_kept_with_who_and_when_and_decides(world, columns):
    state_limit(study=world.study, kind="pearson", scope="pooled", limit=0.05, passes_from=3, actor=None)

    found = services.certificate(world.study, f"judge:{world.judge.pk}:overall", of=columns)

    assert found["limit"]["stated"]
    assert found["limit"]["n_grades_then"] == 126
    assert found["verdict"]["outcome"] == "meets"
    assert "Pearson, pooled" in found["verdict"]["words"]
    assert found["threshold"]["passes_from"] == 3


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("kind", "rho", "choose one of pearson, spearman, kendall"),
        ("scope", "all", "choose one of pooled, within system"),
        ("limit", 1.0, "between 0 and 1"),
        ("passes_from", 7, "1 to 5"),
    ],
)
def test_a_limit_that_cannot_be_is_refused_with_its_range(world, field, value, words):
    asked = {"kind": "spearman", "scope": "pooled", "limit": 0.6, "passes_from": None} | {field: value}

    with pytest.raises(LimitError, match=words):
        state_limit(study=world.study, actor=None, **asked)


def test_a_new_grade_is_a_new_state(world):
    before = stored.state_of(world.study)
    state_limit(study=world.study, kind="spearman", scope="pooled", limit=0.61, passes_from=None, actor=None)

    assert stored.state_of(world.study) != before
