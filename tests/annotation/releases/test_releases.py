"""Freezing: what stands in the way, what is stored, that it never changes, and that a flipped byte is found."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from annotation.assets import storage
from annotation.audit.models import Event
from annotation.curation import services as curation
from annotation.datasets.content import revision_hash
from annotation.datasets.models import ItemRevision
from annotation.releases import services, work
from annotation.releases.errors import FreezeError
from annotation.releases.models import Release
from annotation.work import services as jobs
from annotation.work.errors import WorkError
from annotation.work.executor import drain
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def accepted(curator, other_curator):
    """An item that two people accepted, with the hash of what it says."""
    item = factories.item(state="imported")
    revision = item.current_revision
    places = [(image.role, image.position, image.asset.sha256) for image in revision.images.all()]
    ItemRevision.objects.filter(pk=revision.pk).update(content_hash=revision_hash(revision, places))
    revision.refresh_from_db()
    codes = curation.present_checklist().questions.values_list("code", flat=True)
    for who in (curator, other_curator):
        curation.review_item(revision=revision, reviewer=who, verdict="accept", answers=dict.fromkeys(codes, "yes"))
    item.refresh_from_db()
    return item


def test_accepted_items_are_frozen_with_manifest_and_trail(accepted, curator):
    release = services.freeze_release(dataset=accepted.dataset, version="1.0", actor=curator)

    manifest = services.manifest(release)
    assert manifest["n_items"] == 1
    assert manifest["items"][0]["images"][0]["role"] == "input"
    assert manifest["validation"] == "here"
    assert Event.objects.get(verb="release frozen").details["content_hash"] == release.content_hash


def test_a_release_keeps_what_it_froze(accepted, curator):
    release = services.freeze_release(dataset=accepted.dataset, version="1.0", actor=curator)
    before = services.manifest(release)

    curation.fix_item(item=accepted, author=curator, changes={"instruction": "Other?"}, reason="clearer words")

    assert services.manifest(release) == before


def test_without_two_people_nothing_is_validated_here(curator):
    item = factories.item(state="accepted")

    with pytest.raises(FreezeError, match="lack a second accepting person: IT-000001"):
        services.freeze_release(dataset=item.dataset, version="1.0", actor=curator)

    assert not Release.objects.exists()


def test_a_dataset_validated_elsewhere_says_so_everywhere(sign_in, curator):
    item = factories.item(state="imported")
    factories.item(state="rejected")

    release = services.freeze_release(
        dataset=item.dataset, version="1.0", actor=curator, validated_elsewhere="the benchmark's authors"
    )
    page = sign_in(curator).get(release.get_absolute_url()).content.decode()

    assert release.release_items.count() == 1
    assert "Not reviewed here" in page
    assert "not reviewed here" in services.manifest(release)["validation_words"]


@pytest.mark.parametrize("version", ["", "a/b", "../x", "freeze", "x" * 41])
def test_a_version_that_cannot_be_an_address_is_refused(accepted, curator, version):
    with pytest.raises(FreezeError, match="version:"):
        services.freeze_release(dataset=accepted.dataset, version=version, actor=curator)


def test_a_version_is_taken_once(accepted, curator):
    services.freeze_release(dataset=accepted.dataset, version="1.0", actor=curator)

    with pytest.raises(FreezeError, match=r"'1\.0' is taken"):
        services.freeze_release(dataset=accepted.dataset, version="1.0", actor=curator)


def test_a_release_that_is_being_frozen_is_nowhere_and_is_whole_when_it_appears(sign_in, curator, monkeypatch):
    for _ in range(5):
        item = factories.item(state="imported")
    monkeypatch.setattr(work, "CHUNK", 2)
    asked = {"dataset": item.dataset, "version": "1.0", "actor": curator, "validated_elsewhere": "its authors"}
    job = services.ask_for_release(**asked)

    drain(max_chunks=3)

    assert Release.with_unfinished.get().release_items.count() == 4
    assert not Release.objects.exists() and not item.dataset.releases.exists()
    assert "releases/1.0/" not in sign_in(curator).get("/datasets/liver/releases/").content.decode()
    assert services.ask_for_release(**asked) == job  # asked again, as after a kill: the same work goes on

    drain()

    release = item.dataset.releases.get()
    assert release.state == "frozen" and release.release_items.count() == 5
    hashes = [row.content_hash for row in release.release_items.all()]
    assert release.content_hash == services.content_hash(hashes)
    assert Event.objects.filter(verb="release frozen").count() == 1


def test_a_freeze_that_is_stopped_leaves_nothing_and_can_be_asked_for_again(curator):
    item = factories.item(state="imported")
    asked = {"dataset": item.dataset, "version": "1.0", "actor": curator, "validated_elsewhere": "its authors"}
    job = services.ask_for_release(**asked)

    jobs.cancel(job, curator)

    assert not Release.with_unfinished.exists()
    with pytest.raises(WorkError, match="freeze it again"):
        jobs.resume(job, curator)
    assert services.freeze_release(**asked).release_items.count() == 1


def test_of_two_people_who_freeze_one_version_the_second_is_told(curator, other_curator):
    item = factories.item(state="imported")
    services.ask_for_release(dataset=item.dataset, version="1.0", actor=curator, validated_elsewhere="its authors")

    with pytest.raises(FreezeError, match="somebody froze it a moment ago"):
        services.freeze_release(
            dataset=item.dataset, version="1.0", actor=other_curator, validated_elsewhere="its authors"
        )


def test_the_content_hash_does_not_depend_on_the_order():
    assert services.content_hash(["b", "a"]) == services.content_hash(["a", "b"])


def test_verify_finds_a_flipped_byte_and_names_the_item(accepted, curator):
    asset = accepted.current_revision.images.get().asset
    path = storage.stored_path(asset)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"not what the checksum says")
    release = services.freeze_release(dataset=accepted.dataset, version="1.0", actor=curator)

    problems = services.verify_release(release)

    assert problems == ["IT-000001: input 0: the stored file has changed"]


def test_verify_finds_changed_words(accepted, curator):
    release = services.freeze_release(dataset=accepted.dataset, version="1.0", actor=curator)
    ItemRevision.objects.filter(pk=accepted.current_revision_id).update(instruction="quietly changed")

    problems = services.verify_release(release)

    assert "IT-000001: the item no longer says what was released" in problems


def test_the_page_freezes_and_shows_what_stands_in_the_way(sign_in, accepted, curator):
    client = sign_in(curator)
    url = reverse("annotation:release-freeze", args=["liver"])

    refused = client.post(url, {"version": "a b"})
    done = client.post(url, {"version": "1.0"})

    assert refused.status_code == 422
    assert done.status_code == 302
    assert client.get("/datasets/liver/releases/1.0/").status_code == 404
    drain()
    assert 'href="/datasets/liver/releases/1.0/"' in client.get(done.url).content.decode()
    assert client.get("/datasets/liver/releases/1.0/").status_code == 200
    assert client.get("/datasets/liver/releases/1.0/manifest.json").json()["version"] == "1.0"


def test_a_study_creator_sees_releases_and_does_not_freeze(sign_in, accepted, coordinator):
    client = sign_in(coordinator)

    assert client.get(reverse("annotation:release-list", args=["liver"])).status_code == 200
    assert client.get(reverse("annotation:release-freeze", args=["liver"])).status_code == 403


def test_the_command_checks_and_freezes(accepted):
    out = io.StringIO()

    call_command("freeze_release", "liver", "1.0", "--check", "--json", stdout=out)
    call_command("freeze_release", "liver", "1.0")

    assert json.loads(out.getvalue()) == {"blockers": []}
    assert Release.objects.get().version == "1.0"


def test_the_command_says_what_blocks():
    factories.dataset()

    with pytest.raises(CommandError, match="no item can be released"):
        call_command("freeze_release", "liver", "1.0", "--check")
