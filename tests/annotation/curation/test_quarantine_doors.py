"""Every door that a picture in quarantine must not pass, the pages on which curators decide, and the reports."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.assets.models import Asset
from annotation.assets.services import store_file
from annotation.assets.storage import thumbnail_path, write_once
from annotation.curation import quarantine
from annotation.datasets.importing import import_items
from annotation.datasets.models import Item, ItemImage
from annotation.grading import grants, presentation
from annotation.imaging.sandbox import Decoder
from annotation.studies import services as studies
from annotation.studies.balance import study_balance
from annotation.studies.errors import DesignError
from annotation.studies.models import Reading
from annotation.studies.planning import gradable, plan
from annotation.systems.models import OutputPart
from tests import factories, images
from tests.annotation.datasets import builders
from tests.annotation.grading import world as grading_world
from tests.annotation.studies import world

pytestmark = pytest.mark.django_db


def url(name: str, *rest) -> str:
    return reverse(f"annotation:{name}", args=rest)


def suspect(item: Item) -> Asset:
    """Let the first picture of an item be an ultrasound nobody has looked at."""
    asset = item.current_revision.images.order_by("role", "position").first().asset
    Asset.objects.filter(pk=asset.pk).update(text_risk="ultrasound")
    asset.refresh_from_db()
    return asset


def free(asset: Asset, item: Item, curator) -> None:
    quarantine.judge_image(
        quarantine.Judgment(asset, item.dataset, curator, "No text is in the picture.", 0), kind="clear"
    )


@pytest.fixture
def read(reader):
    """A running study of one edit whose input picture waits for a curator."""
    grants.withdraw_all()
    made = grading_world.small_study(reader, formats=("image_editing",), mode="all")
    made.item = Item.objects.get()
    made.asset = suspect(made.item)
    return made


def test_a_reader_is_not_shown_a_picture_in_quarantine_and_is_told_why(read, reader, curator, sign_in):
    client, reading = sign_in(reader), read.readings[0]
    shut = client.get(url("reading-json", reading.pk)).json()
    pictures = [client.get(url(name, reading.pk, 0)) for name in ("pane-frames", "pane-data")]
    free(read.asset, read.item, curator)
    opened = client.get(url("reading-json", reading.pk)).json()

    assert "may show identifying text" in shut["locked_reason"]
    assert [answer.status_code for answer in pictures] == [403, 403]
    assert "zephyrion" not in json.dumps(shut).lower() and "werke" not in json.dumps(shut).lower()
    assert opened["locked_reason"] is None
    assert client.get(url("pane-frames", reading.pk, 0)).status_code == 200


def test_a_grade_of_what_nobody_may_see_is_not_taken(read, reader, sign_in):
    client, reading = sign_in(reader), read.readings[0]
    entry = grading_world.entry(criteria=grading_world.EDIT_CRITERIA)
    body = grading_world.submission_body(grading_world.payload(A=entry, B=entry))

    answer = client.post(url("grade-submit", reading.pk), body, content_type="application/json")

    assert answer.status_code == 409
    assert answer.json()["error"] == presentation.SHUT


def test_a_program_of_a_reader_meets_the_same_door(read, reader, sign_in):
    answer = sign_in(reader).get(f"/api/v1/readings/{read.readings[0].pk}/panes/0/frames/")

    assert answer.status_code == 403


def test_an_output_in_quarantine_is_not_shown_to_a_reader(reader, sign_in):
    grants.withdraw_all()
    made = grading_world.small_study(reader, formats=("image_editing",), mode="all")
    part = OutputPart.objects.filter(kind="image").first()
    Asset.objects.filter(pk=part.asset_id).update(text_risk="stated")

    shut = sign_in(reader).get(url("reading-json", made.readings[0].pk)).json()

    assert shut["locked_reason"] == presentation.SHUT


def test_a_study_is_drawn_without_items_whose_picture_waits(coordinator, reader, other_reader):
    world.released(6)
    item = Item.objects.order_by("number").first()
    suspect(item)

    study = studies.create_study(design=world.design(reader, other_reader), actor=coordinator)
    balance = study_balance(study)
    studies.open_study(study=study, actor=coordinator)

    assert balance.in_quarantine == [item.code]
    assert balance.without_output == []
    assert not Reading.objects.filter(study_item__revision__item=item).exists()
    assert Reading.objects.exists()


def test_a_picture_put_in_quarantine_after_the_design_is_not_drawn_either(coordinator, reader, other_reader, curator):
    world.released(6)
    study = studies.create_study(design=world.design(reader, other_reader), actor=coordinator)
    item = Item.objects.order_by("number").first()
    suspect(item)

    studies.open_study(study=study, actor=coordinator)

    assert not Reading.objects.filter(study_item__revision__item=item).exists()


def test_a_design_with_nothing_but_quarantine_is_refused_with_the_place_to_decide(coordinator, reader, other_reader):
    world.released(1)
    for item in Item.objects.all():
        suspect(item)

    with pytest.raises(DesignError, match=r"in quarantine; a curator decides at /datasets/.*/quarantine/"):
        plan(world.design(reader, other_reader), actor=coordinator)


@pytest.fixture
def waiting(curator):
    """An item with a picture in quarantine that has a thumbnail."""
    item = factories.item(state="imported")
    asset = suspect(item)
    write_once(thumbnail_path(asset), b"\x89PNG")
    return item, asset


def test_who_sees_items_and_does_not_curate_is_not_given_the_picture(waiting, curator, coordinator, sign_in):
    item, _ = waiting
    designer, own = sign_in(coordinator), sign_in(curator)

    refused = [
        designer.get(url("image-frames", item.pk, 0)),
        designer.get(url("image-data", item.pk, 0)),
        designer.get(url("image-thumbnail", item.pk, 0)),
        designer.get(f"/api/v1/items/{item.pk}/images/0/thumbnail/"),
    ]
    page = designer.get(item.get_absolute_url()).content.decode()
    listed = designer.get(url("item-list", item.dataset.slug)).content.decode()
    told = designer.get(f"/api/v1/items/{item.pk}/").json()["images"][0]

    assert [answer.status_code for answer in refused] == [403] * 4
    assert "in quarantine" in page and url("image-thumbnail", item.pk, 0) not in page
    assert "image in quarantine" in listed and url("image-thumbnail", item.pk, 0) not in listed
    assert (told["in_quarantine"], told["text_risk"]) == (True, "ultrasound")
    assert own.get(url("image-thumbnail", item.pk, 0)).status_code == 200
    assert url("image-thumbnail", item.pk, 0) in own.get(item.get_absolute_url()).content.decode()


def test_outputs_in_quarantine_are_given_to_curators_only(curator, coordinator, sign_in):
    factories.item(format="image_editing")
    made = factories.submission(factories.release())
    part = OutputPart.objects.get(output__submission=made, kind="image")
    Asset.objects.filter(pk=part.asset_id).update(text_risk="stated")
    address = url("output-frames", part.output_id, part.position)

    assert sign_in(coordinator).get(address).status_code == 403
    assert sign_in(curator).get(address).status_code == 200


@pytest.fixture
def delivered(curator):
    """A submission with one picture in quarantine."""
    factories.item(format="image_editing")
    made = factories.submission(factories.release())
    part = OutputPart.objects.get(output__submission=made, kind="image")
    Asset.objects.filter(pk=part.asset_id).update(text_risk="stated")
    return made, part


def test_a_curator_decides_about_an_output_on_the_page_of_its_submission(delivered, curator, coordinator, sign_in):
    made, part = delivered
    address, client = url("output-quarantine", made.pk), sign_in(curator)
    before = list(gradable([made]))
    page = client.get(address).content.decode()
    linked = client.get(made.get_absolute_url()).content.decode()
    sent = {"act": "clear", "image": part.asset_id, "seen": 0, "reason": "No text is in the picture."}

    stored = client.post(address, sent)
    again = client.post(address, sent)

    assert url("output-frames", part.output_id, part.position) in page and address in linked
    assert (stored.status_code, again.status_code) == (302, 409)
    assert (before, list(gradable([made]))) == ([], [part.output])
    assert sign_in(coordinator).get(address).status_code == 403


def test_a_program_decides_about_an_output(delivered, curator, sign_in):
    made, part = delivered
    client, address = sign_in(curator), f"/api/v1/submissions/{made.pk}/quarantine/"
    sent = {"act": "clear", "image": str(part.asset_id), "seen": 0, "reason": "No text is in the picture."}

    listed = client.get(address).json()["results"]
    stored = client.post(address, sent, content_type="application/json")

    assert [row["image"] for row in listed] == [str(part.asset_id)]
    assert (stored.status_code, stored.json()["kind"]) == (201, "clear")
    assert client.get(address).json()["results"] == []


def test_a_reader_meets_no_quarantine_of_what_they_read_blind(delivered, reader, sign_in):
    made, _ = delivered
    reader.is_curator = True
    reader.save()
    factories.enroll(factories.study(made.release, submissions=[made], state="running"), reader)

    client = sign_in(reader)

    assert client.get(url("output-quarantine", made.pk)).status_code == 404
    assert client.get(f"/api/v1/submissions/{made.pk}/quarantine/").status_code == 404


def test_the_queue_is_linked_with_its_count_and_shows_why(waiting, curator, sign_in):
    item, _ = waiting
    client = sign_in(curator)

    pages = [
        client.get(address).content.decode()
        for address in (url("review-queue", item.dataset.slug), item.dataset.get_absolute_url())
    ]
    queue = client.get(url("quarantine-list", item.dataset.slug)).content.decode()
    review = client.get(url("review-create", item.pk)).content.decode()

    assert all(url("quarantine-list", item.dataset.slug) in page for page in [*pages, review])
    assert "Quarantine (1)" in pages[1]
    assert f"{item.code} input" in queue and "Ultrasound, and the file does not say" in queue


def test_a_curator_confirms_on_the_page_and_goes_on_to_the_next(waiting, curator, sign_in):
    item, asset = waiting
    other = factories.item()
    following = suspect(other)
    client = sign_in(curator)
    address = url("quarantine-detail", item.dataset.slug, asset.pk)

    answer = client.post(address, {"act": "clear", "seen": 0, "reason": "No text is in the picture."})

    assert answer.url == url("quarantine-detail", item.dataset.slug, following.pk)
    assert asset.verdicts.get().reviewer == curator
    assert "No text is in the picture." in client.get(address).content.decode()


@pytest.mark.parametrize(
    ("sent", "status", "words"),
    [
        ({"act": "clear", "seen": 0, "reason": ""}, 422, "This field is required"),
        ({"act": "clear", "seen": 5, "reason": "No text."}, 409, "Somebody decided"),
        ({"act": "mask", "seen": 0, "reason": "A name.", "rectangles": ""}, 422, "draw at least one rectangle"),
        (
            {"act": "mask", "seen": 0, "reason": "A name.", "rectangles": "[[60,0,9,9]]"},
            422,
            "not inside the picture",
        ),
        ({"act": "mask", "seen": 0, "reason": "A name.", "rectangles": "[[0,0,0.5,9]]"}, 422, "whole pixels"),
        ({"act": "mask", "seen": 0, "reason": "A name.", "rectangles": "{"}, 422, "not JSON"),
        ({"act": "take", "seen": 0, "reason": "A name."}, 422, "was not masked"),
        ({"act": "free", "seen": 0, "reason": "A name."}, 422, "Select a valid choice"),
    ],
)
def test_what_cannot_be_decided_is_said_on_the_page(waiting, curator, sign_in, sent, status, words):
    item, asset = waiting

    answer = sign_in(curator).post(url("quarantine-detail", item.dataset.slug, asset.pk), sent)

    assert answer.status_code == status
    assert words in answer.content.decode()
    assert not asset.verdicts.exists()


def test_the_queue_takes_the_same_queries_for_many_pictures(waiting, curator, sign_in):
    item, _ = waiting
    client, address = sign_in(curator), url("quarantine-list", item.dataset.slug)
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for _ in range(40):
        suspect(factories.item())

    with CaptureQueriesContext(connection) as many:
        client.get(address)

    assert len(many) == len(few) <= 12


def test_a_picture_that_no_present_revision_shows_is_not_found(waiting, curator, sign_in):
    item, _ = waiting

    answer = sign_in(curator).get(url("quarantine-detail", item.dataset.slug, factories.asset().pk))

    assert answer.status_code == 404


def test_a_program_lists_judges_and_is_told_the_verdicts(waiting, curator, sign_in):
    item, asset = waiting
    client = sign_in(curator)
    base = f"/api/v1/datasets/{item.dataset.slug}/quarantine/"

    listed = client.get(base).json()["results"]
    sent = {"act": "clear", "reason": "No text is in the picture.", "seen": 0}
    judged = client.post(f"{base}{asset.pk}/verdicts/", sent, content_type="application/json")
    again = client.post(f"{base}{asset.pk}/verdicts/", sent, content_type="application/json")

    assert [row["id"] for row in listed] == [str(asset.pk)]
    assert (judged.status_code, judged.json()["in_quarantine"], judged.json()["seen"]) == (201, False, 1)
    assert judged.json()["verdicts"][0]["reviewer"] == "curator"
    assert again.status_code == 409
    assert client.get(base).json()["results"] == []


def test_a_mask_sent_from_the_page_is_stored_and_shown(curator, sign_in, tmp_path):
    pixels = images.texture()
    pixels[4:12, 8:40] = 4095
    with Decoder() as decoder:
        asset = store_file(
            images.save_dicom(tmp_path / "a.dcm", images.dicom(pixels, Modality="US")), decoder=decoder
        )
    item = factories.item(images=False)
    ItemImage.objects.create(revision=item.current_revision, role="input", position=0, asset=asset)
    client = sign_in(curator)
    sent = {"act": "mask", "seen": 0, "reason": "It named the patient.", "rectangles": "[[8,4,32,8]]"}

    answer = client.post(url("quarantine-detail", item.dataset.slug, asset.pk), sent)

    item.refresh_from_db()
    new = item.current_revision.images.get().asset
    assert answer.url == url("quarantine-detail", item.dataset.slug, new.pk)
    assert new != asset and "no identifying text" in client.get(answer.url).content.decode()


def test_an_import_counts_what_waits_and_good_rows_go_in(curator, sign_in, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    images.save_dicom(folder / "us.dcm", images.dicom(images.texture(), Modality="US"))
    images.save_dicom(folder / "ct.dcm", images.dicom(images.texture(seed=2)))
    records = [
        builders.vqa(number, input_image=[f"images/{name}"]) for number, name in enumerate(["us.dcm", "ct.dcm"], 1)
    ]
    builders.jsonl(tmp_path / "items.jsonl", *records)

    summary = import_items(path=tmp_path / "items.jsonl", dataset_slug="scans", actor=curator)
    again = import_items(path=tmp_path / "items.jsonl", dataset_slug="scans", actor=curator)
    page = sign_in(curator).get(url("import-detail", summary.job.pk)).content.decode()

    assert (summary.new, summary.refused, summary.quarantined) == (2, 0, 1)
    assert (again.unchanged, again.quarantined) == (2, 0)
    assert "1 image in quarantine." in page and url("quarantine-list", "scans") in page
