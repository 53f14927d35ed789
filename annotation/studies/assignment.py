"""Who reads which item: k readers each, balanced at every level of the strata, pairs of readers mixed. Pure.

Without a binding cap the places of all items, sorted by stratum, are dealt to the readers in one fixed circle: every
contiguous run, and so every stratum at every level, gives each reader the same number of items but for one.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

from annotation.studies.blueprint import AllocationError, Chance, DesignItem, DesignReader

Quotas = dict[str, Counter[str]]
Pairs = Counter[frozenset[str]]


def assign_readers(
    items: Sequence[DesignItem], readers: Sequence[DesignReader], *, k: int, seed: int
) -> dict[str, list[str]]:
    """Item key → its k readers, sorted.

    Args:
        items: sorted by stratum and key.
        readers: sorted by key.
        k: readers per item.
        seed: seed of the study.

    Raises:
        AllocationError: k is not between 1 and the number of readers, or the caps hold too few places.
    """
    limits = _limits(items, readers, k)
    circle = Chance(seed, "circle").shuffled([reader.key for reader in readers])
    places = len(items) * k
    even = -(-places // len(readers))
    if min(limits.values()) >= even:
        quotas = _dealt(items, circle, k)
    else:
        quotas = _capped(items, circle, _shares(limits, circle, places), k)
    chosen: dict[str, list[str]] = {}
    pairs: Pairs = Counter()
    by_stratum: dict[str, list[DesignItem]] = {}
    for item in items:
        by_stratum.setdefault(item.stratum, []).append(item)
    for stratum, members in by_stratum.items():
        chance = Chance(seed, "assign", stratum)
        left = Counter(quotas[stratum])
        mixed = chance.shuffled(members)
        for count, item in enumerate(mixed):
            team = _team(left, pairs, items_left=len(mixed) - count, k=k, chance=chance)
            left.subtract(team)
            pairs.update(frozenset(pair) for pair in combinations(team, 2))
            chosen[item.key] = sorted(team)
    return chosen


def _limits(items: Sequence[DesignItem], readers: Sequence[DesignReader], k: int) -> dict[str, int]:
    if k < 1:
        raise AllocationError(f"{k} readers per item: there must be at least 1")
    if k > len(readers):
        raise AllocationError(f"{k} readers per item, but the study has {len(readers)}")
    limits = {}
    for reader in readers:
        if reader.cap is not None and reader.cap < 0:
            raise AllocationError(f"reader {reader.key}: cap {reader.cap} is below 0")
        limits[reader.key] = len(items) if reader.cap is None else min(reader.cap, len(items))
    held = sum(limits.values())
    if held < len(items) * k:
        raise AllocationError(f"{len(items)} items × {k} readers need {len(items) * k} places, the caps give {held}")
    return limits


def _dealt(items: Sequence[DesignItem], circle: Sequence[str], k: int) -> Quotas:
    quotas: Quotas = {}
    for count, item in enumerate(items):
        team = [circle[(count * k + turn) % len(circle)] for turn in range(k)]
        quotas.setdefault(item.stratum, Counter()).update(team)
    return quotas


def _shares(limits: dict[str, int], circle: Sequence[str], places: int) -> Counter[str]:
    """Items per reader, as even as the caps allow."""
    shares: Counter[str] = Counter()
    left = places
    while left:
        unfilled = [reader for reader in circle if shares[reader] < limits[reader]]
        even = left // len(unfilled)
        for reader in unfilled if even else unfilled[:left]:
            more = min(max(even, 1), limits[reader] - shares[reader])
            shares[reader] += more
            left -= more
    return shares


def _capped(items: Sequence[DesignItem], circle: Sequence[str], shares: Counter[str], k: int) -> Quotas:
    """Deal item by item to whoever is furthest behind their share; whoever must read all that is left comes first."""
    quotas: Quotas = {}
    have: Counter[str] = Counter()
    for count, item in enumerate(items):
        left = len(items) - count

        def behind(reader: str, *, count: int = count, left: int = left) -> tuple[bool, float]:
            must = shares[reader] - have[reader] == left
            return must, shares[reader] * (count + 1) / len(items) - have[reader]

        able = [reader for reader in circle if have[reader] < shares[reader]]
        team = sorted(able, key=behind, reverse=True)[:k]
        have.update(team)
        quotas.setdefault(item.stratum, Counter()).update(team)
    return quotas


def _team(left: Counter[str], pairs: Pairs, *, items_left: int, k: int, chance: Chance) -> list[str]:
    """Readers of one item: those who must read all that is left, then those who met the chosen ones least."""
    able = sorted(reader for reader, count in left.items() if count > 0)
    team = [reader for reader in able if left[reader] == items_left]
    while len(team) < k:
        free = [reader for reader in able if reader not in team]
        met = {reader: sum(pairs[frozenset((reader, other))] for other in team) for reader in free}
        luck = {reader: chance.draw() for reader in free}
        team.append(min(free, key=lambda reader: (met[reader], -left[reader], luck[reader])))
    return team
