"""The parquet release: embedded images, the reference in output_images, options gone."""

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotation.formats import FormatError, Problem, describe, detect_layout, item_content_key, read_records
from tests.annotation.formats.builders import png, put_images, put_lines, vqa

IMAGES = pa.list_(pa.struct([("bytes", pa.binary()), ("path", pa.string())]))


def write(path: Path, rows: list[dict[str, object]], columns: dict[str, pa.DataType] | None = None) -> Path:
    types = {
        "input_images": IMAGES,
        "output_images": IMAGES,
        "instruction": pa.string(),
        "answer": pa.string(),
        "task": pa.string(),
        "subtask": pa.string(),
        "modality": pa.string(),
    } | (columns or {})
    used = {name: kind for name, kind in types.items() if any(name in row for row in rows)}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema(list(used.items()))), path)
    return path


def embedded(gray: int, path: str = "images/a.png") -> dict[str, object]:
    return {"bytes": png(gray), "path": path}


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def vqa_row(**changes: object) -> dict[str, object]:
    return {
        "input_images": [embedded(1), embedded(2)],
        "instruction": "Which plane?",
        "answer": "B. coronal",
        "task": "multiple-choice",
        "subtask": None,
        "modality": "MRI",
    } | changes


def test_a_vqa_row_is_an_item_whose_options_are_unknown(tmp_path: Path, scratch: Path):
    path = write(tmp_path / "vqa" / "train-00000-of-00001.parquet", [vqa_row(), vqa_row(instruction="Which side?")])

    first, second = read_records(path, scratch=scratch)

    assert (first.layout, first.format, first.task, first.modality) == ("parquet", "vqa", "multiple-choice", "mri")
    assert first.aliases == (("sample_id", "medgen:vqa:train-00000-of-00001:000000"),)
    assert second.aliases == (("sample_id", "medgen:vqa:train-00000-of-00001:000001"),)
    assert (first.line, second.line) == (1, 2)
    assert first.notes == ("options_unknown",)
    assert [image.read_bytes() for image in first.input_images] == [png(1), png(2)]
    assert all(image.parent == scratch.resolve() for image in first.input_images)
    assert first.reference_text == "B. coronal"


def test_output_images_are_the_reference(tmp_path: Path, scratch: Path):
    row = {
        "input_images": [embedded(1)],
        "output_images": [embedded(9)],
        "instruction": "Raise the contrast.",
        "task": "contrast-enhancement",
        "subtask": "Contrast Enhancement",
        "modality": "Radiograph",
    }

    (record,) = read_records(write(tmp_path / "image_editing" / "a.parquet", [row]), scratch=scratch)

    assert [image.read_bytes() for image in record.reference_images] == [png(9)]
    assert (record.declared_subtask, record.reference_text, record.aliases) == ("Contrast Enhancement", "", ())


def test_the_task_says_the_format_when_no_name_does(tmp_path: Path, scratch: Path):
    row = vqa_row(task="organ-removal", output_images=[embedded(9)])

    (record,) = read_records(write(tmp_path / "train-00000-of-00002.parquet", [row]), scratch=scratch)

    assert record.format == "multimodal_generation"
    assert record.aliases == (("sample_id", "medgen:multimodal_generation:train-00000-of-00002:000000"),)


def test_a_task_of_another_configuration_is_refused(tmp_path: Path, scratch: Path):
    path = write(tmp_path / "vqa" / "a.parquet", [vqa_row(task="style-transfer"), vqa_row()])

    first, second = read_records(path, scratch=scratch)

    assert (
        str(first)
        == "a.parquet:1: task: style-transfer: is a task of Image Editing, not of Visual Question Answering"
    )
    assert not isinstance(second, Problem)


def test_nested_answers_lose_the_nulls_that_parquet_adds(tmp_path: Path, scratch: Path):
    kind = pa.struct(
        [("FINDINGS", pa.struct([("Lungs", pa.string()), ("Heart", pa.string())])), ("IMPRESSION", pa.string())]
    )
    row = vqa_row(task="report-generation", answer={"FINDINGS": {"Lungs": "Clear."}})

    (record,) = read_records(write(tmp_path / "a.parquet", [row], {"answer": kind}), scratch=scratch)

    assert record.reference_sections == {"FINDINGS": {"Lungs": "Clear."}}


