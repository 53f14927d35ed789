"""The form in which a picture is stored: new files built from pixels and an allow-list of display facts.

Nothing is removed from the original; nothing of it is taken over but what is named here. Text drawn into the
pixels stays, so what may hold some is said in `risk`, for a person to decide.
"""

from __future__ import annotations

import gzip
import io
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import PIL.Image

from annotation.imaging.burned_in import DENIED, UNKNOWN
from annotation.imaging.image import Image, ImageError
from annotation.imaging.limits import Limits
from annotation.imaging.nifti import NiftiPicture
from annotation.imaging.nifti_writing import nifti_bytes
from annotation.imaging.png import encode_png
from annotation.imaging.raster import RasterPicture
from annotation.imaging.reading import Source, read_source

METHOD = "MedGEN allow-list 1"


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A file as it is stored, and what a person should know about it.

    Attributes:
        data: the file; the same bytes for the same original, key and library versions.
        media_type: for example 'application/dicom'.
        suffix: for example '.dcm'.
        image: the original's pixels, decoded.
        removed: sorted names of what was not taken over; never a value.
        case_key: keyed hash of the patient's id, or None where the file has none.
        burned_in: whether the header says that text is drawn into the pixels; None where it does not say.
        risk: 'burned_in_text', 'burned_in_unknown' (ultrasound or secondary capture that does not say),
            'face_possible' (CT or MR of a head).
        series_key: keyed hash of the series, so that slices of one series can be put together, or None.
        text_risk: why the pixels may carry text, as `annotation.imaging.burned_in.text_risk` says it; 'unknown' for
            formats whose files declare nothing.
    """

    data: bytes
    media_type: str
    suffix: str
    image: Image
    removed: tuple[str, ...] = ()
    case_key: str | None = None
    burned_in: bool | None = None
    risk: tuple[str, ...] = ()
    series_key: str | None = None
    text_risk: str = UNKNOWN


def clean(path: str | Path, *, key: bytes, limits: Limits | None = None, alpha: str = "refuse") -> Cleaned:
    """Read a file and rebuild it from its pixels.

    Args:
        path: a DICOM, NIfTI or raster file.
        key: secret of this installation, for remapped identifiers; not empty.
        limits: bounds on its cost.
        alpha: as in `read_image`.

    Returns:
        DICOM → DICOM with native Explicit VR Little Endian pixels; NIfTI → .nii.gz with affine, zooms and
        scaling; raster → PNG, or TIFF for 32-bit samples, which PNG cannot hold.

    Raises:
        ImageError: the file is not read.
        ValueError: the key is empty.

    References:
        DICOM PS3.15 Annex E (profile code 113100); HIPAA 45 CFR 164.514(b)(2).
    """
    if not key:
        raise ValueError("the key of a keyed hash is empty")
    return clean_source(read_source(path, limits=limits, alpha=alpha), key=key)


def clean_source(source: Source, *, key: bytes, masked: bool = False) -> Cleaned:
    """As `clean`, for a file that is decoded already; `masked` when a person covered the text in its pixels.

    Raises:
        ImageError: the pixels fit none of the stored formats.
    """
    if source.dicom is not None:
        from annotation.imaging.dicom_writing import clean_dicom

        part = clean_dicom(source.dicom, key=key, masked=masked)
        return Cleaned(
            part.data,
            "application/dicom",
            ".dcm",
            source.image,
            part.removed,
            part.case_key,
            part.burned_in,
            part.risk,
            part.series_key,
            part.text_risk,
        )
    if source.nifti is not None:
        cleaned = _nifti(source.nifti)
    else:
        assert source.raster is not None
        cleaned = _raster(source.raster)
    return replace(cleaned, text_risk=DENIED) if masked else cleaned


def _nifti(picture: NiftiPicture) -> Cleaned:
    data = gzip.compress(nifti_bytes(picture.header, picture.samples), compresslevel=4, mtime=0)
    return Cleaned(data, "application/gzip", ".nii.gz", picture.image, picture.texts)


def _raster(picture: RasterPicture) -> Cleaned:
    image = picture.image
    pixels = image.pixels[0]
    if pixels.dtype.name in ("uint8", "uint16"):
        data = encode_png(pixels.astype(bool) if image.bits == 1 else pixels)
        return Cleaned(data, "image/png", ".png", image, picture.texts)
    if pixels.ndim == 2 and pixels.dtype.name in ("int16", "int32", "float32"):
        out = io.BytesIO()
        wide = pixels.astype(np.int32) if pixels.dtype.kind == "i" else pixels
        PIL.Image.fromarray(wide).save(out, format="TIFF")
        return Cleaned(out.getvalue(), "image/tiff", ".tif", image, picture.texts)
    raise ImageError("unsupported_pixels", f"samples of type {pixels.dtype.name} cannot be stored")
