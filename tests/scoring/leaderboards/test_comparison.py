"""Comparison of systems: the leaderboard's own numbers, criteria in their unit, groups, severity, long tables."""

import csv
import io

import numpy as np
import pytest
from django.urls import reverse

from scoring.leaderboards.comparison import ComparisonError, comparison, groups
from scoring.leaderboards.services import leaderboard
from scoring.statistics import many_facet, paired_difference_interval, sign_flip_test
from tests import factories
from tests.scoring.world import build, measure

MEASURE = "T1:overall"


@pytest.fixture
def world(db):
    """12 items × 2 systems × 2 readers; the second system is better by about one point, R02 stricter than R01."""
    made = build(items=12, systems=2, readers=2)
    chance = np.random.default_rng(2)
    for strictness, enrollment in enumerate(made.readers):
        for reading in enrollment.readings.order_by("position"):
            shown = reading.reading_outputs.get()
            place = made.submissions.index(shown.output.submission)
            value = 3 + place - 0.7 * strictness + chance.normal(0, 0.8)
            factories.grade(shown, scores={"overall": float(np.clip(round(value), 1, 5))})
    for place in range(2):
        for output in made.outputs(place):
            measure(output, "token_f1", 0.4 + 0.1 * place)
    return made


def grades(world) -> np.ndarray:
    """systems × items × readers."""
    found = np.zeros((2, 12, 2))
    for row, enrollment in enumerate(world.readers):
        for reading in enrollment.readings.all():
            shown = reading.reading_outputs.get()
            system = world.submissions.index(shown.output.submission)
            item = shown.output.revision.item.number - 1
            found[system, item, row] = shown.grades.get().scores.get().value
    return found


def test_numbers_are_those_of_the_leaderboard_and_of_the_pure_functions_in_the_unit_of_the_criterion(world):
    board, found = leaderboard(world.study), comparison(world.study)

    assert [one["value"] for one in found["systems"]] == [one["composite"] for one in board["systems"]]
    assert found["pairs"] == board["comparisons"]
    assert found["facets"] is None

    found, given = comparison(world.study, measure=MEASURE), grades(world).mean(axis=2)
    pair = found["pairs"][0]
    clusters = [str(item) for item in range(12)]
    interval = paired_difference_interval(given[0], given[1], clusters=clusters, seed=20251113)
    test = sign_flip_test(given[0] - given[1], clusters=clusters, seed=20251113)

    assert {one["code"]: one["value"] for one in found["systems"]} == pytest.approx(
        {"A": given[0].mean(), "B": given[1].mean()}
    )
    assert (pair["first"], pair["second"], pair["n_items"]) == ("A", "B", 12)
    assert pair["difference"] == pytest.approx((given[0] - given[1]).mean())
    assert pair["high"] - pair["low"] == pytest.approx(interval.high - interval.low, rel=0.15)
    assert pair["p"] == pytest.approx(test if isinstance(test, float) else test.p)
    assert (found["low"], found["high"]) == (1.0, 5.0)

    facets, given = found["facets"], grades(world)
    places = [(system, item, reader) for item in range(12) for system in range(2) for reader in range(2)]
    fit = many_facet(
        [given[place] for place in places],
        systems=["AB"[place[0]] for place in places],
        readers=[f"R0{place[2] + 1}" for place in places],
        clusters=[place[1] for place in places],
        items=[place[1] for place in places],
        categories=(1, 2, 3, 4, 5),
    )

    assert {one["code"]: one["adjusted"] for one in facets["systems"]} == pytest.approx(
        {str(one.name): one.adjusted for one in fit.systems}, abs=1e-6
    )
    assert [one["reader"] for one in facets["readers"]] == ["R02", "R01"]
    assert facets["readers"][0]["severity"] > 0


def test_groups_are_the_longest_runs_that_no_test_tells_apart():
    systems = [{"code": code, "value": 1.0} for code in "ABCD"]

    def pairs(*apart: str) -> list[dict]:
        every = ("AB", "AC", "AD", "BC", "BD", "CD")
        return [{"first": two[0], "second": two[1], "p_holm": 0.01 if two in apart else 0.4} for two in every]

    assert groups(systems, pairs()) == [["A", "B", "C", "D"]]
    assert groups(systems, pairs("AC", "AD", "BD")) == [["A", "B"], ["B", "C"], ["C", "D"]]
    assert groups(systems, pairs("AB", "AC", "AD", "BC", "BD", "CD")) == []


def test_page_tables_and_program_tell_the_same_under_letters_and_refuse_alike(sign_in, analyst, world):
    factories.enroll(world.study, analyst, "analyst")
    client, slug = sign_in(analyst), world.study.slug

    answers = {
        name: client.get(reverse(f"scoring:comparison-{name}", args=[slug]), {"measure": MEASURE}).content.decode()
        for name in ("imrmc", "mrmcaov")
    }
    rows = list(csv.DictReader(io.StringIO(answers["imrmc"])))
    told = client.get(f"/api/v1/studies/{slug}/comparison/mrmcaov/", {"measure": MEASURE}).content.decode()

    assert list(rows[0]) == ["readerID", "caseID", "modalityID", "score"]
    assert len({(row["readerID"], row["caseID"], row["modalityID"]) for row in rows}) == len(rows) == 48
    assert {row["modalityID"] for row in rows} == {"A", "B"}
    assert sum(float(row["score"]) for row in rows) == grades(world).sum()
    assert answers["mrmcaov"].splitlines()[0] == "reader,treatment,case,truth,rating"
    assert told == answers["mrmcaov"]
    assert "aurora" not in (answers["imrmc"] + answers["mrmcaov"]).lower()

    address = reverse("scoring:comparison", args=[slug])

    page = client.get(address, {"measure": MEASURE}).content.decode()
    told = client.get(f"/api/v1/studies/{slug}/comparison/", {"measure": MEASURE}).json()

    pair = told["pairs"][0]
    assert f"[{pair['low']:.3f}, {pair['high']:.3f}]" in page
    assert f"{told['facets']['systems'][0]['adjusted']:.3f}" in page
    assert "Aurora" not in page
    assert client.get(address).status_code == 200
    refused = client.get(address, {"measure": "T9:none"})
    assert refused.status_code == 422 and "is not in this study" in refused.content.decode()
    assert client.get(f"/api/v1/studies/{slug}/comparison/?measure=none").status_code == 400
    with pytest.raises(ComparisonError, match="format"):
        comparison(world.study, format_name="image_editing")


def test_training_and_attention_grades_enter_no_board(world):
    before = comparison(world.study, measure=MEASURE)
    for role in ("training", "attention"):
        extra = factories.reading(world.readers[0], world.study.study_items.first(), [world.outputs(0)[0]], role=role)
        factories.grade(extra.reading_outputs.get(), scores={"overall": 1})

    after = comparison(world.study, measure=MEASURE)

    assert (after["systems"], after["facets"]) == (before["systems"], before["facets"])
    assert leaderboard(world.study)["systems"][0]["n_readings"] == 24
