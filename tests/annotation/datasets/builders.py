"""Small packages of benchmark records for tests of importing."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image


def vqa(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A canonical multiple-choice record without pictures."""
    return {
        "input_image": [], "ground_truth_image": [], "instruction": f"Which plane does image {number} show?",
        "choice": ["A. axial", "B. coronal"], "answer": "B. coronal", "category": "VQA",
        "sub-category": "multiple-choice", "modality": "CT", "in-out": "image-text_to_text", "source": "demo-atlas",
        "paper_format": "VQA", "paper_task": "multiple-choice", "paper_subtask": None, "observed_subtask": None,
    } | changes  # fmt: skip


def edit(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "input_image": [f"images/e{number}.png"], "ground_truth_image": [f"images/e{number}_ref.png"],
        "instruction": f"Raise the contrast of radiograph {number}.", "choice": [], "answer": "",
        "category": "ImageEdit", "sub-category": "contrast-enhancement", "modality": "Radiograph",
        "source": "demo-atlas", "paper_format": "ImageEditing", "paper_task": "contrast-enhancement",
    } | changes  # fmt: skip


def with_id(record: dict[str, Any], sample_id: str) -> dict[str, Any]:
    return record | {"sample_id": sample_id}


def jsonl(path: Path, *records: dict[str, Any] | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def png(path: Path, seed: int = 0, size: tuple[int, int] = (12, 16)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)
    PIL.Image.fromarray(pixels).save(path)
    return path
