"""Read a file or a folder of any known layout, one record or problem at a time."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from annotation.formats.fields import Source
from annotation.formats.lines import open_file
from annotation.formats.manifest import MANIFEST, manifest_problems
from annotation.formats.medgen_bench import (
    JSONL_LAYOUTS,
    OUTPUT_LAYOUTS,
    UNKNOWN,
    file_layout,
    read_file,
    task_folder,
)
from annotation.formats.parquet import PARQUET, is_parquet, read_parquet
from annotation.formats.paths import Package
from annotation.formats.problems import FormatError, MissingFileError, Problem
from annotation.formats.records import ItemRecord, OutputRecord

Kind = Literal["items", "outputs"]
Outcome = ItemRecord | OutputRecord | Problem

AUTO, MEDGEN_BENCH, MIXED = "auto", "medgen-bench", "mixed"
LAYOUTS = (AUTO, MEDGEN_BENCH, *JSONL_LAYOUTS, PARQUET)
_SUFFIXES = (".jsonl", ".ndjson", ".json", ".parquet")
_SIGNS = {
    b"PK\x03\x04": "a zip archive (or an Excel file); unpack it first",
    b"\x1f\x8b": "gzip-compressed; unpack it first",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"%PDF": "a PDF",
}


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file with records inside what was given to read."""

    path: Path
    name: str
    layout: str


def detect_layout(path: Path | str) -> str:
    """Return the layout of a file or folder by its content, never by its name.

    Args:
        path: a file, a folder, or the manifest of a folder (then the folder is meant).

    Returns:
        canonical, eval_view, inference, evaluated or parquet; mixed for a folder with several layouts; unknown when
        no line shows one.

    Raises:
        MissingFileError: there is nothing at this path.
        FormatError: a file of another kind.
    """
    return common_layout(data_files(Path(path)))


def common_layout(files: list[DataFile]) -> str:
    """Return the one layout of these files; mixed when there are several, unknown when there is none."""
    found = {file.layout for file in files} - {UNKNOWN}
    if len(found) > 1:
        return MIXED
    return found.pop() if found else UNKNOWN


def read_records(
    path: Path | str,
    *,
    layout: str = AUTO,
    kind: Kind = "items",
    images: Path | str | None = None,
    scratch: Path | str | None = None,
) -> Iterator[Outcome]:
    """Yield every line of a file or folder as a record or as a problem, in order.

    Every line that is not blank gives exactly one record or one fatal problem, so counts add up. Remarks about a
    whole file (line None, not fatal) come beside them. Memory is flat but for a hash of each sample id of a file.

    Args:
        path: a JSONL or parquet file, a folder of them, or the manifest of such a folder.
        layout: auto or medgen-bench (recognize by content), or the layout of every file: canonical, eval_view,
            inference, evaluated, parquet.
        kind: items (the benchmark's side of each record) or outputs (the system's side).
        images: folder to look for images in, instead of the folder of the file that names them; for a file in
            `<format>/<task>/` its folder of the same name inside `images` comes first.
        scratch: folder that receives images embedded in parquet files; it must exist and outlive the records.

    Raises:
        MissingFileError: there is nothing at `path` or at `images`.
        FormatError: a file of another kind, an unknown layout, or items where outputs were asked for. Raised by the
            call itself where it can be known then, otherwise while reading.
    """
    if layout not in LAYOUTS:
        raise FormatError(f"layout {layout!r} is unknown; known are {', '.join(LAYOUTS)}")
    if kind not in ("items", "outputs"):
        raise FormatError(f"kind {kind!r} is unknown; known are items and outputs")
    given = Path(path)
    files = data_files(given, layout=layout)
    image_folder = Path(images) if images is not None else None
    if image_folder is not None and not image_folder.is_dir():
        raise MissingFileError(f"{image_folder.name}: there is no such folder of images")
    known = [file for file in files if file.layout != UNKNOWN]
    if kind == "outputs":
        _refuse_items(known)
    embedding = next((file for file in known if file.layout == PARQUET), None)
    if embedding is not None and scratch is None:
        raise FormatError(f"{embedding.name}: embeds its images; a scratch folder for them is needed")
    return _read(_root(given), files, kind, image_folder, Path(scratch) if scratch is not None else None)


