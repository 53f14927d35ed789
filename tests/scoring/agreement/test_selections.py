"""Parts of a study's grades: what is selected, what is counted, and that limits are those of the pure functions."""

import numpy as np
import pytest
from django.urls import reverse

from scoring.agreement.models import AnalysisRun
from scoring.agreement.resampling import Resampled
from scoring.agreement.selection import SelectionError
from scoring.agreement.services import agreement
from scoring.statistics import (
    UndefinedStatisticError,
    alpha_interval,
    bootstrap_interval,
    cohen_kappa,
    fleiss_kappa,
    gwet_ac,
    limits_of_agreement,
    percent_agreement,
)
from tests import factories
from tests.scoring.world import build

SCALE = (1.0, 2.0, 3.0, 4.0, 5.0)


def table(n_units: int = 60, *, gaps: bool = True) -> np.ndarray:
    chance = np.random.default_rng(4)
    true = chance.normal(3, 1.2, n_units)
    values = np.clip(np.round(true + chance.normal(0, 0.7, (3, n_units))), 1, 5)
    if gaps:
        values[0, ::5] = np.nan
        values[1, :4] = np.nan
    return values


def direct(statistic, values: np.ndarray, clusters: list[int], *, draws: int = 300):
    return bootstrap_interval(lambda units: statistic(values[:, units]), clusters=clusters, seed=7, draws=draws)


