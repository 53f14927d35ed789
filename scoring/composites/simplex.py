"""What other weights would do: winners over the simplex of tier weights, and ranks near the declared weights."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import fsum

from scoring.composites.declaration import TIERS, CombiningError, Declaration, OutputRow, check_rows
from scoring.composites.scores import score_output
from scoring.composites.totals import receipt_rows
from scoring.statistics.ranking import ranks

_EQUAL = 1e-12

Means = dict[str, dict[str, dict[str, float]]]


@dataclass(frozen=True, kw_only=True)
class SimplexPoint:
    """One choice of tier weights.

    Attributes:
        weights: tier → weight, summing to 1.
        scores: system → composite; None where a format has no part with weight, or the system no output.
        winners: systems on top, several when tied; empty when nobody has a score.
    """

    weights: Mapping[str, float]
    scores: Mapping[str, float | None]
    winners: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RankStability:
    """A system's rank at the declared weights, and the best and worst within the margin around them."""

    rank: int
    best: int
    worst: int

    @property
    def changes(self) -> bool:
        """Whether the rank depends on the exact weights."""
        return self.best != self.worst


def simplex_winners(
    declaration: Declaration,
    rows: Sequence[OutputRow],
    *,
    formats: Sequence[str] | None = None,
    step: float = 0.1,
) -> list[SimplexPoint]:
    """Composites of all systems on a grid over the simplex of tier weights; pending flags as refuted.

    Shares of the components within a tier stay as declared. The grid has the corners, so that each tier alone is
    among the points.

    Args:
        declaration: the composite.
        rows: outputs of all systems.
        formats: formats in scope; None for the headline.
        step: grid step, a whole fraction of 1.

    Raises:
        CombiningError: a step that does not divide 1, or a row or format that is not declared.
    """
    parts = round(1 / step) if step > 0 else 0
    if parts < 1 or abs(parts * step - 1) > 1e-9:
        raise CombiningError(f"step {step:g} does not divide 1")
    names, tiers = _scope(declaration, formats)
    means = _means(declaration, rows, names)
    points = [
        {tier: count / parts for tier, count in zip(tiers, counts, strict=True)}
        for counts in product(range(parts + 1), repeat=len(tiers))
        if sum(counts) == parts
    ]
    return [_point(declaration, means, names, weights) for weights in points]


def rank_changes_within(
    declaration: Declaration,
    rows: Sequence[OutputRow],
    *,
    formats: Sequence[str] | None = None,
    margin: float = 0.1,
    steps: int = 5,
) -> dict[str, RankStability]:
    """Ranks while every tier weight moves by at most `margin` around the declared one.

    The same moves, which add up to 0, are made from the declared weights of each format. A weight stops at 0, and
    weights are brought back to a sum of 1 where one stops or a format lacks a tier.

    Args:
        declaration: the composite.
        rows: outputs of all systems.
        formats: formats in scope; None for the headline.
        margin: how far a tier weight may move.
        steps: grid steps on either side.

    Returns:
        System → stability, for systems that have a composite.

    Raises:
        CombiningError: a row or format that the declaration does not know.
    """
    names, tiers = _scope(declaration, formats)
    means = _means(declaration, rows, names)
    declared = {name: _declared(declaration, name) for name in names}
    at = _ranks(_scores(means, names, {name: _moved(declaration, declared[name], name, {}) for name in names}))
    seen = {system: [rank] for system, rank in at.items()}
    for moves in _moves(tiers, margin=margin, steps=steps):
        by_format = {name: _moved(declaration, declared[name], name, moves) for name in names}
        for system, rank in _ranks(_scores(means, names, by_format)).items():
            seen[system].append(rank)
    return {name: RankStability(rank=at[name], best=min(found), worst=max(found)) for name, found in seen.items()}


def _scope(declaration: Declaration, formats: Sequence[str] | None) -> tuple[dict[str, float], tuple[str, ...]]:
    names = declaration.shares_of(tuple(declaration.formats if formats is None else formats))
    shares = {name: share for name, share in names.items() if share > 0}
    present = {part.tier for name in shares for part in declaration.components_of(name)}
    return shares, tuple(tier for tier in TIERS if tier in present)


