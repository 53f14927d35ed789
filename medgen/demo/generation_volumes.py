"""Generation items between two and three dimensions: G05 to G08."""

import gzip
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medgen.demo.editing_form import apply_window
from medgen.demo.editing_signal import box_around
from medgen.demo.pictures import (
    Field,
    Mask,
    Picture,
    brighten,
    grow,
    inpaint,
    load_gray,
    load_rgb,
    relief,
    to_uint8,
)
from medgen.demo.records import DemoItem, Original, Output

BRAIN_SLICES = slice(2, 11)  # the slices that hold the lesions and two more
BRAIN_WHITE = 1500.0  # signal shown as white


def load_volume(path: Path) -> Field:
    """Values of a NIfTI file, shape (columns, rows, slices) in file order."""
    volume: Any = nibabel.load(path)
    return np.asarray(volume.dataobj, dtype=np.float64)


def brain_volume(samples: Path) -> Original:
    """The part of the head volume that the demo shows, as a NIfTI file with its place in space kept."""
    source: Any = nibabel.load(samples / "volumes/brain_t1gd_lesions.nii.gz")
    part = source.slicer[..., BRAIN_SLICES]
    return Original(gzip.compress(part.to_bytes(), 9, mtime=0), ".nii.gz")


def picture_of(plane: NDArray[Any]) -> NDArray[Any]:
    """A slice of the head volume as seen on screen: rows downward, anterior up."""
    return np.ascontiguousarray(plane.T[::-1])


def head_mask(volume: NDArray[Any], erosion: int) -> Mask:
    """Inside of the head, slice by slice, without skin and skull."""
    inside = np.zeros(volume.shape, dtype=bool)
    for index in range(volume.shape[2]):
        filled = ndimage.binary_fill_holes(ndimage.binary_opening(volume[..., index] > 150, iterations=2))
        inside[..., index] = ndimage.binary_erosion(filled, iterations=erosion)
    return inside


def without_lesions(volume: NDArray[Any], label: Mask, low: float, high: float, margin: int) -> Field:
    """The volume with the labeled voxels filled in from their slice, at 8 bits between low and high."""
    healed = volume.astype(np.float64)
    for index in np.flatnonzero(label.any(axis=(0, 1))):
        plane = to_uint8(255 * (volume[..., index] - low) / (high - low))
        region = grow(label[..., index], margin)
        filled = inpaint(plane, region, 5).astype(np.float64) / 255 * (high - low) + low
        healed[..., index] = np.where(region, filled, volume[..., index])
    return healed


def two_brightest(stack: NDArray[Any]) -> Field:
    return np.asarray(np.sort(stack, axis=2)[..., -2:].mean(axis=2))


def projected_brain(samples: Path) -> DemoItem:
    volume = load_volume(samples / "volumes/brain_t1gd_lesions.nii.gz")
    label = load_volume(samples / "masks/brain_t1gd_lesions_mask.nii.gz") > 0
    inside = head_mask(volume, 18)

    def show(plane: NDArray[Any]) -> Picture:
        return picture_of(to_uint8(255 * plane / BRAIN_WHITE))

    stack = np.where(inside, volume, 0)[..., BRAIN_SLICES]
    healed = np.where(inside, without_lesions(volume, label, 0, 3060, 3), 0)[..., BRAIN_SLICES]
    lesions = picture_of(np.asarray(label.any(axis=2)))
    return DemoItem(
        code="G05",
        paper_format="MultimodalGeneration",
        task="3d-to-2d-projection",
        modality="MRI",
        case="brain-mr-1",
        instruction="Make an axial maximum-intensity projection of the brain and name the bright focal lesions.",
        inputs=[brain_volume(samples)],
        reference=show(stack.max(axis=2)),
        answer="Enhancing lesions in the left hemisphere.",
        synthetic=True,
        synopsis="Input: contrast-enhanced head volume of 9 slices. Reference: maximum-intensity projection inside "
        "the skull.",
        why="A projection that loses the lesions looks perfect.",
        outputs={
            "A": Output("Enhancing foci in the left hemisphere.", show(two_brightest(stack) * 1.06)),
            "B": Output("Brain projection.", show(stack.mean(axis=2))),
            "C": Output("No focal enhancement.", show(healed.max(axis=2))),
        },
        box=box_around(lesions, 3),
    )


