"""Threats Z01 to Z04: hostile archives through the page and the API. One bad entry refuses all; nothing is left."""

import io
import json
import stat
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from annotation.audit.models import Event
from annotation.datasets.models import Dataset, Item
from tests import factories
from tests.acceptance.bench import question
from tests.api.world import Program
from tests.hostile.measuring import measured

pytestmark = pytest.mark.django_db

GOOD = json.dumps(question("1")).encode() + b"\n"


def archive(*entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, content in entries:
            made.writestr(name, content, method)
    return out.getvalue()


def beside(name: str) -> Callable[[], bytes]:
    """A good file and one under a hostile name."""
    return lambda: archive(("data.jsonl", GOOD), (name, b"evil"))


def cut_by_nul() -> bytes:
    return archive(("data.jsonl", GOOD), ("images/aXb.png", b"evil")).replace(b"aXb.png", b"a\0b.png")


def special(kind: int) -> Callable[[], bytes]:
    def make() -> bytes:
        entry = zipfile.ZipInfo("images/link")
        entry.create_system = 3
        entry.external_attr = (kind | 0o777) << 16
        return archive(("data.jsonl", GOOD), (entry, b"/etc/passwd"))

    return make


def overlapping() -> bytes:
    """A second entry of the directory that points at the bytes of the first."""
    data = bytearray(archive(("a.txt", b"x" * 4000), ("data.jsonl", GOOD)))
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = struct.pack("<I", 0)
    return bytes(data)


def lying_size() -> bytes:
    """An entry that says it holds 10 bytes and holds 100,000."""
    data = bytearray(archive(("big.txt", b"x" * 100_000), ("data.jsonl", GOOD)))
    for magic, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.index(magic)
        data[at + place : at + place + 4] = struct.pack("<I", 10)
    return bytes(data)


def nested(levels: int) -> bytes:
    inner = archive(("data.jsonl", GOOD))
    for _ in range(levels):
        inner = archive(("inner.bin", inner), ("data.jsonl", GOOD))
    return inner


def encrypted() -> bytes:
    data = bytearray(archive(("data.jsonl", GOOD)))
    for magic, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(magic) + place] |= 1
    return bytes(data)


def empty_files(count: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for number in range(count):
            made.writestr(zipfile.ZipInfo(f"{number}"), b"")
    return out.getvalue()


ARCHIVES: dict[str, tuple[Callable[[], bytes], str]] = {
    "Z01 climbing": (beside("../../evil"), "leads out"),
    "Z01 climbing inside": (beside("images/../../../evil"), "leads out"),
    "Z01 absolute": (beside("/etc/evil"), "leads out"),
    "Z01 drive": (beside("C:\\evil"), "leads out"),
    "Z01 backslashes": (beside("..\\..\\evil"), "leads out"),
    "Z01 NUL": (cut_by_nul, "leads out"),
    "Z01 trailing dot": (beside("images./evil"), "ends in a dot"),
    "Z01 very long": (beside("x" * 5000), "characters are more than"),
    "Z01 long part": (beside("é" * 200), "has a name of more than 255 bytes"),
    "Z01 composed twins": (lambda: archive(("é", b"1"), ("e\u0301", b"2"), ("data.jsonl", GOOD)), "same file as"),
    "Z01 case twins": (lambda: archive(("A.txt", b"1"), ("a.txt", b"2"), ("data.jsonl", GOOD)), "same file as"),
    "Z02 link": (special(stat.S_IFLNK), "is a link or a device"),
    "Z02 device": (special(stat.S_IFCHR), "is a link or a device"),
    "Z02 pipe": (special(stat.S_IFIFO), "is a link or a device"),
    "Z03 overlap": (overlapping, "overlaps"),
    "Z03 lying size": (lying_size, ""),
    "Z03 ratio": (lambda: archive(("data.jsonl", GOOD), ("zeros.bin", bytes(100_000_000))), "200 to 1"),
    "Z03 nested": (lambda: nested(5), "archive inside the archive"),
    "Z03 named as archive": (beside("more.tar.gz"), "archive inside the archive"),
    "Z03 encrypted": (encrypted, "is encrypted"),
    "Z03 other packing": (lambda: archive(("data.jsonl", GOOD), method=zipfile.ZIP_LZMA), "other than deflate"),
    "Z03 60,000 files": (lambda: empty_files(60_000), "60000 entries are more than 50000"),
    "Z01 the folder itself": (beside("."), "names no file"),
    "Z04 one path twice": (lambda: archive(("data.jsonl", GOOD), ("./data.jsonl", GOOD)), "same file as"),
    "Z04 one name twice": (lambda: archive(("data.jsonl", GOOD), ("data.jsonl", GOOD)), "same file as"),
}  # fmt: skip


def by_page(file: SimpleUploadedFile) -> tuple[int, str]:
    client = Client(raise_request_exception=False)
    client.force_login(factories.person("curating", is_curator=True))
    answer = client.post("/datasets/import/", {"file": file, "layout": "auto", "new_dataset": "fresh"})
    return answer.status_code, answer.content.decode()


def by_api(file: SimpleUploadedFile) -> tuple[int, str]:
    program = Program(factories.person("curating", is_curator=True))
    answer = program.upload("imports/items/", {"file": file, "dataset": "fresh"})
    return answer.status, json.dumps(answer.data)


@pytest.mark.parametrize("door", [by_page, by_api], ids=["page", "API"])
@pytest.mark.parametrize("name", ARCHIVES)
def test_Z01_to_Z04_a_hostile_archive_is_refused_and_leaves_nothing(door, name, home: Path):
    make, words = ARCHIVES[name]
    data = make()

    with measured() as cost:
        status, said = door(SimpleUploadedFile("package.zip", data))

    assert (status, words in said) == (422, True), said[-1500:]
    assert "Traceback" not in said
    assert [path for path in (home / "uploads").rglob("*")] == []
    assert not [path for path in home.parent.rglob("evil*")]
    assert (Dataset.objects.count(), Item.objects.count()) == (0, 0)
    assert "upload refused" in Event.objects.values_list("verb", flat=True)
    assert (cost.seconds < 10, cost.grown < 200) == (True, True)
