"""Rows of *Missing*: everything that is not there, by kind, first counted, then one by one."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Any

from django.db.models import Exists, F, OuterRef

from annotation.grading.models import CriterionScore, Grade
from annotation.studies.models import Reading, ReadingOutput
from annotation.systems.models import Output
from scoring.exports.grade_rows import CHUNK, item_code, status_words, study_places
from scoring.exports.number_rows import metric_values, study_outputs
from scoring.exports.scope import Scope
from scoring.exports.sheets import Table, count, text, word
from scoring.runs.models import MetricValue
from scoring.runs.services import current_values

Row = tuple[Any, ...]
NOT_GRADED, SKIPPED, VOID = "not graded", "skipped", "void"
NO_VALUE, NO_OUTPUT, UNDEFINED, NOT_MEASURED = "no value", "no output", "undefined metric", "not measured"
KINDS = {
    NOT_GRADED: "an output given to a reader and not graded yet; the reason is the state of the reading",
    SKIPPED: "an output of a reading that the reader skipped, with the reader's reason",
    VOID: "an output of a reading that was taken out; it enters nothing",
    NO_VALUE: "a criterion for which the latest grade gives a reason instead of a value",
    NO_OUTPUT: "an output that is empty, declined, unreadable, an error or missing; the headline counts it as 0",
    UNDEFINED: "a metric without a number, with its typed reason",
    NOT_MEASURED: "an output of status ok for which no metric was computed under the present settings",
}
COUNTED_ONLY = "not_applicable"
MISSING = Table(
    "Missing",
    "everything that is not there: totals by kind and reason, then each one",
    (
        word("Row", "total: a count; one: a single missing thing", 8),
        word("Kind", "kind of absence; see the codebook", 16),
        word("Reason", "typed reason", 26),
        count("Count", "how many, in rows of totals"),
        word("Item", "code of the item"),
        word("System", "letter of the system", 9),
        count("Output version", "version of the output", 8),
        word("Reader", "code of the reader", 9),
        word("Criterion or metric", "what has no value", 34),
        text("Details", "words of the reader or of the metric", 50),
    ),
)


def missing_rows(scope: Scope) -> Iterator[Row]:
    """Totals, then rows. What lies outside the applicability of a criterion or metric is counted, not listed."""
    totals: Counter[tuple[str, str]] = Counter(row[:2] for row in _all(scope))
    kinds = list(KINDS)
    for (kind, reason), n in sorted(totals.items(), key=lambda pair: (kinds.index(pair[0][0]), pair[0][1])):
        yield ("total", kind, reason, n)
    for kind, reason, *rest in _all(scope):
        if reason != COUNTED_ONLY:
            yield ("one", kind, reason, None, *rest)


def _all(scope: Scope) -> Iterator[Row]:
    """(kind, reason, item, system, output version, reader, criterion or metric, details)."""
    return chain(
        _ungraded(scope), _without_value(scope), _without_output(scope), _undefined(scope), _unmeasured(scope)
    )


def _ungraded(scope: Scope) -> Iterator[Row]:
    places = study_places(scope.study)
    rows = (
        ReadingOutput.objects.filter(
            reading__study=scope.study,
            reading__role=Reading.Role.MAIN,
            output__submission__study_systems__study=scope.study,
        )
        .exclude(reading__status=Reading.Status.SUBMITTED)
        .order_by("reading__enrollment__reader_code", "reading__position", "position")
        .values_list(
            "reading__status", "reading__study_item_id", "output__submission__study_systems__letter",
            "output__version", "reading__enrollment__reader_code", "reading__skip_reason", "reading__skip_text",
        )
    )  # fmt: skip
    for status, item, letter, version, reader, reason, details in rows.iterator(chunk_size=CHUNK):
        kind, why = NOT_GRADED, status_words(status)
        if status == Reading.Status.SKIPPED:
            kind, why = SKIPPED, reason or "no reason"
        elif status == Reading.Status.VOID:
            kind, why = VOID, "reading taken out"
        yield (kind, why, places[item][0], letter, version, reader, None, details)


def _without_value(scope: Scope) -> Iterator[Row]:
    places = study_places(scope.study)
    later = Grade.objects.filter(
        reading_output=OuterRef("grade__reading_output"),
        stage=Grade.Stage.WITH,
        version__gt=OuterRef("grade__version"),
    )
    shown = "grade__reading_output__"
    rows = (
        CriterionScore.objects.filter(
            ~Exists(later),
            grade__stage=Grade.Stage.WITH,
            grade__reading_output__reading__role=Reading.Role.MAIN,
            grade__reading_output__reading__study=scope.study,
            grade__reading_output__output__submission__study_systems__study=scope.study,
            value=None,
        )
        .exclude(grade__reading_output__reading__status=Reading.Status.VOID)
        .annotate(letter=F(f"{shown}output__submission__study_systems__letter"))
        .order_by(
            f"{shown}reading__enrollment__reader_code",
            f"{shown}reading__position",
            f"{shown}position",
            "criterion__rubric__code",
            "criterion__position",
        )
        .values_list(
            "na_reason", f"{shown}reading__study_item_id", "letter", f"{shown}output__version",
            f"{shown}reading__enrollment__reader_code", "criterion_id",
        )
    )  # fmt: skip
    for reason, item, letter, version, reader, criterion in rows.iterator(chunk_size=CHUNK):
        one = scope.criteria.get(criterion)
        code = f"{one.rubric.code}:{one.code}" if one else None
        yield (NO_VALUE, reason, places[item][0], letter, version, reader, code, None)


def _without_output(scope: Scope) -> Iterator[Row]:
    """The words of a failed output are kept back while blinded: they may give the system away."""
    rows = (
        study_outputs(scope)
        .filter(superseded_by=None)
        .exclude(status=Output.Status.OK)
        .order_by("revision__item__number", "submission__study_systems__letter")
        .values_list("status", "revision__item__number", "submission__study_systems__letter", "version", "error_text")
    )
    for status, item, letter, version, words in rows.iterator(chunk_size=CHUNK):
        yield (NO_OUTPUT, status, item_code(item), letter, version, None, None, None if scope.blinded else words)


def _undefined(scope: Scope) -> Iterator[Row]:
    rows = (
        metric_values(scope)
        .filter(value=None, subject=MetricValue.Subject.OUTPUT)
        .values_list(
            "reason", "output__revision__item__number", "output__submission__study_systems__letter",
            "output__version", "settings__metric", "message",
        )
    )  # fmt: skip
    for reason, item, letter, version, metric, message in rows.iterator(chunk_size=CHUNK):
        yield (UNDEFINED, reason, item_code(item), letter, version, None, metric, message)


def _unmeasured(scope: Scope) -> Iterator[Row]:
    measured = current_values(study_outputs(scope)).filter(output=OuterRef("pk"))
    rows = (
        study_outputs(scope)
        .filter(~Exists(measured), superseded_by=None, status=Output.Status.OK)
        .order_by("revision__item__number", "submission__study_systems__letter")
        .values_list("revision__item__number", "submission__study_systems__letter", "version")
    )
    for item, letter, version in rows.iterator(chunk_size=CHUNK):
        yield (NOT_MEASURED, "no present value", item_code(item), letter, version, None, None, None)
