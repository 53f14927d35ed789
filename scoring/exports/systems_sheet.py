"""The sheet *Systems*: the composite as formulas over the values of every output, beside the exported numbers.

Weights, transforms, the shares of the formats and the weighting stand in yellow cells; whoever changes one sees the
composite of every system move. The arithmetic is the one of `scoring.composites.combining`: readings → mean →
transform → weights → veto → mean over outputs with the declared weighting. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

from scoring.composites.combining import Component, Declaration, OutputRow, OutputScore, score_output
from scoring.exports.cells import Formula, Style, Styled
from scoring.exports.live_values import CONFIRMED, MEAN, SCORED, LiveValues
from scoring.exports.package import column_letters
from scoring.exports.sheets import Column
from scoring.exports.systems_columns import (
    ADVICE,
    ALL_FORMATS,
    FIRST_RAW,
    KEYS,
    RAW,
    RESULTS,
    SHARES,
    TASKS,
    TITLE,
    TRANSFORMED,
    VALUES,
    WEIGHTS,
)

Row = list[Any]
EXPORTED = {MEAN: "D", SCORED: "G", CONFIRMED: "J"}
"""Kind of number → column of the exported one in the results; live and difference stand right of it."""
LIVE = {MEAN: "E", SCORED: "H", CONFIRMED: "K"}
TASK_MEAN = {MEAN: "E", CONFIRMED: "F", SCORED: "G"}
RANK, N_PENDING = "O", "Y"


@dataclass(frozen=True)
class _Places:
    """Where the blocks stand: the first row of each, header not included."""

    weights: Mapping[tuple[str, str], int]
    shares: Mapping[str, int]
    results: int
    tasks: int
    outputs: int
    last: int


class SystemsSheet:
    """All rows of the sheet, top to bottom.

    Args:
        declaration: the composite.
        rows: outputs of the study.
        board: the leaderboard as the page shows it.
        names: letter → name; empty while the study is blinded.
    """

    def __init__(
        self,
        declaration: Declaration,
        rows: Sequence[OutputRow],
        board: Mapping[str, Any],
        names: Mapping[str, str],
    ) -> None:
        self._declaration, self._board, self._names = declaration, board, names
        self._rows = sorted(rows, key=lambda row: (row.system, row.format, row.task, row.item))
        self._codes = list(dict.fromkeys(component.code for component in declaration.components))
        self._formats = list(declaration.formats)
        self._groups = list(dict.fromkeys((row.system, row.format, row.task) for row in self._rows))
        self._scopes = [(ALL_FORMATS, board.get("systems", []))]
        self._scopes += [(one["format"], one["systems"]) for one in board.get("formats", [])]
        self._scores = [score_output(declaration, row) for row in self._rows]
        self._live = LiveValues(declaration, self._scores)
        self._at = self._places()
        self._result_rows = {
            (scope, one["code"]): self._at.results + place
            for place, (scope, one) in enumerate((scope, one) for scope, all_ in self._scopes for one in all_)
        }
        self._value = column_letters(FIRST_RAW + 2 * len(self._codes))
        self._confirmed = column_letters(FIRST_RAW + 2 * len(self._codes) + 1)

    @property
    def filtered(self) -> tuple[int, int, int]:
        """First row, last row and width of the block of outputs, its header included."""
        return self._at.outputs - 1, self._at.last, FIRST_RAW + 2 * len(self._codes) + 1

    def _places(self) -> _Places:
        weights, shares = {}, {}
        row = 8
        for name in self._formats:
            for component in self._declaration.components_of(name):
                weights[name, component.code] = row
                row += 1
        row += 3
        for name in self._formats:
            shares[name] = row
            row += 1
        results = row + 3
        tasks = results + sum(len(systems) for _, systems in self._scopes) + 3
        outputs = tasks + len(self._groups) + 3
        return _Places(weights, shares, results, tasks, outputs, outputs + len(self._rows) - 1)

    def rows(self) -> Iterator[Row]:
        """Every row, empty ones included."""
        yield [Styled(TITLE, Style.TITLE)]
        yield [ADVICE]
        yield []
        yield ["Weighting", Styled(self._declaration.weighting, Style.INPUT), "macro_by_task, or plain"]
        yield [
            "Moderate cap",
            Styled(self._declaration.moderate_cap, Style.INPUT),
            "limit of a confirmed moderate flag",
        ]
        yield from self._head("Weights", WEIGHTS, spaced=False)
        yield from self._weights()
        yield from self._head("Share of each format", SHARES)
        yield from self._shares()
        yield from self._head("Results", RESULTS)
        for scope, systems in self._scopes:
            for one in systems:
                yield self._result(scope, one)
        yield from self._head("Mean of each task", TASKS)
        yield from self._tasks()
        raw = [Column(f"{code} raw", RAW.about) for code in self._codes]
        transformed = [Column(f"{code} 0 to 1", TRANSFORMED.about) for code in self._codes]
        yield from self._head("Outputs", (*KEYS, *raw, *transformed, *VALUES))
        for place, score in enumerate(self._scores):
            yield self._output(self._at.outputs + place, score)

    def _head(self, title: str, columns: Sequence[Column], *, spaced: bool = True) -> Iterator[Row]:
        if spaced:
            yield []
        yield [Styled(title, Style.TITLE)]
        yield [Styled(column.title, Style.HEADER) for column in columns]

    def _weights(self) -> Iterator[Row]:
        for name in self._formats:
            parts = self._declaration.components_of(name)
            total = fsum(part.weight for part in parts)
            weights = [f"$H${self._at.weights[name, part.code]}" for part in parts]
            for part in parts:
                share = f"IFERROR($H${self._at.weights[name, part.code]}/({'+'.join(weights)}),0)"
                yield [
                    name,
                    part.code,
                    part.tier,
                    part.source,
                    Styled(part.low, Style.INPUT),
                    Styled(part.high, Style.INPUT),
                    part.direction,
                    Styled(part.weight, Style.INPUT),
                    Styled(Formula(share, part.weight / total), Style.LIVE),
                ]

    def _shares(self) -> Iterator[Row]:
        shares = self._declaration.shares_of(self._formats)
        total = "+".join(f"$B${row}" for row in self._at.shares.values())
        for name, row in self._at.shares.items():
            yield [
                name,
                Styled(self._declaration.formats[name], Style.INPUT),
                Styled(Formula(f"IFERROR($B${row}/({total}),0)", shares[name]), Style.LIVE),
            ]

    def _output(self, row: int, score: OutputScore) -> Row:
        own = score.row
        parts = {part.code: part for part in score.parts}
        raws: Row = []
        transformed: Row = []
        for place, code in enumerate(self._codes):
            part = parts.get(code)
            if part is None:
                raws.append(None)
                transformed.append(None)
                continue
            raws.append(Styled(part.raw, Style.NUMBER) if part.raw is not None else part.reason)
            formula = self._transform(row, place, own.format, part.tier, code)
            live = "" if part.transformed is None else part.transformed
            transformed.append(Styled(Formula(formula, live), Style.LIVE))
        value, confirmed = self._value_formulas(row, own.format)
        clinical = [part.n_readings for part in score.parts if part.tier == "clinical"]
        return [
            own.system,
            own.item,
            own.cluster,
            own.format,
            own.task,
            own.status,
            int(own.in_sample),
            own.veto,
            max(clinical, default=0),
            *raws,
            *transformed,
            Styled(Formula(value, "" if score.refuted is None else score.refuted), Style.LIVE),
            Styled(Formula(confirmed, "" if score.confirmed is None else score.confirmed), Style.LIVE),
        ]

    def _transform(self, row: int, place: int, name: str, tier: str, code: str) -> str:
        at = self._at.weights[name, code]
        raw = f"{column_letters(FIRST_RAW + place)}{row}"
        share = f"({raw}-$E${at})/($F${at}-$E${at})"
        if self._component(name, code).direction != "higher_better":
            share = f"1-{share}"
        clipped = f"MIN(1,MAX(0,{share}))"
        if tier == "clinical":
            clipped = f'IF($H{row}="moderate_confirmed",MIN({clipped},$B$5),{clipped})'
        return f'IF({raw}="identical",1,IF(ISNUMBER({raw}),{clipped},""))'

    def _component(self, name: str, code: str) -> Component:
        return next(part for part in self._declaration.components_of(name) if part.code == code)

    def _value_formulas(self, row: int, name: str) -> tuple[str, str]:
        cells, weights = [], []
        for part in self._declaration.components_of(name):
            column = column_letters(FIRST_RAW + len(self._codes) + self._codes.index(part.code))
            cells.append(f"{column}{row}")
            weights.append(f"$H${self._at.weights[name, part.code]}")
        products = "+".join(f"{weight}*{cell}" for weight, cell in zip(weights, cells, strict=True))
        known = f"COUNT({','.join(cells)})={len(cells)}"
        base = f'IF({known},({products})/({"+".join(weights)}),"")'
        value = f'IF($F{row}<>"ok",0,IF($H{row}="confirmed",0,{base}))'
        confirmed = f'IF($F{row}<>"ok",0,IF(OR($H{row}="confirmed",$H{row}="pending"),0,{base}))'
        return value, confirmed

    def _range(self, column: str) -> str:
        return f"${column}${self._at.outputs}:${column}${max(self._at.last, self._at.outputs)}"

    def _task_range(self, column: str) -> str:
        return f"${column}${self._at.tasks}:${column}${self._at.tasks + max(0, len(self._groups) - 1)}"

    def _tasks(self) -> Iterator[Row]:
        systems, formats, tasks, sample = (self._range(column) for column in "ADEG")
        status = self._range("F")
        for place, group in enumerate(self._groups):
            row = self._at.tasks + place
            chosen = f"{systems},$A{row},{formats},$B{row},{tasks},$C{row},{sample},1"
            numbers = f'{self._range(self._value)},"<2"'
            means = [
                f'IFERROR(AVERAGEIFS({self._range(self._value)},{chosen}),"")',
                f'IFERROR(AVERAGEIFS({self._range(self._confirmed)},{chosen}),"")',
                f'IFERROR(AVERAGEIFS({self._range(self._value)},{chosen},{status},"ok"),"")',
            ]
            known = self._live.of_task(*group)
            yield [
                *group,
                Styled(Formula(f"COUNTIFS({chosen},{numbers})", known[0]), Style.INTEGER),
                *(
                    Styled(Formula(formula, "" if mean is None else mean), Style.LIVE)
                    for formula, mean in zip(means, known[1:], strict=True)
                ),
            ]

    def _result(self, scope: str, one: Mapping[str, Any]) -> Row:
        row, letter = self._result_rows[scope, one["code"]], one["code"]
        pending = one["pending"] or {}
        exported = {MEAN: one["composite"], SCORED: one["of_scored"], CONFIRMED: pending.get("confirmed")}
        cells: Row = []
        for kind, value in exported.items():
            live = None if kind == CONFIRMED and not one["n_pending"] else self._live_value(scope, letter, kind)
            difference = "" if live is None or value is None else live - value
            cells += [
                Styled(value, Style.NUMBER),
                Styled(
                    Formula(self._live_formula(scope, letter, kind, row), "" if live is None else live), Style.LIVE
                ),
                Styled(Formula(_difference(EXPORTED[kind], LIVE[kind], row), difference), Style.DIFFERENCE),
            ]
        return [
            scope,
            letter,
            self._names.get(letter),
            *cells,
            Styled(one["low"], Style.NUMBER),
            Styled(one["high"], Style.NUMBER),
            one["rank"],
            one["rank_low"],
            one["rank_high"],
            Formula(self._rank_formula(scope, row), "" if one["rank"] is None else one["rank"]),
            *(one[name] for name in _COUNTS),
            one["reason"],
        ]

    def _live_value(self, scope: str, letter: str, kind: int) -> float | None:
        if scope == ALL_FORMATS:
            return self._live.of_system(letter, kind)
        return self._live.of_format(letter, scope, kind)

    def _live_formula(self, scope: str, letter: str, kind: int, row: int) -> str:
        formula = self._over_formats(letter, kind) if scope == ALL_FORMATS else self._over_tasks(kind, row)
        return f'IF(${N_PENDING}{row}>0,{formula},"")' if kind == CONFIRMED else formula

    def _over_tasks(self, kind: int, row: int) -> str:
        """Mean over outputs of one format, as the weighting says."""
        value = self._range(self._confirmed if kind == CONFIRMED else self._value)
        chosen = f"{self._range('A')},$B{row},{self._range('D')},$A{row},{self._range('G')},1"
        if kind == SCORED:
            chosen += f',{self._range("F")},"ok"'
        macro = f"{self._task_range(TASK_MEAN[kind])},{self._task_range('A')},$B{row},{self._task_range('B')},$A{row}"
        return f'IFERROR(IF($B$4="plain",AVERAGEIFS({value},{chosen}),AVERAGEIFS({macro})),"")'

    def _over_formats(self, letter: str, kind: int) -> str:
        """Mean over formats with their weights; none when a format with weight has no number."""
        absent, products, weights = [], [], []
        for name, at in self._at.shares.items():
            row, weight = self._result_rows[name, letter], f"$B${at}"
            number = f"{LIVE[kind]}{row}"
            if kind == CONFIRMED:
                number = f"IF(ISNUMBER({number}),{number},{LIVE[MEAN]}{row})"
            absent.append(f"AND({weight}>0,NOT(ISNUMBER({number})))")
            products.append(f"IF({weight}>0,{weight}*{number},0)")
            weights.append(weight)
        return f'IFERROR(IF(OR({",".join(absent)}),"",({"+".join(products)})/({"+".join(weights)})),"")'

    def _rank_formula(self, scope: str, row: int) -> str:
        """Place among the scope's live composites; none where the page gives none."""
        rows = [at for (name, _), at in self._result_rows.items() if name == scope]
        column = LIVE[MEAN]
        others = f"${column}${rows[0]}:${column}${rows[-1]}"
        own = f"${column}{row}"
        better = f"SUMPRODUCT(ISNUMBER({others})*({others}>{own}+1E-12))"
        return f'IF(AND(ISNUMBER(${RANK}{row}),ISNUMBER({own})),1+{better},"")'


_COUNTS = (
    "n_expected",
    "n_scored",
    "n_failed",
    "n_missing",
    "n_without_tier",
    "n_vetoed",
    "n_pending",
    "n_items",
    "n_clusters",
    "n_readings",
)


def _difference(exported: str, live: str, row: int) -> str:
    """Live − exported; a word where only one of them is a number."""
    a, b = f"{exported}{row}", f"{live}{row}"
    one_only = f'IF(OR(ISNUMBER({a}),ISNUMBER({b})),"only one has a number","")'
    return f"IF(AND(ISNUMBER({a}),ISNUMBER({b})),{b}-{a},{one_only})"
