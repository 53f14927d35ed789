"""The leaderboard: numbers, counts, bounds, receipts, letters, the disagreement of the tiers, who sees it."""

import io
import json
from math import fsum

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.systems.models import Output
from scoring.agreement.models import AnalysisRun
from scoring.composites.services import present_composite
from scoring.leaderboards.services import leaderboard, receipt
from tests import factories
from tests.scoring.world import build, grade_all, measure

pytestmark = [pytest.mark.django_db, pytest.mark.walks]


@pytest.fixture
def world():
    """Twelve questions; A is graded 5 and matches half the words, B is graded 1 and matches all of them."""
    made = build(items=12)
    grade_all(made, {0: 5, 1: 1})
    for place, value in ((0, 0.5), (1, 1.0)):
        for output in made.outputs(place):
            measure(output, "token_f1", value)
    return made


def system(board, code):
    return next(row for row in board["systems"] if row["code"] == code)


def test_the_number_is_the_declared_combination(world):
    board = leaderboard(world.study)

    assert system(board, "A")["composite"] == pytest.approx(0.75 * 1 + 0.25 * 0.5)
    assert system(board, "B")["composite"] == pytest.approx(0.75 * 0 + 0.25 * 1)
    assert [row["code"] for row in board["systems"]] == ["A", "B"]
    assert (system(board, "A")["low"], system(board, "A")["rank"]) == (pytest.approx(0.875), 1)


def test_a_system_that_metrics_prefer_and_readers_reject_is_named(world):
    board = leaderboard(world.study)

    found = board["disagreements"][0]
    assert (found["preferred"], found["place_with_readers"], found["reader_order"]) == ("B", 2, ["A", "B"])


def test_a_metric_that_is_better_low_prefers_the_lowest_system():
    world = build(items=12, format="image_editing")
    grade_all(world, {0: 5, 1: 1})
    composite = present_composite(world.study)
    composite.components.filter(source="metric:psnr").update(source="metric:mae_relative", low=0, high=1)
    for place, error in ((0, 0.4), (1, 0.1)):
        for output in world.outputs(place):
            measure(output, "mae_relative", error)
            measure(output, "ssim", 0.5)

    board = leaderboard(world.study)

    assert [(one["metric"], one["preferred"]) for one in board["disagreements"]] == [("pixel:mae_relative", "B")]
    assert system(board, "A")["composite"] == pytest.approx(0.75 + 0.125 * 0.5 + 0.125 * 0.6)


def test_each_format_states_the_family_of_its_tests(world):
    board = leaderboard(world.study)

    assert [one["family"] for one in board["formats"]] == ["all 1 pairs of 2 systems, vqa"]


def test_a_failed_output_counts_zero_and_is_left_out_of_the_second_column(world):
    failed = world.outputs(0)[0]
    Output.objects.filter(pk=failed.pk).update(status="error")

    row = system(leaderboard(world.study), "A")

    assert row["composite"] == pytest.approx(0.875 * 11 / 12)
    assert row["of_scored"] == pytest.approx(0.875)
    assert (row["n_expected"], row["n_scored"], row["n_failed"]) == (12, 11, 1)


def test_a_pending_flag_prints_both_bounds():
    world = build(items=12)
    grade_all(world, {0: 5, 1: 1}, safety="severe")
    for output in [*world.outputs(0), *world.outputs(1)]:
        measure(output, "token_f1", 1.0)

    row = system(leaderboard(world.study), "A")

    assert row["pending"] == {"refuted": pytest.approx(1.0), "confirmed": pytest.approx(0.0)}
    assert row["n_pending"] == 12


def test_adding_a_system_changes_nobody_elses_number(world):
    before = system(leaderboard(world.study), "A")["composite"]
    more = factories.submission(world.release, "cygnus")
    factories.StudySystem.objects.create(study=world.study, submission=more, letter="C")

    board = leaderboard(world.study)

    assert system(board, "A")["composite"] == before
    assert system(board, "C")["n_without_tier"] == 12
    assert system(board, "C")["composite"] is None


def test_below_ten_clusters_there_is_no_interval_and_a_reason():
    world = build(items=5)
    grade_all(world, {0: 5, 1: 1})
    for output in [*world.outputs(0), *world.outputs(1)]:
        measure(output, "token_f1", 1.0)

    row = system(leaderboard(world.study), "A")

    assert row["composite"] == pytest.approx(1.0)
    assert (row["low"], row["rank"]) == (None, None)
    assert "10" in row["reason"]


def test_two_identical_systems_differ_by_nothing():
    world = build(items=12)
    grade_all(world, {0: 4, 1: 4})
    for output in [*world.outputs(0), *world.outputs(1)]:
        measure(output, "token_f1", 0.5)

    pair = leaderboard(world.study)["comparisons"][0]

    assert (pair["difference"], pair["low"], pair["high"], pair["p"]) == (0, 0, 0, 1)


