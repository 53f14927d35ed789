"""Pixel metrics against published recipes and scikit-image."""

import numpy as np
import pytest
from skimage.metrics import mean_squared_error as other_mse
from skimage.metrics import peak_signal_noise_ratio as other_psnr
from skimage.metrics import structural_similarity as other_ssim

from scoring.metrics.base import UndefinedMetricError
from scoring.metrics.pixel.psnr import mean_squared_error
from scoring.metrics.registry import METRICS, PROFILES
from tests.scoring.metrics.recipes import p1, p2, p3, p4, waves

RECIPES = {"P1": p1, "P2": p2, "P3": p3}
TABLE = {
    ("mae", "P1"): 9.95703125,
    ("mae", "P2"): 5.08544922,
    ("mae", "P3"): 19.18310547,
    ("psnr", "P1"): 26.89598783,
    ("psnr", "P2"): 29.54692785,
    ("psnr", "P3"): 21.10524740,
    ("ssim", "P1"): 0.9877230646,
    ("ssim", "P2"): 0.9827231161,
    ("ssim", "P3"): 0.9535534597,
    ("ssim_gaussian", "P1"): 0.9875168951,
    ("ssim_gaussian", "P2"): 0.9896366365,
    ("ssim_gaussian", "P3"): 0.9527581372,
}


def test_the_recipes_are_the_published_ones():
    sums = {name: tuple(int(side.sum()) for side in make()) for name, make in RECIPES.items()}

    assert sums == {"P1": (529035, 529395), "P2": (1572971, 1572971), "P3": (1571702, 1573060)}
    assert list(p2()[0][0, :6]) == [128, 139, 150, 160, 170, 180]


@pytest.mark.parametrize(("code", "recipe"), TABLE)
def test_values_equal_the_published_table(code, recipe):
    reference, output = RECIPES[recipe]()

    value = METRICS[code].function(output, reference, data_range=255)

    # Half a unit of the last printed digit: 8 decimals for PSNR and MAE, 10 for SSIM.
    assert value == pytest.approx(TABLE[code, recipe], abs=5e-11 if "ssim" in code else 5e-9)


@pytest.mark.parametrize(("recipe", "expected"), [("P1", 132.88671875), ("P2", 72.17513021), ("P3", 504.14518229)])
def test_mean_squared_error_equals_the_published_table(recipe, expected):
    reference, output = RECIPES[recipe]()

    assert mean_squared_error(output, reference, data_range=255) == pytest.approx(expected, abs=5e-9)


def test_ssim_of_color_has_two_named_variants():
    reference, output = p3()

    official = PROFILES["official"].metrics["ssim"]

    assert official.settings["color"] == "luminance"
    assert official.function(output, reference, data_range=255) == pytest.approx(0.9532988712, abs=5e-11)
    assert METRICS["ssim"].settings["color"] == "channel mean"


def test_luminance_is_the_one_pillow_computes():
    from PIL import Image

    from scoring.metrics.pixel.ssim import luminance

    reference, _ = p3()

    assert np.array_equal(luminance(reference), np.asarray(Image.fromarray(reference).convert("L")))


@pytest.mark.parametrize(("data_range", "expected"), [(4095, 8.6176952965), (65535, 32.7020832499)])
def test_d21_all_levels_of_sixteen_bits_enter_and_the_range_is_explicit(data_range, expected):
    reference, output = p4()

    assert METRICS["psnr"].function(output, reference, data_range=data_range) == pytest.approx(expected, abs=5e-11)


def test_d21_ssim_of_twelve_bit_data_uses_the_declared_range():
    reference, output = p4()

    value = METRICS["ssim"].function(output, reference, data_range=4095)

    assert value == pytest.approx(0.3781868354, abs=5e-11)


@pytest.mark.parametrize("code", ["psnr", "ssim", "ssim_gaussian", "mae", "mae_relative"])
def test_d21_a_missing_range_is_an_error_not_a_guess(code):
    reference, output = p4()

    with pytest.raises(TypeError, match="data_range"):
        METRICS[code].function(output, reference)
    for wrong in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="data_range must be a finite number above 0"):
            METRICS[code].function(output, reference, data_range=wrong)


@pytest.mark.parametrize("shape", [(7, 7), (40, 9), (133, 517), (70, 390), (65, 131, 3), (15, 260, 3)])
@pytest.mark.parametrize("kind", ["uint8", "uint16", "int16", "float32", "float64"])
def test_values_equal_scikit_image_for_every_type_and_size(shape, kind):
    rng = np.random.default_rng(5)
    reference = (rng.normal(500, 200, shape) if kind != "uint8" else rng.normal(128, 40, shape)).astype(kind)
    noise = rng.normal(0, 30, shape) if kind != "uint8" else rng.integers(0, 40, shape)
    output = (reference.astype(np.float64) + noise).clip(0, 1e4 if kind != "uint8" else 255).astype(kind)
    span = 255.0 if kind == "uint8" else 4095.0
    axis = -1 if len(shape) == 3 else None

    ours = {code: METRICS[code].function(output, reference, data_range=span) for code in ("psnr", "ssim")}

    wide = output.astype(np.float64), reference.astype(np.float64)
    assert ours["ssim"] == pytest.approx(other_ssim(*wide, data_range=span, channel_axis=axis), abs=1e-10)
    assert ours["psnr"] == pytest.approx(other_psnr(wide[1], wide[0], data_range=span), abs=1e-10)
    assert mean_squared_error(output, reference, data_range=span) == pytest.approx(other_mse(*wide), rel=1e-12)


