"""The whole trail: checked in place, and written to a file that can be checked without this program.

Both stream: memory does not grow with the rows.
"""

import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from annotation.audit.chain import (
    AT_ONCE,
    Finding,
    KnownHead,
    batched,
    head,
    verify_chains,
    verify_triggers,
)
from annotation.audit.links import FACTS, moment
from annotation.audit.models import Event
from annotation.audit.record import chain_of_study, record
from annotation.audit.triggers import BLANKED, BLANKED_VERB
from annotation.curation.seals import verify_reviews
from annotation.curation.verdict_trail import verify_verdicts
from annotation.grading import seals, statements
from annotation.grading.models import Grade
from annotation.people.models import User
from annotation.studies.models import Study
from annotation.studies.revealing import verify_names

FORMAT = 2
TRIES = 5


class TrailError(RuntimeError):
    """The trail cannot be written; the message says why."""


class _MovedError(Exception):
    """The words of a grade were blanked while the trail was written."""


@dataclass(frozen=True)
class Written:
    events: int
    grades: int
    sequence: int
    hash: str


@dataclass(frozen=True)
class Anchor:
    """The link that carries the seal of a grade."""

    seal: str
    chain: str
    sequence: int


def verify_trail(known: Iterable[KnownHead] = ()) -> Iterator[Finding]:
    """Everything that is not what it was: triggers, chains, reviews, verdicts, grades, consents, guesses, open names.

    Args:
        known: heads kept elsewhere: in score sheets, in a backup.
    """
    yield from verify_triggers()
    yield from verify_chains(known)
    yield from verify_reviews()
    yield from verify_verdicts()
    yield from verify_grades()
    yield from statements.verify_statements()
    yield from verify_names()


def verify_grades() -> Iterator[Finding]:
    """Grades that were altered, added or removed, compared with their seals and with the events that carry them."""
    keys = Grade._base_manager.order_by("pk").values_list("pk", flat=True)
    for batch in batched(keys.iterator(chunk_size=AT_ONCE)):
        rows = list(seals.stored(seals.LIVE, batch))
        anchors = anchors_of({one.facts["reading"] for one in rows})
        blanked = _blankings([one.row["blanked_by_id"] for one in rows])
        for one in rows:
            for problem in _problems(one, anchors.get(one.facts["id"]), blanked):
                yield Finding(f"grade {one.facts['id']}", problem)
    yield from _removed()


def anchors_of(readings: Iterable[str]) -> dict[str, Anchor]:
    """Key of a grade → the link that carries its seal, for these readings: one query."""
    events = Event._base_manager.filter(subject_type="reading", subject_id__in=list(readings), verb__in=seals.ANCHORS)
    return {
        grade: Anchor(seal, chain, number or 0)
        for chain, number, details in events.order_by("pk").values_list("chain", "sequence", "details")
        for grade, seal in details.get("grades", {}).items()
    }


def _problems(one: seals.Sealed, anchor: Anchor | None, blanked: Mapping[int, Mapping[str, Any]]) -> Iterator[str]:
    if anchor is None:
        yield "was added past the program: no event speaks of it"
    elif anchor.chain != chain_of_study(one.facts["study"]):
        yield f"was moved: its seal stands in chain {anchor.chain}"
    if one.seal != one.row["payload_hash"]:
        yield "was altered: its seal does not fit what it says or what it is about"
    elif anchor is not None and anchor.seal != one.seal:
        yield f"was altered: link {anchor.sequence} of its chain carries another seal"
    yield from _word_problems(one.row, blanked)


def _word_problems(row: Mapping[str, Any], blanked: Mapping[int, Mapping[str, Any]]) -> Iterator[str]:
    """Words fit their checksum; or they are empty, and an event says that somebody emptied them."""
    if row["blanked_by_id"] is None:
        if seals.text_digest(row["text_salt"], row["rationale"], row["reason_for_change"]) != row["text_digest"]:
            yield "its words were altered"
        return
    event = blanked.get(row["blanked_by_id"])
    about = (BLANKED_VERB, "grade", str(row["id"]))
    if event is None or (event["verb"], event["subject_type"], event["subject_id"]) != about:
        yield "its words were emptied, and no event says why"
    if row["rationale"] or row["text_salt"] or row["reason_for_change"] not in {"", BLANKED}:
        yield "its words are said to be emptied and are not"


def _blankings(keys: Sequence[int | None]) -> dict[int, Mapping[str, Any]]:
    wanted = [key for key in keys if key is not None]
    found = Event._base_manager.filter(pk__in=wanted) if wanted else Event._base_manager.none()
    return {row["id"]: row for row in found.values("id", "verb", "subject_type", "subject_id", "sequence")}


