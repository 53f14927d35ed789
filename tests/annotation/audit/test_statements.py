"""Consent forms, consents and guesses are sealed as grades are: what is altered, added or removed is found."""

import json
from typing import Any

import pytest
from django.db import connection

from annotation.audit.models import Event
from annotation.grading.guessing import record_guesses
from annotation.grading.models import SystemGuess
from annotation.grading.statements import verify_statements
from annotation.studies import consent
from annotation.studies.models import Consent, ConsentForm, Enrollment, Study
from tests.annotation.audit.world import Graded, checked, edited, exported, found, key, tamper

pytestmark = pytest.mark.django_db
TABLES = {
    "consent form": ("annotation_consentform", "text", ConsentForm),
    "consent": ("annotation_consent", "act", Consent),
    "guess": ("annotation_systemguess", "why", SystemGuess),
}


@pytest.fixture
def said(made, reader) -> Graded:
    """A form, a consent, a withdrawal, a return and guesses after one reading."""
    Study.objects.filter(pk=made.study.pk).update(guess_block=1)
    enrollment = Enrollment.objects.get(study=made.study, user=reader)
    consent.publish_form(study=made.study, instructions="Grade.", text="We keep grades.", actor=None)
    consent.give_consent(enrollment=enrollment, version=1, actor=reader)
    consent.withdraw(enrollment=enrollment, actor=reader)
    consent.give_consent(enrollment=enrollment, version=1, actor=reader)
    places = made.readings[0].reading_outputs.values_list("label", flat=True)
    guesses = {label: {"guess": "Zebra", "sure": 4, "why": "its frame"} for label in places}
    record_guesses(reading=made.readings[0], actor=reader, data={"guesses": guesses})
    return made


def row(kind: str) -> Any:
    return TABLES[kind][2].objects.order_by("pk").first()


def test_what_was_said_fits_its_seals(said, tmp_path, capsys):
    code, words = checked(capsys, exported(said, tmp_path))

    assert found() == []
    assert (code, "0 found" in words) == (0, True)
    assert Consent.objects.count() == 3
    assert sum('"statement"' in line for line in exported(said, tmp_path).read_text().splitlines()) == 5


@pytest.mark.parametrize("kind", TABLES)
def test_an_altered_row_is_found_in_place_and_by_the_script(said, tmp_path, capsys, kind):
    table, column, _ = TABLES[kind]
    tamper(f"UPDATE {table} SET {column} = 'x' WHERE id = %s", key(row(kind)))

    code, words = checked(capsys, exported(said, tmp_path))

    assert f"{kind} {row(kind).pk}: was altered: its seal does not fit" in found()
    assert (code, f"{kind} {row(kind).pk} was altered" in words) == (1, True)


def test_a_form_that_was_altered_no_longer_fits_who_agreed_to_it(said):
    tamper("UPDATE annotation_consentform SET text = 'We sell grades.' WHERE id = %s", row("consent form").pk)

    assert sum(line.startswith("consent ") and "altered" in line for line in found()) == 4


@pytest.mark.parametrize("kind", ["consent", "guess"])
def test_a_removed_row_is_found_in_place_and_by_the_script(said, tmp_path, capsys, kind):
    gone = row(kind)
    tamper(f"DELETE FROM {TABLES[kind][0]} WHERE id = %s", key(gone))

    code, words = checked(capsys, exported(said, tmp_path))

    assert any(line.startswith(f"{kind} {gone.pk}: was removed; link ") for line in found())
    assert (code, f"{kind} {gone.pk} was removed" in words) == (1, True)


def test_an_added_consent_is_found_in_place_and_by_the_script(said, tmp_path, capsys):
    first = row("consent")
    added = Consent.objects.create(enrollment=first.enrollment, form=first.form, act=Consent.Act.GIVEN)

    code, words = checked(capsys, exported(said, tmp_path))

    assert found() == [f"consent {added.pk}: was added past the program: no event speaks of it"]
    assert (code, f"consent {added.pk} was added or moved" in words) == (1, True)


def test_an_added_guess_is_found(said):
    place = said.readings[1].reading_outputs.first()
    added = SystemGuess.objects.create(reading_output=place, author=said.reader, guess="Yak")

    assert found() == [f"guess {added.pk}: was added past the program: no event speaks of it"]


def test_a_consent_moved_to_another_reader_is_found(said, analyst):
    other = Enrollment.objects.create(study=said.study, user=analyst, role="reader", reader_code="R99")
    tamper("UPDATE annotation_consent SET enrollment_id = %s WHERE id = %s", other.pk, row("consent").pk)

    assert f"consent {row('consent').pk}: was altered: its seal does not fit" in found()


def test_an_edited_statement_of_a_trail_is_found(said, tmp_path, capsys):
    def change(lines: list[dict[str, Any]]) -> None:
        next(line for line in lines if line["kind"] == "statement" and "guess" in line["key"])["facts"]["sure"] = 1

    code, words = checked(capsys, edited(exported(said, tmp_path), change))

    assert (code, "its seal does not fit" in words) == (1, True)


def test_rows_of_before_seals_are_covered_by_their_events_and_no_more(said):
    """Events of before carry no seals; here their details are taken away, as such a home has them."""
    for event in Event.objects.filter(details__has_key="seals"):
        details = json.dumps({name: value for name, value in event.details.items() if name != "seals"})
        cast = "%s::jsonb" if connection.vendor == "postgresql" else "%s"
        tamper(f"UPDATE annotation_event SET details = {cast} WHERE id = %s", details, event.pk)

    assert list(verify_statements()) == []

    first = row("consent")
    Consent.objects.create(enrollment=first.enrollment, form=first.form, act=Consent.Act.GIVEN)

    assert len(list(verify_statements())) == 1
