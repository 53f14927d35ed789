"""Choosing by chance: the same seed and the same members in the same order give the same choice, on any machine.

Pure: `Chance` draws only by numbers whose sequence Python promises to keep.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from annotation.studies.blueprint import Chance

T = TypeVar("T")


def shuffled(members: Sequence[T], *, seed: int, purpose: str) -> list[T]:
    """The members in an order drawn by seed and purpose.

    Args:
        members: in an order that does not depend on chance (a number, a name).
        seed: of the study.
        purpose: what is drawn, so that two draws of one study do not repeat each other.
    """
    return Chance(seed, purpose).shuffled(list(members))


def stratified_sample(members: Iterable[tuple[str, T]], *, per_stratum: int | None, seed: int) -> list[tuple[str, T]]:
    """At most `per_stratum` members of each stratum, drawn without replacement, in their given order.

    Args:
        members: (stratum, member) in an order that does not depend on chance.
        per_stratum: how many of each; None takes all. A smaller stratum is taken whole.
        seed: of the study.

    Returns:
        The chosen pairs, in the order in which they were given.
    """
    pairs = list(members)
    if per_stratum is None:
        return pairs
    strata: dict[str, list[int]] = {}
    for place, (stratum, _) in enumerate(pairs):
        strata.setdefault(stratum, []).append(place)
    chosen: set[int] = set()
    for stratum, places in strata.items():
        chosen.update(shuffled(places, seed=seed, purpose=f"sample {stratum}")[:per_stratum])
    return [pair for place, pair in enumerate(pairs) if place in chosen]


def letters(n: int) -> list[str]:
    """A, B, … Z, AA, AB, …"""
    made = []
    for number in range(n):
        letter, rest = "", number
        while True:
            letter = chr(ord("A") + rest % 26) + letter
            rest = rest // 26 - 1
            if rest < 0:
                break
        made.append(letter)
    return made
