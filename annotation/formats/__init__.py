"""Readers of benchmark items and of what systems generated: every layout, one line at a time.

    for outcome in read_records(path):
        ...  # an ItemRecord, or a Problem that names file, line, field, value and rule

Pure: no Django, no database, no settings; pyarrow is imported only while a parquet file is read.
"""

from annotation.formats.preview import FileReport, LayoutReport, describe
from annotation.formats.problems import FormatError, MissingFileError, Problem
from annotation.formats.reading import LAYOUTS, detect_layout, read_records
from annotation.formats.records import (
    NOTES,
    ItemRecord,
    Judgment,
    MatchKeys,
    OutputRecord,
    item_content_key,
    text_key,
)
from annotation.formats.sections import ordered_sections, sections_text

__all__ = [
    "LAYOUTS",
    "NOTES",
    "FileReport",
    "FormatError",
    "ItemRecord",
    "Judgment",
    "LayoutReport",
    "MatchKeys",
    "MissingFileError",
    "OutputRecord",
    "Problem",
    "describe",
    "detect_layout",
    "item_content_key",
    "ordered_sections",
    "read_records",
    "sections_text",
    "text_key",
]
