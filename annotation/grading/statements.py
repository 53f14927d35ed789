"""What readers said besides grades, compared with the seals that events carry: consent forms, consents and guesses.

A row written before these had seals is covered by its event: there may be no more such rows than events speak of.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet

from annotation.audit.chain import AT_ONCE, Finding, batched
from annotation.audit.links import digest
from annotation.audit.models import Event
from annotation.grading.models import SystemGuess
from annotation.grading.seals import GUESS, GUESSED, guess_facts
from annotation.studies.consent_seals import (
    CONSENT,
    FORM,
    GIVEN,
    PUBLISHED,
    WITHDRAWN,
    consent_facts,
    form_facts,
)
from annotation.studies.models import Consent, ConsentForm, Study

ANCHORS = [PUBLISHED, GIVEN, WITHDRAWN, GUESSED]
"""Verbs of the events that carry seals, in `details["seals"]`: kind and key of the row → seal."""
Token = tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """One table of statements.

    Attributes:
        name: before the key, in events and findings.
        rows: all rows, with what their facts need.
        facts: of one row.
        subject: type and key of what the event is about.
        study: lookup of the study of a row.
        token: what a row and an event without a seal have in common.
    """

    name: str
    rows: Callable[[], QuerySet[Any]]
    facts: Callable[[Any], dict[str, Any]]
    subject: Callable[[Mapping[str, Any]], tuple[str, str]]
    study: str
    token: Callable[[Mapping[str, Any]], Token]


def _of_study(facts: Mapping[str, Any]) -> tuple[str, str]:
    return "study", facts["study"]


def _rows(model: type[Model], *related: str) -> Callable[[], QuerySet[Any]]:
    return lambda: model._base_manager.select_related(*related).order_by("pk")


KINDS = [
    Kind(FORM, _rows(ConsentForm), form_facts, _of_study, "study",
         lambda facts: (PUBLISHED, facts["study"], str(facts["version"]))),
    Kind(CONSENT, _rows(Consent, "form", "enrollment"), consent_facts, _of_study, "form__study",
         lambda facts: (GIVEN if facts["act"] == Consent.Act.GIVEN else WITHDRAWN, facts["study"], facts["person"])),
    Kind(GUESS, _rows(SystemGuess, "reading_output__reading"), guess_facts,
         lambda facts: ("reading", facts["reading"]), "reading_output__reading__study",
         lambda facts: (GUESSED, facts["reading"])),
]  # fmt: skip


def register(kind: Kind, verbs: Iterable[str]) -> None:
    """Add the statements of a later room; their events always carry seals."""
    if all(known.name != kind.name for known in KINDS):
        KINDS.append(kind)
        ANCHORS.extend(verbs)


def facts_by_key(keys: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Key as events have it → facts of the row, of those that are there: three queries at most."""
    wanted: dict[str, list[str]] = {}
    for key in keys:
        name, _, pk = key.rpartition(" ")
        wanted.setdefault(name, []).append(pk)
    return {
        f"{kind.name} {row.pk}": kind.facts(row)
        for kind in KINDS
        if kind.name in wanted
        for row in kind.rows().filter(pk__in=wanted[kind.name])
    }


def verify_statements() -> Iterator[Finding]:
    """Forms, consents and guesses that were altered, added or removed."""
    before_seals = _before_seals()
    for kind in KINDS:
        for batch in batched(kind.rows().iterator(chunk_size=AT_ONCE)):
            yield from _verify(kind, batch, before_seals)
    anchors = Event._base_manager.filter(verb__in=ANCHORS).order_by("pk")
    for events in batched(anchors.values_list("chain", "sequence", "details").iterator(chunk_size=AT_ONCE)):
        spoken = {key: (chain, number) for chain, number, details in events for key in details.get("seals", {})}
        for gone in sorted(set(spoken) - set(facts_by_key(spoken))):
            chain, number = spoken[gone]
            yield Finding(gone, f"was removed; link {number} of chain {chain} speaks of it")


def _verify(kind: Kind, rows: list[Any], before_seals: Counter[Token]) -> Iterator[Finding]:
    all_facts = {f"{kind.name} {row.pk}": kind.facts(row) for row in rows}
    sealed = _seals({kind.subject(facts) for facts in all_facts.values()})
    for key, facts in all_facts.items():
        stated, token = sealed.get(key), kind.token(facts)
        if stated is None and before_seals[token] > 0:
            before_seals[token] -= 1
        elif stated is None:
            yield Finding(key, "was added past the program: no event speaks of it")
        elif stated != digest(facts):
            yield Finding(key, "was altered: its seal does not fit")


def _seals(subjects: set[tuple[str, str]]) -> dict[str, str]:
    """Key → seal, from the events about these subjects, which are of one type: one query."""
    types, keys = {kind for kind, _ in subjects}, [key for _, key in subjects]
    events = Event._base_manager.filter(subject_type__in=types, subject_id__in=keys, verb__in=ANCHORS)
    return {
        key: seal
        for details in events.values_list("details", flat=True)
        for key, seal in details.get("seals", {}).items()
    }


def _before_seals() -> Counter[Token]:
    """How many rows events speak of that carry no seals: those of before."""
    found: Counter[Token] = Counter()
    events = Event._base_manager.filter(verb__in=ANCHORS).order_by("pk")
    for verb, subject, details in events.values_list("verb", "subject_id", "details").iterator(chunk_size=AT_ONCE):
        if "seals" in details:
            continue
        if verb == GUESSED:
            found[GUESSED, subject] += int(details.get("outputs", 0))
        else:
            found[verb, subject, str(details.get("version" if verb == PUBLISHED else "person", ""))] += 1
    return found


def unspoken(study: Study) -> Iterator[tuple[str, dict[str, Any]]]:
    """Key and facts of a study's rows that no event speaks of: there are none unless somebody added them."""
    before_seals = _before_seals()
    for kind in KINDS:
        for batch in batched(kind.rows().filter(**{kind.study: study}).iterator(chunk_size=AT_ONCE)):
            added = {finding.subject for finding in _verify(kind, batch, before_seals) if "added" in finding.problem}
            yield from ((key, kind.facts(row)) for row in batch if (key := f"{kind.name} {row.pk}") in added)
