"""Parquet files that are small on disk and huge in memory, or break their reader: refused, the parent untouched."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotation.formats import FormatError, ItemRecord, Problem, read_records
from annotation.formats.parquet_rows import parquet_rows
from tests.annotation.formats.test_parquet import IMAGES, embedded, vqa_row, write
from tests.hostile.measuring import descendants, measured

QUICK = {"compression": "zstd", "use_dictionary": False, "write_statistics": False}


def many_rows(path: Path) -> Path:
    """1,200,000 equal rows, a few kB on disk."""
    texts = pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), 1_200_000), pa.array(["Q?"]))
    pq.write_table(pa.table({"instruction": texts, "task": texts}), path)
    return path


def long_text(path: Path) -> Path:
    pq.write_table(pa.table({"instruction": ["x" * 80_000_000], "task": ["MCQ"]}), path, **QUICK)
    return path


def huge_image(path: Path) -> Path:
    image = [[{"bytes": bytes(280_000_000), "path": "a.png"}]]
    table = pa.table({"instruction": ["Q?"], "task": ["MCQ"], "input_images": pa.array(image, IMAGES)})
    pq.write_table(table, path, **QUICK)
    return path


def one_image_many_times(path: Path) -> Path:
    """Rows that share one picture of zeros: 200 MB from a few kB."""
    image = [{"bytes": bytes(20_000_000), "path": "a.png"}]
    rows = [{"instruction": f"Q{n}?", "task": "MCQ", "input_images": image} for n in range(10)]
    table = pa.Table.from_pylist(rows, schema=pa.schema([("instruction", pa.string()), ("task", pa.string()),
                                                         ("input_images", IMAGES)]))  # fmt: skip
    pq.write_table(table, path, **QUICK)
    return path


def deep(path: Path) -> Path:
    kind, value = pa.string(), "x"
    for _ in range(400):
        kind, value = pa.list_(kind), [value]
    table = pa.table({"instruction": ["Q?"], "task": ["MCQ"], "answer": pa.array([value], kind)})
    pq.write_table(table, path)
    return path


def wide(path: Path) -> Path:
    pq.write_table(pa.table({"instruction": ["Q?"], "task": ["MCQ"]} | {f"c{n}": [0] for n in range(1500)}), path)
    return path


def lying_footer(path: Path) -> Path:
    write(path, [vqa_row()])
    data = bytearray(path.read_bytes())
    data[-8:-4] = (0x7FFFFFF0).to_bytes(4, "little")
    path.write_bytes(data)
    return path


WHOLE = {
    "many rows": (many_rows, "1,200,000 rows; at most 1,000,000"),
    "a wide table": (wide, "1,502 columns; at most 1,000"),
    "a lying footer": (lying_footer, "is not a readable parquet file"),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_a_bomb_refuses_its_file(kind, tmp_path: Path):
    make, words = WHOLE[kind]
    path = make(tmp_path / "a.parquet")

    with measured() as cost, pytest.raises(FormatError, match=words):
        list(read_records(path, scratch=tmp_path))

    assert cost.seconds < 10
    assert cost.grown < 100


@pytest.mark.parametrize("make", [long_text, huge_image, one_image_many_times, deep], ids=lambda make: make.__name__)
def test_a_bomb_inside_a_row_is_refused_or_its_row_is(make, tmp_path: Path):
    path, scratch = make(tmp_path / "a.parquet"), tmp_path / "scratch"
    scratch.mkdir()
    assert path.stat().st_size < 2_000_000

    with measured() as cost:
        try:
            outcomes = list(read_records(path, scratch=scratch))
        except FormatError as error:
            outcomes = [str(error)]
            assert str(error).startswith("a.parquet: ")

    assert outcomes
    assert cost.seconds < 10
    assert cost.grown < 300
    assert sum(file.stat().st_size for file in scratch.iterdir()) < 100_000_000
    if make is not one_image_many_times:
        assert not [outcome for outcome in outcomes if isinstance(outcome, ItemRecord)]


def test_a_row_that_is_too_long_is_named_and_the_next_is_read(tmp_path: Path):
    rows = [vqa_row(), vqa_row(instruction="x" * 1_100_000), vqa_row(instruction="Which side?")]

    first, second, third = read_records(write(tmp_path / "vqa/a.parquet", rows), scratch=tmp_path)

    assert isinstance(first, ItemRecord) and isinstance(third, ItemRecord)
    assert isinstance(second, Problem) and (second.line, "longer than 1 MiB" in second.rule) == (2, True)


def test_a_reader_that_stops_early_leaves_no_process(tmp_path: Path):
    path = write(
        tmp_path / "a.parquet", [vqa_row(instruction=f"Q{n}?", input_images=[embedded(n)]) for n in range(40)]
    )

    before = descendants()
    rows = parquet_rows(path, "a.parquet")
    first = next(rows)
    rows.close()

    assert isinstance(first, dict) and first["input_images"][0]["bytes"][:4] == b"\x89PNG"
    assert descendants() == before
