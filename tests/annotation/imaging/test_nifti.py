"""NIfTI: geometry against nibabel, values in file order, and headers that lie."""

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest

from annotation.imaging.image import ImageError
from annotation.imaging.limits import Limits
from annotation.imaging.reading import read_image
from tests import images

VOLUME = np.random.default_rng(5).integers(-1000, 3000, (5, 7, 3)).astype(np.int16)


def saved(tmp_path: Path, data: bytes, *, name: str = "a.nii") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


def refused(path: Path, **options) -> ImageError:
    with pytest.raises(ImageError) as caught:
        read_image(path, **options)
    return caught.value


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["u1", "i2", "u2", "i4", "f4", "f8"])
def test_values_come_out_in_file_order_in_either_byte_order(order, kind, tmp_path: Path):
    voxels = np.abs(VOLUME).astype(kind) % 200

    image = read_image(saved(tmp_path, images.nifti(voxels, order=order, spacing=(0.5, 0.7, 3.0))))

    assert np.array_equal(image.pixels, voxels.transpose(2, 1, 0))
    assert image.pixels.dtype == np.dtype(kind)
    assert (image.spacing_mm, image.slice_mm) == (pytest.approx((0.7, 0.5)), 3.0)
    assert (image.data_range is None) == (kind[0] == "f")
    assert image.kind == "volume"


@pytest.mark.parametrize(("slope", "intercept", "integral"), [(1, -1024, True), (2, 10, True), (0.25, 1.5, False)])
def test_scaled_values_agree_with_nibabel(slope, intercept, integral, tmp_path: Path):
    path = saved(tmp_path, images.nifti(VOLUME, slope=slope, intercept=intercept))

    image = read_image(path)

    expected = np.asarray(nibabel.load(path).dataobj).transpose(2, 1, 0)
    assert np.allclose(image.pixels, expected, rtol=1e-6)
    assert (image.pixels.dtype.kind == "i") == integral
    assert image.data_range == (-32768 * slope + intercept, 32767 * slope + intercept)


def test_a_slope_of_zero_means_no_scaling_and_nan_is_said(tmp_path: Path):
    zero = read_image(saved(tmp_path, images.nifti(VOLUME, slope=0.0, intercept=5.0)))
    undefined = read_image(saved(tmp_path, images.nifti(VOLUME, slope=float("nan"))))

    assert np.array_equal(zero.pixels, VOLUME.transpose(2, 1, 0))
    assert np.array_equal(undefined.pixels, VOLUME.transpose(2, 1, 0))
    assert undefined.flags == ("scaling_undefined",)


def test_four_dimensions_are_slices_within_volumes(tmp_path: Path):
    voxels = np.arange(2 * 3 * 4 * 5, dtype=np.int16).reshape(2, 3, 4, 5)

    image = read_image(saved(tmp_path, images.nifti(voxels)))

    assert image.pixels.shape == (20, 3, 2)
    assert np.array_equal(image.pixels[4 + 1], voxels[:, :, 1, 1].T)
    assert "four_dimensional" in image.flags


@pytest.mark.parametrize("seed", range(5))
def test_axis_codes_agree_with_nibabel(seed, tmp_path: Path):
    generator = np.random.default_rng(seed)
    axes = np.eye(3)[generator.permutation(3)] * generator.choice([-1, 1], 3) * [0.7, 0.8, 2.0]
    affine = np.eye(4)
    affine[:3, :3] = axes + generator.normal(0, 0.05, (3, 3))
    nibabel.save(nibabel.Nifti1Image(VOLUME, affine), tmp_path / "a.nii.gz")

    image = read_image(tmp_path / "a.nii.gz")

    assert image.orientation == nibabel.aff2axcodes(affine)