CLUSTERS = [unit // 3 for unit in range(60)]


def test_alpha_from_sums_by_cluster_has_the_limits_of_the_pure_function():
    values = table()

    ours = Resampled(values, categories=SCALE, clusters=CLUSTERS, seed=7).ordinal_alpha()
    theirs = alpha_interval(values, level="ordinal", clusters=CLUSTERS, seed=7)

    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@pytest.mark.parametrize(
    ("name", "statistic", "options", "gaps"),
    [
        ("percent", percent_agreement, {}, True),
        ("percent", lambda t: percent_agreement(t, tolerance=1.0), {"tolerance": 1.0}, True),
        ("gwet", lambda t: gwet_ac(t, categories=SCALE), {}, True),
        ("gwet", lambda t: gwet_ac(t, categories=SCALE, weights="quadratic"), {"weights": "quadratic"}, True),
        ("fleiss", lambda t: fleiss_kappa(t, categories=SCALE), {}, False),
    ],
)
def test_limits_are_those_of_computing_the_coefficient_in_every_resample(monkeypatch, name, statistic, options, gaps):
    values = table(gaps=gaps)
    from scoring.agreement import resampling

    few = resampling.drawn_clusters(20, seed=7, draws=300)
    monkeypatch.setattr(resampling, "drawn_clusters", lambda n_clusters, *, seed: few)
    ours = getattr(Resampled(values, categories=SCALE, clusters=CLUSTERS, seed=7), name)(**options)

    theirs = direct(statistic, values, CLUSTERS)

    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_a_readers_mean_has_the_limits_of_the_pure_function():
    values = table(gaps=False)

    ours = Resampled(values, categories=SCALE, clusters=CLUSTERS, seed=7).mean_of_reader(1)
    theirs = bootstrap_interval(values[1], clusters=CLUSTERS, seed=7)

    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_below_ten_clusters_no_coefficient_has_limits():
    made = Resampled(table(), categories=SCALE, clusters=[unit % 9 for unit in range(60)], seed=7)

    for limits in (made.ordinal_alpha, made.percent, made.gwet, lambda: made.mean_of_reader(0)):
        with pytest.raises(UndefinedStatisticError, match="10 clusters"):
            limits()


@pytest.fixture
def world(db):
    """24 outputs of two systems; three readers; two items are MR and of another task."""
    made = build(items=12, systems=2, readers=3)
    for study_item in made.study.study_items.all()[:2]:
        study_item.revision.__class__.objects.filter(pk=study_item.revision_id).update(
            modality="mr", task="visual-grounding"
        )
    values = table(24, gaps=False)
    for row, enrollment in zip(values, made.readers, strict=True):
        for reading, value in zip(enrollment.readings.order_by("position"), row, strict=True):
            factories.grade(reading.reading_outputs.get(), scores={"overall": value})
    return made


def overall(found):
    return next(row for row in found["criteria"] if row["code"] == "T1:overall")


def test_a_task_and_a_pair_select_and_everything_counts_only_them(world):
    found = agreement(world.study, {"task": "visual-grounding"})

    assert overall(found)["n_outputs"] == 4
    assert overall(found)["n_clusters"] == 2
    assert "10 clusters" in overall(found)["percent"]["interval_reason"]
    assert found["selection"]["task"] == "visual-grounding"
    assert overall(agreement(world.study, {"modality": "ct"}))["n_outputs"] == 20

    found = overall(agreement(world.study, {"first": "R03", "second": "R01"}))
    given = table(24, gaps=False)
    clusters = [unit // 2 for unit in range(24)]

    plot = found["bland_altman"]
    limits = limits_of_agreement(given[0], given[2], clusters=clusters, seed=20251113)

    assert (plot["first"], plot["second"], plot["n"]) == ("R01", "R03", 24)
    assert plot["bias"]["value"] == pytest.approx(limits.bias)
    assert plot["upper"]["value"] == pytest.approx(limits.upper)
    assert sum(point[2] for point in plot["points"]) == 24
    assert found["n_readers"] == 2
    assert [pair["n_shared"] for pair in found["pairs"]] == [24]


def test_one_reader_selects_the_outputs_that_this_reader_graded(world):
    late = world.readers[0].readings.order_by("position").last()
    late.status = "void"
    late.save()

    found = overall(agreement(world.study, {"first": "R01"}))

    assert (found["n_outputs"], found["n_readers"], found["n_values"]) == (23, 3, 69)

    with pytest.raises(SelectionError, match="first: 'R09' is not in this study; there is R01, R02, R03"):
        agreement(world.study, {"first": "R09"})


def test_repeats_enter_intra_reader_agreement_only_and_training_and_attention_nothing(world):
    before = overall(agreement(world.study))
    enrollment = world.readers[0]
    first = list(enrollment.readings.order_by("position")[:12])
    again, values = [], []
    for reading in first:
        shown = reading.reading_outputs.get()
        repeat = factories.reading(enrollment, reading.study_item, [shown.output], role="repeat", replicate=2)
        value = min(5.0, table(24, gaps=False)[0][reading.position - 1] + reading.position % 2)
        factories.grade(repeat.reading_outputs.get(), scores={"overall": value})
        values.append(table(24, gaps=False)[0][reading.position - 1])
        again.append(value)

    found = overall(agreement(world.study))

    assert found["alpha"] == before["alpha"]
    assert [one["reader"] for one in found["intra"]] == ["R01"]
    assert found["intra"][0]["quadratic_kappa"] == pytest.approx(
        cohen_kappa(values, again, categories=SCALE, weights="quadratic")
    )
    assert found["n_not_graded"] == before["n_not_graded"] == 0

    enrollment, item = world.readers[1], world.study.study_items.first()
    for role in ("training", "attention"):
        extra = factories.reading(enrollment, item, [world.outputs(0)[0]], role=role)
        factories.grade(extra.reading_outputs.get(), scores={"overall": 1})

    assert overall(agreement(world.study))["alpha"] == before["alpha"]


def test_a_state_that_was_seen_reads_no_grade(world, django_assert_max_num_queries, monkeypatch):
    first = agreement(world.study)
    monkeypatch.setattr("scoring.agreement.services.study_ratings", lambda *_, **__: pytest.fail("grades were read"))

    with django_assert_max_num_queries(8):
        assert agreement(world.study) == first
    assert AnalysisRun.objects.filter(kind="agreement").count() == 1


def test_page_and_program_tell_the_same_numbers_and_refuse_alike(sign_in, analyst, world):
    factories.enroll(world.study, analyst, "analyst")
    client, slug = sign_in(analyst), world.study.slug
    asked = {"first": "R01", "second": "R02"}

    page = client.get(reverse("scoring:agreement", args=[slug]), asked | {"criterion": "T1:overall"}).content.decode()
    told = client.get(f"/api/v1/studies/{slug}/agreement/", asked).json()
    refused = client.get(reverse("scoring:agreement", args=[slug]), {"task": "nothing"})

    row = overall(told)
    assert row == overall(agreement(world.study, asked))
    assert f"{row['bland_altman']['upper']['value']:.3f}" in page
    assert f"[{row['ac2']['low']:.3f}, {row['ac2']['high']:.3f}]" in page
    assert refused.status_code == 422
    assert client.get(f"/api/v1/studies/{slug}/agreement/?task=nothing").status_code == 400
    assert "is not in this study" in refused.content.decode()