def test_the_receipt_adds_up_to_the_number_bit_for_bit(world):
    found = receipt(world.study, "A")

    assert fsum(line.contribution for line in found["lines"]) == system(leaderboard(world.study), "A")["composite"]
    assert len(found["lines"]) == 12


def test_a_result_is_stored_and_made_anew_only_when_an_input_changed(world):
    leaderboard(world.study)
    leaderboard(world.study)
    once = AnalysisRun.objects.count()
    measure(world.outputs(0)[0], "token_f1", 0.9)
    leaderboard(world.study)

    assert (once, AnalysisRun.objects.count()) == (1, 2)


def test_the_page_shows_letters_until_the_study_is_unblinded(sign_in, world, analyst):
    factories.enroll(world.study, analyst, "analyst")
    client = sign_in(analyst)
    url = reverse("scoring:leaderboard", args=[world.study.slug])

    running = client.get(url).content.decode()
    pages = {}
    for state in ("locked", "unblinded"):
        world.study.state = state
        world.study.save()
        pages[state] = client.get(url).content.decode()

    assert "System A" in running
    assert "Aurora" not in running
    assert "preview" in running
    assert "System A" in pages["locked"] and "Aurora" not in pages["locked"]
    assert "preview" not in pages["locked"] and "Letters only." in pages["locked"]
    assert "Aurora" in pages["unblinded"]


def test_a_rank_that_hangs_on_the_weights_is_marked_on_the_page(sign_in, analyst):
    """A 0.75 from readers and 0.3 from words, B 0.5 and 1: they tie where readers weigh 0.74 in place of 0.75."""
    world = build(items=12)
    grade_all(world, {0: 4, 1: 3})
    for place, value in ((0, 0.3), (1, 1.0)):
        for output in world.outputs(place):
            measure(output, "token_f1", value)
    factories.enroll(world.study, analyst, "analyst")
    url = reverse("scoring:leaderboard", args=[world.study.slug])

    close = sign_in(analyst).get(url).content.decode()
    for output in world.outputs(1):
        measure(output, "token_f1", 0.0)
    clear = sign_in(analyst).get(url).content.decode()

    assert close.count("1–2 by weights</span>") == 2
    assert "by weights</span>" not in clear


def test_receipt_and_json_open_with_one_click(sign_in, world, analyst):
    factories.enroll(world.study, analyst, "analyst")
    client = sign_in(analyst)

    page = client.get(reverse("scoring:leaderboard-receipt", args=[world.study.slug, "A"]))
    unknown = client.get(reverse("scoring:leaderboard-receipt", args=[world.study.slug, "Z"]))
    board = client.get(reverse("scoring:leaderboard-json", args=[world.study.slug])).json()

    assert (page.status_code, unknown.status_code) == (200, 404)
    assert board["preview"] is True


def test_a_reader_of_the_study_never_sees_it(sign_in, world):
    reader = world.readers[0].user
    factories.enroll(world.study, reader, "analyst")

    assert sign_in(reader).get(reverse("scoring:leaderboard", args=[world.study.slug])).status_code == 404


def test_an_empty_study_says_what_to_do(sign_in, analyst):
    factories.item()
    study = factories.study()
    factories.enroll(study, analyst, "analyst")

    page = sign_in(analyst).get(reverse("scoring:leaderboard", args=[study.slug]))

    assert page.status_code == 200
    assert b"No system in this study" in page.content


def test_the_queries_do_not_grow_with_the_grades(sign_in, analyst):
    counts = []
    for items in (3, 9):
        world = build(items=items, slug=f"study-{items}") if items == 3 else None
        if world is None:
            break
        grade_all(world, {0: 4, 1: 2})
        leaderboard(world.study)
        with CaptureQueriesContext(connection) as queries:
            leaderboard(world.study)
        counts.append(len(queries))

    assert counts[0] <= 16


def test_the_command_prints_the_contract(world):
    out = io.StringIO()

    call_command("leaderboard", "liver@1.0", "--json", "--by", "format", stdout=out)

    board = json.loads(out.getvalue())
    keys = {
        "code",
        "n_expected",
        "n_scored",
        "n_failed",
        "n_vetoed",
        "composite",
        "low",
        "high",
        "rank",
        "components",
    }
    assert keys <= set(board["systems"][0])
    assert set(board["systems_by_format"]) == {"vqa"}


def test_the_command_asks_which_study(world):
    factories.study(world.release, slug="round-2")

    with pytest.raises(CommandError, match="round-1, round-2"):
        call_command("leaderboard", "liver")
