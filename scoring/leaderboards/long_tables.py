"""Long tables for programs that analyze readers and cases together: one row per reader, case and system.

iMRMC (its R package): readerID, caseID, modalityID, score; rows of truth belong to readerID "truth"
(https://rdrr.io/cran/iMRMC/man/dfMRMC_example.html). MRMCaov: reader, treatment, case, truth, rating
(https://rdrr.io/cran/MRMCaov/man/VanDyke.html). Items of a study have no disease state, so truth is left open: iMRMC
gets no rows of truth, MRMCaov gets NA. Systems are letters, readers codes, cases codes of items.
"""

import csv
import io
from collections.abc import Callable, Iterable

from annotation.studies.models import Study
from scoring.agreement.charts import tidy
from scoring.leaderboards.comparison import ComparisonError, Score, criteria_of, scores_of

Row = tuple[str, ...]
LAYOUTS: dict[str, tuple[Row, Callable[[Score], Row]]] = {
    "imrmc": (
        ("readerID", "caseID", "modalityID", "score"),
        lambda one: (one.reader, one.item, one.system, tidy(one.value, 6)),
    ),
    "mrmcaov": (
        ("reader", "treatment", "case", "truth", "rating"),
        lambda one: (one.reader, one.system, one.item, "NA", tidy(one.value, 6)),
    ),
}


def long_table(study: Study, *, layout: str, measure: str) -> str:
    """The latest grades of one criterion (the first of the study when none is named) as CSV.

    Raises:
        ComparisonError: a criterion that the study does not have.
        KeyError: an unknown layout.
    """
    head, row_of = LAYOUTS[layout]
    criteria = criteria_of(study)
    measure = measure or next(iter(criteria), "")
    if measure not in criteria:
        raise ComparisonError(f"measure: {measure[:60]!r} is not a criterion; there is {', '.join(criteria)}")
    return _written(head, (row_of(score) for score in scores_of(study, criteria[measure])))


def _written(head: Row, rows: Iterable[Row]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()
