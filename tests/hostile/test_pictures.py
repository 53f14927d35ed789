"""Threats 2.1 and 2.2: every hostile picture through every door, in one package with good ones."""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import PIL.Image
import pydicom
import pytest
from django.db import transaction
from django.test import override_settings

from annotation.assets import storage
from annotation.datasets.models import Item, ItemImage
from annotation.imaging.child import Child
from annotation.imaging.image import REASONS, ImageError
from tests import images
from tests.acceptance.bench import edit, lines
from tests.hostile.doors import DOORS, Answer
from tests.hostile.measuring import held, peak, reset_peak
from tests.hostile.pictures import CASES, SCRIPT, Case

pytestmark = pytest.mark.django_db

SECONDS, MEBIBYTES = 10.5, 1024
CRASHES = "decoder that dies"


@dataclass
class Imported:
    """What one door made of the package of all cases; `costs`: case → (seconds, MiB of the child at its peak)."""

    answer: Answer
    costs: dict[str, tuple[float, int]]
    stored: dict[str, dict[str, Any]] = field(default_factory=dict)
    parent_grown: int = 0


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hostile") / "package"
    (folder / "images").mkdir(parents=True)
    good = images.save_png(folder / "images/good.png", images.photograph())
    records = [edit("good first", **pictures("good.png"))]
    for row, cases in CASES.items():
        for case in cases:
            (folder / "images" / case.name).write_bytes(case.make())
            records.append(edit(f"{row} {case.name}", **pictures(case.name)))
    (folder / "images" / CRASHES).write_bytes(
        images.save_png(folder / "x.png", images.photograph(seed=9)).read_bytes()
    )
    (folder / "x.png").unlink()
    records += [edit("D17", **pictures(CRASHES)), edit("good last", **pictures("good.png"))]
    lines(folder / "data.jsonl", *records)
    assert good.exists()
    return folder


def pictures(name: str) -> dict[str, Any]:
    return {"input_image": [f"images/{name}"], "ground_truth_image": ["images/good.png"]}


class Watch:
    """Asks the child what it is asked, and notes what it cost; kills it by a real signal where a codec would die."""

    def __init__(self, names: dict[int, str]) -> None:
        self.names = names
        self.costs: dict[str, tuple[float, int]] = {}

    def asked(self, real):
        import os
        import signal
        import time

        def ask(child: Child, request: dict[str, Any], path: Path, *, size: int):
            name = self.names.get(hash(path.read_bytes()), "")
            child.start()
            pid = child.pid
            reset_peak(pid)
            if name == CRASHES:
                os.kill(pid, signal.SIGSEGV)
            started = time.monotonic()
            try:
                return real(child, request, path, size=size)
            finally:
                self.costs[name] = (time.monotonic() - started, peak(pid))

        return ask


@pytest.fixture(scope="module", params=DOORS)
def imported(request, package, tmp_path_factory, django_db_setup, django_db_blocker) -> Iterator[Imported]:
    home = tmp_path_factory.mktemp(request.param)
    names = {hash(file.read_bytes()): file.name for file in (package / "images").iterdir()}
    watch, patch = Watch(names), pytest.MonkeyPatch()
    patch.setattr(Child, "ask", watch.asked(Child.ask))
    with django_db_blocker.unblock(), override_settings(MEDGEN_HOME=home, MEDGEN_ASSETS=home / "assets"):
        with transaction.atomic():
            before = held()
            reset_peak()
            found = Imported(DOORS[request.param](package, "fresh"), watch.costs)
            found.parent_grown = peak() - before
            found.stored = stored_by_name()
            transaction.set_rollback(True)
        patch.undo()
        yield found


def stored_by_name() -> dict[str, dict[str, Any]]:
    """Case → asset facts and bytes of its input picture, for every item that was made."""
    found = {}
    for item in Item.objects.filter(dataset__slug="fresh"):
        alias = item.aliases.get(scheme="sample_id").value.removeprefix("t:")
        asset = ItemImage.objects.get(revision=item.current_revision, role="input").asset
        found[alias] = {
            "flags": asset.flags, "inverted": asset.inverted, "data": storage.stored_path(asset).read_bytes(),
            "frames": storage.frames_path(asset).read_bytes(),
            "thumbnail": storage.thumbnail_path(asset).read_bytes(),
            "removed": asset.removed, "media_type": asset.media_type, "state": item.state,
        }  # fmt: skip
    return found


def check(imported: Imported, row: str) -> list[Case]:
    """Every case of a row ends as its makers expect; returns them."""
    for case in CASES[row]:
        check_case(imported, row, case)
        seconds, peak_of_child = imported.costs.get(case.name, (0.0, 0))
        assert seconds < SECONDS, (case.name, seconds)
        assert peak_of_child < MEBIBYTES, (case.name, peak_of_child)
    return CASES[row]


def check_case(imported: Imported, row: str, case: Case) -> None:
    name = f"{row} {case.name}"
    rules = [rule for _, _, _, value, rule in imported.answer.problems if value == case.name]
    if not case.reason:
        assert rules == [], name
        assert set(case.flags) <= set(imported.stored[name]["flags"]), name
        return
    assert name not in imported.stored
    assert len(rules) == 1, (name, rules)
    reason, _, words = rules[0].partition(": ")
    assert (reason, case.words in words) == (case.reason, True), (name, rules[0])
    assert reason in REASONS and "Traceback" not in words


