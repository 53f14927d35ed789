"""PNG, JPEG, TIFF and WebP: the picture as a viewer should show it, with every bit, or a reason."""

import io
import os
import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import PIL.Image
import PIL.ImageCms
import pytest

from annotation.imaging.image import ImageError
from annotation.imaging.limits import Limits
from annotation.imaging.reading import read_image
from tests import images

GRAY = images.texture(top=255, dtype="uint8")
COLOR = images.photograph()


def refused(path: Path, **options) -> ImageError:
    with pytest.raises(ImageError) as caught:
        read_image(path, **options)
    return caught.value


def with_exif_orientation(path: Path, pixels: np.ndarray, turn: int, **options) -> Path:
    exif = PIL.Image.Exif()
    exif[0x0112] = turn
    return images.save_png(path, pixels, exif=exif, **options)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
@pytest.mark.parametrize("pixels", [GRAY, COLOR], ids=["gray", "color"])
def test_eight_bit_pixels_come_out_as_they_went_in(suffix, pixels, tmp_path: Path):
    if suffix == ".webp":
        pixels = pixels if pixels.ndim == 3 else np.stack([pixels] * 3, axis=-1)
    options = {"lossless": True} if suffix == ".webp" else {}

    image = read_image(images.save_png(tmp_path / f"a{suffix}", pixels, **options))

    assert np.array_equal(image.pixels[0], pixels)
    assert (image.unit, image.bits, image.data_range) == ("rgb" if pixels.ndim == 3 else "gray", 8, (0, 255))
    assert (image.window, image.flags) == (None, ())


def test_a_name_says_nothing_about_the_content(tmp_path: Path):
    path = images.save_png(tmp_path / "a.png", GRAY).rename(tmp_path / "a.dcm")

    assert np.array_equal(read_image(path).pixels[0], GRAY)


def test_all_4096_levels_of_a_sixteen_bit_ramp_survive(tmp_path: Path):
    ramp = images.ramp(64, 64, top=4095)

    image = read_image(images.save_png(tmp_path / "a.png", ramp))

    assert np.array_equal(image.pixels[0], ramp)
    assert len(np.unique(image.pixels)) == 4096
    assert (image.bits, image.data_range) == (16, (0, 65535))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bit_color_keeps_its_low_bytes(suffix, tmp_path: Path):
    deep = np.stack([images.texture(top=65535, seed=seed) for seed in range(3)], axis=-1)
    encode = imagecodecs.png_encode if suffix == ".png" else _tiff_color
    path = tmp_path / f"a{suffix}"
    path.write_bytes(encode(deep))

    image = read_image(path)

    assert np.array_equal(image.pixels[0], deep)
    assert (image.bits, image.unit) == (16, "rgb")


def _tiff_color(pixels: np.ndarray) -> bytes:
    """A little-endian TIFF with three 16-bit samples a pixel, one strip."""
    rows, columns = pixels.shape[:2]
    data = pixels.astype("<u2").tobytes()
    entries = [
        (256, 3, 1, columns), (257, 3, 1, rows), (258, 3, 3, 8 + 2 + 10 * 12 + 4), (259, 3, 1, 1), (262, 3, 1, 2),
        (273, 4, 1, 8 + 2 + 10 * 12 + 4 + 6), (277, 3, 1, 3), (278, 3, 1, rows), (279, 4, 1, len(data)),
        (284, 3, 1, 1),
    ]  # fmt: skip
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<I", 8) + directory + b"\0" * 4 + struct.pack("<3H", 16, 16, 16) + data


@pytest.mark.parametrize("kind", ["int32", "float32"])
def test_deep_tiff_samples_keep_their_values(kind, tmp_path: Path):
    pixels = images.texture().astype(kind) * 20 - 5000

    image = read_image(images.save_png(tmp_path / "a.tif", pixels))

    assert np.array_equal(image.pixels[0], pixels)
    assert image.unit == "signal"
    assert image.data_range == (None if kind == "float32" else (-(2.0**31), 2.0**31 - 1))


