"""What a demo item is, and how items and outputs are written in the benchmark's layouts."""

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from medgen.demo.pictures import Picture
from medgen.demo.sources import CASES

SYSTEMS = {"A": "aurora-unified", "B": "borealis-compositional", "C": "cygnus-editor"}
FORMATS = {
    "VQA": ("VQA", "vqa"),
    "ImageEditing": ("ImageEdit", "edit"),
    "MultimodalGeneration": ("MMGeneration", "generate"),
}
RETURNS = {"VQA": "text", "ImageEditing": "image", "MultimodalGeneration": "image-text"}


@dataclass(frozen=True)
class Original:
    """A file that goes in byte by byte (DICOM, NIfTI, JPEG), under the suffix given."""

    content: bytes
    suffix: str


@dataclass(frozen=True)
class Output:
    """What one system returned: text, picture, or an error string in the field where the benchmark writes it."""

    text: str = ""
    picture: Picture | None = None
    picture_error: str = ""
    cut_off: bool = False
    resaved: bool = False


@dataclass(frozen=True)
class DemoItem:
    """One item with what each system (A, B, C) made of it; a system that is absent delivered nothing."""

    code: str
    paper_format: str
    task: str
    modality: str
    case: str
    instruction: str
    inputs: list[Picture | Original]
    synopsis: str
    why: str
    outputs: dict[str, Output]
    reference: Picture | None = None
    answer: Any = ""
    choices: list[str] = field(default_factory=list)
    subtask: str | None = None
    box: tuple[int, int, int, int] | None = None
    synthetic: bool = False

    @property
    def sample_id(self) -> str:
        return f"demo:{self.paper_format}:{self.task}:{self.code}"

    @property
    def folder(self) -> str:
        return f"{self.paper_format}/{self.task}"


def encoded(picture: Picture, *, resaved: bool = False) -> tuple[str, bytes]:
    """Suffix and bytes of a picture, lossless: gray as PNG, color as WebP; resaved is a PNG with other bytes."""
    buffer = io.BytesIO()
    if resaved:
        info = PngInfo()
        info.add_text("Comment", "saved again")
        Image.fromarray(picture).save(buffer, "PNG", compress_level=6, pnginfo=info)
        return ".png", buffer.getvalue()
    if picture.ndim == 2:
        Image.fromarray(picture).save(buffer, "PNG", optimize=True)
        return ".png", buffer.getvalue()
    Image.fromarray(picture).save(buffer, "WEBP", lossless=True, quality=100, method=4)
    return ".webp", buffer.getvalue()


def canonical_record(item: DemoItem, inputs: list[str], references: list[str]) -> dict[str, Any]:
    """One line of `<paper_format>/<paper_task>/data.jsonl`."""
    case = CASES[item.case]
    return {
        "sample_id": item.sample_id,
        "input_image": inputs,
        "ground_truth_image": references,
        "instruction": item.instruction,
        "choice": item.choices,
        "answer": item.answer,
        "category": FORMATS[item.paper_format][0],
        "sub-category": item.task,
        "modality": item.modality,
        "in-out": f"image-text_to_{RETURNS[item.paper_format]}",
        "source": case.source,
        "license": case.license,
        "redistributable": "yes",
        "case_key": item.case,
        "paper_format": item.paper_format,
        "paper_task": item.task,
        "paper_subtask": item.subtask,
        "observed_subtask": item.subtask,
        "reviewer_synopsis": f"Reference is synthetic. {item.synopsis}" if item.synthetic else item.synopsis,
        "selection_summary": item.why,
    }


def write_item(root: Path, item: DemoItem) -> dict[str, Any]:
    """Write the pictures of an item and return its record."""
    images = root / item.folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    inputs = []
    for index, source in enumerate(item.inputs):
        suffix, content = (source.suffix, source.content) if isinstance(source, Original) else encoded(source)
        name = f"{item.code}_{index}{suffix}"
        (images / name).write_bytes(content)
        inputs.append(f"images/{name}")
    references = []
    if item.reference is not None:
        suffix, content = encoded(item.reference)
        name = f"{item.code}_ref{suffix}"
        (images / name).write_bytes(content)
        references.append(f"images/{name}")
    return canonical_record(item, inputs, references)


def output_record(item: DemoItem, record: dict[str, Any], output: Output, image: str) -> dict[str, Any]:
    """One line of a system's result file: the fields of the eval view and what the system answered."""
    eval_view = {key: value for key, value in record.items() if key not in {"input_image", "ground_truth_image"}}
    eval_view["input_images"] = [f"source/{item.folder}/{path}" for path in record["input_image"]]
    eval_view["ground_truth_images"] = [f"source/{item.folder}/{path}" for path in record["ground_truth_image"]]
    eval_view["response"] = output.text
    eval_view["raw_response"] = json.dumps({"output_text": output.text}) if output.text else ""
    if item.paper_format != "VQA":
        eval_view["output_image"] = output.picture_error or image
    return eval_view


def write_output(root: Path, item: DemoItem, record: dict[str, Any], letter: str) -> dict[str, Any]:
    """Write a system's picture for an item, if any, and return the line for its result file."""
    output = item.outputs[letter]
    image = ""
    if output.picture is not None:
        suffix, content = encoded(output.picture, resaved=output.resaved)
        image = f"output_image/{item.code}{suffix}"
        path = root / SYSTEMS[letter] / image
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content[: len(content) // 2] if output.cut_off else content)
    return output_record(item, record, output, image)


def write_lines(path: Path, records: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
