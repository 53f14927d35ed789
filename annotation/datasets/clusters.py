"""Which items stand or fall together: items of one case, and items that show one input picture.

Statistics resample clusters, not items; a study keeps a cluster with the same readers.
"""

from collections.abc import Hashable, Iterable
from uuid import UUID

from annotation.datasets.models import ItemImage, ItemRevision


def cluster_keys(revision_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The cluster of each revision, named by its smallest member (two queries).

    Two revisions are in one cluster when their items share a case key of one dataset or when they share an
    asset as *input*, directly or through others.
    """
    wanted = set(revision_ids)
    revisions = ItemRevision.objects.filter(pk__in=wanted)
    cases = revisions.exclude(item__case_key="").values_list("pk", "item__dataset_id", "item__case_key")
    inputs = ItemImage.objects.filter(revision__in=revisions, role=ItemImage.Role.INPUT)
    ties: list[tuple[UUID, Hashable]] = [(pk, ("case", dataset, key)) for pk, dataset, key in cases]
    ties += [(pk, ("asset", asset)) for pk, asset in inputs.values_list("revision_id", "asset_id")]
    return joined(wanted, ties)


def joined(members: Iterable[UUID], ties: Iterable[tuple[UUID, Hashable]]) -> dict[UUID, str]:
    """Union of all members that share a tie; each group is named by its smallest member."""
    parent = {member: member for member in members}

    def root(member: UUID) -> UUID:
        while parent[member] != member:
            parent[member] = parent[parent[member]]
            member = parent[member]
        return member

    first: dict[Hashable, UUID] = {}
    for member, tie in ties:
        one, other = root(member), root(first.setdefault(tie, member))
        if one != other:
            parent[max(one, other)] = min(one, other)
    return {member: str(root(member)) for member in parent}
