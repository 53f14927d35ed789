"""Files a person uploaded and has not confirmed yet: one folder each, outside the store of assets.

An upload belongs to the person who made it, holds the file (or what its archive held) and what the form said,
and goes when it is imported, given up, or a day old.
"""

import json
import shutil
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler

from annotation.audit.record import record
from annotation.datasets.errors import UploadError
from annotation.datasets.unpacking import is_zip, unpack_zip
from annotation.people.models import User

KEPT_SECONDS = 24 * 3600
NAME_BYTES = 120
FORM_BYTES = 2 * 1024**2
RECORD_SUFFIXES = (".jsonl", ".json", ".parquet")


class BoundedUploadHandler(TemporaryFileUploadHandler):
    """Spools an uploaded file to the disk, unless its body says beforehand that it is longer than is taken.

    Whoever is not signed in uploads nothing larger than a form.
    """

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        user = getattr(self.request, "user", None)
        known = user is not None and user.is_authenticated
        limit = FORM_BYTES + (settings.MEDGEN_UPLOAD_BYTES if known else 0)
        if content_length > limit:
            raise RequestDataTooBig(f"The body is longer than {limit // 1024:,} KiB.")


@dataclass(frozen=True)
class Upload:
    """One staged file: where it lies, what the form said about it."""

    id: str
    folder: Path
    name: str
    said: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The file, or the folder its archive was unpacked into."""
        return self.folder / "files" / self.name


def stage_upload(file: "UploadedFile[bytes]", *, owner: User, kind: str, said: dict[str, Any]) -> Upload:
    """Keep an uploaded file until it is confirmed; a refusal is left in the trail without the file's name.

    Raises:
        UploadError: too large, neither records nor an archive, or an archive that breaks a rule.
    """
    try:
        return _staged(file, owner=owner, kind=kind, said=said)
    except UploadError:
        record("upload refused", actor=owner, kind=kind)
        raise


def _staged(file: "UploadedFile[bytes]", *, owner: User, kind: str, said: dict[str, Any]) -> Upload:
    _sweep()
    name = _short_name(str(file.name))
    limit = settings.MEDGEN_UPLOAD_BYTES
    if file.size is not None and file.size > limit:
        raise UploadError(f"{name}: {file.size} bytes are more than {limit}")
    made = _root() / str(uuid.uuid4())
    (made / "files").mkdir(parents=True)
    try:
        name = _keep(file, made, name)
        upload = Upload(made.name, made, name, said)
        facts = {"owner": str(owner.pk), "kind": kind, "name": name, "said": said}
        (made / "upload.json").write_text(json.dumps(facts), encoding="utf-8")
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return upload


def _short_name(name: str) -> str:
    """The last part of a file's name, its end kept, short enough for any file system."""
    last = PurePosixPath(name.replace("\\", "/")).name
    return last.encode()[-NAME_BYTES:].decode(errors="ignore") or "upload"


def _keep(file: "UploadedFile[bytes]", made: Path, name: str) -> str:
    draft = made / "draft"
    with draft.open("xb") as target:
        for block in file.chunks():
            target.write(block)
    if is_zip(draft):
        folder = name[: -len(".zip")] if name.casefold().endswith(".zip") else name
        folder = folder.strip(". ") or "archive"
        into = made / "files" / folder
        into.mkdir()
        try:
            unpack_zip(draft, into)
        except UploadError as problem:
            raise UploadError(f"{name}: {problem}") from problem
        draft.unlink()
        return folder
    if not name.casefold().endswith(RECORD_SUFFIXES):
        raise UploadError(f"{name}: is none of .zip (a folder), {', '.join(RECORD_SUFFIXES)}")
    draft.rename(made / "files" / name)
    return name


def find_upload(upload_id: str, *, owner: User, kind: str) -> Upload | None:
    """The upload of this person, or None when it is someone else's, of another kind, used, or too old."""
    try:
        folder = _root() / str(uuid.UUID(upload_id))
        facts = json.loads((folder / "upload.json").read_text(encoding="utf-8"))
    except (ValueError, FileNotFoundError):
        return None
    if facts["owner"] != str(owner.pk) or facts["kind"] != kind:
        return None
    return Upload(folder.name, folder, facts["name"], facts["said"])


def discard_upload(upload: Upload) -> None:
    shutil.rmtree(upload.folder, ignore_errors=True)


def _root() -> Path:
    return Path(settings.MEDGEN_HOME) / "uploads"


def _sweep() -> None:
    """Remove uploads nobody confirmed within a day."""
    root = _root()
    if not root.exists():
        return
    for folder in root.iterdir():
        if time.time() - folder.stat().st_mtime > KEPT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
