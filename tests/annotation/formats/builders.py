"""Small packages in the benchmark's shapes; all texts and pictures are invented."""

import json
import struct
import zlib
from pathlib import Path


def png(gray: int = 128, size: int = 2) -> bytes:
    """A square 8-bit gray PNG of one value."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\x00" + bytes([gray]) * size for _ in range(size))
    header = struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def put_images(folder: Path, *names: str) -> None:
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(png(10 + number))


def put_lines(path: Path, *records: object) -> Path:
    """Write records as JSON lines; a text or bytes is written as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        record if isinstance(record, bytes) else (record if isinstance(record, str) else json.dumps(record)).encode()
        for record in records
    ]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def vqa(**changes: object) -> dict[str, object]:
    record = {
        "input_image": ["images/d001_0.png", "images/d001_1.png"],
        "ground_truth_image": [],
        "instruction": "Which plane does the second image show?",
        "choice": ["A. axial", "B. coronal", "C. sagittal"],
        "answer": "B. coronal",
        "category": "VQA",
        "sub-category": "multiple-choice",
        "modality": "Magnetic_Resonance_Imaging",
        "in-out": "image-text_to_text",
        "source": "demo-atlas",
        "paper_format": "VQA",
        "paper_task": "multiple-choice",
        "paper_subtask": None,
        "observed_subtask": None,
    }
    return without(record | changes)


def editing(**changes: object) -> dict[str, object]:
    record = {
        "input_image": ["images/e014.png"],
        "ground_truth_image": ["images/e014_ref.png"],
        "instruction": "Raise the contrast of this radiograph so that both costophrenic angles can be judged.",
        "choice": [],
        "answer": "",
        "category": "ImageEdit",
        "sub-category": "contrast-enhancement",
        "modality": "Radiograph",
        "in-out": "image-text_to_image",
        "source": "demo-atlas",
        "paper_format": "ImageEditing",
        "paper_task": "contrast-enhancement",
        "paper_subtask": "Contrast Enhancement",
        "observed_subtask": "Contrast Enhancement",
    }
    return without(record | changes)


def eval_view(**changes: object) -> dict[str, object]:
    folder = "source/VQA/multiple-choice/images"
    return vqa(
        **{
            "input_images": [f"{folder}/d001_0.png", f"{folder}/d001_1.png"],
            "ground_truth_images": [],
            "ground_truth_image": ...,
            "input_image": "images/vqa_contact_sheets/0f3cb2.jpg",
            "sample_id": "tableiv:VQA:multiple-choice:000001",
            "eval_adapter": {
                "source_data_jsonl": "VQA/multiple-choice/data.jsonl",
                "source_line": 1,
                "input_strategy": "labeled_contact_sheet",
                "original_input_image": ["images/d001_0.png", "images/d001_1.png"],
                "original_ground_truth_image": [],
            },
        }
        | changes
    )


def result(**changes: object) -> dict[str, object]:
    record = {
        "sample_id": "tableiv:ImageEditing:contrast-enhancement:000014",
        "response": "Contrast raised.",
        "raw_response": '{"output_text": "Contrast raised."}',
        "output_image": "output_image/edited_1a2b3c4d_0.png",
    }
    return without(record | changes)


def evaluated(**changes: object) -> dict[str, object]:
    judge = {
        "anatomical_accuracy": {"score": 8, "explanation": "Fine."},
        "overall_score": "8/10",
        "final_thoughts": "Good.",
    }
    return result(
        **{
            "LPIPS": 0.21,
            "PSNR": 24.8,
            "SSIM": 0.81,
            "Anatomical_Embedding_Similarity": 0.93,
            "vlm_judge_w_gt_result": judge,
            "vlm_judge_wo_gt_result": {},
        }
        | changes
    )


def without(record: dict[str, object]) -> dict[str, object]:
    """A field given as `...` is left out."""
    return {name: value for name, value in record.items() if value is not ...}


def vqa_package(root: Path, *records: object) -> Path:
    """`<root>/VQA/multiple-choice/data.jsonl` with its two images; returns the JSONL file."""
    folder = root / "VQA" / "multiple-choice"
    put_images(folder, "images/d001_0.png", "images/d001_1.png")
    return put_lines(folder / "data.jsonl", *(records or (vqa(),)))


def editing_package(root: Path, *records: object) -> Path:
    folder = root / "ImageEditing" / "contrast-enhancement"
    put_images(folder, "images/e014.png", "images/e014_ref.png")
    return put_lines(folder / "data.jsonl", *(records or (editing(),)))
