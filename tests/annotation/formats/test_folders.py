"""Layouts are recognized by content; folders are read with their manifest; a preview says what is there."""

import json
from pathlib import Path

import pytest

from annotation.formats import FormatError, MissingFileError, Problem, describe, detect_layout, read_records
from tests.annotation.formats.builders import (
    editing_package,
    eval_view,
    evaluated,
    png,
    put_images,
    put_lines,
    result,
    vqa,
    vqa_package,
)


def manifest(root: Path, **changes: object) -> None:
    content = {
        "table_iv": {"VQA": ["multiple-choice"], "ImageEditing": ["contrast-enhancement"]},
        "tasks": {
            "VQA/multiple-choice": {"record_count": 1},
            "ImageEditing/contrast-enhancement": {"record_count": 1},
        },
        "validation": {"actual_record_count": 2},
    } | changes
    (root / "manifest.json").write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("record", "layout"),
    [
        (vqa(), "canonical"),
        ({"instruction": "x", "paper_task": "QA"}, "canonical"),
        (eval_view(), "eval_view"),
        ({"instruction": "x", "sample_id": "a"}, "eval_view"),
        (result(), "inference"),
        ({"sample_id": "a", "response": None}, "inference"),
        (evaluated(), "evaluated"),
        ({"sample_id": "a", "response": "x", "vlm_judge_w_gt_result": {}}, "evaluated"),
        ({"a": 1}, "unknown"),
        ({"sample_id": "a"}, "unknown"),
    ],
)
@pytest.mark.parametrize("name", ["data.jsonl", "gen.jsonl", "model_edit_with_vlm.txt"])
def test_a_layout_is_recognized_by_content_not_by_name(tmp_path: Path, record: object, layout: str, name: str):
    assert detect_layout(put_lines(tmp_path / name, "", "not json", record)) == layout


def test_a_folder_and_its_manifest_mean_the_same(tmp_path: Path):
    vqa_package(tmp_path)
    editing_package(tmp_path)
    manifest(tmp_path)

    by_folder, by_manifest = list(read_records(tmp_path)), list(read_records(tmp_path / "manifest.json"))

    assert [record.task for record in by_folder] == ["contrast-enhancement", "multiple-choice"]
    assert by_folder == by_manifest
    assert detect_layout(tmp_path) == detect_layout(tmp_path / "manifest.json") == "canonical"


def test_differences_to_the_manifest_are_remarks_and_nothing_is_refused(tmp_path: Path):
    vqa_package(tmp_path, vqa(), vqa(instruction="Which side?"))
    editing_package(tmp_path)
    manifest(
        tmp_path,
        tasks={"VQA/multiple-choice": {"record_count": 1}},
        table_iv={"VQA": ["multiple-choice", "report-generation"]},
    )

    found = list(read_records(tmp_path))

    remarks = [outcome for outcome in found if isinstance(outcome, Problem)]
    assert len(found) - len(remarks) == 3
    assert not any(remark.fatal for remark in remarks)
    assert [str(remark) for remark in remarks] == [
        "manifest.json: tasks.VQA/multiple-choice.record_count: 1: the folder holds 2",
        "manifest.json: tasks: ImageEditing/contrast-enhancement: not named in the manifest, yet the folder holds 1",
        "manifest.json: table_iv.VQA: report-generation: there is no such folder with records",
        "manifest.json: validation.actual_record_count: 2: the package holds 3",
    ]


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"a": NaN}', '{"tasks": 3, "table_iv": [], "validation": "x"}', "\xff"]
)
def test_a_broken_manifest_never_stops_the_package(tmp_path: Path, content: str):
    vqa_package(tmp_path)
    (tmp_path / "manifest.json").write_bytes(content.encode("latin-1"))

    record, *remarks = read_records(tmp_path)

    assert record.task == "multiple-choice"
    assert all(remark.file == "manifest.json" and not remark.fatal for remark in remarks)
    assert len(remarks) == (0 if "tasks" in content else 1)


def test_hidden_files_and_summaries_are_passed_over(tmp_path: Path):
    vqa_package(tmp_path)
    put_lines(tmp_path / ".cache" / "a.jsonl", vqa())
    put_lines(tmp_path / "__MACOSX" / "a.jsonl", vqa())
    put_lines(tmp_path / "._a.jsonl", "x")
    (tmp_path / "summary.json").write_text(json.dumps({"Average_PSNR": 20.0}, indent=1))
    (tmp_path / "README.md").write_text("read me")

    assert [record.task for record in read_records(tmp_path)] == ["multiple-choice"]


