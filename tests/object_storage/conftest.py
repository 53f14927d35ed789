"""One object store for all tests of this folder; each test has a prefix and a home of its own."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from annotation.assets import bucket, cache
from annotation.assets.bucket import Address
from annotation.imaging.sandbox import Decoder
from tests.object_storage.server import BUCKET, ObjectStore


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    with ObjectStore(tmp_path_factory.mktemp("object-store")) as started:
        yield started


@pytest.fixture(scope="session")
def decoder() -> Iterator[Decoder]:
    with Decoder() as started:
        yield started


@pytest.fixture
def address(store: ObjectStore, settings, monkeypatch: pytest.MonkeyPatch) -> Address:
    """The product as set up with object storage; what earlier tests made it remember is forgotten."""
    for name, value in store.environment.items():
        monkeypatch.setenv(name, value)
    settings.MEDGEN_OBJECT_STORAGE = Address(BUCKET, f"{uuid4().hex}/")
    monkeypatch.setattr(bucket._rest, "until", 0.0)
    monkeypatch.setattr(bucket._rest, "asked_at", float("-inf"))
    monkeypatch.setattr(cache._Written, "since_look", None)
    cache._damaged.clear()
    return settings.MEDGEN_OBJECT_STORAGE


@pytest.fixture
def objects(store: ObjectStore, address: Address):
    """What the bucket holds for this test, as another client sees it: keys below the prefix to bytes."""

    def held() -> dict[str, bytes]:
        client = store.client()
        listed = client.list_objects_v2(Bucket=BUCKET, Prefix=address.prefix).get("Contents", ())
        keys = [entry["Key"] for entry in listed]
        return {
            key.removeprefix(address.prefix): client.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys
        }

    return held


@pytest.fixture
def dead_end(monkeypatch: pytest.MonkeyPatch):
    """Call it to send every request to an address where nobody answers."""

    def cut() -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    return cut


@pytest.fixture
def other_machine(settings, tmp_path: Path):
    """Call it to go on with an empty cache, as another web machine would."""

    def moved(name: str = "other") -> Path:
        settings.MEDGEN_ASSETS = tmp_path / name / "assets"
        return settings.MEDGEN_ASSETS

    return moved
