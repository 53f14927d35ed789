"""Rows of *Codebook*: every column of every sheet, and every code that stands in one."""

from collections.abc import Iterator, Sequence
from typing import Any

from annotation.formats import taxonomy
from annotation.grading.models import CriterionScore
from annotation.grading.rules import SAFETY_LEVELS, SKIP_REASONS
from annotation.studies.models import Criterion, ErrorCode
from scoring.composites.combining import WEIGHTINGS
from scoring.exports.missing_rows import KINDS
from scoring.exports.number_rows import MEAN_OF_READER
from scoring.exports.package import LONG_COLUMNS, LONG_TEXTS
from scoring.exports.scope import Scope, joined
from scoring.exports.sheets import Column, Table, said, word
from scoring.exports.systems_columns import BLOCKS
from scoring.metrics.base import FLAGS, REASONS
from scoring.metrics.registry import METRICS

Row = tuple[Any, ...]
CODEBOOK = Table(
    "Codebook",
    "the meaning of every column and code of this file",
    (
        word("Kind", "column, criterion, anchor, error code, metric, coefficient, reason …", 18),
        word("Where", "sheet of a column, rubric of a criterion, group of a code", 22),
        word("Code", "title of the column, or the code as it stands in the cells", 34),
        word("Label", "its words", 34),
        said("Meaning", "what it says", 80),
        word("Values", "scale or possible values", 26),
        word("Direction", "whether higher or lower is better", 14),
        said("Source", "where the definition comes from", 60),
    ),
)
COEFFICIENTS = {
    "Krippendorff alpha": (
        "1 − observed / expected disagreement at the level named; gaps are allowed",
        "Krippendorff, Content Analysis, 4th ed., 2018, chapter 12",
    ),
    "percent agreement": ("share of pairs of readers that agree, exactly or within one step", ""),
    "ICC(A,1)": (
        "absolute agreement of one reader; with gaps by variance components (REML)",
        "McGraw & Wong 1996, doi:10.1037/1082-989X.1.1.30",
    ),
    "ICC(A,k)": ("absolute agreement of the mean of k readers", "McGraw & Wong 1996, doi:10.1037/1082-989X.1.1.30"),
    "Gwet AC1, AC2": (
        "agreement corrected by Gwet's chance term over the declared categories; AC2 with quadratic weights",
        "Gwet 2008, doi:10.1348/000711006X126600",
    ),
    "Fleiss kappa": (
        "agreement of many readers on complete data; refused with gaps",
        "Fleiss 1971, doi:10.1037/h0031619",
    ),
    "Cohen kappa": (
        "agreement of two readers over the declared categories, plain or with quadratic weights",
        "Cohen 1968, doi:10.1037/h0026256",
    ),
    MEAN_OF_READER: ("mean of one reader over what was graded: a strict reader shows here", ""),
}
OUTPUT_STATUSES = {
    "ok": "an output that can be read",
    "empty": "nothing in it",
    "declined": "the system refused to answer",
    "unreadable": "a file that cannot be decoded",
    "error": "an error message instead of an answer",
    "missing": "nothing was delivered for the item",
}


def codebook_rows(scope: Scope, tables: Sequence[Table]) -> Iterator[Row]:
    """Columns first, then codes; two queries."""
    for table in tables:
        yield ("sheet", table.title, table.title, None, table.about)
        yield from _columns(table.title, table.columns)
    yield ("sheet", "Systems", "Systems", None, "the composite with live formulas, in blocks one below the other")
    for block, columns in BLOCKS.items():
        yield from _columns(f"Systems: {block}", columns)
    yield ("sheet", LONG_TEXTS, LONG_TEXTS, None, "texts longer than a cell, whole; only there when a text was cut")
    for title, about in LONG_COLUMNS:
        yield ("column", LONG_TEXTS, title, None, about)
    yield from _criteria(scope)
    yield from _codes()
    yield from _metrics()


def _columns(where: str, columns: Sequence[Column]) -> Iterator[Row]:
    for column in columns:
        yield ("column", where, column.title, None, column.about)


def _criteria(scope: Scope) -> Iterator[Row]:
    for criterion in scope.criteria.values():
        rubric = criterion.rubric
        scale = f"{rubric.scale_min:g} to {rubric.scale_max:g} in steps of {rubric.scale_step:g}"
        yield (
            "criterion",
            str(rubric),
            criterion.code,
            criterion.label,
            criterion.definition,
            scale,
            criterion.get_direction_display(),
            joined(part for part in (rubric.name, rubric.source, _applies(criterion)) if part),
        )
        for anchor in criterion.anchors.all():
            yield ("anchor", f"{rubric} {criterion.code}", f"{anchor.value:g}", criterion.label, anchor.description)


def _applies(criterion: Criterion) -> str:
    needs = [
        word_ for word_, needed in (("an image", criterion.needs_image), ("a text", criterion.needs_text)) if needed
    ]
    formats = [taxonomy.format_label(code) for code in criterion.applies_to_formats]
    said_ = [f"for {joined(formats, ', ')}"] if formats else []
    return joined([*said_, *([f"the output needs {joined(needs, ' and ')}"] if needs else [])], ", ")


def _codes() -> Iterator[Row]:
    for error in ErrorCode.objects.all():
        place = "a place can be drawn" if error.localizable else "has no place"
        yield ("error code", "Errors", error.code, None, error.label, place)
    for level, words in SAFETY_LEVELS:
        yield ("safety level", "Safety", level, None, words)
    for value, words in CriterionScore.NotApplicable.choices:
        yield ("reason", "No value because", value, None, words)
    for reason in SKIP_REASONS:
        yield ("reason", "skipped", reason, None, "why a reader skipped a reading")
    for kind, words in KINDS.items():
        yield ("kind of absence", "Missing", kind, None, words)
    for status, words in OUTPUT_STATUSES.items():
        yield ("output status", "Status", status, None, words)
    for code, words in WEIGHTINGS.items():
        yield ("weighting", "Systems", code, None, words)
    for name, (words, source) in COEFFICIENTS.items():
        yield ("coefficient", "Agreement", name, None, words, None, None, source)
    yield from _terms()


def _terms() -> Iterator[Row]:
    for code, format_ in taxonomy.FORMATS.items():
        yield ("format", "Format", code, format_.label, None)
    for code, task in taxonomy.TASKS.items():
        yield ("task", "Task", code, task.label, f"format {task.format}")
    for code, modality in taxonomy.MODALITIES.items():
        yield ("modality", "Modality", code, modality.label, None)


def _metrics() -> Iterator[Row]:
    for code, metric in METRICS.items():
        low, high = metric.bounds
        unit = f" {metric.unit}" if metric.unit else ""
        settings = joined((f"{name} = {value}" for name, value in metric.settings.items()), ", ")
        yield (
            "metric",
            f"tier {metric.tier}",
            code,
            metric.label,
            f"version {metric.version}; {settings}" if settings else f"version {metric.version}",
            f"{low:g} to {high:g}{unit}",
            metric.direction,
            metric.citation,
        )
    for code, words in REASONS.items():
        yield ("metric reason", "Reason", code, None, words)
    for code, words in FLAGS.items():
        yield ("metric flag", "Flags", code, None, words)
