"""Lists, filters and the page of one item."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.datasets.importing import import_items
from annotation.datasets.models import Item, ItemAlias
from tests import factories
from tests.annotation.datasets.builders import edit, jsonl, png, vqa, with_id

pytestmark = pytest.mark.django_db


def queries(client, url) -> int:
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def many(count: int) -> None:
    dataset = factories.dataset()
    for _ in range(count):
        factories.item(dataset)


@pytest.mark.parametrize("name", ["dataset-list", "dataset-detail", "item-list"])
def test_lists_need_the_same_queries_at_10_and_1000_rows(name, curator, sign_in, tmp_path):
    client, args = sign_in(curator), [] if name == "dataset-list" else ["liver"]
    url = reverse(f"annotation:{name}", args=args)
    many(10)
    few = queries(client, url)
    file = jsonl(tmp_path / "a.jsonl", *(with_id(vqa(n), f"s:{n}") for n in range(990)))
    import_items(path=file, dataset_slug="liver", actor=None)

    assert Item.objects.count() == 1000
    assert queries(client, url) == few


def test_a_page_holds_fifty_items(curator, sign_in, tmp_path):
    file = jsonl(tmp_path / "a.jsonl", *(with_id(vqa(n), f"s:{n}") for n in range(60)))
    import_items(path=file, dataset_slug="liver", actor=None)
    url = reverse("annotation:item-list", args=["liver"])

    first, second = sign_in(curator).get(url), sign_in(curator).get(url, {"page": 2})

    assert len(first.context["page_obj"].object_list) == 50
    assert len(second.context["page_obj"].object_list) == 10
    assert b"IT-000051" in second.content


@pytest.mark.parametrize("words", ["tableiv:VQA:7", "iv:vqa:7", "IT-000001", "it-1", "1", "costophrenic"])
def test_a_search_finds_codes_every_id_and_words(words, curator, sign_in):
    item = factories.item(instruction="Show the costophrenic angle")
    ItemAlias.objects.create(dataset=item.dataset, item=item, scheme="sample_id", value="tableiv:VQA:7")
    other = factories.item(instruction="Something else")

    page = sign_in(curator).get(reverse("annotation:item-list", args=["liver"]), {"q": words})

    assert item.code.encode() in page.content
    assert other.code.encode() not in page.content


def test_filters_narrow_the_list_and_unmapped_is_a_filter(curator, sign_in):
    kept = factories.item(modality="", raw_terms={"modality": "Thermography"}, state="accepted")
    factories.item(modality="ct", state="accepted")
    factories.item(modality="", state="rejected")

    page = sign_in(curator).get(
        reverse("annotation:item-list", args=["liver"]), {"modality": "unmapped", "state": "accepted"}
    )

    assert [item.pk for item in page.context["page_obj"]] == [kept.pk]
    assert b"Thermography" in page.content


def test_a_filter_value_that_is_not_offered_is_422(curator, sign_in):
    factories.item()

    page = sign_in(curator).get(reverse("annotation:item-list", args=["liver"]), {"state": "'; drop"})

    assert page.status_code == 422
    assert b"is not one of the available choices" in page.content


def test_the_dataset_page_counts_and_says_what_to_do_next(curator, sign_in):
    factories.item(state="imported")
    factories.item(state="accepted", modality="", raw_terms={"modality": "Thermography"})

    page = sign_in(curator).get(reverse("annotation:dataset-detail", args=["liver"])).content.decode()

    assert "1 item waits for review" in page
    assert "Thermography" in page
    assert "?state=accepted" in page


def test_empty_pages_say_what_to_do(curator, coordinator, sign_in):
    factories.dataset()

    nothing = sign_in(curator).get(reverse("annotation:dataset-detail", args=["liver"])).content.decode()
    found = sign_in(curator).get(reverse("annotation:item-list", args=["liver"]), {"q": "zzz"}).content.decode()
    creator = sign_in(coordinator).get(reverse("annotation:dataset-detail", args=["liver"])).content.decode()

    assert "No items yet" in nothing and "Import items" in nothing
    assert "Widen the filter" in found
    assert "Import items" not in creator


@pytest.fixture
def imported(tmp_path) -> Item:
    png(tmp_path / "images/e1.png", 1), png(tmp_path / "images/e1_ref.png", 2)
    report = {"FINDINGS": {"Lungs": "Clear."}, "IMPRESSION": {"Summary": "Normal."}}
    record = edit(
        1, case_id="HOSPITAL-0815", license="CC0-1.0", sample_id="tableiv:1", uid="u-1", paper_subtask="Contrast"
    )
    record["instruction"] = "Raise <b>contrast</b> & keep {{ 7 }}"
    file = jsonl(tmp_path / "edit.jsonl", record, vqa(1, answer=report, choice=[], case_id="HOSPITAL-0815"))
    import_items(path=file, dataset_slug="liver", actor=None)
    return Item.objects.get(number=1)


def test_the_item_page_shows_everything_the_item_says(imported, curator, sign_in):
    page = sign_in(curator).get(imported.get_absolute_url()).content.decode()

    assert "Raise &lt;b&gt;contrast&lt;/b&gt; &amp; keep {{ 7 }}" in page
    assert "CC0-1.0" in page and "tableiv:1" in page and "u-1" in page
    assert reverse("annotation:image-frames", args=[imported.pk, 1]) in page
    assert "IT-000002" in page  # the other item of the case
    assert "HOSPITAL-0815" not in page
    assert "input_names" not in page


def test_the_item_page_shows_report_sections_in_order(imported, curator, sign_in):
    report = Item.objects.get(number=2)

    page = sign_in(curator).get(report.get_absolute_url()).content.decode()

    assert page.index("FINDINGS") < page.index("Clear.") < page.index("IMPRESSION") < page.index("Normal.")


def test_the_item_page_needs_the_same_queries_with_more_revisions_images_and_ids(imported, curator, sign_in):
    client, url = sign_in(curator), imported.get_absolute_url()
    few = queries(client, url)
    for number in range(20):
        ItemAlias.objects.create(dataset=imported.dataset, item=imported, scheme="x", value=str(number))
        factories.ItemImage.objects.create(
            revision=imported.current_revision, role="input", position=number + 5, asset=factories.asset()
        )

    assert queries(client, url) == few


def test_pictures_come_as_header_frames_and_thumbnail(imported, curator, sign_in):
    client = sign_in(curator)
    header = client.get(reverse("annotation:image-frames", args=[imported.pk, 0]))
    facts = header.json()
    data = client.get(facts["data"])
    part = client.get(facts["data"], headers={"range": "bytes=0-9"})
    whole = b"".join(data.streaming_content)

    assert (facts["rows"], facts["cols"], facts["encoding"]) == (12, 16, "delta-split-deflate")
    assert len(whole) == facts["offsets"][-1]
    assert (part.status_code, b"".join(part.streaming_content)) == (206, whole[:10])
    assert client.get(reverse("annotation:image-thumbnail", args=[imported.pk, 1]))["Content-Type"] == "image/png"
    assert client.get(reverse("annotation:image-frames", args=[imported.pk, 2])).status_code == 404


def test_strangers_meet_404_and_readers_too(imported, stranger, reader, client, sign_in):
    addresses = [
        reverse("annotation:dataset-list"), reverse("annotation:dataset-detail", args=["liver"]),
        reverse("annotation:item-list", args=["liver"]), imported.get_absolute_url(),
        reverse("annotation:image-data", args=[imported.pk, 0]), reverse("annotation:item-import"),
    ]  # fmt: skip

    for url in addresses:
        assert sign_in(stranger).get(url).status_code == 404
        assert sign_in(reader).get(url).status_code == 404
        assert client.get(url).status_code == 302
