"""All metrics by code, the two profiles, and what each applies to."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from scoring.metrics.base import Metric
from scoring.metrics.pixel import mae, psnr, ssim, ssim_gaussian
from scoring.metrics.semantic import bleu, exact_match, option_accuracy, rouge, token_f1


def collect(entries: Iterable[Metric]) -> Mapping[str, Metric]:
    """An ordered, read-only mapping from code to metric.

    Raises:
        ValueError: a code occurs twice.
    """
    found: dict[str, Metric] = {}
    for metric in entries:
        if metric.code in found:
            raise ValueError(f"metric code '{metric.code}' is registered twice")
        found[metric.code] = metric
    return MappingProxyType(found)


METRICS: Mapping[str, Metric] = collect(
    (
        psnr.METRIC,
        ssim.METRIC,
        ssim_gaussian.METRIC,
        mae.METRIC,
        mae.METRIC_RELATIVE,
        option_accuracy.METRIC,
        exact_match.METRIC,
        exact_match.METRIC_SQUAD,
        token_f1.METRIC,
        token_f1.METRIC_SQUAD,
        bleu.METRIC_13A,
        bleu.METRIC,
        rouge.METRIC,
    )
)


@dataclass(frozen=True)
class Profile:
    """Which metrics are computed together, and how images are paired for them.

    Attributes:
        code: `recommended` or `official`.
        policy: pairing policy.
        metrics: code to entry; the official profile changes settings of some.
    """

    code: str
    policy: str
    metrics: Mapping[str, Metric]


RECOMMENDED = (
    "psnr",
    "ssim",
    "mae",
    "mae_relative",
    "option_accuracy",
    "exact_match",
    "token_f1",
    "bleu_4_13a",
    "bleu_4",
    "rouge_l",
)
"""The default set; `bleu_4` stands beside `bleu_4_13a` so that values can be laid beside published ones."""


def _official() -> Mapping[str, Metric]:
    text_formats = frozenset({"vqa", "multimodal_generation"})
    return collect(
        (
            METRICS["psnr"],
            METRICS["ssim"].with_settings(color="luminance"),
            METRICS["option_accuracy"],
            replace(METRICS["exact_match"], formats=text_formats, tasks=None),
            replace(METRICS["token_f1"], formats=text_formats, tasks=None),
            replace(METRICS["bleu_4"], formats=text_formats, tasks=None),
        )
    )


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "recommended": Profile("recommended", "pair/1", collect(METRICS[code] for code in RECOMMENDED)),
        "official": Profile("official", "pair/official-1", _official()),
    }
)


def find_metric(code: str, known: Mapping[str, Metric] = METRICS) -> Metric:
    """The metric with this code.

    Raises:
        ValueError: there is none; the message lists the nearest names.
    """
    if code in known:
        return known[code]
    near = difflib.get_close_matches(code, list(known), n=3, cutoff=0.4)
    hint = f"nearest: {', '.join(near)}" if near else f"known: {', '.join(known)}"
    raise ValueError(f"metric '{code}' is unknown; {hint}")


def why_not(
    metric: Metric, format: str | None, task: str | None, modality: str | None, language: str | None = None
) -> str | None:
    """One sentence that says why a metric does not apply to such items, or None when it does."""
    if format is not None and format not in metric.formats:
        return f"{metric.label} does not apply to format '{format}'."
    if format == "vqa" and task is not None and metric.tasks is not None and task not in metric.tasks:
        return f"{metric.label} does not apply to task '{task}'."
    if modality is not None and metric.modalities is not None and modality not in metric.modalities:
        return f"{metric.label} is not declared for modality '{modality}'."
    if language is not None and metric.languages is not None and language not in metric.languages:
        return f"{metric.label} is not declared for language '{language}'."
    return None


def applies_to(metric: Metric | str, format: str | None, task: str | None, modality: str | None) -> str | None:
    """Whether a metric applies to items of a format, task and modality.

    Args:
        metric: the entry or its code.
        format: `vqa`, `image_editing`, `multimodal_generation`, or None when unknown.
        task: code of the task, or None when unknown.
        modality: code of the modality, or None when unknown.

    Returns:
        None when it applies, else the reason code `not_applicable`; what is unknown excludes nothing.

    Raises:
        ValueError: unknown metric code.
    """
    entry = find_metric(metric) if isinstance(metric, str) else metric
    return "not_applicable" if why_not(entry, format, task, modality) else None