def test_a_path_without_bytes_is_looked_for_inside_the_package_only(tmp_path: Path, scratch: Path):
    put_images(tmp_path, "images/a.png")
    rows = [
        vqa_row(input_images=[{"bytes": None, "path": path}]) for path in ("images/a.png", "../x.png", "images/b.png")
    ]

    inside, climbing, gone = read_records(write(tmp_path / "a.parquet", rows), scratch=scratch)

    assert inside.input_images == ((tmp_path / "images/a.png").resolve(),)
    assert climbing.rule == "must not climb out of its folder with `..`"
    assert gone.rule == "image not found"


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"instruction": None}, "instruction", "must not be empty"),
        ({"instruction": "a\x00b"}, "instruction", "must not hold NUL (U+0000)"),
        ({"task": "guessing"}, "task", "unknown task"),
        ({"task": None}, "paper_task", "must name a task, here, in sub-category or by the folder"),
        (
            {"input_images": [{"bytes": b"", "path": None}]},
            "input_images",
            "an embedded image must be 1 byte to 256 MiB",
        ),
    ],
)
def test_a_bad_row_is_named_and_the_rest_is_read(tmp_path: Path, scratch: Path, changes, field, rule):
    path = write(tmp_path / "a.parquet", [vqa_row(**changes), vqa_row()])

    first, second = read_records(path, scratch=scratch)

    assert (first.line, first.field, first.rule) == (1, field, rule)
    assert second.line == 2


def test_the_same_picture_is_written_once_and_names_of_the_file_reach_no_disk(tmp_path: Path, scratch: Path):
    rows = [vqa_row(input_images=[embedded(5, "../../evil.png")]) for _ in range(3)]

    records = list(read_records(write(tmp_path / "a.parquet", rows), scratch=scratch))

    assert len({record.input_images for record in records}) == 1
    assert len(list(scratch.iterdir())) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.parquet", "home", "scratch"]


def test_content_is_the_same_as_in_json_lines_without_options(tmp_path: Path, scratch: Path):
    put_images(tmp_path, "x.png")
    (row,) = read_records(write(tmp_path / "a.parquet", [vqa_row(input_images=[embedded(10)])]), scratch=scratch)
    record = vqa(input_image="x.png", choice=[], instruction="Which plane?", modality="MR")
    (line,) = read_records(put_lines(tmp_path / "a.jsonl", record))

    assert item_content_key(row, ["d"]) == item_content_key(line, ["d"])


def test_a_folder_of_three_configurations_is_read(tmp_path: Path, scratch: Path):
    write(tmp_path / "data/vqa/train-00000-of-00001.parquet", [vqa_row()])
    write(tmp_path / "data/image_editing/train-00000-of-00001.parquet", [vqa_row(task="denoising")])
    write(tmp_path / "data/multimodal_generation/train-00000-of-00001.parquet", [vqa_row(task="disease-prediction")])

    records = list(read_records(tmp_path / "data", scratch=scratch))

    assert [record.format for record in records] == ["image_editing", "multimodal_generation", "vqa"]
    assert len({record.aliases for record in records}) == 3


def test_parquet_is_recognized_by_content_and_needs_a_scratch_folder(tmp_path: Path):
    path = write(tmp_path / "release.bin", [vqa_row()])

    assert detect_layout(path) == "parquet"
    with pytest.raises(FormatError, match=r"release\.bin: embeds its images; a scratch folder for them is needed"):
        read_records(path)


def test_parquet_holds_no_outputs_of_systems(tmp_path: Path, scratch: Path):
    path = write(tmp_path / "a.parquet", [vqa_row()])

    with pytest.raises(FormatError, match=r"holds benchmark items \(parquet\), not outputs"):
        read_records(path, kind="outputs", scratch=scratch)


@pytest.mark.parametrize("content", [b"PAR1", b"PAR1" + b"x" * 100, b"PAR1" + b"\x00" * 50 + b"PAR1"])
def test_a_damaged_file_is_refused_with_a_plain_message(tmp_path: Path, scratch: Path, content: bytes):
    path = tmp_path / "a.parquet"
    path.write_bytes(content)

    with pytest.raises(FormatError, match=r"^a\.parquet: is not a readable parquet file"):
        list(read_records(path, scratch=scratch))


def test_a_parquet_file_of_something_else_is_refused(tmp_path: Path, scratch: Path):
    pq.write_table(pa.table({"a": [1]}), tmp_path / "a.parquet")

    with pytest.raises(FormatError, match="has no column instruction and no column task"):
        list(read_records(tmp_path / "a.parquet", scratch=scratch))


def test_the_preview_counts_all_rows_by_their_terms(tmp_path: Path):
    rows = [vqa_row(instruction=f"Q{n}?") for n in range(5)] + [vqa_row(modality="OCT"), vqa_row(task="QA")]

    report = describe(write(tmp_path / "vqa" / "a.parquet", rows))

    assert (report.layout, report.kind, report.lines, report.n_records) == ("parquet", "items", 7, 7)
    assert report.tasks == {"multiple-choice": 6, "question-answering": 1}
    assert report.formats == {"vqa": 7}
    assert report.modalities == {"mri": 6, "": 1}
    assert report.unmapped == {"OCT": 1}
    assert len(report.first) == 3


def test_pyarrow_is_loaded_only_when_a_parquet_file_is_read():
    code = "import sys, annotation.formats; print('pyarrow' in sys.modules, 'django' in sys.modules)"

    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "False False"