def _removed() -> Iterator[Finding]:
    events = Event._base_manager.filter(verb__in=seals.ANCHORS).order_by("pk")
    for batch in batched(events.values_list("chain", "sequence", "details").iterator(chunk_size=AT_ONCE)):
        spoken = {grade: (chain, number) for chain, number, details in batch for grade in details.get("grades", {})}
        there = {str(pk) for pk in Grade._base_manager.filter(pk__in=list(spoken)).values_list("pk", flat=True)}
        for gone in sorted(set(spoken) - there):
            chain, number = spoken[gone]
            yield Finding(f"grade {gone}", f"was removed; link {number} of chain {chain} speaks of it")


def export_trail(*, study: Study, out: Path, actor: User | None) -> Written:
    """Write the chain of a study and all its grades as lines of JSON, for `medgen/verify_trail.py`.

    The file holds what readers wrote; it is readable to its owner only and appears complete or not at all.

    Raises:
        TrailError: the file cannot be written, or grades were blanked again and again meanwhile.
    """
    draft = out.with_name(f".{secrets.token_hex(8)}.part")
    try:
        for _ in range(TRIES):
            with os.fdopen(
                os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
            ) as file:
                try:
                    written = _write(study, file)
                except _MovedError:
                    continue
                file.flush()
                os.fsync(file.fileno())
            draft.replace(out)
            record("trail exported", actor=actor, subject=study, links=written.sequence, head=written.hash)
            return written
    except OSError as problem:
        raise TrailError(f"{out}: {problem.strerror or problem}") from problem
    finally:
        draft.unlink(missing_ok=True)
    raise TrailError(f"{out}: words of grades are being blanked now; try again in a moment")


def _write(study: Study, file: IO[str]) -> Written:
    """Up to the head of this moment; what comes later is left out."""
    chain = chain_of_study(study.pk)
    sequence, hash_ = head(chain)
    top = {"kind": "trail", "format": FORMAT, "product": f"MedGEN {settings.MEDGEN_VERSION}", "study": study.slug}
    _line(file, top | {"chain": chain, "sequence": sequence, "hash": hash_})
    events = Event._base_manager.filter(chain=chain, sequence__lte=sequence).order_by("sequence")
    n_events = n_grades = 0
    for batch in batched(events.values("id", *FACTS, "hash").iterator(chunk_size=AT_ONCE)):
        carried = [
            grade for link in batch if link["verb"] in seals.ANCHORS for grade in link["details"].get("grades", {})
        ]
        grades = {one.facts["id"]: one for one in seals.stored(seals.LIVE, carried)} if carried else {}
        blanked = _blankings([one.row["blanked_by_id"] for one in grades.values()])
        said = statements.facts_by_key(key for link in batch for key in _stated(link))
        for link in batch:
            n_events += 1
            _line(file, {"kind": "event"} | link | {"at": moment(link["at"])})
            for key in link["details"].get("grades", {}) if link["verb"] in seals.ANCHORS else ():
                if key in grades:
                    n_grades += 1
                    _line(file, _grade_line(grades[key], blanked, sequence))
            for key in _stated(link):
                if key in said:
                    _line(file, {"kind": "statement", "key": key, "facts": said[key]})
    for key, facts in statements.unspoken(study):
        _line(file, {"kind": "statement", "key": key, "facts": facts})
    for one in _unspoken(study):
        n_grades += 1
        _line(file, _grade_line(one, _blankings([one.row["blanked_by_id"]]), sequence))
    return Written(n_events, n_grades, sequence, hash_)


def _stated(link: Mapping[str, Any]) -> Mapping[str, str]:
    """The seals of consent forms, consents and guesses that a link carries."""
    carried: Mapping[str, str] = link["details"].get("seals", {}) if link["verb"] in statements.ANCHORS else {}
    return carried


def _unspoken(study: Study) -> Iterator[seals.Sealed]:
    """Grades that no event speaks of: there are none unless somebody added them."""
    keys = Grade._base_manager.filter(reading_output__reading__study=study).order_by("pk")
    for batch in batched(keys.values_list("pk", flat=True).iterator(chunk_size=AT_ONCE)):
        rows = list(seals.stored(seals.LIVE, batch))
        anchors = anchors_of({one.facts["reading"] for one in rows})
        yield from (one for one in rows if one.facts["id"] not in anchors)


def _grade_line(one: seals.Sealed, blanked: Mapping[int, Mapping[str, Any]], sequence: int) -> dict[str, Any]:
    row, by = one.row, one.row["blanked_by_id"]
    number = blanked[by]["sequence"] if by is not None else None
    if number is not None and number > sequence:
        raise _MovedError
    words = {
        "salt": row["text_salt"],
        "rationale": row["rationale"],
        "reason_for_change": row["reason_for_change"],
    }
    return {"kind": "grade", "facts": one.facts, "seal": row["payload_hash"], "words": words, "blanked_by": number}


def _line(file: IO[str], value: Mapping[str, Any]) -> None:
    file.write(json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n")
