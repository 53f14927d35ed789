"""Pictures and sentences that tests of metrics share; every one is made here, none is read from a file."""

import numpy as np
from scipy.ndimage import gaussian_filter


def waves(rows: int, columns: int) -> np.ndarray:
    y, x = np.mgrid[0:rows, 0:columns]
    return np.rint(127.5 + 100 * np.sin(x / 9) * np.cos(y / 7)).astype(np.uint8)


def clipped(values: np.ndarray) -> np.ndarray:
    return np.clip(values, 0, 255).astype(np.uint8)


def p1() -> tuple[np.ndarray, np.ndarray]:
    """Gray noise: reference, output."""
    rng = np.random.default_rng(7)
    reference = rng.integers(0, 256, (64, 64), dtype=np.uint8)
    return reference, clipped(reference.astype(int) + rng.integers(-20, 21, (64, 64)))


def p2() -> tuple[np.ndarray, np.ndarray]:
    """A smooth picture and the same shifted by one column."""
    reference = waves(96, 128)
    return reference, np.roll(reference, 1, axis=1)


def p3() -> tuple[np.ndarray, np.ndarray]:
    """Color noise."""
    rng = np.random.default_rng(11)
    reference = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    return reference, clipped(reference.astype(int) + rng.integers(-40, 41, (64, 64, 3)))


def p4() -> tuple[np.ndarray, np.ndarray]:
    """A 12-bit ramp in 16 bits against a flat picture."""
    return np.arange(4096, dtype=np.uint16).reshape(64, 64), np.full((64, 64), 3000, np.uint16)


def edited_region() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Reference, output with a raised patch, and the region around the patch."""
    reference = waves(96, 128)
    output = reference.astype(int)
    output[40:50, 50:70] += 60
    region = np.zeros((96, 128), bool)
    region[30:60, 40:80] = True
    return reference, clipped(output), region


def nodule_phantom() -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
    """Reference with a small bright nodule, four candidates, and the region of interest."""
    rng = np.random.default_rng(1)
    field = gaussian_filter(rng.normal(0, 1, (512, 512)), 6)
    plain = 40 + (field - field.min()) / (field.max() - field.min()) * 160
    rows, columns = np.mgrid[0:512, 0:512]
    disc = (rows - 200) ** 2 + (columns - 300) ** 2 < 36
    with_nodule = np.clip(plain + 45 * disc, 0, 255)
    reference = with_nodule.astype(np.uint8)
    candidates = {
        "missed": np.clip(plain, 0, 255).astype(np.uint8),
        "bright": np.clip(reference * 1.04 + 4, 0, 255).astype(np.uint8),
        "shift": np.roll(reference, 1, axis=1),
        "mirror": reference[:, ::-1],
    }
    region = np.zeros((512, 512), bool)
    region[190:211, 290:311] = True
    return reference, candidates, region


SENTENCES = {
    "T1": (
        "No focal consolidation, pleural effusion or pneumothorax.",
        "There is no focal consolidation, pleural effusion, or pneumothorax.",
    ),
    "T2": (
        "Small left pleural effusion with adjacent atelectasis.",
        "Small right pleural effusion with adjacent atelectasis.",
    ),
    "T3": (
        "The heart is enlarged. Mild pulmonary edema is present.",
        "Cardiomegaly with mild pulmonary edema.",
    ),
}
"""Output and reference; T2 names the wrong side."""
