"""One system's number: outputs averaged with the declared weighting, with counts, bounds and a receipt."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum

from scoring.composites.declaration import (
    WEIGHTINGS,
    Declaration,
    OutputRow,
    check_rows,
    inputs_hash,
)
from scoring.composites.scores import Bound, OutputScore, Part, row_weights, score_output

HEADLINE = "headline"


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many outputs stand behind a number. expected = scored + failed + missing + without_tier.

    Attributes:
        n_expected: outputs of the graded sample.
        n_scored: outputs with a value, vetoed ones included.
        n_failed: empty, declined, unreadable or error; 0 in the headline.
        n_missing: never delivered; 0 in the headline.
        n_without_tier: outputs that lack a component and do not enter.
        n_vetoed: scored outputs set to 0 by a confirmed severe flag.
        n_pending: outputs with an undecided severe flag.
        n_refuted: outputs whose severe flag an adjudicator refuted.
        n_capped: outputs with confirmed moderate harm, whose clinical part is capped.
        n_items: items that enter.
        n_clusters: clusters that enter.
        n_readings: clinical readings that enter.
        failures: kind of failure → outputs.
        absent: component → reason → outputs of status `ok` that lack it.
    """

    n_expected: int
    n_scored: int
    n_failed: int
    n_missing: int
    n_without_tier: int
    n_vetoed: int
    n_pending: int
    n_refuted: int
    n_capped: int
    n_items: int
    n_clusters: int
    n_readings: int
    failures: Mapping[str, int]
    absent: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, kw_only=True)
class ReceiptRow:
    """One output's part in a number: weight × value = contribution.

    Attributes:
        row: the output.
        state: see `OutputScore`.
        parts: raw and transformed value and weight of each component.
        value: value of the output, 0…1.
        weight: its weight in the number, the format's share included.
        contribution: weight × value; `math.fsum` of all contributions is the number, bit for bit.
    """

    row: OutputRow
    state: str
    parts: tuple[Part, ...]
    value: float
    weight: float
    contribution: float


@dataclass(frozen=True, kw_only=True)
class SystemComposite:
    """One system's composite over one or several formats.

    Attributes:
        system: key of the system.
        scope: the format, or "headline" over several.
        value: 0…1, failed and missing outputs at 0, pending flags taken as refuted; None with a reason.
        of_scored: second column, failed and missing outputs left out; None when nothing was scored.
        refuted: value if every pending flag is refuted; None when nothing is pending.
        confirmed: value if every pending flag is confirmed; None when nothing is pending.
        reason: why there is no value ("" when there is one).
        by_format: value of each format, None where it has none.
        counts: what stands behind the number.
        weighting: the weighting in words.
        receipt: every contributing output.
        inputs_hash: hash of the declaration and of this system's rows in scope.
    """

    system: str
    scope: str
    value: float | None
    of_scored: float | None
    refuted: float | None
    confirmed: float | None
    reason: str
    by_format: Mapping[str, float | None]
    counts: Counts
    weighting: str
    receipt: tuple[ReceiptRow, ...]
    inputs_hash: str


