"""Image references stay inside the package, whatever they try."""

import os
from pathlib import Path

import pytest

from annotation.formats import FormatError, ItemRecord, OutputRecord, Problem, read_records
from tests.annotation.formats.builders import put_images, put_lines, vqa

ATTACKS = {
    "../../etc/passwd": "must not climb out of its folder with `..`",
    "images/../../secret.png": "must not climb out of its folder with `..`",
    "images/..": "must not climb out of its folder with `..`",
    "..": "must not climb out of its folder with `..`",
    "/etc/passwd": "must be relative to the package, not absolute",
    "//host/share/a.png": "must be relative to the package, not absolute",
    "C:/Windows/a.png": "must be relative to the package, not absolute",
    "c:a.png": "must be relative to the package, not absolute",
    "file:///etc/passwd": "must be a path inside the package; URLs are not fetched",
    "http://169.254.169.254/latest": "must be a path inside the package; URLs are not fetched",
    "HTTPS://example.org/a.png": "must be a path inside the package; URLs are not fetched",
    "s3://bucket/a.png": "must be a path inside the package; URLs are not fetched",
    "data:image/png;base64,AAAA": "must be a path inside the package; URLs are not fetched",
    "\\\\host\\share\\a.png": "must use forward slashes; backslashes and network paths are not read",
    "images\\a.png": "must use forward slashes; backslashes and network paths are not read",
    "C:\\a.png": "must use forward slashes; backslashes and network paths are not read",
    "images/a\n.png": "must not hold control characters",
    "images/": "must name a file",
    "images/.": "must name a file",
    "images/" + "a" * 2000: "must be at most 1,024 characters",
    "images/" + "a" * 300: "cannot be looked up (File name too long)",
    "folder": "must name a regular file",
    "pipe": "must name a regular file",
    "link_out.png": "must stay inside the package; this link leads out of it",
    "folder_out/secret.png": "must stay inside the package; this link leads out of it",
    "dangling_out.png": "must stay inside the package; this link leads out of it",
    "loop.png": "must name a regular file",
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    root = tmp_path / "package"
    put_images(tmp_path, "secret.png", "outside/secret.png")
    put_images(root, "images/a.png", "folder/b.png")
    (root / "link_out.png").symlink_to(tmp_path / "secret.png")
    (root / "folder_out").symlink_to(tmp_path / "outside")
    (root / "dangling_out.png").symlink_to("/nowhere/a.png")
    (root / "loop.png").symlink_to("loop.png")
    (root / "link_in.png").symlink_to("images/a.png")
    os.mkfifo(root / "pipe")
    return root


@pytest.mark.parametrize(("raw", "rule"), ATTACKS.items(), ids=[raw[:30] for raw in ATTACKS])
@pytest.mark.parametrize("kind", ["items", "outputs"])
def test_a_reference_that_leads_out_refuses_its_line(package: Path, kind: str, raw: str, rule: str):
    bad = vqa(input_image=raw) if kind == "items" else {"sample_id": "a", "output_image": raw}
    good = vqa(input_image="images/a.png") if kind == "items" else {"sample_id": "b", "output_image": "images/a.png"}

    first, second = read_records(put_lines(package / "a.jsonl", bad, good), kind=kind)

    assert isinstance(first, Problem)
    assert (first.line, first.field) == (1, "input_image" if kind == "items" else "output_image")
    assert first.rule == rule
    assert first.value
    assert isinstance(second, ItemRecord | OutputRecord)


def test_a_link_that_stays_inside_is_followed(package: Path):
    (record,) = read_records(put_lines(package / "a.jsonl", vqa(input_image="link_in.png")))

    assert record.input_images == ((package / "images" / "a.png").resolve(),)


@pytest.mark.parametrize("raw", ["./images/a.png", "images//a.png", "images/./a.png"])
def test_harmless_spellings_find_the_file(package: Path, raw: str):
    (record,) = read_records(put_lines(package / "a.jsonl", vqa(input_image=raw)))

    assert record.input_images == ((package / "images" / "a.png").resolve(),)


def test_a_null_byte_is_refused_by_the_line(package: Path):
    (found,) = read_records(put_lines(package / "a.jsonl", vqa(input_image="images/a\x00.png")), layout="canonical")

    assert (found.field, found.value, found.rule) == ("input_image", "images/a␀.png", "must not hold NUL (U+0000)")


def test_composed_and_decomposed_names_find_the_same_file(package: Path):
    put_images(package, "images/ro\u0308ntgen.png")

    (record,) = read_records(put_lines(package / "a.jsonl", vqa(input_image="images/r\u00f6ntgen.png")))

    assert [path.name for path in record.input_images] == ["ro\u0308ntgen.png"]


def test_a_package_reached_through_a_link_is_read(package: Path, tmp_path: Path):
    put_lines(package / "a.jsonl", vqa(input_image="images/a.png"))
    (tmp_path / "shortcut").symlink_to(package)

    (record,) = read_records(tmp_path / "shortcut" / "a.jsonl")

    assert isinstance(record, ItemRecord)


def test_a_task_folder_may_not_reach_into_its_neighbor(tmp_path: Path):
    put_images(tmp_path, "VQA/question-answering/images/a.png")
    put_lines(tmp_path / "VQA/multiple-choice/data.jsonl", vqa(input_image="../question-answering/images/a.png"))

    (found,) = read_records(tmp_path)

    assert found.rule == "must not climb out of its folder with `..`"


def test_a_data_file_that_is_a_link_out_is_refused(tmp_path: Path):
    put_lines(tmp_path / "outside.jsonl", vqa())
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "a.jsonl").symlink_to(tmp_path / "outside.jsonl")

    with pytest.raises(FormatError, match=r"a\.jsonl: is a link that leads out of the folder"):
        read_records(tmp_path / "package")


def test_images_of_a_task_come_from_its_own_folder_inside_the_images(tmp_path: Path):
    put_images(tmp_path / "pictures", "images/a.png", "VQA/multiple-choice/images/a.png", "images/b.png")
    put_lines(tmp_path / "texts/VQA/multiple-choice/data.jsonl", vqa(input_image=["images/a.png", "images/b.png"]))

    (record,) = read_records(tmp_path / "texts", images=tmp_path / "pictures")

    root = (tmp_path / "pictures").resolve()
    assert record.input_images == (root / "VQA/multiple-choice/images/a.png", root / "images/b.png")


def test_a_missing_folder_of_images_is_refused_at_once(package: Path):
    path = put_lines(package / "a.jsonl", vqa())

    with pytest.raises(FileNotFoundError, match="gone: there is no such folder of images"):
        read_records(path, images=package / "gone")
