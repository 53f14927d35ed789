"""Adjudicated flags in the composite: confirmed is the bottom under any weights, refuted is lifted, pending both."""

from dataclasses import replace

import numpy as np
import pytest
from django.urls import reverse

from annotation.adjudication import services
from scoring.composites.combining import Component, Declaration, OutputRow, combine, score_output
from scoring.composites.inputs import output_rows
from scoring.composites.services import declaration_of, default_composite
from scoring.leaderboards.services import leaderboard, receipt
from tests import factories
from tests.annotation.adjudication.world import build, grade
from tests.scoring.world import measure


def flagged(level="severe"):
    world = build(items=1)
    grade(world, (5, 5), safety=level)
    grade(world, (2, 2), place=1)
    for place in (0, 1):
        measure(world.graded.outputs(place)[0], "token_f1", 0.9)
    return world


def board(world):
    return {row["code"]: row for row in leaderboard(world.study)["systems"]}


@pytest.mark.django_db
def test_a_pending_flag_shows_both_bounds_a_confirmed_one_zero_and_a_refuted_one_the_number():
    world = flagged()
    pending = board(world)["A"]
    world.confirm(world.case())
    confirmed = board(world)["A"]
    services.reopen(
        study=world.study, key=world.case().key, actor=world.adjudicator, reason="Again.", seen=world.case().seen
    )
    reopened = board(world)["A"]
    world.decide(world.case(), verdict="refuted")
    refuted = board(world)["A"]

    assert pending["pending"] == {"refuted": pytest.approx(0.975), "confirmed": 0.0}
    assert reopened["pending"] == pending["pending"]
    assert (confirmed["composite"], confirmed["pending"]) == (0.0, None)
    assert (refuted["composite"], refuted["pending"]) == (pytest.approx(0.975), None)
    counts = [(row["n_vetoed"], row["n_refuted"], row["n_pending"]) for row in (pending, confirmed, refuted)]
    assert counts == [(0, 0, 1), (1, 0, 0), (0, 1, 0)]


@pytest.mark.django_db
def test_confirmed_moderate_harm_caps_the_clinical_part():
    world = flagged("moderate")
    assert board(world)["A"]["composite"] == pytest.approx(0.975)

    world.confirm(world.case(), level="moderate")

    row = board(world)["A"]
    assert (row["n_capped"], row["n_vetoed"]) == (1, 0)
    assert row["composite"] < 0.6


@pytest.mark.django_db
def test_adjudicated_values_enter_only_where_they_are_asked_for():
    world = build(items=1)
    grade(world, (1, 5))
    world.decide(world.case(subject="criterion"), value=2)
    declaration = declaration_of(default_composite(study=world.study, actor=None))

    own, decided = (
        next(row for row in output_rows(world.study, declaration, adjudicated=asked) if row.system == "A")
        for asked in (False, True)
    )

    (clinical,) = (one.code for one in declaration.components_of("vqa") if one.tier == "clinical")
    assert (sorted(own.values[clinical]), decided.values[clinical]) == ([1.0, 5.0], [2.0])


@pytest.mark.django_db
def test_boards_and_receipts_say_whose_values_they_are_and_agree(sign_in, analyst):
    world = build(items=1)
    grade(world, (1, 5))
    grade(world, (3, 3), place=1)
    for place in (0, 1):
        measure(world.graded.outputs(place)[0], "token_f1", 0.9)
    world.decide(world.case(subject="criterion"), value=2)
    factories.enroll(world.study, analyst, "analyst")
    client = sign_in(analyst)
    address = reverse("scoring:leaderboard", args=[world.study.slug])

    own, decided = client.get(address), client.get(address, {"values": "adjudicated"})

    numbers = [next(row for row in page.context["board"]["systems"] if row["code"] == "A") for page in (own, decided)]
    receipts = [receipt(world.study, "A", adjudicated=asked)["composite"].value for asked in (False, True)]
    assert [row["composite"] for row in numbers] == receipts
    assert receipts[0] > receipts[1]
    assert "With adjudicated values" in own.content.decode()
    assert "<strong>Adjudicated values:</strong>" in decided.content.decode()


def test_a_confirmed_output_is_at_the_bottom_under_a_thousand_random_weights():
    drawn = np.random.default_rng(20251125).dirichlet([1.0, 1.0, 1.0], size=1000)
    values = {"overall": (5.0, 5.0), "f1": (1.0,), "ssim": (1.0,)}
    best = OutputRow(
        system="A", item="IT-1", cluster="1", format="vqa", task="t", status="ok", values=values,
        identical=frozenset(), reasons={}, veto="confirmed", in_sample=True,
    )  # fmt: skip
    worse = replace(best, system="B", veto=None, values={"overall": (1.5,), "f1": (0.05,), "ssim": (0.05,)})
    for weights in drawn:
        declaration = declared(weights)
        lowest = combine(declaration, [best, worse], system="A").value
        assert lowest == 0.0
        assert score_output(declaration, best).confirmed == 0.0
        assert combine(declaration, [best, worse], system="B").value > lowest


def declared(weights):
    parts = zip(("overall", "f1", "ssim"), ("clinical", "semantic", "pixel"), ((1, 5), (0, 1), (0, 1)), strict=True)
    return Declaration(
        code="c",
        version="1",
        formats={"vqa": 1.0},
        components=tuple(
            Component(code=code, tier=tier, source=code, low=float(low), high=float(high), weight=float(weight))
            for (code, tier, (low, high)), weight in zip(parts, weights, strict=True)
        ),
    )
