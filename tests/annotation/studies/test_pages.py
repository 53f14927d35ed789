"""Pages of studies: who sees them, what they say when empty, wrong, late or blind, and how many queries they take."""

import re

import pytest
from django.urls import reverse

from annotation.audit.models import Event
from annotation.studies import balance, services
from annotation.studies.models import Reading, Study
from tests import factories
from tests.annotation.studies import world

pytestmark = pytest.mark.django_db


def url(name, *rest):
    return reverse(f"annotation:{name}", args=rest)


@pytest.fixture
def study(coordinator, reader, other_reader, analyst) -> Study:
    world.released()
    design = world.design(reader, other_reader, analysts=[analyst.username])
    return services.create_study(design=design, actor=coordinator)


@pytest.fixture
def running(study, coordinator) -> Study:
    return services.open_study(study=study, actor=coordinator)


def form_data(reader, other_reader, **changes):
    return {
        "name": "Round two", "slug": "", "submissions": ["SU-0001", "SU-0002"], "rubrics": ["T1@1.0"], "mode": "all",
        "readers": [reader.username, other_reader.username], "readers_per_item": 2, "gap": 3, "seed": 5,
        "due_on": "2026-12-24",
    } | changes  # fmt: skip


def test_the_list_shows_my_role_and_my_progress(running, reader, coordinator, stranger, sign_in):
    Reading.objects.filter(enrollment__user=reader, position__lte=3).update(status="submitted")

    mine = sign_in(reader).get(url("study-list")).content.decode()
    run = sign_in(coordinator).get(url("study-list")).content.decode()

    assert "mine: 3 of 12" in mine and url("reading-list", running.slug) in mine and "all:" not in mine
    assert "all: 3 of 24" in run and url("study-detail", running.slug) in run
    assert running.name not in sign_in(stranger).get(url("study-list")).content.decode()


def test_board_balance_and_people_are_for_coordinators(running, stranger, sign_in):
    people = [*(running.enrollments.get(role=role).user for role in ("coordinator", "analyst")), stranger]
    people.append(running.enrollments.get(reader_code="R01").user)
    for name in ("study-balance", "enrollment-list", "study-flags"):
        address = url(name, running.slug)
        assert [sign_in(user).get(address).status_code for user in people] == [200, 403, 404, 403], name


def test_members_who_do_not_run_the_study_are_led_to_their_own_page(running, stranger, sign_in):
    analyst, reader = (running.enrollments.get(**kind).user for kind in ({"role": "analyst"}, {"reader_code": "R01"}))
    address = url("study-detail", running.slug)

    assert sign_in(analyst).get(address).headers["Location"] == reverse("scoring:leaderboard", args=[running.slug])
    assert sign_in(reader).get(address).headers["Location"] == url("reading-list", running.slug)
    assert sign_in(stranger).get(address).status_code == 404


def test_letters_are_named_only_when_the_study_is_unblinded(running, coordinator, sign_in):
    client, address = sign_in(coordinator), url("study-balance", running.slug)
    letters = {row.letter: str(row.submission.system_version) for row in running.study_systems.all()}

    before = client.get(address).content.decode()
    services.lock_study(study=running, actor=coordinator)
    locked = client.get(address).content.decode()
    Study.objects.update(state="unblinded")
    after = client.get(address).content.decode()

    for letter, name in letters.items():
        assert f"{letter} is {name}" not in before + locked and f"{letter} is {name}" in after


def test_the_board_counts_readings_by_reader_and_stratum(running, coordinator, reader, sign_in):
    Reading.objects.filter(enrollment__user=reader, position__lte=4).update(status="submitted")
    Reading.objects.filter(enrollment__user=reader, position=5).update(status="in_progress")
    Reading.objects.filter(enrollment__user=reader, position=6).update(status="skipped")

    response = sign_in(coordinator).get(url("study-detail", running.slug))

    rows = {
        row.name: (row.submitted, row.in_progress, row.skipped, row.queued) for row in response.context["readers"]
    }
    assert rows == {"R01": (4, 1, 1, 6), "R02": (0, 0, 0, 12)}
    assert response.context["done"].words == "4 of 24 submitted, 1 begun, 1 skipped, 18 not begun"
    assert sum(row.total for row in response.context["strata"]) == 24
    assert response.context["strata"][0].name == "Visual Question Answering · Question answering · CT"
    assert response.context["readers"][0].bars == [("done", 0.0, 33.33), ("part", 33.33, 8.33), ("warn", 41.67, 8.33)]


