"""One output at a time: readings → mean → transform → weights → veto; then the weight it carries in a mean."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from typing import Literal

from scoring.composites.declaration import Component, Declaration, OutputRow

Bound = Literal["refuted", "confirmed"]
State = Literal["scored", "vetoed", "pending", "failed", "missing", "without_tier"]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One component of one output.

    Attributes:
        code: component.
        tier: its tier.
        raw: mean of the readings; None where identical or without a value.
        transformed: value on 0…1 after the clinical cap; None without a value.
        weight: renormalized weight within the format.
        n_readings: readings that entered.
        reason: why there is no value, "identical" where the top of the range was taken, else "".
    """

    code: str
    tier: str
    raw: float | None
    transformed: float | None
    weight: float
    n_readings: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class OutputScore:
    """One output on the scale of the composite.

    Attributes:
        row: the output.
        state: scored, vetoed (confirmed severe flag), pending (severe flag undecided), failed (empty,
            declined, unreadable, error), missing, or without_tier.
        parts: its components.
        refuted: value if pending flags are refuted; None when it does not enter.
        confirmed: value if they are confirmed; None when it does not enter.
    """

    row: OutputRow
    state: State
    parts: tuple[Part, ...]
    refuted: float | None
    confirmed: float | None

    def value(self, bound: Bound) -> float | None:
        """The value under one outcome of all pending flags."""
        return self.refuted if bound == "refuted" else self.confirmed


def score_output(declaration: Declaration, row: OutputRow) -> OutputScore:
    """Value of one output, 0…1.

    A failed or missing output is 0. A confirmed severe flag is 0 whatever else is known, so that no absent
    metric lets a vetoed output escape. An output that lacks a component has no value.
    """
    weights = declaration.weights_of(row.format)
    parts = tuple(
        _part(component, row, weights[component.code], declaration.moderate_cap)
        for component in declaration.components_of(row.format)
    )
    base = _weighted(declaration, row, parts)
    state: State
    if row.status != "ok":
        state, refuted, confirmed = ("missing" if row.status == "missing" else "failed"), 0.0, 0.0
        return OutputScore(row=row, state=state, parts=parts, refuted=refuted, confirmed=confirmed)
    match row.veto:
        case "confirmed":
            return OutputScore(row=row, state="vetoed", parts=parts, refuted=0.0, confirmed=0.0)
        case "pending":
            return OutputScore(row=row, state="pending", parts=parts, refuted=base, confirmed=0.0)
        case _:
            state = "without_tier" if base is None else "scored"
            return OutputScore(row=row, state=state, parts=parts, refuted=base, confirmed=base)


def _weighted(declaration: Declaration, row: OutputRow, parts: Sequence[Part]) -> float | None:
    """Weighted mean of the parts, None when one is absent. Declared weights, so that all at 1 give exactly 1."""
    weights = [component.weight for component in declaration.components_of(row.format)]
    known = [part.transformed for part in parts if part.transformed is not None]
    if len(known) < len(parts):
        return None
    return fsum(weight * value for weight, value in zip(weights, known, strict=True)) / fsum(weights)


def _part(component: Component, row: OutputRow, weight: float, cap: float) -> Part:
    readings = row.values.get(component.code, ())
    raw = fsum(readings) / len(readings) if readings else None
    reason, transformed = "", None
    if component.code in row.identical:
        raw, transformed, reason = None, 1.0, "identical"
    elif raw is not None:
        transformed = component.transform(raw)
    else:
        reason = row.reasons.get(component.code, "no value" if row.status == "ok" else row.status)
    if transformed is not None and component.tier == "clinical" and row.veto == "moderate_confirmed":
        transformed = min(transformed, cap)
    return Part(
        code=component.code,
        tier=component.tier,
        raw=raw,
        transformed=transformed,
        weight=weight,
        n_readings=len(readings),
        reason=reason,
    )


def row_weights(declaration: Declaration, rows: Sequence[OutputRow]) -> list[float]:
    """Weight of each row in the mean of one format; they sum to 1.

    Macro by task: every task present counts the same, and so does every output within it. Plain: every output
    counts the same. Design-weighted: in proportion to the inverse inclusion probability.
    """
    match declaration.weighting:
        case "macro_by_task":
            sizes = Counter(row.task for row in rows)
            return [1.0 / (len(sizes) * sizes[row.task]) for row in rows]
        case "plain":
            return [1.0 / len(rows) for _ in rows]
        case _:
            total = fsum(row.design_weight for row in rows)
            return [row.design_weight / total for row in rows]