def test_white_is_zero_in_sixteen_bit_tiff_is_turned(tmp_path: Path):
    pixels = images.texture(top=65535)
    raw = bytearray(images.tiff_bytes(pixels))
    at = raw.index(struct.pack("<HHI", 262, 3, 1))
    struct.pack_into("<H", raw, at + 8, 0)
    path = tmp_path / "a.tif"
    path.write_bytes(raw)

    assert np.array_equal(read_image(path).pixels[0], 65535 - pixels)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_orientation_is_applied_as_a_viewer_does(turn, suffix, tmp_path: Path):
    corners = np.zeros((24, 40, 3), np.uint8)
    corners[:12, :20], corners[:12, 20:], corners[12:, :20] = (250, 0, 0), (0, 250, 0), (0, 0, 250)
    seen = {
        1: corners, 2: corners[:, ::-1], 3: corners[::-1, ::-1], 4: corners[::-1],
        5: corners.swapaxes(0, 1), 6: corners.swapaxes(0, 1)[:, ::-1],
        7: corners.swapaxes(0, 1)[::-1, ::-1], 8: corners.swapaxes(0, 1)[::-1],
    }[turn]  # fmt: skip
    options = {".webp": {"lossless": True}, ".jpg": {"quality": 95, "subsampling": 0}}.get(suffix, {})

    image = read_image(with_exif_orientation(tmp_path / f"a{suffix}", corners, turn, **options))

    assert image.pixels[0].shape == seen.shape
    assert np.abs(image.pixels[0].astype(int) - seen).max() <= (12 if suffix == ".jpg" else 0)
    assert ("oriented" in image.flags) == (turn != 1)


def test_sixteen_bit_gray_is_oriented_too(tmp_path: Path):
    pixels = images.texture(20, 30)

    image = read_image(with_exif_orientation(tmp_path / "a.png", pixels, 6))

    assert np.array_equal(image.pixels[0], np.rot90(pixels, -1))


def test_a_palette_is_expanded_to_its_colors(tmp_path: Path):
    picture = PIL.Image.fromarray(COLOR).quantize(16)
    picture.save(tmp_path / "a.png")

    image = read_image(tmp_path / "a.png")

    assert np.array_equal(image.pixels[0], np.asarray(picture.convert("RGB")))
    assert image.flags == ("palette",)


def test_one_bit_pictures_are_masks_of_zero_and_one(tmp_path: Path):
    mask = GRAY > 120

    image = read_image(images.save_png(tmp_path / "a.png", mask))

    assert np.array_equal(image.pixels[0], mask)
    assert (image.unit, image.bits, image.data_range) == ("fraction", 1, (0, 1))


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("depth", ["uint8", "uint16"])
def test_an_opaque_alpha_channel_is_dropped(channels, depth, tmp_path: Path):
    top = np.iinfo(depth).max
    planes = [images.texture(top=top, dtype=depth, seed=seed) for seed in range(channels - 1)]
    pixels = np.stack([*planes, np.full_like(planes[0], top)], axis=-1)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(pixels))

    image = read_image(tmp_path / "a.png")

    expected = pixels[..., 0] if channels == 2 else pixels[..., :3]
    assert np.array_equal(image.pixels[0], expected)


@pytest.mark.parametrize("depth", ["uint8", "uint16"])
def test_transparent_pixels_need_a_policy(depth, tmp_path: Path):
    top = np.iinfo(depth).max
    pixels = np.full((10, 20, 4), top, depth)
    pixels[:, :10, 3] = 0
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(pixels))

    error = refused(tmp_path / "a.png")
    over_black = read_image(tmp_path / "a.png", alpha="black")

    assert (error.reason, str(error)) == ("alpha", "50.0% of the pixels are transparent")
    assert over_black.pixels[0, :, :10].max() == 0
    assert over_black.pixels[0, :, 10:].min() == top
    assert "composited_black" in over_black.flags


@pytest.mark.parametrize("kind", ["animated webp", "animated png", "two-page tiff", "cmyk jpeg", "lab tiff"])
def test_pixels_that_are_neither_gray_nor_rgb_are_refused(kind, tmp_path: Path):
    picture, other = PIL.Image.fromarray(COLOR), PIL.Image.fromarray(COLOR[::-1].copy())
    path = tmp_path / "a"
    save = {
        "animated webp": lambda: picture.save(path, "WEBP", save_all=True, append_images=[other]),
        "animated png": lambda: picture.save(path, "PNG", save_all=True, append_images=[other]),
        "two-page tiff": lambda: picture.save(path, "TIFF", save_all=True, append_images=[other]),
        "cmyk jpeg": lambda: picture.convert("CMYK").save(path, "JPEG"),
        "lab tiff": lambda: PIL.Image.fromarray(COLOR, "LAB").save(path, "TIFF"),
    }[kind]
    save()

    assert refused(path).reason == "unsupported_pixels"


