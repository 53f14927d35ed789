"""What the pixel metrics of a pair cost relative to decoding its two PNG files, in one run.

Run: python benchmarks/pixel_metrics.py [--repeats 15] [--json]

Pictures: a smooth noise field plus Gaussian noise, as PNG in memory. Decoding is what no evaluation can avoid:
Pillow to an array of every pixel. Metrics: pairing, PSNR, SSIM, MAE and MAE / range, as the recommended profile
computes them from a decoded pair. Decoding and metrics alternate, so that both see the same machine; the best of
the repeats counts, in processor time. scikit-image's SSIM, if installed, is timed beside ours.
"""

import argparse
import io
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scoring.metrics.comparison import compare
from scoring.metrics.evaluate import evaluate
from scoring.metrics.pictures import Picture
from scoring.metrics.registry import METRICS, PROFILES

PIXEL = [metric for metric in PROFILES["recommended"].metrics.values() if metric.tier == "pixel"]


def picture(size: int, channels: int, seed: int) -> np.ndarray:
    """An 8-bit picture (size, size[, 3]) with structure and noise."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    field = gaussian_filter(rng.normal(size=(size, size, channels)), (8, 8, 0))
    field = (field - field.min()) / np.ptp(field) * 200 + 20
    pixels = np.clip(field + rng.normal(0, 6, field.shape), 0, 255).astype(np.uint8)
    return pixels if channels == 3 else pixels[..., 0]


def encoded(pixels: np.ndarray) -> bytes:
    """The picture as PNG."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


def decoded(data: bytes) -> np.ndarray:
    """Every pixel of a PNG."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


def seconds(work: Callable[[], object]) -> float:
    """Processor time of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def metrics_of(output: np.ndarray, reference: np.ndarray) -> None:
    """All recommended pixel metrics of one decoded pair; fails when one has no value."""
    rows = evaluate(PIXEL, [compare("x", output=Picture(output, 255.0), reference=Picture(reference, 255.0))])
    assert all(row.value is not None for row in rows)


def measured(size: int, channels: int, repeats: int) -> dict[str, float | str]:
    """Milliseconds and ratios for one kind of picture."""
    output, reference = picture(size, channels, 1), picture(size, channels, 1)
    output = np.clip(output + np.random.default_rng(2).normal(0, 4, output.shape), 0, 255).astype(np.uint8)
    files = encoded(output), encoded(reference)
    works: dict[str, Callable[[], object]] = {
        "decode": lambda: [decoded(file) for file in files],
        "metrics": lambda: metrics_of(output, reference),
        "ssim": lambda: METRICS["ssim"].function(output, reference, data_range=255),
        "ssim_gaussian": lambda: METRICS["ssim_gaussian"].function(output, reference, data_range=255),
    }
    try:
        from skimage.metrics import structural_similarity

        axis = -1 if channels == 3 else None
        works["scikit-image ssim"] = lambda: structural_similarity(
            output, reference, data_range=255, channel_axis=axis
        )
    except ImportError:
        pass
    best = dict.fromkeys(works, float("inf"))
    for _ in range(repeats):
        for name, work in works.items():
            best[name] = min(best[name], seconds(work) * 1000)
    found: dict[str, float | str] = {"picture": f"{size} x {size} {'RGB' if channels == 3 else 'gray'}"}
    found |= {f"{name} ms": round(value, 2) for name, value in best.items()}
    return found | {"metrics / decode": round(best["metrics"] / best["decode"], 2)}


def main() -> None:
    """Print one line per kind of picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = [measured(size, channels, options.repeats) for size in (512, 1024) for channels in (1, 3)]
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        print(" · ".join(f"{name} {value}" for name, value in row.items()))
    print(f"metrics = pairing + {', '.join(metric.code for metric in PIXEL)}; aim: metrics / decode at most 1.5")


if __name__ == "__main__":
    main()
