"""The page about formats names every layout and every note."""

from pathlib import Path

import pytest

from annotation.formats import NOTES
from annotation.formats.medgen_bench import JSONL_LAYOUTS
from annotation.formats.parquet import PARQUET

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "formats.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*JSONL_LAYOUTS, PARQUET, *NOTES])
def test_every_layout_and_note_is_documented(name: str):
    assert f"`{name}`" in PAGE
