"""Acts on assets: clean and store a file, read a stored one."""

import hashlib
import hmac
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import IntegrityError, transaction

from annotation.assets import storage
from annotation.assets.models import Asset

if TYPE_CHECKING:
    from annotation.imaging.image import Image
    from annotation.imaging.sandbox import Decoder, Prepared


def deidentification_key() -> bytes:
    """The key under which UIDs are remapped and case keys are hashed; it follows the installation's secret."""
    return hmac.new(settings.SECRET_KEY.encode(), b"deidentify", hashlib.sha256).digest()


def store_file(path: Path, *, decoder: "Decoder") -> Asset:
    """Clean a file in the decoder's child process and store what is left of it.

    Raises:
        ImageError: the file is not an image that is read here, or over a limit.
    """
    return store_prepared(decoder.prepare(path, key=deidentification_key()))


def store_prepared(prepared: "Prepared") -> Asset:
    """Store a cleaned picture; identical bytes are one asset, whoever stored them first."""
    asset = unsaved_asset(prepared)
    existing = Asset.objects.filter(sha256=asset.sha256).first()
    if existing is None or not storage.is_complete(existing):
        storage.write_once(storage.stored_path(asset), prepared.data)
        storage.write_once(storage.frames_path(asset), prepared.frames)
        storage.write_once(storage.thumbnail_path(asset), prepared.thumbnail)
    return existing or _insert(asset)


def unsaved_asset(prepared: "Prepared") -> Asset:
    """The row that a cleaned picture would get; nothing is written."""
    return Asset(
        sha256=hashlib.sha256(prepared.data).hexdigest(),
        media_type=prepared.media_type,
        suffix=prepared.suffix,
        size_bytes=len(prepared.data),
        frames_header=prepared.header,
        **prepared.facts,
    )


def _insert(asset: Asset) -> Asset:
    try:
        with transaction.atomic():
            asset.save(force_insert=True)
    except IntegrityError:
        return Asset.objects.get(sha256=asset.sha256)
    return asset


def load_image(asset: Asset) -> "Image":
    """Decode the stored, cleaned file in this process (it was decoded in a child process when it was stored)."""
    from annotation.imaging.reading import read_image

    return read_image(storage.stored_path(asset))
