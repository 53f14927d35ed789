"""Operations on 8-bit pictures from which the demo's inputs, references and outputs are made.

Pictures are numpy arrays of dtype uint8, shape (rows, columns) for gray or (rows, columns, 3) for RGB. Points are
(x, y) = (column, row), radii and margins are pixels. Random numbers come from `default_rng` with the seed given.
OpenCV does the inpainting, non-local means and CLAHE; it is needed for rebuilding only.
"""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Field = NDArray[np.float64]

cv2: Any
try:
    cv2 = importlib.import_module("cv2")
except ModuleNotFoundError as error:
    raise SystemExit("Rebuilding the demo's files needs OpenCV: pip install -r requirements/demo.txt") from error


@dataclass(frozen=True)
class Disc:
    """A round region: center column, center row and radius in pixels."""

    x: float
    y: float
    r: float

    def mask(self, shape: tuple[int, ...]) -> Mask:
        return self.distance(shape) <= self.r

    def distance(self, shape: tuple[int, ...]) -> Field:
        rows, columns = np.mgrid[: shape[0], : shape[1]]
        return np.asarray(np.hypot(columns - self.x, rows - self.y), dtype=np.float64)


def load_gray(path: Path) -> Picture:
    return np.asarray(Image.open(path).convert("L"))


def load_tile(path: Path, start: int = 64) -> Picture:
    """A part of 352 x 352 pixels of a pathology tile, as RGB."""
    return np.ascontiguousarray(load_rgb(path)[start : start + 352, start : start + 352])


def load_rgb(path: Path, size: tuple[int, int] | None = None) -> Picture:
    """A file as RGB without alpha, resized with Lanczos to (columns, rows) when a size is given."""
    picture: Image.Image = Image.open(path)
    if picture.mode == "RGBA":
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    picture = picture.convert("RGB")
    return np.asarray(picture if size is None else picture.resize(size, Image.Resampling.LANCZOS))


def load_mask(path: Path, size: tuple[int, int] | None = None) -> Mask:
    picture = Image.open(path).convert("L")
    if size is not None:
        picture = picture.resize(size, Image.Resampling.NEAREST)
    return np.asarray(picture) > 127


def to_uint8(values: NDArray[Any]) -> Picture:
    """Round half to even and clip to 0…255."""
    return np.asarray(np.clip(np.rint(values), 0, 255), dtype=np.uint8)


def as_rgb(picture: Picture) -> Picture:
    return np.repeat(picture[..., None], 3, axis=2) if picture.ndim == 2 else picture.copy()


def resize(picture: Picture, size: tuple[int, int], method: Image.Resampling) -> Picture:
    return np.asarray(Image.fromarray(picture).resize(size, method))


def brighten(picture: Picture, levels: float) -> Picture:
    return to_uint8(picture.astype(np.float64) + levels)


def stretch(picture: Picture, low: float, high: float, gamma: float = 1.0) -> Picture:
    """Map the percentiles low and high to 0 and 255, then apply the power gamma."""
    bottom, top = np.percentile(picture, [low, high])
    unit = np.clip((picture.astype(np.float64) - bottom) / (top - bottom), 0, 1)
    return to_uint8(255 * unit**gamma)


def power(picture: Picture, gamma: float) -> Picture:
    return to_uint8(255 * (picture / 255.0) ** gamma)


def clahe(picture: Picture, clip: float) -> Picture:
    return np.asarray(cv2.createCLAHE(clipLimit=clip, tileGridSize=(8, 8)).apply(picture), dtype=np.uint8)


def blur(picture: Picture, sigma: float) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), dtype=np.uint8)


def box_blur(picture: Picture, size: int) -> Picture:
    return np.asarray(cv2.blur(picture, (size, size)), dtype=np.uint8)


def median(picture: Picture, size: int) -> Picture:
    return np.asarray(cv2.medianBlur(picture, size), dtype=np.uint8)


def nonlocal_means(picture: Picture, strength: float) -> Picture:
    if picture.ndim == 2:
        return np.asarray(cv2.fastNlMeansDenoising(picture, None, strength, 7, 21), dtype=np.uint8)
    return np.asarray(cv2.fastNlMeansDenoisingColored(picture, None, strength, strength, 7, 21), dtype=np.uint8)


def gaussian_noise(picture: Picture, sigma: float, seed: int) -> Picture:
    noise = np.random.default_rng(seed).normal(0, sigma, picture.shape)
    return to_uint8(picture + noise)


def rician_noise(picture: Picture, sigma: float, seeds: tuple[int, int]) -> Picture:
    """Magnitude of a complex signal with Gaussian noise in both channels."""
    real, imaginary = (np.random.default_rng(seed).normal(0, sigma, picture.shape) for seed in seeds)
    return to_uint8(np.hypot(picture + real, imaginary))


