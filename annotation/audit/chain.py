"""Checking the trail: every link of every chain, and that nothing stands in the way of the triggers.

Rows are streamed in the order of their chains; memory does not grow with them. Whoever writes to the database can
write a whole new chain that fits; only a head kept elsewhere (in a score sheet, a backup, a colleague's mail) shows
that, hence `known`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any, TypeVar

from django.db import connection

from annotation.audit import triggers
from annotation.audit.links import FACTS, link_hash
from annotation.audit.models import ChainHead, Event

AT_ONCE = 500
T = TypeVar("T")


@dataclass(frozen=True)
class Finding:
    """Something that is not what it was: where, and what is wrong there."""

    subject: str
    problem: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.problem}"


@dataclass(frozen=True)
class KnownHead:
    """A head that was kept elsewhere: a link that must still be there."""

    chain: str
    sequence: int
    hash: str
    kept_in: str


def batched(rows: Iterable[T]) -> Iterator[list[T]]:
    """Rows in lists of at most `AT_ONCE`."""
    waiting = iter(rows)
    while batch := list(islice(waiting, AT_ONCE)):
        yield batch


def head(chain: str) -> tuple[int, str]:
    """Number and checksum of the newest link; (0, "") for a chain without one. One query."""
    found = ChainHead.objects.filter(pk=chain).first()
    return (found.sequence, found.hash) if found is not None else (0, "")


def verify_triggers() -> Iterator[Finding]:
    """Triggers that are missing, switched off or replaced."""
    for problem in triggers.problems(connection):
        yield Finding("database", problem)


def verify_chains(known: Iterable[KnownHead] = ()) -> Iterator[Finding]:
    """Links that were altered, removed, added or moved, in every chain.

    Args:
        known: heads kept elsewhere, which also find a chain that was cut at its end or written anew.
    """
    heads = {one.chain: one for one in ChainHead.objects.all()}
    kept: dict[str, list[KnownHead]] = defaultdict(list)
    for one in known:
        kept[one.chain].append(one)
    events = Event._base_manager.order_by("chain", "sequence", "id").values("id", *FACTS, "hash")
    seen = set()
    for chain, links in groupby(events.iterator(chunk_size=AT_ONCE), key=lambda row: row["chain"]):
        seen.add(chain)
        yield from _verify_chain(chain, links, heads.get(chain), kept.get(chain, []))
    for chain in sorted({*heads, *kept} - seen):
        yield from _verify_chain(chain, iter(()), heads.get(chain), kept.get(chain, []))


def _verify_chain(
    chain: str, links: Iterator[Mapping[str, Any]], stated: ChainHead | None, kept: list[KnownHead]
) -> Iterator[Finding]:
    where = f"chain {chain}"
    number, before = 0, ""
    waiting: dict[int, list[KnownHead]] = defaultdict(list)
    for one in kept:
        waiting[one.sequence].append(one)
    for link in links:
        if link["sequence"] is None:
            yield Finding(where, f"event {link['id']} stands outside of the chain: it was added past the program")
            continue
        yield from (Finding(where, problem) for problem in _problems(link, number, before))
        number, before = link["sequence"], link["hash"]
        for one in waiting.pop(number, ()):
            if one.hash != before:
                yield Finding(
                    where, f"link {number} is not the one that {one.kept_in} knows: the chain was rewritten"
                )
    for one in (one for left in waiting.values() for one in left if one.sequence):
        yield Finding(where, f"link {one.sequence}, which {one.kept_in} knows, was removed")
    if (stated.sequence, stated.hash) != (number, before) if stated is not None else number > 0:
        end = f"link {stated.sequence}" if stated is not None else "nothing"
        yield Finding(where, f"ends with link {number}, its head says {end}: links were removed, added or altered")


def _problems(link: Mapping[str, Any], number: int, before: str) -> Iterator[str]:
    """What is wrong with one link, given the number and checksum of the one before."""
    sequence = link["sequence"]
    if sequence != number + 1:
        gone = f"link {number + 1} is" if sequence == number + 2 else f"links {number + 1} to {sequence - 1} are"
        yield f"{gone} missing: removed"
    elif link["previous_hash"] != before:
        yield f"link {sequence} does not follow link {number}: one of them was altered or moved"
    if link["hash"] != link_hash(link):
        yield f"link {sequence} ({link['verb']}, event {link['id']}) was altered"
