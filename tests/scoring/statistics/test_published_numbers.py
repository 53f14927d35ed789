"""Worked examples of the literature and RadPref's numbers (krippendorff, pingouin, irrCAC, SciPy 1.12)."""

import json
from pathlib import Path

import numpy as np
import pytest
from nltk.metrics.agreement import AnnotationTask
from nltk.metrics.distance import interval_distance

from scoring import statistics as st

SCALE = [1, 2, 3, 4, 5]
GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "radpref_triples.json"


@pytest.fixture(scope="module")
def radpref() -> np.ndarray:
    counts = json.loads(GOLDEN.read_text())["counts"]
    rows = [[int(digit) for digit in triple] for triple, n in counts.items() for _ in range(n)]
    return np.array(rows, dtype=float).T


@pytest.fixture(scope="module")
def krippendorff_2011() -> np.ndarray:
    rows = [
        "1 2 3 3 2 1 4 1 2 . . .",
        "1 2 3 3 2 2 4 1 2 5 . 3",
        ". 3 3 3 2 3 4 2 2 5 1 .",
        "1 2 3 3 2 4 4 1 2 5 1 .",
    ]
    return np.array([[np.nan if x == "." else float(x) for x in row.split()] for row in rows])


SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float
).T


def test_radpref_means(radpref):
    assert radpref.shape == (3, 200)
    assert radpref.mean(axis=1) == pytest.approx([3.015, 3.045, 2.915])


@pytest.mark.parametrize(("level", "value"), [("nominal", 0.4676), ("ordinal", 0.8329), ("interval", 0.8410)])
def test_radpref_alpha_at_each_level(radpref, level, value):
    assert st.krippendorff_alpha(radpref, level=level) == pytest.approx(value, abs=5e-5)


@pytest.mark.parametrize(
    ("form", "value"),
    [("1,1", 0.8415), ("A,1", 0.8415), ("C,1", 0.8424), ("1,k", 0.9409), ("A,k", 0.9409), ("C,k", 0.9413)],
)
def test_radpref_icc(radpref, form, value):
    assert st.icc(radpref, form=form) == pytest.approx(value, abs=5e-5)


def test_radpref_icc_interval(radpref):
    interval = st.icc_interval(radpref, form="A,1")

    assert (round(interval.low, 2), round(interval.high, 2)) == (0.80, 0.87)
    assert interval.method == "F"


@pytest.mark.parametrize(("weights", "value"), [(None, 0.4873), ("linear", 0.6836), ("quadratic", 0.8125)])
def test_radpref_gwet(radpref, weights, value):
    assert st.gwet_ac(radpref, categories=SCALE, weights=weights) == pytest.approx(value, abs=5e-5)


def test_radpref_gwet_interval_by_bootstrap(radpref):
    interval = st.bootstrap_interval(
        lambda rows: st.gwet_ac(radpref[:, rows], categories=SCALE, weights="quadratic"),
        clusters=range(200),
        seed=3,
        draws=400,
    )

    assert interval.low == pytest.approx(0.766, abs=0.01)
    assert interval.high == pytest.approx(0.859, abs=0.01)


def test_radpref_fleiss_and_observed_agreement(radpref):
    assert st.fleiss_kappa(radpref, categories=SCALE) == pytest.approx(0.4667, abs=5e-5)
    assert st.percent_agreement(radpref) == pytest.approx(0.5867, abs=5e-5)


@pytest.mark.parametrize(
    ("first", "second", "printed"),
    [
        (0, 1, (0.655, 0.551, 0.846, 0.860, 0.789)),
        (0, 2, (0.595, 0.489, 0.857, 0.851, 0.765)),
        (1, 2, (0.510, 0.380, 0.822, 0.848, 0.757)),
    ],
)
def test_radpref_pairs(radpref, first, second, printed):
    exact, kappa, quadratic, rho, tau = printed
    pairs = {(pair.first, pair.second): pair for pair in st.pairwise_agreement(radpref, categories=SCALE)}
    pair = pairs[first, second]

    assert pair.n_shared == 200
    assert pair.exact == pytest.approx(exact, abs=5e-4)
    assert pair.kappa == pytest.approx(kappa, abs=5e-4)
    assert pair.quadratic_kappa == pytest.approx(quadratic, abs=5e-4)
    assert st.spearman(radpref[first], radpref[second]) == pytest.approx(rho, abs=5e-4)
    assert st.kendall_tau_b(radpref[first], radpref[second]) == pytest.approx(tau, abs=5e-4)


