"""Names planted in every header, text and metadata field, in file names and archives: none in store, logs or pages.

Threats D13, N04 and I04 from import to score sheet. Text drawn into the pixels is another matter: it stays, is said,
and waits for a curator.
"""

import io
import json
import logging
import os
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client, TestCase

from annotation.assets.models import Asset
from annotation.datasets.models import Item
from annotation.studies.models import Enrollment, Study
from annotation.systems.models import Output, Submission, System
from annotation.work.executor import drain
from tests import factories
from tests.acceptance import readers
from tests.acceptance.addresses import ALL
from tests.acceptance.bench import command, edit, lines
from tests.hostile.planted import MAKERS, NUMBERS, WORD, Planter, expanded, forms, hits

ROOT = Path(__file__).resolve().parents[2]
WORDS = (WORD, *NUMBERS)
KINDS = list(MAKERS)


@pytest.mark.parametrize("kind", MAKERS)
def test_every_planted_name_is_in_the_original_and_the_search_finds_it(kind):
    plant = Planter()
    data = MAKERS[kind](plant)

    parts = list(expanded(data))

    assert len(plant.names) >= {"dicom": 56, "nifti": 7, "nifti packed": 10}.get(kind, 17)
    assert [name for name in plant.names if not any(form in part for form in forms(name) for part in parts)] == []


@pytest.mark.parametrize(
    "hide",
    [
        lambda text: text.encode(),
        lambda text: text.encode("utf-16-le"),
        lambda text: __import__("base64").b64encode(b"xy" + text.encode() + b"z"),
        lambda text: __import__("zlib").compress(b"a long enough text around " + text.encode()),
        lambda text: __import__("gzip").compress(
            __import__("zlib").compress(b"twice packed, around " + text.encode())
        ),
    ],
    ids=["plain", "UTF-16", "base64", "deflated", "twice packed"],
)
def test_the_search_looks_into_every_form(hide):
    assert hits(b"before " + hide("ZEBRA0001") + b" after")
    assert not hits(b"before " + hide("HORSE0001") + b" after")


def package(folder: Path, plant: Planter) -> list[dict[str, Any]]:
    """One editing item for each kind of file: planted picture, reference, names of files and folders, and case."""
    records = []
    for kind in KINDS:
        own = f"{plant.name()} Jane"
        (folder / own).mkdir(parents=True)
        names = [f"{own}/{plant.name()}.{end}" for end in ("one", "two")]
        for name in names:
            (folder / name).write_bytes(MAKERS[kind](plant))
        record = edit(kind.replace(" ", "-"), input_image=[names[0]], ground_truth_image=[names[1]])
        records.append(record | {"case_id": plant.name()})
    lines(folder / "data.jsonl", *records)
    return records


def answers(folder: Path, records: list[dict[str, Any]], plant: Planter) -> Path:
    said = []
    for record, kind in zip(records, KINDS, strict=True):
        name = f"{plant.name()}/{plant.name()}.out"
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(MAKERS[kind](plant))
        said.append(record | {"input_image": [], "response": "", "raw_response": "", "output_image": name})
    return lines(folder / "results.jsonl", *said)


