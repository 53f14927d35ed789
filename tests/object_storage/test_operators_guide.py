"""The operator's guide as written: its lines of settings, its commands and its policy, with a bucket of the tests."""

import json
import os
import re
import shlex
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests import images, migrated
from tests.acceptance.bench import edit, lines
from tests.object_storage.server import BUCKET, ObjectStore

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "guide" / "operator.md"
OPERATOR = ROOT / "docs" / "guide" / "operator"
pytestmark = [pytest.mark.xdist_group("object-store"), pytest.mark.long]


def settings_of(name: str) -> dict[str, str]:
    rows = [row for row in (OPERATOR / name).read_text().splitlines() if not row.startswith("#")]
    return dict(row.split("=", 1) for row in rows)


def block() -> str:
    """The commands under the heading of object storage."""
    chapter = GUIDE.read_text().split("## Pictures in an object storage", 1)[1]
    return re.search(r"```sh\n(.*?)```", chapter, re.DOTALL)[1]


def environment(store: ObjectStore, home: Path) -> dict[str, str]:
    """Both documented files of settings, with this machine's folders, address and keys."""
    documented = settings_of("medgen.env") | settings_of("object-storage.env")
    assert set(store.environment) - {"AWS_EC2_METADATA_DISABLED"} <= set(documented)
    own = {"MEDGEN_HOME": str(home), "PATH": os.environ["PATH"]}
    own["MEDGEN_OBJECT_STORAGE"] = documented["MEDGEN_OBJECT_STORAGE"].replace("department", home.parent.name)
    del documented["DATABASE_URL"]
    return documented | store.environment | own


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with two pictures in its folder, as it was before object storage."""
    home = tmp_path / "home"
    migrated.put_sqlite(home)
    (tmp_path / "package" / "images").mkdir(parents=True)
    images.save_png(tmp_path / "package/images/0.png", images.photograph())
    images.save_png(tmp_path / "package/images/0_ref.png", images.photograph() // 2)
    lines(tmp_path / "package/data.jsonl", edit("0"))
    subprocess.run(
        [sys.executable, "manage.py", "import_items", str(tmp_path / "package"), "--dataset", "guide"],
        cwd=ROOT, env={"PATH": os.environ["PATH"], "MEDGEN_HOME": str(home)}, check=True, capture_output=True,
        timeout=120,
    )  # fmt: skip
    return home


def test_the_documented_commands_move_all_pictures_into_the_bucket(home, store):
    run = environment(store, home)
    script = block()
    for old, new in (
        ("set -a; . /etc/medgen.env; set +a\n", ""),
        ("runuser -u medgen -- .venv/bin/python", shlex.quote(sys.executable)),
    ):  # fmt: skip
        assert old in script, f"the guide no longer says {old}"
        script = script.replace(old, new)

    said = subprocess.run(
        ["sh", "-e", "-c", script], cwd=ROOT, env=run, capture_output=True, text=True, timeout=300, check=False
    )

    assert said.returncode == 0, said.stderr
    assert "6 files copied" in said.stdout
    assert "Every checksum matched." in said.stdout
    prefix = run["MEDGEN_OBJECT_STORAGE"].removeprefix(f"s3://{BUCKET}/")
    listed = store.client().list_objects_v2(Bucket=BUCKET, Prefix=f"{prefix}/")["Contents"]
    with sqlite3.connect(home / "medgen.sqlite3") as opened:
        rows = opened.execute("SELECT sha256, frames_sha256, thumbnail_sha256 FROM annotation_asset").fetchall()
    assert {entry["Key"].rsplit("/", 1)[1].split(".")[0] for entry in listed} == {sha for row in rows for sha in row}


def test_the_documented_rights_are_those_the_product_uses():
    policy = json.loads((OPERATOR / "bucket-policy.json").read_text())
    source = (ROOT / "annotation" / "assets" / "bucket.py").read_text()

    granted = {action for statement in policy["Statement"] for action in statement["Action"]}

    used = set(re.findall(r"\.(get_object|put_object|delete_object|list_objects_v2|head_object)\b", source))
    needs = {
        "get_object": "s3:GetObject", "head_object": "s3:GetObject", "put_object": "s3:PutObject",
        "delete_object": "s3:DeleteObject", "list_objects_v2": "s3:ListBucket",
    }  # fmt: skip
    assert {needs[name] for name in used} | {"s3:ListBucket"} == granted
    assert not re.search(r"generate_presigned|_acl\(", source)


def test_a_cache_outside_the_home_is_closed_to_other_accounts(tmp_path):
    run = {"PATH": os.environ["PATH"], "MEDGEN_HOME": str(tmp_path / "h"), "MEDGEN_ASSETS": str(tmp_path / "c" / "d")}
    subprocess.run([sys.executable, "-c", "import medgen.settings"], cwd=ROOT, env=run, check=True, timeout=60)

    assert os.stat(tmp_path / "c" / "d").st_mode & 0o777 == 0o700
