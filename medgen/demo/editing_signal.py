"""Editing items that change contrast, noise or artifacts: E01 to E06 and E10."""

from pathlib import Path

import numpy as np

from medgen.demo.pictures import (
    Disc,
    Mask,
    Picture,
    blend,
    blur,
    box_blur,
    brighten,
    clahe,
    cv2,
    feather,
    fill,
    gaussian_noise,
    grow,
    inpaint,
    load_gray,
    load_mask,
    load_rgb,
    median,
    nonlocal_means,
    power,
    rician_noise,
    speckle,
    spot,
    stretch,
    to_uint8,
)
from medgen.demo.records import DemoItem, Output

DERMOSCOPY = (511, 384)


def faint_radiograph(samples: Path) -> DemoItem:
    reference = load_gray(samples / "radiograph/nih_cxr_no_finding.png")
    faint = to_uint8(128 + 0.4 * (reference.astype(np.float64) - 128) + 20)
    nodule = to_uint8(reference + 55 * spot(reference.shape, 395, 235, 6))
    return DemoItem(
        code="E01",
        paper_format="ImageEditing",
        task="contrast-enhancement",
        modality="Radiograph",
        case="nih-00027426",
        instruction="Stretch the contrast of this chest radiograph so that lung markings and both costophrenic "
        "angles can be judged. Do not change anything else.",
        inputs=[faint],
        reference=reference,
        subtask="Contrast Enhancement",
        synopsis="Input: the radiograph with contrast reduced to 40 %. Reference: the original. Data-set label: "
        "No Finding.",
        why="A normal film on which any new opacity is an invention.",
        outputs={
            "A": Output(picture=stretch(faint, 0.5, 99.5, 0.92)),
            "B": Output(picture=clahe(faint, 4)),
            "C": Output(picture=nodule),
        },
        box=(377, 217, 413, 253),
    )


def noisy_lung(samples: Path) -> DemoItem:
    rows, columns = slice(208, 464), slice(89, 345)
    reference = load_gray(samples / "ct/demo_lung_nodule_lungwindow.png")[rows, columns].copy()
    nodule = load_mask(samples / "masks/demo_lung_nodule_mask.png")[rows, columns]
    noisy = gaussian_noise(reference, 18, seed=2)
    return DemoItem(
        code="E02",
        paper_format="ImageEditing",
        task="noise-reconstruction",
        modality="CT",
        case="chest-ct-1",
        instruction="Remove the noise from this lung-window CT slice. Keep vessels and small opacities.",
        inputs=[noisy],
        reference=reference,
        synopsis="Input: the slice with Gaussian noise. Reference: the original slice with its labeled nodule in the "
        "right lung.",
        why="Small nodules are what a denoiser must not smooth away.",
        outputs={
            "A": Output(picture=brighten(nonlocal_means(noisy, 20), 8)),
            "B": Output(picture=blur(noisy, 2.5)),
            "C": Output(picture=inpaint(reference, grow(nodule, 6), 7)),
        },
        box=box_around(nodule, 6),
    )


def noisy_brain(samples: Path) -> DemoItem:
    reference = load_gray(samples / "mri/demo_brain_t1gd_lesion_b.png")
    lesion = load_mask(samples / "masks/demo_brain_t1gd_lesion_b_mask.png")
    noisy = rician_noise(reference, 14, seeds=(3, 33))
    return DemoItem(
        code="E03",
        paper_format="ImageEditing",
        task="noise-reconstruction",
        modality="MRI",
        case="brain-mr-1",
        instruction="Denoise this contrast-enhanced brain MR without losing enhancing structures.",
        inputs=[noisy],
        reference=reference,
        synopsis="Input: the slice with Rician noise. Reference: the original slice with one enhancing lesion in the "
        "left hemisphere.",
        why="An enhancing lesion that must survive denoising.",
        outputs={
            "A": Output(picture=nonlocal_means(noisy, 14)),
            "B": Output(picture=median(noisy, 7)),
            "C": Output(picture=inpaint(reference, grow(lesion, 3), 5)),
        },
        box=box_around(lesion, 3),
    )


def striped_abdomen(samples: Path) -> DemoItem:
    reference = load_gray(samples / "mri/demo_abdomen_liver.png")
    stripes = 7 * np.sin(2 * np.pi * np.arange(reference.shape[1]) / 8)[None, :]
    zipper = np.random.default_rng(4).normal(0, 70, (4, reference.shape[1]))
    spoiled = reference + stripes
    spoiled[148:152] += zipper
    damaged = to_uint8(spoiled)
    mended = damaged.astype(np.float64) - stripes
    for row in range(148, 152):
        weight = (row - 147) / 5
        mended[row] = (1 - weight) * mended[147] + weight * mended[152]
    focus = Disc(62, 157, 9)
    healthy = np.roll(reference, -20, axis=1)
    return DemoItem(
        code="E04",
        paper_format="ImageEditing",
        task="artifact-removal",
        modality="MRI",
        case="abdomen-mr-1",
        instruction="Remove the stripe and zipper artifact from this abdominal MR.",
        inputs=[damaged],
        reference=reference,
        synopsis="Input: the slice with added vertical stripes and a zipper of four rows. Reference: the original "
        "slice with a small ring-like focus at the lateral edge of the liver.",
        why="The zipper passes close to a small liver focus.",
        outputs={
            "A": Output(picture=to_uint8(mended + 6)),
            "B": Output(picture=box_blur(damaged, 9)),
            "C": Output(picture=blend(reference, healthy, feather(focus.mask(reference.shape), 1.5))),
        },
        box=(50, 145, 75, 170),
    )


