"""Opening an uploaded zip archive without trusting it.

Everything is checked in the directory of the archive first and again while bytes come out; one bad entry
refuses the whole archive by the name of the entry, and nothing is left behind outside the target folder.
"""

import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from annotation.datasets.errors import UploadError

JUNK = {"__MACOSX", ".DS_Store", "Thumbs.db"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\:]")
_ARCHIVE_SUFFIXES = (".zip", ".tar", ".tgz", ".tbz2", ".txz", ".7z", ".rar", ".bz2", ".xz", ".gz", ".zst")
_ARCHIVE_MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\xfd7zXZ\x00", b"BZh")
BLOCK_BYTES = 1 << 20
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError, struct.error)


@dataclass(frozen=True)
class ZipLimits:
    """Bounds of one archive: entries, bytes of all and of one file when unpacked, and bytes out per byte in."""

    entries: int = 50_000
    total_bytes: int = 8 << 30
    file_bytes: int = 2 << 30
    ratio: int = 200
    ratio_free_bytes: int = 64 << 20
    name_characters: int = 240
    part_bytes: int = 255


def is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in {b"PK\x03\x04", b"PK\x05\x06"}


def unpack_zip(path: Path, into: Path, *, limits: ZipLimits | None = None) -> None:
    """Unpack an archive into an empty folder.

    Raises:
        UploadError: the archive or an entry breaks a rule; the message names the entry and the limit.
    """
    limits = limits or ZipLimits()
    try:
        with zipfile.ZipFile(path) as archive:
            entries = _checked_entries(archive, path.stat().st_size, limits)
            written = 0
            for entry in entries:
                written += _unpack_entry(archive, entry, into, limits.total_bytes - written)
    except DAMAGE as problem:
        raise UploadError(f"the archive is damaged or not a zip archive ({problem})") from problem


def _checked_entries(archive: zipfile.ZipFile, size: int, limits: ZipLimits) -> list[zipfile.ZipInfo]:
    everything = archive.infolist()
    if len(everything) > limits.entries:
        raise UploadError(f"{len(everything)} entries are more than {limits.entries}")
    if not all(entry.filename for entry in everything):
        raise UploadError("an entry has no name")
    _refuse_overlaps(everything, size)
    entries = [entry for entry in everything if not entry.is_dir() and not JUNK & set(entry.filename.split("/"))]
    seen: dict[str, str] = {}
    for entry in entries:
        name = entry.filename
        if not PurePosixPath(name).parts:
            raise UploadError(f"{name!r}: names no file")
        for rule in _broken_rules(entry, limits):
            raise UploadError(f"{name[:120]!r}: {rule}")
        folded = unicodedata.normalize("NFC", PurePosixPath(name).as_posix()).casefold()
        if folded in seen:
            raise UploadError(f"{name!r}: names the same file as {seen[folded]!r}")
        seen[folded] = name
    _refuse_files_as_folders(seen)
    total = sum(entry.file_size for entry in entries)
    if total > limits.total_bytes:
        raise UploadError(f"unpacked the archive has {total} bytes; the limit is {limits.total_bytes}")
    if total > limits.ratio_free_bytes and total > limits.ratio * size:
        raise UploadError(f"{size} bytes unpack to {total}; more than {limits.ratio} to 1 is refused")
    return entries


def _refuse_files_as_folders(seen: dict[str, str]) -> None:
    """No entry may lie below another one that is a file."""
    for folded, name in seen.items():
        for folder in PurePosixPath(folded).parents:
            if str(folder) in seen:
                raise UploadError(f"{name!r}: lies below {seen[str(folder)]!r}, which is a file")


def _refuse_overlaps(entries: list[zipfile.ZipInfo], size: int) -> None:
    """Entries that share bytes are how a small archive unpacks to a huge one."""
    end = 0
    for entry in sorted(entries, key=lambda each: each.header_offset):
        if entry.header_offset < end or entry.header_offset + entry.compress_size > size:
            raise UploadError(f"{entry.filename[:120]!r}: overlaps another entry or the end of the archive")
        end = entry.header_offset + entry.compress_size


def _broken_rules(entry: zipfile.ZipInfo, limits: ZipLimits) -> Iterator[str]:
    name, parts = entry.filename, PurePosixPath(entry.filename).parts
    mode = entry.external_attr >> 16
    kind = stat.S_IFMT(mode)
    if name.startswith("/") or ".." in parts or _CONTROL.search(getattr(entry, "orig_filename", name)):
        yield "leads out of the archive or holds a character that is not allowed in a name"
    if any(part != part.rstrip(". ") for part in parts):
        yield "ends in a dot or a blank"
    if len(name) > limits.name_characters:
        yield f"{len(name)} characters are more than {limits.name_characters}"
    if any(len(part.encode()) > limits.part_bytes for part in parts):
        yield f"has a name of more than {limits.part_bytes} bytes"
    if kind not in {0, stat.S_IFREG}:
        yield "is a link or a device, not a file"
    if entry.flag_bits & 0x1:
        yield "is encrypted"
    if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        yield "uses a compression other than deflate"
    if entry.file_size > limits.file_bytes:
        yield f"{entry.file_size} bytes unpacked are more than {limits.file_bytes}"
    if name.casefold().endswith(_ARCHIVE_SUFFIXES) and not name.casefold().endswith(".nii.gz"):
        yield "is an archive inside the archive; upload what it holds"


def _unpack_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, into: Path, room: int) -> int:
    """Write one file, counting what really comes out; returns its bytes."""
    target = into.joinpath(*PurePosixPath(entry.filename).parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with archive.open(entry) as source, target.open("xb") as file:
        while block := source.read(BLOCK_BYTES):
            if written == 0 and block.startswith(_ARCHIVE_MAGIC):
                raise UploadError(f"{entry.filename!r}: is an archive inside the archive; upload what it holds")
            written += len(block)
            if written > entry.file_size or written > room:
                raise UploadError(f"{entry.filename!r}: unpacks to more than the archive declares")
            file.write(block)
    return written
