"""Comparing through the reader's door: what is asked, stored once, amended with a reason, sealed, and kept blind."""

import pytest
from django.db import connection

from annotation.adjudication import showing
from annotation.adjudication.queue import cases_of
from annotation.adjudication.services import Decision, decide
from annotation.audit.errors import AppendOnlyError
from annotation.audit.models import Event
from annotation.audit.triggers import lifted
from annotation.grading import statements
from annotation.grading.models import Draft, Grade
from annotation.grading.progress import board, worklist
from annotation.grading.trail import export_trail
from annotation.preferences.models import Preference
from annotation.studies.models import Reading
from annotation.studies.services import enroll_person
from medgen import verify_trail
from tests.annotation.grading.test_reading_json import address
from tests.annotation.preferences.world import CODES, body, comparing_study, preferred

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def made(reader):
    return comparing_study(reader)


@pytest.fixture
def client(reader, sign_in):
    return sign_in(reader)


def submit(client, reading, of=None, **fields):
    return client.post(address(reading, "grade-submit"), body(of, **fields), content_type=JSON)


def shown(client, reading):
    return client.get(address(reading, "reading-json")).json()


def test_a_pair_is_asked_by_places_and_without_names(made, client):
    data = shown(client, made.readings[0])

    assert data["preference"]["mode"] == "pair"
    assert data["preference"]["offered"] == [
        ["left", "A is better"], ["tie", "Equally good"], ["right", "B is better"], ["both_bad", "Neither is usable"],
    ]  # fmt: skip
    assert [one["code"] for one in data["preference"]["criteria"]] == ["overall"]
    assert "zephyrion" not in str(data) and "quasarnet" not in str(data)


def test_a_preference_is_stored_whole_and_no_grade_beside_it(made, client, reader):
    reading = made.readings[0]
    said = preferred(
        "right", strength="clear", rationale="A removes the drain.", reference_wrong=True,
        outputs={"A": {"safety": "severe", "errors": [{"code": "omitted", "nowhere": True}]}},
    )  # fmt: skip

    answer = submit(client, reading, said)

    assert answer.status_code == 200 and answer.json()["version"] == 1
    row = Preference.objects.get()
    assert (row.author, row.choice, row.chosen.label, row.strength) == (reader, "right", "B", "clear")
    assert [(flag.reading_output.label, flag.safety) for flag in row.flags.all()] == [("A", "severe")]
    assert [error.error_code_id for error in row.errors.all()] == ["omitted"]
    assert Reading.objects.get(pk=reading.pk).status == "submitted" and not Grade.objects.exists()
    assert shown(client, reading)["grade"]["payload"]["preference"]["choices"] == {"overall": "right"}


def test_criteria_are_compared_where_the_design_says_so(reader, client):
    reading = comparing_study(reader, criteria=True).readings[0]
    asked = [one["code"] for one in shown(client, reading)["preference"]["criteria"]]
    choices = {code: "tie" for code in asked[1:]} | {"anatomical_accuracy": "left"}

    short = submit(client, reading, preferred())
    answer = submit(client, reading, preferred(choices=choices))

    assert asked[:4] == ["overall", *CODES]
    assert short.status_code == 422 and {one["field"] for one in short.json()["errors"]} == set(asked[1:])
    assert answer.status_code == 200
    by_code = {one.criterion.code: (one.choice, one.chosen and one.chosen.label) for one in row_choices()}
    assert by_code["anatomical_accuracy"] == ("left", "A") and by_code["instruction_compliance"] == ("tie", None)


def row_choices():
    return Preference.objects.get().choices.select_related("criterion", "chosen")


def test_the_best_of_all_is_chosen_by_its_label(reader, client):
    reading = comparing_study(reader, mode="rank").readings[0]

    answer = submit(client, reading, preferred("B"))

    assert answer.status_code == 200
    row = Preference.objects.get()
    assert (row.choice, row.chosen.label) == ("best", "B")
    assert shown(client, reading)["grade"]["payload"]["preference"]["choices"] == {"overall": "B"}


def test_the_same_key_again_is_the_same_receipt_and_another_entry_is_refused(made, client):
    sent = body()
    url = address(made.readings[0], "grade-submit")

    first, again = (client.post(url, sent, content_type=JSON) for _ in range(2))
    other = client.post(url, sent | {"payload": preferred("tie")}, content_type=JSON)

    assert first.json() == again.json() and Preference.objects.count() == 1
    assert other.status_code == 422 and "submit_key" in str(other.json())


