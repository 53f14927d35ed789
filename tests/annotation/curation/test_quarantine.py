"""Pictures that may show identifying text: who waits, who may see them, what a verdict and a mask do."""

import json
from pathlib import Path

import numpy as np
import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction

from annotation.assets import quarantine as doors
from annotation.assets import storage
from annotation.assets.models import Asset, PixelVerdict
from annotation.assets.services import load_image, store_file
from annotation.audit.errors import AppendOnlyError
from annotation.audit.models import Event
from annotation.curation import quarantine, services
from annotation.curation.errors import ReviewError, StaleRevisionError
from annotation.curation.quarantine import Judgment
from annotation.datasets.models import Item, ItemImage, ItemRevision
from annotation.imaging.sandbox import Decoder
from annotation.releases.services import blockers, verify_release
from tests import factories, images

pytestmark = pytest.mark.django_db
TEXT = (8, 4, 32, 8)


@pytest.fixture(scope="module")
def decoder():
    with Decoder() as running:
        yield running


def shown(asset: Asset, **fields) -> Item:
    """An item whose only picture is this one."""
    item = factories.item(images=False, **fields)
    ItemImage.objects.create(revision=item.current_revision, role="input", position=0, asset=asset)
    return item


def suspected(**fields) -> Asset:
    return factories.asset(**{"text_risk": "ultrasound", **fields})


def ultrasound(tmp_path: Path, decoder: Decoder, *, frames: int = 3, seed: int = 0) -> Asset:
    """A stored multi-frame picture with bright text at `TEXT`."""
    pixels = np.stack([images.texture(seed=seed + number) for number in range(frames)])
    left, top, width, height = TEXT
    pixels[:, top : top + height, left : left + width] = 4095
    path = tmp_path / f"{seed}.dcm"
    images.save_dicom(path, images.dicom(pixels, NumberOfFrames=frames, Modality="US"))
    return store_file(path, decoder=decoder)


def said(asset: Asset, item: Item, actor, *, reason: str = "It named the patient.", seen: int = 0) -> Judgment:
    return Judgment(asset, item.dataset, actor, reason, seen)


def accept(item: Item, actor):
    answers = dict.fromkeys((row.code for row in services.present_checklist().questions.all()), "yes")
    return services.review_item(revision=item.current_revision, reviewer=actor, verdict="accept", answers=answers)


@pytest.mark.parametrize(
    ("risk", "shut"),
    [
        ("stated", True), ("ultrasound", True), ("captured", True), ("kind", True), ("label", True),
        ("unknown", False), ("unlikely", False), ("denied", False),
    ],
)  # fmt: skip
def test_what_the_file_says_decides_whether_a_picture_waits(risk, shut):
    asset = factories.asset(text_risk=risk)

    assert (doors.held_among([asset.pk]) == {asset.pk}) is shut


def test_the_newest_verdict_counts_and_none_is_changed(curator):
    asset = suspected()
    item = shown(asset)

    quarantine.judge_image(said(asset, item, curator), kind="clear")
    free = doors.held_among([asset.pk])
    quarantine.judge_image(said(asset, item, curator, seen=1), kind="held")

    assert (free, doors.held_among([asset.pk])) == (set(), {asset.pk})
    assert list(asset.verdicts.values_list("number", "kind")) == [(1, "clear"), (2, "held")]
    with pytest.raises(AppendOnlyError):
        asset.verdicts.update(kind="clear")
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE annotation_pixelverdict SET kind = 'clear'")


def test_a_picture_of_which_nothing_is_known_can_be_put_in_quarantine(curator):
    asset = factories.asset()
    item = shown(asset)

    quarantine.judge_image(said(asset, item, curator), kind="held")

    assert list(quarantine.waiting(item.dataset)) == [asset]


def test_a_verdict_needs_a_reason_and_a_known_kind(curator):
    asset = suspected()
    item = shown(asset)

    with pytest.raises(ReviewError, match="say why"):
        quarantine.judge_image(said(asset, item, curator, reason=" a "), kind="clear")
    with pytest.raises(ReviewError, match="choose clear or held"):
        quarantine.judge_image(said(asset, item, curator), kind="masked")

    assert not asset.verdicts.exists()


