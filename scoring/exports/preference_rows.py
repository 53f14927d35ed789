"""Rows of *Preferences* and *Strengths*: what readers who compare chose, and the numbers made from it."""

from collections.abc import Iterator, Mapping
from typing import Any

from annotation.preferences.models import Preference, PreferenceChoice
from annotation.preferences.rules import OVERALL
from scoring.exports.grade_rows import CHUNK, item_code
from scoring.exports.scope import Scope, joined
from scoring.exports.sheets import Table, count, moment, number, said, text, word

Row = tuple[Any, ...]
PREFERENCES = Table(
    "Preferences",
    "what readers chose between outputs, one row per reading, criterion and version; empty where outputs are graded",
    (
        word("Item", "code of the item"),
        word("Reader", "code of the reader", 8),
        word("Role", "what the reading is for; only main readings enter results", 10),
        count("Position", "place in the reader's list", 9),
        word("Systems", "letters of the systems shown, from left to right", 12),
        word("Criterion", "overall, or rubric and criterion", 30),
        word("Choice", "left, right, tie or both_bad (neither usable); of more than two: best, tie or all_bad"),
        word("Preferred", "letter of the system that was picked; empty for a tie or when none is usable", 10),
        word("Strength", "how much better, of the overall choice; empty: not said", 10),
        count("Version", "1, and one more for each amendment", 8),
        word("Newest", "yes: enters the strengths", 8),
        word("Harm", "letter and level of every output that was flagged, of the overall choice", 20),
        word("Errors", "letter and code of every error that was named, of the overall choice", 26),
        word("Reference wrong", "yes: the reader calls the reference wrong", 10),
        text("Rationale", "the reader's words, of the overall choice", 50),
        text("Reason for change", "of an amendment", 40),
        count("Active ms", "time at work by the server's clock", 10),
        count("Idle ms", "time without a key or a move", 10),
        moment("Submitted", "when"),
        word("Preference", "key, as in the trail", 36),
    ),
)
STRENGTHS = Table(
    "Strengths",
    "numbers of the page Preferences: pairs, strengths, side effect, agreement; one row per number",
    (
        word("Criterion", "overall, or a criterion that is compared", 30),
        word("Number", "what is counted or estimated", 34),
        word("First", "letter of the system, or of the first of a pair", 8),
        word("Second", "letter of the second of a pair", 8),
        number("Value", "the number; empty with a reason"),
        number("Low", "lower end of the 95 % interval over clusters; empty with a reason"),
        number("High", "upper end"),
        number("p", "two-sided, by flipping the signs of whole clusters, of a pair"),
        number("p, Holm", "corrected over the pairs of the criterion"),
        count("First better", "comparisons that the first won", 10),
        count("Ties", "equally good", 8),
        count("Second better", "comparisons that the second, or any other system, won", 10),
        count("Neither usable", "none was good enough", 10),
        count("n", "comparisons that enter", 8),
        count("Missing", "comparisons given to readers and not submitted", 8),
        said("Not there because", "why there is no number or no interval", 44),
    ),
)


def preference_rows(scope: Scope) -> Iterator[Row]:
    """Every version of every preference: four queries for each chunk."""
    letters = dict(scope.study.study_systems.values_list("submission_id", "letter"))
    rows = Preference.objects.filter(reading__study=scope.study).order_by(
        "reading__study_item__revision__item__number",
        "reading__enrollment__reader_code",
        "reading__position",
        "version",
    )
    rows = rows.select_related("chosen", "reading__enrollment", "reading__study_item__revision__item")
    rows = rows.prefetch_related(
        "reading__reading_outputs__output", "choices__criterion__rubric", "choices__chosen",
        "flags__reading_output", "errors__reading_output",
    )  # fmt: skip
    newest: dict[Any, int] = {}
    for reading, version in (
        Preference.objects.filter(reading__study=scope.study).order_by("version").values_list("reading", "version")
    ):
        newest[reading] = version
    for row in rows.iterator(chunk_size=CHUNK):
        places = sorted(row.reading.reading_outputs.all(), key=lambda place: place.position)
        of = {place.label: letters[place.output.submission_id] for place in places}
        yield from _rows(row, of, is_newest=newest[row.reading_id] == row.version)


