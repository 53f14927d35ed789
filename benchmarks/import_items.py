"""Import of items without images: lines a second with every check on, against a bare bulk insert in the same run.

python -m benchmarks.import_items [--items 6422] [--repeats 3] [--json]

`bare` is what the database costs at least: Django's `bulk_create` of one row an item into the revisions' table, in
one transaction, from objects that are made already. `import` reads and checks the file, matches every line and
writes item, revision and two ids in chunks of 500; `again` imports the same file once more (nothing changes).
The three take turns on one SQLite file with the product's own settings; the best of the repeats counts.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def write_records(path: Path, count: int) -> None:
    """Multiple-choice records in the evaluation view, as the benchmark publishes them, without pictures."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            record = {
                "input_images": [], "instruction": f"Which plane does image {number} show, and what is seen in it?",
                "choice": ["A. axial", "B. coronal", "C. sagittal"], "answer": "B. coronal", "category": "VQA",
                "sub-category": "multiple-choice", "modality": "CT", "in-out": "image-text_to_text",
                "source": "benchmark", "paper_format": "VQA", "paper_task": "multiple-choice",
                "paper_subtask": None, "observed_subtask": None,
                "sample_id": f"bench:VQA:multiple-choice:{number:06d}",
                "eval_adapter": {"source_data_jsonl": "VQA/multiple-choice/data.jsonl", "source_line": number + 1,
                                 "input_strategy": "single"},
            }  # fmt: skip
            file.write(json.dumps(record) + "\n")


def timed(act: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds of one call."""
    wall, processor = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - wall, time.process_time() - processor


def measure(home: Path, count: int, repeats: int) -> dict[str, tuple[float, float]]:
    from django.db import transaction

    from annotation.datasets.importing import import_items
    from annotation.datasets.models import Dataset, Item, ItemRevision

    file = home / "records.jsonl"
    write_records(file, count)
    best: dict[str, tuple[float, float]] = {}

    def keep(name: str, seconds: tuple[float, float]) -> None:
        best[name] = min(best.get(name, seconds), seconds)

    for repeat in range(repeats):
        slug = f"bench-{repeat}"
        keep("import", timed(lambda slug=slug: import_items(path=file, dataset_slug=slug, actor=None)))
        keep("again", timed(lambda slug=slug: import_items(path=file, dataset_slug=slug, actor=None)))
        rows = bare_rows(Dataset.objects.get(slug=slug).items.all(), ItemRevision)

        def bare(rows: list[ItemRevision] = rows) -> None:
            with transaction.atomic():
                ItemRevision.objects.bulk_create(rows)

        keep("bare", timed(bare))
        assert Item.objects.filter(dataset__slug=slug).count() == count
    return best


def bare_rows(items, revision_model) -> list:
    return [
        revision_model(
            item=item, number=99, instruction="Which plane does the image show, and what is seen in it?",
            reference_text="B. coronal", choices=["A. axial", "B. coronal", "C. sagittal"], format="vqa",
            task="multiple-choice", modality="ct", content_hash="0" * 64, source="benchmark",
        )
        for item in items
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=6422)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"MEDGEN_HOME": home, "DJANGO_SETTINGS_MODULE": "medgen.settings"}
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        best = measure(Path(home), options.items, options.repeats)
    rates = {name: options.items / wall for name, (wall, _) in best.items()}
    processor = {name: options.items / seconds for name, (_, seconds) in best.items()}
    result = {
        "items": options.items,
        "items_per_second": {name: round(rate) for name, rate in rates.items()},
        "items_per_processor_second": {name: round(rate) for name, rate in processor.items()},
        "bare_over_import": round(rates["bare"] / rates["import"], 2),
    }
    if options.json:
        print(json.dumps(result))
        return
    for name, rate in rates.items():
        print(f"{name:>7}: {rate:8,.0f} items/s   ({processor[name]:,.0f} per second of processor time)")
    print(f"bare insert / import: {result['bare_over_import']} ×; aim: import above 2,650 items/s")


if __name__ == "__main__":
    main()
