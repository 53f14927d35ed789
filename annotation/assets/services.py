"""Acts on assets: clean and store a file, read a stored one."""

import hashlib
import hmac
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import IntegrityError, transaction

from annotation.assets import storage
from annotation.assets.models import Asset, PixelVerdict
from annotation.imaging.burned_in import stronger

if TYPE_CHECKING:
    from annotation.imaging.image import Image
    from annotation.imaging.sandbox import Decoder, Prepared

RISKS = ("burned_in_text", "burned_in_unknown", "face_possible")


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
    """Store a cleaned picture; identical bytes are one asset, whoever stored them first.

    Pixels that were masked and removed do not come back when their file is delivered again.
    """
    asset = unsaved_asset(prepared)
    existing = Asset.objects.with_verdict().filter(sha256=asset.sha256).first()
    if existing is not None and existing.newest_verdict == PixelVerdict.Kind.MASKED:  # type: ignore[attr-defined]
        return existing
    if existing is None or not storage.is_complete(existing):
        contents = (prepared.data, prepared.frames_data, prepared.thumbnail)
        for (_, path, _), data in zip(storage.files_of(asset), contents, strict=True):
            storage.write_once(path, data)
    if existing is None:
        return _insert(asset)
    _learn(existing, asset)
    return existing


def _learn(existing: Asset, new: Asset) -> None:
    """What another file of a stored picture adds: a risk that this file names, or frames that had to be made again.

    A newer compressor may make other frames of the same samples; header and checksums then move together.
    """
    learned: dict[str, Any] = {}
    risks = set(RISKS) & set(new.flags) - set(existing.flags)
    if risks:
        learned = {"flags": sorted({*existing.flags, *risks}), "burned_in": existing.burned_in or new.burned_in}
    risk = stronger(existing.text_risk, new.text_risk)
    if risk != existing.text_risk:
        learned["text_risk"] = risk
    fields = ("frames_header", "frames_sha256", "thumbnail_sha256")
    same = all(getattr(existing, field) == getattr(new, field) for field in fields[1:])
    if not same and not storage.is_complete(existing):
        learned |= {field: getattr(new, field) for field in fields}
    if learned:
        for field, value in learned.items():
            setattr(existing, field, value)
        existing.save(update_fields=learned)


def unsaved_asset(prepared: "Prepared") -> Asset:
    """The row that a cleaned picture would get; nothing is written.

    Floating-point samples declare no range: then the lowest and highest sample stand in, and a flag says so.
    """
    header = prepared.frames_header
    flags = {*prepared.flags, *prepared.risk}
    data_range = prepared.data_range
    if data_range is None:
        data_range = header["quantiles"][0], header["quantiles"][-1]
        flags.add("range_of_samples")
    spacing = prepared.spacing_mm or (None, None)
    return Asset(
        sha256=hashlib.sha256(prepared.data).hexdigest(),
        pixel_digest=prepared.pixel_digest,
        kind=prepared.kind,
        media_type=prepared.media_type,
        suffix=prepared.suffix,
        size_bytes=len(prepared.data),
        width=prepared.width,
        height=prepared.height,
        frames=prepared.frames,
        channels=prepared.channels,
        bits=prepared.bits,
        signed=prepared.signed,
        unit=prepared.unit,
        data_low=data_range[0],
        data_high=data_range[1],
        inverted=prepared.inverted,
        spacing_row_mm=spacing[0],
        spacing_column_mm=spacing[1],
        slice_mm=prepared.slice_mm,
        modality=prepared.modality or "",
        burned_in=prepared.burned_in,
        text_risk=prepared.text_risk,
        flags=sorted(flags),
        removed=list(prepared.removed),
        frames_header=header,
        frames_sha256=hashlib.sha256(prepared.frames_data).hexdigest(),
        thumbnail_sha256=hashlib.sha256(prepared.thumbnail).hexdigest(),
    )


def _insert(asset: Asset) -> Asset:
    try:
        with transaction.atomic():
            asset.save(force_insert=True)
    except IntegrityError:
        return Asset.objects.get(sha256=asset.sha256)
    return asset


def load_image(asset: Asset) -> "Image":
    """Decode the stored, cleaned file in this process (it was decoded in a child process when it was stored).

    Raises:
        ImageError: the file is missing or is not what was stored.
    """
    from annotation.imaging.image import ImageError
    from annotation.imaging.reading import read_image

    damage = storage.stored_damage(asset)
    if damage is not None:
        raise ImageError("corrupt", f"the image {damage}")
    return read_image(storage.stored_path(asset))