def test_a_second_submission_is_refused_and_an_amendment_needs_a_reason(made, client):
    reading = made.readings[0]
    submit(client, reading)

    second = submit(client, reading, preferred("tie"))
    short = submit(client, reading, preferred("tie"), reason="x")
    stale = submit(client, reading, preferred("tie"), reason="looked again", base_version=7)
    amended = submit(client, reading, preferred("tie"), reason="looked again", base_version=1)

    assert (second.status_code, short.status_code, stale.status_code) == (409, 422, 409)
    assert amended.json()["version"] == 2
    assert list(Preference.objects.order_by("version").values_list("choice", flat=True)) == ["left", "tie"]
    assert list(Event.objects.filter(verb__startswith="preference").values_list("verb", flat=True)) == [
        "preference submitted", "preference amended",
    ]  # fmt: skip


def test_a_draft_is_kept_as_it_is_and_goes_with_the_submission(made, client):
    reading, half = made.readings[0], {"preference": {"choices": {}, "rationale": "first thoughts"}, "outputs": {}}
    draft = {"payload": half, "client_id": "window", "revision": 1, "active_ms": 0, "idle_ms": 0}

    client.post(address(reading, "draft-save"), draft, content_type=JSON)

    assert shown(client, reading)["draft"]["payload"] == half
    submit(client, reading)
    assert not Draft.objects.exists()


def test_nobody_else_can_submit_or_see(made, other_reader, stranger, sign_in):
    reading = made.readings[0]

    for person in (other_reader, stranger):
        client = sign_in(person)
        assert submit(client, reading).status_code == 404
        assert client.get(address(reading, "reading-json")).status_code == 404


def test_rows_are_never_changed_and_a_change_past_the_program_is_found(made, client):
    submit(client, made.readings[0], preferred("left", rationale="A is sharper than B."))
    row = Preference.objects.get()

    with pytest.raises(AppendOnlyError):
        row.delete()
    assert not list(statements.verify_statements())
    with lifted(connection, ["annotation_preference"]):
        Preference._base_manager.filter(pk=row.pk).update(rationale="B is sharper than A.")
        connection.check_constraints()  # PostgreSQL alters no table that still has checks to do
    assert [str(finding.problem) for finding in statements.verify_statements()] == [
        "was altered: its seal does not fit"
    ]


def test_an_exported_trail_holds_preferences_and_shows_a_change(made, client, tmp_path, capsys):
    submit(client, made.readings[0], preferred("left", rationale="A is sharper than B."))
    trail = tmp_path / "trail.jsonl"

    export_trail(study=made.study, out=trail, actor=None)

    assert verify_trail.main([str(trail)]) == 0
    trail.write_text(trail.read_text().replace("A is sharper", "B is sharper"))
    assert verify_trail.main([str(trail)]) == 1
    assert "was altered: its seal does not fit" in capsys.readouterr().out


def test_the_board_counts_flags_and_the_worklist_shows_the_version(made, client, reader):
    submit(client, made.readings[0], preferred(
        rationale="B invents a nodule.", outputs={"B": {"safety": "moderate", "errors": [{"code": "vague"}]}}
    ))  # fmt: skip

    told = board(made.study)

    assert (told["moderate"], told["severe"], told["graded"]) == (1, 0, 1)
    assert worklist(made.study, reader)["rows"][0][1] == 1


def test_severe_harm_said_while_comparing_is_a_case_that_is_decided(made, client, curator):
    harm = {"B": {"safety": "severe", "errors": [{"code": "vague", "nowhere": True}]}}
    submit(client, made.readings[0], preferred(rationale="B invents a nodule.", outputs=harm))
    enroll_person(study=made.study, user=curator, role="adjudicator", actor=None)

    (case,) = cases_of(made.study)

    (told,) = showing.grades_told(made.study, case)
    assert (case.subject, case.state, case.is_severe) == ("safety", "open", True)
    assert (told["safety"], told["rationale"]) == ("severe", "(shown as B) B invents a nodule.")
    assert set(showing.content(made.study, case, "/panes/0/")) == {"item", "panes", "outputs"}
    decision = Decision(cause="reader_error", rationale="The nodule is there.", seen=case.seen, verdict="refuted")
    decide(study=made.study, key=case.key, actor=curator, decision=decision)
    assert cases_of(made.study)[0].state == "decided"
