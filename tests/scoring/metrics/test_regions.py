"""Region variants and the nodule phantom: what whole-picture metrics do not see."""

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from scoring.metrics.base import UndefinedMetricError
from scoring.metrics.comparison import compare
from scoring.metrics.evaluate import evaluate
from scoring.metrics.pictures import Picture
from scoring.metrics.pixel.windows import whole_windows
from scoring.metrics.registry import METRICS
from tests.scoring.metrics.recipes import edited_region, nodule_phantom

PHANTOM = {
    "missed": (0.9994, 48.88, 0.3734, 21.14, None),
    "bright": (0.9967, 29.88, 0.9975, 28.66, 29.88),
    "shift": (0.9890, 39.51, 0.8174, 27.33, 39.63),
    "mirror": (0.5038, 19.91, -0.0774, 14.25, 19.93),
}


def test_the_region_recipe_gives_the_published_numbers():
    reference, output, region = edited_region()
    psnr, ssim = METRICS["psnr"].function, METRICS["ssim"].function

    assert psnr(output, reference, data_range=255) == pytest.approx(30.9650918232, abs=5e-11)
    assert psnr(output, reference, data_range=255, region=region) == pytest.approx(20.8620922568, abs=5e-11)
    assert ssim(output, reference, data_range=255) == pytest.approx(0.9842294185, abs=5e-11)
    assert ssim(output, reference, data_range=255, region=region) == pytest.approx(0.7877929103, abs=5e-11)
    assert ssim(output, reference, data_range=255, region=region, side="outside") == 1.0
    with pytest.raises(UndefinedMetricError) as caught:
        psnr(output, reference, data_range=255, region=region, side="outside")
    assert caught.value.reason == "identical"


def test_strict_windows_are_as_many_as_published():
    _, _, region = edited_region()

    assert whole_windows(region, 7).sum() == 816
    assert whole_windows(~region, 7).sum() == 9324


def test_ssim_in_a_rectangle_equals_cropping_first():
    reference, output, region = edited_region()

    inside = METRICS["ssim"].function(output, reference, data_range=255, region=region)

    cropped = structural_similarity(output[30:60, 40:80], reference[30:60, 40:80], data_range=255)
    assert inside == pytest.approx(cropped, abs=1e-12)


@pytest.mark.parametrize("code", ["ssim", "ssim_gaussian"])
def test_ssim_of_an_odd_region_is_the_mean_of_its_whole_windows(code):
    window, gaussian = (7, False) if code == "ssim" else (11, True)
    rng = np.random.default_rng(2)
    reference = rng.integers(0, 256, (90, 300, 3), dtype=np.uint8)
    output = np.clip(reference + rng.normal(0, 20, reference.shape), 0, 255).astype(np.uint8)
    y, x = np.mgrid[0:90, 0:300]
    region = (y - 45) ** 2 + ((x - 150) / 3) ** 2 < 1600

    value = METRICS[code].function(output, reference, data_range=255, region=region)

    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False} if gaussian else {}
    _, values = structural_similarity(output, reference, data_range=255, channel_axis=-1, full=True, **settings)
    half = window // 2
    assert value == pytest.approx(values[half:-half, half:-half][whole_windows(region, window)].mean(), abs=1e-10)


@pytest.mark.parametrize("code", ["psnr", "mae", "ssim"])
def test_an_empty_region_is_a_reason_on_either_side(code):
    reference, output, _ = edited_region()
    for region, side in ((np.zeros((96, 128), bool), "inside"), (np.ones((96, 128), bool), "outside")):
        with pytest.raises(UndefinedMetricError) as caught:
            METRICS[code].function(output, reference, data_range=255, region=region, side=side)

        assert caught.value.reason == "empty_region"


def test_a_region_without_a_whole_window_is_a_reason():
    reference, output, _ = edited_region()
    region = np.zeros((96, 128), bool)
    region[10:16, 10:40] = True

    with pytest.raises(UndefinedMetricError, match="7 x 7") as caught:
        METRICS["ssim"].function(output, reference, data_range=255, region=region)

    assert caught.value.reason == "region_smaller_than_window"


def test_a_region_of_another_size_is_a_reason():
    reference, output, _ = edited_region()

    with pytest.raises(UndefinedMetricError, match=r"95 x 128.*96 x 128") as caught:
        METRICS["mae"].function(output, reference, data_range=255, region=np.ones((95, 128), bool))

    assert caught.value.reason == "geometry_mismatch"


def test_an_unknown_side_is_a_mistake_of_the_caller():
    reference, output, region = edited_region()

    with pytest.raises(ValueError, match="neither 'inside' nor 'outside'"):
        METRICS["mae"].function(output, reference, data_range=255, region=region, side="around")


def _phantom_rows() -> dict[tuple[str, str, str], float | str]:
    reference, candidates, region = nodule_phantom()
    pairs = [
        compare(name, output=Picture(pixels, 255.0), reference=Picture(reference, 255.0), region=region)
        for name, pixels in candidates.items()
    ]
    rows = evaluate([METRICS["ssim"], METRICS["psnr"]], pairs)
    return {(row.key, row.metric, row.region): row.value if row.reason is None else row.reason for row in rows}


def test_the_phantom_has_the_published_numbers_and_order():
    rows = _phantom_rows()

    for name, (ssim, psnr, ssim_inside, psnr_inside, psnr_outside) in PHANTOM.items():
        assert rows[name, "ssim", "whole"] == pytest.approx(ssim, abs=5e-5)
        assert rows[name, "psnr", "whole"] == pytest.approx(psnr, abs=5e-3)
        assert rows[name, "ssim", "roi"] == pytest.approx(ssim_inside, abs=5e-5)
        assert rows[name, "psnr", "roi"] == pytest.approx(psnr_inside, abs=5e-3)
        outside = rows[name, "psnr", "outside"]
        assert outside == ("identical" if psnr_outside is None else pytest.approx(psnr_outside, abs=5e-3))
    ranked = {region: sorted(PHANTOM, key=lambda name: -rows[name, "ssim", region]) for region in ("whole", "roi")}
    assert ranked["whole"] == ["missed", "bright", "shift", "mirror"]
    assert ranked["roi"] == ["bright", "shift", "missed", "mirror"]


def test_settings_change_the_phantoms_number():
    reference, candidates, _ = nodule_phantom()
    bright = candidates["bright"]
    span = int(reference.max()) - int(reference.min())

    assert METRICS["ssim"].function(bright, reference, data_range=255) == pytest.approx(0.9967, abs=5e-5)
    assert METRICS["ssim_gaussian"].function(bright, reference, data_range=255) == pytest.approx(0.9968, abs=5e-5)
    assert METRICS["ssim"].function(bright, reference, data_range=span) == pytest.approx(0.9962, abs=5e-5)


def test_a_mirrored_output_is_suspected():
    reference, candidates, _ = nodule_phantom()
    pairs = [
        compare(name, output=Picture(pixels, 255.0), reference=Picture(reference, 255.0))
        for name, pixels in candidates.items()
    ]

    rows = {row.key: row.flags for row in evaluate([METRICS["ssim"]], pairs)}

    assert [name for name, flags in rows.items() if "mirror_suspected" in flags] == ["mirror"]