def projected_lung(samples: Path) -> DemoItem:
    path = samples / "volumes/chest_ct_nodule_crop.nii.gz"
    volume = load_volume(path)
    label = load_volume(samples / "masks/chest_ct_nodule_crop_mask.nii.gz") > 0
    healed = without_lesions(volume, label, -1024, 1500, 6)

    def show(plane: NDArray[Any]) -> Picture:
        return np.ascontiguousarray(apply_window(plane, -600, 1500).T)

    return DemoItem(
        code="G06",
        paper_format="MultimodalGeneration",
        task="3d-to-2d-projection",
        modality="CT",
        case="chest-ct-1",
        instruction="Project the slab to one picture in a lung window and describe focal opacities.",
        inputs=[Original(path.read_bytes(), ".nii.gz")],
        reference=show(volume.max(axis=2)),
        answer="One nodule in the medial right lung beside normal vessels.",
        synthetic=True,
        synopsis="Input: seven CT slices around the nodule. Reference: maximum-intensity projection, lung window.",
        why="A nodule among vessels: the classic use of a slab projection.",
        outputs={
            "A": Output("Nodule in the right lung.", brighten(show(two_brightest(volume)), 4)),
            "B": Output("Lungs.", show(volume.mean(axis=2))),
            "C": Output("No nodule.", show(healed.max(axis=2))),
        },
        box=box_around(np.asarray(label.any(axis=2)).T, 4),
    )


def surface_height(volume: NDArray[Any]) -> Field:
    """Height of the skin above the lowest slice, in slices, seen from the vertex; 0 outside the head."""
    fine = ndimage.zoom(ndimage.gaussian_filter(volume.astype(np.float64), (1.5, 1.5, 0.6)), (1, 1, 6), order=1)
    levels = np.arange(1, fine.shape[2] + 1)
    height = np.where(fine > 200, levels, 0).max(axis=2) / 6
    return np.asarray(picture_of(ndimage.gaussian_filter(height, 2.0)))


def surface(height: Field, azimuth: float) -> Picture:
    """Shaded skin on a black background."""
    return to_uint8(relief(height, azimuth, 50, depth=3.0) * np.clip(height / 1.5, 0, 1))


def head_from_above(samples: Path) -> DemoItem:
    volume = load_volume(samples / "volumes/brain_t1gd_lesions.nii.gz")
    height = surface_height(volume)
    blocks = np.repeat(np.repeat(height[4::16, 4::16], 16, axis=0), 16, axis=1)
    return DemoItem(
        code="G07",
        paper_format="MultimodalGeneration",
        task="2d-to-3d-reconstruction",
        modality="MRI",
        case="brain-mr-1",
        instruction="Give a 3D impression of the head seen from above and say which side the lesions are on.",
        inputs=[load_gray(samples / "mri/demo_brain_t1gd_lesion_a.png")],
        reference=surface(height, 225),
        answer="Surface from above; lesions are inside, left hemisphere, not visible on the surface.",
        synthetic=True,
        synopsis="Input: one slice. Reference: shaded skin surface of the whole volume seen from the vertex; the "
        "face is not part of the volume.",
        why="A form that no system can know from one slice.",
        outputs={
            "A": Output("Lesions on the left.", surface(height, 205)),
            "B": Output("3D head.", surface(ndimage.gaussian_filter(blocks, 1.0), 225)),
            "C": Output(picture_error="Generation Error: timeout"),
        },
    )


def relief_heart(samples: Path) -> DemoItem:
    frame = load_rgb(samples / "ultrasound/demo_echo_frame.png")
    brightness = frame.mean(axis=2)

    def shade(sigma: float, azimuth: float) -> Picture:
        height = ndimage.gaussian_filter(brightness, sigma)
        return to_uint8(relief(height, azimuth, 45, 0.12) / 255 * 1.7 * height)

    return DemoItem(
        code="G08",
        paper_format="MultimodalGeneration",
        task="2d-to-3d-reconstruction",
        modality="Ultrasound",
        case="echo-us-1",
        instruction="Render a relief impression of the heart walls and describe what can and cannot be concluded.",
        inputs=[frame],
        reference=shade(1.0, 225),
        answer="Relief of wall brightness; no volumes or ejection fraction can be derived.",
        synthetic=True,
        synopsis="Reference: brightness shown as height, not an observed surface.",
        why="Invites a measurement that the picture does not carry.",
        outputs={
            "A": Output("Impression only, no measurements possible.", shade(1.4, 60)),
            "B": Output("Heart in 3D.", shade(6.0, 225)),
            "C": Output("3D reconstruction shows ejection fraction 35 %.", frame, resaved=True),
        },
    )


def items(samples: Path) -> list[DemoItem]:
    return [make(samples) for make in (projected_brain, projected_lung, head_from_above, relief_heart)]