def test_the_board_takes_the_same_queries_for_many_readings(running, coordinator, sign_in):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = sign_in(coordinator)

    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert client.get(url("study-detail", running.slug)).status_code == 200
        return len(seen)

    small = queries()
    enrollment, item = running.enrollments.get(reader_code="R01"), running.study_items.first()
    Reading.objects.bulk_create(
        Reading(study=running, enrollment=enrollment, study_item=item, position=100 + n) for n in range(1000)
    )

    assert queries() == small <= 25


def test_a_draft_board_says_what_comes_next(study, coordinator, sign_in):
    page = sign_in(coordinator).get(url("study-detail", study.slug)).content.decode()

    assert "Look at the balance report" in page and "Open the study" in page and "0 <small>of 0" in page


@pytest.mark.parametrize(
    ("states", "words"),
    [
        (("running", "queued"), "nobody has submitted yet"),
        (("paused", "queued"), "resume the study"),
        (("locked", "submitted"), "are final"),
        (("running", "submitted"), "Lock the study"),
        (("running", "skipped"), "nobody has submitted yet"),
    ],
)
def test_the_board_names_the_next_act(running, coordinator, sign_in, states, words):
    Study.objects.update(state=states[0])
    Reading.objects.update(status=states[1])

    assert words in sign_in(coordinator).get(url("study-detail", running.slug)).content.decode()


def test_the_state_is_moved_by_posts_of_the_coordinator(study, coordinator, reader, stranger, sign_in):
    client = sign_in(coordinator)
    assert sign_in(reader).post(url("study-open", study.slug)).status_code == 403
    assert sign_in(stranger).post(url("study-open", study.slug)).status_code == 404
    assert client.get(url("study-open", study.slug)).status_code == 405

    states = []
    for act in ("open", "pause", "resume", "lock"):
        assert client.post(url(f"study-{act}", study.slug)).status_code == 302
        states.append(Study.objects.get().state)

    assert states == ["running", "paused", "running", "locked"]


def test_a_lost_race_is_409_and_a_study_that_cannot_open_is_422(study, coordinator, other_reader, sign_in):
    client = sign_in(coordinator)
    study.enrollments.filter(user=other_reader).update(active=False)

    cannot = client.post(url("study-open", study.slug))
    late = client.post(url("study-pause", study.slug))

    assert cannot.status_code == 422 and "2 readers per item, but the study has 1" in cannot.content.decode()
    assert late.status_code == 409 and "only a running study can be paused" in late.content.decode()


def test_the_balance_page_prints_a_trial_and_then_what_was_stored(study, coordinator, sign_in):
    client = sign_in(coordinator)
    trial = client.get(url("study-balance", study.slug))
    services.open_study(study=study, actor=coordinator)

    stored = client.get(url("study-balance", study.slug))

    assert "A trial drawing" in trial.content.decode() and "Counted from the stored" in stored.content.decode()
    assert trial.context["balance"].tables == stored.context["balance"].tables
    assert trial.context["balance"].report.balanced
    assert "Balanced: " in stored.content.decode()


def test_the_balance_page_names_what_was_left_out_and_why_nothing_can_be_drawn(coordinator, reader, sign_in):
    made = world.released(3)
    first = made.release.release_items.first().revision
    first.outputs.update(status="missing")
    study = services.create_study(design=world.design(reader), actor=coordinator)

    page = sign_in(coordinator).get(url("study-balance", study.slug)).content.decode()

    assert "IT-000001" in page and "2 readers per item, but the study has 1" in page


def test_readers_who_know_too_much_are_named(coordinator, other_curator, sign_in):
    made = world.released()
    made.submissions[0].created_by = other_curator
    made.submissions[0].save()
    design = world.design(other_curator, coordinator)
    study = services.create_study(design=design, actor=coordinator)

    page = sign_in(coordinator).get(url("enrollment-list", study.slug)).content.decode()

    assert "R01 imported outputs of this study" in page
    assert "R02 is also coordinator of this study" in page


