"""Preferences of a study on page, in JSON and for programs: the same numbers, letters only, missing counted."""

import json
import uuid
from itertools import cycle

import pytest
from django.core.management import call_command

from annotation.grading.services import Entry, submit_reading
from annotation.studies.drawing import draw, inputs_of, store
from annotation.studies.models import Reading, Study
from scoring.preferences import services
from tests import factories
from tests.annotation.grading import world
from tests.annotation.preferences.world import preferred
from tests.scoring.exports.world import exported, rows_of

pytestmark = pytest.mark.django_db
SYSTEMS = ("zephyrion", "quasarnet", "borealis")
WORDS = ("left", "right", "left", "tie", "left", "both_bad")
REASONS = {
    "rationale": "Both show another organ.",
    "outputs": {"A": {"errors": [{"code": "vague", "nowhere": True}]}},
}


@pytest.fixture
def study(reader, other_reader, coordinator):
    """Twelve items, three systems, two readers who compare one pair of each item; the last reading waits."""
    items = [factories.item(format="vqa", task="question-answering") for _ in range(12)]
    for item in items:
        world.give_pictures(item)
    release = factories.release()
    submissions = [world.hidden_system(slug, release) for slug in SYSTEMS]
    for submission in submissions:
        for released in release.release_items.select_related("revision"):
            world.output_with_pictures(submission, released.revision)
    made = factories.study(
        release, submissions=submissions, rubrics=[world.builtin(*world.T1)], state="running",
        outputs_per_reading="pair", pairs_per_item=1,
    )  # fmt: skip
    for person in (reader, other_reader):
        factories.enroll(made, person)
    factories.enroll(made, coordinator, role="coordinator")
    Study.objects.filter(pk=made.pk).update(opened_at=made.created_at)
    inputs = inputs_of(made)
    store(made, inputs, draw(made, inputs).readings)
    readings = made.readings.select_related("study", "enrollment__user")
    for reading, word in zip(
        list(readings.order_by("enrollment__reader_code", "position"))[:-1], cycle(WORDS), strict=False
    ):
        said = preferred(word, **(REASONS if word == "both_bad" else {}))
        submit_reading(reading=reading, actor=reading.enrollment.user, entry=Entry(said, uuid.uuid4()))
    return made


def test_what_was_said_of_each_pair_adds_up_and_what_is_missing_is_counted(study):
    found = services.preferences(study)

    overall = found["criteria"][0]
    assert (found["n_assigned"], found["n_submitted"], found["n_missing"]) == (24, 23, 1)
    assert len(overall["pairs"]) == 3 and sum(row["n_missing"] for row in overall["pairs"]) == 1
    for row in overall["pairs"]:
        assert row["first_wins"] + row["second_wins"] + row["ties"] + row["both_bad"] == row["n"]
        assert row["value"] == (row["first_wins"] + (row["ties"] + row["both_bad"]) / 2) / row["n"]
        assert row["interval_reason"].startswith("an interval needs at least 10 clusters")
    assert sum(row["wins"] for row in overall["systems"]) == overall["n_left"] + overall["n_right"]
    assert sum(row["value"] for row in overall["systems"]) == pytest.approx(0)
    assert overall["side_effect"]["low"] < overall["side_effect"]["value"] < overall["side_effect"]["high"]
    assert overall["side_effect"]["value"] > 0  # three of six words say left
    assert overall["agreement"]["n_shared"] == 11


def test_page_program_command_and_workbook_say_the_same_by_letters(
    study, coordinator, reader, sign_in, tmp_path, capsys
):
    client = sign_in(coordinator)

    page = client.get(f"/studies/{study.slug}/preferences/")
    told = client.get(f"/studies/{study.slug}/preferences.json").json()
    api = client.get(f"/api/v1/studies/{study.slug}/preferences/").json()

    call_command("preferences", study.slug, "--json")

    assert told == api == json.loads(capsys.readouterr().out)
    body = page.content.decode()
    assert page.status_code == 200 and f"{told['criteria'][0]['systems'][0]['value']:.2f}" in body
    assert not any(name in body.lower() for name in SYSTEMS)
    sheet = exported(study, tmp_path)
    strengths = {row["First"]: row["Value"] for row in rows_of(sheet, "Strengths") if row["Number"].startswith("str")}
    assert strengths == {row["system"]: row["value"] for row in told["criteria"][0]["systems"]}
    said = rows_of(sheet, "Preferences")
    assert len(said) == 23 and {row["Preferred"] for row in said} == {"A", "B", "C", None}
    assert all(
        row["Systems"][0 if row["Choice"] == "left" else 3] == row["Preferred"] for row in said if row["Preferred"]
    )
    assert sign_in(reader).get(f"/studies/{study.slug}/preferences/").status_code == 404
    Study.objects.filter(pk=study.pk).update(outputs_per_reading="one")
    assert "This study grades" in sign_in(coordinator).get(f"/studies/{study.slug}/preferences/").content.decode()


def test_a_new_preference_is_computed_and_an_amendment_does_not_change_agreement(study):
    before = services.preferences(study)
    waiting = study.readings.get(status=Reading.Status.QUEUED)
    done = study.readings.exclude(pk=waiting.pk).order_by("enrollment__reader_code", "position").first()

    amended = Entry(preferred("tie"), uuid.uuid4(), reason="looked at the other slice")
    submit_reading(reading=done, actor=done.enrollment.user, entry=amended)
    middle = services.preferences(study)
    submit_reading(reading=waiting, actor=waiting.enrollment.user, entry=Entry(preferred(), uuid.uuid4()))

    assert middle["criteria"][0]["n_ties"] == before["criteria"][0]["n_ties"] + 1
    assert middle["criteria"][0]["agreement"] == before["criteria"][0]["agreement"]
    assert services.preferences(study)["n_missing"] == 0


def test_best_of_all_is_a_share_with_what_chance_would_give(reader, coordinator):
    made = world.small_study(reader, mode="all")
    Study.objects.filter(pk=made.study.pk).update(outputs_per_reading="rank")
    reading = made.readings[0]
    submit_reading(
        reading=Reading.objects.get(pk=reading.pk), actor=reader, entry=Entry(preferred("B"), uuid.uuid4())
    )

    found = services.preferences(Study.objects.get(pk=made.study.pk))["criteria"][0]

    assert [(row["best"], row["n"], row["chance"]) for row in found["systems"]] == [(1, 1, 0.5), (0, 1, 0.5)]
    assert found["by_place"] == [0, 1]
