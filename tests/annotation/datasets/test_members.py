"""Datasets that are open to their members only: what strangers meet, who keeps the list, what the trail says."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from annotation.audit.models import Event
from annotation.curation.services import fix_item, review_item
from annotation.datasets.errors import DatasetError, ImportRefusedError
from annotation.datasets.importing import import_items
from annotation.datasets.models import Dataset, DatasetMember, ImportJob, Item
from annotation.datasets.services import add_member, remove_member, set_members_only
from annotation.people.models import User
from annotation.releases.models import Release
from annotation.releases.services import freeze_release
from annotation.studies.design import StudyDesign
from annotation.studies.errors import DesignError
from annotation.studies.services import create_study
from annotation.systems.importing import import_outputs
from annotation.systems.models import Submission, System
from medgen.home import work_of
from tests import factories

pytestmark = pytest.mark.django_db
ACTS = ("review", "fix", "freeze")


@pytest.fixture
def creator(db) -> User:
    return factories.person("creator", may_create_studies=True)


@pytest.fixture
def closed(curator) -> Dataset:
    """A dataset of one curator, with an item, a release and outputs."""
    factories.item()
    factories.submission(factories.release())
    return set_members_only(dataset=factories.dataset(), members_only=True, actor=curator)


def places(dataset: Dataset) -> list[str]:
    item, release, submission = dataset.items.get(), dataset.releases.get(), dataset.submissions.get()
    job = ImportJob.objects.create(kind="items", dataset=dataset, state="done")
    outputs = ImportJob.objects.create(kind="outputs", dataset=dataset, state="done")
    slug = [dataset.slug]
    return [
        reverse("annotation:dataset-detail", args=slug),
        reverse("annotation:member-list", args=slug),
        reverse("annotation:item-list", args=slug),
        reverse("annotation:item-detail", args=[item.pk]),
        reverse("annotation:image-frames", args=[item.pk, 0]),
        reverse("annotation:image-data", args=[item.pk, 0]),
        reverse("annotation:image-thumbnail", args=[item.pk, 0]),
        reverse("annotation:review-queue", args=slug),
        reverse("annotation:review-create", args=[item.pk]),
        reverse("annotation:item-fix", args=[item.pk]),
        reverse("annotation:release-list", args=slug),
        reverse("annotation:release-freeze", args=slug),
        reverse("annotation:release-detail", args=[dataset.slug, release.version]),
        reverse("annotation:release-manifest", args=[dataset.slug, release.version]),
        reverse("annotation:import-detail", args=[job.pk]),
        reverse("annotation:import-problems", args=[job.pk]),
        reverse("annotation:import-detail", args=[outputs.pk]),
        reverse("annotation:system-detail", args=[submission.system_version.system.slug]),
        reverse("annotation:submission-detail", args=[submission.pk]),
        reverse("scoring:metric-list", args=[submission.pk]),
        reverse("scoring:item-metrics", args=[item.pk]),
    ]


@pytest.mark.parametrize("roles", [{"is_curator": True}, {"may_create_studies": True}, {"is_operator": True}])
def test_strangers_meet_404_everywhere_whatever_their_site_roles(sign_in, closed, roles):
    outsider = factories.person("outsider", **roles)
    client = sign_in(outsider)
    found = {place: client.get(place).status_code for place in places(closed)}

    if outsider.is_operator:
        assert found.pop(reverse("annotation:member-list", args=[closed.slug])) == 200
    if outsider.may_create_studies:  # no curator: the same 403 for what is there and what is not
        assert {found.pop(place) for place in list(found) if place.rsplit("/", 2)[-2] in ACTS} <= {403, 404}
    assert set(found.values()) <= {404}, found


def test_an_operator_who_curates_keeps_members_and_sees_nothing_else(sign_in, closed):
    both = factories.person("both", is_curator=True, is_operator=True)
    client = sign_in(both)

    assert client.get(reverse("annotation:member-list", args=[closed.slug])).status_code == 200
    assert client.get(closed.get_absolute_url()).status_code == 404


def test_a_member_who_views_sees_and_does_not_change(sign_in, closed, curator, other_curator):
    add_member(dataset=closed, user=other_curator, role="viewer", actor=curator)
    client = sign_in(other_curator)
    answers = {place: client.get(place).status_code for place in places(closed)}

    acts = {place: status for place, status in answers.items() if place.rsplit("/", 2)[-2] in ACTS}
    assert set(acts.values()) == {403} and len(acts) == 4
    assert {s for place, s in answers.items() if place not in acts and "images" not in place} == {200}
    assert client.post(reverse("annotation:member-list", args=[closed.slug])).status_code == 403
    assert b"Review it" not in client.get(closed.items.get().get_absolute_url()).content


def test_lists_and_numbers_leave_out_what_is_closed(sign_in, closed, other_curator):
    client = sign_in(other_curator)

    assert closed.name.encode() not in client.get(reverse("annotation:dataset-list")).content
    assert b"Aurora" not in client.get(reverse("annotation:system-list")).content
    work = work_of(other_curator)
    assert (work.curating, work.n_submissions) == ([], 0)


def test_a_system_seen_elsewhere_shows_only_what_is_open(sign_in, closed, other_curator):
    factories.item(factories.dataset("open"))
    factories.submission(factories.release(factories.dataset("open")))
    client = sign_in(other_curator)

    page = client.get(reverse("annotation:system-detail", args=["aurora"]))
    listed = client.get(reverse("annotation:system-list"))

    assert [each.dataset.slug for each in page.context["submissions"]] == ["open"]
    assert [each.n_submissions for each in listed.context["systems"]] == [1]


@pytest.mark.parametrize("question", [Dataset, Item, Release, System, Submission, ImportJob])
def test_every_queryset_asks_for_membership(closed, other_curator, curator, question):
    ImportJob.objects.create(kind="items", dataset=closed, state="done")

    assert question.objects.visible_to(other_curator).count() == 0
    assert question.objects.visible_to(curator).count() == 1


def test_a_study_is_made_by_members_only(closed, creator, curator, reader, other_reader):
    design = StudyDesign.from_json(
        {"name": "Round", "slug": "round", "release": "liver@1.0", "submissions": ["aurora"],
         "rubrics": [str(factories.rubric())], "readers": ["reader", "other_reader"]}
    )  # fmt: skip
    with pytest.raises(DesignError, match="is unknown"):
        create_study(design=design, actor=creator)

    add_member(dataset=closed, user=creator, role="viewer", actor=curator)

    assert create_study(design=design, actor=creator).slug == "round"


def test_the_form_of_a_study_does_not_offer_it(sign_in, closed, creator):
    assert sign_in(creator).get(reverse("annotation:study-create")).context["releases"] == []


def test_acts_are_refused_below_the_pages_too(closed, other_curator, tmp_path):
    item = closed.items.get()
    with pytest.raises(PermissionDenied):
        review_item(revision=item.current_revision, reviewer=other_curator, verdict="accept", answers={})
    with pytest.raises(PermissionDenied):
        fix_item(item=item, author=other_curator, changes={"instruction": "Other?"}, reason="because")
    with pytest.raises(PermissionDenied):
        freeze_release(dataset=closed, version="2.0", actor=other_curator)
    with pytest.raises(ImportRefusedError, match="is taken, and you are not one of its curators"):
        import_items(path=_file(tmp_path), dataset_slug=closed.slug, actor=other_curator)


def test_outputs_for_a_closed_dataset_find_no_dataset(closed, creator, tmp_path):
    with pytest.raises(ImportRefusedError, match="there is no such dataset"):
        import_outputs(path=_file(tmp_path), dataset_slug="liver", release_version="1.0", system_slug="x",
                       system_kind="vlm", actor=creator)  # fmt: skip


def _file(folder) -> Any:
    path = folder / "records.jsonl"
    path.write_text("{}\n")
    return path


def test_whoever_closes_a_dataset_becomes_its_curator(closed, curator):
    member = closed.members.get()

    assert (member.user, member.role) == (curator, "curator")
    assert [event.verb for event in Event.objects.filter(subject_id=str(closed.pk))][-2:] == [
        "member added",
        "dataset closed",
    ]


def test_the_last_curator_stays(sign_in, closed, curator, other_curator):
    add_member(dataset=closed, user=other_curator, role="viewer", actor=curator)
    with pytest.raises(DatasetError, match="last curator"):
        remove_member(dataset=closed, user=curator, actor=curator)
    with pytest.raises(DatasetError, match="last curator"):
        add_member(dataset=closed, user=curator, role="viewer", actor=curator)
    answer = sign_in(curator).post(reverse("annotation:member-remove", args=[closed.slug, curator.pk]))

    assert answer.status_code == 422
    assert b"is the last curator of this dataset" in answer.content


def test_a_curator_who_lost_the_site_role_does_not_count(closed, curator, other_curator):
    add_member(dataset=closed, user=other_curator, role="curator", actor=curator)
    User.objects.filter(pk=other_curator.pk).update(is_curator=False)

    with pytest.raises(DatasetError, match="last curator"):
        remove_member(dataset=closed, user=curator, actor=curator)


@pytest.mark.parametrize(
    ("fields", "role", "words"),
    [
        ({}, "viewer", "neither curator nor study creator"),
        ({"may_create_studies": True}, "curator", "does not hold the site role of a curator"),
        ({"is_curator": True, "is_active": False}, "viewer", "deactivated"),
        ({"is_curator": True}, "emperor", "must be one of curator, viewer"),
    ],
)
def test_who_cannot_join_is_told_why(closed, fields, role, words):
    with pytest.raises(DatasetError, match=words):
        add_member(dataset=closed, user=factories.person("new", **fields), role=role, actor=None)


def test_members_are_kept_in_the_browser(sign_in, closed, curator, other_curator):
    client = sign_in(curator)
    people = reverse("annotation:member-list", args=[closed.slug])

    client.post(people, {"username": "other_curator", "role": "curator"})
    assert sign_in(other_curator).get(closed.get_absolute_url()).status_code == 200
    client.post(reverse("annotation:member-remove", args=[closed.slug, other_curator.pk]))
    assert sign_in(other_curator).get(closed.get_absolute_url()).status_code == 404
    client.post(reverse("annotation:member-access", args=[closed.slug]), {"members_only": "no"})
    assert sign_in(other_curator).get(closed.get_absolute_url()).status_code == 200

    verbs = list(Event.objects.filter(subject_id=str(closed.pk)).values_list("verb", flat=True))
    assert verbs[-3:] == ["member added", "member removed", "dataset opened"]


def test_a_curator_may_leave_when_another_stays(sign_in, closed, curator, other_curator):
    add_member(dataset=closed, user=other_curator, role="curator", actor=curator)

    answer = sign_in(curator).post(reverse("annotation:member-remove", args=[closed.slug, curator.pk]), follow=True)

    assert answer.redirect_chain[-1][0] == reverse("annotation:dataset-list")


@pytest.mark.parametrize("sent", [{}, {"username": "nobody", "role": "viewer"}, {"username": "curator", "role": "x"}])
def test_a_broken_entry_is_answered_with_the_form(sign_in, closed, curator, sent):
    answer = sign_in(curator).post(reverse("annotation:member-list", args=[closed.slug]), sent)

    assert answer.status_code == 422


def test_closing_needs_somebody_who_can_curate(sign_in, operator, curator):
    dataset = factories.dataset()
    people = reverse("annotation:member-access", args=[dataset.slug])
    client = sign_in(operator)

    refused = client.post(people, {"members_only": "yes"})
    client.post(reverse("annotation:member-list", args=[dataset.slug]), {"username": "curator", "role": "curator"})
    done = client.post(people, {"members_only": "yes"})

    assert refused.status_code == 422 and b"nobody could curate" in refused.content
    assert done.status_code == 302
    assert client.post(people, {"members_only": "maybe"}).status_code == 422


def test_membership_without_a_site_role_opens_nothing(sign_in, closed, reader):
    DatasetMember.objects.create(dataset=closed, user=reader, role="viewer")

    assert {sign_in(reader).get(place).status_code for place in places(closed)} == {404}


def test_a_role_taken_away_counts_with_the_next_request(sign_in, closed, curator):
    client = sign_in(curator)
    assert client.get(closed.get_absolute_url()).status_code == 200

    User.objects.filter(pk=curator.pk).update(is_curator=False)

    assert client.get(closed.get_absolute_url()).status_code == 404