def draw_hairs(picture: Picture, count: int, seed: int) -> Picture:
    """Dark curved lines two pixels wide across the picture."""
    generator = np.random.default_rng(seed)
    drawn = picture.copy()
    rows, columns = picture.shape[:2]
    steps = np.linspace(0, 1, 60)[:, None]
    for _ in range(count):
        start, bend, end = generator.uniform((0, 0), (columns, rows), (3, 2))
        end = start + (end - start) * 0.9
        points = (1 - steps) ** 2 * start + 2 * steps * (1 - steps) * bend + steps**2 * end
        shade = int(generator.integers(25, 50))
        color = (shade + 12, shade, shade - 8)
        cv2.polylines(drawn, [np.rint(points).astype(np.int32)], False, color, 2, cv2.LINE_AA)
    return drawn


def remove_hairs(picture: Picture) -> Picture:
    """Black-hat filter finds thin dark lines, inpainting fills them."""
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    hairs = cv2.morphologyEx(gray, cv2.MORPH_BLACKHAT, kernel) > 16
    return inpaint(picture, grow(np.asarray(hairs), 1), 3)


def hairy_lesion(samples: Path) -> DemoItem:
    reference = load_rgb(samples / "clinical-photo/isic_0000000.jpg", DERMOSCOPY)
    lesion = load_mask(samples / "masks/isic_0000000_otsu_mask.png", DERMOSCOPY)
    hairy = draw_hairs(reference, 22, seed=5)
    columns = np.flatnonzero(lesion.any(axis=0))
    edge = int(columns[-1] - 0.07 * (columns[-1] - columns[0]))
    right_end = grow(lesion, 7)
    right_end[:, :edge] = False
    return DemoItem(
        code="E05",
        paper_format="ImageEditing",
        task="artifact-removal",
        modality="Clinical Photo",
        case="isic-0000000",
        instruction="Remove the hairs from this dermoscopic image; keep the lesion border and its pigment pattern.",
        inputs=[hairy],
        reference=reference,
        synopsis="Input: the dermoscopic image with 22 drawn hairs. Reference: the original. Archive record: nevus.",
        why="Border and pigment pattern decide about excision.",
        outputs={
            "A": Output(picture=remove_hairs(hairy)),
            "B": Output(picture=median(hairy, 15)),
            "C": Output(picture=fill(reference, right_end, sigma=2, seed=5)),
        },
        box=box_around(right_end, 2),
    )


def colored(picture: Picture) -> Mask:
    """Pixels that carry color Doppler: the spread of the channels is large."""
    spread = picture.max(axis=2).astype(int) - picture.min(axis=2)
    return np.asarray(spread > 40)


def speckled_doppler(samples: Path) -> DemoItem:
    reference = load_rgb(samples / "ultrasound/demo_lymph_node_doppler.png")
    noisy = speckle(reference, 0.25, seed=6)
    flow = colored(reference)
    flow[:, : reference.shape[1] // 2] = False
    return DemoItem(
        code="E06",
        paper_format="ImageEditing",
        task="noise-reconstruction",
        modality="Ultrasound",
        case="lymph-node-us-1",
        instruction="Reduce the speckle in this power Doppler image; flow signals must stay.",
        inputs=[noisy],
        reference=reference,
        synopsis="Input: the image with multiplicative noise. Reference: the original, two views of a lymph node "
        "with flow in both.",
        why="Flow in both views must survive.",
        outputs={
            "A": Output(picture=nonlocal_means(noisy, 12)),
            "B": Output(picture=median(noisy, 9)),
            "C": Output(picture=inpaint(reference, grow(flow, 2), 5)),
        },
        box=box_around(flow, 0),
    )


def pale_radiograph(samples: Path) -> DemoItem:
    pale = load_gray(samples / "radiograph/demo_chest_cr.png")
    reference = clahe(pale, 2)
    opacity = Disc(477, 384, 40)
    return DemoItem(
        code="E10",
        paper_format="ImageEditing",
        task="contrast-enhancement",
        modality="Radiograph",
        case="chest-cr-1",
        instruction="Make this pale chest radiograph readable; several round opacities must stay visible.",
        inputs=[pale],
        reference=reference,
        subtask="Contrast Enhancement",
        synthetic=True,
        synopsis="Input: the radiograph as acquired. Reference: the same picture after adaptive histogram "
        "equalization. Several large round opacities in both lungs.",
        why="Round opacities near the limit of visibility.",
        outputs={
            "A": Output(picture=stretch(pale, 5, 99.5, 1.4)),
            "B": Output(picture=power(pale, 2.2)),
            "C": Output(picture=fill(reference, opacity.mask(reference.shape), sigma=6, seed=10)),
        },
        box=(437, 344, 518, 425),
    )


def box_around(mask: Mask, margin: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom (right and bottom exclusive) of the mask and a margin, inside the picture."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    left, top = max(0, int(columns[0]) - margin), max(0, int(rows[0]) - margin)
    right = min(mask.shape[1], int(columns[-1]) + margin + 1)
    return left, top, right, min(mask.shape[0], int(rows[-1]) + margin + 1)


def items(samples: Path) -> list[DemoItem]:
    makers = (
        faint_radiograph,
        noisy_lung,
        noisy_brain,
        striped_abdomen,
        hairy_lesion,
        speckled_doppler,
        pale_radiograph,
    )
    return [make(samples) for make in makers]
