"""Threats 2.6 for files: a full disk, a power cut, and pictures that were deleted or changed behind the product."""

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from annotation.assets import storage
from annotation.assets.models import Asset
from annotation.assets.services import load_image, store_file
from annotation.imaging.image import ImageError
from annotation.imaging.sandbox import Decoder
from scoring.runs.comparisons import Pictures
from tests import images
from tests.acceptance.bench import command, edit, lines

ROOT = Path(__file__).resolve().parents[2]
PICTURES = 24


def package(folder: Path) -> Path:
    """Items with pictures of noise, about 40 kB each once stored."""
    (folder / "images").mkdir(parents=True)
    records = []
    for number in range(PICTURES):
        pixels = np.random.default_rng(number).integers(0, 256, (200, 200), dtype=np.uint8)
        images.save_png(folder / f"images/{number}.png", pixels)
        images.save_png(folder / f"images/{number}_ref.png", pixels // 2)
        records.append(edit(str(number)))
    lines(folder / "data.jsonl", *records)
    return folder


def environment(home: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "MEDGEN_HOME": str(home),
        "SECRET_KEY": "a key for this test only, long enough to pass",
    }


def new_home(home: Path) -> Path:
    home.mkdir()
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"],
        cwd=ROOT, env=environment(home), check=True, timeout=180, capture_output=True,
    )  # fmt: skip
    return home


def may_mount() -> bool:
    tried = (
        subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False)
        if shutil.which("unshare")
        else None
    )
    return tried is not None and tried.returncode == 0


@pytest.mark.skipif(not may_mount(), reason="this system lets nobody make a small file system of their own")
@pytest.mark.long
def test_P04_a_full_disk_leaves_no_half_picture_and_the_import_is_run_again(tmp_path: Path):
    home, source = new_home(tmp_path / "own home"), package(tmp_path / "package")
    (home / "assets").mkdir()
    again = f"{sys.executable} manage.py import_items {source} --dataset full --json"
    script = (
        f"mount -t tmpfs -o size=900k none '{home}/assets' || exit 9\n"
        f"{again} >{tmp_path}/first.out 2>{tmp_path}/first.err; echo $? >{tmp_path}/first.code\n"
        f"find '{home}/assets' -name '*.part*' | wc -l >{tmp_path}/parts\n"
        f"{sys.executable} manage.py verify >{tmp_path}/verify.out 2>&1; echo $? >{tmp_path}/verify.code\n"
        f"mount -o remount,size=40m '{home}/assets'\n"
        f"{again} >{tmp_path}/second.out 2>{tmp_path}/second.err; echo $? >{tmp_path}/second.code\n"
        f"{sys.executable} manage.py verify >{tmp_path}/third.out 2>&1; echo $? >{tmp_path}/third.code\n"
    )

    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script], cwd=ROOT, env=environment(home), timeout=300, check=False
    )

    def said(name: str) -> str:
        return (tmp_path / name).read_text().strip()

    assert done.returncode == 0
    assert said("first.code") == "1", said("first.err")
    assert "is full" in said("first.err") and "Traceback" not in said("first.err")
    assert said("parts") == "0"
    assert said("verify.code") == "0", said("verify.out")
    assert said("second.code") == "0", said("second.err")
    second = json.loads(said("second.out").splitlines()[-1])
    assert second["new"] + second["unchanged"] == PICTURES and second["refused"] == 0
    assert said("third.code") == "0", said("third.out")


@pytest.mark.long
def test_P06_after_a_power_cut_every_row_has_its_whole_files(tmp_path: Path):
    home, source = new_home(tmp_path / "own home"), package(tmp_path / "package")
    importing = subprocess.Popen(
        [sys.executable, "manage.py", "import_items", str(source), "--dataset", "cut"],
        cwd=ROOT, env=environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    copies: list[Path] = []
    while importing.poll() is None and len(copies) < 16:
        time.sleep(0.04)
        if not (home / "assets").exists():
            continue
        importing.send_signal(signal.SIGSTOP)
        copies.append(shutil.copytree(home, tmp_path / f"cut {len(copies)}"))
        importing.send_signal(signal.SIGCONT)
    importing.wait(timeout=120)

    seen = [rows_of(copy) for copy in copies]

    assert importing.returncode == 0
    assert sum(0 < rows < 2 * PICTURES for rows in seen) >= 2, seen


def rows_of(copy: Path) -> int:
    """Rows of assets in a copy of a home; each has its whole files, and the database is sound."""
    with sqlite3.connect(copy / "medgen.sqlite3") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = database.execute(
            "SELECT sha256, suffix, frames_sha256, thumbnail_sha256 FROM annotation_asset"
        ).fetchall()
    for sha256, suffix, frames, thumbnail in rows:
        folder = copy / "assets" / sha256[:2] / sha256[2:4]
        for name, digest in ((suffix, sha256), (".frames", frames), (".thumb.png", thumbnail)):
            assert hashlib.sha256((folder / f"{sha256}{name}").read_bytes()).hexdigest() == digest
    return len(rows)


@pytest.fixture
def stored(db, tmp_path: Path) -> tuple[Asset, Path]:
    path = images.save_png(tmp_path / "a.png", images.photograph())
    with Decoder() as decoder:
        return store_file(path, decoder=decoder), path


def overwrite(path: Path, *, keep_times: bool = False) -> None:
    """Other bytes of the same length, in place."""
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    with path.open("r+b") as file:
        file.write(data)
    if keep_times:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


DAMAGES = {
    "frames overwritten": (lambda asset: overwrite(storage.frames_path(asset)), storage.CHANGED),
    "frames overwritten and dated back": (
        lambda asset: overwrite(storage.frames_path(asset), keep_times=True), storage.CHANGED),
    "stored file overwritten": (lambda asset: overwrite(storage.stored_path(asset)), storage.CHANGED),
    "frames deleted": (lambda asset: storage.frames_path(asset).unlink(), storage.LOST),
    "stored file deleted": (lambda asset: storage.stored_path(asset).unlink(), storage.LOST),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_P07_damage_is_seen_in_a_process_that_has_looked_before(stored, name):
    asset, _ = stored
    damage, said = DAMAGES[name]
    assert storage.damage_of(asset) is None

    damage(asset)

    assert storage.damage_of(asset) == said
    assert not storage.is_complete(asset)


@pytest.mark.parametrize("name", DAMAGES)
def test_P07_importing_the_file_again_mends_it(stored, name):
    asset, path = stored
    DAMAGES[name][0](asset)

    with Decoder() as decoder:
        again = store_file(path, decoder=decoder)

    assert again.pk == asset.pk
    assert storage.problems_of(again) == []


def test_P07_no_metric_is_computed_from_a_changed_picture(stored):
    asset, _ = stored
    overwrite(storage.stored_path(asset))

    with pytest.raises(ImageError, match="failed its checksum"):
        load_image(asset)
    assert "failed its checksum" in str(Pictures().get(asset))


@pytest.mark.parametrize("name", DAMAGES)
def test_P07_verify_names_the_asset(stored, name):
    asset, _ = stored
    assert command("verify").code == 0
    DAMAGES[name][0](asset)

    said = command("verify")

    assert said.code == 1
    assert asset.sha256[:16] in said.out + said.err
