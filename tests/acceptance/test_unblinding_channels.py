"""What could still tell a reader which system it was: containers, others' words, log lines, validators, order."""

import hashlib
import json
import logging
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from annotation.audit.models import Event
from annotation.grading.work import ask_for_scan, last_report
from annotation.people.models import User
from annotation.studies.models import Reading, Study
from annotation.studies.separating import separations
from annotation.studies.services import open_study
from annotation.work.executor import drain
from tests import factories
from tests.acceptance import readers
from tests.acceptance.bench import DATASET, Bench, answered, command, lines, save
from tests.acceptance.test_blinding import PLANTED, Witness, forbidden, generation
from tests.annotation.grading import world

pytestmark = pytest.mark.django_db
SYSTEMS = {"zephyrion-slug": ("png", "tiff"), "quasarnet-slug": ("jpeg", "webp")}
ITEMS = ("g1", "g2", "g3", "g4")
COPIED = "g4"


def marked(path: Path, pixels: np.ndarray, kind: str) -> str:
    """A picture that names its maker wherever its kind has room for it, and behind its end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = PIL.Image.Exif()
    exif[0x010E], exif[0x0131] = "canary-exif description", "canary-exif software"
    packet = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>canary-itxt zephyrion</x:xmpmeta>"
    more: dict[str, Any] = {
        "png": {"exif": exif},
        "jpeg": {"exif": exif, "comment": b"canary-text", "quality": 95, "xmp": packet},
        "webp": {"exif": exif, "xmp": packet, "lossless": True},
        "tiff": {"description": "canary-text", "software": "canary-text zephyrion"},
    }[kind]
    PIL.Image.fromarray(pixels).save(path, kind.upper(), **more)
    if kind != "tiff":
        path.write_bytes(path.read_bytes() + b"canary-raw zephyrion")
    return f"{path.parent.name}/{path.name}"


@dataclass
class Canaries:
    study: Study
    people: dict[str, User]


@pytest.fixture
def canaries(tmp_path, reader, other_reader, coordinator) -> Canaries:
    """A study of two systems that deliver other kinds of files, one picture of them the very same."""
    bench, rng = Bench(tmp_path / "bench"), np.random.default_rng(23)
    records = [generation(name) for name in ITEMS]
    for name in ITEMS:
        for end in ("", "_ref"):
            save(bench.items / f"images/{name}{end}.png", rng.integers(0, 256, (24, 32), dtype=np.uint8))
    bench.import_items(*records)
    bench.release()
    copied = rng.integers(0, 256, (24, 32), dtype=np.uint8)
    for slug, kinds in SYSTEMS.items():
        folder, said = bench.outputs_of(slug), []
        for number, (name, record) in enumerate(zip(ITEMS, records, strict=True)):
            kind = "png" if name == COPIED else kinds[number % 2]
            pixels = copied if name == COPIED else rng.integers(0, 256, (24, 32), dtype=np.uint8)
            picture = marked(folder / f"out/{slug}_{name}.{kind}", pixels, kind)
            said.append(answered(record, "The lesion has grown.", picture) | {"model": slug})
        done = command(
            "import_outputs", lines(folder / f"{slug}_results.jsonl", *said), "--dataset", DATASET,
            "--release", "1.0", "--system", slug, "--system-version", "vers-zz7",
            "--system-name", f"{slug.partition('-')[0].title()} Vendor Name",
        )  # fmt: skip
        assert done.code == 0, done.err
    study = readers.make_study(
        bench, tmp_path, readers=["reader", "other_reader"], coordinator="coordinator", submissions=list(SYSTEMS),
        mode="one",
    )  # fmt: skip
    return Canaries(study, {"reader": reader, "other_reader": other_reader, "coordinator": coordinator})


def own_readings(canaries: Canaries, name: str) -> list[Reading]:
    return list(Reading.objects.filter(enrollment__user=canaries.people[name]).order_by("position"))


def test_the_leak_scan_of_a_whole_study_finds_nothing_and_no_container_tells_systems_apart(canaries):
    ask_for_scan(study=canaries.study, actor=canaries.people["coordinator"], sample=None, words=list(PLANTED))
    drain()

    job = last_report(canaries.study)
    assert job is not None
    report = job.report  # type: ignore[attr-defined]
    assert report["failed"] == 0 and report["readings"] == 16 and report["outputs"] == 8
    assert report["hits"] == []
    assert report["unpacked"] > 16 * 2 * 24 * 32
    assert [each["feature"] for each in report["tells"] if not each["feature"].startswith("what was made")] == []
    assert Event.objects.filter(verb="leaks scanned", details__hits=0).count() == 1


def test_others_comments_and_log_lines_name_no_system_to_a_reader(canaries, sign_in, caplog):
    other = sign_in(canaries.people["other_reader"])
    for reading in own_readings(canaries, "other_reader"):
        data = other.get(f"/readings/{reading.pk}/reading.json").json()
        said = readers.payload_of(data, 2, rationale="Surely zephyrion, canary-text, by Quasarnet Vendor Name.")
        assert readers.post(other, data["urls"]["submit"], readers.body_of(said)).status_code == 200
    witness = Witness(sign_in(canaries.people["reader"]))
    caplog.set_level(logging.DEBUG)

    for reading in own_readings(canaries, "reader"):
        data = witness.get(f"/readings/{reading.pk}/reading.json").json()
        witness.get(data["urls"]["page"])
        for pane in data["panes"]:
            if pane["frames"]:
                witness.get(witness.get(pane["frames"]).json()["data"])
        witness.post(data["urls"]["submit"], "{}")
    for path in ("/", "/jobs/", "/studies/", f"/studies/{canaries.study.slug}/readings/"):
        witness.get(path)

    words = forbidden()
    assert witness.betrayals(words) == []
    assert "readings/<uuid:pk>/" in caplog.text
    logged = " ".join(record.getMessage().lower() for record in caplog.records if record.name.startswith("medgen"))
    assert [word for word in words if word in logged] == []


def test_one_picture_of_two_systems_shares_no_validator_and_equals_no_checksum(canaries, sign_in):
    client, answers = sign_in(canaries.people["reader"]), []
    for reading in own_readings(canaries, "reader"):
        output = reading.reading_outputs.select_related("output").get().output
        data = client.get(f"/readings/{reading.pk}/reading.json").json()
        frames = next(pane["frames"] for pane in data["panes"] if pane["role"] == "output")
        answer = client.get(client.get(frames).json()["data"])
        answers.append((output.revision_id, b"".join(answer.streaming_content), answer.headers["ETag"].strip('"')))

    bodies = [body for _, body, _ in answers]
    assert len(set(bodies)) == len(bodies) - 1, "one picture is the very same"
    assert len({tag for _, _, tag in answers}) == len(answers)
    for _, body, tag in answers:
        assert all(tag not in hashlib.new(name, body).hexdigest() for name in ("md5", "sha1", "sha256"))


@pytest.mark.parametrize("mode", ["one", "all"])
def test_neither_place_nor_sequence_tells_a_system(mode, reader, coordinator):
    for _ in range(30):
        factories.item()
    release = factories.release()
    submissions = [factories.submission(release, slug) for slug in ("early", "later", "latest")]
    study = factories.study(release, submissions=submissions, outputs_per_reading=mode, seed=11, readers_per_item=1)
    factories.enroll(study, reader)
    factories.enroll(study, coordinator, "coordinator")
    open_study(study=study, actor=coordinator)

    rows = list(
        study.readings.order_by("position").values_list(
            "reading_outputs__output__submission__number", "position", "reading_outputs__position", "pk"
        )
    )
    systems = [str(system) for system, *_ in rows]
    sequence = separations(systems, [0] * len(rows), {"n": [row[1] for row in rows]}, seed=1)
    places = separations(systems, [row[3] for row in rows], {"n": [row[2] for row in rows]}, seed=1)
    sorted_by_system = separations(systems, [0] * len(rows), {"n": [int(name) for name in systems]}, seed=1)

    assert len(rows) == 90
    assert not any(each.tells for each in [*sequence, *places])
    assert sorted_by_system[0].tells
    assert any(first > second for first, second in pairwise(systems)), "not in the order of import"


def test_a_readers_json_holds_nothing_that_is_not_declared(reader, sign_in):
    """A new key would be a new channel: it must be added here with thought."""
    made = world.small_study(reader)
    data = sign_in(reader).get(f"/readings/{made.readings[0].pk}/reading.json").json()

    assert set(data) == {
        "id", "position", "of", "submitted", "status", "locked_reason", "preview", "study", "item", "panes",
        "outputs", "rubrics", "error_codes", "safety_levels", "na_reasons", "skip_reasons", "draft", "grade", "guess",
        "urls", "stage", "training", "feedback", "preference",
    }  # fmt: skip
    assert {key for pane in data["panes"] for key in pane} == {"role", "label", "frames", "text", "sections"}
    assert {key for shown in data["outputs"] for key in shown} == {"label", "has_image", "has_text", "not_applicable"}
    assert json.dumps(data["draft"]) == "null"
