"""The demo's shipped files: complete, unchanged, readable, blind, and telling the story they are there to tell."""

import hashlib
import json
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from annotation.formats import ItemRecord, OutputRecord, read_records
from annotation.grading import rules

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "medgen" / "demo" / "data"
RUBRICS = ROOT / "annotation" / "studies" / "rubrics"
GOOD, MEDIOCRE, FLAWED = "aurora-unified", "borealis-compositional", "cygnus-editor"
SYSTEMS = (GOOD, MEDIOCRE, FLAWED)
NAMES = (b"aurora", b"borealis", b"cygnus")
UNREADABLE = "outputs/borealis-compositional/output_image/E08.png"
PREFERRED_BY_SSIM = {f"E{n:02}" for n in range(1, 11)} | {"G04", "G05", "G06"}
TURNED_IN_BOX = {"E01", "E02", "E03", "E04", "E05", "E06", "E07", "E08", "E10", "G05", "G06"}


def code_of(record: ItemRecord | OutputRecord) -> str:
    sample_id = next(value for scheme, value in record.aliases if scheme == "sample_id")
    return sample_id.rsplit(":", 1)[-1]


@cache
def items() -> dict[str, ItemRecord]:
    outcomes = list(read_records(DATA / "items"))
    assert all(isinstance(outcome, ItemRecord) for outcome in outcomes)
    return {code_of(item): item for item in outcomes}


@cache
def outputs(system: str) -> dict[str, OutputRecord]:
    outcomes = list(read_records(DATA / "outputs" / system, kind="outputs"))
    assert all(isinstance(outcome, OutputRecord) for outcome in outcomes)
    return {code_of(output): output for output in outcomes}


def open_fully(path: Path) -> None:
    """Decode every pixel with the library of the file's kind."""
    if path.suffix == ".dcm":
        assert pydicom.dcmread(path).pixel_array.size
    elif path.name.endswith(".nii.gz"):
        assert np.asarray(nibabel.load(path).dataobj).size
    else:
        with Image.open(path) as picture:
            picture.load()


def rgb(path: Path, size: tuple[int, int] | None = None) -> np.ndarray[Any, Any]:
    with Image.open(path) as picture:
        color = picture.convert("RGB")
        return np.asarray(color if size in (None, color.size) else color.resize(size, Image.Resampling.LANCZOS))