def test_an_output_that_names_its_system_is_reported(study, coordinator, sign_in):
    part = study.study_systems.first().submission.outputs.first().parts.get()
    part.text = "As ALPHA 1.0 I see a zeta-shaped lesion."
    part.save()

    assert (
        "The text of outputs for IT-000001 names a system"
        in sign_in(coordinator).get(url("study-balance", study.slug)).content.decode()
    )


def test_a_coordinator_who_reads_sees_no_system_names(coordinator, reader, sign_in):
    world.released()
    study = services.create_study(design=world.design(reader, coordinator), actor=coordinator)
    client = sign_in(coordinator)

    for name in ("study-detail", "study-balance", "enrollment-list"):
        page = client.get(url(name, study.slug)).content.decode()
        assert "Zeta" not in page and "Alpha" not in page and "SU-0001" not in page


def test_a_study_is_made_with_the_form(coordinator, reader, other_reader, sign_in):
    world.released()
    client = sign_in(coordinator)

    first = client.get(url("study-create"))
    second = client.get(url("study-create"), {"release": "liver@1.0"})
    done = client.post(url("study-create") + "?release=liver@1.0", form_data(reader, other_reader))

    assert "Liver, version 1.0" in first.content.decode() and "Zeta 1.0 (SU-0001)" in second.content.decode()
    assert done.status_code == 302 and done.headers["Location"] == url("study-balance", "round-two")
    study = Study.objects.get()
    assert (study.outputs_per_reading, study.seed, str(study.due_on)) == ("all", 5, "2026-12-24")
    assert study.enrollments.get(role="coordinator").user == coordinator


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "This field is required"),
        ({"submissions": ["SU-0099"]}, "SU-0099 is not one of the available choices"),
        ({"readers": []}, "This field is required"),
        ({"seed": "-4"}, "greater than or equal to 0"),
        ({"readers_per_item": "x"}, "Enter a whole number"),
        ({"slug": "new"}, "is an address of the product"),
        ({"cap": "0"}, "greater than or equal to 1"),
        ({"due_on": "soon"}, "Enter a valid date"),
        ({"name": "!!!"}, "must be 1 to 60 letters"),
    ],
)
def test_a_wrong_form_is_422_with_its_errors(coordinator, reader, sign_in, changes, words):
    world.released()
    other = factories.person("other_reader")

    answer = sign_in(coordinator).post(
        url("study-create") + "?release=liver@1.0", form_data(reader, other, **changes)
    )

    assert answer.status_code == 422 and words in answer.content.decode()
    assert Study.objects.count() == 0


def test_a_taken_short_name_is_422(study, coordinator, reader, other_reader, sign_in):
    data = form_data(reader, other_reader, slug=study.slug)

    answer = sign_in(coordinator).post(url("study-create") + "?release=liver@1.0", data)

    assert answer.status_code == 422 and "taken by another study" in answer.content.decode()


def test_an_unknown_release_and_none_at_all(coordinator, sign_in):
    client = sign_in(coordinator)

    assert client.get(url("study-create"), {"release": "moon@1"}).status_code == 422
    assert "Nothing to grade yet" in client.get(url("study-create")).content.decode()


def test_only_study_creators_make_studies(curator, reader, stranger, sign_in):
    answers = [sign_in(user).get(url("study-create")).status_code for user in (curator, reader, stranger)]

    assert answers == [403, 404, 404]


def test_people_are_enrolled_and_leave_on_the_page(study, coordinator, stranger, sign_in):
    client, address = sign_in(coordinator), url("enrollment-list", study.slug)

    added = client.post(address, {"username": stranger.username, "role": "reader", "cap": "4"})
    twice = client.post(address, {"username": stranger.username, "role": "reader"})
    held = study.enrollments.get(user=stranger)
    left = client.post(url("enrollment-activity", study.slug, held.pk))

    assert (added.status_code, twice.status_code, left.status_code) == (302, 422, 302)
    assert "is reader of this study already" in twice.content.decode()
    held.refresh_from_db()
    assert (held.reader_code, held.cap, held.active) == ("R03", 4, False)
    assert Event.objects.filter(verb="enrollment ended").count() == 1