def test_colors_of_another_profile_become_srgb(tmp_path: Path):
    profile = _display_profile()
    path = images.save_png(tmp_path / "a.png", COLOR, icc_profile=profile)

    image = read_image(path)

    moved = np.abs(image.pixels[0].astype(int) - COLOR)
    assert image.flags == ("profile_converted",)
    assert moved.max() > 3


def test_the_srgb_profile_changes_nothing(tmp_path: Path):
    srgb = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()

    image = read_image(images.save_png(tmp_path / "a.png", COLOR, icc_profile=srgb))

    assert np.array_equal(image.pixels[0], COLOR)
    assert image.flags == ()


def test_gray_pictures_keep_their_values_whatever_their_profile(tmp_path: Path):
    image = read_image(images.save_png(tmp_path / "a.png", GRAY, icc_profile=_display_profile()))

    assert np.array_equal(image.pixels[0], GRAY)
    assert image.flags == ("profile_ignored",)


def _display_profile() -> bytes:
    """sRGB with red and green primaries exchanged: surely visible."""
    raw = bytearray(PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", raw, 128)[0]
    for index in range(count):
        at = 132 + 12 * index
        name = bytes(raw[at : at + 4])
        raw[at : at + 4] = {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ"}.get(name, name)
    return bytes(raw)


def test_bombs_are_refused_from_their_header(tmp_path: Path):
    huge = images.png_bomb(tmp_path / "huge.png", 30_000)
    large = images.png_bomb(tmp_path / "large.png", 12_000)

    assert huge.stat().st_size < 200_000
    assert refused(huge).reason == "too_large"
    assert refused(large).reason == "too_large"


def test_a_text_bomb_in_a_png_is_refused(tmp_path: Path):
    path = images.save_png(tmp_path / "a.png", GRAY)
    raw = path.read_bytes()
    bomb = images.png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"\0" * 80_000_000))
    path.write_bytes(raw[:33] + bomb + raw[33:])

    assert refused(path).reason == "too_large"


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_a_picture_cut_in_the_middle_is_refused(suffix, tmp_path: Path):
    path = images.save_png(tmp_path / f"a{suffix}", COLOR)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    assert refused(path).reason in ("truncated", "corrupt")


@pytest.mark.parametrize("kind", ["EPS", "PDF", "GIF", "BMP", "ICO"])
def test_other_formats_of_the_decoder_are_closed(kind, tmp_path: Path):
    PIL.Image.fromarray(COLOR).save(tmp_path / "a.png", kind)

    assert refused(tmp_path / "a.png").reason == "not_an_image"


def test_markup_is_not_an_image(tmp_path: Path):
    path = tmp_path / "a.png"
    path.write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")

    assert refused(path).reason == "not_an_image"


def test_what_is_not_a_file_is_refused(tmp_path: Path):
    (tmp_path / "empty.png").touch()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")

    assert refused(tmp_path / "empty.png").reason == "empty"
    assert refused(tmp_path).reason == "not_a_file"
    assert refused(tmp_path / "pipe").reason == "not_a_file"
    assert refused(tmp_path / "zero").reason == "not_a_file"
    assert refused(tmp_path / "absent").reason == "unreadable"


def test_the_limits_are_the_callers(tmp_path: Path):
    path = images.save_png(tmp_path / "a.png", GRAY)

    assert refused(path, limits=Limits(pixels=100)).reason == "too_large"
    assert refused(path, limits=Limits(file_bytes=100)).reason == "too_large"


def test_a_picture_read_twice_is_frozen_and_equal(tmp_path: Path):
    image = read_image(images.save_png(tmp_path / "a.png", GRAY))

    with pytest.raises(ValueError, match="read-only"):
        image.pixels[0, 0, 0] = 1
    with pytest.raises(AttributeError):
        image.unit = "HU"
    assert io.BytesIO(image.pixels.tobytes()).getvalue() == GRAY.tobytes()
