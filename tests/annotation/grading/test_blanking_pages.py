"""Words that must go are found, emptied with a reason, and named as emptied wherever they stood."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from annotation.audit.models import Event
from annotation.grading.models import Grade
from annotation.studies.models import Study
from medgen import verify_trail
from scoring.exports.services import export_workbook
from tests import factories
from tests.annotation.audit.world import Graded, exported, first_grade, graded
from tests.api.world import Program

pytestmark = pytest.mark.django_db
BECAUSE = "it names a patient"


@pytest.fixture
def made(reader, curator, coordinator) -> Graded:
    rows = graded(reader, curator)
    factories.enroll(rows.study, coordinator, "coordinator")
    return rows


def texts(study: Study) -> str:
    return reverse("annotation:text-list", args=[study.slug])


def blank(grade: Grade) -> str:
    return reverse("annotation:grade-blank", args=[grade.pk])


def test_a_coordinator_sees_all_words_and_empties_some(made, coordinator, client):
    client.force_login(coordinator)
    grade = first_grade()

    listed = client.get(texts(made.study)).content.decode()
    asked = client.get(blank(grade)).content.decode()
    done = client.post(blank(grade), {"reason": BECAUSE, "confirm": "on"})
    after = client.get(texts(made.study)).content.decode()

    assert "Far too small a liver" in listed
    assert "Saw the prior later." in listed
    assert "Far too small a liver" in asked
    assert done.status_code == 302
    assert "Far too small" not in after
    assert f"blanked on {Event.objects.get(verb='grade texts blanked').at:%Y-%m-%d} because {BECAUSE}" in after
    assert Event.objects.get(verb="grade texts blanked").actor == str(coordinator.pk)


@pytest.mark.parametrize(
    "sent", [{}, {"reason": BECAUSE}, {"confirm": "on"}, {"reason": "x", "confirm": "on"}, {"reason": "x" * 301}]
)
def test_nothing_is_emptied_without_a_reason_and_a_tick(made, coordinator, client, sent):
    client.force_login(coordinator)

    assert client.post(blank(first_grade()), sent).status_code == 422
    assert first_grade().rationale


def test_an_operator_finds_a_text_by_its_words_and_sees_no_more(made, operator, client):
    client.force_login(operator)

    nothing = client.get(texts(made.study)).content.decode()
    found = client.post(texts(made.study), {"q": "JÜRGEN"}).content.decode()
    short = client.post(texts(made.study), {"q": "j"})
    asked = client.get(blank(first_grade())).content.decode()

    assert "Look for what must go" in nothing
    assert "liver" not in nothing
    assert "Jürgen" in found
    assert "Saw the prior later." not in found
    assert short.status_code == 422
    assert "liver" not in asked
    assert "(30 characters)" in asked


def test_what_is_looked_for_stands_in_no_address_trail_or_log(made, operator, client, caplog):
    client.force_login(operator)

    in_address = client.get(texts(made.study), {"q": "Jürgen"})
    client.post(texts(made.study), {"q": "Jürgen"})

    assert in_address.status_code == 400
    assert "rgen" not in caplog.text
    assert "rgen" not in str(list(Event.objects.values_list("details", flat=True)))


def test_who_still_reads_sees_no_words_of_others(made, coordinator, operator, client):
    item = made.study.study_items.first()
    outputs = [place.output for place in made.readings[0].reading_outputs.all()]
    for person in (coordinator, operator):
        factories.reading(factories.enroll(made.study, person), item, outputs)
        client.force_login(person)
        assert client.get(texts(made.study)).status_code == 403
        assert client.post(blank(first_grade()), {"reason": BECAUSE, "confirm": "on"}).status_code == 403


def test_who_graded_reads_when_and_why_the_words_went(made, coordinator, reader, client):
    reading = made.readings[0]
    grade = Grade.objects.get(version=2)
    client.force_login(coordinator)
    client.post(blank(grade), {"reason": BECAUSE, "confirm": "on"})
    client.force_login(reader)

    page = client.get(reverse("annotation:reading-detail", args=[reading.pk])).content.decode()
    data = client.get(reverse("annotation:reading-json", args=[reading.pk])).json()
    told = Program(reader).get(f"readings/{reading.pk}/").data

    note = f"blanked on {Event.objects.get(verb='grade texts blanked').at:%Y-%m-%d} because {BECAUSE}"
    assert f"Your words on output A were {note}." in page
    assert data["grade"]["blanked"] == told["grade"]["blanked"] == {"A": note}
    assert data["grade"]["payload"]["outputs"]["A"]["rationale"] == ""


def test_the_score_sheet_says_it_too_and_still_fits_the_trail(made, coordinator, client, tmp_path, capsys):
    client.force_login(coordinator)
    client.post(blank(first_grade()), {"reason": BECAUSE, "confirm": "on"})
    sheet = tmp_path / "sheet.xlsx"
    export_workbook(study=made.study, out=sheet, actor=coordinator, blinded=True)

    cells = [cell.value for row in load_workbook(sheet, read_only=True)["Grades"] for cell in row]
    code = verify_trail.main([str(exported(made, tmp_path)), str(sheet)])

    note = f"[blanked on {Event.objects.get(verb='grade texts blanked').at:%Y-%m-%d} because {BECAUSE}]"
    assert note in cells
    assert (code, capsys.readouterr().err) == (0, "")


def test_programs_find_and_empty_words_by_the_same_rules(made, coordinator, operator):
    grade, slug = first_grade(), made.study.slug
    program, keeper = Program(coordinator), Program(operator)

    found = keeper.post(f"studies/{slug}/texts/search/", {"q": "jürgen"})
    kept = keeper.post(f"studies/{slug}/texts/search/", {"q": "jürgen"}, key="again")
    listed = program.get(f"studies/{slug}/texts/")
    emptied = program.post(f"grades/{grade.pk}/blanking/", {"reason": BECAUSE})
    again = program.post(f"grades/{grade.pk}/blanking/", {"reason": BECAUSE})

    assert (found.data["count"], found.data["results"][0]["grade"]) == (1, str(grade.pk))
    assert kept.status == 400
    assert {row["version"] for row in listed.data["results"]} == {1, 2}
    assert emptied.data["passages"] == []
    assert emptied.data["blanked"].endswith(BECAUSE)
    assert again.status == 422
    assert keeper.get(f"studies/{slug}/texts/").data["count"] == 0
    assert Program(coordinator, ("read",)).get(f"studies/{slug}/texts/").status == 403


def test_the_list_needs_no_more_queries_with_more_words(made, coordinator, client):
    client.force_login(coordinator)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            client.get(texts(made.study))
        counts.append(len(captured))
        place = made.readings[1].reading_outputs.get()
        for version in range(2, 12):
            row = {"version": version, "rationale": "More.", "reason_for_change": "Why.", "submit_key": uuid.uuid4()}
            Grade.objects.get_or_create(reading_output=place, author=made.reader, version=version, defaults=row)

    assert counts[0] == counts[1] < 16