@pytest.mark.parametrize("shape", [(11, 11), (40, 29), (133, 417), (65, 131, 3)])
def test_gaussian_ssim_equals_scikit_image(shape):
    rng = np.random.default_rng(6)
    reference = rng.integers(0, 256, shape, dtype=np.uint8)
    output = np.clip(reference + rng.normal(0, 25, shape), 0, 255).astype(np.uint8)

    value = METRICS["ssim_gaussian"].function(output, reference, data_range=255)

    expected = other_ssim(
        output,
        reference,
        data_range=255,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        channel_axis=-1 if len(shape) == 3 else None,
    )
    assert value == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize(("other", "expected"), [(110, 0.9954764), (255, 0.0000999900)])
def test_flat_pictures_give_the_known_ssim(other, expected):
    first = np.full((64, 64), 100 if other == 110 else 0, np.uint8)
    second = np.full((64, 64), other, np.uint8)

    assert METRICS["ssim"].function(second, first, data_range=255) == pytest.approx(expected, abs=5e-8)


def test_d20_identical_pictures_have_no_psnr_and_never_a_hundred_decibels():
    picture = waves(32, 32)

    with pytest.raises(UndefinedMetricError) as caught:
        METRICS["psnr"].function(picture, picture, data_range=255)

    assert caught.value.reason == "identical"
    assert METRICS["ssim"].function(picture, picture, data_range=255) == 1.0
    assert METRICS["mae"].function(picture, picture, data_range=255) == 0.0


@pytest.mark.parametrize(("code", "side", "window"), [("ssim", 5, "7 x 7"), ("ssim_gaussian", 10, "11 x 11")])
def test_d22_a_picture_smaller_than_the_window_has_no_ssim_but_other_metrics(code, side, window):
    first, second = waves(side, side), waves(side, side) + 3

    with pytest.raises(UndefinedMetricError, match=f"the window {window}") as caught:
        METRICS[code].function(second, first, data_range=255)

    assert caught.value.reason == "smaller_than_window"
    assert METRICS["mae"].function(second, first, data_range=255) == 3.0
    assert METRICS["psnr"].function(second, first, data_range=255) == pytest.approx(38.588, abs=1e-3)


@pytest.mark.parametrize("code", ["psnr", "ssim", "ssim_gaussian", "mae", "mae_relative"])
def test_d23_different_sizes_are_refused_with_both_sizes(code):
    with pytest.raises(UndefinedMetricError, match=r"128 x 64.*64 x 64") as caught:
        METRICS[code].function(waves(128, 64), waves(64, 64), data_range=255)

    assert caught.value.reason == "geometry_mismatch"


@pytest.mark.parametrize("code", ["psnr", "ssim", "ssim_gaussian", "mae"])
def test_a_pixel_that_is_not_finite_is_a_reason(code):
    reference = waves(32, 32).astype(np.float32)
    output = reference.copy()
    output[3, 4] = np.nan

    with pytest.raises(UndefinedMetricError, match="1 of 1024 pixels of the output") as caught:
        METRICS[code].function(output, reference, data_range=255)

    assert caught.value.reason == "non_finite"


@pytest.mark.parametrize("wrong", [np.zeros((8, 8), complex), np.zeros((8, 8, 2)), np.zeros(8), np.zeros((0, 8))])
def test_arrays_that_are_no_picture_are_refused(wrong):
    with pytest.raises(UndefinedMetricError) as caught:
        METRICS["mae"].function(wrong, wrong, data_range=255)

    assert caught.value.reason == "unsupported_pixels"


def test_frames_are_pooled_for_errors_and_averaged_for_ssim():
    reference, output = p2()
    frames = np.stack([reference, reference])[..., None], np.stack([output, reference])[..., None]

    ssim = METRICS["ssim"].function(frames[1], frames[0], data_range=255)

    assert ssim == pytest.approx((0.9827231161 + 1) / 2, abs=1e-10)
    assert METRICS["mae"].function(frames[1], frames[0], data_range=255) == pytest.approx(5.08544922 / 2, abs=1e-8)


def test_relative_error_is_the_share_of_the_range():
    reference, output = p4()

    relative = METRICS["mae_relative"].function(output, reference, data_range=4095)

    assert relative == METRICS["mae"].function(output, reference, data_range=4095) / 4095


def test_eight_bit_differences_do_not_wrap():
    zero, full = np.zeros((9, 9), np.uint8), np.full((9, 9), 255, np.uint8)

    assert METRICS["mae"].function(zero, full, data_range=255) == 255
    assert METRICS["psnr"].function(zero, full, data_range=255) == 0.0
