"""Balanced incomplete blocks: every two of v readers share equally many items, k readers an item. Pure.

A design of b blocks gives every reader r = b·k / v items and every two readers λ = r·(k − 1) / (v − 1) in common.
Cyclic designs are found by developing base blocks modulo v whose differences cover every distance equally often
(R. C. Bose, On the construction of balanced incomplete block designs, 1939, doi:10.1111/j.1469-1809.1939.tb02219.x);
where the search finds none, all subsets of k readers are one.
"""

from collections import Counter
from functools import lru_cache
from itertools import combinations
from math import comb

Block = tuple[int, ...]

MOST_BLOCKS = 5_000
SEARCH_STEPS = 20_000
MOST_BASES = 3


@lru_cache(maxsize=256)
def blocks(v: int, k: int) -> tuple[Block, ...] | None:
    """The smallest balanced design found of v readers in blocks of k.

    Args:
        v: readers, from 2.
        k: readers of a block, 1 to v.

    Returns:
        Blocks of places 0…v−1, sorted within; None when the smallest known one has more than `MOST_BLOCKS`.
    """
    if k == v:
        return (tuple(range(v)),)
    if k == 1:
        return tuple((place,) for place in range(v))
    if 2 * k > v:
        return _complement(v, k)
    for n_bases in range(1, MOST_BASES + 1):
        if n_bases * v >= comb(v, k):
            break
        if n_bases * k * (k - 1) % (v - 1) == 0 and (bases := _bases(v, k, n_bases)):
            return tuple(tuple(sorted((place + turn) % v for place in base)) for base in bases for turn in range(v))
    return tuple(combinations(range(v), k)) if comb(v, k) <= MOST_BLOCKS else None


def _complement(v: int, k: int) -> tuple[Block, ...] | None:
    """The complements of a balanced design are one."""
    left_out = blocks(v, v - k)
    if left_out is None:
        return None
    return tuple(tuple(place for place in range(v) if place not in block) for block in left_out)


def _bases(v: int, k: int, n_bases: int) -> list[Block] | None:
    """Base blocks with 0 that cover every distance modulo v equally often; a search of limited length."""
    most = n_bases * k * (k - 1) // (v - 1)
    steps = 0

    def grow(done: list[Block], block: Block, covered: Counter[int]) -> list[Block] | None:
        nonlocal steps
        steps += 1
        if steps > SEARCH_STEPS:
            return None
        if len(block) == k:
            finished = [*done, block]
            return finished if len(finished) == n_bases else grow(finished, (0,), covered)
        for place in range(block[-1] + 1, v):
            gained = Counter(distance for other in block for distance in ((place - other) % v, (other - place) % v))
            if all(covered[distance] + count <= most for distance, count in gained.items()) and (
                found := grow(done, (*block, place), covered + gained)
            ):
                return found
        return None

    return grow([], (0,), Counter())
