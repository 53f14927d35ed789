"""Rows of *Agreement* and *Metrics*."""

from collections.abc import Iterator, Mapping
from typing import Any

from annotation.systems.models import Output
from scoring.exports.grade_rows import CHUNK, item_code
from scoring.exports.scope import Scope, joined
from scoring.exports.sheets import Table, count, line, moment, number, said, text, word
from scoring.runs.services import current_values

Row = tuple[Any, ...]
AGREEMENT = Table(
    "Agreement",
    "agreement between readers on first final grades, one row per coefficient",
    (
        word("Criterion", "rubric:criterion, or safety", 32),
        word("Label", "words of the criterion", 26),
        word("Coefficient", "see the codebook; the level of measurement is part of alpha's name", 30),
        word("Of", "all readers, a pair of readers, or one reader", 16),
        number("Value", "the coefficient; empty with a reason"),
        number("Low", "lower end of the 95 % interval; empty with a reason"),
        number("High", "upper end"),
        word("Method", "how coefficient or interval was made; below 50 clusters how often such intervals held", 24),
        said("No value because", "why there is no coefficient", 40),
        said("No interval because", "why there is no interval", 40),
        count("n", "outputs graded by at least two readers; of a pair: by both; of one reader: outputs with a value"),
        count("Clusters", "clusters of the outputs graded"),
        count("Readers", "readers with a value"),
        count("Values", "values that enter"),
        count("Not graded", "outputs given to readers and not graded yet"),
        word("Without a value", "grades without a value, by reason", 34),
    ),
)
SINGLES = (
    ("alpha", "Krippendorff alpha"),
    ("percent", "percent agreement, exact"),
    ("within_one", "percent agreement, within 1"),
    ("icc_a1", "ICC(A,1)"),
    ("icc_ak", "ICC(A,k)"),
    ("ac1", "Gwet AC1"),
    ("ac2", "Gwet AC2, quadratic"),
    ("fleiss", "Fleiss kappa"),
)
PAIRED = (
    ("exact", "percent agreement, exact"),
    ("kappa", "Cohen kappa"),
    ("quadratic_kappa", "Cohen kappa, quadratic"),
)
MEAN_OF_READER = "mean of the reader"
METRICS = Table(
    "Metrics",
    "present values of every metric, one row per output, metric and subject",
    (
        word("Item", "code of the item"),
        word("Format", "code of the format"),
        word("Task", "code of the task", 24),
        word("System", "letter of the system", 9),
        line("System name", "only once the study is unblinded", 20),
        count("Output version", "version that was measured", 8),
        word("Status", "ok, or why there is no output", 11),
        word("Metric", "code of the metric", 20),
        word("Metric version", "version of its definition", 10),
        word("Tier", "pixel or semantic", 10),
        word("Direction", "whether higher or lower is better", 10),
        word("Unit", "unit of the value", 8),
        word("Subject", "output, or no_op: the unchanged input taken as output", 10),
        number("Value", "the number; empty with a reason"),
        word("Reason", "why there is no number", 20),
        word("Flags", "remarks on the value", 20),
        text("Message", "the reason in words", 40),
        word("Settings", "hash of everything that changes the number; never average over different ones", 24),
        moment("Computed at", "when"),
    ),
)


def agreement_rows(found: Mapping[str, Any]) -> Iterator[Row]:
    """Every coefficient of every criterion, then its pairs and the means of its readers."""
    for one in found["criteria"]:
        reasons = joined(f"{reason}: {n}" for reason, n in sorted(one["n_not_applicable"].items()))
        head = (one["code"], one["label"])
        tail = (one["n_clusters"], one["n_readers"], one["n_values"], one["n_not_graded"], reasons)
        for key, name in SINGLES:
            said_ = one[key]
            words = f"{name} ({one['level']})" if key == "alpha" else name
            yield (
                *head,
                words,
                "all readers",
                said_["value"],
                said_.get("low"),
                said_.get("high"),
                "; ".join(filter(None, [said_.get("method") or said_.get("estimator"), said_.get("coverage")]))
                or None,
                said_["reason"],
                said_.get("interval_reason", "no interval is made for this coefficient"),
                one["n_shared"],
                *tail,
            )
        yield from _pairs(head, one)
        yield from _severity(head, one)


def _pairs(head: tuple[str, str], one: Mapping[str, Any]) -> Iterator[Row]:
    for pair in one["pairs"]:
        of = f"{pair['first']} – {pair['second']}"
        for key, name in PAIRED:
            reason = pair["reason"] if pair[key] is None else ""
            limits: tuple[Any, ...] = (None, None, None)
            why = "none for a pair"
            if key == "quadratic_kappa":
                limits = (pair["low"], pair["high"], "cluster bootstrap" if pair["low"] is not None else None)
                why = pair["interval_reason"]
            yield (*head, name, of, pair[key], *limits, reason, why, pair["n_shared"])


def _severity(head: tuple[str, str], one: Mapping[str, Any]) -> Iterator[Row]:
    for row in one["severity"]:
        reason = "" if row["n"] else "no value"
        yield (
            *head,
            MEAN_OF_READER,
            row["reader"],
            row["mean"],
            row["low"],
            row["high"],
            "cluster bootstrap" if row["low"] is not None else None,
            reason,
            row["interval_reason"],
            row["n"],
        )


def study_outputs(scope: Scope) -> Any:
    """All output versions of the study's systems for its items."""
    study = scope.study
    main = study.study_items.filter(role="main")
    return Output.objects.filter(submission__study_systems__study=study, revision__study_items__in=main)


def metric_values(scope: Scope) -> Any:
    """Present values of outputs that are not superseded, in the order of items and letters."""
    return (
        current_values(study_outputs(scope))
        .filter(output__submission__study_systems__study=scope.study)
        .order_by(
            "output__revision__item__number",
            "output__submission__study_systems__letter",
            "settings__tier",
            "settings__metric",
            "-subject",
        )
    )


def metric_rows(scope: Scope) -> Iterator[Row]:
    """One query, nothing kept."""
    found = metric_values(scope).values_list(
        "output__revision__item__number", "output__revision__format", "output__revision__task",
        "output__submission__study_systems__letter", "output__version", "output__status", "settings__metric",
        "settings__version", "settings__tier", "settings__direction", "settings__unit", "subject", "value", "reason",
        "flags", "message", "settings__settings_hash", "computed_at",
    )  # fmt: skip
    for number_, format_, task, letter, *rest in found.iterator(chunk_size=CHUNK):
        *middle, flags, message, digest, at = rest
        yield (
            item_code(number_),
            format_,
            task,
            letter,
            scope.names.get(letter),
            *middle,
            joined(flags),
            message,
            digest,
            at,
        )
