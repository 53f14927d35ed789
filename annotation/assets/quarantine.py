"""Who may be shown a picture that may carry identifying text, and what is left of one that was masked."""

from collections.abc import Iterable
from uuid import UUID

from django.core.exceptions import PermissionDenied

from annotation.assets import storage
from annotation.assets.models import Asset, PixelVerdict

NOT_SHOWN = "This image may show identifying text. It waits for a curator's verdict and is shown to curators only."
REMOVED = "This image was masked: its unmasked pixels were removed."


def held_among(assets: Iterable[UUID]) -> set[UUID]:
    """Which of these pictures are in quarantine: one query, none for no pictures."""
    asked = set(assets)
    if not asked:
        return set()
    return set(Asset.objects.in_quarantine().filter(pk__in=asked).values_list("pk", flat=True))


def refuse_quarantined(asset: Asset, *, curates: bool) -> None:
    """Let nobody but a curator be served the pixels of a picture in quarantine: one query, none for a curator.

    Raises:
        PermissionDenied: with words.
    """
    if not curates and held_among([asset.pk]):
        raise PermissionDenied(NOT_SHOWN)


def newest_verdict(asset: Asset) -> PixelVerdict | None:
    return (
        PixelVerdict.objects.filter(asset=asset).select_related("reviewer", "replacement").order_by("-number").first()
    )


def is_removed(asset: Asset) -> bool:
    """Whether the pixels were masked, so that their own files have to be gone."""
    verdict = newest_verdict(asset)
    return verdict is not None and verdict.kind == PixelVerdict.Kind.MASKED


def erase_masked(asset: Asset) -> bool:
    """Remove the files of a masked picture; whether there were some.

    The row stays: old revisions and the trail name it by its checksum.

    Raises:
        StoreAwayError: object storage holds them and did not remove them.
    """
    assert is_removed(asset), f"{asset} is not masked"
    return storage.erase(asset)


def unmasked_leftovers() -> list[Asset]:
    """Masked pictures whose unmasked files still lie in the store, after a crash between the act and the removal."""
    return [asset for asset in Asset.objects.masked() if storage.has_files(asset)]
