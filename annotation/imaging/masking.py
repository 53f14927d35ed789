"""Covering text in the pixels of a decoded picture: the same rectangles in every frame, before it is stored anew."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from annotation.imaging.image import Image
from annotation.imaging.reading import Source

MOST_RECTANGLES = 200

Array = npt.NDArray[Any]
Rectangle = tuple[int, int, int, int]
"""Left, top, width and height in pixels of the stored picture, counted from its top left corner."""


def rectangle_problems(rectangles: Iterable[Sequence[object]], *, rows: int, columns: int) -> list[str]:
    """What is wrong with rectangles for a picture of this size, a sentence each; empty when they can be used.

    Args:
        rectangles: (left, top, width, height) in pixels.
        rows: height of the picture.
        columns: width of the picture.
    """
    given = list(rectangles)
    if not given:
        return ["draw at least one rectangle"]
    if len(given) > MOST_RECTANGLES:
        return [f"{len(given)} rectangles; at most {MOST_RECTANGLES}"]
    found = []
    for number, one in enumerate(given, start=1):
        if len(one) != 4 or not all(type(part) is int for part in one):
            found.append(f"rectangle {number}: give left, top, width and height as whole pixels")
            continue
        left, top, width, height = (int(str(part)) for part in one)
        if width < 1 or height < 1 or left < 0 or top < 0 or left + width > columns or top + height > rows:
            found.append(f"rectangle {number}: {list(one)} is not inside the picture of {columns} x {rows} pixels")
    return found


def masked_source(source: Source, rectangles: Sequence[Rectangle]) -> Source:
    """The same file with the samples under the rectangles replaced, in every frame.

    Args:
        source: a decoded file.
        rectangles: inside the picture.

    Returns:
        A source whose stored samples and image agree. Color becomes black; gray takes the darkest shown value of
        its frame (the highest sample of MONOCHROME1, PS3.3 C.7.6.3.1.2), so no value comes in that was not there.

    Raises:
        ValueError: a rectangle is not inside the picture.
    """
    image = source.image
    problems = rectangle_problems(rectangles, rows=image.rows, columns=image.columns)
    if problems:
        raise ValueError("; ".join(problems))
    if source.dicom is not None:
        samples, pixels = _masked(source.dicom.samples, image, rectangles)
        return Source(dicom=replace(source.dicom, samples=samples, image=_with(image, pixels)))
    if source.nifti is not None:
        samples, pixels = _masked(source.nifti.samples.reshape(image.pixels.shape), image, rectangles)
        shaped = samples.reshape(source.nifti.samples.shape)
        return Source(nifti=replace(source.nifti, samples=shaped, image=_with(image, pixels)))
    assert source.raster is not None
    _, pixels = _masked(image.pixels, image, rectangles)
    return Source(raster=replace(source.raster, image=_with(image, pixels)))


def _with(image: Image, pixels: Array) -> Image:
    return replace(image, pixels=pixels)


def _masked(samples: Array, image: Image, rectangles: Sequence[Rectangle]) -> tuple[Array, Array]:
    """Copies of stored samples and of the image made of them, covered alike."""
    samples, pixels = samples.copy(), image.pixels.copy()
    for frame in range(image.frames):
        stored, shown = (0, 0) if image.channels == 3 else _dark(samples[frame], pixels[frame], image.inverted)
        for left, top, width, height in rectangles:
            samples[frame, top : top + height, left : left + width] = stored
            pixels[frame, top : top + height, left : left + width] = shown
    return samples, pixels


def _dark(samples: Array, pixels: Array, inverted: bool) -> tuple[Any, Any]:
    """The sample of a frame that is shown darkest, and its value; zeros for a frame without a finite value."""
    if pixels.dtype.kind == "f":
        if not np.isfinite(pixels).any():
            return 0, 0
        ends = np.where(np.isfinite(pixels), pixels, -np.inf if inverted else np.inf)
    else:
        ends = pixels
    place = np.unravel_index(ends.argmax() if inverted else ends.argmin(), ends.shape)
    return samples[place], pixels[place]