def _declared(declaration: Declaration, name: str) -> dict[str, float]:
    """Declared weight of each tier of a format; they sum to 1."""
    weights, found = declaration.weights_of(name), dict.fromkeys(TIERS, 0.0)
    for part in declaration.components_of(name):
        found[part.tier] += weights[part.code]
    present = {part.tier for part in declaration.components_of(name)}
    return {tier: weight for tier, weight in found.items() if tier in present}


def _moved(
    declaration: Declaration, declared: Mapping[str, float], name: str, moves: Mapping[str, float]
) -> dict[str, float]:
    """Component weights of a format whose declared tier weights move by these amounts, never below 0."""
    moved = {tier: max(0.0, weight + moves.get(tier, 0.0)) for tier, weight in declared.items()}
    return _component_weights(declaration, name, moved)


def _moves(tiers: Sequence[str], *, margin: float, steps: int) -> Iterator[dict[str, float]]:
    """Grid of changes of the tier weights that add up to 0, none beyond the margin, its borders included."""
    grid = [margin * step / steps for step in range(-steps, steps + 1)]
    for chosen in product(grid, repeat=len(tiers) - 1):
        rest = -fsum(chosen)
        if abs(rest) <= margin + 1e-9:
            yield dict(zip(tiers, [*chosen, rest], strict=True))


def _means(declaration: Declaration, rows: Sequence[OutputRow], names: Mapping[str, float]) -> Means:
    """system → format → component → mean of the transformed values; failed and vetoed outputs are 0."""
    check_rows(declaration, rows)
    means: Means = {row.system: {} for row in sorted(rows, key=lambda row: row.system)}
    for system, by_format in means.items():
        scores = [
            score_output(declaration, row)
            for row in rows
            if row.system == system and row.in_sample and row.format in names
        ]
        for name in names:
            lines = receipt_rows(
                declaration, [s for s in scores if s.row.format == name], {name: 1.0}, bound="refuted"
            )
            if not lines:
                continue
            zero = ("failed", "missing", "vetoed")
            by_format[name] = {
                component.code: fsum(
                    line.weight * (line.parts[place].transformed or 0.0) for line in lines if line.state not in zero
                )
                for place, component in enumerate(declaration.components_of(name))
            }
    return means


def _point(
    declaration: Declaration, means: Means, names: Mapping[str, float], weights: Mapping[str, float]
) -> SimplexPoint:
    scores = _scores(means, names, {name: _component_weights(declaration, name, weights) for name in names})
    known = {system: score for system, score in scores.items() if score is not None}
    top = max(known.values(), default=0.0)
    winners = tuple(system for system, score in known.items() if score >= top - _EQUAL)
    return SimplexPoint(weights=dict(weights), scores=scores, winners=winners)


def _scores(
    means: Means, names: Mapping[str, float], by_format: Mapping[str, Mapping[str, float]]
) -> dict[str, float | None]:
    """Composite of each system under component weights by format; None where a format has no weight or no output."""
    scores: dict[str, float | None] = {}
    for system, found in means.items():
        if any(name not in found or not by_format[name] for name in names):
            scores[system] = None
            continue
        scores[system] = fsum(
            share * by_format[name][code] * mean
            for name, share in names.items()
            for code, mean in found[name].items()
        )
    return scores


def _component_weights(declaration: Declaration, name: str, weights: Mapping[str, float]) -> dict[str, float]:
    """Component weights of a format under given tier weights; empty when its tiers weigh nothing."""
    parts = declaration.components_of(name)
    total = fsum(weights[tier] for tier in {part.tier for part in parts})
    if total <= _EQUAL:
        return {}
    found = {}
    for part in parts:
        peers = [other.weight for other in parts if other.tier == part.tier]
        within = part.weight / fsum(peers) if fsum(peers) > 0 else 1.0 / len(peers)
        found[part.code] = weights[part.tier] / total * within
    return found


def _ranks(scores: Mapping[str, float | None]) -> dict[str, int]:
    known = {system: round(score, 12) for system, score in scores.items() if score is not None}
    return dict(zip(known, ranks(list(known.values())), strict=True))
