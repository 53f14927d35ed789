"""Backup and restore of many items: seconds against `cp` and `sha256sum` of the same home, in the same run.

python -m benchmarks.backup [--items 20000] [--url postgres://…]

`floor` is what the disk and the checksums cost at least: the home copied once and every copy hashed. Memory is the
largest resident size of the command's process.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def fill(count: int) -> None:
    """Items with a revision, an alias, and a picture of 4 KiB each with frames and thumbnail."""
    from django.db import transaction

    from annotation.assets import storage
    from annotation.assets.models import Asset
    from annotation.datasets.models import Dataset, Item, ItemAlias, ItemImage, ItemRevision

    dataset = Dataset.objects.create(slug="many", name="Many")
    for start in range(0, count, 500):
        numbers = range(start, min(start + 500, count))
        with transaction.atomic():
            items = Item.objects.bulk_create(Item(dataset=dataset, number=number + 1) for number in numbers)
            revisions = ItemRevision.objects.bulk_create(
                ItemRevision(
                    item=item, instruction="What does the image show? " * 4, reference_text="A liver. " * 20,
                    format="vqa", task="question-answering", modality="ct", content_hash="0" * 64,
                )
                for item in items
            )  # fmt: skip
            ItemAlias.objects.bulk_create(
                ItemAlias(dataset=dataset, item=item, scheme="sample_id", value=f"bench:{item.number}")
                for item in items
            )
            assets = []
            for _ in items:
                data = os.urandom(4096)
                digest = hashlib.sha256(data).hexdigest()
                for suffix in (".png", storage.FRAMES_SUFFIX, storage.THUMBNAIL_SUFFIX):
                    place = storage.place(digest, suffix)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(data)
                assets.append(
                    Asset(
                        sha256=digest, pixel_digest=digest, kind="image", media_type="image/png", suffix=".png",
                        size_bytes=len(data), width=64, height=64, bits=8, unit="gray", data_low=0, data_high=255,
                        frames_header={"rows": 64, "cols": 64},
                    )
                )  # fmt: skip
            Asset.objects.bulk_create(assets)
            ItemImage.objects.bulk_create(
                ItemImage(revision=revision, role="input", asset=asset)
                for revision, asset in zip(revisions, assets, strict=True)
            )


def command(home: Path, url: str, *words: str) -> tuple[float, float]:
    """Wall seconds and MiB of a command in a process of its own."""
    run = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"} | {"MEDGEN_HOME": str(home)}
    if url:
        run["DATABASE_URL"] = url
    before = time.perf_counter()
    started = subprocess.Popen([sys.executable, "manage.py", *words], cwd=ROOT, env=run, stdout=subprocess.DEVNULL)
    peak = 0
    while started.poll() is None:
        found = re.search(r"VmHWM:\s+(\d+)", _status(started.pid))
        peak = max(peak, int(found.group(1)) if found else 0)
        time.sleep(0.05)
    if started.returncode:
        raise SystemExit(f"{words[0]} ended with {started.returncode}")
    return time.perf_counter() - before, peak / 1024


def _status(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return ""


def floor(home: Path, target: Path) -> float:
    before = time.perf_counter()
    shutil.copytree(home, target)
    for path in target.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                hashlib.file_digest(file, "sha256")
    return time.perf_counter() - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--url", default="", help="an empty PostgreSQL database to restore into as well")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home, archive = Path(folder) / "home", Path(folder) / "b.tar"
        os.environ["MEDGEN_HOME"] = str(home)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medgen.settings")
        command(home, "", "migrate")
        import django

        django.setup()
        fill(options.items)
        least = floor(home, Path(folder) / "copy")
        print(f"floor (copy and hash): {least:.1f} s")
        rows = [("backup", command(home, "", "backup", str(archive)))]
        print(f"archive: {archive.stat().st_size / 1024**2:.0f} MiB")
        rows.append(("restore into SQLite", command(Path(folder) / "r1", "", "restore", str(archive))))
        if options.url:
            rows.append(
                ("restore into PostgreSQL", command(Path(folder) / "r2", options.url, "restore", str(archive)))
            )
        for name, (seconds, peak) in rows:
            print(f"{name}: {seconds:.1f} s, {seconds / least:.1f} x the floor, peak {peak:.0f} MiB")


if __name__ == "__main__":
    main()
