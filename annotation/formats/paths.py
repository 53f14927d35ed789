"""Image references of a record: found inside the package, or refused by rule.

A reference is a relative path with forward slashes. Absolute paths, `..`, URLs, backslashes and drives, control
characters, and links that lead out of the package are refused; nothing is ever fetched or opened here.
"""

import os
import re
import stat
import unicodedata
from pathlib import Path

from annotation.formats.lines import LineError

MAX_PATH = 1024
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://|(?:data|file|https?|ftp|javascript|mailto|urn):", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:")
_MAX_CACHED_FOLDERS = 4096


class Package:
    """The folder that references of one file may not leave.

    Args:
        root: no reference may lead out of this folder.
        bases: folders inside the root in which a reference is looked for, in this order; the root when empty.
    """

    def __init__(self, root: Path, bases: tuple[Path, ...] = ()) -> None:
        self.root = os.path.realpath(root)
        self.bases = tuple(os.path.realpath(base) for base in bases) or (self.root,)
        self._inside = self.root if self.root.endswith(os.sep) else self.root + os.sep
        self._folders: dict[tuple[str, str], str] = {}

    def find(self, raw: str, field: str) -> Path | None:
        """Return the file that a reference names, or None when there is none.

        Args:
            raw: the reference as found in the record.
            field: the field it stands in, for the refusal.

        Raises:
            LineError: the reference breaks a rule, leads out of the package, or names no regular file.
        """
        check_reference(raw, field)
        for spelling in _spellings(raw):
            for base in self.bases:
                found = self._existing(base, spelling, field)
                if found is not None:
                    return Path(found)
        return None

    def _existing(self, base: str, raw: str, field: str) -> str | None:
        folder, _, name = raw.rpartition("/")
        if not name or name == ".":
            raise LineError(field, raw, "must name a file")
        real_folder = self._folders.get((base, folder))
        if real_folder is None:
            if len(self._folders) >= _MAX_CACHED_FOLDERS:
                self._folders.clear()
            real_folder = self._folders[base, folder] = os.path.realpath(os.path.join(base, folder))
        real = f"{real_folder}/{name}"
        try:
            mode = os.lstat(real).st_mode
            if stat.S_ISLNK(mode):
                real = os.path.realpath(real)
                mode = os.lstat(real).st_mode
        except (FileNotFoundError, NotADirectoryError):
            mode = 0
        except OSError as error:
            raise LineError(field, raw, f"cannot be looked up ({error.strerror})") from error
        if not (real + os.sep).startswith(self._inside):
            raise LineError(field, raw, "must stay inside the package; this link leads out of it")
        if mode and not stat.S_ISREG(mode):
            raise LineError(field, raw, "must name a regular file")
        return real if mode else None


def check_reference(raw: str, field: str) -> None:
    """Refuse a reference whose spelling alone breaks a rule.

    Raises:
        LineError: with the rule.
    """
    rule = ""
    if len(raw) > MAX_PATH:
        rule = f"must be at most {MAX_PATH:,} characters"
    elif not raw.isprintable() and any(unicodedata.category(character) == "Cc" for character in raw):
        rule = "must not hold control characters"
    elif "\\" in raw:
        rule = "must use forward slashes; backslashes and network paths are not read"
    elif _URL.match(raw):
        rule = "must be a path inside the package; URLs are not fetched"
    elif raw.startswith("/") or _DRIVE.match(raw):
        rule = "must be relative to the package, not absolute"
    elif ".." in raw and ".." in raw.split("/"):
        rule = "must not climb out of its folder with `..`"
    if rule:
        raise LineError(field, raw, rule)


def base_name(raw: str) -> str:
    """Return the last part of a reference, whichever slash it uses."""
    return raw.replace("\\", "/").rstrip("/").rpartition("/")[2]


def _spellings(raw: str) -> tuple[str, ...]:
    """The reference, and its composed and decomposed Unicode forms where they differ."""
    if raw.isascii():
        return (raw,)
    forms = (raw, unicodedata.normalize("NFC", raw), unicodedata.normalize("NFD", raw))
    return tuple(dict.fromkeys(forms))
