"""Read outputs and references from files, folders and JSONL for the command line."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from scoring.metrics.base import UndefinedMetricError
from scoring.metrics.comparison import Comparison, compare
from scoring.metrics.pictures import Picture, as_picture

RASTERS = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"})
TEXTS = frozenset({".txt"})
LINES = frozenset({".jsonl", ".ndjson"})
IDS = ("id", "sample_id")
OUTPUT_TEXTS = ("text", "response", "answer")
REFERENCE_TEXTS = ("text", "answer", "reference")
OPTIONS = ("options", "choice", "choices")


class UsageError(ValueError):
    """The command was called in a way that cannot work."""


@dataclass
class Reading:
    """How files are read, and what went wrong on the way.

    Attributes:
        policy: pairing policy.
        data_range: range imposed on all pictures, None for each file's declared depth.
        problems: `file:line: field: value: rule`, one for each refusal.
    """

    policy: str
    data_range: float | None = None
    problems: list[str] = field(default_factory=list)

    def picture(self, path: Path | None) -> Picture | UndefinedMetricError | None:
        """The picture of a file, a typed reason when it cannot be decoded, None without a path."""
        if path is None:
            return None
        found: Picture | UndefinedMetricError
        try:
            found = _official(path) if self.policy == "pair/official-1" else _decoded(path)
            if self.data_range is not None:
                found = replace(found, data_range=self.data_range)
        except UndefinedMetricError as error:
            found = error
        except (OSError, ValueError, SyntaxError) as error:
            found = UndefinedMetricError("failed", f"{type(error).__name__}: {error}")
        if isinstance(found, UndefinedMetricError) and found.reason == "failed":
            self.problems.append(f"{path}: picture: {found.message}")
        return found


def _decoded(path: Path) -> Picture:
    """Native pixels with the file's declared range; DICOM, NIfTI, PNG, JPEG, TIFF, WebP."""
    try:
        from annotation.imaging.reading import read_image
    except ImportError as error:
        raise UndefinedMetricError("unavailable", f"The reader of pictures is not installed: {error}.") from error
    try:
        return as_picture(read_image(path))
    except ValueError as error:
        reason = getattr(error, "reason", "")
        if reason in {"alpha", "unsupported_pixels"}:
            raise UndefinedMetricError(reason, f"{path.name}: {error}.") from error
        raise


def _official(path: Path) -> Picture:
    """8-bit RGB as the benchmark's own evaluator makes it; other formats than rasters as usual."""
    if path.suffix.lower() not in RASTERS:
        return _decoded(path)
    from PIL import Image

    try:
        with Image.open(path) as image:
            return Picture(np.asarray(image.convert("RGB")), 255.0)
    except Image.DecompressionBombError as error:
        raise UndefinedMetricError("failed", f"{path.name} has too many pixels: {error}") from error


def stem(path: Path) -> str:
    """File name without its endings: `scan.nii.gz` is `scan`."""
    name = path.name
    return name[: -len(".nii.gz")] if name.lower().endswith(".nii.gz") else path.stem


def comparisons(output: Path, reference: Path, reading: Reading) -> Iterator[Comparison]:
    """Pair two files, two folders by stem, or two JSONL files by id.

    Args:
        output: what the system made.
        reference: what is expected.
        reading: how to read; problems are collected in it.

    Returns:
        Comparisons in order of their keys (JSONL: of the reference file); a missing side is typed.

    Raises:
        UsageError: a path does not exist, or the two are of different kinds.
    """
    for path in (output, reference):
        if not path.exists():
            raise UsageError(f"{path}: there is no such file or folder")
    if output.is_dir() != reference.is_dir():
        raise UsageError(f"{output} and {reference}: one is a folder, the other a file")
    if output.is_dir():
        return _folders(output, reference, reading)
    kinds = {path.suffix.lower() in LINES for path in (output, reference)}
    if len(kinds) > 1:
        raise UsageError(f"{output} and {reference}: one is JSONL, the other not")
    if kinds.pop():
        return _lines(output, reference, reading)
    if (output.suffix.lower() in TEXTS) != (reference.suffix.lower() in TEXTS):
        raise UsageError(f"{output} and {reference}: one is a text, the other a picture")
    return iter([_one(stem(output), {_kind(output): output}, {_kind(reference): reference}, reading)])


def _kind(path: Path) -> str:
    return "text" if path.suffix.lower() in TEXTS else "picture"


