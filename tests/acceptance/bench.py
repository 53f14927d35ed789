"""From files to numbers the way an analyst goes: write files, import, release, import outputs, measure, read."""

import io
import json
from collections.abc import Mapping
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from django.core.management import call_command
from django.core.management.base import CommandError

from annotation.releases.models import Release
from annotation.releases.services import freeze_release
from annotation.systems.models import Output, Submission

DATASET = "bench"


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


def command(*words: object) -> Said:
    """Run a management command in this process; its exit code is what the shell would see."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with redirect_stderr(err):
        try:
            call_command(*[str(word) for word in words], stdout=out, stderr=err)
        except CommandError as problem:
            err.write(str(problem))
            code = problem.returncode
        except SystemExit as stop:
            code = int(stop.code or 0)
    return Said(code, out.getvalue(), err.getvalue())


def save(path: Path, pixels: np.ndarray) -> str:
    """Write an 8 or 16 bit picture; returns its name relative to the package."""
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(pixels).save(path)
    return f"{path.parent.name}/{path.name}"


def lines(path: Path, *records: Mapping[str, Any] | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    said = [record if isinstance(record, str) else json.dumps(record) for record in records]
    path.write_text("\n".join(said) + "\n", encoding="utf-8")
    return path


def question(name: str, **changes: Any) -> dict[str, Any]:
    """A canonical multiple-choice record without pictures; the answer is A."""
    return {
        "sample_id": f"t:{name}", "input_image": [], "ground_truth_image": [],
        "instruction": f"Which modality is case {name}?", "choice": ["A. CT", "B. MRI"], "answer": "A",
        "category": "VQA", "sub-category": "multiple-choice", "modality": "CT", "source": "made",
        "license": "CC0-1.0", "paper_format": "VQA", "paper_task": "multiple-choice",
    } | changes  # fmt: skip


def edit(name: str, **changes: Any) -> dict[str, Any]:
    """A canonical editing record with pictures `images/<name>.png` and `images/<name>_ref.png`."""
    return {
        "sample_id": f"t:{name}", "input_image": [f"images/{name}.png"],
        "ground_truth_image": [f"images/{name}_ref.png"], "instruction": f"Raise the contrast of case {name}.",
        "choice": [], "answer": "", "category": "ImageEdit", "sub-category": "contrast-enhancement",
        "modality": "CT", "source": "made", "license": "CC0-1.0", "paper_format": "ImageEditing",
        "paper_task": "contrast-enhancement",
    } | changes  # fmt: skip


def answered(record: Mapping[str, Any], response: str = "", image: str | None = None) -> dict[str, Any]:
    """The inference record of an item: its fields and what a system generated."""
    return {**record, "response": response, "raw_response": response} | (
        {} if image is None else {"output_image": image}
    )


class Bench:
    """One dataset, released as validated elsewhere, and the systems measured on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def items(self) -> Path:
        return self.folder / "items"

    def outputs_of(self, system: str) -> Path:
        return self.folder / "outputs" / system

    def import_items(self, *records: Mapping[str, Any] | str, name: str = "data.jsonl") -> Said:
        return command("import_items", lines(self.items / name, *records), "--dataset", DATASET, "--json")

    def release(self) -> Release:
        from annotation.datasets.models import Dataset

        dataset = Dataset.objects.get(slug=DATASET)
        return freeze_release(
            dataset=dataset, version="1.0", actor=None, validated_elsewhere="the makers of this test"
        )

    def import_outputs(self, system: str, *records: Mapping[str, Any] | str) -> Said:
        file = lines(self.outputs_of(system) / f"{system}.jsonl", *records)
        return command(
            "import_outputs", file, "--dataset", DATASET, "--release", "1.0", "--system", system,
            "--system-version", "1", "--json",
        )  # fmt: skip

    def submission(self, system: str) -> Submission:
        return Submission.objects.get(system_version__system__slug=system)

    def measure(self, *words: str) -> Said:
        return command("run_metrics", "--all", "--json", *words)

    def values(self, of: str = DATASET, subject: str = "output") -> dict[tuple[str, str], float | str]:
        """(sample id, metric) → the number, or the reason; read from `metric_values --json`."""
        said = command("metric_values", of, "--json")
        assert said.code == 0, said.err
        found: dict[tuple[str, str], float | str] = {}
        for row in said.data:
            if row["subject"] != subject:
                continue
            (sample,) = [alias for alias in row["item_aliases"] if alias.startswith("t:")]
            key = (sample.removeprefix("t:"), row["metric"])
            assert key not in found, f"two rows for {key}"
            found[key] = row["value"] if "value" in row else row["reason"]
        return found


def pair_of(decibels_of: tuple[int, int, int], side: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """A reference and a copy that differs by `low` gray levels, in `n` pixels by `high`: (low, high, n)."""
    low, high, n = decibels_of
    reference = (np.arange(side * side) % 101 + 60).reshape(side, side).astype(np.uint8)
    difference = np.full(side * side, low)
    difference[:n] = high
    return reference, (reference + difference.reshape(side, side)).astype(np.uint8)


DB_13_79 = (52, 53, 512)
DB_10 = (80, 81, 2608)


def statuses(system: str) -> dict[str, str]:
    """Item code → status of its current output."""
    outputs = Output.objects.current().filter(submission__system_version__system__slug=system)
    return {output.revision.item.code: output.status for output in outputs.select_related("revision__item")}