def speckle(picture: Picture, strength: float, seed: int) -> Picture:
    """Multiplicative noise, the same for all channels of a pixel."""
    noise = np.random.default_rng(seed).normal(0, 1, picture.shape[:2])
    factor = 1 + strength * noise
    return to_uint8(picture * (factor if picture.ndim == 2 else factor[..., None]))


def grow(mask: Mask, pixels: int) -> Mask:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1, 2 * pixels + 1))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel) > 0)


def inpaint(picture: Picture, mask: Mask, radius: float = 5, *, navier_stokes: bool = False) -> Picture:
    """Fill the mask from its surroundings (Telea's method unless said otherwise)."""
    method = cv2.INPAINT_NS if navier_stokes else cv2.INPAINT_TELEA
    return np.asarray(cv2.inpaint(picture, mask.astype(np.uint8) * 255, radius, method), dtype=np.uint8)


def feather(mask: Mask, sigma: float) -> Field:
    """The mask as weights 0…1 with an edge softened by a Gaussian of sigma pixels."""
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float64), (0, 0), sigma), dtype=np.float64)


def blend(base: Picture, patch: NDArray[Any], weights: Field) -> Picture:
    """Patch over base where weights are 1."""
    factor = weights if base.ndim == 2 else weights[..., None]
    return to_uint8(base * (1 - factor) + patch * factor)


def fill(picture: Picture, mask: Mask, *, sigma: float, seed: int, radius: float = 5) -> Picture:
    """Inpaint a large region and give it back the grain of the picture, so that the patch does not look ironed.

    Args:
        picture: gray or RGB picture.
        mask: region to fill.
        sigma: standard deviation of the grain in gray levels.
        seed: seed of the grain.
        radius: radius of the inpainting neighborhood.
    """
    smooth = blend(picture, blur(inpaint(picture, mask, radius), 4), feather(mask, 1.5))
    grain = np.random.default_rng(seed).normal(0, sigma, picture.shape[:2])
    grain = cv2.GaussianBlur(grain, (0, 0), 0.8) * feather(mask, 1.0)
    return to_uint8(smooth + (grain if picture.ndim == 2 else grain[..., None]))


def spot(shape: tuple[int, ...], x: float, y: float, sigma: float) -> Field:
    """A Gaussian bump of height 1."""
    return np.exp(-(Disc(x, y, 0).distance(shape) ** 2) / (2 * sigma**2))


def ellipse_mask(shape: tuple[int, ...], center: tuple[float, float], axes: tuple[float, float]) -> Mask:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    inside = ((columns - center[0]) / axes[0]) ** 2 + ((rows - center[1]) / axes[1]) ** 2 <= 1
    return np.asarray(inside)


def outline(picture: Picture, mask: Mask, color: tuple[int, int, int], thickness: int = 2) -> Picture:
    """The picture in RGB with the border of the mask drawn in a color."""
    drawn = as_rgb(picture)
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(drawn, contours, -1, color, thickness)
    return drawn


def arrow(picture: Picture, start: tuple[int, int], end: tuple[int, int], color: tuple[int, int, int]) -> Picture:
    drawn = as_rgb(picture)
    cv2.arrowedLine(drawn, start, end, color, 3, cv2.LINE_AA, 0, 0.25)
    return drawn


def magnify(picture: Picture, center: tuple[float, float], factor: float, reach: float) -> Picture:
    """Enlarge (factor > 1) or shrink what lies at a center; the change fades out smoothly at the reach.

    Args:
        picture: gray or RGB picture.
        center: (x, y) of the point that stays in place.
        factor: magnification at the center.
        reach: distance in pixels beyond which nothing moves.
    """
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float64)
    distance = np.hypot(columns - center[0], rows - center[1]) / reach
    weight = np.clip(1 - distance**2, 0, 1) ** 2
    scale = 1 + weight * (1 / factor - 1)
    source_x = (center[0] + (columns - center[0]) * scale).astype(np.float32)
    source_y = (center[1] + (rows - center[1]) * scale).astype(np.float32)
    moved = cv2.remap(picture, source_x, source_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(moved, dtype=np.uint8)


def relief(height: Field, azimuth: float, elevation: float = 45.0, depth: float = 1.0) -> Picture:
    """Lambert shading of a height field under one light (angles in degrees, azimuth clockwise from the right)."""
    slope_y, slope_x = np.gradient(height * depth)
    norm = np.sqrt(slope_x**2 + slope_y**2 + 1)
    turn, lift = np.deg2rad(azimuth), np.deg2rad(elevation)
    light = (np.cos(lift) * np.cos(turn), np.cos(lift) * np.sin(turn), np.sin(lift))
    shade = (-slope_x * light[0] - slope_y * light[1] + light[2]) / norm
    return to_uint8(255 * np.clip(shade, 0, 1))
