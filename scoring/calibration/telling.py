"""The parts of a certificate as plain JSON: each a number with what entered, or a refusal in words. Pure."""

from collections.abc import Mapping
from typing import Any

from scoring.statistics import (
    Accuracy,
    Ceiling,
    Certificate,
    ExpertCorrelation,
    Gaps,
    Interval,
    LimitsOfAgreement,
    PassThreshold,
    Refusal,
    Verdict,
)

Told = dict[str, Any]
REASON_WORDS = {
    "too_few_clusters": "fewer than 10 clusters",
    "unstable": "rests on one cluster",
    "too_few_units": "too few outputs",
    "too_few_readers": "fewer than two readers",
    "no_variation": "one side does not vary",
}
KIND_WORDS = {"pearson": "Pearson", "spearman": "Spearman", "kendall": "Kendall tau-b"}


def interval_told(interval: Interval | None, reason: str = "") -> Told:
    if interval is None:
        return {"low": None, "high": None, "interval_reason": REASON_WORDS.get(reason, reason)}
    return {"low": interval.low, "high": interval.high, "interval_reason": "", "method": interval.method}


def refusal_told(refusal: Refusal) -> Told:
    return {"value": None, "reason": refusal.message, "low": None, "high": None, "interval_reason": ""}


def correlation_told(found: ExpertCorrelation | Refusal) -> Told:
    if isinstance(found, Refusal):
        return refusal_told(found)
    counted = ("n_outputs", "n_missing", "n_alone", "n_systems", "n_clusters")
    return {
        "value": found.value,
        "reason": "",
        **interval_told(found.interval, found.interval_reason),
        **{name: getattr(found, name) for name in counted},
    }


def ceiling_told(found: Ceiling | Refusal) -> Told:
    """The measure beside the readers, all against the same targets."""
    if isinstance(found, Refusal):
        return {"human": None, "measure": None, "difference": None, "reason": found.message, "readers": []}
    return {
        "human": found.human,
        "measure": found.judge,
        "difference": found.difference,
        "reason": "",
        "human_low": _end(found.human_interval, "low"),
        "human_high": _end(found.human_interval, "high"),
        "measure_low": _end(found.judge_interval, "low"),
        "measure_high": _end(found.judge_interval, "high"),
        **interval_told(found.difference_interval, found.interval_reason),
        "n_outputs": found.n_outputs,
        "n_missing": found.n_missing,
        "n_one_reader": found.n_one_reader,
        "n_clusters": found.n_clusters,
        "readers": [
            {
                "reader": str(one.reader),
                "human": one.human,
                "measure": one.judge,
                "reason": REASON_WORDS.get(one.reason, one.reason),
                "n_outputs": one.n_outputs,
            }
            for one in found.readers
        ],
    }


def limits_told(found: LimitsOfAgreement | Refusal) -> Told:
    if isinstance(found, Refusal):
        return {"bias": None, "reason": found.message}
    told: Told = {"reason": "", "share": found.share}
    for name, interval in (
        ("bias", found.bias_interval), ("lower", found.lower_interval), ("upper", found.upper_interval),
    ):  # fmt: skip
        told[name] = getattr(found, name)
        told[f"{name}_low"], told[f"{name}_high"] = _end(interval, "low"), _end(interval, "high")
    counted = ("spread", "between", "within", "n_outputs", "n_missing", "n_clusters")
    told |= {name: getattr(found, name) for name in counted}
    return told | {"interval_reason": REASON_WORDS.get(found.interval_reason, found.interval_reason)}


def gaps_told(found: Gaps | Refusal) -> Told:
    if isinstance(found, Refusal):
        return {"mean": None, "reason": found.message, "counts": []}
    named = ("mean", "median", "largest", "share_within", "points", "n_outputs", "n_missing", "n_clusters")
    return {
        "reason": "",
        "counts": list(found.counts),
        **{name: getattr(found, name) for name in named},
        **interval_told(found.share_interval, found.interval_reason),
    }


def threshold_told(found: PassThreshold | Refusal, passing: Mapping[str, Any]) -> Told:
    """The value from which an output passes, and how well that holds on clusters that had no part in choosing it."""
    if isinstance(found, Refusal):
        return {"threshold": None, "reason": found.message, **passing}
    return {
        "threshold": found.threshold,
        "reason": "",
        **passing,
        **interval_told(found.interval, found.interval_reason),
        "higher_is_better": found.higher_is_better,
        "apparent": found.apparent,
        "held_out": accuracy_told(found.held_out),
        "fold_low": found.fold_low,
        "fold_high": found.fold_high,
        "n_folds": found.n_folds,
    }


def accuracy_told(found: Accuracy) -> Told:
    counted = ("balanced", "sensitivity", "specificity", "n_passed", "n_failed", "n_missing", "n_clusters")
    return {
        **{name: getattr(found, name) for name in counted},
        **interval_told(found.interval, found.interval_reason),
    }


def verdict_told(found: Verdict | Refusal) -> Told:
    if isinstance(found, Refusal):
        return {"outcome": "refused", "words": found.message}
    return {"outcome": found.outcome, "words": str(found)}


def certificate_told(found: Certificate) -> Told:
    """Everything that `certify` made."""
    return {
        "verdict": verdict_told(found.verdict),
        "correlations": [
            {"kind": kind, "name": KIND_WORDS[kind], "scope": scope, **correlation_told(part)}
            | {"ceiling": ceiling_told(found.ceilings[kind, scope])}
            for (kind, scope), part in found.correlations.items()
        ],
        "limits": limits_told(found.limits),
        "gaps": gaps_told(found.gaps),
        "kappa": ceiling_told(found.kappa),
        "n_outputs": found.n_outputs,
        "n_without_value": found.n_without_value,
        "n_without_grade": found.n_without_grade,
        "n_readers": found.n_readers,
    }


def _end(interval: Interval | None, side: str) -> float | None:
    return None if interval is None else float(getattr(interval, side))
