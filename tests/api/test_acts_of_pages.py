"""Acts that were on pages only: the same services, rules and trail by the interface for programs."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.utils import timezone

from annotation.audit.models import Event
from annotation.datasets.models import DatasetMember
from annotation.people import services
from annotation.people.models import User
from annotation.studies import unblinding
from annotation.studies.models import Consent, ConsentForm, UnblindingRisk
from tests import factories
from tests.api.world import Program

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(coordinator, reader):
    factories.item()
    release = factories.release()
    made = factories.study(release, submissions=[factories.submission(release)], state="running")
    factories.enroll(made, coordinator, "coordinator")
    enrolled = factories.enroll(made, reader)
    factories.reading(enrolled, made.study_items.get(), list(made.study_systems.get().submission.outputs.all()))
    return made


def verbs() -> list[str]:
    return list(Event.objects.order_by("id").values_list("verb", flat=True))


def test_a_curator_closes_a_dataset_and_says_who_is_in_it(curator):
    factories.item()
    other = factories.person("colleague", is_curator=True)
    program = Program(curator)

    closed = program.post("datasets/liver/access/", {"members_only": True})
    added = program.post("datasets/liver/members/", {"username": "colleague", "role": "viewer"})
    again = program.post("datasets/liver/members/", {"username": "colleague", "role": "viewer"})
    listed = program.get("datasets/liver/members/")
    removed = program.send("delete", f"datasets/liver/members/{other.pk}/")
    last = program.send("delete", f"datasets/liver/members/{curator.pk}/")

    assert (closed.status, closed.data["members_only"]) == (200, True)
    assert (added.status, added.data["role"], added.data["added_by"]) == (201, "viewer", curator.username)
    assert again.status == 422
    assert [row["username"] for row in listed.data["results"]] == [curator.username, "colleague"]
    assert removed.status == 204
    assert last.status == 422
    assert "last curator" in last.data["detail"]
    assert DatasetMember.objects.get().user == curator


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"username": "nobody", "role": "viewer"}, 422, "username"),
        ({"username": "reader", "role": "owner"}, 400, "role"),
        ({"username": "reader", "role": "viewer", "is_curator": True}, 400, "is_curator"),
    ],
)
def test_a_member_that_cannot_be_is_refused_by_field(curator, reader, body, status, field):
    factories.item()

    answer = Program(curator).post("datasets/liver/members/", body)

    assert (answer.status, answer.fields) == (status, [field])


def test_a_key_to_read_changes_no_members(curator):
    factories.item()
    program = Program(curator, ("read",))

    assert program.get("datasets/liver/members/").status == 200
    assert program.post("datasets/liver/access/", {"members_only": True}).status == 403


def test_a_coordinator_scans_and_decides_risks(study, coordinator):
    output = study.study_systems.get().submission.outputs.get()
    UnblindingRisk.objects.create(study=study, output=output, kind="text", evidence={"places": [], "n": 1})
    size = UnblindingRisk.objects.create(study=study, output=output, kind="size", evidence={"is": "1", "others": []})
    program, address = Program(coordinator), f"studies/{study.slug}/unblinding-risks/"

    listed = program.get(address, kind="text", decision="open")
    masked = program.post(f"{address}decisions/", {"kind": "text", "decision": "masked"})
    unsaid = program.post(f"{address}decisions/", {"risks": [size.pk], "decision": "accepted"})
    unknown = program.post(f"{address}decisions/", {"risks": [size.pk, 10**9], "decision": "masked"})
    both = program.post(f"{address}decisions/", {"risks": [size.pk], "kind": "size", "decision": "masked"})
    scanned = program.post(f"{address}scan/")

    assert [(row["letter"], row["item"]) for row in listed.data["results"]] == [(None, "IT-000001")]
    assert masked.data == {"decided": 1}
    assert (unsaid.status, unknown.status, both.status) == (422, 422, 422)
    assert unknown.fields == ["risks"]
    assert scanned.data == {"open": 1}
    assert sorted(study.unblinding_risks.values_list("kind", "decision")) == [("size", "open"), ("text", "masked")]
    assert program.get(address, reason="x").status == 400


def test_a_coordinator_who_reads_meets_no_risks_and_no_preview(study, coordinator):
    enrolled = factories.enroll(study, coordinator)
    outputs = list(study.study_systems.get().submission.outputs.all())
    factories.reading(enrolled, study.study_items.get(), outputs)
    program = Program(coordinator)

    assert program.get(f"studies/{study.slug}/unblinding-risks/").status == 404
    assert program.post(f"studies/{study.slug}/unblinding-risks/scan/").status == 404
    assert program.get(f"studies/{study.slug}/preview/1/").status == 404


def test_a_preview_is_what_the_workstation_gets_at_addresses_of_the_interface(study, coordinator):
    program = Program(coordinator)

    shown = program.get(f"studies/{study.slug}/preview/1/")

    assert (shown.status, shown.data["preview"], shown.data["of"]) == (200, True, 1)
    assert shown.data["urls"]["self"] == f"/api/v1/studies/{study.slug}/preview/1/"
    assert all(pane["frames"] is None or pane["frames"].startswith("/api/v1/") for pane in shown.data["panes"])
    assert program.get(f"studies/{study.slug}/preview/2/").status == 404


def test_a_further_version_of_the_consent_is_published_once(study, coordinator, reader):
    program, address = Program(coordinator), f"studies/{study.slug}/consent-forms/"

    first = program.post(address, {"text": "We keep your grades."}, key="one")
    repeat = program.post(address, {"text": "We keep your grades."}, key="one")
    same = program.post(address, {"text": "We keep your grades."})
    Consent.objects.create(
        enrollment=study.enrollments.get(user=reader), form=ConsentForm.objects.get(), act=Consent.Act.GIVEN
    )
    listed = program.get(address)

    assert (first.status, first.data["version"], first.data["n_given"]) == (201, 1, 0)
    assert repeat.headers["Idempotent-Replayed"] == "true"
    assert same.status == 422
    assert [(row["version"], row["n_given"]) for row in listed.data["results"]] == [(1, 1)]
    assert program.post(address, {"words": "x"}).fields == ["words"]


def test_an_operator_reads_what_is_kept(study, operator):
    answer = Program(operator).get("retention/")

    assert answer.status == 200
    assert {row["username"] for row in answer.data["people"]} == set(User.objects.values_list("username", flat=True))
    assert [row["readers"] for row in answer.data["studies"]] == [1]
    assert Program(operator, ("read",)).get("retention/").status == 403


def test_an_operator_lifts_a_pause(operator, reader):
    AccessAttempt.objects.create(username="reader", ip_address="10.0.0.1", failures_since_start=9)
    program = Program(operator)

    (waiting,) = program.get("people/pauses/").data["results"]
    lifted = program.send("delete", f"people/pauses/{waiting['id']}/")

    assert (waiting["username"], waiting["failures"]) == ("reader", 9)
    assert lifted.status == 204
    assert program.get("people/pauses/").data["results"] == []
    assert program.send("delete", f"people/pauses/{waiting['id']}/").status == 404


def test_an_operator_sets_an_address_ends_sessions_and_erases(operator, stranger):
    program, address = Program(operator), f"people/{stranger.pk}/"

    wrong = program.post(f"{address}email/", {"email": "no address"})
    saved = program.post(f"{address}email/", {"email": "s@example.org"})
    ended = program.send("delete", f"{address}sessions/")
    too_early = program.post(f"{address}erasure/")
    services.deactivate_person(user=stranger, actor=operator)
    erased = program.post(f"{address}erasure/")

    assert (wrong.status, saved.data["email"], ended.status, too_early.status) == (422, "s@example.org", 204, 422)
    assert (erased.data["name"], erased.data["email"]) == ("", "")
    assert erased.data["username"].startswith("erased-")
    assert {"e-mail set", "sessions ended", "person erased"} <= set(verbs())


def test_an_invitation_stands_in_the_trail_and_a_closed_account_gets_none(operator, stranger):
    program = Program(operator)

    made = program.post(f"people/{stranger.pk}/invitation/")
    services.deactivate_person(user=stranger, actor=operator)
    refused = program.post(f"people/{stranger.pk}/invitation/")

    assert made.data["path"].startswith("/invitation/")
    assert Event.objects.filter(verb="invitation made", actor=str(operator.pk)).count() == 1
    assert refused.status == 422


def test_the_trail_is_asked_since_a_day(operator):
    program, today = Program(operator), timezone.now().date()

    assert program.get("trail/", since=str(today)).data["count"] > 0
    assert program.get("trail/", since=str(today + timedelta(days=1))).data["count"] == 0
    assert program.get("trail/", since="yesterday").status == 400


def test_scanning_is_the_act_of_the_page(study, coordinator):
    n_open = unblinding.scan(study=study, actor=coordinator)

    assert Program(coordinator).post(f"studies/{study.slug}/unblinding-risks/scan/").data == {"open": n_open}


def test_two_programs_of_two_people_open_the_names_of_a_locked_study(study, coordinator, analyst):
    factories.enroll(study, analyst, "analyst")
    one, other, address = Program(coordinator), Program(analyst), f"studies/{study.slug}/unblinding/"
    early = one.post(f"{address}ask/", {"reason": "Everything is read."})
    one.post(f"studies/{study.slug}/lock/")

    short = one.post(f"{address}ask/", {"reason": "now"})
    asked = one.post(f"{address}ask/", {"reason": "Everything is read."})
    withdrawn = other.post(f"{address}withdraw/")
    frozen = other.post(f"{address}freeze/", {"reason": "A flag was decided."})
    one.post(f"{address}ask/", {"reason": "Everything is read."})
    same = one.post(f"{address}confirm/")
    told = other.get(address)
    opened = other.post(f"{address}confirm/")

    assert (early.status, short.status, same.status) == (409, 422, 422)
    assert (asked.status, asked.data["asked"]["by"], asked.data["may_confirm"]) == (200, coordinator.username, False)
    assert withdrawn.data["asked"] is None and frozen.data["frozen"]["number"] == 2
    assert told.data["may_confirm"] and told.data["frozen"]["facts"]["design"] == study.design_hash
    assert not told.data["names_are_open"] and opened.data["names_are_open"]
    assert opened.data["confirmed"]["by"] == analyst.username and opened.data["state"] == "unblinded"
    assert one.get(f"studies/{study.slug}/leaderboard/").data["frozen"] == frozen.data["frozen"]["hash"]
    assert verbs()[-1] == "study unblinded"
