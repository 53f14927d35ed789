"""The viewer's wire format: what the browser decodes is what was stored."""

import io
import json
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from annotation.imaging.frames import HEADER_KEYS, decode_frames, encode_frames, thumbnail
from annotation.imaging.image import Image
from tests import images


def picture(pixels: np.ndarray, **facts) -> Image:
    defaults = {
        "unit": "rgb" if pixels.ndim == 4 else "signal",
        "bits": pixels.dtype.itemsize * 8,
        "signed": pixels.dtype.kind == "i",
        "data_range": (0.0, 255.0),
    }
    return Image(pixels=pixels, **(defaults | facts))


def as_the_browser_does(part: bytes, rows: int, columns: int, *, signed: bool) -> list[int]:
    """The viewer's `undelta`, step for step, in plain integers."""
    raw, count, out = zlib.decompress(part), rows * columns, []
    for row in range(rows):
        value = 0
        for at in range(row * columns, (row + 1) * columns):
            value = (value + (raw[at] | raw[count + at] << 8)) & 0xFFFF
            out.append(value - 65536 if signed and value >= 32768 else value)
    return out


@pytest.mark.parametrize("kind", ["uint8", "uint16", "int16"])
def test_the_browser_gets_every_sample_back(kind):
    info = np.iinfo(kind)
    pixels = np.random.default_rng(2).integers(info.min, info.max, (3, 9, 11), endpoint=True).astype(kind)

    encoded = encode_frames(picture(pixels))

    offsets = encoded.header["offsets"]
    for frame in range(3):
        part = encoded.data[offsets[frame] : offsets[frame + 1]]
        samples = as_the_browser_does(part, 9, 11, signed=encoded.header["signed"])
        assert np.array_equal(np.reshape(samples, (9, 11)), pixels[frame])
    assert offsets[-1] == len(encoded.data)
    assert np.array_equal(decode_frames(encoded.header, encoded.data), pixels)
    assert encoded.flags == ()


def test_the_header_is_an_allow_list_of_display_facts():
    image = picture(
        images.texture()[None].astype(np.int16) - 1024,
        unit="HU",
        window=(40.0, 400.0),
        spacing_mm=(0.7, 0.5),
        slice_mm=5.0,
        orientation=(1.0, 0, 0, 0, 1.0, 0),
        modality="CT",
        flags=("lossy",),
    )

    header = encode_frames(image).header

    assert tuple(header) == HEADER_KEYS
    assert header["units"] == "HU"
    assert header["window"] == {"center": 40, "width": 400}
    assert header["spacing_mm"] == [0.7, 0.5]
    assert (header["slice_mm"], header["bits"], header["signed"], header["version"]) == (5, 16, True, 1)
    assert (header["encoding"], header["kind"], header["inverted"]) == ("delta-split-deflate", "image", False)
    assert json.loads(json.dumps(header, allow_nan=False)) == header


def test_display_gray_has_no_window_and_monochrome1_is_said():
    pixels = images.texture(top=255, dtype="uint8")[None]

    header = encode_frames(picture(pixels, unit="gray", inverted=True)).header

    assert (header["units"], header["window"], header["inverted"]) == ("gray", None, True)


def test_the_129_quantiles_are_those_of_the_values():
    pixels = np.stack([images.texture(seed=seed) for seed in range(3)]).astype(np.int16) - 1000

    quantiles = encode_frames(picture(pixels)).header["quantiles"]

    assert quantiles == pytest.approx(np.quantile(pixels, np.linspace(0, 1, 129)), abs=1e-3)


def test_wide_integers_in_a_narrow_band_stay_exact():
    pixels = images.texture(top=65535).astype(np.int32)[None] - 100_000

    encoded = encode_frames(picture(pixels))

    assert np.array_equal(decode_frames(encoded.header, encoded.data), pixels)
    assert (encoded.header["slope"], encoded.flags) == (1, ())


@pytest.mark.parametrize("kind", ["float32", "float64", "int32"])
def test_other_samples_are_off_by_at_most_half_a_step_and_flagged(kind):
    pixels = (images.texture(top=65535).astype(np.float64) * 31_000.7 - 1e6)[None].astype(kind)

    encoded = encode_frames(picture(pixels))

    error = np.abs(decode_frames(encoded.header, encoded.data) - pixels.astype(np.float64)).max()
    assert error <= encoded.header["slope"] * 0.5 * (1 + 1e-9)
    assert encoded.flags == ("quantized",)


def test_values_that_are_not_numbers_are_said_and_drawn_at_the_ends():
    pixels = np.array([[[1.0, np.nan], [np.inf, 3.0]]], np.float32)

    encoded = encode_frames(picture(pixels))

    assert decode_frames(encoded.header, encoded.data)[0] == pytest.approx(np.array([[1, 1], [3, 3]]), abs=1e-4)
    assert encoded.flags == ("non_finite", "quantized")


def test_a_constant_picture_is_exact():
    encoded = encode_frames(picture(np.full((1, 4, 4), 2.5, np.float32)))

    assert np.array_equal(decode_frames(encoded.header, encoded.data), np.full((1, 4, 4), 2.5))


def test_color_is_one_png_a_frame():
    pixels = np.stack([images.photograph(seed=seed) for seed in range(2)])

    encoded = encode_frames(picture(pixels, kind="sequence"))

    header = encoded.header
    first = encoded.data[: header["offsets"][1]]
    assert (header["encoding"], header["channels"], header["bits"], header["window"]) == ("png", 3, 8, None)
    assert np.array_equal(np.asarray(PIL.Image.open(io.BytesIO(first))), pixels[0])
    assert np.array_equal(decode_frames(header, encoded.data), pixels)
    assert len(header["quantiles"]) == 129


def test_deep_color_is_reduced_for_the_screen_and_flagged():
    pixels = np.array([[[[65535, 0, 32768]]]], np.uint16)

    encoded = encode_frames(picture(pixels))

    assert decode_frames(encoded.header, encoded.data)[0, 0, 0].tolist() == [255, 0, 128]
    assert encoded.flags == ("reduced_to_8_bit",)


def test_the_bytes_are_the_same_every_time():
    image = picture(images.texture()[None])

    assert encode_frames(image) == encode_frames(image)


def test_the_thumbnail_is_the_middle_frame_as_displayed():
    dark, bright = np.zeros((200, 100), np.int16), np.full((200, 100), 500, np.int16)
    image = picture(np.stack([dark, bright, dark]), window=(250.0, 500.0))

    shown = PIL.Image.open(io.BytesIO(thumbnail(image)))
    turned = PIL.Image.open(io.BytesIO(thumbnail(picture(image.pixels, window=(250.0, 500.0), inverted=True))))

    assert shown.size == (48, 96)
    assert np.asarray(shown).min() == 255
    assert np.asarray(turned).max() == 0
    assert shown.info == {}


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 500), (1, 500, 1)])
def test_the_smallest_pictures_are_encoded(shape, tmp_path: Path):
    image = picture(np.ones(shape, np.uint16))

    encoded = encode_frames(image)

    assert decode_frames(encoded.header, encoded.data).shape == shape
    assert thumbnail(image).startswith(b"\x89PNG")
