"""Agreement of a study: first grades only, gaps counted, the same numbers as the pure functions."""

import io
import json

import numpy as np
import pytest
from django.core.management import call_command
from django.urls import reverse

from annotation.grading.models import Grade
from scoring.agreement.ratings import study_ratings
from scoring.agreement.resampling import icc_cluster_interval
from scoring.agreement.services import agreement
from scoring.statistics import bootstrap_interval, cohen_kappa, icc, krippendorff_alpha, measured_coverage
from tests import factories
from tests.scoring.world import build

pytestmark = pytest.mark.django_db

FIRST = [1, 2, 3, 4, 5, 5, 4, 3, 2, 1, 3, 4]
SECOND = [1, 2, 3, 4, 5, 4, 4, 2, 2, 1, 3, 5]


@pytest.fixture
def world():
    made = build(items=12, systems=1, readers=3)
    for enrollment, values in zip(made.readers, (FIRST, SECOND), strict=False):
        for reading, value in zip(enrollment.readings.all(), values, strict=True):
            factories.grade(reading.reading_outputs.get(), scores={"overall": value})
    return made


def overall(found):
    return next(row for row in found["criteria"] if row["code"] == "T1:overall")


def test_the_coefficients_are_those_of_the_pure_functions(world):
    row = overall(agreement(world.study))
    table = np.array([FIRST, SECOND], dtype=float)

    assert row["alpha"]["value"] == pytest.approx(krippendorff_alpha(table, level="ordinal"))
    assert row["icc_a1"]["value"] == pytest.approx(icc(table, form="A,1"))
    pair = next(one for one in row["pairs"] if one["n_shared"])
    assert pair["quadratic_kappa"] == pytest.approx(
        cohen_kappa(FIRST, SECOND, categories=(1, 2, 3, 4, 5), weights="quadratic")
    )
    assert row["alpha"]["low"] < row["alpha"]["value"] < row["alpha"]["high"]


def test_a_reader_who_graded_nothing_is_counted_as_missing_and_changes_nothing(world):
    row = overall(agreement(world.study))

    assert row["n_readers"] == 2
    assert row["n_not_graded"] == 12
    assert row["icc_a1"]["estimator"] == "ANOVA"


def test_an_amendment_never_enters(world):
    before = overall(agreement(world.study))["alpha"]["value"]
    first = Grade.objects.first()
    factories.grade(first.reading_output, scores={"overall": 5}, version=2, reason_for_change="after the meeting")

    assert overall(agreement(world.study))["alpha"]["value"] == before


def test_not_applicable_is_counted_and_is_no_agreement(world):
    grade = Grade.objects.first()
    reading_output = world.readers[2].readings.first().reading_outputs.get()
    made = factories.Grade.objects.create(
        reading_output=reading_output, author=world.readers[2].user, submit_key=grade.submit_key
    )
    criterion = grade.scores.get().criterion
    factories.CriterionScore.objects.create(grade=made, criterion=criterion, na_reason="not visible")

    row = overall(agreement(world.study))

    assert row["n_not_applicable"] == {"not visible": 1}
    assert row["n_values"] == 24


def test_the_declared_scale_is_used_even_where_a_level_is_not():
    world = build(items=2, systems=1)

    ratings = study_ratings(world.study)[0]

    assert ratings.categories == (1, 2, 3, 4, 5)


def test_without_grades_there_is_a_reason_instead_of_a_number():
    world = build(items=2, systems=1)

    row = overall(agreement(world.study))

    assert row["alpha"]["value"] is None
    assert row["alpha"]["reason"]


def test_the_page_shows_numbers_and_what_is_missing(sign_in, world, analyst):
    factories.enroll(world.study, analyst, "analyst")

    page = sign_in(analyst).get(reverse("scoring:agreement", args=[world.study.slug])).content.decode()

    assert "Alpha (ordinal)" in page
    assert "12 not graded" in page


def test_the_page_of_an_ungraded_study_says_so(sign_in, analyst):
    world = build(items=1, systems=1)
    factories.enroll(world.study, analyst, "analyst")

    assert b"No grade yet" in sign_in(analyst).get(reverse("scoring:agreement", args=[world.study.slug])).content


def test_the_command_prints_json(world):
    out = io.StringIO()

    call_command("agreement", "round-1", "--json", stdout=out)

    assert overall(json.loads(out.getvalue()))["n_shared"] == 12


def test_outputs_of_one_cluster_move_together_in_the_interval_of_an_icc():
    generator = np.random.default_rng(3)
    cases = np.repeat(generator.normal(3, 1, 15), 6)
    table = np.vstack([cases + generator.normal(0, 0.5, 90) for _ in range(2)])
    together = [unit // 6 for unit in range(90)]

    found = icc_cluster_interval(table, form="A,1", clusters=together, seed=1)
    direct = bootstrap_interval(lambda units: icc(table[:, units], form="A,1"), clusters=together, seed=1)
    apart = icc_cluster_interval(table, form="A,1", clusters=list(range(90)), seed=1)

    assert (found.low, found.high) == pytest.approx((direct.low, direct.high), abs=1e-12)
    assert found.high - found.low > 1.3 * (apart.high - apart.low)


def test_the_mean_of_all_readers_has_the_limits_of_one_reader_stepped_up():
    table = np.array([FIRST, SECOND, [3, 2, 3, 5, 5, 5, 3, 3, 2, 1, 4, 4]], dtype=float)

    one = icc_cluster_interval(table, form="A,1", clusters=range(12), seed=1)
    mean = icc_cluster_interval(table, form="A,k", clusters=range(12), seed=1)

    assert mean.low == pytest.approx(3 * one.low / (1 + 2 * one.low), abs=1e-3)
    assert mean.low > one.low


def test_below_ten_clusters_no_coefficient_has_an_interval():
    made = build(items=9, systems=2, readers=2)
    for enrollment, shift in zip(made.readers, (0, 1), strict=True):
        for place, reading in enumerate(enrollment.readings.all()):
            factories.grade(reading.reading_outputs.get(), scores={"overall": 1 + (place % 4) + shift * (place % 2)})

    row = overall(agreement(made.study))

    assert row["icc_a1"]["value"] is not None
    assert [row[name]["low"] for name in ("alpha", "icc_a1", "icc_ak")] == [None, None, None]
    assert "9 entered" in row["icc_a1"]["interval_reason"]


def test_only_clusters_that_two_readers_share_are_counted():
    made = build(items=12, systems=1, readers=2)
    for enrollment, n_graded in zip(made.readers, (12, 8), strict=True):
        for reading in enrollment.readings.order_by("position")[:n_graded]:
            factories.grade(reading.reading_outputs.get(), scores={"overall": 1 + reading.position % 5})

    row = overall(agreement(made.study))

    assert (row["n_outputs"], row["n_shared"], row["n_clusters"]) == (12, 8, 8)
    assert "8 entered" in row["alpha"]["interval_reason"]


def test_over_few_clusters_the_page_says_how_often_such_intervals_held_the_truth(sign_in, world, analyst):
    factories.enroll(world.study, analyst, "analyst")
    row = overall(agreement(world.study))

    page = sign_in(analyst).get(reverse("scoring:agreement", args=[world.study.slug])).content.decode()

    assert row["alpha"]["coverage"] == str(measured_coverage("alpha", n_clusters=12))
    assert "in 2,000 simulated studies of each kind with 10 clusters, 84–97 % of the 95 % intervals of alpha" in page
    assert "of the 95 % intervals of ICC(A,1) held the truth" in page
