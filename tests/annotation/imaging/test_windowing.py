"""Windows: hand-worked values of the Standard's three functions, and against pydicom."""

import numpy as np
import pydicom
import pytest
from pydicom.pixels import apply_voi_lut

from annotation.imaging.fingerprint import keyed_hash, sha256_bytes, sha256_pixels
from annotation.imaging.image import Image, ImageError, smallest_integer_type
from annotation.imaging.windowing import apply_window, default_window, to_display
from tests import images


def test_the_linear_function_of_the_standard_by_hand():
    values = np.array([-200, -160, -159.5, 40, 239.5, 240, 300])

    shown = apply_window(values, 40, 400)

    expected = [0, 0, 0, (0.5 / 399 + 0.5) * 255, 255, 255, 255]
    assert shown[[0, 3, 5, 6]] == pytest.approx([expected[0], expected[3], 255, 255])
    assert shown[1] == 0
    assert shown[4] == pytest.approx(((239.5 - 39.5) / 399 + 0.5) * 255, abs=0.4)


def test_width_one_is_a_threshold():
    assert apply_window(np.array([9.4, 9.5, 9.6]), 10, 1).tolist() == [0, 0, 255]


@pytest.mark.parametrize("function", ["linear", "linear_exact", "sigmoid"])
@pytest.mark.parametrize(("center", "width"), [(40, 400), (2048, 4096), (100.5, 3)])
def test_all_functions_agree_with_pydicom(function, center, width):
    data = pydicom.Dataset()
    data.PhotometricInterpretation, data.BitsStored, data.PixelRepresentation = "MONOCHROME2", 8, 0
    data.WindowCenter, data.WindowWidth, data.VOILUTFunction = center, width, function.upper()
    values = np.arange(-500, 4000, 7, dtype=np.float64)

    shown = apply_window(values, center, width, function=function)

    assert np.allclose(shown, apply_voi_lut(values, data), atol=1e-9)


@pytest.mark.parametrize(("function", "width"), [("linear", 0.9), ("linear_exact", 0), ("sigmoid", -1)])
def test_a_width_that_the_function_does_not_allow_is_refused(function, width):
    with pytest.raises(ValueError, match="too small"):
        apply_window(np.zeros(3), 0, width, function=function)


def test_an_unknown_function_is_refused():
    with pytest.raises(ValueError, match="none of linear"):
        apply_window(np.zeros(3), 0, 1, function="gamma")


def image(pixels: np.ndarray, **facts) -> Image:
    return Image(**{"pixels": pixels, "unit": "gray", "bits": 8, "signed": False, "data_range": (0.0, 255.0)} | facts)


def test_display_gray_is_shown_as_it_is():
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)

    assert np.array_equal(to_display(image(pixels), 0), pixels[0])
    assert np.array_equal(to_display(image(pixels, inverted=True), 0), 255 - pixels[0])


def test_signal_without_a_window_opens_on_its_middle_band():
    pixels = np.linspace(0, 1000, 10_000).reshape(1, 100, 100)

    center, width = default_window(image(pixels, unit="signal", data_range=None))

    assert (center, width) == (pytest.approx(500, abs=1), pytest.approx(990, abs=1))
    assert default_window(image(np.full((1, 2, 2), 7.0), unit="signal", data_range=None)) == (7.0, 1.0)


def test_pixel_digests_are_of_values_not_of_containers():
    pixels = images.texture()[None]

    digests = {sha256_pixels(image(pixels.astype(kind))) for kind in ("uint16", "int32", "int64")}

    assert len(digests) == 1
    assert digests != {sha256_pixels(image(pixels + 1))}
    assert digests != {sha256_pixels(image(pixels.reshape(1, 64, 48)))}
    assert sha256_bytes(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_keyed_hashes_depend_on_key_and_purpose():
    found = {keyed_hash("4711", key=key, purpose=purpose) for key in (b"a", b"b") for purpose in ("case", "uid")}

    assert len(found) == 4
    with pytest.raises(ValueError, match="empty"):
        keyed_hash("4711", key=b"", purpose="case")


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"unit": "lux"}, "unit 'lux'"),
        ({"kind": "movie"}, "kind 'movie'"),
        ({"pixels": np.zeros((2, 2))}, "shape"),
        ({"pixels": np.zeros((0, 2, 2))}, "shape"),
    ],
)
def test_an_image_outside_its_closed_lists_cannot_be_made(facts, message):
    with pytest.raises(ValueError, match=message):
        image(**({"pixels": np.zeros((1, 2, 2))} | facts))


def test_an_error_without_words_takes_those_of_its_reason():
    assert str(ImageError("empty")) == "a file of 0 bytes"
    with pytest.raises(AssertionError):
        ImageError("bad luck")


@pytest.mark.parametrize(
    ("low", "high", "name"),
    [(0, 255, "uint8"), (-1, 255, "int16"), (0, 65535, "uint16"), (-1, 65535, "int32"), (0, 2**31, "int64")],
)
def test_the_narrowest_integer_type_is_chosen(low, high, name):
    assert smallest_integer_type(low, high) == np.dtype(name)