def _rows(row: Preference, letters: Mapping[str, str], *, is_newest: bool) -> Iterator[Row]:
    reading = row.reading
    head = (
        item_code(reading.study_item.revision.item.number),
        reading.enrollment.reader_code,
        reading.role,
        reading.position,
        joined(letters.values(), ", "),
    )
    tail = (row.version, "yes" if is_newest else None)
    harm = joined((f"{letters[one.reading_output.label]} {one.safety}" for one in row.flags.all()), ", ")
    errors = joined((f"{letters[one.reading_output.label]} {one.error_code_id}" for one in row.errors.all()), ", ")
    yield (
        *head, OVERALL, row.choice, _picked(row, letters), row.strength or None, *tail, harm or None, errors or None,
        "yes" if row.reference_wrong else None, row.rationale or None, row.reason_for_change or None, row.active_ms,
        row.idle_ms, row.submitted_at, str(row.pk),
    )  # fmt: skip
    for one in row.choices.all():
        code = f"{one.criterion.rubric.code}:{one.criterion.code}"
        yield (
            *head, code, one.choice, _picked(one, letters), None, *tail, *(None,) * 7, row.submitted_at, str(row.pk),
        )  # fmt: skip


def _picked(row: Preference | PreferenceChoice, letters: Mapping[str, str]) -> str | None:
    return None if row.chosen_label is None else letters[row.chosen_label]


def strength_rows(found: Mapping[str, Any]) -> Iterator[Row]:
    """The page's numbers, criterion by criterion; nothing of a study that grades or before the first preference."""
    for one in found["criteria"]:
        if one["n"]:
            yield from _best_rows(one) if found["mode"] == "rank" else _pair_rows(one)


def _pair_rows(one: Mapping[str, Any]) -> Iterator[Row]:
    code = one["code"]
    for row in one["systems"]:
        record = (row["wins"], row["ties"], row["losses"], row["both_bad"], row["n"], None)
        limits = (row["value"], row["low"], row["high"], None, None)
        yield (code, "strength (log odds)", row["system"], None, *limits, *record, one["interval_reason"] or None)
        ranks = (row["rank"], row["rank_low"], row["rank_high"], None, None)
        yield (code, "rank", row["system"], None, *ranks, *record, one["interval_reason"] or None)
    for row in one["pairs"]:
        counts = (
            row["first_wins"], row["ties"], row["second_wins"], row["both_bad"], row["n"], row["n_missing"],
        )  # fmt: skip
        numbers = (row["value"], row["low"], row["high"], row["p"], row["p_holm"])
        why = row["reason"] or row["interval_reason"] or None
        yield (code, "share of the first", row["first"], row["second"], *numbers, *counts, why)
    n = one["n"]
    for name, label in (("side_effect", "side effect (log odds for left)"), ("tie", "tie parameter (log ν)")):
        row = one[name]
        limits = (row["value"], row["low"], row["high"], None, None)
        yield (code, label, None, None, *limits, *(None,) * 4, n, None, one["interval_reason"] or None)
    for name in ("alpha", "percent"):
        row, label = (
            one["agreement"][name],
            {"alpha": "Krippendorff alpha, nominal", "percent": "chose the same"}[name],
        )
        limits = (row["value"], row["low"], row["high"], None, None)
        why = row["reason"] or row["interval_reason"] or None
        yield (code, label, None, None, *limits, *(None,) * 4, one["agreement"]["n_shared"], None, why)


def _best_rows(one: Mapping[str, Any]) -> Iterator[Row]:
    for row in one["systems"]:
        limits = (row["value"], row["low"], row["high"], None, None)
        why = row["reason"] or row["interval_reason"] or None
        counts = (row["best"], one["n_ties"], None, one["n_all_bad"], row["n"], None)
        yield (one["code"], "share of readings in which it was best", row["system"], None, *limits, *counts, why)
