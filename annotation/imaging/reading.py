"""One file in, one `Image` out: what a file is, is decided by its content, never by its name."""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from annotation.imaging.image import Image, ImageError
from annotation.imaging.limits import MEBIBYTE, Limits

if TYPE_CHECKING:
    from annotation.imaging.dicom import DicomPicture
    from annotation.imaging.nifti import NiftiPicture
    from annotation.imaging.raster import RasterPicture

__all__ = ["Limits", "Source", "read_image", "read_source", "sniff"]

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "raster"),
    (b"\xff\xd8\xff", "raster"),
    (b"II*\0", "raster"),
    (b"MM\0*", "raster"),
)


@dataclass(frozen=True, slots=True)
class Source:
    """One decoded file of any format; exactly one of the three is set."""

    dicom: DicomPicture | None = None
    nifti: NiftiPicture | None = None
    raster: RasterPicture | None = None

    @property
    def image(self) -> Image:
        picture = self.dicom or self.nifti or self.raster
        assert picture is not None
        return picture.image


def read_image(path: str | Path, *, limits: Limits | None = None, alpha: str = "refuse") -> Image:
    """Read one DICOM, NIfTI, PNG, JPEG, TIFF or WebP file.

    Decodes in this process: for files from outside use `annotation.imaging.sandbox.Decoder`.

    Args:
        path: the file; symbolic links are followed to files only.
        limits: bounds on its cost, default `Limits()`.
        alpha: for rasters with transparent pixels: 'refuse', 'black' or 'white'.

    Returns:
        Modality output with unit, spacing, orientation, window and declared range.

    Raises:
        ImageError: the file is not read; `reason` is one of `annotation.imaging.image.REASONS`.
    """
    return read_source(path, limits=limits, alpha=alpha).image


def read_source(path: str | Path, *, limits: Limits | None = None, alpha: str = "refuse") -> Source:
    """As `read_image`, with what the format knows besides the image.

    Raises:
        ImageError: the file is not read.
    """
    limits, path = limits or Limits(), Path(path)
    check_file(path, limits)
    kind = sniff(path)
    try:
        return _decode(path, kind, limits, alpha)
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageError("too_large", "decoding needs more memory than allowed") from error
    except RecursionError as error:
        raise ImageError("corrupt", "the structure is nested too deeply") from error
    except Exception as error:  # decoders raise almost anything on damaged input
        raise ImageError("corrupt", f"unreadable {kind} ({type(error).__name__})") from error
    except BaseException as error:  # a panic of a decoder written in Rust is no Exception
        if type(error).__name__ != "PanicException":
            raise
        raise ImageError("corrupt", f"unreadable {kind} (the decoder gave up)") from error


def _decode(path: Path, kind: str, limits: Limits, alpha: str) -> Source:
    if kind == "DICOM":
        from annotation.imaging.dicom import read_dicom

        return Source(dicom=read_dicom(path, limits))
    if kind == "NIfTI":
        from annotation.imaging.nifti import read_nifti

        return Source(nifti=read_nifti(path, limits))
    from annotation.imaging.raster import read_raster

    return Source(raster=read_raster(path, limits, alpha=alpha))


def check_file(path: Path, limits: Limits) -> int:
    """Size of a regular, readable, non-empty file within the limits, in bytes.

    Raises:
        ImageError: unreadable, a folder, pipe or device, empty, or too large.
    """
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        raise ImageError("unreadable", "the file does not exist or cannot be opened") from error
    if not stat.S_ISREG(found.st_mode):
        raise ImageError("not_a_file")
    if not os.access(path, os.R_OK):
        raise ImageError("unreadable", "the file may not be read by this user")
    if found.st_size == 0:
        raise ImageError("empty")
    if found.st_size > limits.file_bytes:
        raise ImageError(
            "too_large",
            f"{found.st_size // MEBIBYTE} MiB on disk, allowed are {limits.file_bytes // MEBIBYTE} MiB",
        )
    return found.st_size


def sniff(path: Path) -> str:
    """'DICOM', 'NIfTI' or 'raster', from the first bytes.

    Raises:
        ImageError: the content is none of them.
    """
    from annotation.imaging.nifti import is_nifti

    with path.open("rb") as stream:
        head = stream.read(352)
    if head[128:132] == b"DICM":
        return "DICOM"
    if head[:2] == b"\x1f\x8b":
        return _sniff_gzip(path)
    if is_nifti(head):
        return "NIfTI"
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "raster"
    raise ImageError("not_an_image")


def _sniff_gzip(path: Path) -> str:
    from annotation.imaging.nifti import is_nifti

    try:
        with gzip.open(path) as stream:
            head = stream.read(352)
    except EOFError as error:
        raise ImageError("truncated", "the compressed file is cut short") from error
    except (OSError, zlib.error) as error:
        raise ImageError("corrupt", "the compressed file cannot be inflated") from error
    if is_nifti(head):
        return "NIfTI"
    raise ImageError("not_an_image", "a compressed file that holds no NIfTI volume")