def _one(key: str, outputs: dict[str, Path], references: dict[str, Path], reading: Reading) -> Comparison:
    return compare(
        key,
        output=reading.picture(outputs.get("picture")),
        reference=reading.picture(references.get("picture")),
        output_text=_text(outputs.get("text"), reading),
        reference_text=_text(references.get("text"), reading),
        policy=reading.policy,
    )


def _text(path: Path | None, reading: Reading) -> str | UndefinedMetricError | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reading.problems.append(f"{path}: text: {type(error).__name__}: {error}")
        return UndefinedMetricError("failed", f"{path.name} cannot be read as UTF-8 text.")


def _folders(output: Path, reference: Path, reading: Reading) -> Iterator[Comparison]:
    ours, theirs = _by_stem(output, reading), _by_stem(reference, reading)
    for key in sorted(ours.keys() | theirs.keys()):
        yield _one(key, ours.get(key, {}), theirs.get(key, {}), reading)


def _by_stem(folder: Path, reading: Reading) -> dict[str, dict[str, Path]]:
    """Stem to kind to file; a second file of one kind under the same stem is refused."""
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not path.is_file():
            continue
        if path.suffix.lower() in LINES | {".json", ".csv", ".md"}:
            reading.problems.append(f"{path}: name: '{path.suffix}': neither a picture nor a .txt text")
            continue
        kinds = found.setdefault(stem(path), {})
        if _kind(path) in kinds:
            reading.problems.append(f"{path}: name: '{stem(path)}': a second file for this id; the first is used")
            continue
        kinds[_kind(path)] = path
    return found


@dataclass(frozen=True)
class _Line:
    text: Any
    options: tuple[str, ...]
    attributes: dict[str, str | None]


def _lines(output: Path, reference: Path, reading: Reading) -> Iterator[Comparison]:
    ours = _read_lines(output, OUTPUT_TEXTS, reading)
    theirs = _read_lines(reference, REFERENCE_TEXTS, reading)
    for key in [*theirs, *(key for key in ours if key not in theirs)]:
        given, expected = ours.get(key), theirs.get(key)
        known = expected or given
        assert known is not None
        yield compare(
            key,
            output_text=None if given is None or given.text is None else str(given.text),
            reference_text=None if expected is None else expected.text,
            options=known.options or (given.options if given else ()),
            policy=reading.policy,
            format=known.attributes["format"],
            task=known.attributes["task"],
            modality=known.attributes["modality"],
            language=known.attributes["language"],
        )


def _read_lines(path: Path, names: tuple[str, ...], reading: Reading) -> dict[str, _Line]:
    found: dict[str, _Line] = {}
    try:
        raw = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    for number, line in enumerate(raw.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            key, content = _read_line(line, names)
        except ValueError as error:
            reading.problems.append(f"{path}:{number}: {error}")
            continue
        if key in found:
            reading.problems.append(f"{path}:{number}: id: '{key}': occurs a second time; the first is used")
            continue
        found[key] = content
    return found


def _read_line(line: str, names: tuple[str, ...]) -> tuple[str, _Line]:
    """Id and content of one JSON object.

    Raises:
        ValueError: `field: value: rule`.
    """
    try:
        record = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"line: '{line[:40]}': not JSON ({error})") from error
    if not isinstance(record, dict):
        raise ValueError(f"line: '{line[:40]}': not a JSON object")
    key = next((record[name] for name in IDS if record.get(name) not in (None, "")), None)
    if not isinstance(key, str | int) or isinstance(key, bool):
        raise ValueError(f"id: '{key}': every line needs an id (or sample_id), a string or a whole number")
    text = next((record[name] for name in names if record.get(name) is not None), None)
    if isinstance(text, list) and not all(isinstance(part, str) for part in text):
        raise ValueError(f"text: '{str(text)[:40]}': a list may hold texts only")
    if isinstance(text, bool) or not isinstance(text, str | int | list | None):
        raise ValueError(f"text: '{str(text)[:40]}': neither a text nor an option's index")
    options: Any = next((record[name] for name in OPTIONS if record.get(name)), [])
    if not isinstance(options, list):
        raise ValueError(f"options: '{str(options)[:40]}': not a list")
    attributes = {name: record.get(name) for name in ("format", "task", "modality", "language")}
    for name, value in attributes.items():
        if value is not None and not isinstance(value, str):
            raise ValueError(f"{name}: '{str(value)[:40]}': not a text")
    return str(key), _Line(text, tuple(map(str, options)), attributes)