def archive(folder: Path, plant: Planter) -> bytes:
    """The folder as an archive with comments on it and on each entry, and extra fields."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        made.comment = plant.bytes()
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                entry = zipfile.ZipInfo(f"{WORD} folder/{file.relative_to(folder).as_posix()}")
                entry.comment, entry.extra = plant.bytes(), b"ZZ\x09\0" + plant.bytes()
                made.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
    return target.getvalue()


def rows() -> Iterator[tuple[str, bytes]]:
    """Every value of every row of every table."""
    for model in apps.get_models():
        for values in model._default_manager.values_list().iterator(chunk_size=500):
            yield model.__name__, repr(values).encode()


def in_files(folder: Path) -> list[str]:
    """Hits in the names and contents of all files below a folder."""
    found = []
    for file in folder.rglob("*"):
        found += [f"name {file}"] if WORD.lower() in str(file.relative_to(folder)).lower() else []
        if file.is_file():
            found += [f"{file.relative_to(folder)} {hit}" for hit in hits(file.read_bytes(), WORDS)]
    return found


def by_page(client: Client, address: str, file: SimpleUploadedFile, **fields: str) -> list[bytes]:
    looked = client.post(address, {"file": file, "layout": "auto", **fields})
    assert looked.status_code == 200, looked.content
    assert (looked.context["summary"].refused, looked.context["summary"].new) == (0, len(KINDS))
    with TestCase.captureOnCommitCallbacks(execute=True):
        asked = client.post(address, {"upload": looked.context["upload"].id})
        drain()
    assert asked.status_code == 302
    preview = (
        looked.content.decode()
    )  # tells whoever chose the file its name and the place of a line, before it is kept
    for own in (file.name.removesuffix(".zip"), f"{WORD} folder/"):
        assert own in preview
        preview = preview.replace(own, "")
    return [preview.encode(), client.get(asked["Location"]).content]


def world_of(study: Study, people: dict[str, Any]) -> dict[str, Any]:
    item = Item.objects.filter(dataset=study.release.dataset).first()
    submission = Submission.objects.get(release=study.release)
    reading = study.readings.first()
    return people | {
        "study": study, "item": item, "reading": reading, "letter": "A", "submission": submission,
        "dataset": item.dataset, "system": System.objects.get(), "output": Output.objects.first(),
        "job": study.release.dataset.import_jobs.first(), "person": people["reader"],
        "enrollment": Enrollment.objects.filter(study=study).first(),
    }  # fmt: skip


def every_page(people: dict[str, Any], world: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    for role in people.values():
        client = Client(raise_request_exception=False)
        client.force_login(role)
        for address in ALL:
            if address.name.endswith("sign-out"):
                continue
            try:
                path = address.filled(address.real(world))
            except (KeyError, AttributeError, IndexError):
                continue
            answer = client.get(path)
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
            assert answer.status_code < 500, path
            yield path, body + repr(dict(answer.headers)).encode()


@pytest.mark.django_db
@pytest.mark.long
def test_D13_N04_no_name_survives_from_upload_to_score_sheet(tmp_path: Path, home: Path, caplog, capsys):
    plant = Planter()
    people = {
        "staff": factories.person("staff", is_curator=True, is_operator=True, may_create_studies=True),
        "reader": factories.person("reader"),
    }
    client = Client()
    client.force_login(people["staff"])
    records = package(tmp_path / "items", plant)
    results = answers(tmp_path / "results", records, plant)
    upload = SimpleUploadedFile(f"{plant.name()}.zip", archive(tmp_path / "items", plant))
    caplog.set_level(logging.DEBUG)  # from here on: making the files above logs their names
    told = by_page(client, "/datasets/import/", upload, new_dataset="paged")
    said = [command("import_items", tmp_path / "items", "--dataset", "typed")]
    Item.objects.update(state=Item.State.ACCEPTED)
    for slug in ("paged", "typed"):
        said.append(command("freeze_release", slug, "1.0", "--validated-elsewhere", "the makers of this test"))
    file = SimpleUploadedFile(f"{plant.name()}.zip", archive(results.parent, plant))
    fields = {"new_system": "aurora", "name": "Aurora", "kind": "unified", "version": "1"}
    told += by_page(client, "/outputs/import/", file, destination="paged@1.0", **fields)
    typed = ("--dataset", "typed", "--release", "1.0", "--system", "aurora", "--system-version", "1")
    said.append(command("import_outputs", results, *typed))
    said.append(command("run_metrics", "--all", "--json"))
    design = {
        "name": "Planted", "slug": "planted", "release": "paged@1.0", "submissions": ["aurora"],
        "rubrics": ["T1", "T6"], "readers": ["reader"], "readers_per_item": 1, "gap": 1, "seed": 5,
        "coordinators": ["staff"],
    }  # fmt: skip
    (tmp_path / "design.json").write_text(json.dumps(design))
    said.append(command("create_study", tmp_path / "design.json", "--open"))
    assert [answer.code for answer in said] == [0] * 6, [answer.err for answer in said]
    reading = Client()
    reading.force_login(people["reader"])
    study = Study.objects.get(slug="planted")
    assert readers.grade_all(reading, study, 4) == len(KINDS)
    said.append(command("export_workbook", "planted", tmp_path / "sheet.xlsx"))
    said.append(command("leaderboard", "paged", "--json"))

    found = [f"row of {name}: {hit}" for name, data in rows() for hit in hits(data, WORDS)]
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        found += [f"database file: {hit}" for hit in hits(connection.connection.serialize(), WORDS)]
    found += in_files(home)
    found += [f"sheet: {hit}" for hit in hits((tmp_path / "sheet.xlsx").read_bytes(), WORDS)]
    found += [f"command: {hit}" for answer in said for hit in hits((answer.out + answer.err).encode(), WORDS)]
    found += [f"import page: {hit}" for page in told for hit in hits(page, WORDS)]
    found += [f"log: {hit}" for hit in hits(caplog.text.encode(), WORDS)]
    found += [f"output: {hit}" for hit in hits("".join(capsys.readouterr()).encode(), WORDS)]
    pages = dict(every_page(people, world_of(study, people)))
    found += [f"{path}: {hit}" for path, data in pages.items() for hit in hits(data, WORDS)]

    assert found == [], "\n".join(sorted(found)[:40])
    assert len(plant.names) >= 56 + 4 * sum((7, 10, 17, 17, 17, 17))
    assert (Asset.objects.count(), len(pages) > 40) == (6, True)  # equal pixels are one asset, whatever named them


def environment(home: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "MEDGEN_HOME": str(home),
        "SECRET_KEY": "a key for this test only, long enough to pass",
    }


@pytest.mark.long
def test_D13_no_name_is_in_any_file_of_a_home_not_even_in_the_journal(tmp_path: Path):
    home, plant = tmp_path / "own", Planter()
    records = package(tmp_path / f"{plant.name()} items", plant)
    folder = tmp_path / f"{plant.names[0]} items"
    results = answers(tmp_path / "results", records, plant)
    run = environment(home)

    def manage(*words: object) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *map(str, words)],
            cwd=ROOT, env=run, capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    manage("migrate", "-v0")
    holder = sqlite3.connect(home / "medgen.sqlite3")  # an open connection keeps the journal from being folded in
    holder.execute("SELECT count(*) FROM annotation_asset").fetchone()
    said = manage("import_items", folder, "--dataset", "typed")
    said += manage("freeze_release", "typed", "1.0", "--validated-elsewhere", "the makers of this test")
    said += manage(
        "import_outputs",
        results,
        "--dataset",
        "typed",
        "--release",
        "1.0",
        "--system",
        "aurora",
        "--system-version",
        "1",
    )

    names = {file.name for file in home.rglob("*") if file.is_file()}
    found = in_files(home) + hits(said.encode(), WORDS)
    holder.close()

    assert found == []
    assert {"medgen.sqlite3", "medgen.sqlite3-wal"} <= names
