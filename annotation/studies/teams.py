"""Who reads which item, by the plan of a study: even, crossed, balanced incomplete, anchored. Pure.

Every plan gives each item its readers; `extend` gives readers to items that come later and moves nobody.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from annotation.studies.assignment import assign_readers
from annotation.studies.blocks import blocks
from annotation.studies.blueprint import AllocationError, Chance, DesignItem, DesignReader

AssignmentPlan = Literal["even", "crossed", "incomplete", "anchored"]
OFFERED = 200
PLANS: tuple[AssignmentPlan, ...] = ("even", "crossed", "incomplete", "anchored")


@dataclass(frozen=True, kw_only=True)
class Teams:
    """The readers of every item, sorted, and which items all readers read as anchors."""

    of: Mapping[str, list[str]]
    anchors: tuple[str, ...] = ()


def choose_teams(
    items: Sequence[DesignItem],
    readers: Sequence[DesignReader],
    *,
    k: int,
    seed: int,
    plan: AssignmentPlan = "even",
    anchors: int = 0,
) -> Teams:
    """Give every item its readers.

    Args:
        items: sorted by stratum and key.
        readers: sorted by key; a cap is the most items of a reader.
        k: readers of an item; of one that is no anchor under `anchored`; not used under `crossed`.
        seed: of the study.
        plan: even deals k readers an item, mixed; crossed lets everybody read everything; incomplete lets every two
            readers share equally many items; anchored lets everybody read the anchors and rotates the rest.
        anchors: how many, spread over the strata; only under `anchored`.

    Raises:
        AllocationError: the plan cannot be met; the message names the limit that binds.
    """
    if plan not in PLANS:
        raise AllocationError(f"plan {plan!r} is none of {', '.join(PLANS)}")
    if anchors and plan != "anchored":
        raise AllocationError(f"{anchors} anchor items, but the plan is {plan}: only anchored has anchors")
    if plan == "crossed":
        return _crossed(items, readers)
    if plan == "incomplete":
        return _incomplete(items, readers, k=k, seed=seed)
    if plan == "anchored":
        return _anchored(items, readers, k=k, seed=seed, anchors=anchors)
    return Teams(of=assign_readers(items, readers, k=k, seed=seed))


def _crossed(items: Sequence[DesignItem], readers: Sequence[DesignReader]) -> Teams:
    for reader in readers:
        if reader.cap is not None and reader.cap < len(items):
            raise AllocationError(
                f"reader {reader.key}: cap {reader.cap}, but crossed gives everybody {len(items)} items"
            )
    everybody = [reader.key for reader in readers]
    return Teams(of={item.key: list(everybody) for item in items})


def _incomplete(items: Sequence[DesignItem], readers: Sequence[DesignReader], *, k: int, seed: int) -> Teams:
    v = len(readers)
    if not 1 <= k <= v:
        raise AllocationError(f"{k} readers per item, but the study has {v}")
    found = blocks(v, k)
    if found is None:
        raise AllocationError(
            f"no balanced incomplete design of {v} readers, {k} per item, is small enough to be drawn"
        )
    if len(items) % len(found):
        lower = len(items) - len(items) % len(found)
        fits = " or ".join(f"{n:,}" for n in (lower, lower + len(found)) if n)
        raise AllocationError(
            f"{len(items)} items: {v} readers in balanced blocks of {k} need a multiple of {len(found)}, so {fits}"
        )
    each = len(items) * k // v
    for reader in readers:
        if reader.cap is not None and reader.cap < each:
            raise AllocationError(
                f"reader {reader.key}: cap {reader.cap}, but balanced blocks give everybody {each} items"
            )
    circle = Chance(seed, "circle").shuffled([reader.key for reader in readers])
    left = Counter({tuple(circle[place] for place in block): len(items) // len(found) for block in found})
    chance = Chance(seed, "blocks")
    chosen: dict[str, list[str]] = {}
    met: Counter[tuple[str, str]] = Counter()
    for item in items:
        offered = _some(list(left), chance)
        luck = {block: chance.draw() for block in offered}
        block = min(offered, key=lambda one: (*_crowding(met, item.stratum, one), luck[one]))
        left[block] -= 1
        if not left[block]:
            del left[block]
        met.update((item.stratum, reader) for reader in block)
        chosen[item.key] = sorted(block)
    return Teams(of=chosen)


def _some(found: list[tuple[str, ...]], chance: Chance) -> list[tuple[str, ...]]:
    """At most `OFFERED` of the blocks, each once: looking at all of very many gains nothing."""
    if len(found) <= OFFERED:
        return found
    return list(dict.fromkeys(found[int(chance.draw() * len(found))] for _ in range(OFFERED)))


def _crowding(met: Counter[tuple[str, str]], stratum: str, block: Sequence[str]) -> tuple[int, int]:
    """How much the readers of a block have of a stratum already: the most, and together."""
    counts = [met[stratum, reader] for reader in block]
    return max(counts), sum(counts)


def _anchored(
    items: Sequence[DesignItem], readers: Sequence[DesignReader], *, k: int, seed: int, anchors: int
) -> Teams:
    if not 1 <= anchors <= len(items):
        raise AllocationError(f"{anchors} anchor items: choose 1 to {len(items)}, the items there are")
    for reader in readers:
        if reader.cap is not None and reader.cap < anchors:
            raise AllocationError(f"reader {reader.key}: cap {reader.cap} is below the {anchors} anchor items")
    rest = len(items) - anchors
    room = [rest if reader.cap is None else min(rest, reader.cap - anchors) for reader in readers]
    if 1 <= k <= len(readers) and sum(room) < rest * k:
        most = anchors + sum(room) // k
        raise AllocationError(
            f"{len(items)} items: with these caps, {anchors} anchors and {k} readers for each other item, "
            f"at most {most} can be read"
        )
    chosen = set(spread_over_strata(items, anchors, seed=seed))
    others = [item for item in items if item.key not in chosen]
    smaller = [replace(reader, cap=None if reader.cap is None else reader.cap - anchors) for reader in readers]
    of = assign_readers(others, smaller, k=k, seed=seed) if others else {}
    everybody = [reader.key for reader in readers]
    teams = {item.key: list(everybody) if item.key in chosen else of[item.key] for item in items}
    return Teams(of=teams, anchors=tuple(sorted(chosen)))


def spread_over_strata(items: Sequence[DesignItem], n: int, *, seed: int, purpose: str = "anchors") -> list[str]:
    """Keys of n items, from every stratum in proportion to its size (largest remainders), drawn by seed."""
    strata: dict[str, list[str]] = {}
    for item in items:
        strata.setdefault(item.stratum, []).append(item.key)
    exact = {stratum: n * len(members) / len(items) for stratum, members in strata.items()}
    share = {stratum: int(value) for stratum, value in exact.items()}
    largest = sorted(strata, key=lambda stratum: (share[stratum] - exact[stratum], stratum))
    for stratum in largest[: n - sum(share.values())]:
        share[stratum] += 1
    return [
        key
        for stratum, members in strata.items()
        for key in Chance(seed, purpose, stratum).shuffled(members)[: share[stratum]]
    ]


def teams_of_later(
    later: Sequence[DesignItem],
    readers: Sequence[DesignReader],
    before: Teams,
    strata: Mapping[str, str],
    *,
    k: int,
    seed: int,
) -> Teams:
    """Readers of items that come later: those who have least, and least of the stratum; nobody's items move.

    Args:
        later: sorted by stratum and key; none of them has readers yet.
        readers: sorted by key.
        before: the readers that items have.
        strata: item → stratum of those items.
        k: readers of an item.
        seed: of the study.

    Raises:
        AllocationError: k readers cannot be found below their caps.
    """
    total = Counter(reader for team in before.of.values() for reader in team)
    within = Counter((strata[item], reader) for item, team in before.of.items() for reader in team)
    chance = Chance(seed, "later", len(before.of))
    chosen: dict[str, list[str]] = {}
    for item in later:
        free = [one.key for one in readers if one.cap is None or total[one.key] < one.cap]
        if len(free) < k:
            raise AllocationError(f"item {item.key}: {k} readers wanted, {len(free)} are below their cap")
        luck = {reader: chance.draw() for reader in free}
        team = sorted(free, key=lambda one: (total[one], within[item.stratum, one], luck[one]))[:k]
        total.update(team)
        within.update((item.stratum, reader) for reader in team)
        chosen[item.key] = sorted(team)
    return Teams(of=chosen)
