"""A zip archive is not trusted: each trick is refused by the name of its entry and leaves nothing outside."""

import io
import stat
import struct
import zipfile

import pytest

from annotation.datasets.errors import UploadError
from annotation.datasets.unpacking import ZipLimits, unpack_zip


def archive(path, *entries, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as made:
        for name, content in entries:
            made.writestr(name, content)
    return path


def refused(path, tmp_path, **limits):
    into = tmp_path / "into"
    into.mkdir(exist_ok=True)
    with pytest.raises(UploadError) as problem:
        unpack_zip(path, into, limits=ZipLimits(**limits) if limits else None)
    assert {entry.name for entry in tmp_path.iterdir()} <= {"into", "home", path.name}
    return str(problem.value)


def test_a_plain_archive_is_unpacked_without_junk(tmp_path):
    path = archive(
        tmp_path / "a.zip", ("pack/data.jsonl", b"{}"), ("__MACOSX/pack/._data", b"x"), ("pack/.DS_Store", b"x")
    )
    (tmp_path / "into").mkdir()

    unpack_zip(path, tmp_path / "into")

    assert [entry.relative_to(tmp_path / "into").as_posix() for entry in (tmp_path / "into").rglob("*")] == [
        "pack", "pack/data.jsonl",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "/etc/evil", "C:\\evil", "..\\evil", "a\x1bb", "pack/evil.", "x" * 300]
)
def test_a_name_that_leads_out_or_lies_is_refused(name, tmp_path):
    said = refused(archive(tmp_path / "a.zip", ("ok.jsonl", b"{}"), (name, b"x")), tmp_path)

    assert said.startswith(repr(name[:120]))


def test_a_name_cut_by_nul_is_refused(tmp_path):
    path = archive(tmp_path / "a.zip", ("okXevil", b"x"))
    path.write_bytes(path.read_bytes().replace(b"okXevil", b"ok\x00evil"))

    assert "not allowed in a name" in refused(path, tmp_path)


def test_a_link_is_refused(tmp_path):
    entry = zipfile.ZipInfo("pack/link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16

    assert "is a link" in refused(archive(tmp_path / "a.zip", (entry, "/etc/passwd")), tmp_path)


@pytest.mark.parametrize("name", ["pack/inner.zip", "pack/picture.png", "pack/inner.tar.gz"])
def test_an_archive_inside_is_refused_by_name_or_content(name, tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as made:
        made.writestr("x", b"x")

    said = refused(archive(tmp_path / "a.zip", (name, inner.getvalue())), tmp_path)

    assert said == f"{name!r}: is an archive inside the archive; upload what it holds"


def test_a_gzipped_volume_is_no_archive(tmp_path):
    (tmp_path / "into").mkdir()

    unpack_zip(archive(tmp_path / "a.zip", ("scan.nii.gz", b"\x1f\x8b rest")), tmp_path / "into")

    assert (tmp_path / "into/scan.nii.gz").exists()


def test_twins_in_case_are_refused(tmp_path):
    assert "names the same file" in refused(archive(tmp_path / "a.zip", ("A.png", b"1"), ("a.PNG", b"2")), tmp_path)


def test_twins_in_unicode_form_are_refused(tmp_path):
    path = archive(tmp_path / "a.zip", ("\u00e9.png", b"1"), ("e\u0301.png", b"2"))

    assert "names the same file" in refused(path, tmp_path)


def test_a_file_that_another_entry_uses_as_a_folder_is_refused(tmp_path):
    path = archive(tmp_path / "a.zip", ("pack", b"x"), ("pack/data.jsonl", b"{}"))

    assert refused(path, tmp_path) == "'pack/data.jsonl': lies below 'pack', which is a file"


def test_a_name_that_no_file_system_takes_is_refused(tmp_path):
    path = archive(tmp_path / "a.zip", ("\N{DUCK}" * 64 + ".jsonl", b"{}"))

    assert refused(path, tmp_path).endswith("has a name of more than 255 bytes")


def test_a_name_that_is_not_unicode_is_refused(tmp_path):
    path = archive(tmp_path / "a.zip", ("é.jsonl", b"{}"))
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xff\xfe"))

    assert "damaged" in refused(path, tmp_path)


def test_a_bomb_is_refused_by_its_ratio(tmp_path):
    path = archive(tmp_path / "a.zip", ("zeros.bin", bytes(3_000_000)))

    assert "200 to 1" in refused(path, tmp_path, ratio_free_bytes=1_000_000)


def test_too_many_entries_and_too_many_bytes_are_refused(tmp_path):
    path = archive(tmp_path / "a.zip", *((f"{n}.txt", b"x" * 10) for n in range(30)))

    assert "30 entries are more than 20" in refused(path, tmp_path, entries=20)
    assert "the limit is 100" in refused(path, tmp_path, total_bytes=100)
    assert "are more than 5" in refused(path, tmp_path, file_bytes=5)


def test_an_entry_that_unpacks_to_more_than_it_declares_is_refused(tmp_path):
    path = archive(tmp_path / "a.zip", ("big.bin", bytes(100_000)))
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.index(signature) + offset
        data[at : at + 4] = struct.pack("<I", 10)
    path.write_bytes(bytes(data))

    refused(path, tmp_path)

    assert sum(file.stat().st_size for file in (tmp_path / "into").rglob("*")) <= 10


def test_entries_that_share_bytes_are_refused(tmp_path):
    path = archive(tmp_path / "a.zip", ("a.bin", b"x" * 100), ("b.bin", b"y" * 100), compression=zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 1)
    data[second + 42 : second + 46] = struct.pack("<I", 0)
    path.write_bytes(bytes(data))

    assert "overlaps" in refused(path, tmp_path)


def test_an_encrypted_entry_is_refused(tmp_path):
    path = archive(tmp_path / "a.zip", ("a.bin", b"x"), compression=zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    data[data.index(b"PK\x03\x04") + 6] |= 1
    path.write_bytes(bytes(data))

    assert "is encrypted" in refused(path, tmp_path)


def test_a_damaged_archive_is_refused(tmp_path):
    path = archive(tmp_path / "a.zip", ("a.bin", b"x" * 1000))
    path.write_bytes(path.read_bytes()[:60])

    assert "damaged" in refused(path, tmp_path)
