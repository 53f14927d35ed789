"""Event: one act of one person, written in the transaction of the act and never changed.

actor: the id of the person, or "" for nobody (a failed sign-in, a command). Details hold ids and counts,
never names, dates of birth or free text of patients. chain: a line of events, each with the checksum of the one
before; one for each study and one for the site (`docs/trail.md`).
"""

from typing import Any, NoReturn, TypeVar

from django.db import models
from django.utils import timezone

from annotation.audit.errors import AppendOnlyError

M = TypeVar("M", bound=models.Model)


class AppendOnlyQuerySet(models.QuerySet[M]):
    """Rows may be added; UPDATE and DELETE are refused, here in words and by triggers in the database."""

    def update(self, **fields: Any) -> NoReturn:
        raise AppendOnlyError(f"{self.model._meta.verbose_name}: rows are never changed")

    def delete(self) -> NoReturn:
        raise AppendOnlyError(f"{self.model._meta.verbose_name}: rows are never removed")

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError(f"{self.model._meta.verbose_name}: rows are never changed")


class AppendOnly(models.Model):
    """A row that is written once."""

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError(f"{self._meta.verbose_name}: rows are never changed")
        super().save(*args, **{"force_insert": True, **kwargs})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError(f"{self._meta.verbose_name}: rows are never removed")


class Event(AppendOnly):
    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(default=timezone.now, db_index=True)
    actor = models.CharField(max_length=64, blank=True)
    verb = models.CharField(max_length=64)
    subject_type = models.CharField(max_length=64, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    details = models.JSONField(default=dict, blank=True)
    chain = models.CharField(max_length=64, default="site", editable=False)
    sequence = models.PositiveBigIntegerField(null=True, editable=False)
    previous_hash = models.CharField(max_length=64, blank=True, editable=False)
    hash = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["subject_type", "subject_id"], name="event_subject")]
        constraints = [models.UniqueConstraint(fields=["chain", "sequence"], name="event_place_in_chain_once")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.verb} {self.subject_type} {self.subject_id}"


class ChainHead(models.Model):
    """The newest link of one chain: locked while a link is added, so that links form one line."""

    chain = models.CharField(max_length=64, primary_key=True)
    sequence = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"{self.chain} {self.sequence} {self.hash[:12]}"
