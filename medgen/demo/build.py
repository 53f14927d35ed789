"""Rebuild the demo's files from the folder of licensed sample images.

    python -m medgen.demo.build --samples DIR --out medgen/demo/data

The product never runs this: it ships the derived files. Needs `requirements/demo.txt`. The output folder's
`items`, `outputs`, `systems.json`, `findings.json`, `grades.json` and `CHECKSUMS.sha256` are replaced.
"""

import argparse
import hashlib
import json
import shutil
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from medgen.demo import editing_form, editing_signal, generation, generation_volumes, grades, vqa
from medgen.demo.records import FORMATS, SYSTEMS, DemoItem, write_item, write_lines, write_output
from medgen.demo.sources import CASES

SYSTEM_CARDS = [
    {"slug": "aurora-unified", "name": "Aurora Unified", "version": "1.2", "kind": "unified"},
    {"slug": "borealis-compositional", "name": "Borealis Compositional", "version": "0.9", "kind": "compositional"},
    {"slug": "cygnus-editor", "name": "Cygnus Editor", "version": "2.0", "kind": "editor"},
]
BUILT = ("items", "outputs", "systems.json", "findings.json", "grades.json", "CHECKSUMS.sha256")


def all_items(samples: Path) -> list[DemoItem]:
    """The 36 items in the order of their codes."""
    rooms = (editing_signal, editing_form, generation, generation_volumes, vqa)
    return sorted((item for room in rooms for item in room.items(samples)), key=lambda item: item.code)


def write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_items(out: Path, items: list[DemoItem]) -> dict[str, dict[str, Any]]:
    """Write pictures and `data.jsonl` files; answers the records by item code."""
    records = {item.code: write_item(out / "items", item) for item in items}
    folders: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for item in items:
        folders[item.folder].append(records[item.code])
    for folder, lines in folders.items():
        write_lines(out / "items" / folder / "data.jsonl", lines)
    return records


def write_outputs(out: Path, items: list[DemoItem], records: dict[str, dict[str, Any]]) -> None:
    """Write one result file per system and format, with the pictures beside it."""
    for letter, system in SYSTEMS.items():
        for paper_format, (_, suffix) in FORMATS.items():
            lines = [
                write_output(out / "outputs", item, records[item.code], letter)
                for item in items
                if item.paper_format == paper_format and letter in item.outputs
            ]
            write_lines(out / "outputs" / system / f"{system}_{suffix}.jsonl", lines)


def findings(items: list[DemoItem]) -> dict[str, Any]:
    """Box of the finding per item, in pixels of the reference: left, top, right, bottom (the last two exclusive)."""
    return {item.code: {"sample_id": item.sample_id, "box": list(item.box)} for item in items if item.box}


def write_checksums(out: Path) -> int:
    """List the sha256 of every file below the folder except the list itself and the README."""
    files = sorted(path for path in out.rglob("*") if path.is_file() and path.name not in BUILT[-1:])
    files = [path for path in files if path.name != "README.md"]
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(out).as_posix()}" for path in files]
    (out / "CHECKSUMS.sha256").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(lines)


def missing_samples(samples: Path) -> list[str]:
    return sorted(file for case in CASES.values() for file in case.files if not (samples / file).is_file())


def build(samples: Path, out: Path) -> int:
    """Replace the derived files below out; answers how many there are."""
    items = all_items(samples)
    out.mkdir(parents=True, exist_ok=True)
    for name in BUILT:
        path = out / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    records = write_items(out, items)
    write_outputs(out, items, records)
    write_json(out / "systems.json", SYSTEM_CARDS)
    write_json(out / "findings.json", findings(items))
    write_json(out / "grades.json", grades.invented_grades())
    return write_checksums(out)


def main() -> int:
    parser = argparse.ArgumentParser(description="Rebuild the demo's files from licensed sample images.")
    parser.add_argument("--samples", type=Path, required=True, help="folder of the sample images")
    parser.add_argument("--out", type=Path, required=True, help="folder to write, normally medgen/demo/data")
    options = parser.parse_args()
    absent = missing_samples(options.samples)
    if absent:
        sys.stderr.write(f"{options.samples}: {len(absent)} sample files are missing, first: {absent[0]}\n")
        return 1
    count = build(options.samples, options.out)
    sys.stdout.write(f"{count} files in {options.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