def test_the_last_coordinator_cannot_leave_on_the_page(study, coordinator, sign_in):
    held = study.enrollments.get(role="coordinator")

    answer = sign_in(coordinator).post(url("enrollment-activity", study.slug, held.pk))

    assert answer.status_code == 422 and "last coordinator" in answer.content.decode()


def test_an_enrollment_of_another_study_is_not_there(study, coordinator, sign_in):
    other = factories.enroll(factories.study(study.release, slug="other"), coordinator, "coordinator")

    assert sign_in(coordinator).post(url("enrollment-activity", study.slug, other.pk)).status_code == 404


def test_a_rubric_is_printed_with_its_anchors(reader, client, sign_in):
    page = sign_in(reader).get(url("rubric-detail", "T1", "1.0")).content.decode()

    assert "Anatomical accuracy" in page and "Dangerous or unrelated" in page
    assert "anchors not clinically confirmed" in page
    assert sign_in(reader).get(url("rubric-detail", "T1", "9")).status_code == 404
    assert client.get(url("rubric-detail", "T1", "1.0")).status_code == 302


def test_an_open_study_offers_no_further_reader(study, running, coordinator, sign_in):
    page = sign_in(coordinator).get(url("enrollment-list", study.slug))

    roles = [value for value, _ in page.context["form"].fields["role"].choices]
    assert roles == ["adjudicator", "coordinator", "analyst"]
    assert "Most items</label>" not in page.content.decode()


def test_a_reader_typed_for_an_open_study_is_told_why_not(running, coordinator, stranger, sign_in):
    address = url("enrollment-list", running.slug)

    answer = sign_in(coordinator).post(address, {"username": stranger.username, "role": "reader"})

    assert answer.status_code == 422 and "a further reader would change them" in answer.content.decode()


def test_tabs_are_the_same_on_pages_of_the_study_and_of_its_numbers(running, coordinator, analyst, sign_in):
    tabs = re.compile(r'<nav class="tabs" id="study-tabs".*?</nav>', re.DOTALL)
    words = re.compile(r">([^<>]+)</a>")

    def named(user, address):
        return words.findall(tabs.search(sign_in(user).get(address).content.decode()).group())

    board = named(coordinator, url("study-detail", running.slug))
    sheet = named(coordinator, reverse("scoring:export-list", args=[running.slug]))
    numbers = ["Leaderboard", "Comparison", "Agreement", "Calibration", "Composite", "Combination", "Score sheet"]

    run = ["Board", "People", "Balance", "Consent", "Blinding", "Adjudication", "Read as a reader"]
    assert board == sheet == [*run, *numbers]
    assert named(analyst, reverse("scoring:export-list", args=[running.slug])) == numbers


def test_strata_stand_in_rows_when_they_are_many():
    columns = [f"stratum {n}" for n in range(8)]
    rows = [balance.TableRow("R01", list(range(8))), balance.TableRow("R02", [0] * 8)]

    table = balance.ShownTable("reader × stratum", columns, rows, "uneven", balanced=False)

    assert table.shown_columns == ["R01", "R02"]
    assert table.shown_rows[7] == balance.TableRow("stratum 7", [7, 0])


def test_a_drawing_that_only_lacks_outputs_is_even_between_readers():
    even = balance.ShownTable("reader × all", ["all"], [balance.TableRow("R01", [4])], "balanced", balanced=True)
    rows = [balance.TableRow("A", [4, 4]), balance.TableRow("B", [2, 2])]
    lacking = balance.ShownTable("system × reader", ["R01", "R02"], rows, "uneven", balanced=False)
    crooked = balance.ShownTable("reader × all", ["all"], [balance.TableRow("R01", [4])], "uneven", balanced=False)

    verdicts = [balance.StudyBalance(False, tables=tables).verdict for tables in ([even], [even, lacking], [crooked])]

    assert verdicts == ["balanced", "even between readers", "uneven"]
    assert balance.StudyBalance(False, tables=[lacking]).readings_per_system == "A in 8 readings, B in 4 readings"
