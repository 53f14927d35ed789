"""Pairing: what may be compared, and the reason when it may not."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from scoring.metrics.base import UndefinedMetricError
from scoring.metrics.pairing import pair
from scoring.metrics.pictures import Picture, as_picture
from scoring.metrics.registry import METRICS, PROFILES
from tests.scoring.metrics.recipes import p1, p3, p4, waves


def eight_bit(pixels: np.ndarray, **facts: object) -> Picture:
    return Picture(pixels, 255.0, **facts)


def reason_of(output: Picture, reference: Picture, policy: str = "pair/1") -> tuple[str, str]:
    with pytest.raises(UndefinedMetricError) as caught:
        pair(output, reference, policy=policy)
    return caught.value.reason, caught.value.message


def test_d23_another_size_is_refused_with_both_sizes_unless_the_policy_says_resize():
    output, reference = eight_bit(waves(128, 128)), eight_bit(waves(64, 64))

    reason, message = reason_of(output, reference)

    assert reason == "geometry_mismatch"
    assert "128 x 128" in message
    assert "64 x 64" in message
    assert pair(output, reference, policy="pair/1-resize").output.shape == (1, 64, 64)


def test_d23_resizing_is_refused_where_the_aspect_differs():
    reason, message = reason_of(eight_bit(waves(128, 64)), eight_bit(waves(64, 64)), "pair/1-resize")

    assert reason == "geometry_mismatch"
    assert "aspect" in message


@pytest.mark.parametrize("kind", ["uint16", "float64"])
def test_resizing_keeps_the_type_and_the_levels(kind):
    ramp = np.linspace(0, 60000, 64 * 64).reshape(64, 64).astype(kind)

    paired = pair(Picture(ramp, 65535.0), Picture(ramp[:32, :32], 65535.0), policy="pair/1-resize")

    assert paired.output.dtype == kind
    assert paired.output.max() > 50000


def test_the_official_policy_stretches_and_clips_as_the_official_evaluator():
    reference, output = p4()

    paired = pair(Picture(output, 65535.0), Picture(reference, 65535.0), policy="pair/official-1")

    assert paired.output.shape == (1, 64, 64, 3)
    assert np.mean(paired.reference == 255) == pytest.approx(0.938, abs=1e-3)
    value = METRICS["psnr"].function(paired.output, paired.reference, data_range=paired.data_range)
    assert value == pytest.approx(16.8, abs=0.05)


def test_the_official_policy_ignores_the_aspect():
    output, reference = waves(128, 64), waves(64, 64)

    paired = pair(eight_bit(output), eight_bit(reference), policy="pair/official-1")

    expected = Image.fromarray(output).convert("RGB").resize((64, 64), Image.Resampling.LANCZOS)
    assert np.array_equal(paired.output[0], np.asarray(expected))


def test_the_official_profile_gives_the_published_luminance_ssim():
    reference, output = p3()
    official = PROFILES["official"]

    paired = pair(eight_bit(output), eight_bit(reference), policy=official.policy)
    value = official.metrics["ssim"].function(paired.output, paired.reference, data_range=255)

    assert value == pytest.approx(0.9532988712, abs=5e-11)


def test_color_with_equal_channels_is_one_channel():
    gray = waves(16, 24)

    paired = pair(eight_bit(np.stack([gray] * 3, axis=-1)), eight_bit(gray))

    assert paired.output.shape == paired.reference.shape == (1, 16, 24)
    assert paired.flags == ()
    assert np.array_equal(paired.output, paired.reference)


@pytest.mark.parametrize(("shift", "flags"), [(2, ()), (3, ("color_added",))])
def test_color_against_a_gray_reference_is_compared_by_luminance_and_flagged_beyond_two_levels(shift, flags):
    gray = waves(16, 24)
    tinted = np.stack([gray, gray, gray + shift], axis=-1)

    paired = pair(eight_bit(tinted), eight_bit(gray))

    assert paired.output.shape == (1, 16, 24)
    assert paired.flags == flags


def test_a_gray_output_of_a_color_reference_is_compared_in_color():
    reference, _ = p3()

    paired = pair(eight_bit(reference[..., 0]), eight_bit(reference))

    assert paired.output.shape == paired.reference.shape == (1, 64, 64, 3)


def test_native_levels_are_kept():
    reference, output = p4()

    paired = pair(Picture(output, 4095.0), Picture(reference, 4095.0))

    assert paired.data_range == 4095.0
    assert len(np.unique(paired.reference)) == 4096
    assert paired.reference.dtype == np.uint16


def test_two_ranges_are_a_reason_unless_the_item_declares_both():
    narrow, wide = waves(16, 16), waves(16, 16).astype(np.uint16) * 257

    reason, message = reason_of(Picture(narrow, 255.0), Picture(wide, 65535.0))
    paired = pair(Picture(narrow, 255.0, declared=True), Picture(wide, 65535.0, declared=True))

    assert reason == "range_mismatch"
    assert "0 to 255" in message
    assert "0 to 65535" in message
    assert (paired.data_range, paired.flags) == (1.0, ("coerced",))
    assert np.allclose(paired.output, paired.reference, atol=1e-12)


def test_values_beyond_the_declared_range_are_a_reason():
    reason, message = reason_of(Picture(p4()[0], 255.0), Picture(p4()[0], 255.0))

    assert reason == "range_mismatch"
    assert "0 to 4095" in message


def test_an_undeclared_range_is_a_reason_not_a_guess():
    reason, message = reason_of(Picture(p4()[0], None), Picture(p4()[0], 4095.0))

    assert reason == "undeclared"
    assert "output" in message


def test_two_units_are_a_reason():
    hounsfield = Picture(p4()[0], 4095.0, unit="HU")

    assert reason_of(hounsfield, Picture(p4()[0], 4095.0, unit="bq_ml"))[0] == "range_mismatch"
    assert pair(Picture(waves(8, 8), 255.0, unit="gray"), Picture(waves(8, 8), 255.0, unit="rgb"))


def test_an_inverted_picture_is_turned_upright():
    upright = waves(16, 16)
    inverted = Picture(255 - upright, 255.0, inverted=True)

    paired = pair(inverted, eight_bit(upright))

    assert np.array_equal(paired.output, paired.reference)


def test_an_inverted_picture_with_a_negative_low_is_turned_within_its_range():
    values = np.arange(-1024, 3072, dtype=np.int16).reshape(64, 64)
    turned = (2 * -1024 + 4095 - values).astype(np.int16)

    paired = pair(Picture(turned, 4095.0, low=-1024, inverted=True), Picture(values, 4095.0, low=-1024))

    assert np.array_equal(paired.output, paired.reference)


def test_transparency_is_a_reason_and_full_opacity_is_not():
    pixels, opacity = waves(8, 8), np.full((8, 8), 255, np.uint8)
    see_through = opacity.copy()
    see_through[0, :3] = 254

    reason, message = reason_of(eight_bit(pixels, opacity=see_through), eight_bit(pixels))

    assert reason == "alpha"
    assert "3 of 64" in message
    assert pair(eight_bit(pixels, opacity=opacity), eight_bit(pixels)).flags == ()


def test_pixels_that_are_not_finite_are_a_reason():
    pixels = waves(8, 8).astype(float)
    pixels[0, 0] = np.inf

    assert reason_of(eight_bit(pixels), eight_bit(waves(8, 8)))[0] == "non_finite"


def test_a_lossy_output_against_a_lossless_reference_is_flagged():
    lossy, plain = eight_bit(waves(8, 8), flags=("lossy",)), eight_bit(waves(8, 8))

    assert pair(lossy, plain).flags == ("lossy",)
    assert pair(lossy, lossy).flags == ()


@pytest.mark.parametrize(
    ("pixels", "data_range", "is_flat"),
    [
        (np.full((64, 64), 100, np.uint8), 255.0, True),
        (np.tile(np.array([100, 102], np.uint8), (64, 32)), 255.0, False),
        (np.tile(np.array([100, 101], np.uint8), (64, 32)), 255.0, True),
        (np.tile(np.array([1000, 1020], np.uint16), (64, 32)), 65535.0, True),
        (waves(64, 64), 255.0, False),
    ],
)
def test_a_flat_reference_is_flagged(pixels, data_range, is_flat):
    picture = Picture(pixels, data_range)

    assert ("flat" in pair(picture, picture).flags) is is_flat


def test_a_single_bright_spot_off_the_sampling_grid_is_not_flat():
    pixels = np.zeros((64, 64), np.uint8)
    pixels[33, 33] = 255

    assert "flat" not in pair(eight_bit(pixels), eight_bit(pixels)).flags


def test_paired_arrays_are_read_only_and_the_sources_stay_untouched():
    reference, output = p1()
    paired = pair(eight_bit(output), eight_bit(reference))

    with pytest.raises(ValueError, match="read-only"):
        paired.output[0, 0, 0] = 1
    output[0, 0] = 1


def test_an_unknown_policy_fails():
    with pytest.raises(ValueError, match=r"pair/2.*known: pair/1"):
        pair(eight_bit(waves(8, 8)), eight_bit(waves(8, 8)), policy="pair/2")


def test_any_object_with_pixels_and_a_declared_range_is_a_picture():
    image = SimpleNamespace(
        pixels=np.zeros((1, 8, 8), np.int16), data_range=(-1024, 3071), inverted=False, unit="HU", flags=("lossy",)
    )

    picture = as_picture(image)

    assert (picture.data_range, picture.low, picture.unit, picture.flags) == (4095.0, -1024.0, "HU", ("lossy",))
    assert as_picture(SimpleNamespace(pixels=np.zeros((1, 8, 8)), data_range=None)).data_range is None


def test_the_image_of_the_imaging_room_is_a_picture():
    from annotation.imaging.image import Image as RoomImage

    image = RoomImage(waves(8, 8)[None], "gray", 8, False, (0, 255))

    assert pair(image, image).data_range == 255.0


@pytest.mark.parametrize("shape", [(8,), (2, 8, 8, 4), (2, 2, 8, 8, 3), (0, 8)])
def test_shapes_that_are_no_picture_are_refused(shape):
    with pytest.raises(UndefinedMetricError) as caught:
        eight_bit(np.zeros(shape, np.uint8))

    assert caught.value.reason == "unsupported_pixels"