def test_who_looked_before_somebody_else_decided_looks_again(curator, other_curator):
    asset = suspected()
    item = shown(asset)
    quarantine.judge_image(said(asset, item, curator), kind="held")

    with pytest.raises(StaleRevisionError):
        quarantine.judge_image(said(asset, item, other_curator), kind="clear")


def test_only_a_curator_of_the_dataset_judges(curator, other_curator):
    of = factories.dataset("closed", members_only=True)
    of.members.create(user=curator, role="curator")
    asset = suspected()
    item = shown(asset, of=of)

    with pytest.raises(PermissionDenied):
        quarantine.judge_image(said(asset, item, other_curator), kind="clear")


def test_the_trail_says_who_decided_what_about_which_picture(curator):
    asset = suspected()
    item = shown(asset)

    verdict = quarantine.judge_image(said(asset, item, curator), kind="clear")

    event = Event.objects.get(verb="picture judged")
    assert (event.actor, event.subject_id) == (str(curator.pk), str(asset.pk))
    assert event.details["verdict"] == str(verdict.pk)
    assert (event.details["kind"], event.details["items"]) == ("clear", 1)
    assert "patient" not in json.dumps(event.details)


def test_an_item_with_a_picture_in_quarantine_is_not_accepted(curator):
    asset = suspected()
    item = shown(asset, state="imported")

    with pytest.raises(ReviewError, match=r"in quarantine \(input 1\): decide at /datasets/liver/quarantine/ first"):
        accept(item, curator)
    quarantine.judge_image(said(asset, item, curator), kind="clear")

    assert accept(item, curator).verdict == "accept"


@pytest.mark.parametrize("elsewhere", ["", "by its source"])
def test_a_release_is_not_frozen_over_a_picture_in_quarantine(curator, elsewhere):
    asset = suspected()
    item = shown(asset)
    found = blockers(dataset=item.dataset, validated_elsewhere=elsewhere)
    quarantine.judge_image(said(asset, item, curator), kind="clear")

    assert [words for words in found if "1 items show images in quarantine: IT-000001" in words]
    after = blockers(dataset=item.dataset, validated_elsewhere=elsewhere)
    assert not [words for words in after if "quarantine" in words]


def test_masking_removes_the_pixels_from_file_frames_and_thumbnail(
    curator, tmp_path, decoder, django_capture_on_commit_callbacks
):
    asset = ultrasound(tmp_path, decoder)
    item = shown(asset)
    files = [storage.stored_path(asset), storage.frames_path(asset), storage.thumbnail_path(asset)]
    thumbnail = files[2].read_bytes()

    with django_capture_on_commit_callbacks(execute=True):
        verdict = quarantine.mask_image(said(asset, item, curator), rectangles=[TEXT], decoder=decoder)

    new = verdict.replacement
    left, top, width, height = TEXT
    pixels = load_image(new).pixels
    assert pixels.shape == (3, 48, 64)
    assert pixels[:, top : top + height, left : left + width].max() < 1000
    assert storage.is_complete(new)
    assert storage.thumbnail_path(new).read_bytes() != thumbnail
    assert not any(path.exists() for path in files)
    assert Event.objects.filter(verb="unmasked pixels removed", subject_id=str(asset.pk)).count() == 1


def test_an_item_shows_the_masked_picture_by_a_new_revision_with_author_and_reason(curator, tmp_path, decoder):
    asset = ultrasound(tmp_path, decoder)
    item = shown(asset, state="accepted")

    verdict = quarantine.mask_image(said(asset, item, curator), rectangles=[TEXT], decoder=decoder)

    item.refresh_from_db()
    revision = item.current_revision
    assert (revision.number, revision.author, revision.reason) == (2, curator, "It named the patient.")
    assert [image.asset for image in revision.images.all()] == [verdict.replacement]
    assert item.state == "in_review"
    assert not doors.held_among([verdict.replacement.pk])
    assert not quarantine.waiting(item.dataset).exists()
    assert verdict.replacement.text_risk == "denied"


