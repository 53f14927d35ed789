"""Decoding files from outside in a child process with limits on memory, processor and wall time.

The parent opens and decodes nothing, and stores nothing of an answer that is not of a known form. A child that is
killed, hangs or answers nonsense costs one file: the next request starts another child.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from annotation.imaging.burned_in import BY_STRENGTH
from annotation.imaging.child import Child
from annotation.imaging.image import Image
from annotation.imaging.limits import Limits
from annotation.imaging.masking import Rectangle
from annotation.imaging.reading import check_file
from annotation.imaging.wire import HEADER_KEYS, WireError, image_from

STORED_FORMS = {
    ("application/dicom", ".dcm"),
    ("application/gzip", ".nii.gz"),
    ("image/png", ".png"),
    ("image/tiff", ".tif"),
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything a store needs of one file, computed in the child.

    Attributes:
        data: the cleaned file; `media_type` and `suffix` name its format.
        frames_header, frames_data: what the viewer receives (`annotation.imaging.frames`).
        thumbnail: a PNG of at most 96 pixels a side.
        width, height, frames, channels, bits, signed, unit, data_range, spacing_mm, slice_mm, orientation,
            window, suv_scale, kind, modality, inverted, flags: as in `Image`.
        removed, case_key, series_key, burned_in, risk, text_risk: as in `annotation.imaging.deidentify.Cleaned`.
        pixel_digest: SHA-256 of the values, equal for equal pixels in whatever format.
    """

    data: bytes
    media_type: str
    suffix: str
    frames_header: dict[str, Any]
    frames_data: bytes
    thumbnail: bytes
    width: int
    height: int
    frames: int
    channels: int
    bits: int
    signed: bool
    unit: str
    data_range: tuple[float, float] | None
    spacing_mm: tuple[float, float] | None
    slice_mm: float | None
    orientation: tuple[Any, ...] | None
    window: tuple[float, float] | None
    suv_scale: float | None
    kind: str
    modality: str | None
    inverted: bool
    flags: tuple[str, ...]
    removed: tuple[str, ...]
    case_key: str | None
    series_key: str | None
    burned_in: bool | None
    risk: tuple[str, ...]
    pixel_digest: str
    text_risk: str


class Decoder:
    """A decoding child process, started at the first request and restarted when it dies.

    Use it as a context manager and for many files; one `Decoder` serves one thread.

    Args:
        limits: bounds on every file, default `Limits()`.

    Example:
        with Decoder() as decoder:
            prepared = decoder.prepare("scan.dcm", key=key)
    """

    def __init__(self, *, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._child = Child("annotation.imaging.worker", self.limits)

    def __enter__(self) -> Decoder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Process id of the child that is alive, or None."""
        return self._child.pid

    @property
    def confinement(self) -> str:
        """How the last child was confined: 'seccomp', 'limits', or '' when none was started yet."""
        return self._child.confinement

    def start(self) -> None:
        """Start the child now rather than with the first file."""
        self._child.start()

    def close(self) -> None:
        """End the child; calling it twice does nothing."""
        self._child.close()

    def read(self, path: str | Path, *, alpha: str = "refuse") -> Image:
        """As `annotation.imaging.reading.read_image`, decoded in the child.

        Raises:
            ImageError: the file is not read, or its decoding hung or died ('timeout', 'crashed').
        """
        head, blobs = self._ask({"act": "read", "alpha": alpha}, Path(path))
        try:
            return image_from(head["facts"], blobs[0])
        except (WireError, KeyError, IndexError) as error:
            raise self._child.nonsense() from error

    def prepare(
        self, path: str | Path, *, key: bytes, alpha: str = "refuse", masks: Sequence[Rectangle] = ()
    ) -> Prepared:
        """Clean a file and compute what the store and the viewer need of it.

        Args:
            path: a file from outside.
            key: secret of this installation for keyed hashes; not empty.
            alpha: as in `read_image`.
            masks: rectangles (left, top, width, height) inside the picture, covered in every frame before it is
                cleaned; see `annotation.imaging.masking`.

        Raises:
            ImageError: the file is not read, or its decoding hung or died ('timeout', 'crashed').
            ValueError: the key is empty.
        """
        if not key:
            raise ValueError("the key of a keyed hash is empty")
        request = {"act": "prepare", "alpha": alpha, "key": key.hex(), "masks": [list(one) for one in masks]}
        head, blobs = self._ask(request, Path(path))
        try:
            return _prepared(head, blobs)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise self._child.nonsense() from error

    def _ask(self, request: dict[str, Any], path: Path) -> tuple[dict[str, Any], list[bytes]]:
        return self._child.ask(request, path, size=check_file(path, self.limits))


def _prepared(head: dict[str, Any], blobs: list[bytes]) -> Prepared:
    facts = head["facts"]
    if (head["media_type"], head["suffix"]) not in STORED_FORMS or set(head["frames_header"]) != set(HEADER_KEYS):
        raise WireError("a form that nothing is stored in")
    frames, height, width, *rest = (int(side) for side in facts["shape"])
    data, frames_data, thumbnail = blobs
    return Prepared(
        data=data,
        media_type=str(head["media_type"]),
        suffix=str(head["suffix"]),
        frames_header=dict(head["frames_header"]),
        frames_data=frames_data,
        thumbnail=thumbnail,
        width=width,
        height=height,
        frames=frames,
        channels=rest[0] if rest else 1,
        bits=int(facts["bits"]),
        signed=bool(facts["signed"]),
        unit=str(facts["unit"]),
        data_range=_pair(facts["data_range"]),
        spacing_mm=_pair(facts["spacing_mm"]),
        slice_mm=_number(facts["slice_mm"]),
        orientation=None if facts["orientation"] is None else tuple(facts["orientation"]),
        window=_pair(facts["window"]),
        suv_scale=_number(facts["suv_scale"]),
        kind=str(facts["kind"]),
        modality=None if facts["modality"] is None else str(facts["modality"]),
        inverted=bool(facts["inverted"]),
        flags=_words(facts["flags"]),
        removed=_words(head["removed"]),
        case_key=None if head["case_key"] is None else str(head["case_key"]),
        series_key=None if head["series_key"] is None else str(head["series_key"]),
        burned_in=None if head["burned_in"] is None else bool(head["burned_in"]),
        risk=_words(head["risk"]),
        pixel_digest=str(head["pixel_digest"]),
        text_risk=_text_risk(head["text_risk"]),
    )


def _pair(value: Any) -> tuple[float, float] | None:
    if value is None:
        return None
    first, second = value
    return float(first), float(second)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _text_risk(value: Any) -> str:
    if value not in BY_STRENGTH:
        raise WireError("a risk that nobody knows")
    return str(value)


def _words(value: Any) -> tuple[str, ...]:
    return tuple(str(one) for one in value)
