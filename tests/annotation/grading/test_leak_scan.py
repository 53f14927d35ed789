"""The leak scan: what readers receive is searched from inside, nothing is opened, and what is planted is found."""

import io
import zlib

import numpy as np
import PIL.Image
import PIL.PngImagePlugin
import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse

from annotation.assets.models import Asset
from annotation.assets.storage import frames_path
from annotation.audit.models import Event
from annotation.grading import work
from annotation.grading.scan_bytes import Needles, Tally, search_answer, search_frames
from annotation.studies import consent
from annotation.studies.models import Reading, Study
from annotation.systems.models import OutputPart
from annotation.work.executor import drain
from annotation.work.models import Job
from tests import factories
from tests.annotation.grading import world

pytestmark = [pytest.mark.django_db, pytest.mark.walks]


@pytest.fixture
def made(reader, coordinator):
    made = world.small_study(reader, formats=("vqa", "image_editing"))
    factories.enroll(made.study, coordinator, "coordinator")
    return made


def scanned(made, coordinator, *, words=(), sample=None):
    work.ask_for_scan(study=made.study, actor=coordinator, sample=sample, words=list(words))
    drain()
    found = work.last_report(made.study)
    assert found is not None
    return found.report


def words_of(report) -> set[str]:
    return {hit["word"].casefold() for hit in report["hits"]}


def test_a_clean_study_has_no_hits_and_says_what_was_searched(made, coordinator, sign_in):
    report = scanned(made, coordinator)

    assert report["hits"] == [] and report["failed"] == 0
    assert report["readings"] == 4 and report["outputs"] == 4
    assert set(report["statuses"]) >= {"200", "302", "304", "404"} and "403" not in report["statuses"]
    assert report["answers"] > 30 and report["received"] > 10_000
    event = Event.objects.get(verb="leaks scanned")
    assert (event.actor, event.details["hits"]) == (str(coordinator.pk), 0)
    page = sign_in(coordinator).get(reverse("annotation:blinding-leaks", args=[made.study.slug])).content.decode()
    assert "0 hits" in page and "by Coordinator" in page


def test_a_walk_opens_no_reading_and_signs_nobody_in(made, coordinator, reader):
    before = list(Reading.objects.order_by("pk").values())
    person = type(reader).objects.filter(pk=reader.pk).values().get()

    scanned(made, coordinator)

    assert list(Reading.objects.order_by("pk").values()) == before
    assert type(reader).objects.filter(pk=reader.pk).values().get() == person
    assert Session.objects.count() == 0
    assert not Event.objects.filter(actor=str(reader.pk)).exists()


def test_what_is_planted_is_found_with_its_reading_and_place(made, coordinator):
    OutputPart.objects.filter(kind="text").update(text="As Zephyrion Werke I see nothing.")
    Study.objects.filter(pk=made.study.pk).update(name="Quasarnet-v7 and others")
    key = str(made.submissions[0].pk)
    item = made.study.study_items.first().revision
    type(item).objects.filter(pk=item.pk).update(instruction=f"See {key}, made by ACME labs.")

    report = scanned(made, coordinator, words=["Acme Labs"])

    assert {"zephyrion werke", "quasarnet-v7", key, "acme labs"} <= words_of(report)
    text = next(hit for hit in report["hits"] if hit["word"] == "Zephyrion Werke")
    assert text["where"].startswith("reading.json, panes[") and text["position"] >= 1 and text["reader"]
    assert "I see nothing" in text["around"]


def test_bytes_planted_in_frames_are_found_packed_and_unpacked(made, coordinator):
    asset = OutputPart.objects.filter(kind="image").first().asset
    rows, columns = 2, 40
    samples = np.zeros((rows, columns), dtype=np.uint16)
    samples[1, 4:13] = list(b"zephyrion")
    steps = np.diff(samples, axis=1, prepend=np.zeros((rows, 1), dtype=np.uint16)).astype(np.uint16)
    packed = zlib.compress((steps & 255).astype(np.uint8).tobytes() + (steps >> 8).astype(np.uint8).tobytes())
    frames_path(asset).chmod(0o600)
    frames_path(asset).write_bytes(packed)
    header = asset.frames_header | {"rows": rows, "cols": columns, "encoding": "delta-split-deflate"}
    Asset.objects.filter(pk=asset.pk).update(frames_header=header | {"offsets": [0, len(packed)]})

    report = scanned(made, coordinator)

    assert any("low bytes" in hit["where"] and hit["word"] == "zephyrion" for hit in report["hits"])


