"""Links: their form, their places, one chain for each study and one for the site."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.audit.chain import head, verify_chains
from annotation.audit.links import canonical, digest, link_hash, moment
from annotation.audit.models import Event
from annotation.audit.record import Act, chain_of_study, record, record_many
from annotation.grading.models import Grade
from medgen import verify_trail
from scoring.exports.models import ExportJob
from tests import factories
from tests.annotation.audit.world import Graded, submit
from tests.annotation.grading import world

LINK = {
    "chain": "site",
    "sequence": 1,
    "at": datetime(2026, 3, 1, 8, 15, tzinfo=UTC),
    "actor": "7",
    "verb": "tried",
    "subject_type": "",
    "subject_id": "",
    "details": {"b": 1.0, "a": ["\u00fc", None]},
    "previous_hash": "",
}


def test_the_canonical_form_is_sorted_without_spaces_and_in_ascii():
    assert canonical(LINK["details"]) == b'{"a":["\\u00fc",null],"b":1}'


@pytest.mark.parametrize(("one", "other"), [(1.0, 1), (1e22, 10**22), (-0.0, 0), ({"x": 2.0}, {"x": 2})])
def test_numbers_that_databases_give_back_differently_have_one_form(one, other):
    assert canonical(one) == canonical(other)


def test_numbers_that_are_not_finite_have_no_form():
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"x": float("nan")})


def test_the_checksum_of_a_link_is_a_known_one():
    form = (
        b'{"actor":"7","at":"2026-03-01T08:15:00.000000+00:00","chain":"site","details":{"a":["\\u00fc",null],"b":1},'
        b'"previous_hash":"","sequence":1,"subject_id":"","subject_type":"","verb":"tried"}'
    )
    assert link_hash(LINK) == hashlib.sha256(form).hexdigest()
    assert link_hash(LINK) == "2ff50ad8241cf16235fbffcf49189e5ad564271fe2e3fa109f0099a0e4f277c4"


def test_the_script_has_the_same_form():
    facts = {**LINK, "at": moment(LINK["at"])}

    assert verify_trail.digest(facts) == link_hash(LINK) == digest(facts)


def test_moments_are_the_same_in_every_time_zone():
    there = LINK["at"].astimezone(timezone(timedelta(hours=5, minutes=30)))

    assert moment(there) == moment(LINK["at"]) == "2026-03-01T08:15:00.000000+00:00"


def test_events_are_linked_one_after_the_other(db):
    first, second = record("opened", actor=None), record("closed", actor=None, n=2)

    assert (first.sequence, first.previous_hash) == (1, "")
    assert (second.sequence, second.previous_hash) == (2, first.hash)
    assert head("site") == (2, second.hash)
    assert head("study:nothing") == (0, "")


def test_what_belongs_to_a_study_goes_into_its_chain(db, reader):
    study = factories.study()
    enrollment = factories.enroll(study, reader)
    job = ExportJob.objects.create(study=study, format="xlsx", blinded=True)

    chains = [record("x", actor=None, subject=subject).chain for subject in (study, enrollment, job, reader, None)]
    given = record("x", actor=reader, subject=reader, chain=chain_of_study(study.pk))

    own = f"study:{study.pk}"
    assert chains == [own, own, own, "site", "site"]
    assert (given.chain, given.sequence, given.actor) == (own, 4, str(reader.pk))


def test_details_are_stored_as_they_were_hashed(db):
    event = record("x", actor=None, numbers={10: "ten", 9: "nine"}, pair=(1, 2.0), word=Grade.Safety.LOW)

    stored = Event.objects.get(pk=event.pk)
    assert stored.details == {"numbers": {"10": "ten", "9": "nine"}, "pair": [1, 2.0], "word": "low"}
    assert list(verify_chains()) == []


def test_many_events_cost_as_many_statements_as_one(db):
    record("begin", actor=None)
    with CaptureQueriesContext(connection) as one:
        record("one", actor=None)
    with CaptureQueriesContext(connection) as many:
        record_many([Act("many", None, details={"n": n}) for n in range(40)], chain="site")

    assert (len(one), len(many)) == (3, 3)
    assert Event.objects.get(details__n=39).sequence == 42
    assert list(verify_chains()) == []


def test_a_submission_needs_the_same_statements_in_a_large_study(db, reader):
    made = world.small_study(reader, formats=("vqa", "image_editing", "multimodal_generation"))
    counts = []
    for reading in made.readings:
        entry = world.entry(3, criteria=world.CRITERIA[reading.study_item.revision.format])
        with CaptureQueriesContext(connection) as captured:
            submit(reading, reader, entry)
        counts.append(len(captured))

    assert max(counts[1:]) - min(counts[1:]) == 0, counts
    assert max(counts) <= 30


def test_the_seals_stand_in_the_event_of_the_submission(made: Graded):
    events = Event.objects.filter(verb__in=["grade submitted", "grade amended"], subject_id=str(made.readings[0].pk))

    carried = {grade: seal for event in events for grade, seal in event.details["grades"].items()}
    own = Grade.objects.filter(reading_output__reading=made.readings[0])
    assert carried == {str(grade.pk): grade.payload_hash for grade in own}
    assert len(carried) == 2


def test_two_salts_are_never_the_same(made: Graded):
    salts = list(Grade.objects.values_list("text_salt", flat=True))

    assert len(set(salts)) == len(salts) == 5 and {len(salt) for salt in salts} == {32}


def test_a_command_that_exports_the_trail_says_where_it_ends(made: Graded, tmp_path, capsys):
    out = tmp_path / "trail.jsonl"
    sequence, checksum = head(made.chain)

    call_command("export_trail", made.study.slug, str(out), "--json")

    said = json.loads(capsys.readouterr().out)
    assert said == {"events": 5, "grades": 5, "sequence": sequence, "hash": checksum, "path": str(out)}
    assert out.stat().st_mode & 0o777 == 0o600
    assert Event.objects.get(verb="trail exported").chain == made.chain
