"""What a metric is: its declaration, its typed reasons, and the hash of its settings."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[Any]
Mask = NDArray[np.bool_]

REVISION = "1"
"""Revision of this implementation; raise it when any number may change. It is part of every hash."""

TIERS = ("pixel", "semantic")

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "missing_output": "The system delivered nothing that can be read for this item.",
        "missing_reference": "The item has no reference, or its reference cannot be read.",
        "empty_reference": "The reference text holds no word.",
        "error_output": "The system's answer is an error message.",
        "unavailable": "Something the metric needs is not installed.",
        "not_applicable": "The metric does not apply to this item.",
        "identical": "Output and reference are identical, so the ratio has no finite value.",
        "noop_identical": "The unchanged input already equals the reference, so no gain exists.",
        "geometry_mismatch": "Output and reference differ in size.",
        "range_mismatch": "Output and reference differ in their declared intensity range.",
        "unsupported_pixels": "The pixels are of a kind that is not compared.",
        "alpha": "The picture is partly transparent.",
        "non_finite": "A pixel is not a finite number.",
        "constant": "The values are all the same.",
        "constant_reference": "The reference is constant.",
        "smaller_than_window": "The picture is smaller than the metric's window.",
        "region_smaller_than_window": "No whole window fits into the region.",
        "empty_region": "The region holds no pixel.",
        "both_empty": "Output and reference are both empty.",
        "reference_empty": "The reference mask is empty.",
        "output_empty": "The output mask is empty.",
        "no_spacing": "The pixel spacing is not known.",
        "no_positive_findings": "There is no positive finding to count.",
        "no_finding_to_match": "There is no finding to match.",
        "corpus_too_small": "The corpus behind the metric is too small.",
        "too_few": "There are too few values.",
        "ambiguous": "The answer names more than one option, or denies one.",
        "unparsable": "No option could be read from the answer.",
        "invalid": "The value is not valid.",
        "out_of_range": "The value lies outside its declared scale.",
        "missing_criterion": "A declared criterion is missing.",
        "refused": "The answer is a refusal.",
        "failed": "The computation failed.",
        "undeclared": "A scale or an intensity range was not declared.",
        "no_relevant": "Nothing relevant exists for this query.",
        "duplicate_result": "A result occurs twice.",
        "no_event": "The event did not occur.",
        "ungraded_turn": "A turn has no grade.",
    }
)
"""Closed list: code to its general sentence; an error adds a sentence with the numbers at hand."""

FLAGS: Mapping[str, str] = MappingProxyType(
    {
        "unchanged_input": "The output's pixels equal the input's.",
        "flat": "The reference's standard deviation is below one gray level of 255; similarity means little.",
        "negative_structure": "A negative structure term was clipped to 0.",
        "truncated": "The text was cut before encoding.",
        "coerced": "Values of two declared ranges were scaled to 0…1 before comparison.",
        "off_step": "The score lies between two steps of its scale.",
        "options_unknown": "The item's options are not known; letters were compared.",
        "color_added": "The output has color where the reference is gray; luminance was compared.",
        "mirror_suspected": "The output flipped left to right is closer to the reference by more than 0.2 SSIM.",
        "lossy": "The output was stored with lossy compression, the reference was not.",
        "tied_scores": "Scores are tied.",
        "singular": "Fewer samples than dimensions.",
        "empty": "The output holds no word: it counts as wrong, not as unknown.",
    }
)
"""Closed list of remarks beside a value."""


class UndefinedMetricError(ValueError):
    """A metric has no value here, for a typed reason.

    Args:
        reason: a code of `REASONS`.
        message: one sentence with the numbers at hand; the general sentence when left out.

    Raises:
        ValueError: the reason is not in the closed list.
    """

    def __init__(self, reason: str, message: str = "") -> None:
        if reason not in REASONS:
            raise ValueError(f"'{reason}' is not a reason; the list is closed: {', '.join(REASONS)}")
        self.reason = reason
        self.message = message or REASONS[reason]
        super().__init__(reason, self.message)

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Metric:
    """Declaration of one metric; two metrics are compared only when their settings hash is equal.

    Attributes:
        code: stable identifier, also the heading in `docs/metrics.md`.
        version: raised when the definition changes.
        label: name for people.
        tier: `pixel` or `semantic`.
        direction: `higher` or `lower` is better.
        unit: unit of the value, empty for a pure number.
        bounds: smallest and largest possible value; infinite where there is none.
        needs: what must be there: output, reference, options.
        settings: everything that changes the number; read-only.
        citation: where the definition comes from, with DOI where one exists.
        function: `function(output, reference, **parameters) -> float`, settings already bound. Pixel
            metrics also take `data_range`, `region` and `side`; `needs` tells about `options`.
        formats: item formats it applies to.
        tasks: VQA tasks it applies to; None means all.
        modalities: modalities it applies to; None means all.
        languages: languages of the text it applies to; None means all.
        regional: a value inside and outside a region exists.
        unit_of_analysis: what one value belongs to.
        batch: optional function over several pairs with the same results.
    """

    code: str
    version: str
    label: str
    tier: str
    direction: str
    unit: str
    bounds: tuple[float, float]
    needs: frozenset[str]
    settings: Mapping[str, object]
    citation: str
    function: Callable[..., float]
    formats: frozenset[str] = frozenset({"vqa", "image_editing", "multimodal_generation"})
    tasks: frozenset[str] | None = None
    modalities: frozenset[str] | None = None
    languages: frozenset[str] | None = None
    regional: bool = False
    unit_of_analysis: str = "output"
    batch: Callable[[Sequence[Any]], list["float | UndefinedMetricError"]] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.direction not in {"higher", "lower"}:
            raise ValueError(f"{self.code}: direction '{self.direction}' is neither 'higher' nor 'lower'")
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))

    def with_settings(self, **changes: object) -> "Metric":
        """The same metric with other settings, hence another hash.

        Raises:
            ValueError: a name is not a setting that can be changed.
        """
        bound = self.function
        changeable = bound.keywords if isinstance(bound, partial) else {}
        for name in changes:
            if name not in changeable:
                those = ", ".join(changeable) or "none"
                raise ValueError(f"{self.code}: '{name}' is not a setting that can be changed; those are: {those}")
        assert isinstance(bound, partial)
        return replace(
            self,
            settings={**self.settings, **changes},
            function=partial(bound.func, **{**bound.keywords, **changes}),
        )


def define(
    measure: Callable[..., float],
    *,
    parameters: Mapping[str, object] | None = None,
    facts: Mapping[str, object] | None = None,
    **fields: Any,
) -> Metric:
    """Make a registry entry from a function without silent defaults.

    Args:
        measure: the function.
        parameters: keyword arguments that the entry fixes; they are settings and can be varied.
        facts: settings that are built into the function, stated so that they are printed and hashed.
        **fields: the other fields of `Metric`.

    Returns:
        The entry, its function bound to the parameters.
    """
    bound = dict(parameters or {})
    return Metric(settings={**(facts or {}), **bound}, function=partial(measure, **bound), **fields)


def canonical_json(value: object) -> str:
    """JSON with sorted keys, no blanks and no NaN: equal content gives equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def effective_settings(metric: Metric, *, policy: str, data_range: float | None = None) -> dict[str, object]:
    """The settings one value was made with, as printed beside it.

    Args:
        metric: the metric.
        policy: pairing policy; enters for pixel metrics only.
        data_range: the declared range of the pair; enters for pixel metrics only.
    """
    if metric.tier != "pixel":
        return dict(metric.settings)
    return {**metric.settings, "pairing": policy, "data_range": data_range}


def settings_hash(metric: Metric, *, policy: str, data_range: float | None = None) -> str:
    """Sha256 that tells which values may be averaged, ranked or tested together.

    Args:
        metric: the metric.
        policy: pairing policy with its version.
        data_range: a range that the run imposes on all pairs. None: each item's declared range is
            used; it is then a fact of the item like its pixels, and not part of the hash.

    Returns:
        64 hexadecimal digits over metric code and version, settings, policy and implementation revision.
    """
    content = {
        "metric": metric.code,
        "version": metric.version,
        "settings": dict(metric.settings),
        "pairing": policy if metric.tier == "pixel" else None,
        "data_range": ("declared" if data_range is None else float(data_range)) if metric.tier == "pixel" else None,
        "revision": REVISION,
    }
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()
