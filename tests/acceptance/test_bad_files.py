"""Files and words that nobody should hand over: uploads in the browser and arguments of commands."""

import io
import json
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from annotation.datasets.models import Dataset, Item
from annotation.studies.models import Study
from annotation.systems.models import Output, Submission, System
from annotation.work.executor import drain
from scoring.metrics.__main__ import main as metrics_command
from tests import factories
from tests.acceptance.bench import command, edit, lines, question, save
from tests.annotation.studies.world import design_data, released

pytestmark = [pytest.mark.django_db, pytest.mark.spread]

GARBAGE = np.random.default_rng(9).integers(0, 256, 5000, dtype=np.uint8).tobytes()
GOOD = json.dumps(question("1")).encode() + b"\n"


def zipped(*entries: tuple[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return target.getvalue()


def linked() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        entry = zipfile.ZipInfo("items/images")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc")
        archive.writestr("items/data.jsonl", GOOD)
    return target.getvalue()


def bomb() -> bytes:
    return zipped(("data.jsonl", GOOD), ("images/zeros.png", bytes(100_000_000)))


UPLOADS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "an empty file": ("data.jsonl", lambda: b""),
    "blank lines": ("data.jsonl", lambda: b"\n\n  \n"),
    "a picture": ("scan.png", lambda: b"\x89PNG\r\n\x1a\n" + GARBAGE),
    "a program": ("setup.exe", lambda: b"MZ" + GARBAGE),
    "garbage as lines": ("data.jsonl", lambda: GARBAGE),
    "NUL as lines": ("data.jsonl", lambda: b"\0" * 5000),
    "garbage as parquet": ("data.parquet", lambda: b"PAR1" + GARBAGE + b"PAR1"),
    "garbage as zip": ("data.zip", lambda: b"PK\x03\x04" + GARBAGE),
    "a cut zip": ("data.zip", lambda: zipped(("data.jsonl", GOOD * 400))[:-60]),
    "an empty zip": ("data.zip", lambda: zipped()),
    "a zip without records": ("data.zip", lambda: zipped(("readme.txt", b"hello"))),
    "a path that leads out": ("data.zip", lambda: zipped(("../../evil.jsonl", GOOD))),
    "an absolute path": ("data.zip", lambda: zipped(("/etc/evil.jsonl", GOOD))),
    "a link": ("data.zip", linked),
    "a zip in a zip": ("data.zip", lambda: zipped(("inner.zip", zipped(("data.jsonl", GOOD))), ("data.jsonl", GOOD))),
    "a hundred million zeros": ("data.zip", bomb),
    "a page under the name of records": ("data.jsonl", lambda: b"<html><script>alert(1)</script></html>\n"),
    "a name of many kinds": ("\u202e<b>../..\\" + "x" * 300 + ".jsonl", lambda: b""),
}


LOOKED_AT = {"garbage as lines", "NUL as lines", "a page under the name of records"}
"""Files that may be records: the preview names each line that is none; nothing is written unconfirmed."""


def form(page: str, name: str, content: bytes) -> dict[str, Any]:
    file = SimpleUploadedFile("x", content)
    file.name = name
    data: dict[str, Any] = {"file": file, "layout": "auto"}
    if page == "/datasets/import/":
        return data | {"new_dataset": "fresh"}
    return data | {"destination": "liver@1.0", "new_system": "fresh", "name": "Fresh", "kind": "vlm", "version": "1"}


def left_behind(home: Path) -> list[str]:
    return (
        [str(path.relative_to(home)) for path in (home / "uploads").rglob("*")] if (home / "uploads").exists() else []
    )


@pytest.fixture
def staff(db) -> Client:
    factories.item()
    factories.release()
    client = Client(raise_request_exception=False)
    client.force_login(factories.person("staff", is_curator=True, may_create_studies=True))
    return client


@pytest.mark.parametrize("page", ["/datasets/import/", "/outputs/import/"])
@pytest.mark.parametrize("said", UPLOADS)
def test_a_file_that_is_no_package_is_refused_with_a_reason_and_leaves_nothing(staff, home, page, said):
    name, make = UPLOADS[said]

    answer = staff.post(page, form(page, name, make()))

    body = answer.content.decode()
    if said in LOOKED_AT:
        assert answer.status_code == 200
        assert (answer.context["summary"].new, answer.context["summary"].refused > 0) == (0, True)
        assert "data.jsonl" in body
        answer = staff.post(page, {"upload": answer.context["upload"].id, "discard": "1"})
        body = "errorlist"
    else:
        assert answer.status_code == 422
    assert "Traceback" not in body and "<script>alert" not in body and "<b>.." not in body
    assert 'class="error' in body or "errorlist" in body or "alert" in body
    assert left_behind(home) == []
    assert (Dataset.objects.count(), Item.objects.count()) == (1, 1)
    assert (System.objects.count(), Submission.objects.count(), Output.objects.count()) == (0, 0, 0)
    assert not (home.parent / "evil.jsonl").exists()


def test_a_page_named_png_refuses_its_line_and_the_good_line_goes_in(staff, home, django_capture_on_commit_callbacks):
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    target = io.BytesIO()
    import PIL.Image

    PIL.Image.fromarray(pixels).save(target, "PNG")
    records = [edit("good"), edit("bad")]
    package = zipped(
        ("p/data.jsonl", b"".join(json.dumps(record).encode() + b"\n" for record in records)),
        ("p/images/good.png", target.getvalue()), ("p/images/good_ref.png", target.getvalue()),
        ("p/images/bad.png", b"<html><script>alert(1)</script>"), ("p/images/bad_ref.png", target.getvalue()),
    )  # fmt: skip

    looked = staff.post("/datasets/import/", form("/datasets/import/", "p.zip", package))
    upload = looked.context["upload"].id
    done = staff.post("/datasets/import/", {"upload": upload})
    with django_capture_on_commit_callbacks(execute=True):
        drain()

    assert (looked.status_code, done.status_code) == (200, 302)
    assert "bad.png" in looked.content.decode() and "<script>alert" not in looked.content.decode()
    assert Item.objects.filter(dataset__slug="fresh").count() == 1
    assert left_behind(home) == []


def one(record: dict[str, Any]) -> bytes:
    return json.dumps(record).encode() + b"\n"


BAD_FILES: dict[str, bytes | None] = {
    "missing.jsonl": None,
    "empty.jsonl": b"",
    "blank.jsonl": b"\n \n",
    "garbage.jsonl": GARBAGE,
    "garbage.parquet": b"PAR1" + GARBAGE,
    "zip.jsonl": zipped(("data.jsonl", GOOD)),
    "utf16.jsonl": GOOD.decode().encode("utf-16"),
    "list.jsonl": b"[1, 2]\n",
    "text.jsonl": b'"x"\n',
    "deep.jsonl": b"[" * 100_000 + b"\n",
    "nan.jsonl": b'{"a": NaN}\n',
    "surrogate.jsonl": one(question("1", instruction="a\ud800b")),
    "NUL.jsonl": one(question("1", instruction="a\0b")),
    "types.jsonl": one(question("1", instruction=["x"], choice={"a": 1}, answer=[[]])),
    "long.jsonl": one(question("1", sample_id="x" * 5000, source="y" * 5000, modality="z" * 5000)),
    "paths.jsonl": one(edit("1", input_image=["../../etc/passwd"], ground_truth_image=["/etc/passwd"])),
}


@pytest.fixture
def bad_files(tmp_path) -> Iterator[Path]:
    folder = tmp_path / "bad"
    folder.mkdir()
    for name, content in BAD_FILES.items():
        if content is not None:
            (folder / name).write_bytes(content)
    (folder / "nothing").mkdir()
    yield folder


@pytest.mark.parametrize("name", [*BAD_FILES, "nothing"])
def test_imports_of_a_bad_file_exit_with_1_or_2_and_say_which_file(bad_files, name):
    factories.item()
    factories.release()
    path = bad_files / name

    items = command("import_items", path, "--dataset", "fresh")
    outputs = command("import_outputs", path, "--dataset", "liver", "--release", "1.0", "--system", "aurora")

    for said in (items, outputs):
        assert said.code in {1, 2}, said
        assert name in said.err and "Traceback" not in said.err
    assert Item.objects.count() == 1
    assert (Output.objects.count(), Submission.objects.count()) == (0, 0)


@pytest.mark.parametrize("name", [*BAD_FILES, "nothing"])
def test_a_design_that_is_none_exits_with_1_or_2_and_makes_no_study(bad_files, name):
    said = command("create_study", bad_files / name)

    assert said.code in {1, 2}
    assert said.err and "Traceback" not in said.err
    assert Study.objects.count() == 0


@pytest.mark.parametrize(
    "change",
    [
        {"release": "liver@9"}, {"release": "x"}, {"release": None}, {"submissions": ["nobody"]}, {"submissions": []},
        {"submissions": [1]}, {"rubrics": ["T99"]}, {"rubrics": ["T1", "T1"]}, {"readers": ["ghost"]},
        {"readers": []},
        {"readers": [{"username": "reader", "cap": -1}]}, {"readers_per_item": 10**6}, {"gap": "x"}, {"seed": 10**40},
        {"name": ""}, {"name": "x" * 10_000}, {"name": "\0"}, {"name": "\ud800"}, {"slug": "new"}, {"slug": "../x"},
        {"unknown": 1}, {"due_on": "yesterday"}, {"formats": ["x"]}, {"tasks": "vqa"}, {"sample": 0},
        {"mode": "three"}, {"analysts": ["ghost"]}, {"instructions": "x" * 1_000_000},
    ],
    ids=lambda change: "=".join(f"{name} {ascii(value)[:20]}" for name, value in change.items()),
)  # fmt: skip
def test_a_wrong_design_names_its_field_and_makes_nothing(tmp_path, reader, other_reader, coordinator, change):
    released(2)
    data = design_data(reader, other_reader, coordinators=["coordinator"]) | change
    (tmp_path / "design.json").write_text(json.dumps(data), encoding="utf-8")

    said = command("create_study", tmp_path / "design.json", "--open")

    (name,) = change
    assert said.code in {1, 2}
    assert name in said.err or name.rstrip("s").replace("_", " ") in said.err
    assert Study.objects.count() == 0


WORDS = (
    "no-such",
    "",
    "\0",
    "SU-99999999999999999999999",
    "SU-²",
    "SU-x",
    "../x",
    "x" * 5000,
    "a@b@c",
    "@",
)


@pytest.mark.parametrize("word", WORDS, ids=lambda word: ascii(word)[:24])
@pytest.mark.parametrize(
    "words",
    [
        ["freeze_release", "*", "1.0"], ["freeze_release", "liver", "*"], ["freeze_release", "*", "*", "--check"],
        ["run_metrics", "*"], ["run_metrics", "--all", "--metrics", "*x"], ["metric_values", "*"], ["agreement", "*"],
        ["leaderboard", "*"], ["leaderboard", "liver", "--study", "*x"], ["review_status", "--dataset", "*"],
        ["people", "deactivate", "*"], ["people", "roles", "*", "curator"], ["people", "roles", "staff", "*x"],
        ["people", "reset", "*"], ["people", "set-password", "*", "--password-stdin"],
    ],
    ids=lambda words: " ".join(words),
)  # fmt: skip
def test_commands_refuse_unknown_names_with_exit_1_or_2(monkeypatch, words, word):
    factories.person("staff", is_operator=True)
    factories.item(state="imported")
    factories.dataset("liver")
    monkeypatch.setattr("sys.stdin", io.StringIO("a good password 1\n"))

    said = command(*(each.replace("*", word) for each in words))

    assert said.code in {1, 2}, said.out
    assert len(said.err.strip()) > 10 and "Traceback" not in said.err


@pytest.mark.parametrize("word", ["", "\0", "x" * 300, "a b", "<script>", "staff", "STAFF", "a\ud800b"], ids=ascii)
def test_a_person_with_an_impossible_name_is_refused(monkeypatch, word):
    factories.person("staff", is_operator=True)
    monkeypatch.setattr("sys.stdin", io.StringIO("a good password 1\n"))

    invited = command("people", "invite", word)
    added = command("people", "add", word, "--password-stdin")

    assert {invited.code, added.code} <= {1, 2}
    assert "user name" in invited.err and "user name" in added.err


def test_export_workbook_refuses_what_it_cannot_write(tmp_path):
    factories.item()
    study = factories.study(factories.release())

    unknown = command("export_workbook", "no-such", tmp_path / "out.xlsx")
    nowhere = command("export_workbook", study.slug, tmp_path / "no/such/folder/out.xlsx")
    folder = command("export_workbook", study.slug, tmp_path)

    for said in (unknown, nowhere, folder):
        assert said.code in {1, 2}
        assert len(said.err) > 10 and "Traceback" not in said.err
    assert list(tmp_path.glob("*.xlsx*")) == [] and [path.name for path in tmp_path.iterdir()] == ["home"]


NO_RECORDS = {
    "surrogate.jsonl",
    "NUL.jsonl",
    "long.jsonl",
    "paths.jsonl",
    "types.jsonl",
    "empty.jsonl",
    "blank.jsonl",
}


@pytest.mark.parametrize("name", [*sorted(set(BAD_FILES) - NO_RECORDS), "nothing", "garbage.png"])
def test_the_metrics_command_answers_bad_files_with_1_or_2(bad_files, capsys, name):
    (bad_files / "garbage.png").write_bytes(b"\x89PNG\r\n\x1a\n" + GARBAGE)
    save(bad_files / "fine/a.png", np.zeros((16, 16), np.uint8))
    lines(bad_files / "fine.jsonl", {"id": "1", "text": "x"})
    good = bad_files / ("fine.jsonl" if name.endswith(".jsonl") else "fine/a.png")

    for words in ([bad_files / name, good], [good, bad_files / name]):
        code = metrics_command([str(word) for word in words])
        said = capsys.readouterr()
        assert code in {1, 2}, (name, said)
        assert said.err and "Traceback" not in said.err


@pytest.mark.parametrize("name", sorted(NO_RECORDS))
def test_the_metrics_command_gives_no_number_for_what_is_not_there(bad_files, capsys, name):
    lines(bad_files / "fine.jsonl", {"id": "1", "text": "x"})

    for words in ([name, "fine.jsonl"], ["fine.jsonl", name]):
        code = metrics_command([*(str(bad_files / word) for word in words), "--json"])
        said = capsys.readouterr()
        assert code in {0, 1, 2} and said.err and "Traceback" not in said.err
        if code == 0:
            values = [cell for metrics in json.loads(said.out).values() for cell in metrics.values()]
            assert values and not any("value" in cell for cell in values)


@pytest.mark.long
def test_an_argument_that_is_not_utf_8_is_refused_in_words(tmp_path):
    environment = {"MEDGEN_HOME": str(tmp_path / "own"), "PATH": os.environ["PATH"], "PYTHONUTF8": "1"}
    root = Path(__file__).resolve().parents[2]
    made = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(made, cwd=root, env=environment, check=True, timeout=120)

    for words in (["agreement", b"a\xffb"], ["review_status", "--dataset", b"a\xffb"], ["metric_values", b"a\xffb"]):
        done = subprocess.run(
            [sys.executable, "manage.py", *words], cwd=root, env=environment, capture_output=True, timeout=60,
            check=False,
        )  # fmt: skip
        assert done.returncode in {1, 2}
        assert b"Traceback" not in done.stderr and b"UTF-8" in done.stderr
