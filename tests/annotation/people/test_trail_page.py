"""The operator's trail: acts of access in words, declared filters only, nothing that unblinds."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.audit.models import Event
from annotation.audit.record import record
from annotation.people import services
from annotation.people.models import User
from tests import factories

pytestmark = pytest.mark.django_db
TRAIL = reverse("annotation:event-list")


def verbs(answer) -> list[str]:
    return [row.event.verb for row in answer.context["rows"]]


def test_acts_of_access_are_in_the_trail_with_names(sign_in, client, operator, reader):
    client.post(reverse("annotation:sign-in"), {"username": "reader", "password": "wrong"})
    client.post(reverse("annotation:sign-in"), {"username": "reader", "password": factories.PASSWORD})
    keeper = sign_in(operator)
    keeper.post(reverse("annotation:person-invite", args=[reader.pk]))
    keeper.post(reverse("annotation:person-roles", args=[reader.pk]), {"curator": "on"})
    keeper.post(reverse("annotation:person-email", args=[reader.pk]), {"email": "reader@example.org"})
    keeper.post(reverse("annotation:person-activity", args=[reader.pk]))

    answer = keeper.get(TRAIL)

    assert verbs(answer) == [
        "person deactivated",
        "e-mail set",
        "roles set",
        "invitation made",
        "signed in",
        "sign-in failed",
    ]
    page = answer.content.decode()
    assert "reader@example.org" not in page
    assert "roles: curator" in page
    assert f'href="{reverse("annotation:person-detail", args=[reader.pk])}">reader</a>' in page


def test_the_trail_is_filtered_by_who_what_and_since(sign_in, operator, reader):
    record("signed in", actor=reader, subject=reader)
    record("signed in", actor=operator, subject=operator)
    record("sign-in failed", actor=None)
    client = sign_in(operator)

    by_reader = client.get(TRAIL, {"who": "reader"})
    by_nobody = client.get(TRAIL, {"who": "nobody"})
    by_verb = client.get(TRAIL, {"verb": "signed in"})
    later = client.get(TRAIL, {"since": (timezone.now() + timedelta(days=2)).date().isoformat()})

    assert [row.actor for row in by_reader.context["rows"]] == [reader]
    assert verbs(by_nobody) == ["sign-in failed"]
    assert verbs(by_verb) == ["signed in", "signed in"]
    assert verbs(later) == [] and b"Nothing fits" in later.content


@pytest.mark.parametrize(
    "query", ["actor__password__startswith=a", "order_by=actor", "details=x", "who__regex=.", "format=json"]
)
def test_only_declared_filters_are_known(sign_in, operator, query):
    assert sign_in(operator).get(f"{TRAIL}?{query}").status_code == 400


@pytest.mark.parametrize("query", ["who=stranger9", "verb=DROP", "since=yesterday"])
def test_a_value_that_is_not_offered_is_an_error_of_its_field(sign_in, operator, query):
    assert sign_in(operator).get(f"{TRAIL}?{query}").status_code == 422


def test_details_of_studies_and_outputs_are_not_shown(sign_in, operator, reader):
    factories.item()
    study = factories.study()
    record("grade submitted", actor=reader, subject=study, safety={"A": "severe"}, system="aurora")

    page = sign_in(operator).get(TRAIL).content.decode()

    assert "grade submitted" in page
    assert "severe" not in page and "aurora" not in page


def test_pages_hold_a_hundred_and_cost_the_same(sign_in, operator, reader, django_assert_max_num_queries):
    for _ in range(101):
        record("signed in", actor=reader, subject=reader)
    client = sign_in(operator)
    with django_assert_max_num_queries(8):
        first = client.get(TRAIL)

    assert len(first.context["rows"]) == 100
    assert len(client.get(TRAIL, {"page": 2}).context["rows"]) == Event.objects.count() - 100


def test_an_invitation_is_shown_once_to_who_made_it(sign_in, operator, reader):
    client, person = sign_in(operator), reverse("annotation:person-detail", args=[reader.pk])
    before = client.get(person)
    shown = client.post(reverse("annotation:person-invite", args=[reader.pk]), follow=True)
    again = client.get(person)

    assert [b'id="invitation"' in answer.content for answer in (before, shown, again)] == [False, True, False]
    made = Event.objects.get(verb="invitation made")
    assert (made.actor, made.subject_id) == (str(operator.pk), str(reader.pk))


def test_a_pause_is_seen_and_lifted_by_the_operator(sign_in, client, operator, reader):
    for _ in range(5):
        client.post(reverse("annotation:sign-in"), {"username": "reader", "password": "wrong"})
        client.post(reverse("annotation:sign-in"), {"username": "typed pass word", "password": "wrong"})
    keeper = sign_in(operator)
    page = keeper.get(reverse("annotation:person-list"))
    pauses = {pause.person: pause.attempt_id for pause in page.context["pauses"]}

    keeper.post(reverse("annotation:pause-lift", args=[pauses[reader]]))

    assert b"typed pass word" not in page.content and b"no account" in page.content
    answer = client.post(reverse("annotation:sign-in"), {"username": "reader", "password": factories.PASSWORD})
    assert answer.status_code == 302
    lifted = Event.objects.get(verb="sign-in lock lifted")
    assert (lifted.actor, lifted.subject_id) == (str(operator.pk), str(reader.pk))
    assert keeper.post(reverse("annotation:pause-lift", args=[10**6])).status_code == 302


@pytest.mark.parametrize(
    ("email", "words"), [("not an address", b"is no address"), ("TAKEN@example.org", b"somebody")]
)
def test_an_address_is_checked_and_belongs_to_one_person(sign_in, operator, reader, other_reader, email, words):
    services.set_email(user=other_reader, email="taken@example.org", actor=None)

    answer = sign_in(operator).post(reverse("annotation:person-email", args=[reader.pk]), {"email": email})

    assert answer.status_code == 422 and words in answer.content
    assert User.objects.get(pk=reader.pk).email == ""