def test_a_color_picture_is_searched_in_its_metadata_and_pixels():
    needles = Needles.of(names=["Zephyrion"], public=[], keys=[])
    texts, file = PIL.PngImagePlugin.PngInfo(), io.BytesIO()
    texts.add_text("Comment", "made by zephyrion " * 9, zip=True)
    pixels = np.zeros((4, 8, 3), dtype=np.uint8)
    pixels.ravel()[:9] = list(b"ZEPHYRION")
    PIL.Image.fromarray(pixels).save(file, "PNG", pnginfo=texts)
    tally = Tally()

    search_frames(needles, tally, "frames.bin", header={"encoding": "png"}, body=file.getvalue())

    assert {hit["where"] for hit in tally.hits} == {
        "frames.bin, frame 1, its metadata",
        "frames.bin, frame 1, its pixels",
    }


def test_headers_cookies_and_escaped_texts_are_searched():
    needles = Needles.of(names=["Zephyrion", "Q7x"], public=["GPT-4"], keys=["ab12cd"])
    tally = Tally()

    search_answer(
        needles, tally, "page", status=200, headers=[("X-Made", "Zephyrion"), ("Set-Cookie", "k=AB12CD")], body=b""
    )
    search_answer(
        needles, tally, "page", status=200, headers=[("Content-Type", "text/html")],
        body=b"<p title='gpt&#45;4'>Zephyr&#105;on q7x</p><!-- zephyrion -->",
    )  # fmt: skip
    search_answer(
        needles, tally, "json", status=404, headers=[("content-type", "application/json")],
        body=b'{"a": [{"ZEPHYRION": "\\u007aephyrion"}]}',
    )  # fmt: skip

    wheres = [(hit["where"], hit["word"].casefold()) for hit in tally.hits]
    assert ("page, header X-Made", "zephyrion") in wheres and ("page, header Set-Cookie", "ab12cd") in wheres
    assert {("page", "gpt-4"), ("page", "q7x"), ("page", "zephyrion")} <= set(wheres)
    assert ("json, a[0].ZEPHYRION", "zephyrion") in wheres
    assert tally.statuses == {"200": 2, "404": 1}


def test_readers_who_have_not_agreed_yet_are_walked_too(made, coordinator, reader, sign_in):
    consent.publish_form(study=made.study, instructions="Read.", text="I agree.", actor=coordinator)
    OutputPart.objects.filter(kind="text").update(text="As Zephyrion Werke I see nothing.")

    report = scanned(made, coordinator)

    assert report["before_consent"] == report["readings"] == 4
    assert "zephyrion werke" in words_of(report)
    json_of = reverse("annotation:reading-json", args=[made.readings[0].pk])
    assert sign_in(reader).get(json_of).status_code == 403


def test_a_sample_is_drawn_and_a_scan_under_way_is_given_instead_of_a_second(made, coordinator):
    first = work.ask_for_scan(study=made.study, actor=coordinator, sample=3, words=[])
    second = work.ask_for_scan(study=made.study, actor=coordinator, sample=None, words=[])
    drain()

    assert first == second
    assert work.last_report(made.study).report["readings"] == 3


def test_the_page_asks_for_a_scan_and_refuses_bad_words(made, coordinator, sign_in):
    client = sign_in(coordinator)
    start = reverse("annotation:blinding-leaks-scan", args=[made.study.slug])

    refused = client.post(start, {"words": "ok\nx"})
    begun = client.post(start, {"words": "Acme, Zebra", "which": "all"})
    page = client.get(begun.url).content.decode()

    assert refused.status_code == 422 and "must have 3 to 100" in refused.content.decode()
    assert Job.objects.get().parameters == {"study": str(made.study.pk), "sample": None, "words": ["Acme", "Zebra"]}
    assert "job-progress" in page and "Scan a sample" not in page


def test_whoever_reads_on_the_dataset_sees_neither_page_nor_job(made, coordinator, reader, sign_in):
    factories.enroll(made.study, reader, "coordinator")
    job = work.ask_for_scan(study=made.study, actor=reader, sample=None, words=[])
    page = reverse("annotation:blinding-leaks", args=[made.study.slug])

    assert sign_in(reader).get(page).status_code == 404
    assert sign_in(reader).post(reverse("annotation:blinding-leaks-scan", args=[made.study.slug])).status_code == 404
    assert sign_in(reader).get(job.get_absolute_url()).status_code == 404


def test_a_draft_has_nothing_to_scan(made, coordinator, sign_in):
    Study.objects.filter(pk=made.study.pk).update(state="draft")

    page = sign_in(coordinator).post(reverse("annotation:blinding-leaks-scan", args=[made.study.slug]))

    assert page.status_code == 422 and "Readings are drawn when the study opens" in page.content.decode()
