"""The pictures of an import: each file decoded once, in this import and in later ones.

What a source file became is noted under a keyed digest of its bytes (never its name), so importing the same
file again finds the asset without decoding it.
"""

import hashlib
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings

from annotation.assets import storage
from annotation.assets.models import Asset
from annotation.assets.quarantine import held_among, is_removed
from annotation.assets.services import deidentification_key, store_prepared, unsaved_asset
from annotation.imaging.fingerprint import keyed_hash
from annotation.imaging.image import ImageError

if TYPE_CHECKING:
    from annotation.imaging.sandbox import Decoder, Prepared


@dataclass(frozen=True, slots=True)
class Picture:
    """A cleaned picture: its asset (not a row yet in a dry run) and the keyed hash of its patient, if any.

    in_quarantine: it waits for a curator's verdict on text in its pixels; not asked in a dry run.
    """

    asset_id: UUID
    sha256: str
    pixel_digest: str
    case_key: str
    in_quarantine: bool = False


class Pictures:
    """Turns files into assets through one decoder; with `keep` off nothing is written.

    A file that cannot be decoded raises its `ImageError` every time it is asked for, and is tried once.

    Args:
        decoder: the child process that decodes.
        keep: store what was decoded.
        prepared: folder that carries decoded pictures from a dry run to the run that follows it.
    """

    def __init__(self, decoder: "Decoder", *, keep: bool, prepared: Path | None = None) -> None:
        self._decoder = decoder
        self._keep = keep
        self._prepared = PreparedFolder(prepared) if prepared is not None else None
        self._key = deidentification_key()
        self._taken: dict[str, Picture | ImageError] = {}
        self._paths: dict[Path, str] = {}

    def take(self, path: Path) -> Picture:
        """The picture of a file.

        Raises:
            ImageError: the file is not an image that is read here, or over a limit.
        """
        digest = self._digest(path)
        known = self._taken.get(digest)
        if known is None:
            try:
                known = self._noted(digest) or self._decoded(path, digest)
            except ImageError as problem:
                known = problem
            self._taken[digest] = known
        if isinstance(known, ImageError):
            raise known
        return known

    def _digest(self, path: Path) -> str:
        """Keyed digest of the bytes; a file over the decoder's limit is left to the decoder to refuse."""
        digest = self._paths.get(path)
        if digest is None:
            if path.stat().st_size > self._decoder.limits.file_bytes:
                return keyed_hash(str(path), key=self._key, purpose="too large")
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            digest = self._paths[path] = keyed_hash(content, key=self._key, purpose="source")
        return digest

    def _decoded(self, path: Path, digest: str) -> Picture:
        prepared = self._prepared.get(digest) if self._prepared else None
        if prepared is None:
            prepared = self._decoder.prepare(path, key=self._key)
            if self._prepared and not self._keep:
                self._prepared.put(digest, prepared)
        asset = store_prepared(prepared) if self._keep else unsaved_asset(prepared)
        if self._keep:
            _write_note(digest, {"asset": asset.sha256, "case_key": prepared.case_key or ""})
        return self._picture(asset, prepared.case_key or "")

    def _noted(self, digest: str) -> Picture | None:
        try:
            note = json.loads(_note_path(digest).read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return None
        asset = Asset.objects.filter(sha256=note["asset"]).first()
        if asset is None or note["method"] != _method() or not (storage.is_complete(asset) or is_removed(asset)):
            return None
        return self._picture(asset, note["case_key"])

    def _picture(self, asset: Asset, case_key: str) -> Picture:
        shut = self._keep and bool(held_among([asset.pk]))
        return Picture(asset.pk, asset.sha256, asset.pixel_digest, case_key, shut)


class PreparedFolder:
    """Decoded pictures between the preview of an upload and its confirmation, by the digest of their source."""

    _BYTES = ("data", "frames_data", "thumbnail")

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, digest: str, prepared: "Prepared") -> None:
        for name in self._BYTES:
            storage.write_once(self._folder / f"{digest}.{name}", getattr(prepared, name))
        facts = {field.name: getattr(prepared, field.name) for field in fields(prepared)}
        said = json.dumps({name: value for name, value in facts.items() if name not in self._BYTES})
        storage.write_once(self._folder / f"{digest}.json", said.encode("ascii"))

    def get(self, digest: str) -> "Prepared | None":
        from annotation.imaging.sandbox import Prepared

        try:
            facts = json.loads((self._folder / f"{digest}.json").read_text(encoding="ascii"))
            blobs = {name: (self._folder / f"{digest}.{name}").read_bytes() for name in self._BYTES}
        except FileNotFoundError:
            return None
        if "text_risk" not in facts:
            return None
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()
        }
        return Prepared(**(values | blobs))


def _method() -> str:
    """How pictures are cleaned; a new method forgets what older ones made."""
    from annotation.imaging.deidentify import METHOD

    return METHOD


def _note_path(digest: str) -> Path:
    return Path(settings.MEDGEN_HOME) / "sources" / digest[:2] / f"{digest}.json"


def _write_note(digest: str, note: dict[str, Any]) -> None:
    text = json.dumps(note | {"method": _method()})
    storage.write_once(_note_path(digest), text.encode("ascii"))