def test_the_good_pictures_go_in_around_the_hostile_ones(imported):
    accepted = {f"{row} {case.name}" for row, cases in CASES.items() for case in cases if not case.reason}

    assert set(imported.stored) == accepted | {"good first", "good last"}
    assert imported.answer.new == len(imported.stored)
    assert imported.answer.refused_whole == ""


def test_the_act_is_in_the_trail_and_no_answer_is_a_traceback(imported):
    assert {"import started", "import finished"} <= set(imported.answer.verbs)
    assert "Traceback" not in imported.answer.said and SCRIPT.decode() not in imported.answer.said
    assert all(status < 400 for status in imported.answer.statuses)


def test_the_parent_needs_little_memory(imported):
    assert imported.parent_grown < 400


def test_D01_pixels_cut_short(imported):
    check(imported, "D01")


def test_D02_sides_of_65535(imported):
    check(imported, "D02")


def test_D03_rows_of_32_bits(imported):
    check(imported, "D03")


def test_D04_impossible_numbers_of_frames(imported):
    check(imported, "D04")


def test_D05_deflated_bombs(imported):
    for case in check(imported, "D05"):
        assert imported.costs[case.name][1] < 300


def test_D06_nested_sequences(imported):
    check(imported, "D06")


def test_D07_an_element_longer_than_the_file(imported):
    check(imported, "D07")


def test_D08_nothing_is_opened_by_force(imported):
    check(imported, "D08")


def test_D09_syntaxes_without_a_decoder_are_named(imported):
    check(imported, "D09")


def test_D10_odd_pixel_descriptions_are_shown_right_or_refused(imported):
    check(imported, "D10")

    assert imported.stored["D10 monochrome 1"]["inverted"]
    high, low = (imported.stored[f"D10 palette {where}"]["frames"] for where in ("below", "above"))
    assert first_color(low) == (0, 0, 0) and last_color(low) == (240, 240, 240)
    assert first_color(high) == (0, 0, 0) and last_color(high) == (240, 240, 240)


def first_color(data: bytes) -> tuple[int, ...]:
    return PIL.Image.open(io.BytesIO(data)).convert("RGB").getpixel((0, 0))


def last_color(data: bytes) -> tuple[int, ...]:
    return PIL.Image.open(io.BytesIO(data)).convert("RGB").getpixel((7, 7))


def test_D11_bad_characters_and_wrong_bytes(imported):
    for case in check(imported, "D11"):
        kept = {
            element.keyword for element in pydicom.dcmread(io.BytesIO(imported.stored[f"D11 {case.name}"]["data"]))
        }
        assert not kept & {"PatientName", "PatientID", "WindowCenter", "SpecificCharacterSet"}


def test_D12_no_stored_file_starts_as_a_program(imported):
    for case in check(imported, "D12"):
        assert imported.stored[f"D12 {case.name}"]["data"][:132] == bytes(128) + b"DICM"


def test_D14_text_that_may_be_drawn_is_said_and_waits_for_a_curator(imported):
    for case in check(imported, "D14"):
        assert imported.stored[f"D14 {case.name}"]["state"] == Item.State.IMPORTED


def test_D15_dicom_without_a_picture(imported):
    check(imported, "D15")


def test_D17_a_decoder_that_dies_costs_its_item_only(imported):
    rules = [rule for _, _, _, value, rule in imported.answer.problems if value == CRASHES]

    assert rules == ["crashed: the decoding process died (SIGSEGV)"]
    assert {"good first", "good last"} <= set(imported.stored)


def test_N01_headers_that_lie(imported):
    check(imported, "N01")


def test_N02_a_gzip_bomb_within_two_seconds(imported):
    for case in check(imported, "N02"):
        assert imported.costs[case.name][0] < 2


def test_N03_voxels_that_would_be_read_wrong(imported):
    check(imported, "N03")


def test_I01_bombs_of_a_few_kilobytes(imported):
    check(imported, "I01")


def test_I02_bombs_in_texts_pages_frames_and_scans(imported):
    check(imported, "I02")


def test_I03_other_formats_stay_closed(imported):
    check(imported, "I03")


def test_I04_what_follows_the_pixels_is_not_stored(imported):
    for case in check(imported, "I04"):
        stored = imported.stored.get(f"I04 {case.name}")
        assert (stored is None) == bool(case.reason)
        if stored is not None:
            for part in ("data", "frames", "thumbnail"):
                assert b"CANARY" not in stored[part] and b"<script" not in stored[part]
            assert stored["media_type"] == "image/png"
            assert not zipfile.is_zipfile(io.BytesIO(stored["data"]))


def test_I05_turned_deep_and_masked_pictures_are_kept_and_others_refused(imported):
    check(imported, "I05")


def test_I06_a_file_of_0_bytes(imported):
    check(imported, "I06")


def test_the_cases_are_all_looked_at():
    source = Path(__file__).read_text(encoding="utf-8")

    assert not [row for row in CASES if f"def test_{row}_" not in source]
    names = [case.name for cases in CASES.values() for case in cases]
    assert len(names) == len(set(names)) >= 80
    assert json.dumps(sorted(names))


def test_a_refusal_is_one_of_the_known_reasons():
    with pytest.raises(AssertionError):
        ImageError("unheard of")
