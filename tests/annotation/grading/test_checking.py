"""The coordinator's board: who notices what does not belong, whose severity drifts, and who is behind."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.grading.checking import board_of_checks
from annotation.grading.progress import board
from annotation.studies.models import Reading, Study, StudyItem
from annotation.studies.reminding import behind
from tests import factories
from tests.annotation.grading import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(reader, other_reader):
    return world.small_study(reader, formats=("vqa",) * 5, other_reader=other_reader)


def grade(readings, values, **fields):
    for number, (reading, value) in enumerate(zip(readings, values, strict=True)):
        when = timezone.now() + timedelta(minutes=number)
        given = factories.grade(
            reading.reading_outputs.get(),
            scores=dict.fromkeys(world.VQA_CRITERIA, value),
            submitted_at=when,
            **fields,
        )
        Reading.objects.filter(pk=reading.pk).update(submitted_at=given.submitted_at)


def test_checks_are_noticed_by_low_grades_and_drift_is_shown_in_thirds(made):
    item = made.readings[0].study_item
    StudyItem.objects.filter(pk=item.pk).update(role="attention", control="unrelated")
    item.readings.update(role="attention")
    grade(made.readings[:2], [1, 4])
    grade(made.readings[2:8], [5, 5, 3, 3, 2, 1])
    grade(made.others[:2], [1, 2])
    grade(made.others[2:5], [4, 4, 4])

    told = board_of_checks(made.study)

    assert told["checks"] == [
        {"code": "R01", "n_checks": 2, "noticed": 1, "thirds": [1.0, 0.5, 0.125]},
        {"code": "R02", "n_checks": 2, "noticed": 2, "thirds": [0.75, 0.75, 0.75]},
    ]
    main = (1 + 1 + 0.5 + 0.5 + 0.25 + 0 + 3 * 0.75) / 9
    checks = (0 + 0.75 + 0 + 0.25) / 4
    assert told["controls"] == [
        {"control": "the output for an item of another modality", "n": 4, "noticed": 3,
         "drop": pytest.approx(main - checks)}
    ]  # fmt: skip


def test_a_check_flagged_as_harm_is_noticed_whatever_its_values(made):
    item = made.readings[0].study_item
    StudyItem.objects.filter(pk=item.pk).update(role="attention", control="unrelated")
    item.readings.update(role="attention")
    grade(made.readings[:1], [5], safety="severe")

    assert board_of_checks(made.study)["checks"][0]["noticed"] == 1
    assert board(made.study)["severe"] == 0


def test_the_time_left_is_what_is_pending_at_the_readers_own_pace(made):
    grade(made.readings[:2], [4, 4], active_ms=60_000)

    rows = {row["code"]: row for row in board(made.study)["readers"]}

    assert rows["R01"]["left_ms"] == 8 * 60_000
    assert rows["R02"]["left_ms"] is None


def test_the_board_shows_checks_and_names_no_system(made, coordinator, sign_in):
    factories.enroll(made.study, coordinator, "coordinator")
    grade(made.readings[:2], [4, 4])
    text = sign_in(coordinator).get(reverse("annotation:study-flags", args=[made.study.slug])).content.decode()

    assert "Attention and drift" in text
    assert "zephyrion" not in text.lower()


def test_whoever_is_silent_or_too_slow_is_behind_with_words_to_copy(made, coordinator, sign_in, reader):
    factories.enroll(made.study, coordinator, "coordinator")
    study = made.study
    Study.objects.filter(pk=study.pk).update(opened_at=timezone.now() - timedelta(days=9))
    grade(made.readings[:2], [4, 4])
    study.refresh_from_db()
    assert [(row.code, row.why) for row in behind(study)] == [("R02", "has not begun")]

    study.due_on = timezone.now().date() + timedelta(days=2)
    study.save()
    rows = {row.code: row for row in behind(study, address="http://x/readings/")}
    assert "days late" in rows["R01"].why
    assert rows["R01"].words.startswith(
        "Dear Reader, 8 of your 10 readings in “Round 1” wait for you. They are due on"
    )
    assert rows["R01"].words.endswith("http://x/readings/ Thank you.")

    page = sign_in(coordinator).get(study.get_absolute_url()).content.decode()
    assert "Who is behind" in page
    Study.objects.filter(pk=study.pk).update(state="paused")
    study.refresh_from_db()
    assert behind(study) == []


def test_a_due_day_that_is_over_is_said(made):
    study = made.study
    study.due_on = date(2026, 1, 1)
    grade(made.readings[:1], [4])
    assert {row.code for row in behind(study)} == {"R01", "R02"}
    assert all(row.why.startswith("due ") for row in behind(study))
