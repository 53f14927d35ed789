"""Reviewing and fixing items: two people, reasons, new revisions, the trail, the pages."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from annotation.audit.errors import AppendOnlyError
from annotation.audit.models import Event
from annotation.curation import services
from annotation.curation.errors import ReviewError, StaleRevisionError
from annotation.curation.models import Review
from tests import factories

pytestmark = pytest.mark.django_db


def answers(**changes: str) -> dict[str, str]:
    codes = services.present_checklist().questions.values_list("code", flat=True)
    return dict.fromkeys(codes, "yes") | changes


def review(item, who, verdict="accept", **fields):
    given = fields.pop("answers", answers())
    return services.review_item(
        revision=item.current_revision, reviewer=who, verdict=verdict, answers=given, **fields
    )


@pytest.fixture
def item(db):
    return factories.item(state="imported")


def test_two_people_accept_an_item(item, curator, other_curator):
    review(item, curator)
    item.refresh_from_db()
    after_one = item.state
    review(item, other_curator)
    item.refresh_from_db()

    assert (after_one, item.state) == ("in_review", "accepted")
    assert Event.objects.filter(verb="item moved", details__after="accepted").count() == 1


def test_one_person_never_counts_twice(item, curator):
    review(item, curator)
    review(item, curator)
    item.refresh_from_db()

    assert item.state == "in_review"
    assert Review.objects.count() == 2


def test_changing_ones_mind_takes_the_acceptance_back(item, curator, other_curator):
    review(item, curator)
    review(item, other_curator)
    review(item, other_curator, "reject", answers=answers(quality_enough="no"), comment="motion artifact everywhere")
    item.refresh_from_db()

    assert item.state == "in_review"


def test_a_person_in_the_picture_quarantines_the_item_at_once(item, curator):
    review(item, curator, "reject", answers=answers(no_identity="no"), comment="a name is burned in")
    item.refresh_from_db()

    assert item.state == "quarantined"


def test_a_review_of_an_older_revision_is_refused(item, curator):
    old = item.current_revision
    services.fix_item(item=item, author=curator, changes={"instruction": "Clearer?"}, reason="was unclear")

    with pytest.raises(StaleRevisionError, match="newer revision"):
        services.review_item(revision=old, reviewer=curator, verdict="accept", answers=answers())


def test_a_fix_is_a_new_revision_with_its_pictures_and_starts_the_review_anew(item, curator, other_curator):
    review(item, curator)
    review(item, other_curator)

    new = services.fix_item(item=item, author=curator, changes={"instruction": "Clearer?"}, reason="was unclear")
    item.refresh_from_db()

    assert (item.state, item.current_revision, new.number) == ("in_review", new, 2)
    assert new.images.count() == 1
    assert new.content_hash != item.revisions.get(number=1).content_hash
    assert item.revisions.get(number=1).instruction == "Question 1?"


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        ({"instruction": "Question 1?"}, "why not", "nothing was changed"),
        ({"instruction": "New?"}, "", "say why"),
        ({"content_hash": "0"}, "sneaky", "cannot be changed by a fix"),
    ],
)
def test_a_fix_without_change_or_reason_is_refused(item, curator, changes, reason, words):
    with pytest.raises(ReviewError, match=words):
        services.fix_item(item=item, author=curator, changes=changes, reason=reason)

    assert item.revisions.count() == 1


def test_reviews_are_never_changed(item, curator):
    review(item, curator)

    with pytest.raises(AppendOnlyError):
        Review.objects.update(verdict="reject")


def test_the_page_stores_a_review_and_goes_to_the_next_item(sign_in, item, curator):
    following = factories.item(state="imported")
    url = reverse("annotation:review-create", args=[item.pk])

    answer = sign_in(curator).post(url, answers() | {"verdict": "accept", "revision": str(item.current_revision_id)})

    assert answer.status_code == 302
    assert answer.url == reverse("annotation:review-create", args=[following.pk])


def test_the_page_says_what_is_missing_and_keeps_what_was_typed(sign_in, item, curator):
    url = reverse("annotation:review-create", args=[item.pk])

    answer = sign_in(curator).post(url, {"verdict": "reject", "comment": "no", "synopsis": "A chest film"})

    assert answer.status_code == 422
    assert b"at least 10 characters" in answer.content
    assert b"A chest film" in answer.content
    assert not Review.objects.exists()


def test_a_page_left_open_over_a_fix_is_a_conflict(sign_in, item, curator, other_curator):
    seen = str(item.current_revision_id)
    services.fix_item(item=item, author=other_curator, changes={"instruction": "Clearer?"}, reason="was unclear")

    answer = sign_in(curator).post(
        reverse("annotation:review-create", args=[item.pk]), answers() | {"verdict": "accept", "revision": seen}
    )

    assert answer.status_code == 409


def test_the_fix_page_makes_a_revision(sign_in, item, curator):
    revision = item.current_revision
    answer = sign_in(curator).post(
        reverse("annotation:item-fix", args=[item.pk]),
        {"instruction": "Clearer?", "reference_text": revision.reference_text, "task": revision.task,
         "modality": "ct",
         "source": "test", "license": "CC0-1.0", "redistributable": "unknown", "reason": "was unclear"},
    )  # fmt: skip

    assert answer.status_code == 302
    assert item.revisions.count() == 2


def test_the_queue_needs_the_same_queries_for_10_and_100_items(sign_in, curator, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = sign_in(curator)
    counts = []
    for more in (10, 90):
        for _ in range(more):
            factories.item(state="imported", images=False)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(reverse("annotation:review-queue", args=["liver"]))
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_the_command_counts_states_and_reasons(item, curator):
    review(item, curator, "fix", answers=answers(terms_right="no"), comment="the side is wrong")
    out = io.StringIO()

    call_command("review_status", "--dataset", "liver", "--json", stdout=out)

    status = json.loads(out.getvalue())
    assert status["items"] == 1
    assert status["states"]["needs_fix"] == 1
    assert status["reasons"] == {"terms_right": 1}


def test_the_command_names_an_unknown_dataset():
    with pytest.raises(CommandError, match="'nowhere': unknown"):
        call_command("review_status", "--dataset", "nowhere")


def test_an_item_on_which_two_people_differ_is_shown_to_everybody(sign_in, item, curator, other_curator):
    review(item, curator)
    review(item, other_curator, "reject", answers=answers(quality_enough="no"), comment="motion artifact everywhere")
    client = sign_in(curator)
    url = reverse("annotation:review-queue", args=["liver"])

    page = client.get(url).content.decode()
    listed = client.get(url, {"state": "disputed"}).content.decode()

    assert "1 item in disagreement" in page
    assert item.code in listed


def test_a_third_person_settles_a_disagreement(item, curator, other_curator):
    review(item, curator)
    review(item, other_curator, "reject", answers=answers(quality_enough="no"), comment="motion artifact everywhere")
    review(item, factories.person("third", is_curator=True))
    item.refresh_from_db()

    assert item.state == "accepted"