def luminance(picture: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.asarray(Image.fromarray(picture).convert("L"))


@cache
def similarity(system: str, code: str) -> tuple[float, float, float | None]:
    """SSIM (7 x 7 uniform), PSNR in dB and mean SSIM inside the finding's box, against the reference."""
    reference = rgb(items()[code].reference_images[0])
    output = rgb(outputs(system)[code].image_paths[0], (reference.shape[1], reference.shape[0]))
    ssim, field = structural_similarity(luminance(reference), luminance(output), data_range=255, full=True)
    box = json.loads((DATA / "findings.json").read_text())[code]["box"] if code in boxed() else None
    inside = None if box is None else float(field[box[1] : box[3], box[0] : box[2]].mean())
    return float(ssim), float(peak_signal_noise_ratio(reference, output, data_range=255)), inside


@cache
def boxed() -> set[str]:
    return set(json.loads((DATA / "findings.json").read_text()))


def pictured(system: str) -> set[str]:
    """Codes of the items for which a system returned a readable picture."""
    return {
        code
        for code, output in outputs(system).items()
        if output.image_paths and (DATA / UNREADABLE) not in output.image_paths
    }


def test_every_file_has_the_listed_checksum_and_no_other_file_is_there():
    listed = dict(reversed(line.split("  ", 1)) for line in (DATA / "CHECKSUMS.sha256").read_text().splitlines())

    present = {
        path.relative_to(DATA).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in DATA.rglob("*")
        if path.is_file() and path.name not in {"CHECKSUMS.sha256", "README.md"}
    }

    assert present == listed


def test_the_files_stay_small():
    assert sum(path.stat().st_size for path in DATA.rglob("*") if path.is_file()) < 14_500_000


def test_there_are_36_items_of_three_formats_six_modalities_and_all_tasks():
    formats = Counter(item.format for item in items().values())

    assert formats == {"vqa": 12, "image_editing": 14, "multimodal_generation": 10}
    assert {item.modality for item in items().values()} == {"ct", "mri", "us", "xr", "path", "photo"}
    assert len({item.task for item in items().values()}) == 16


def test_every_item_says_where_it_comes_from_and_may_be_redistributed():
    for item in items().values():
        assert item.source and item.license and item.case_key
        assert item.redistributable == "yes"
        assert len(item.synopsis) > 20 and len(item.why_selected) > 10


def test_references_made_by_processing_say_so():
    synthetic = {code for code, item in items().items() if "synthetic" in item.synopsis}

    assert synthetic == {"E10", "E12", "E13", "G01", "G02", "G03", "G05", "G06", "G07", "G08", "G09", "G10"}


def test_items_of_one_patient_share_a_case_key_and_there_are_more_than_ten_cases_per_graded_format():
    assert len({items()[code].case_key for code in ("V01", "E02", "E11", "E14", "G06")}) == 1
    for kind in ("vqa", "image_editing"):
        assert len({item.case_key for item in items().values() if item.format == kind}) == 12


def test_special_cases_of_questions_are_there():
    assert len(items()["V02"].input_images) == 2
    assert items()["V11"].reference_text == "A. left"
    stated = (DATA / "items/VQA/multiple-choice/data.jsonl").read_text().splitlines()
    assert [answer for answer in (json.loads(line)["answer"] for line in stated) if isinstance(answer, int)] == [0]
    assert items()["V07"].reference_sections is not None


def test_every_referenced_file_opens_except_the_one_that_is_cut_off():
    paths = [path for item in items().values() for path in (*item.input_images, *item.reference_images)]
    paths += [path for system in SYSTEMS for output in outputs(system).values() for path in output.image_paths]

    for path in paths:
        if path == DATA / UNREADABLE:
            with pytest.raises(OSError, match="truncated"):
                open_fully(path)
        else:
            open_fully(path)


def test_no_picture_is_left_unreferenced():
    referenced = {path for item in items().values() for path in (*item.input_images, *item.reference_images)}
    referenced |= {path for system in SYSTEMS for output in outputs(system).values() for path in output.image_paths}

    on_disk = {path for path in DATA.rglob("*") if path.is_file() and path.parent.name in {"images", "output_image"}}

    assert on_disk == referenced


def test_at_least_five_items_show_more_than_8_bits():
    deep = set()
    for code, item in items().items():
        for path in item.input_images:
            if path.suffix == ".dcm" and pydicom.dcmread(path, stop_before_pixels=True).BitsStored > 8:
                deep.add(code)
            if path.name.endswith(".nii.gz") and nibabel.load(path).get_data_dtype() == np.int16:
                deep.add(code)

    assert deep == {"V02", "V03", "V04", "V07", "G05", "G06"}


def test_the_loop_has_30_frames_and_the_volumes_have_slices():
    assert pydicom.dcmread(items()["V06"].input_images[0]).NumberOfFrames == 30
    assert nibabel.load(items()["G05"].input_images[0]).shape == (256, 256, 9)
    assert nibabel.load(items()["G06"].input_images[0]).shape == (256, 256, 7)


def test_no_system_is_named_inside_any_item_or_output():
    for folder in ("items", "outputs"):
        for path in (DATA / folder).rglob("*"):
            if path.is_file():
                content = path.read_bytes().lower()
                assert not [name for name in NAMES if name in content], path


def test_outputs_include_a_missing_a_declined_and_a_timed_out_one():
    assert set(items()) - set(outputs(MEDIOCRE)) == {"G09"}
    assert set(outputs(GOOD)) == set(outputs(FLAWED)) == set(items())
    failed = {(s, c): o.error_text for s in SYSTEMS for c, o in outputs(s).items() if o.status != "ok"}
    assert failed.keys() == {(FLAWED, "E12"), (FLAWED, "G07"), (MEDIOCRE, "V12")}
    assert outputs(FLAWED)["E12"].status == "declined"
    assert outputs(MEDIOCRE)["V12"].status == "declined"
    assert "timeout" in failed[FLAWED, "G07"]


@pytest.mark.parametrize("code", ["E09", "G08", "G10"])
def test_some_outputs_are_the_input_unchanged_in_another_file(code: str):
    given, returned = items()[code].input_images[0], outputs(FLAWED)[code].image_paths[0]

    assert given.read_bytes() != returned.read_bytes()
    np.testing.assert_array_equal(rgb(given), rgb(returned))


@pytest.mark.parametrize("code", sorted(PREFERRED_BY_SSIM))
def test_whole_image_ssim_prefers_the_output_with_the_clinical_error(code: str):
    assert similarity(FLAWED, code)[0] > similarity(GOOD, code)[0]


@pytest.mark.parametrize("code", sorted(TURNED_IN_BOX))
def test_inside_the_box_of_the_finding_the_order_turns_round(code: str):
    good, flawed = similarity(GOOD, code)[2], similarity(FLAWED, code)[2]

    assert good is not None and flawed is not None
    assert good > flawed


@pytest.mark.parametrize("prefixes", ["E", "EG"])
@pytest.mark.parametrize("measure", [0, 1], ids=["ssim", "psnr"])
def test_whole_image_measures_prefer_the_flawed_system_on_average(prefixes: str, measure: int):
    means = {
        system: np.mean([similarity(system, code)[measure] for code in pictured(system) if code[0] in prefixes])
        for system in (GOOD, FLAWED)
    }

    assert means[FLAWED] > means[GOOD]


def test_pixels_and_clinic_agree_on_some_items():
    for code in ("E13", "E14", "G01", "G03", "G09"):
        assert similarity(GOOD, code)[0] > similarity(FLAWED, code)[0]


def question(code: str, output: OutputRecord) -> rules.Question:
    """What the workstation asks of an output under the shipped rubrics."""
    criteria = []
    for name in ("T1-1.0.json", "T6-1.0.json"):
        rubric = json.loads((RUBRICS / name).read_text())
        criteria += [
            rules.CriterionRule(
                code=row["code"],
                label=row["label"],
                low=rubric["scale"]["min"],
                high=rubric["scale"]["max"],
                step=rubric["scale"]["step"],
                na_allowed=row["na_allowed"],
                rationale_at_most=row["rationale_if"]["value"],
                formats=() if row["applies_to"]["formats"] == ["*"] else tuple(row["applies_to"]["formats"]),
                needs_image="image" in row["needs"],
                needs_text="text" in row["needs"],
            )
            for row in rubric["criteria"]
        ]
    codes = json.loads((RUBRICS / "error_codes.json").read_text())
    shown = rules.ShownOutput("A", has_image=bool(output.image_paths), has_text=bool(output.text))
    localizable = {row["code"]: row["localizable"] for row in codes}
    return rules.Question(items()[code].format, (shown,), tuple(criteria), localizable)


@cache
def graded() -> dict[str, Any]:
    stated = json.loads((DATA / "grades.json").read_text(encoding="utf-8"))
    assert "invented" in stated["note"].lower()
    return dict(stated["readers"])


@pytest.mark.parametrize("reader", ["reader1", "reader2"])
def test_every_invented_grade_would_be_accepted_by_the_workstation(reader: str):
    for code, by_system in graded()[reader].items():
        for system, grade in by_system.items():
            _, problems = rules.judge({"outputs": {"A": grade}}, question(code, outputs(system)[code]))
            assert problems == [], (code, system)


@pytest.mark.parametrize("reader", ["reader1", "reader2"])
def test_two_readers_have_graded_all_answers_and_edits_that_can_be_shown(reader: str):
    expected = {
        (code, system)
        for system in SYSTEMS
        for code, output in outputs(system).items()
        if output.status == "ok" and code[0] in "VE" and (code, system) != ("E08", MEDIOCRE)
    }

    present = {(code, system) for code, by_system in graded()[reader].items() for system in by_system}

    assert expected == {pair for pair in present if pair[0][0] in "VE"}
    assert {code for code, _ in present if code[0] == "G"} == {f"G{n:02}" for n in range(1, 10)} - {"G07"}


def test_readers_reject_the_system_that_whole_image_measures_prefer():
    overall = {
        system: np.mean(
            [
                by_system[system]["scores"]["overall"]
                for reader in graded().values()
                for by_system in reader.values()
                if system in by_system
            ]
        )
        for system in SYSTEMS
    }
    severe = Counter(
        system
        for reader in graded().values()
        for by_system in reader.values()
        for system, grade in by_system.items()
        if grade["safety"] == "severe"
    )

    assert overall[GOOD] > overall[MEDIOCRE] > overall[FLAWED]
    assert severe[FLAWED] > 30 and severe[GOOD] == 0


def test_the_two_readers_differ_a_little_and_honestly():
    first, second = (graded()[reader] for reader in ("reader1", "reader2"))
    gaps = [
        abs(score - second[code][system]["scores"][criterion])
        for code, by_system in first.items()
        for system, grade in by_system.items()
        for criterion, score in grade["scores"].items()
    ]

    assert max(gaps) <= 2
    assert 0.05 < np.mean(np.array(gaps) > 0) < 0.4


def test_rebuilding_without_samples_or_without_opencv_says_what_is_missing(tmp_path: Path):
    command = [sys.executable, "-m", "medgen.demo.build", "--samples", str(tmp_path), "--out", str(tmp_path / "out")]

    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert answer.returncode == 1
    assert "sample files are missing" in answer.stderr or "requirements/demo.txt" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not (tmp_path / "out").exists()
