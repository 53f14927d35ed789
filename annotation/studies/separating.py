"""Whether something about outputs tells which system made them: effect and evidence against shuffled labels. Pure.

A feature is told apart by guessing, for each of its values, the system that has it most often (a value), or by the
area under the curve of each system against the others (a number). What chance does is seen by shuffling the systems
within blocks: outputs of one item for what was made, places of one reading for the order.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

SHUFFLES = 999
LEVEL = 0.05
NEARLY, BEYOND_CHANCE = 0.95, 0.2
EVIDENCE_VALUES = 3

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Separation:
    """How well one feature tells the systems apart.

    Attributes:
        feature: its name.
        is_number: True when `told` is an area under the curve, False when it is a share of right guesses.
        told: 0…1; the best area of a system against all others (0.5 to 1), or the share of outputs guessed right.
        by_chance: mean of the same under shuffled systems.
        p: share of shuffles that tell as much or more, the real one counted in; (0, 1].
        p_adjusted: after Holm, over all features that were compared together.
        n: outputs compared.
        evidence: of each system, in words: its usual values, or median and range.
    """

    feature: str
    is_number: bool
    told: float
    by_chance: float
    p: float
    p_adjusted: float
    n: int
    evidence: dict[str, str]

    @property
    def tells(self) -> bool:
        """Beyond chance, or (nearly) perfectly where too few outputs are there for a proof."""
        return self.p_adjusted <= LEVEL or (self.told >= NEARLY and self.told - self.by_chance >= BEYOND_CHANCE)


def separations(
    systems: Sequence[str],
    blocks: Sequence[Hashable],
    features: Mapping[str, Sequence[Any]],
    *,
    seed: int,
    shuffles: int = SHUFFLES,
) -> list[Separation]:
    """Compare features between systems; the most telling first.

    Args:
        systems: of each output, n names.
        blocks: of each output, what its system may be shuffled within.
        features: by name n values each: numbers with None for missing, or texts (None is a value of its own).
        seed: of the shuffles.
        shuffles: how many; the least p is 1 / (shuffles + 1).

    Returns:
        One entry a feature that varies at all; none with fewer than two systems.
    """
    names = sorted(set(systems))
    if len(names) < 2:
        return []
    labels = _shuffled([names.index(each) for each in systems], blocks, seed=seed, shuffles=shuffles)
    found = []
    for feature, values in features.items():
        numbers = all(isinstance(each, int | float) for each in values if each is not None)
        if len(set(values)) < 2:
            continue
        told = _areas(values, labels, len(names)) if numbers else _right_guesses(values, labels, len(names))
        if told is None:
            continue
        p = float(np.mean(told >= told[0] - 1e-12))
        evidence = _evidence(names, systems, values, numbers=numbers)
        n = sum(each is not None for each in values) if numbers else len(values)
        found.append((feature, numbers, float(told[0]), float(told[1:].mean()), p, n, evidence))
    return _adjusted(found)


def _shuffled(labels: Sequence[int], blocks: Sequence[Hashable], *, seed: int, shuffles: int) -> Labels:
    """(shuffles + 1) × n: the real labels first, then shuffled within their blocks."""
    numbers = {block: number for number, block in enumerate(dict.fromkeys(blocks))}
    block = np.asarray([numbers[each] for each in blocks])
    real, rng = np.asarray(labels, dtype=np.int64), np.random.default_rng(seed)
    places = np.argsort(block, kind="stable")
    rows = np.empty((shuffles + 1, len(real)), dtype=np.int64)
    rows[0] = real
    for row in rows[1:]:
        row[places] = real[np.lexsort((rng.random(len(real)), block))]
    return rows


def _areas(values: Sequence[Any], labels: Labels, n_systems: int) -> npt.NDArray[np.float64] | None:
    """Of each row of labels the best area under the curve of a system against the others; ties count half."""
    there = np.asarray([each is not None for each in values])
    numbers = np.asarray([float(each) for each in values if each is not None])
    if len(numbers) < 2 or len(np.unique(numbers)) < 2:
        return None
    _, inverse, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2.0)[inverse]
    best = np.full(len(labels), 0.5)
    for system in range(n_systems):
        own = labels[:, there] == system
        n_own = own.sum(axis=1)
        pairs = n_own * (len(ranks) - n_own)
        with np.errstate(invalid="ignore", divide="ignore"):
            area = (own @ ranks - n_own * (n_own + 1) / 2.0) / pairs
        best = np.fmax(best, np.abs(np.where(pairs > 0, area, 0.5) - 0.5) + 0.5)
    return best


def _right_guesses(values: Sequence[Any], labels: Labels, n_systems: int) -> npt.NDArray[np.float64]:
    """Of each row of labels the share guessed right by naming, for each value, the system that has it most often."""
    numbers = {value: number for number, value in enumerate(dict.fromkeys(values))}
    codes = np.asarray([numbers[each] for each in values]) * n_systems
    size = len(numbers) * n_systems
    counts = (np.bincount(codes + row, minlength=size).reshape(-1, n_systems) for row in labels)
    return np.asarray([count.max(axis=1).sum() for count in counts]) / len(values)


def _evidence(names: list[str], systems: Sequence[str], values: Sequence[Any], *, numbers: bool) -> dict[str, str]:
    said = {}
    for name in names:
        own = [value for system, value in zip(systems, values, strict=True) if system == name]
        if numbers:
            there = sorted(each for each in own if each is not None)
            said[name] = f"{np.median(there):,.6g} ({there[0]:,.6g} to {there[-1]:,.6g})" if there else "none"
        else:
            usual = Counter(own).most_common(EVIDENCE_VALUES)
            said[name] = "; ".join(f"{'none' if value is None else value} ({n} of {len(own)})" for value, n in usual)
    return said


def _adjusted(found: list[tuple[Any, ...]]) -> list[Separation]:
    """With p after Holm, the most telling first."""
    made, worst = [], 0.0
    ordered = sorted(found, key=lambda each: (each[4], each[3] - each[2], each[0]))
    for place, (feature, numbers, told, by_chance, p, n, evidence) in enumerate(ordered):
        worst = max(worst, min(1.0, p * (len(ordered) - place)))
        made.append(
            Separation(
                feature=feature, is_number=numbers, told=told, by_chance=by_chance, p=p, p_adjusted=worst, n=n,
                evidence=evidence,
            )
        )  # fmt: skip
    return made