def combine(
    declaration: Declaration,
    rows: Sequence[OutputRow],
    *,
    system: str,
    formats: Sequence[str] | None = None,
) -> SystemComposite:
    """One system's composite; other systems' rows play no part in it.

    Args:
        declaration: the composite.
        rows: outputs, of this system or of all.
        system: whose number.
        formats: formats in scope; None for the headline over all declared formats.

    Raises:
        CombiningError: a row or format that the declaration does not know.
    """
    check_rows(declaration, rows)
    names = tuple(declaration.formats if formats is None else formats)
    shares = declaration.shares_of(names)
    own = [row for row in rows if row.system == system and shares.get(row.format, 0.0) > 0]
    scores = [score_output(declaration, row) for row in own if row.in_sample]
    receipt = receipt_rows(declaration, scores, shares, bound="refuted")
    present = {line.row.format for line in receipt}
    absent = [name for name, share in shares.items() if share > 0 and name not in present]
    pending = any(score.state == "pending" for score in scores)
    delivered = [score for score in scores if score.state not in ("failed", "missing")]
    return SystemComposite(
        system=system,
        scope=names[0] if len(names) == 1 else HEADLINE,
        value=None if absent else total(receipt),
        of_scored=value_over(declaration, delivered, shares, bound="refuted"),
        refuted=value_over(declaration, scores, shares, bound="refuted") if pending else None,
        confirmed=value_over(declaration, scores, shares, bound="confirmed") if pending else None,
        reason=f"no output with every tier in {', '.join(absent)}" if absent else "",
        by_format={
            name: value_over(declaration, [s for s in scores if s.row.format == name], {name: 1.0}, bound="refuted")
            for name in names
        },
        counts=_counts(scores),
        weighting=WEIGHTINGS[declaration.weighting],
        receipt=tuple(receipt),
        inputs_hash=inputs_hash(declaration, own),
    )


def receipt_rows(
    declaration: Declaration, scores: Iterable[OutputScore], shares: Mapping[str, float], *, bound: Bound
) -> list[ReceiptRow]:
    """Every output that enters, with its weight and contribution, ordered by format, task and item."""
    entering = sorted(
        (score for score in scores if score.value(bound) is not None),
        key=lambda score: (score.row.format, score.row.task, score.row.item),
    )
    lines = []
    for name, share in shares.items():
        group = [score for score in entering if score.row.format == name]
        if share == 0 or not group:
            continue
        for score, weight in zip(group, row_weights(declaration, [s.row for s in group]), strict=True):
            value = score.value(bound) or 0.0
            lines.append(
                ReceiptRow(
                    row=score.row,
                    state=score.state,
                    parts=score.parts,
                    value=value,
                    weight=share * weight,
                    contribution=share * weight * value,
                )
            )
    return lines


def total(receipt: Iterable[ReceiptRow]) -> float:
    """The number that a receipt adds up to, exactly rounded and independent of the order of its rows."""
    return fsum(line.contribution for line in receipt)


def value_over(
    declaration: Declaration, scores: Iterable[OutputScore], shares: Mapping[str, float], *, bound: Bound
) -> float | None:
    """Composite of these outputs under one outcome of the pending flags; None when a format has no output."""
    receipt = receipt_rows(declaration, scores, shares, bound=bound)
    present = {line.row.format for line in receipt}
    if any(share > 0 and name not in present for name, share in shares.items()):
        return None
    return total(receipt) if receipt else None


def _counts(scores: Sequence[OutputScore]) -> Counts:
    states = Counter(score.state for score in scores)
    entering = [score for score in scores if score.refuted is not None]
    absent: dict[str, Counter[str]] = {}
    for score in scores:
        for part in score.parts:
            if score.row.status == "ok" and part.transformed is None:
                absent.setdefault(part.code, Counter())[part.reason] += 1
    n_undecided = sum(score.state == "pending" and score.refuted is None for score in scores)
    return Counts(
        n_expected=len(scores),
        n_scored=states["scored"] + states["vetoed"] + states["pending"] - n_undecided,
        n_failed=states["failed"],
        n_missing=states["missing"],
        n_without_tier=states["without_tier"] + n_undecided,
        n_vetoed=states["vetoed"],
        n_pending=states["pending"],
        n_refuted=sum(score.row.veto == "refuted" for score in scores),
        n_capped=sum(score.row.veto == "moderate_confirmed" for score in scores),
        n_items=len({score.row.item for score in entering}),
        n_clusters=len({score.row.cluster for score in entering}),
        n_readings=sum(p.n_readings for score in entering for p in score.parts if p.tier == "clinical"),
        failures=dict(Counter(score.row.status for score in scores if score.row.status != "ok")),
        absent={code: dict(reasons) for code, reasons in absent.items()},
    )
