"""What pages print beside intervals of alpha and ICC is what the simulation's report says."""

import re
from pathlib import Path

import pytest

from scoring import statistics as st

REPORT = (Path(__file__).parents[3] / "docs" / "validation.md").read_text(encoding="utf-8")
ROWS = re.findall(
    r"^\| (alpha|ICC\(A,1\)) \| [^|]+ \| (\d+) \| \d+ \| \d+ \| [-\d.]+ \| ([\d.]+) \|", REPORT, re.MULTILINE
)


@pytest.mark.parametrize("statistic", ["alpha", "ICC(A,1)"])
@pytest.mark.parametrize("n_clusters", [10, 20, 30])
def test_the_range_is_that_of_the_report(statistic, n_clusters):
    shares = [float(share) for name, n, share in ROWS if name == statistic and int(n) == n_clusters]
    found = st.measured_coverage(statistic, n_clusters=n_clusters)

    assert shares
    assert (100 * found.lowest, 100 * found.highest) == pytest.approx((min(shares), max(shares)), abs=0.06)


def test_from_fifty_clusters_on_the_report_shows_93_to_97_and_nothing_is_printed():
    shares = [float(share) for _, n, share in ROWS if int(n) >= 50]

    assert len(shares) >= 8
    assert 93 <= min(shares) <= max(shares) <= 97
    assert st.measured_coverage("alpha", n_clusters=50) is None


def test_between_two_simulated_sizes_the_smaller_one_speaks():
    assert st.measured_coverage("alpha", n_clusters=29) == st.measured_coverage("alpha", n_clusters=20)
    assert st.measured_coverage("alpha", n_clusters=49).n_clusters == 30
    assert st.measured_coverage("alpha", n_clusters=9) is None
    assert st.measured_coverage("mean", n_clusters=20) is None


def test_it_says_so_in_words():
    row = st.MeasuredCoverage(statistic="alpha", n_clusters=20, lowest=0.921, highest=0.968, replications=2000)

    assert str(row) == (
        "in 2,000 simulated studies of each kind with 20 clusters, 92–97 % of the 95 % intervals of alpha "
        "held the truth"
    )
