"""The planner: the pure functions' widths by readers and items, hours, and refusals in words."""

from itertools import pairwise

import pytest
from django.urls import reverse

from scoring.planning.charts import width_curves
from scoring.planning.forms import PlanForm, defaults
from scoring.planning.services import plan
from scoring.statistics import StudySize, expected_width, smallest_study, typical_components

SEED = 20251113


def asked(**changes):
    form = PlanForm(defaults() | changes)
    assert form.is_valid(), form.errors
    return plan(form.cleaned_data)


def test_widths_and_smallest_study_are_those_of_the_pure_functions():
    found = asked(width=0.6, items=90, readings_per_item=2, readers=3)
    size, components = StudySize(n_clusters=90, readings_per_item=2, n_readers=3), typical_components("T1")

    assert (
        found["expected"]["width"] == expected_width("difference", components=components, size=size, seed=SEED).width
    )
    least = smallest_study("difference", width=0.6, components=components, size=size, seed=SEED)
    assert found["smallest"]["n_items"] == least.size.n_clusters
    assert found["smallest"]["width"] == least.width <= 0.6
    chosen = [cell for row in found["table"]["rows"] for cell in row["cells"] if cell["chosen"]]
    assert [cell["width"] for cell in chosen] == [found["expected"]["width"]]


def test_more_items_and_more_readers_shorten_the_interval():
    table = asked(rubric="T4", quantity="mean", readers=4)["table"]

    for row in table["rows"]:
        widths = [cell["width"] for cell in row["cells"]]
        assert widths == sorted(widths, reverse=True)
    by_readers = [row["cells"][0]["width"] for row in table["rows"]]
    assert by_readers[0] > by_readers[-1]


def test_the_workload_counts_every_output_and_reader():
    load = asked(items=100, systems=3, readings_per_item=2, readers=4, seconds=90)["workload"]

    assert (load["n_outputs"], load["n_grades"], load["grades_per_reader"]) == (300, 600, 150)
    assert (load["hours"], load["hours_per_reader"]) == (15.0, 3.75)


def test_rare_categories_and_few_clusters_are_refused_in_words():
    rare = asked(items=120, category="severe flag", share=1, strata=4)["rare"]
    common = asked(items=120, category="severe flag", share=20, strata=4)["rare"]
    few = asked(items=40, items_per_cluster=5, readings_per_item=1, readers=1)

    assert rare["expected"] is None
    assert "0.3 of 30 per system and stratum" in rare["reason"] and "500 are needed" in rare["reason"]
    assert common["expected"] == pytest.approx(6.0)
    assert few["expected"]["reason"] == "an interval needs at least 10 clusters, 8 entered"
    assert (
        asked(quantity="alpha", readings_per_item=1, readers=2)["expected"]["reason"]
        == "agreement needs two readings per item"
    )


def test_own_variances_are_taken_and_must_be_whole():
    own = {"item": 0.2, "system_item": 0.5, "reader": 0.1, "residual": 0.3, "low": 1, "high": 5, "mean": 3}

    assert asked(rubric="own", **own)["components"]["residual"] == 0.3
    form = PlanForm(defaults() | {"rubric": "own", "item": 0.2})
    assert not form.is_valid()
    assert "residual" in form.errors and "item" not in form.errors


def test_no_words_of_two_curves_cover_each_other():
    plot = width_curves(asked(readers=5)["table"])

    places = sorted(curve["word_y"] for curve in plot["curves"])
    assert len(places) == 5
    assert all(after - before >= 14 for before, after in pairwise(places))


@pytest.mark.django_db
def test_page_and_program_tell_the_same_and_refuse_alike(sign_in, stranger):
    client, query = sign_in(stranger), {"rubric": "T6", "items": 80, "width": 0.4}

    page = client.get(reverse("scoring:planner"), query).content.decode()
    told = client.get("/api/v1/planner/", query).json()

    assert f"{told['expected']['width']:.3f}" in page
    assert f"{told['smallest']['n_items']:,} items" in page
    refused = {"readings_per_item": 5, "readers": 3}
    assert client.get(reverse("scoring:planner"), refused).status_code == 422
    answer = client.get("/api/v1/planner/", refused)
    assert answer.status_code == 400 and "5 readers per item" in answer.json()["detail"]