def test_a_quaternion_alone_gives_the_orientation(tmp_path: Path):
    affine = np.array([[0, -2.0, 0, 9], [0, 0, 3.0, 8], [-1.0, 0, 0, 7], [0, 0, 0, 1]])
    volume = nibabel.Nifti1Image(VOLUME, None)
    volume.set_qform(affine, code=1)
    volume.set_sform(None, code=0)
    nibabel.save(volume, tmp_path / "a.nii")

    assert read_image(tmp_path / "a.nii").orientation == nibabel.aff2axcodes(affine)


def test_version_2_is_read(tmp_path: Path):
    nibabel.save(nibabel.Nifti2Image(VOLUME, np.diag([-2.0, 2, 2, 1])), tmp_path / "a.nii.gz")

    image = read_image(tmp_path / "a.nii.gz")

    assert np.array_equal(image.pixels, VOLUME.transpose(2, 1, 0))
    assert image.orientation == ("L", "A", "S")
    assert image.spacing_mm == (2, 2)


@pytest.mark.parametrize(
    ("fields", "reason", "words"),
    [
        ({"dim": [3, 32767, 32767, 32767, 1, 1, 1, 1]}, "too_large", "Mpx"),
        ({"dim": [3, 512, 512, 4000, 1, 1, 1, 1]}, "too_large", "MiB"),
        ({"dim": [3, 50, 50, 50, 1, 1, 1, 1]}, "truncated", "bytes before its header says"),
        ({"dim": [3, -5, 7, 3, 1, 1, 1, 1]}, "bad_header", "not all positive"),
        ({"dim": [300, 5, 7, 3, 1, 1, 1, 1]}, "bad_header", "300 dimensions"),
        ({"dim": [5, 5, 7, 3, 1, 2, 1, 1]}, "unsupported_pixels", "more than four"),
        ({"vox_offset": 100}, "bad_header", "vox_offset 100"),
        ({"datatype": 32}, "unsupported_pixels", "voxels are complex"),
        ({"datatype": 128}, "unsupported_pixels", "voxels are RGB"),
        ({"datatype": 999}, "unsupported_pixels", "code 999"),
        ({"slope": float("inf")}, "bad_header", "infinite"),
    ],
)
def test_a_header_that_lies_is_refused(fields, reason, words, tmp_path: Path):
    error = refused(saved(tmp_path, images.nifti(VOLUME, **fields)))

    assert (error.reason, words in str(error)) == (reason, True)


def test_a_compressed_bomb_is_refused_from_its_header_or_while_it_inflates(tmp_path: Path):
    honest = images.nifti(np.zeros((1, 1, 1), np.int16), dim=[3, 1024, 1024, 1000, 1, 1, 1, 1])
    lying = images.nifti(VOLUME)
    zeros = b"\0" * (100 << 20)

    first = saved(tmp_path, gzip.compress(honest + zeros, 9), name="honest.nii.gz")
    second = saved(tmp_path, gzip.compress(lying + zeros, 9), name="lying.nii.gz")

    assert second.stat().st_size < 200_000
    assert refused(first).reason == "too_large"
    assert str(refused(second)) == "the file holds more data than its header says"


def test_a_cut_or_damaged_stream_is_refused(tmp_path: Path):
    whole = gzip.compress(images.nifti(np.random.default_rng(1).integers(0, 9, (30, 30, 9)).astype(np.int16)))
    damaged = bytearray(whole)
    damaged[len(whole) // 2 :] = bytes(len(whole) - len(whole) // 2)

    assert refused(saved(tmp_path, whole[: len(whole) // 2], name="a.nii.gz")).reason == "truncated"
    assert refused(saved(tmp_path, bytes(damaged), name="b.nii.gz")).reason in ("corrupt", "truncated")
    assert refused(saved(tmp_path, gzip.compress(b"hello" * 99), name="c.gz")).reason == "not_an_image"


def test_the_number_of_slices_is_limited(tmp_path: Path):
    path = saved(tmp_path, images.nifti(VOLUME))

    assert refused(path, limits=Limits(frames=2)).reason == "too_many_frames"
