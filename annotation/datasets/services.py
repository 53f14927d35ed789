"""Acts on datasets."""

import re

from django.db import transaction

from annotation.audit.record import record
from annotation.datasets.errors import DatasetError
from annotation.datasets.models import Dataset
from annotation.people.models import User

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,58}[a-z0-9])?")
RESERVED = {"import", "new"}


def check_slug(slug: str, *, of: str = "dataset") -> None:
    """Refuse a short name that cannot stand in an address."""
    if slug in RESERVED:
        raise DatasetError(f"{of}: {slug!r}: is a word of our own addresses; choose another")
    if not SLUG.fullmatch(slug):
        raise DatasetError(
            f"{of}: {slug[:80]!r}: use 1 to 60 of a-z, 0-9, - and _, with a letter or digit at both ends"
        )


@transaction.atomic
def get_or_create_dataset(*, slug: str, actor: User | None, name: str = "", description: str = "") -> Dataset:
    """The dataset of this slug, made when it is new."""
    existing = Dataset.objects.filter(slug=slug).first()
    if existing is not None:
        return existing
    check_slug(slug)
    title = name or slug.replace("-", " ").replace("_", " ").capitalize()
    made = Dataset.objects.create(slug=slug, name=title[:120], description=description, created_by=actor)
    record("dataset created", actor=actor, subject=made)
    return made
