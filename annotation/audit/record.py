"""Writing the trail: every act becomes a link of one chain, in the transaction of the act.

The chain's head is locked from here to the end of the transaction. Record an act late in its transaction, and one
that stands in several chains always in the same order.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models, transaction
from django.utils import timezone

from annotation.audit.links import SITE, link_hash
from annotation.audit.models import ChainHead, Event

Actor = AbstractBaseUser | AnonymousUser | None


@dataclass(frozen=True)
class Act:
    """One thing that somebody did; see `record`."""

    verb: str
    actor: Actor
    subject: models.Model | None = None
    details: dict[str, Any] = field(default_factory=dict)


def record(
    verb: str, *, actor: Actor, subject: models.Model | None = None, chain: str | None = None, **details: Any
) -> Event:
    """Leave one event; call it inside the transaction of the act it describes.

    Args:
        verb: what was done, in words.
        actor: who; None for nobody (a failed sign-in, a command).
        subject: the row it was done to.
        chain: where it is linked; None for the chain of the subject's study, or else of the site.
        details: JSON: ids, counts, codes and states; no names and no free text of patients.
    """
    return record_many([Act(verb, actor, subject, details)], chain=chain or chain_of(subject))[0]


def hold(chain: str = SITE) -> None:
    """Let no other act of a chain go on until this transaction ends.

    For an act that looks at rows which another act may be adding or changing at the same moment ("is the name free?",
    "is there another operator?"): call it first, at the start of the transaction. SQLite needs none, PostgreSQL does.
    """
    _locked(chain)


def record_many(acts: Sequence[Act], *, chain: str) -> list[Event]:
    """Leave several events in one chain: three statements, however many there are."""
    with transaction.atomic(savepoint=False):
        head = _locked(chain)
        events = [_event(act, chain) for act in acts]
        for event in events:
            event.sequence, event.previous_hash = head.sequence + 1, head.hash
            event.hash = link_hash(vars(event))
            head.sequence, head.hash = event.sequence, event.hash
        if len(events) == 1:
            events[0].save()
        else:
            events = Event.objects.bulk_create(events)
        ChainHead.objects.filter(pk=chain).update(sequence=head.sequence, hash=head.hash)
    return events


def chain_of(subject: models.Model | None) -> str:
    """`study:` and its key for a study and for whatever belongs to one; else `site`."""
    if subject is None:
        return SITE
    study = subject.pk if subject._meta.label_lower == "annotation.study" else getattr(subject, "study_id", None)
    return chain_of_study(study) if study else SITE


def chain_of_study(study: Any) -> str:
    """The chain of the study with this key."""
    return f"study:{study}"


def _event(act: Act, chain: str) -> Event:
    subject = act.subject
    return Event(
        at=timezone.now(),
        verb=act.verb,
        actor=str(act.actor.pk) if act.actor is not None and act.actor.pk else "",
        subject_type=subject._meta.model_name or "" if subject is not None else "",
        subject_id=str(subject.pk) if subject is not None else "",
        details=json.loads(json.dumps(act.details, allow_nan=False)),
        chain=chain,
    )


def _locked(chain: str) -> ChainHead:
    """The newest link, held until the transaction ends; two first links at once end up in one line too."""
    held = ChainHead.objects.select_for_update().filter(pk=chain)
    head = held.first()
    if head is None:
        ChainHead.objects.bulk_create([ChainHead(chain=chain)], ignore_conflicts=True)
        head = held.get()
    return head