@pytest.mark.parametrize(("reader", "tau", "rho"), [(0, 0.799, 0.887), (1, 0.782, 0.883), (2, 0.775, 0.874)])
def test_radpref_one_reader_against_the_mean_of_the_others(radpref, reader, tau, rho):
    others = np.delete(radpref, reader, axis=0).mean(axis=0)

    assert st.kendall_tau_b(radpref[reader], others) == pytest.approx(tau, abs=5e-4)
    # SciPy gives 0.88647 for the first reader, printed as 0.887: hence a little more than half a digit.
    assert st.spearman(radpref[reader], others) == pytest.approx(rho, abs=6e-4)


@pytest.mark.parametrize(
    ("level", "value"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_krippendorff_2011_with_gaps(krippendorff_2011, level, value):
    assert st.krippendorff_alpha(krippendorff_2011, level=level) == pytest.approx(value, abs=5e-4)


def test_alpha_agrees_with_nltk_on_random_ratings_with_gaps():
    generator = np.random.default_rng(11)
    ratings = generator.integers(1, 6, (4, 30)).astype(float)
    ratings[generator.random(ratings.shape) < 0.25] = np.nan
    # nltk counts units with a single rating into the expected disagreement; Krippendorff does not.
    ratings = ratings[:, (~np.isnan(ratings)).sum(axis=0) >= 2]
    rows = [(f"r{r}", f"u{u}", ratings[r, u]) for r, u in zip(*np.nonzero(~np.isnan(ratings)), strict=True)]

    nominal = AnnotationTask(data=rows).alpha()
    interval = AnnotationTask(data=rows, distance=interval_distance).alpha()

    assert st.krippendorff_alpha(ratings, level="nominal") == pytest.approx(nominal, abs=1e-9)
    assert st.krippendorff_alpha(ratings, level="interval") == pytest.approx(interval, abs=1e-9)


@pytest.mark.parametrize(
    ("form", "value"),
    [("1,1", 0.166), ("A,1", 0.290), ("C,1", 0.715), ("1,k", 0.443), ("A,k", 0.620), ("C,k", 0.909)],
)
def test_shrout_and_fleiss_1979(form, value):
    assert st.icc(SHROUT_FLEISS, form=form) == pytest.approx(value, abs=5e-4)
    assert st.icc_reml(SHROUT_FLEISS, form=form) == pytest.approx(value, abs=5e-4)


@pytest.mark.parametrize(
    ("form", "low", "high"),
    [
        ("1,1", -0.13, 0.72),
        ("A,1", 0.02, 0.76),
        ("C,1", 0.34, 0.95),
        ("1,k", -0.88, 0.91),
        ("A,k", 0.07, 0.93),
        ("C,k", 0.68, 0.99),
    ],
)
def test_shrout_and_fleiss_intervals_equal_those_of_psych(form, low, high):
    """R package psych, ICC(sf), as printed in its manual."""
    interval = st.icc_interval(SHROUT_FLEISS, form=form)

    assert (interval.low, interval.high) == pytest.approx((low, high), abs=0.0051)


def test_fleiss_textbook_table():
    table = [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
    ratings = np.array([[level + 1 for level, n in enumerate(row) for _ in range(n)] for row in table], dtype=float).T

    assert ratings.shape == (14, 10)
    assert st.fleiss_kappa(ratings, categories=SCALE) == pytest.approx(0.210, abs=5e-4)
