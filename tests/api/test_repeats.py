"""`Idempotency-Key`: the same request twice is done once; another body under the key is refused."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation.audit.models import Event
from annotation.people.models import IdempotencyKey, User
from annotation.rest import idempotency
from tests.api.world import Program, cast, world

pytestmark = pytest.mark.django_db

BODY = {"username": "new", "name": "New"}


def test_the_same_key_and_body_get_the_same_answer_and_one_act(operator):
    program = Program(operator)

    first = program.post("people/", BODY, key="k1")
    again = program.post("people/", dict(reversed(BODY.items())), key="k1")

    assert (first.status, again.status) == (201, 201)
    assert again.data == first.data and again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert User.objects.filter(username="new").count() == 1
    assert Event.objects.filter(verb="person created").count() == 1


def test_another_body_or_address_under_the_key_is_refused(operator):
    program = Program(operator)
    program.post("people/", BODY, key="k1")

    body = program.post("people/", BODY | {"username": "other"}, key="k1")
    address = program.post(f"people/{operator.pk}/roles/", {"curator": True}, key="k1")

    assert (body.status, address.status) == (422, 422)
    assert body.data["type"] == "urn:medgen:problem:key-reused"
    assert not User.objects.filter(username="other").exists()
    operator.refresh_from_db()
    assert not operator.is_curator


def test_a_refused_act_leaves_nothing_and_can_be_sent_again(operator):
    program = Program(operator)
    refused = program.post("people/", BODY | {"username": "operator"}, key="k1")

    mended = program.post("people/", BODY, key="k1")

    assert (refused.status, mended.status) == (422, 201)


def test_keys_of_two_people_are_two_keys(operator, curator):
    User.objects.filter(pk=curator.pk).update(is_operator=True)
    curator.refresh_from_db()

    one = Program(operator).post("people/", BODY, key="k1")
    other = Program(curator).post("people/", BODY | {"username": "other"}, key="k1")

    assert (one.status, other.status) == (201, 201)


def test_a_key_is_forgotten_after_a_day_and_swept(operator):
    program = Program(operator)
    program.post("people/", BODY, key="k1")
    IdempotencyKey.objects.update(created_at=timezone.now() - idempotency.KEPT - timedelta(minutes=1))

    again = program.post("people/", BODY | {"username": "later"}, key="k1")
    program.post("people/", BODY | {"username": "last"}, key="k2")

    assert again.status == 201
    assert IdempotencyKey.objects.count() == 2


def test_a_key_that_is_being_worked_on_is_a_conflict_until_it_is_abandoned(operator):
    program = Program(operator)
    digest = idempotency.digest_of(BODY)
    row = IdempotencyKey.objects.create(
        user=operator, key="k1", method="POST", path="/api/v1/people/", body_digest=digest
    )

    busy = program.post("people/", BODY, key="k1")
    IdempotencyKey.objects.filter(pk=row.pk).update(
        created_at=timezone.now() - idempotency.ABANDONED - timedelta(minutes=1)
    )
    taken_over = program.post("people/", BODY, key="k1")

    assert busy.status == 409 and busy.headers["Retry-After"] == "2"
    assert taken_over.status == 201


@pytest.mark.parametrize("key", ["", "x" * 65, "tab\there"])
def test_a_key_that_is_none_is_refused(key, operator):
    answer = Program(operator).post("people/", BODY, key=key)

    assert answer.status == 400
    assert not User.objects.filter(username="new").exists()


def test_an_answer_without_a_body_is_replayed_too(operator, curator, coordinator, analyst, reader, stranger):
    rows = world(cast(operator, curator, coordinator, analyst, reader, stranger))
    program, address = Program(reader), f"readings/{rows['reading'].pk}/skip/"

    first = program.post(address, {"reason": "image problem"}, key="k1")
    again = program.post(address, {"reason": "image problem"}, key="k1")

    assert (first.status, again.status) == (204, 204) and again.data == b""
    assert Event.objects.filter(verb="reading skipped").count() == 1
