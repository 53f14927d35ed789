"""Expected widths of intervals by readers and items, the smallest study for a wished width, and hours of reading."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import lru_cache
from math import ceil
from typing import Any

from scoring.planning.forms import ENDS, OWN, PARTS
from scoring.statistics import (
    Components,
    ExpectedWidth,
    StudySize,
    UndefinedStatisticError,
    closed_form_width,
    expected_width,
    require_frequent,
    smallest_study,
    typical_components,
)

SEED = 20251113
STEPS = (30, 60, 120, 240, 480)
MOST_ROWS = 5
MOST_DRAWN = 24
"""Readers × items of a cluster above which alpha is simulated for few rows only: it has no formula."""


def plan(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What a study of this size can be expected to show; a part that cannot be planned says why.

    Args:
        asked: cleaned data of the form.
    """
    components = components_of(asked)
    size = StudySize(
        n_clusters=asked["items"] // asked["items_per_cluster"],
        items_per_cluster=asked["items_per_cluster"],
        readings_per_item=asked["readings_per_item"],
        n_readers=asked["readers"],
    )
    quantity = asked["quantity"]
    return {
        "quantity": quantity,
        "seed": SEED,
        "components": asdict(components),
        "size": asdict(size),
        "expected": _expected(quantity, components, size),
        "smallest": _smallest(quantity, components, size, asked),
        "table": _table(quantity, components, size, asked["items"]),
        "workload": workload(asked),
        "rare": _rare(asked),
    }


def components_of(asked: Mapping[str, Any]) -> Components:
    """The typical variances of the chosen rubric, or own ones."""
    if asked["rubric"] != OWN:
        return typical_components(asked["rubric"])
    given = {name: float(asked[name]) for name in (*PARTS, *ENDS)}
    return Components(**given, source="own numbers")


def workload(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Outputs to grade and hours, in all and for one reader."""
    n_outputs = asked["items"] * asked["systems"]
    n_grades = n_outputs * asked["readings_per_item"]
    hours = n_grades * asked["seconds"] / 3600
    return {
        "n_outputs": n_outputs,
        "n_grades": n_grades,
        "grades_per_reader": ceil(n_grades / asked["readers"]),
        "hours": hours,
        "hours_per_reader": hours / asked["readers"],
    }


def _expected(quantity: Any, components: Components, size: StudySize) -> dict[str, Any]:
    try:
        return _told(_width(quantity, components, size))
    except UndefinedStatisticError as problem:
        return {"width": None, "reason": str(problem)}


@lru_cache(maxsize=512)
def _width(quantity: Any, components: Components, size: StudySize) -> ExpectedWidth:
    return expected_width(quantity, components=components, size=size, seed=SEED)


def _told(found: ExpectedWidth) -> dict[str, Any]:
    return {
        "width": found.width,
        "closed_form": found.closed_form,
        "value": found.value,
        "n_clusters": found.size.n_clusters,
        "reason": "",
    }


def _smallest(
    quantity: Any, components: Components, size: StudySize, asked: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The fewest items for the wished width, with their hours; None where no width is wished."""
    if asked.get("width") is None:
        return None
    try:
        found = smallest_study(quantity, width=asked["width"], components=components, size=size, seed=SEED)
    except UndefinedStatisticError as problem:
        return {"width": None, "reason": str(problem)}
    items = found.size.n_clusters * found.size.items_per_cluster
    return _told(found) | {"n_items": items, "workload": workload({**asked, "items": items})}


def _table(quantity: Any, components: Components, size: StudySize, items: int) -> dict[str, Any]:
    """Expected widths by readers per item (rows) and items (columns)."""
    columns = sorted({*STEPS, items})
    most = MOST_ROWS if quantity != "alpha" or size.n_readers * size.items_per_cluster <= MOST_DRAWN else 2
    rows = [k for k in range(1, size.n_readers + 1) if k <= most or k == size.readings_per_item]
    rows = [k for k in rows if k > 1 or quantity != "alpha"]
    found = []
    for k in rows:
        cells = []
        for n_items in columns:
            sized = replace(size, n_clusters=n_items // size.items_per_cluster, readings_per_item=k)
            told = _cell(quantity, components, sized)
            cells.append(
                {"items": n_items, "width": told, "chosen": n_items == items and k == size.readings_per_item}
            )
        found.append({"readings_per_item": k, "cells": cells})
    return {"columns": columns, "rows": found}


def _cell(quantity: Any, components: Components, size: StudySize) -> float | None:
    try:
        exact = closed_form_width(quantity, components=components, size=size)
        return _width(quantity, components, size).width if exact is None or size.n_readers <= 8 else exact
    except UndefinedStatisticError:
        return None


def _rare(asked: Mapping[str, Any]) -> dict[str, Any] | None:
    """The expected count of a rare category per system and stratum, or the refusal to plan for it."""
    if not asked.get("category") or asked.get("share") is None:
        return None
    n_outputs = asked["items"] // (asked.get("strata") or 1)
    head = {"category": asked["category"], "share": asked["share"] / 100, "n_outputs": n_outputs}
    try:
        expected = require_frequent(n_outputs, share=asked["share"] / 100, category=asked["category"])
    except UndefinedStatisticError as problem:
        return head | {"expected": None, "reason": str(problem)}
    return head | {"expected": expected, "reason": ""}