def test_a_mask_that_hides_nothing_new_or_lies_outside_is_refused(curator, tmp_path, decoder):
    asset = ultrasound(tmp_path, decoder)
    item = shown(asset)

    with pytest.raises(ReviewError, match="not inside the picture of 64 x 48"):
        quarantine.mask_image(said(asset, item, curator), rectangles=[(60, 0, 10, 10)], decoder=decoder)
    quarantine.mask_image(said(asset, item, curator), rectangles=[TEXT], decoder=decoder)
    item.refresh_from_db()
    masked = item.current_revision.images.get().asset
    with pytest.raises(ReviewError, match="nothing would change"):
        quarantine.mask_image(said(masked, item, curator, seen=1), rectangles=[TEXT], decoder=decoder)

    assert ItemRevision.objects.filter(item=item).count() == 2


def test_a_masked_picture_cannot_be_freed(curator, tmp_path, decoder):
    asset = ultrasound(tmp_path, decoder)
    item = shown(asset)
    quarantine.mask_image(said(asset, item, curator), rectangles=[TEXT], decoder=decoder)

    with pytest.raises(ReviewError, match="judge the masked one"):
        quarantine.judge_image(said(asset, item, curator, seen=1), kind="clear")

    assert doors.held_among([asset.pk]) == {asset.pk}


def test_unmasked_pixels_that_are_delivered_again_are_not_stored_and_the_masked_ones_can_be_taken(
    curator, tmp_path, decoder, django_capture_on_commit_callbacks
):
    asset = ultrasound(tmp_path, decoder)
    item = shown(asset)
    with django_capture_on_commit_callbacks(execute=True):
        verdict = quarantine.mask_image(said(asset, item, curator), rectangles=[TEXT], decoder=decoder)

    again = store_file(tmp_path / "0.dcm", decoder=decoder)
    other = shown(again, of=factories.dataset("second"), state="imported")
    waiting = list(quarantine.waiting(other.dataset))
    quarantine.take_masked(said(again, other, curator, seen=1))

    assert again == asset
    assert not storage.stored_path(asset).exists()
    assert waiting == [asset]
    other.refresh_from_db()
    assert other.current_revision.images.get().asset == verdict.replacement
    assert other.state == "imported"


def test_files_left_by_a_crash_are_removed_by_the_next_act(
    curator, tmp_path, decoder, django_capture_on_commit_callbacks
):
    asset = ultrasound(tmp_path, decoder)
    item = shown(asset)
    quarantine.mask_image(said(asset, item, curator), rectangles=[TEXT], decoder=decoder)
    left = doors.unmasked_leftovers()

    removed = quarantine.erase_leftovers(curator)

    assert (left, removed, doors.unmasked_leftovers()) == ([asset], 1, [])


def test_items_of_datasets_that_the_curator_does_not_curate_stay_as_they_are(curator, tmp_path, decoder):
    asset = ultrasound(tmp_path, decoder)
    item = shown(asset)
    foreign = shown(asset, of=factories.dataset("closed", members_only=True))

    quarantine.mask_image(said(asset, item, curator), rectangles=[TEXT], decoder=decoder)

    foreign.refresh_from_db()
    assert foreign.current_revision.number == 1
    assert list(quarantine.waiting(foreign.dataset)) == [asset]


def test_a_release_frozen_before_stays_verifiable_after_its_picture_was_masked(
    curator, tmp_path, decoder, django_capture_on_commit_callbacks
):
    asset = ultrasound(tmp_path, decoder)
    item = shown(asset)
    release = factories.release(item.dataset)
    before = verify_release(release)
    with django_capture_on_commit_callbacks(execute=True):
        quarantine.mask_image(said(asset, item, curator), rectangles=[TEXT], decoder=decoder)

    assert verify_release(release) == before


def test_another_file_of_a_picture_that_says_more_makes_it_wait(tmp_path, decoder):
    pixels = images.texture(seed=5)
    first = store_file(images.save_dicom(tmp_path / "a.dcm", images.dicom(pixels)), decoder=decoder)
    free = doors.held_among([first.pk])

    second = store_file(
        images.save_dicom(tmp_path / "b.dcm", images.dicom(pixels, BurnedInAnnotation="YES")), decoder=decoder
    )

    assert first == second
    assert (free, doors.held_among([first.pk])) == (set(), {first.pk})


def test_the_database_refuses_a_masked_verdict_without_its_replacement(curator):
    with pytest.raises(IntegrityError), transaction.atomic():
        PixelVerdict.objects.create(
            asset=suspected(), number=1, kind="masked", text_risk="stated", reason="why", reviewer=curator
        )
