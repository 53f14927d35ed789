"""Generation items on single pictures: G01 to G04, G09 and G10."""

from pathlib import Path

import numpy as np

from medgen.demo.editing_signal import DERMOSCOPY, box_around
from medgen.demo.pictures import (
    Disc,
    Field,
    Mask,
    Picture,
    arrow,
    as_rgb,
    blend,
    blur,
    cv2,
    ellipse_mask,
    feather,
    fill,
    grow,
    inpaint,
    load_gray,
    load_mask,
    load_rgb,
    load_tile,
    magnify,
    to_uint8,
)
from medgen.demo.records import DemoItem, Output

YELLOW = (250, 220, 40)
LEFT_KIDNEY, RIGHT_KIDNEY = Disc(319, 224, 33), Disc(152, 219, 33)


def growing_lesion(samples: Path) -> DemoItem:
    source = load_gray(samples / "mri/demo_brain_t1gd_lesion_b.png")
    lesion = load_mask(samples / "masks/demo_brain_t1gd_lesion_b_mask.png")
    rows, columns = np.nonzero(lesion)
    center = (float(columns.mean()), float(rows.mean()))
    glowing = blur(to_uint8(source * (1 + 0.35 * feather(lesion, 4))), 1.4)
    return DemoItem(
        code="G01",
        paper_format="MultimodalGeneration",
        task="disease-prediction",
        modality="MRI",
        case="brain-mr-1",
        instruction="Show how this image could look if the enhancing lesion grew by about a third, and describe the "
        "change.",
        inputs=[source],
        reference=magnify(source, center, 1.35, 48),
        answer="The left parietal enhancing lesion is about one third larger in diameter; no new lesion.",
        subtask="Early to Late",
        synthetic=True,
        synopsis="Reference: the slice with the lesion enlarged by a local warp of 1.35, not an observed follow-up.",
        why="Picture and text must tell the same story.",
        outputs={
            "A": Output("Lesion larger than before; no second lesion.", magnify(source, center, 1.27, 48)),
            "B": Output("Lesion more intense.", glowing),
            "C": Output("Clear progression of the lesion.", inpaint(source, grow(lesion, 3), 5)),
        },
        box=box_around(lesion, 6),
    )


def marked_heart(samples: Path) -> DemoItem:
    source = load_gray(samples / "radiograph/nih_cxr_cardiomegaly.png")
    circled = as_rgb(source)
    cv2.ellipse(circled, (290, 310), (140, 110), 0, 0, 360, YELLOW, 3, cv2.LINE_AA)
    return DemoItem(
        code="G02",
        paper_format="MultimodalGeneration",
        task="instruction-editing",
        modality="Radiograph",
        case="nih-00000001",
        instruction="Point an arrow at the left heart border and state in one sentence what is abnormal.",
        inputs=[source],
        reference=arrow(source, (470, 250), (412, 318), YELLOW),
        answer="The arrow marks the left heart border; the cardiac silhouette is enlarged.",
        synthetic=True,
        synopsis="Reference: an arrow drawn on the original. Data-set label: Cardiomegaly.",
        why="Side errors before any intervention.",
        outputs={
            "A": Output("Left border displaced: enlarged heart.", arrow(source, (476, 330), (416, 334), YELLOW)),
            "B": Output("Heart.", circled),
            "C": Output("Left heart border marked.", arrow(source, (120, 250), (184, 300), YELLOW)),
        },
        box=(400, 240, 482, 344),
    )


def removed_kidney(samples: Path) -> DemoItem:
    source = load_gray(samples / "mri/demo_abdomen_liver.png")
    left, right = LEFT_KIDNEY.mask(source.shape), grow(RIGHT_KIDNEY.mask(source.shape), 3)
    stokes = blur(inpaint(source, left, 5, navier_stokes=True), 3)
    gray_disc = blend(source, np.full_like(source, 90), feather(left, 0.7))
    return DemoItem(
        code="G03",
        paper_format="MultimodalGeneration",
        task="organic-removal",
        modality="MRI",
        case="abdomen-mr-1",
        instruction="Show this slice as after removal of the left kidney and say what was changed.",
        inputs=[source],
        reference=fill(source, left, sigma=4, seed=3),
        answer="Left kidney absent; right kidney, liver and vessels unchanged.",
        synthetic=True,
        synopsis="Reference: the left kidney filled in from its surroundings.",
        why="The wrong side, hidden by a text that names the right one.",
        outputs={
            "A": Output("Left kidney removed.", blend(source, stokes, feather(left, 1.5))),
            "B": Output("Kidney removed.", gray_disc),
            "C": Output("Left kidney removed.", fill(source, right, sigma=4, seed=13)),
        },
        box=(286, 191, 353, 258),
    )


