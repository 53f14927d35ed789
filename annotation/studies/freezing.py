"""Freezing what the numbers of a study depend on: facts in words and one hash over them, kept in the study's chain.

The rooms to the right know what their numbers are made from. Each registers its facts and what must be settled before
they are taken; `scoring.apps` gives the loader that imports them.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.db import transaction

from annotation.audit.models import Event
from annotation.audit.record import chain_of, hold, record
from annotation.people.models import User
from annotation.studies.errors import StudyError, StudyStateError
from annotation.studies.models import Study

FROZEN = "study frozen"
PENDING = "severe flags pending"
REASON_AT_LEAST, REASON_LIMIT = 10, 300
Facts = dict[str, str]


@dataclass(frozen=True)
class Source:
    """What one room contributes.

    Attributes:
        settle: fixes what must not change any more; called when the study is locked, before facts are taken.
        unsettled: why names must stay withheld; empty when nothing stands against it.
        facts: what numbers depend on, in words → its version or checksum.
    """

    settle: Callable[[Study, User | None], None]
    unsettled: Callable[[Study], list[str]]
    facts: Callable[[Study], Facts]


_sources: dict[str, Source] = {}
_loaders: list[Callable[[], object]] = []


def use_loader(loader: Callable[[], object]) -> None:
    """What imports the rooms that register sources; called once, when facts are first asked for."""
    _loaders.append(loader)


def register(room: str, source: Source) -> None:
    """Make a room's facts known; registering it again replaces them."""
    _sources[room] = source


def _known() -> list[Source]:
    while _loaders:
        _loaders.pop()()
    return list(_sources.values())


def present_facts(study: Study) -> Facts:
    """Everything that the numbers of a study depend on, as it is now."""
    facts = {"design": study.design_hash}
    for source in _known():
        facts |= source.facts(study)
    return facts


def checksum(value: object) -> str:
    """SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@transaction.atomic
def freeze(*, study: Study, actor: User | None, reason: str = "") -> Event:
    """Take the facts of a study that was just locked, or take them anew, and write them into its chain.

    Call it in the transaction that locks the study; grades wait for the chain that is held here.
    """
    hold(chain_of(study))
    for source in _known():
        source.settle(study, actor)
    facts = present_facts(study)
    number = 1 + Event.objects.filter(verb=FROZEN, subject_type="study", subject_id=str(study.pk)).count()
    more = {"reason": reason} if reason else {}
    return record(FROZEN, actor=actor, subject=study, number=number, hash=checksum(facts), facts=facts, **more)


@transaction.atomic
def freeze_again(*, study: Study, actor: User, reason: str) -> Event:
    """Freeze a locked study as it is now, with the reason why it may differ; an open request for names ends.

    Raises:
        StudyStateError: the study is not locked, or names are open.
        StudyError: no reason.
    """
    held = Study.objects.select_for_update().get(pk=study.pk)
    if held.state != Study.State.LOCKED:
        raise StudyStateError(f"This study is {held.state}; only a locked study is frozen again.")
    return freeze(study=held, actor=actor, reason=checked_reason(reason, "why it is frozen again"))


def checked_reason(reason: str, why: str) -> str:
    """The reason without space around it.

    Raises:
        StudyError: it is too short or too long.
    """
    said = " ".join(reason.split())
    if not REASON_AT_LEAST <= len(said) <= REASON_LIMIT:
        raise StudyError(f"reason: {said[:40]}: say in {REASON_AT_LEAST} to {REASON_LIMIT} characters {why}.")
    return said


def changes(study: Study, frozen: Mapping[str, str]) -> list[str]:
    """The names of facts that are no longer what was frozen."""
    now = present_facts(study)
    return sorted(name for name in {*now, *frozen} if now.get(name) != frozen.get(name))


def unsettled(study: Study) -> list[str]:
    """What must be settled before names may open, in sentences."""
    return [problem for source in _known() for problem in source.unsettled(study)]


def newest_hash(study: Study) -> str | None:
    """The hash a final study was frozen with last: one query; None before the lock."""
    if not study.is_final:
        return None
    frozen = Event.objects.filter(verb=FROZEN, subject_type="study", subject_id=str(study.pk)).order_by("-sequence")
    found = frozen.values_list("details", flat=True).first()
    return None if found is None else str(found["hash"])
