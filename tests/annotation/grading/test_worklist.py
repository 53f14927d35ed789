"""The reader's worklist, the way to the next reading, and what the coordinator's board shows of grades."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.grading.models import Draft
from annotation.studies.models import Reading, Study
from tests import factories
from tests.annotation.grading import world
from tests.annotation.grading.test_reading_json import address

pytestmark = pytest.mark.django_db


def url(name, study):
    return reverse(f"annotation:{name}", args=[study.slug])


def submit(client, reading, of=None, **fields):
    body = world.submission_body(of, **fields)
    assert client.post(address(reading, "grade-submit"), body, content_type="application/json").status_code == 200


def test_next_goes_to_the_first_reading_that_waits(reader, sign_in):
    made = world.small_study(reader)
    Reading.objects.filter(pk=made.readings[0].pk).update(status="submitted")

    answer = sign_in(reader).get(url("reading-next", made.study))

    assert answer.headers["Location"] == address(made.readings[1], "reading-detail")


def test_next_with_nothing_left_goes_to_the_worklist(reader, sign_in):
    made = world.small_study(reader)
    Reading.objects.update(status="submitted")

    page = sign_in(reader).get(url("reading-next", made.study), follow=True)

    assert page.redirect_chain == [(url("reading-list", made.study), 302)]
    assert "Nothing waits for you" in page.content.decode()


def test_the_worklist_shows_states_amendments_and_filters(reader, sign_in):
    made = world.small_study(reader, formats=("vqa", "image_editing"))
    client = sign_in(reader)
    submit(client, made.readings[0])
    submit(client, made.readings[0], reason="Saw it again.")
    Reading.objects.filter(pk=made.readings[1].pk).update(status="skipped", skip_reason="image problem")

    page = client.get(url("reading-list", made.study)).content.decode()
    only = client.get(url("reading-list", made.study), {"status": "skipped"})

    assert "1 of 4 readings submitted" in page and "amended, version 2" in page and "Amend</a>" in page
    assert "image problem" in page and "Open again" in page
    assert [reading.pk for reading, _ in only.context["rows"]] == [made.readings[1].pk]


def test_a_locked_study_is_only_viewed(reader, sign_in):
    made = world.small_study(reader)
    submit(sign_in(reader), made.readings[0])
    Study.objects.update(state="locked")

    page = sign_in(reader).get(url("reading-list", made.study)).content.decode()

    assert "no longer changed" in page and "Amend</a>" not in page and "View</a>" in page


def test_a_reader_without_readings_is_told_so(reader, sign_in):
    study = factories.study(state="running")
    factories.enroll(study, reader)

    assert "No readings for you here" in sign_in(reader).get(url("reading-list", study)).content.decode()


def test_the_worklist_is_for_readers_of_the_study(reader, coordinator, stranger, client, sign_in):
    made = world.small_study(reader)
    analyst = factories.person("analyst")
    factories.enroll(made.study, coordinator, "coordinator")
    factories.enroll(made.study, analyst, "analyst")

    for name in ("reading-list", "reading-next"):
        answers = [sign_in(user).get(url(name, made.study)).status_code for user in (coordinator, analyst, stranger)]
        assert answers == [403, 403, 404]
        assert client.get(url(name, made.study)).status_code == 302


def test_the_worklist_takes_the_same_queries_at_a_thousand_readings(reader, sign_in):
    made = world.small_study(reader)
    client, first = sign_in(reader), made.readings[0]
    client.get(url("reading-list", made.study))

    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert client.get(url("reading-list", made.study)).status_code == 200
        return len(seen)

    small = queries()
    Reading.objects.bulk_create(
        Reading(study=made.study, enrollment=first.enrollment, study_item=first.study_item, position=10 + n)
        for n in range(1000)
    )

    assert queries() == small <= 12


def test_the_board_counts_flags_of_the_newest_version(reader, other_reader, coordinator, sign_in):
    made = world.small_study(reader, other_reader=other_reader)
    factories.enroll(made.study, coordinator, "coordinator")
    client = sign_in(reader)
    harmful = world.entry(safety="severe", rationale="Would delay an operation.", errors=[{"code": "omitted"}])
    submit(client, made.readings[0], world.payload(A=harmful))
    submit(client, made.readings[1], world.payload(A=harmful | {"reference_wrong": True}))
    submit(client, made.readings[1], world.payload(A=harmful | {"safety": "moderate"}), reason="Too hard.")

    response = sign_in(coordinator).get(url("study-flags", made.study))

    rows = {
        row["code"]: (row["severe"], row["moderate"], row["reference_wrong"]) for row in response.context["readers"]
    }
    assert rows == {"R01": (1, 1, 0), "R02": (0, 0, 0)}
    assert "1 output grade flagged as severe harm" in response.content.decode()


def test_the_board_shows_time_and_missing_values_per_reader(reader, coordinator, sign_in):
    made = world.small_study(reader)
    factories.enroll(made.study, coordinator, "coordinator")
    missing = world.entry(scores={"anatomical_accuracy": "na"}) | {"na": {"anatomical_accuracy": "not visible"}}
    Draft.objects.create(reading=made.readings[0], active_ms=41_000)
    submit(sign_in(reader), made.readings[0], world.payload(A=missing))

    response = sign_in(coordinator).get(url("study-flags", made.study))

    (row,) = response.context["readers"]
    assert (row["mean_active_ms"], row["na_share"]) == (41_000, 0.2)
    assert "0:00:41" in response.content.decode() and "20 %" in response.content.decode()


def test_a_board_without_grades_says_so(reader, coordinator, sign_in):
    made = world.small_study(reader)
    factories.enroll(made.study, coordinator, "coordinator")

    assert "No grades yet" in sign_in(coordinator).get(url("study-flags", made.study)).content.decode()


def test_flags_are_a_fragment_for_scripts_and_a_page_without_them(reader, coordinator, sign_in):
    made = world.small_study(reader)
    factories.enroll(made.study, coordinator, "coordinator")
    client, address = sign_in(coordinator), url("study-flags", made.study)

    page = client.get(address).content.decode()
    fragment = client.get(address, headers={"HX-Request": "true"}).content.decode()

    assert "<h1>Harm, time and missing values</h1>" in page and fragment in page
    assert fragment.startswith('<div id="study-flags">')


def test_readings_without_a_measured_time_show_none(reader, coordinator, sign_in):
    made = world.small_study(reader)
    factories.enroll(made.study, coordinator, "coordinator")
    submit(sign_in(reader), made.readings[0], world.payload(A=world.entry()))

    response = sign_in(coordinator).get(url("study-flags", made.study))

    assert [row["mean_active_ms"] for row in response.context["readers"]] == [None]
