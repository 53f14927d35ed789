"""PNG, JPEG, TIFF and WebP as images: every bit kept, orientation applied, color in sRGB."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import PIL.ImageCms
import PIL.ImageOps

from annotation.imaging.codestream import frame_header
from annotation.imaging.image import Image, ImageError
from annotation.imaging.limits import MEBIBYTE, Limits
from annotation.imaging.raster_texts import texts_of

Array = npt.NDArray[Any]

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP")
ALPHA = ("refuse", "black", "white")
_ORIENTATION = 0x0112
_TIFF_BITS, _TIFF_PHOTOMETRIC = 258, 262
_PNG_ALPHA = {4, 6}
_WIDE_RGB = "16-bit color"
_START_OF_SCAN, _SCANS = b"\xff\xda", 100  # each scan is a pass over all pixels; real pictures have 1 to 12


@dataclass(frozen=True, slots=True)
class RasterPicture:
    """A decoded picture and the names of everything in its file that is not pixels."""

    image: Image
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Pixels:
    array: Array
    bits: int
    signed: bool = False
    flags: tuple[str, ...] = ()


def read_raster(path: Path, limits: Limits, *, alpha: str = "refuse") -> RasterPicture:
    """Read one PNG, JPEG, TIFF or WebP file.

    Args:
        path: the file.
        limits: bounds on bytes and pixels.
        alpha: what to do with transparent pixels: 'refuse', or composite over 'black' or 'white' (flag
            'composited_black', 'composited_white'). A fully opaque alpha channel is always dropped.

    Returns:
        The picture as a viewer should show it: EXIF orientation applied, palette expanded to RGB, an embedded
        color profile converted to sRGB (flag 'profile_converted'; on gray pictures it is left alone, flag
        'profile_ignored'). 1-bit pictures are masks of 0 and 1. 16-bit samples keep all their bits.

    Raises:
        ImageError: see `REASONS`; CMYK, animated and multi-page files are 'unsupported_pixels'.
    """
    if alpha not in ALPHA:
        raise ValueError(f"alpha policy {alpha!r} is none of {', '.join(ALPHA)}")
    data = path.read_bytes()
    try:
        with PIL.Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            _check(picture, data, limits)
            pixels = _pixels(picture, data, alpha)
            texts = texts_of(picture, data)
    except PIL.Image.DecompressionBombError as error:
        raise ImageError("too_large", f"more than the {limits.pixels // 10**6} Mpx allowed") from error
    except PIL.UnidentifiedImageError as error:
        raise ImageError("corrupt", "the picture's header cannot be read") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise _translated(error) from error
    return RasterPicture(_image(pixels), texts)


def _translated(error: Exception) -> ImageError:
    if isinstance(error, ImageError):
        return error
    words = str(error).lower()
    if "decompressed data too large" in words or "too much memory" in words:
        return ImageError("too_large", "a compressed text in the picture grows beyond its limit")
    if "truncated" in words or "end of file" in words or "unexpected end" in words:
        return ImageError("truncated", "the picture ends before its pixels do")
    return ImageError("corrupt", f"the picture cannot be decoded ({type(error).__name__})")


def _check(picture: PIL.Image.Image, data: bytes, limits: Limits) -> None:
    width, height = picture.size
    if width * height > limits.pixels:
        raise ImageError("too_large", f"{height} × {width} pixels, allowed are {limits.pixels // 10**6} Mpx")
    if width * height * 4 > limits.decoded_bytes:
        raise ImageError(
            "too_large",
            f"{height} × {width} pixels need more than the {limits.decoded_bytes // MEBIBYTE} MiB allowed",
        )
    if picture.format != "MPO" and _has_more(picture):
        raise ImageError("unsupported_pixels", "several pages or animation frames in one picture")
    if picture.mode in ("CMYK", "LAB", "HSV"):
        raise ImageError("unsupported_pixels", f"{picture.mode} color is not read; export it as RGB")
    if picture.format in ("JPEG", "MPO"):
        header = frame_header(data)
        if header is not None and header.precision != 8:
            raise ImageError("unsupported_pixels", f"a JPEG picture with {header.precision} bits per sample")
        scans = data.count(_START_OF_SCAN)
        if scans > _SCANS:
            raise ImageError("too_large", f"a JPEG picture in {scans} scans, at most {_SCANS} are read")


def _has_more(picture: PIL.Image.Image) -> bool:
    """Whether there is a second page or frame; pages of TIFF are not counted, which could take minutes."""
    if picture.format != "TIFF":
        return int(getattr(picture, "n_frames", 1)) > 1
    try:
        picture.seek(1)
    except EOFError:
        picture.seek(0)
        return False
    return True


def _pixels(picture: PIL.Image.Image, data: bytes, alpha: str) -> _Pixels:
    turn = int(picture.getexif().get(_ORIENTATION, 1) or 1)
    flags = ["oriented"] if turn in range(2, 9) else []
    if picture.format in ("JPEG", "MPO") or (picture.format == "WEBP" and _is_lossy_webp(data)):
        flags.append("lossy")
    if picture.format == "MPO":
        flags.append("first_of_several")
    wide = _wide_color(picture, data)
    if wide is not None:
        array, opacity = wide
        pixels = _composited(_oriented(array, turn), _oriented(opacity, turn), 65535, alpha)
        flags += ["profile_ignored"] if "icc_profile" in picture.info else []
        return _Pixels(pixels.array, 16, False, (*flags, *pixels.flags))
    pixels = _plain(picture, alpha)
    return _Pixels(pixels.array, pixels.bits, pixels.signed, (*flags, *pixels.flags))


def _wide_color(picture: PIL.Image.Image, data: bytes) -> tuple[Array, Array] | None:
    """Samples and opacity of 16-bit color or gray-alpha, which Pillow would cut to 8 bits."""
    import imagecodecs

    if picture.format == "PNG":
        depth, color = data[24], data[25]
        if depth != 16 or color == 0:
            return None
        decoded = imagecodecs.png_decode(data)
    elif picture.format == "TIFF":
        bits = _tiff_bits(picture)
        if len(bits) < 2 or max(bits) != 16:
            return None
        if len(bits) != 3 or picture.mode != "RGB":
            raise ImageError("unsupported_pixels", f"a TIFF picture with {len(bits)} channels of 16 bits")
        decoded = imagecodecs.tiff_decode(data)
    else:
        return None
    if decoded.dtype != np.uint16 or decoded.shape[:2] != picture.size[::-1]:
        raise ImageError("corrupt", f"{_WIDE_RGB} samples do not match the picture's header")
    channels = decoded.shape[2]
    opaque = np.full(decoded.shape[:2], 65535, np.uint16)
    opacity = decoded[:, :, -1] if channels in (2, 4) else opaque
    return (decoded[:, :, 0] if channels == 2 else decoded[:, :, :3]), opacity


def _tiff_bits(picture: PIL.Image.Image) -> tuple[int, ...]:
    return tuple(int(bits) for bits in picture.tag_v2.get(_TIFF_BITS, (1,)))  # type: ignore[attr-defined]


def _plain(picture: PIL.Image.Image, alpha: str) -> _Pixels:
    """Modes that Pillow keeps whole."""
    mode = picture.mode
    if mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        return _deep_gray(picture)
    picture.load()
    PIL.ImageOps.exif_transpose(picture, in_place=True)
    if mode == "1":
        return _Pixels(np.asarray(picture, dtype=np.uint8), 1)
    if mode in ("P", "PA"):
        picture = picture.convert("RGBA" if mode == "PA" or "transparency" in picture.info else "RGB")
    elif "transparency" in picture.info:
        picture = picture.convert("LA" if mode == "L" else "RGBA")
    elif mode not in ("L", "LA", "RGB", "RGBA", "RGBX", "YCbCr"):
        raise ImageError("unsupported_pixels", f"pixels of mode {mode} are not read")
    elif mode in ("RGBX", "YCbCr"):
        picture = picture.convert("RGB")
    profile = picture.info.get("icc_profile")
    flags = ["palette"] if mode in ("P", "PA") else []
    opacity = np.asarray(picture.getchannel("A")) if picture.mode in ("LA", "RGBA") else None
    if opacity is not None:
        picture = picture.convert("L" if picture.mode == "LA" else "RGB")
    if profile:
        picture, flag = _to_srgb(picture, profile)
        flags += [flag] if flag else []
    array = np.asarray(picture)
    if opacity is None:
        return _Pixels(array, 8, False, tuple(flags))
    pixels = _composited(array, opacity, 255, alpha)
    return _Pixels(pixels.array, 8, False, (*flags, *pixels.flags))


def _deep_gray(picture: PIL.Image.Image) -> _Pixels:
    """Gray of 16 or 32 bits and floating point. Pillow turns TIFF itself while loading, PNG never."""
    bits = _tiff_bits(picture)[0] if picture.format == "TIFF" else 16
    white_is_zero = picture.format == "TIFF" and picture.tag_v2.get(_TIFF_PHOTOMETRIC) == 0  # type: ignore[attr-defined]
    mode = picture.mode
    picture.load()
    PIL.ImageOps.exif_transpose(picture, in_place=True)
    array = np.asarray(picture)
    flags = ("profile_ignored",) if "icc_profile" in picture.info else ()
    if mode == "F":
        finite = bool(np.isfinite(array).all())
        return _Pixels(array.astype(np.float32), bits, True, flags if finite else (*flags, "non_finite"))
    if mode == "I" and bits > 16:
        return _Pixels(array.astype(np.int32), 32, True, flags)
    if mode == "I" and picture.format == "TIFF":
        return _Pixels(array.astype(np.int16), 16, True, flags)
    array = array.astype(np.uint16)
    return _Pixels(65535 - array if white_is_zero else array, bits, False, flags)


def _composited(array: Array, opacity: Array, top: int, alpha: str) -> _Pixels:
    if int(opacity.min()) == top:
        return _Pixels(array, 8)
    if alpha == "refuse":
        share = float((opacity < top).mean())
        raise ImageError("alpha", f"{share:.1%} of the pixels are transparent")
    weight = opacity.astype(np.float64) / top
    if array.ndim == 3:
        weight = weight[:, :, np.newaxis]
    ground = 0 if alpha == "black" else top
    mixed = np.rint(array * weight + ground * (1.0 - weight)).astype(array.dtype)
    return _Pixels(mixed, 8, False, (f"composited_{alpha}",))


def _oriented(array: Array, turn: int) -> Array:
    """EXIF orientation 2–8 undone, so that row 0 is the visual top (Exif 2.32, tag 274)."""
    if turn in (5, 6, 7, 8):
        array = np.swapaxes(array, 0, 1)
    if turn in (3, 4, 7, 8):
        array = array[::-1]
    if turn in (2, 3, 6, 7):
        array = array[:, ::-1]
    return array


def _to_srgb(picture: PIL.Image.Image, profile: bytes) -> tuple[PIL.Image.Image, str]:
    """Colors of an embedded profile as sRGB; a profile that moves nothing by more than 1 level is left."""
    if picture.mode != "RGB":
        return picture, "profile_ignored"
    try:
        transform = PIL.ImageCms.buildTransform(
            PIL.ImageCms.ImageCmsProfile(io.BytesIO(profile)), PIL.ImageCms.createProfile("sRGB"), "RGB", "RGB"
        )
    except (PIL.ImageCms.PyCMSError, OSError, ValueError):
        return picture, "profile_unreadable"
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    probe = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    moved = np.asarray(PIL.ImageCms.applyTransform(PIL.Image.fromarray(probe), transform))
    if int(np.abs(moved.astype(int) - probe).max()) <= 1:
        return picture, ""
    converted = PIL.ImageCms.applyTransform(picture, transform)
    assert converted is not None
    return converted, "profile_converted"


def _is_lossy_webp(data: bytes) -> bool:
    return b"VP8 " in data[:65536]


def _image(pixels: _Pixels) -> Image:
    array = pixels.array
    if array.ndim == 3:
        unit = "rgb"
    elif pixels.bits == 1:
        unit = "fraction"
    else:
        unit = "gray" if pixels.bits <= 8 else "signal"
    flags = (*pixels.flags, "mask") if pixels.bits == 1 else pixels.flags
    low, high = (-(2.0 ** (pixels.bits - 1)), 2.0 ** (pixels.bits - 1) - 1) if pixels.signed else (
        0.0, 2.0**pixels.bits - 1
    )  # fmt: skip
    return Image(
        pixels=np.ascontiguousarray(array)[np.newaxis],
        unit=unit,
        bits=pixels.bits,
        signed=pixels.signed,
        data_range=None if array.dtype.kind == "f" else (low, high),
        flags=flags,
    )
