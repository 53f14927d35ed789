"""Putting what was recorded before chains existed into chains, for the upgrade of a used home.

Works on the models as a migration knows them. Doing it again changes nothing.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.apps.registry import Apps
from django.db.models import Model
from django.utils import timezone

from annotation.audit.links import SITE, link_hash

AT_ONCE = 500
_OF_STUDY = ("reading", "enrollment")


class Chains:
    """The heads of all chains while links are added."""

    def __init__(self, apps: Apps) -> None:
        self._event: type[Model] = apps.get_model("annotation", "Event")
        self._head: type[Model] = apps.get_model("annotation", "ChainHead")
        self._heads: dict[str, Any] = {head.pk: head for head in self._head._base_manager.all()}

    def link(self, event: Any) -> None:
        """Give an event its place at the end of its chain."""
        head = self._heads.setdefault(event.chain, self._head(chain=event.chain, sequence=0, hash=""))
        event.sequence, event.previous_hash = head.sequence + 1, head.hash
        event.hash = link_hash(vars(event))
        head.sequence, head.hash = event.sequence, event.hash

    def append(self, rows: Iterator[dict[str, Any]]) -> None:
        """Add events that nobody acted for."""
        while batch := [self._event(actor="", **row) for row in islice(rows, AT_ONCE)]:
            for event in batch:
                self.link(event)
            self._event._base_manager.bulk_create(batch)

    def store(self) -> None:
        for head in self._heads.values():
            head.save()


def link_events(apps: Apps, chains: Chains) -> None:
    """Old events, in the order in which they were written; those about a study's own rows go into its chain."""
    event = apps.get_model("annotation", "Event")
    studies = {
        kind: {
            str(pk): study
            for pk, study in apps.get_model("annotation", kind)._base_manager.values_list("pk", "study")
        }
        for kind in _OF_STUDY
    }
    unlinked = event._base_manager.filter(sequence=None).order_by("pk")
    while batch := list(unlinked[:AT_ONCE]):
        for row in batch:
            row.chain = _chain(row, studies)
            chains.link(row)
        event._base_manager.bulk_update(batch, ["chain", "sequence", "previous_hash", "hash"])


def _chain(event: Any, studies: dict[str, dict[str, Any]]) -> str:
    if event.subject_type == "study":
        return f"study:{event.subject_id}"
    study = studies.get(event.subject_type, {}).get(event.subject_id)
    return f"study:{study}" if study else SITE


def event_row(verb: str, subject_type: str, subject_id: Any, chain: str, details: dict[str, Any]) -> dict[str, Any]:
    """An event that is added by the upgrade."""
    return {
        "at": timezone.now(),
        "verb": verb,
        "subject_type": subject_type,
        "subject_id": str(subject_id),
        "chain": chain,
        "details": details,
    }