def restored_kidney(samples: Path) -> DemoItem:
    source = load_gray(samples / "mri/demo_abdomen_liver.png")
    hole = LEFT_KIDNEY.mask(source.shape)
    blacked = source.copy()
    blacked[hole] = 0
    mirrored = source[:, ::-1]
    shift = round(LEFT_KIDNEY.x - (source.shape[1] - 1 - RIGHT_KIDNEY.x))
    mirrored = np.roll(mirrored, (round(LEFT_KIDNEY.y - RIGHT_KIDNEY.y), shift), axis=(0, 1))
    tumor = feather(ellipse_mask(source.shape, (331, 229), (9, 8)), 1.5)
    return DemoItem(
        code="G04",
        paper_format="MultimodalGeneration",
        task="organic-reconstruction",
        modality="MRI",
        case="abdomen-mr-1",
        instruction="Restore the blacked-out kidney and describe it.",
        inputs=[blacked],
        reference=source,
        answer="Left kidney with normal bright parenchyma.",
        synopsis="Input: the slice with a black disc over the left kidney. Reference: the original slice.",
        why="Reconstruction invites invention.",
        outputs={
            "A": Output(
                "Kidney restored, normal enhancement.", blend(blacked, mirrored, feather(grow(hole, 1), 1.5))
            ),
            "B": Output("Kidney restored.", blend(source, np.full_like(source, 130), feather(hole, 0.7))),
            "C": Output("Hypointense mass in the left kidney.", blend(source, source * 0.25, tumor)),
        },
        box=(286, 191, 353, 258),
    )


def unmix(picture: Picture, haematoxylin: float, dab: float) -> Picture:
    """Scale the haematoxylin and DAB parts of a stained tile (Ruifrok and Johnston 2001)."""
    from skimage.color import hed2rgb, rgb2hed

    parts = rgb2hed(picture)
    parts[..., 0] *= haematoxylin
    parts[..., 2] *= dab
    return to_uint8(255 * hed2rgb(parts))


def removed_stain(samples: Path) -> DemoItem:
    source = load_tile(samples / "pathology/colon_ihc_fhl2.png", start=160)
    return DemoItem(
        code="G09",
        paper_format="MultimodalGeneration",
        task="instruction-editing",
        modality="Pathology",
        case="colon-ihc-1",
        instruction="Remove the brown immunostain, keep the blue counterstain, and describe what remains.",
        inputs=[source],
        reference=unmix(source, 1.0, 0.0),
        answer="Haematoxylin-stained nuclei of glands and stroma.",
        synthetic=True,
        synopsis="Reference: the DAB part set to zero by color unmixing.",
        why="The stain that is removed decides what can still be read.",
        outputs={
            "A": Output("Blue nuclei remain, stain nearly removed.", unmix(source, 1.0, 0.12)),
            "C": Output("Nuclei remain.", unmix(source, 0.0, 1.0)),
        },
    )


def smaller_lesion(samples: Path) -> DemoItem:
    source = load_rgb(samples / "clinical-photo/isic_0000000.jpg", DERMOSCOPY)
    lesion = load_mask(samples / "masks/isic_0000000_otsu_mask.png", DERMOSCOPY)
    skin = skin_under(source, grow(lesion, 28))
    faded = blend(source, 0.5 * skin + 0.5 * source, feather(grow(lesion, 24), 10))
    return DemoItem(
        code="G10",
        paper_format="MultimodalGeneration",
        task="disease-prediction",
        modality="Clinical Photo",
        case="isic-0000000",
        instruction="Show how this lesion could have looked at an earlier, smaller stage and describe it.",
        inputs=[source],
        reference=shrink(source, lesion, 0.75),
        answer="Smaller pigmented lesion, same pattern, no new structures.",
        subtask="Late to Early",
        synthetic=True,
        synopsis="Reference: the lesion reduced by a warp of 0.75, not an observed earlier stage.",
        why="A claim that the picture does not show.",
        outputs={
            "A": Output("Smaller lesion, same pattern.", shrink(source, lesion, 0.82)),
            "B": Output("Earlier stage.", faded),
            "C": Output("Lesion much smaller.", source, resaved=True),
        },
    )


def skin_under(picture: Picture, lesion: Mask) -> Field:
    """What the skin would look like below a lesion: the surroundings, weighted by a wide Gaussian."""
    outside = (~lesion).astype(np.float64)
    weight = cv2.GaussianBlur(outside, (0, 0), 45)
    smooth = cv2.GaussianBlur(picture * outside[..., None], (0, 0), 45) / weight[..., None]
    grain = np.random.default_rng(10).normal(0, 2, picture.shape[:2])
    return np.asarray(smooth + grain[..., None])


def shrink(picture: Picture, lesion: Mask, factor: float) -> Picture:
    """The picture with the lesion reduced about its center, on skin continued from its surroundings."""
    rows, columns = np.nonzero(lesion)
    x, y = float(columns.mean()), float(rows.mean())
    matrix = np.array([[factor, 0, (1 - factor) * x], [0, factor, (1 - factor) * y]])
    size = (picture.shape[1], picture.shape[0])
    small = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    place = cv2.warpAffine(grow(lesion, 24).astype(np.uint8), matrix, size, flags=cv2.INTER_NEAREST) > 0
    bare = blend(picture, skin_under(picture, grow(lesion, 28)), feather(grow(lesion, 28), 6))
    return blend(bare, small, feather(np.asarray(place), 6))


def items(samples: Path) -> list[DemoItem]:
    makers = (growing_lesion, marked_heart, removed_kidney, restored_kidney, removed_stain, smaller_lesion)
    return [make(samples) for make in makers]
