"""A bucket that does not answer: reads say so and when to come back, imports stop in words, nothing is half there."""

import hashlib
import json
import shutil

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from annotation.assets import bucket, storage
from annotation.assets.errors import StoreAwayError
from annotation.assets.models import Asset
from annotation.datasets.models import ImportJob, Item, ItemImage
from annotation.grading.models import Grade
from annotation.work.executor import is_trouble, reason_of
from medgen.trouble import trouble_of
from tests import factories, images
from tests.acceptance.bench import edit, lines
from tests.annotation.grading import world
from tests.object_storage.server import BUCKET

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("object-store"), pytest.mark.long]
WORDS = "object storage that holds the pictures cannot be reached"


def kept_frames(asset: Asset, data: bytes) -> Asset:
    """Give an asset of the factories frames in the bucket, with their checksum in its row."""
    asset.frames_sha256 = hashlib.sha256(data).hexdigest()
    asset.save()
    storage.write_once(storage.place(asset.sha256, storage.FRAMES_SUFFIX), data)
    return asset


def asking(user) -> Client:
    """A browser, which is shown what broke instead of the exception."""
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


@pytest.fixture
def shown(address, curator) -> tuple[str, bytes]:
    """The address of a picture of an item, and its bytes."""
    item = factories.item()
    asset = ItemImage.objects.get(revision=item.current_revision).asset
    data = b"frames of the picture" * 9
    kept_frames(asset, data)
    return reverse("annotation:image-data", args=[item.pk, 0]), data


def body(answer) -> bytes:
    return b"".join(answer.streaming_content)


def test_a_cached_picture_is_shown_without_the_bucket(shown, curator, dead_end):
    dead_end()

    assert body(asking(curator).get(shown[0])) == shown[1]


def test_a_picture_that_is_not_here_waits_for_the_bucket_in_words(shown, curator, settings, monkeypatch):
    shutil.rmtree(settings.MEDGEN_ASSETS)
    with monkeypatch.context() as cut:
        cut.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        away = asking(curator).get(shown[0])
        api = asking(curator).get(f"/api/v1{shown[0].removesuffix('frames.bin')}data/")
    bucket._rest.until = 0.0

    back = asking(curator).get(shown[0])

    assert (away.status_code, away.headers["Retry-After"]) == (503, "5")
    assert WORDS in away.content.decode()
    assert (api.status_code, api.headers["Retry-After"]) == (503, "5")
    assert WORDS in api.json()["detail"]
    assert body(back) == shown[1]


def test_a_server_that_was_killed_and_started_again_has_every_picture(shown, curator, store, settings):
    shutil.rmtree(settings.MEDGEN_ASSETS)
    store.stop()
    try:
        away = asking(curator).get(shown[0])
        ready = Client().get("/readyz")
    finally:
        store.start()
    bucket._rest.until, bucket._rest.asked_at = 0.0, float("-inf")

    assert away.status_code == 503
    assert ready.status_code == 503
    assert "object storage unreachable" in ready.json()["problems"][0]
    assert body(asking(curator).get(shown[0])) == shown[1]
    assert Client().get("/readyz").json() == {"status": "ok", "problems": []}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("AWS_SECRET_ACCESS_KEY", "a wrong secret", "SignatureDoesNotMatch"),
        ("bucket", "no-such-bucket", "NoSuchBucket"),
    ],
)
def test_readyz_says_why_the_bucket_refuses(address, settings, monkeypatch, name, value, code):
    bucket._kept.cache_clear()
    if name == "bucket":
        settings.MEDGEN_OBJECT_STORAGE = address._replace(name=value)
    else:
        monkeypatch.setenv(name, value)

    said = Client().get("/readyz")
    bucket._kept.cache_clear()

    assert said.status_code == 503
    assert said.json()["problems"] == [f"object storage refuses MedGEN ({code})"]
    assert value not in said.content.decode()


def test_a_grade_waits_for_the_bucket_and_is_taken_when_it_is_back(address, reader, settings, monkeypatch):
    made = world.small_study(reader)
    reading = made.readings[0]
    image = ItemImage.objects.filter(revision=reading.study_item.revision).select_related("asset").get()
    kept_frames(image.asset, b"what the reader looked at")
    shutil.rmtree(settings.MEDGEN_ASSETS)
    place = reverse("annotation:grade-submit", args=[reading.pk])
    sent = json.dumps(world.submission_body())

    with monkeypatch.context() as cut:
        cut.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        away = asking(reader).post(place, sent, content_type="application/json")
        grades = Grade.objects.count()
    bucket._rest.until = 0.0
    back = asking(reader).post(place, sent, content_type="application/json")

    assert (away.status_code, away.headers["Retry-After"], grades) == (503, "5", 0)
    assert WORDS in away.json()["error"]
    assert back.status_code == 200
    assert Grade.objects.count() == 1


def package(folder):
    for number in range(2):
        images.save_png(folder / f"images/{number}.png", images.photograph() // (number + 1))
        images.save_png(folder / f"images/{number}_ref.png", images.photograph() // (number + 3))
    return lines(folder / "data.jsonl", edit("0"), edit("1"))


@pytest.fixture
def source(tmp_path):
    (tmp_path / "package" / "images").mkdir(parents=True)
    return package(tmp_path / "package")


def test_an_import_without_the_bucket_stops_in_words_and_goes_through_later(
    address, source, monkeypatch, objects, settings
):
    with monkeypatch.context() as cut, pytest.raises(StoreAwayError) as problem:
        cut.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        call_command("import_items", source, "--dataset", "cut")
    trouble = trouble_of(problem.value)  # manage.py prints its words and ends with 1

    assert trouble is not None and WORDS in trouble.words
    assert WORDS in ImportJob.objects.get().failure
    assert (Asset.objects.count(), Item.objects.count()) == (0, 0)
    assert not settings.MEDGEN_ASSETS.exists() or not list(settings.MEDGEN_ASSETS.rglob("*.*"))
    bucket._rest.until = 0.0
    call_command("import_items", source, "--dataset", "cut")
    assert (Asset.objects.count(), Item.objects.count(), len(objects())) == (4, 2, 12)


def test_every_object_is_acknowledged_before_the_row_of_its_picture(address, source, store, monkeypatch):
    missing: list[str] = []

    def save(self, *args, **kwargs):
        for _, path, sha256 in storage.files_of(self):
            key = address.prefix + storage.key_of(path, sha256)
            found = store.client().get_object(Bucket=BUCKET, Key=key)["Body"].read()
            if hashlib.sha256(found).hexdigest() != sha256:
                missing.append(key)
        return original(self, *args, **kwargs)

    original = Asset.save
    monkeypatch.setattr(Asset, "save", save)

    call_command("import_items", source, "--dataset", "order")

    assert Asset.objects.count() == 4
    assert missing == []


def test_work_that_the_bucket_stopped_is_tried_again_later():
    assert is_trouble(StoreAwayError())
    assert WORDS in reason_of(StoreAwayError())
