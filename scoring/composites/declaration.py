"""What a composite declares before anything is computed, and the plain rows that it is computed from.

Nothing here knows a database: pages, workbook and JSON hand in the same rows and read the same numbers.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from math import fsum, isfinite
from typing import Literal

Tier = Literal["clinical", "semantic", "pixel"]
Direction = Literal["higher_better", "higher_worse", "lower_better"]
Status = Literal["ok", "empty", "declined", "unreadable", "error", "missing"]
Veto = Literal["pending", "confirmed", "refuted", "moderate_confirmed"]
Weighting = Literal["macro_by_task", "plain", "design_weighted"]

TIERS: tuple[Tier, ...] = ("clinical", "semantic", "pixel")
STATUSES = ("ok", "empty", "declined", "unreadable", "error", "missing")
VETOES = (None, "pending", "confirmed", "refuted", "moderate_confirmed")
WEIGHTINGS = {
    "macro_by_task": "macro by task",
    "plain": "plain mean over outputs",
    "design_weighted": "design-weighted (inverse inclusion probability)",
}


class CombiningError(ValueError):
    """A declaration or a row that cannot be combined; the message names the thing, the value and the limit."""


@dataclass(frozen=True, kw_only=True)
class Component:
    """One measure of a composite with its fixed transform to 0…1.

    Attributes:
        code: short name, unique within a format.
        tier: clinical, semantic or pixel.
        source: rubric criterion or metric that it reads.
        low: raw value worth 0 (worth 1 where higher is worse).
        high: raw value worth 1 (worth 0 where higher is worse). With `higher_better`, low may exceed high.
        weight: declared weight, ≥ 0.
        direction: whether a higher raw value is better; `lower_better` means the same as `higher_worse`.
        formats: formats that have this component; empty for all.
    """

    code: str
    tier: Tier
    source: str
    low: float
    high: float
    weight: float
    direction: Direction = "higher_better"
    formats: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.tier not in TIERS:
            raise CombiningError(f"component {self.code}: tier {self.tier!r} is not one of {', '.join(TIERS)}")
        if not all(isfinite(value) for value in (self.low, self.high, self.weight)):
            raise CombiningError(f"component {self.code}: low, high and weight must be finite")
        if self.low == self.high or (self.direction != "higher_better" and self.low > self.high):
            raise CombiningError(f"component {self.code}: low {self.low:g} and high {self.high:g} span no range")
        if self.weight < 0:
            raise CombiningError(f"component {self.code}: weight {self.weight:g} is below 0")

    def transform(self, raw: float) -> float:
        """Raw value on 0…1, clipped: (x − low) / (high − low), turned where higher is worse."""
        share = (raw - self.low) / (self.high - self.low)
        if self.direction != "higher_better":
            share = 1.0 - share
        return min(1.0, max(0.0, share))


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """A composite as declared: version, components, formats with their share of the headline, weighting.

    Attributes:
        code: name of the composite.
        version: version; a locked version never changes.
        components: measures with transforms and weights.
        formats: format → weight in the headline over formats, ≥ 0.
        weighting: how outputs are averaged within a format; named beside every number.
        moderate_cap: highest transformed clinical value of an output with a confirmed moderate flag
            (0.25 is overall 2 on a scale of 1 to 5).
    """

    code: str
    version: str
    components: tuple[Component, ...]
    formats: Mapping[str, float]
    weighting: Weighting = "macro_by_task"
    moderate_cap: float = 0.25

    def __post_init__(self) -> None:
        if self.weighting not in WEIGHTINGS:
            raise CombiningError(f"weighting {self.weighting!r} is not one of {', '.join(WEIGHTINGS)}")
        if not 0.0 <= self.moderate_cap <= 1.0:
            raise CombiningError(f"moderate cap {self.moderate_cap:g} is outside 0…1")
        shares = list(self.formats.values())
        if not all(isfinite(share) and share >= 0 for share in shares) or fsum(shares) <= 0:
            raise CombiningError("format weights must be finite, not negative, and not all 0")
        for name in self.formats:
            self._check_format(name)

    def _check_format(self, name: str) -> None:
        codes = [component.code for component in self.components_of(name)]
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise CombiningError(f"format {name}: component {twice[0]} is declared twice")
        if fsum(component.weight for component in self.components_of(name)) <= 0:
            raise CombiningError(f"format {name}: no component has a weight above 0")

    def components_of(self, name: str) -> tuple[Component, ...]:
        """Components that exist for a format, in declared order."""
        return tuple(part for part in self.components if not part.formats or name in part.formats)

    def weights_of(self, name: str) -> dict[str, float]:
        """Weight of each component of a format, renormalized so that they sum to 1."""
        parts = self.components_of(name)
        total = fsum(part.weight for part in parts)
        return {part.code: part.weight / total for part in parts}

    def shares_of(self, names: Sequence[str]) -> dict[str, float]:
        """Share of each of these formats in a number over them, summing to 1.

        Raises:
            CombiningError: a format is not declared, or all of them weigh 0.
        """
        for name in names:
            if name not in self.formats:
                raise CombiningError(f"format {name!r} is not declared by composite {self.code}")
        total = fsum(self.formats[name] for name in names)
        if total <= 0:
            raise CombiningError(f"the formats {', '.join(names)} weigh 0 together")
        return {name: self.formats[name] / total for name in names}


@dataclass(frozen=True, kw_only=True)
class OutputRow:
    """Everything a composite needs to know about one output.

    Attributes:
        system: key of the system (its study letter before unblinding).
        item: key of the item; one row per system and item.
        cluster: key of what moves together (case, shared input image).
        format: format of the item.
        task: task of the item.
        status: `ok` or the kind of failure.
        values: component code → raw readings; several are averaged (readers of one output).
        identical: component codes whose value does not exist because output and reference are identical; they
            take the top of the range.
        reasons: component code → why it has no value.
        veto: state of the gravest safety flag; None without one.
        in_sample: whether the item belongs to the graded sample. Rows outside feed tier columns only, so that
            a failure on an item nobody grades does not count as 0 in a number made of graded items. This must be
            a fact of the item, not of one system.
        design_weight: inverse inclusion probability, for the design-weighted mean.
    """

    system: str
    item: str
    cluster: str
    format: str
    task: str
    status: Status = "ok"
    values: Mapping[str, Sequence[float]] = field(default_factory=dict)
    identical: frozenset[str] = frozenset()
    reasons: Mapping[str, str] = field(default_factory=dict)
    veto: Veto | None = None
    in_sample: bool = True
    design_weight: float = 1.0

    def __post_init__(self) -> None:
        where = f"system {self.system}, item {self.item}"
        if self.status not in STATUSES:
            raise CombiningError(f"{where}: status {self.status!r} is not one of {', '.join(STATUSES)}")
        if self.veto not in VETOES:
            raise CombiningError(f"{where}: veto state {self.veto!r} does not exist")
        if not (isfinite(self.design_weight) and self.design_weight > 0):
            raise CombiningError(f"{where}: design weight {self.design_weight:g} is not above 0")
        for code, readings in self.values.items():
            if not all(isfinite(reading) for reading in readings):
                raise CombiningError(f"{where}: {code} has a value that is not finite")


def check_rows(declaration: Declaration, rows: Sequence[OutputRow]) -> None:
    """Refuse rows that the declaration does not know, and a second row of one system and item.

    Raises:
        CombiningError: names the row and the value.
    """
    known = {name: {part.code for part in declaration.components_of(name)} for name in declaration.formats}
    seen: set[tuple[str, str]] = set()
    for row in rows:
        where = f"system {row.system}, item {row.item}"
        if row.format not in known:
            raise CombiningError(f"{where}: format {row.format!r} is not declared")
        strange = sorted({*row.values, *row.identical} - known[row.format])
        if strange:
            raise CombiningError(f"{where}: {strange[0]!r} is not a component of format {row.format}")
        if (row.system, row.item) in seen:
            raise CombiningError(f"{where}: there are two outputs")
        seen.add((row.system, row.item))


def inputs_hash(declaration: Declaration, rows: Sequence[OutputRow]) -> str:
    """sha256 of the declaration and all rows, the same for any order of the rows."""
    lines = sorted(json.dumps(_plain(row), sort_keys=True) for row in rows)
    text = "\n".join([json.dumps(_plain(declaration), sort_keys=True), *lines])
    return hashlib.sha256(text.encode()).hexdigest()


def _plain_row(row: OutputRow) -> dict[str, object]:
    """A row as `_plain` writes it, without looking at every part: a study has thousands of rows."""
    return {
        "system": row.system,
        "item": row.item,
        "cluster": row.cluster,
        "format": row.format,
        "task": row.task,
        "status": row.status,
        "values": {code: [float(value) for value in readings] for code, readings in row.values.items()},
        "identical": sorted(row.identical),
        "reasons": dict(row.reasons),
        "veto": row.veto,
        "in_sample": row.in_sample,
        "design_weight": float(row.design_weight),
    }


def _plain(value: object) -> object:
    match value:
        case OutputRow():
            return _plain_row(value)
        case Component() | Declaration():
            return {entry.name: _plain(getattr(value, entry.name)) for entry in fields(value)}
        case Mapping():
            return {str(key): _plain(entry) for key, entry in value.items()}
        case frozenset():
            return sorted(str(entry) for entry in value)
        case str() | None | bool():
            return value
        case int() | float():
            return float(value)
        case Sequence():
            return [_plain(entry) for entry in value]
        case _:
            return str(value)
