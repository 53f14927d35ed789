"""Acts on datasets."""

import re

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet

from annotation.audit.record import hold, record
from annotation.datasets.errors import DatasetError
from annotation.datasets.models import Dataset, DatasetMember
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
    hold()
    if (made_meanwhile := Dataset.objects.filter(slug=slug).first()) is not None:
        return made_meanwhile
    title = name or slug.replace("-", " ").replace("_", " ").capitalize()
    made = Dataset.objects.create(slug=slug, name=title[:120], description=description, created_by=actor)
    record("dataset created", actor=actor, subject=made)
    return made


def may_curate(user: User, dataset: Dataset) -> bool:
    """Whether this person imports into a dataset, reviews and freezes it. A query only for a closed dataset."""
    if not user.is_curator or not dataset.members_only:
        return user.is_curator
    return dataset.members.filter(user=user, role=DatasetMember.Role.CURATOR).exists()


def refuse_unless_member(user: User | None, dataset: Dataset) -> None:
    """Stop an act of curation by somebody who is no curator among the members of a closed dataset.

    Raises:
        PermissionDenied: with words; None, a command without a person, passes.
    """
    if user is not None and dataset.members_only and not may_curate(user, dataset):
        raise PermissionDenied("Only its curators change this dataset; you are not one of them.")


def _effective_curators(dataset: Dataset) -> QuerySet[DatasetMember]:
    """Members who can do a curator's work: the account is open and has the site role."""
    curators = dataset.members.filter(role=DatasetMember.Role.CURATOR)
    return curators.filter(user__is_active=True, user__is_curator=True)


@transaction.atomic
def add_member(*, dataset: Dataset, user: User, role: str, actor: User | None) -> DatasetMember:
    """Let a person into a dataset, or give a member another role.

    Raises:
        DatasetError: the role is unknown, the person cannot see items, or the last curator would become a viewer.
    """
    if role not in DatasetMember.Role.values:
        raise DatasetError(f"role: {role[:40]!r}: must be one of {', '.join(DatasetMember.Role.values)}")
    if not user.is_active:
        raise DatasetError(f"{user}: the account is deactivated")
    if not user.may_see_items:
        raise DatasetError(f"{user}: is neither curator nor study creator; an operator gives site roles")
    if role == DatasetMember.Role.CURATOR and not user.is_curator:
        raise DatasetError(f"{user}: does not hold the site role of a curator; add them as a viewer")
    dataset = Dataset.objects.select_for_update().get(pk=dataset.pk)
    held = dataset.members.filter(user=user).first()
    if held is not None and held.role == role:
        raise DatasetError(f"{user}: is {role} of this dataset already")
    if held is not None and role == DatasetMember.Role.VIEWER:
        _refuse_without_curator(dataset, held)
    member, _ = DatasetMember.objects.update_or_create(
        dataset=dataset, user=user, defaults={"role": role, "added_by": actor}
    )
    record("member added" if held is None else "member role set", actor=actor, subject=dataset, **_told(user, role))
    return member


@transaction.atomic
def remove_member(*, dataset: Dataset, user: User, actor: User | None) -> None:
    """Take a person out of a dataset; what they did in it stays.

    Raises:
        DatasetError: the person is no member, or the last curator of a closed dataset.
    """
    dataset = Dataset.objects.select_for_update().get(pk=dataset.pk)
    held = dataset.members.filter(user=user).first()
    if held is None:
        raise DatasetError(f"{user}: is no member of this dataset")
    _refuse_without_curator(dataset, held)
    held.delete()
    record("member removed", actor=actor, subject=dataset, **_told(user, held.role))


@transaction.atomic
def set_members_only(*, dataset: Dataset, members_only: bool, actor: User | None) -> Dataset:
    """Close a dataset to all but its members, or open it to everybody who sees items.

    Whoever closes it becomes its curator, when they can be one and nobody is.

    Raises:
        DatasetError: nobody could curate it then.
    """
    dataset = Dataset.objects.select_for_update().get(pk=dataset.pk)
    if dataset.members_only == members_only:
        return dataset
    if members_only and not _effective_curators(dataset).exists():
        if actor is None or not actor.is_curator:
            raise DatasetError("nobody could curate this dataset; add a curator first")
        add_member(dataset=dataset, user=actor, role=DatasetMember.Role.CURATOR, actor=actor)
    dataset.members_only = members_only
    dataset.save(update_fields=["members_only"])
    record("dataset closed" if members_only else "dataset opened", actor=actor, subject=dataset)
    return dataset


def _refuse_without_curator(dataset: Dataset, held: DatasetMember) -> None:
    curators = _effective_curators(dataset)
    if dataset.members_only and curators.filter(pk=held.pk).exists() and not curators.exclude(pk=held.pk).exists():
        raise DatasetError(f"{held.user}: is the last curator of this dataset; add another one first")


def _told(user: User, role: str) -> dict[str, str]:
    return {"person": str(user.pk), "role": role}
