"""What an item says, as one checksum.

The hash covers everything an item states (words, choices, taxonomy, source, license) and the checksums of its
pictures in order. It does not cover ids, states, notes of the import, authors or times: two records that say
the same have the same hash wherever they came from.
"""

import hashlib
import json
from collections.abc import Iterable

from annotation.datasets.models import ItemImage, ItemRevision

STATED_FIELDS = (
    "instruction",
    "reference_text",
    "reference_sections",
    "choices",
    "context",
    "format",
    "task",
    "modality",
    "declared_subtask",
    "observed_subtask",
    "source",
    "license",
    "redistributable",
    "synopsis",
    "why_selected",
    "is_fixture",
)

ImagePlace = tuple[str, int, str]  # role, position, checksum of the asset


def revision_hash(revision: ItemRevision, images: Iterable[ImagePlace]) -> str:
    """The content hash of a revision, saved or not, with its pictures as (role, position, sha256)."""
    stated = {name: getattr(revision, name) for name in STATED_FIELDS}
    stated["images"] = sorted([str(role), position, sha256] for role, position, sha256 in images)
    text = json.dumps(stated, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def image_places(revision: ItemRevision) -> list[ImagePlace]:
    """The pictures of a stored revision, from the database (one query)."""
    images = ItemImage.objects.filter(revision=revision).select_related("asset")
    return [(image.role, image.position, image.asset.sha256) for image in images]