def test_a_folder_with_results_and_items_gives_what_was_asked_for(tmp_path: Path):
    put_lines(tmp_path / "items.jsonl", vqa(input_image=[]))
    put_lines(tmp_path / "results.jsonl", {"sample_id": "a", "response": "B"})

    item, results_remark = read_records(tmp_path, kind="items")
    items_remark, output = read_records(tmp_path, kind="outputs")

    assert detect_layout(tmp_path) == "mixed"
    assert (item.file, output.file) == ("items.jsonl", "results.jsonl")
    assert (results_remark.file, results_remark.value) == ("results.jsonl", "inference")
    assert results_remark.rule == "holds outputs: passed over with all its lines (1)"
    assert (items_remark.file, items_remark.value) == ("items.jsonl", "canonical")
    assert items_remark.rule == "holds items, not outputs: passed over with all its lines (1)"
    assert not results_remark.fatal
    assert not items_remark.fatal


def test_an_empty_folder_is_refused(tmp_path: Path):
    with pytest.raises(MissingFileError, match="the folder holds no JSONL or parquet file"):
        read_records(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04rest", "is a zip archive"),
        (b"\x1f\x8brest", "is gzip-compressed"),
        (png(), "is an image"),
        (b"\xff\xd8\xff\xe0", "is an image"),
        (b"%PDF-1.7", "is a PDF"),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path: Path, content: bytes, message: str):
    path = tmp_path / "data.jsonl"
    path.write_bytes(content)

    with pytest.raises(FormatError, match=message):
        read_records(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layout": "csv"}, "layout 'csv' is unknown; known are auto, medgen-bench, canonical"),
        ({"layout": "parquet"}, r"a\.jsonl: is not a parquet file"),
        ({"kind": "grades"}, "kind 'grades' is unknown"),
    ],
)
def test_a_wrong_option_is_refused_at_once(tmp_path: Path, options: dict[str, str], message: str):
    path = put_lines(tmp_path / "a.jsonl", vqa())

    with pytest.raises(FormatError, match=message):
        read_records(path, **options)


def test_a_device_is_not_read():
    with pytest.raises(FormatError, match="not a regular file"):
        read_records("/dev/zero")


def test_the_preview_says_what_a_package_holds(tmp_path: Path):
    vqa_package(tmp_path, *(vqa(instruction=f"Q{n}?") for n in range(4)), "bad", vqa(modality="OCT"))
    editing_package(tmp_path)

    report = describe(tmp_path)

    assert (report.layout, report.kind, report.capped) == ("canonical", "items", False)
    assert [(file.name, file.lines) for file in report.files] == [
        ("ImageEditing/contrast-enhancement/data.jsonl", 1),
        ("VQA/multiple-choice/data.jsonl", 6),
    ]
    assert (report.lines, report.n_records, report.n_problems) == (7, 6, 1)
    assert report.formats == {"image_editing": 1, "vqa": 5}
    assert report.tasks == {"contrast-enhancement": 1, "multiple-choice": 5}
    assert report.modalities == {"xr": 1, "mri": 4, "": 1}
    assert report.unmapped == {"OCT": 1}
    assert [record.instruction[:5] for record in report.first] == ["Raise", "Q0?", "Q1?"]
    assert [problem.line for problem in report.problems] == [5]


def test_the_preview_of_outputs_counts_their_states(tmp_path: Path):
    put_images(tmp_path, "a.png")
    path = put_lines(
        tmp_path / "out.jsonl",
        {"sample_id": "1", "output_image": "a.png"},
        {"sample_id": "2", "output_image": "gone.png"},
        {"sample_id": "3", "response": "VLM Error: x"},
        {"sample_id": "4", "response": "B", "eval_smoke_fixture": True},
    )

    report = describe(path)

    assert (report.kind, report.statuses) == ("outputs", {"ok": 2, "missing": 1, "error": 1})
    assert report.n_fixtures == 1


def test_the_preview_stops_at_its_cap(tmp_path: Path):
    path = put_lines(tmp_path / "a.jsonl", *[vqa(input_image=[])] * 20)

    report = describe(path, cap=10)

    assert (report.lines, report.capped) == (10, True)


def test_the_preview_of_a_missing_file_is_refused(tmp_path: Path):
    with pytest.raises(MissingFileError):
        describe(tmp_path / "gone")
