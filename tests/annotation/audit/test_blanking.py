"""Words that must go are emptied by an act with a reason; everything else stays, and the trail stays valid."""

import json

import pytest
from django.db import IntegrityError, connection, transaction

from annotation.audit.models import Event
from annotation.audit.record import record
from annotation.grading.blanking import BlankingError, blank_texts
from annotation.grading.models import Grade
from scoring.exports.services import export_workbook
from tests import factories
from tests.annotation.audit.world import checked, edited, exported, first_grade, found, key

REASON = "A patient was named."


@pytest.fixture
def amended(made) -> Grade:
    return Grade.objects.get(version=2)


def test_an_operator_empties_the_words_and_nothing_else(made, operator):
    before = Grade.objects.filter(pk=first_grade().pk).values().get()

    grade = blank_texts(grade=first_grade(), actor=operator, reason=REASON)

    after = Grade.objects.filter(pk=grade.pk).values().get()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"rationale", "text_salt", "blanked_by_id"}
    assert (grade.rationale, grade.text_salt) == ("", "")
    assert found() == []


def test_a_coordinator_empties_the_reason_of_an_amendment(made, amended, coordinator):
    factories.enroll(made.study, coordinator, "coordinator")

    grade = blank_texts(grade=amended, actor=coordinator, reason=REASON)

    assert (grade.reason_for_change, grade.version) == ("[blanked]", 2)
    assert found() == []


def test_the_act_stands_in_the_chain_of_the_study_without_the_words(made, operator):
    grade = blank_texts(grade=first_grade(), actor=operator, reason=REASON)

    event = grade.blanked_by
    assert (event.verb, event.actor, event.chain) == ("grade texts blanked", str(operator.pk), made.chain)
    assert event.details == {"reason": REASON, "version": 1, "seal": grade.payload_hash}
    with connection.cursor() as cursor:
        cursor.execute("SELECT details FROM annotation_event")
        assert "liver" not in str(cursor.fetchall())


@pytest.mark.parametrize("role", ["reader", "analyst"])
def test_nobody_else_empties_words(made, analyst, role):
    actor = analyst if role == "analyst" else made.reader
    if role == "analyst":
        factories.enroll(made.study, analyst, "analyst")

    with pytest.raises(BlankingError, match="Only an operator or a coordinator"):
        blank_texts(grade=first_grade(), actor=actor, reason=REASON)

    assert first_grade().rationale


def test_a_deactivated_operator_empties_nothing(made, operator):
    operator.is_active = False

    with pytest.raises(BlankingError, match="Only an operator"):
        blank_texts(grade=first_grade(), actor=operator, reason=REASON)


@pytest.mark.parametrize(
    ("reason", "words"),
    [("", "0 characters; say why in 3 to 300"), ("x" * 301, "301 characters"), ("a\0bcd", "NUL")],
)
def test_a_reason_is_needed(made, operator, reason, words):
    with pytest.raises(BlankingError, match=words):
        blank_texts(grade=first_grade(), actor=operator, reason=reason)


def test_words_are_emptied_once(made, operator):
    grade = blank_texts(grade=first_grade(), actor=operator, reason=REASON)

    with pytest.raises(BlankingError, match="were emptied before"):
        blank_texts(grade=grade, actor=operator, reason=REASON)

    assert Event.objects.filter(verb="grade texts blanked").count() == 1


def test_a_grade_without_words_has_nothing_to_empty(made, operator):
    silent = Grade.objects.filter(rationale="", version=1).first()

    with pytest.raises(BlankingError, match="has no words to empty"):
        blank_texts(grade=silent, actor=operator, reason=REASON)


@pytest.mark.parametrize(
    "also",
    [
        {"safety": "severe"},
        {"rationale": "All is well."},
        {"text_salt": "0"},
        {"payload_hash": ""},
        {"text_digest": ""},
        {"reason_for_change": "because"},
        {"active_ms": 1},
    ],
    ids=str,
)
def test_the_database_lets_nothing_else_through(made, operator, also):
    grade = first_grade()
    event = record("grade texts blanked", actor=operator, subject=grade, chain=made.chain)
    emptied = {"rationale": "", "text_salt": "", "blanked_by": event} | also

    with pytest.raises(IntegrityError, match="never changed or removed"), transaction.atomic():
        Grade._base_manager.filter(pk=grade.pk).update(**emptied)


def test_the_database_asks_for_an_event_about_this_very_grade(made, operator):
    grade, other = first_grade(), Grade.objects.get(version=2)
    event = record("grade texts blanked", actor=operator, subject=other, chain=made.chain)
    wrong_verb = record("grade seen", actor=operator, subject=grade, chain=made.chain)

    for named in (event, wrong_verb, None):
        with pytest.raises(IntegrityError, match="never changed or removed"), transaction.atomic():
            Grade._base_manager.filter(pk=grade.pk).update(rationale="", text_salt="", blanked_by=named)


def test_words_that_were_emptied_do_not_come_back(made, operator):
    grade = blank_texts(grade=first_grade(), actor=operator, reason=REASON)

    with pytest.raises(IntegrityError, match="never changed or removed"), transaction.atomic():
        Grade._base_manager.filter(pk=grade.pk).update(rationale="Far too small a liver.")
    with pytest.raises(IntegrityError, match="never changed or removed"), connection.cursor() as cursor:
        cursor.execute("UPDATE annotation_grade SET blanked_by_id = NULL WHERE id = %s", [key(grade)])


def test_an_older_score_sheet_still_passes_and_a_new_one_has_no_words(made, operator, tmp_path, capsys):
    older, newer = tmp_path / "older.xlsx", tmp_path / "newer.xlsx"
    export_workbook(study=made.study, out=older, actor=None)
    blank_texts(grade=first_grade(), actor=operator, reason=REASON)
    export_workbook(study=made.study, out=newer, actor=None)
    trail = exported(made, tmp_path)

    assert "liver" not in trail.read_text()
    for sheet in (older, newer):
        code, words = checked(capsys, trail, sheet)
        assert code == 0, words


def test_the_script_finds_words_emptied_without_an_event(made, operator, tmp_path, capsys):
    blank_texts(grade=first_grade(), actor=operator, reason=REASON)

    def point_elsewhere(lines):
        for line in lines:
            if line["kind"] == "grade" and line["blanked_by"]:
                line["blanked_by"] = 1

    code, words = checked(capsys, edited(exported(made, tmp_path), point_elsewhere))

    assert code == 1 and "its words were emptied, and no link says why" in words
    assert json.loads(exported(made, tmp_path).read_text().splitlines()[0])["kind"] == "trail"
