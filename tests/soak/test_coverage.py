"""How often intervals hold the truth and tests reject a true null, over 2,000 simulated studies a cell.

`MEDGEN_COVERAGE_REPLICATIONS` makes it shorter. With `MEDGEN_COVERAGE_REPORT` set to a file, the table between the
two `coverage` marks of that file is written anew: `MEDGEN_COVERAGE_REPORT=docs/validation.md pytest -m soak
tests/soak/test_coverage.py`.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from scoring.statistics import bootstrap_interval
from scoring.statistics.intervals import percentile_tail, resample_counts
from scoring.statistics.measured_coverage import measured_coverage
from tests.soak.coverage import (
    POPULATIONS,
    Cell,
    Studies,
    agreement,
    means_and_differences,
    prediction_powered,
    rejected,
    studies,
)

pytestmark = pytest.mark.soak

REPLICATIONS = int(os.environ.get("MEDGEN_COVERAGE_REPLICATIONS", "2000"))
REPORT = os.environ.get("MEDGEN_COVERAGE_REPORT", "")
SEED = 20261125
DRAWS = 2000
DRAWS_OF_COEFFICIENTS = 600
SHAPES = ((1, 2), (3, 3), (2, 6))
HEAD = (
    "| interval of | grades | clusters | items | readers | truth | held, % | length | none |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


@pytest.fixture(scope="module")
def lines() -> Iterator[list[str]]:
    found: list[str] = []
    yield found
    if REPORT:
        path = Path(REPORT)
        table = f"<!-- coverage -->\n{HEAD}\n" + "\n".join(found) + "\n<!-- /coverage -->"
        text = path.read_text(encoding="utf-8")
        path.write_text(
            re.sub(r"<!-- coverage -->.*?<!-- /coverage -->", lambda _: table, text, flags=re.DOTALL),
            encoding="utf-8",
        )


@pytest.fixture
def report(lines: list[str], capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Keep a line for the report, and show it at once."""

    def add(line: str) -> None:
        lines.append(line)
        with capsys.disabled():
            print(f"\n{line}", end="", flush=True)

    return add


def every_shape(population: str, n_clusters: int, shapes: Sequence[tuple[int, int]] = SHAPES) -> Iterator[Studies]:
    for items, readers in shapes:
        yield studies(
            population, n_clusters=n_clusters, items=items, readers=readers, replications=REPLICATIONS, seed=SEED
        )


def note(report: Callable[[str], None], cells: Iterable[Cell]) -> list[Cell]:
    """Report cells as they come; those that do not hold as stated come back."""
    failed = []
    for cell in cells:
        report(cell.line())
        if not as_stated(cell):
            failed.append(cell)
    return failed


def as_stated(cell: Cell) -> bool:
    """93–97 %, or what the page prints, up to three of the simulation's own standard errors."""
    stated = measured_coverage(cell.statistic, n_clusters=cell.n_clusters)
    low, high = (0.93, 0.97) if stated is None else (stated.lowest, stated.highest)
    return low - 3 * cell.error <= cell.coverage <= high + 3 * cell.error


@pytest.mark.parametrize("population", POPULATIONS)
@pytest.mark.parametrize("n_clusters", [10, 20, 30, 50, 100, 200])
def test_intervals_of_alpha_and_icc_hold_the_truth_or_the_page_says_how_often(population, n_clusters, report):
    cells = (
        cell
        for drawn in every_shape(population, n_clusters, SHAPES[::2])
        for cell in agreement(drawn, draws=DRAWS_OF_COEFFICIENTS)
    )

    assert note(report, cells) == []


@pytest.mark.parametrize("population", POPULATIONS)
@pytest.mark.parametrize("n_clusters", [30, 50, 100, 200])
def test_intervals_of_means_and_paired_differences_hold_the_truth(population, n_clusters, report):
    cells = (
        cell for drawn in every_shape(population, n_clusters) for cell in means_and_differences(drawn, draws=DRAWS)
    )

    assert note(report, cells) == []


@pytest.mark.parametrize("kind", ["mean", "difference", "stratified mean"])
@pytest.mark.parametrize("graded", [30, 50, 100])
@pytest.mark.parametrize("correlation", [0.0, 0.4, 0.7])
def test_prediction_powered_intervals_hold_the_truth_and_shorten(kind, graded, correlation, report):
    cell, _ = prediction_powered(
        kind, graded=graded, ratio=4, correlation=correlation, replications=REPLICATIONS, seed=SEED
    )

    assert note(report, [cell]) == []
    if correlation >= 0.7:
        assert cell.width <= 0.80, cell
    assert cell.width <= 1.05, cell


@pytest.mark.parametrize(("n_clusters", "items"), [(12, 3), (30, 1), (30, 3), (100, 3)])
def test_the_sign_flip_test_keeps_five_percent_with_shared_images(n_clusters, items, report):
    share = rejected(n_clusters=n_clusters, items=items, replications=REPLICATIONS, seed=SEED, draws=1999)
    report(f"| sign-flip test, rejected | T1 | {n_clusters} | {items} | 2 | 5 % | {100 * share:.1f} | | |")

    assert abs(share - 0.05) <= 3 * (0.05 * 0.95 / REPLICATIONS) ** 0.5


def test_the_shared_resamples_give_the_interval_that_a_study_prints():
    drawn = studies("T1", n_clusters=30, items=3, readers=3, replications=2, seed=1)
    exists, values = drawn.exists[1], drawn.grades[0, 1].mean(axis=2)
    places = [cluster for cluster, row in enumerate(exists) for there in row if there]
    printed = bootstrap_interval(values[exists], clusters=places, seed=1, draws=500)
    weights = resample_counts(30, draws=500, seed=1)
    resampled = (weights @ (values * exists).sum(axis=1)) / (weights @ exists.sum(axis=1))
    tail = percentile_tail(30)
    assert np.quantile(resampled, [tail, 1 - tail]) == pytest.approx([printed.low, printed.high], abs=1e-12)