def data_files(path: Path, *, layout: str = AUTO) -> list[DataFile]:
    """Return the files with records at a path, sorted by name, each with its layout.

    In a folder, hidden entries, links to folders, manifests and files of other suffixes are passed over; of the
    .json files only those that hold records count. A single file is taken whatever its suffix.

    Raises:
        MissingFileError: there is nothing at this path, or the folder holds no such file.
        FormatError: a file of another kind.
    """
    root = _root(path)
    if not root.is_dir():
        return [DataFile(root, root.name, _layout(root, root.name, layout))]
    files = []
    for found in _walk(root):
        name = found.relative_to(root).as_posix()
        own = _layout(found, name, layout)
        if found.suffix.lower() != ".json" or own != UNKNOWN:
            files.append(DataFile(found, name, own))
    if not files:
        raise MissingFileError(f"{root.name}: the folder holds no JSONL or parquet file")
    return files


def _root(path: Path) -> Path:
    """The path itself, or the folder of a manifest."""
    return path.parent if path.name == MANIFEST and path.is_file() else path


def _walk(root: Path) -> Iterator[Path]:
    real = os.path.realpath(root)
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        for name in sorted(names):
            if name.startswith(".") or name == MANIFEST or not name.lower().endswith(_SUFFIXES):
                continue
            path = Path(folder, name)
            if path.is_symlink() and not os.path.realpath(path).startswith(real + os.sep):
                raise FormatError(f"{path.relative_to(root).as_posix()}: is a link that leads out of the folder")
            yield path


def _layout(path: Path, name: str, wanted: str) -> str:
    with open_file(path, name) as stream:
        head = stream.read(8)
    for sign, what in _SIGNS.items():
        if head.startswith(sign):
            raise FormatError(f"{name}: is {what}")
    if is_parquet(head):
        return PARQUET
    if wanted == PARQUET:
        raise FormatError(f"{name}: is not a parquet file")
    return wanted if wanted in JSONL_LAYOUTS else file_layout(path, name)


def _refuse_items(files: list[DataFile]) -> None:
    """Refuse benchmark items where outputs were asked for: a folder may hold both, but one must be outputs."""
    if files and not any(file.layout in OUTPUT_LAYOUTS for file in files):
        first = files[0]
        raise FormatError(
            f"{first.name}: holds benchmark items ({first.layout}), not outputs: "
            "no record has response or output_image"
        )


def _read(
    root: Path, files: list[DataFile], kind: Kind, images: Path | None, scratch: Path | None
) -> Iterator[Outcome]:
    is_folder = root.is_dir()
    counts: dict[str, int] = {}
    passed_over = _other_side(files, kind)
    for file in files:
        if file.layout in passed_over:
            held = "items, not outputs" if kind == "outputs" else "outputs"
            rule = f"holds {held}: passed over with all its lines{_counted(file)}"
            yield Problem(file.name, None, "layout", file.layout, rule, fatal=False)
            continue
        folder = task_folder(file.path) if file.layout != PARQUET else ""
        source = Source(file.name, file.layout, _package(root, file, folder, images), folder)
        if file.layout == PARQUET and scratch is not None:
            outcomes = read_parquet(file.path, source, scratch=scratch)
        else:
            outcomes = read_file(file.path, source, kind=kind)
        lines = 0
        for outcome in outcomes:
            lines += 1
            yield outcome
        if folder:
            counts[folder] = counts.get(folder, 0) + lines
    if is_folder:
        yield from manifest_problems(root, counts)


def _counted(file: DataFile) -> str:
    """The number of records of a file that is not read, in words: " (12)"; parquet is not opened for it."""
    if file.layout == PARQUET:
        return ""
    with file.path.open("rb") as stream:
        return f" ({sum(1 for line in stream if line.strip()):,})"


def _other_side(files: list[DataFile], kind: Kind) -> frozenset[str]:
    """Layouts to pass over, because the folder has other files that are what was asked for."""
    found = {file.layout for file in files} - {UNKNOWN}
    asked = found & OUTPUT_LAYOUTS if kind == "outputs" else found - OUTPUT_LAYOUTS
    return frozenset(found - asked) if asked else frozenset()


def _package(root: Path, file: DataFile, folder: str, images: Path | None) -> Package:
    """Where the references of one file are looked for: its own folder, or inside the folder of images."""
    if images is None:
        return Package(root if root.is_dir() else file.path.parent, (file.path.parent,))
    return Package(images, (images / folder, images) if folder else (images,))
