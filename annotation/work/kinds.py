"""The kinds of long work: each room registers what it can plan and run.

`medgen.tasks` gives a loader that imports the rooms' work modules; it runs when a kind is first asked for, so that
a page or command that runs nothing pays nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import Q

if TYPE_CHECKING:
    from annotation.people.models import User
    from annotation.work.models import Job

Payload = dict[str, Any]
Commit = Callable[[], Payload | None]


@dataclass(frozen=True)
class ChunkPlan:
    """One chunk to be made. `units` counts what people count (outputs, lines); 0 makes the chunk a barrier:
    it begins when everything before it is over, and nothing after it begins before it is."""

    payload: Payload = field(default_factory=dict)
    units: int = 1


@dataclass(frozen=True)
class Kind:
    """How one kind of work is done.

    Attributes:
        name: as stored with the job.
        plan: the chunks of a job; runs once, first, outside any transaction. None when they come with the request.
        run: the heavy part of one chunk, outside any transaction; returns what is to be written, as a call that is
            made inside the transaction that closes the chunk.
        finish: called in the transaction that ends a job; `job.state` says how it ended.
        failed: called in the transaction that gives a chunk up, with the reason.
        names: what a chunk is about, in words that stand before the reason when it is given up.
        split: smaller payloads with their units for a chunk that killed its worker; empty when it cannot be split.
        resume: called in the transaction that lets a job go on, before its chunks are queued again; it may refuse.
        hidden: which jobs of this kind would unblind a person.
        label: for people.
        unit: what is counted, in the plural.
        sequential: chunks are done one after the other, in their order.
        exclusive: jobs with the same subject are done one after the other.
    """

    name: str
    run: Callable[["Job", Payload], Commit]
    plan: Callable[["Job"], Iterable[ChunkPlan]] | None = None
    finish: Callable[["Job"], None] | None = None
    failed: Callable[["Job", Payload, str], None] | None = None
    names: Callable[[Payload], str] | None = None
    split: Callable[[Payload], Sequence[ChunkPlan]] | None = None
    resume: Callable[["Job"], None] | None = None
    hidden: Callable[["User"], Q | None] | None = None
    label: str = ""
    unit: str = "parts"
    sequential: bool = False
    exclusive: bool = False


class UnknownKindError(LookupError):
    """A job of a kind that no room of this program knows."""


_kinds: dict[str, Kind] = {}
_loaders: list[Callable[[], None]] = []


def use_loader(loader: Callable[[], None]) -> None:
    """What imports the rooms that register kinds; called once, when a kind is first asked for."""
    _loaders[:] = [loader]


def register(
    kind: str,
    *,
    run: Callable[["Job", Payload], Commit],
    plan: Callable[["Job"], Iterable[ChunkPlan]] | None = None,
    finish: Callable[["Job"], None] | None = None,
    **more: Any,
) -> Kind:
    """Make a kind of work known; registering it again replaces it."""
    made = Kind(name=kind, run=run, plan=plan, finish=finish, **{"label": kind.capitalize()} | more)
    _kinds[kind] = made
    return made


def known_kinds() -> dict[str, Kind]:
    """All kinds by name."""
    while _loaders:
        _loaders.pop()()
    return _kinds


def find_kind(name: str) -> Kind:
    """The kind of this name.

    Raises:
        UnknownKindError: no room registered it.
    """
    try:
        return known_kinds()[name]
    except KeyError as problem:
        raise UnknownKindError(f"{name!r}: no such kind of work") from problem


def hidden_from(user: "User") -> Q:
    """The jobs that would tell this person about systems they are still to read blind."""
    hidden = Q(pk__in=[])
    for kind in known_kinds().values():
        found = kind.hidden(user) if kind.hidden is not None else None
        if found is not None:
            hidden |= Q(kind=kind.name) & found
    return hidden
