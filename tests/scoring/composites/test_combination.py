"""Grades and metrics together: the pure estimates over the release, refusals in words, fitted and other weights."""

from math import nan

import numpy as np
import pytest
from django.urls import reverse

from annotation.studies.models import StudyItem
from scoring.composites.combination import combination
from scoring.composites.errors import CompositeError
from scoring.composites.services import change_composite, present_composite
from scoring.leaderboards.services import leaderboard
from scoring.statistics import fit_composite, prediction_powered_mean
from tests import factories
from tests.scoring.world import build, measure

ITEMS, GRADED = 28, 12


@pytest.fixture
def world(db):
    """28 released items, 12 of them in the study; one system, one reader; a metric that follows the grades."""
    made = build(items=ITEMS, systems=1, readers=1)
    for study_item in made.study.study_items.order_by("revision__item__number")[GRADED:]:
        study_item.readings.all().delete()
        StudyItem.objects.filter(pk=study_item.pk).delete()
    chance = np.random.default_rng(8)
    true = chance.normal(3, 1, ITEMS)
    made.values = np.clip((true - 1) / 4 + chance.normal(0, 0.05, ITEMS), 0, 1)
    made.grades = [float(np.clip(round(one), 1, 5)) for one in true[:GRADED]]
    for output, value in zip(made.outputs(0), made.values, strict=True):
        measure(output, "token_f1", float(value))
    for reading, grade in zip(made.readers[0].readings.order_by("position"), made.grades, strict=True):
        factories.grade(reading.reading_outputs.get(), scores={"overall": grade})
    return made


def test_the_clinical_mean_is_that_of_the_pure_function_on_page_and_for_programs(sign_in, analyst, world):
    found = combination(world.study)["formats"][0]["systems"][0]
    pure = prediction_powered_mean([*world.grades, *[nan] * (ITEMS - GRADED)], world.values, clusters=range(ITEMS))

    assert (found["n_graded"], found["n_outputs"]) == (GRADED, ITEMS)
    assert found["estimate"] == pytest.approx(pure.estimate)
    assert (found["low"], found["high"]) == pytest.approx((pure.interval.low, pure.interval.high))
    assert found["plain"] == pytest.approx(np.mean(world.grades))
    assert found["length_ratio"] == pytest.approx(pure.length_ratio)
    assert found["length_ratio"] < 1

    factories.enroll(world.study, analyst, "analyst")
    client, slug = sign_in(analyst), world.study.slug

    page = client.get(reverse("scoring:combination", args=[slug])).content.decode()
    told = client.get(f"/api/v1/studies/{slug}/combination/").json()

    row = told["formats"][0]["systems"][0]
    assert f"[{row['low']:.3f}, {row['high']:.3f}]" in page
    assert f"[{row['plain_low']:.3f}, {row['plain_high']:.3f}]" in page
    assert told["simplex"][-1]["winners"] == ["A"]
    assert "Aurora" not in page


def test_what_has_no_metric_is_counted_and_too_few_graded_clusters_are_refused_in_words(world):
    measure(world.outputs(0)[-1], "token_f1", None, reason="empty_output")

    found = combination(world.study)["formats"][0]["systems"][0]

    assert (found["n_outputs"], found["left_out"]) == (ITEMS - 1, {"no metric value": 1})

    for reading in world.readers[0].readings.all()[:3]:
        reading.status = "void"
        reading.save()

    one = combination(world.study)["formats"][0]

    assert one["systems"][0]["estimate"] is None
    assert one["systems"][0]["reason"] == "an interval needs at least 10 clusters, 9 entered"
    assert one["fit"]["reason"] == "a fit needs at least 20 outputs, 9 entered"


def test_where_everything_is_graded_the_plain_mean_says_it_all(db):
    made = build(items=12, systems=1, readers=1)
    for place, reading in enumerate(made.readers[0].readings.order_by("position")):
        shown = reading.reading_outputs.get()
        factories.grade(shown, scores={"overall": 1 + place % 5})
        measure(shown.output, "token_f1", 0.1 * (place % 5))

    found = combination(made.study)["formats"][0]["systems"][0]

    assert "all 12 outputs are graded" in found["reason"]


def test_fitted_weights_are_those_of_the_pure_function_with_the_ceiling_beside_them(db):
    made = build(items=10, systems=2, readers=2)
    chance = np.random.default_rng(3)
    values, grades = [], []
    for place in range(2):
        for number, output in enumerate(made.outputs(place)):
            value = float(chance.uniform(0, 1))
            measure(output, "token_f1", value)
            given = [float(np.clip(round(1 + 4 * value + chance.normal(0, 0.6)), 1, 5)) for _ in range(2)]
            for reader, grade in zip(made.readers, given, strict=True):
                shown = reader.readings.get(reading_outputs__output=output).reading_outputs.get()
                factories.grade(shown, scores={"overall": grade})
            values.append((number, "AB"[place], value))
            grades.append(np.mean(given))
    fit = combination(made.study)["formats"][0]["fit"]
    pure = fit_composite(
        [[value] for _, _, value in values],
        grades,
        names=["semantic:token_f1"],
        clusters=[number for number, _, _ in values],
        systems=[system for _, system, _ in values],
    )

    within, pooled = fit["correlations"]
    assert fit["weights"][0]["weight"] == 1.0
    assert pooled["value"] == pytest.approx(pure.pooled.value)
    assert within["value"] == pytest.approx(pure.within.value)
    assert 0 < within["human"] < 1
    assert fit["slope"] == pytest.approx(pure.slope)


def test_transforms_are_declared_with_the_weights_and_refused_without_a_span(sign_in, coordinator, world):
    factories.enroll(world.study, coordinator, "coordinator")
    clinical, semantic = present_composite(world.study).components.order_by("position")
    weights = {clinical.pk: 0.5, semantic.pk: 0.5}
    before = leaderboard(world.study)["systems"][0]["composite"]

    with pytest.raises(CompositeError, match="span"):
        change_composite(
            study=world.study, weights=weights, weighting="plain", actor=coordinator,
            transforms={semantic.pk: (0.4, 0.4)},
        )  # fmt: skip
    answer = sign_in(coordinator).post(
        reverse("scoring:composite", args=[world.study.slug]),
        {
            f"weight-{clinical.pk}": "0.5",
            f"weight-{semantic.pk}": "0,5",
            f"high-{semantic.pk}": "0.5",
            "weighting": "plain",
        },
    )

    newest = present_composite(world.study)
    assert answer.status_code == 302
    assert (newest.version, newest.components.get(tier="semantic").high) == (2, 0.5)
    assert newest.components.get(tier="clinical").low == clinical.low
    assert leaderboard(world.study)["systems"][0]["composite"] != before


def test_a_locked_composite_stays_as_declared(coordinator, db):
    world = build(items=1, systems=1, readers=1)
    components = list(present_composite(world.study).components.all())
    world.study.composites.update(state="locked")

    with pytest.raises(CompositeError, match="locked"):
        change_composite(
            study=world.study, weights={row.pk: row.weight for row in components}, weighting="plain",
            actor=coordinator,
        )  # fmt: skip
