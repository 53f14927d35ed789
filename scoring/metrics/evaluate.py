"""Compute metrics over many outputs; one output's trouble never leaves its row."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from scoring.metrics.base import Metric, Pixels, UndefinedMetricError, effective_settings, settings_hash
from scoring.metrics.comparison import Comparison, Texts
from scoring.metrics.pairing import Pair
from scoring.metrics.registry import why_not
from scoring.metrics.semantic.option_accuracy import chosen_option

MIRROR_MARGIN = 0.2
BATCH = 64


@dataclass(frozen=True)
class MetricRow:
    """One value, or one typed reason.

    Attributes:
        key: identity of the output, as given.
        metric: code.
        version: version of the metric.
        settings: everything the number depends on, with pairing policy and data range.
        settings_hash: values of different hashes are never averaged, ranked or tested together.
        region: `whole`, `roi` or `outside`.
        subject: `output`, or `no_op` for the unchanged input.
        value: a finite number, or None.
        reason: code of `base.REASONS` when there is no value.
        message: one sentence for the reason.
        flags: codes of `base.FLAGS`, sorted.
        detail: further facts such as the parsed option.
    """

    key: str
    metric: str
    version: str
    settings: Mapping[str, object]
    settings_hash: str
    region: str = "whole"
    subject: str = "output"
    value: float | None = None
    reason: str | None = None
    message: str = ""
    flags: tuple[str, ...] = ()
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Cell:
    """One number to be made: a metric on one side of one comparison."""

    metric: Metric
    comparison: Comparison
    subject: str = "output"
    region: str = "whole"

    @property
    def image(self) -> Pair | UndefinedMetricError | None:
        return self.comparison.image if self.subject == "output" else self.comparison.no_op


Outcome = float | UndefinedMetricError


def evaluate(
    metrics: Sequence[Metric],
    pairs: Iterable[Comparison],
    *,
    data_range: float | None = None,
    batch_size: int = BATCH,
) -> Iterator[MetricRow]:
    """Compute every metric of every comparison, lazily and in order.

    Args:
        metrics: entries of the registry, or entries with changed settings.
        pairs: comparisons made by `compare`.
        data_range: the range the caller imposed on all pictures, so that it enters the settings hash;
            None when each picture's declared range was used.
        batch_size: comparisons held at a time when a metric computes in batches.

    Yields:
        Per comparison and metric, in the given order: the output's row, its rows inside (`roi`) and
        outside a region where there is one, then the same for the unchanged input (`no_op`) where the
        item has an input. Rows are the same for any batch size and order.
    """
    remaining = iter(pairs)
    size = batch_size if any(metric.batch for metric in metrics) else 1
    while chunk := list(islice(remaining, size)):
        cells = [cell for comparison in chunk for metric in metrics for cell in _cells(metric, comparison)]
        ready = _batched(cells)
        for index, cell in enumerate(cells):
            yield _row(cell, ready[index] if index in ready else _outcome(cell), data_range)


def _cells(metric: Metric, comparison: Comparison) -> Iterator[_Cell]:
    subjects = ["output"]
    if metric.tier == "pixel" and comparison.no_op is not None:
        subjects.append("no_op")
    for subject in subjects:
        yield _Cell(metric, comparison, subject)
        image = comparison.image if subject == "output" else comparison.no_op
        if metric.regional and isinstance(image, Pair) and image.region is not None:
            yield _Cell(metric, comparison, subject, "roi")
            yield _Cell(metric, comparison, subject, "outside")


def _batched(cells: Sequence[_Cell]) -> dict[int, Outcome]:
    """Outcomes of metrics that compute in batches; a batch that fails is left to be done singly."""
    groups: dict[tuple[str, tuple[int, ...]], list[int]] = {}
    for index, cell in enumerate(cells):
        if cell.metric.batch and cell.region == "whole" and isinstance(cell.image, Pair) and not _inapplicable(cell):
            groups.setdefault((cell.metric.code, cell.image.reference.shape), []).append(index)
    ready: dict[int, Outcome] = {}
    for indices in groups.values():
        batch = cells[indices[0]].metric.batch
        assert batch is not None
        try:
            outcomes = batch([cells[index].image for index in indices])
        except Exception:  # noqa: BLE001, S112 (any failure: each member is computed on its own below)
            continue
        ready.update(zip(indices, map(_checked, outcomes), strict=True))
    return ready


def _outcome(cell: _Cell) -> Outcome:
    """The value or typed reason of one cell; a programming error becomes `failed`."""
    declared = cell.comparison.format is not None
    try:
        absent = _inapplicable(cell)
        if absent:
            return absent
        if cell.metric.tier == "pixel":
            return _checked(_pixel_value(cell.metric, cell.image, cell.region, declared=declared))
        return _checked(_text_value(cell.metric, cell.comparison.text, declared=declared))
    except UndefinedMetricError as error:
        return error
    except Exception as error:  # noqa: BLE001 (one pair's trouble never leaves its row)
        return UndefinedMetricError("failed", f"{type(error).__name__}: {error}")


def _checked(outcome: Outcome) -> Outcome:
    if isinstance(outcome, UndefinedMetricError):
        return outcome
    if not math.isfinite(outcome):
        return UndefinedMetricError("failed", f"The computation gave {outcome}.")
    return float(outcome)


def _inapplicable(cell: _Cell) -> UndefinedMetricError | None:
    item = cell.comparison
    language = item.text.language if isinstance(item.text, Texts) else None
    sentence = why_not(cell.metric, item.format, item.task, item.modality, language)
    return UndefinedMetricError("not_applicable", sentence) if sentence else None


def _present(content: Any, *, declared: bool, kind: str) -> Any:
    """The pair or texts; raises the typed reason why there are none."""
    if isinstance(content, UndefinedMetricError):
        raise content
    if content is None:
        if declared:
            raise UndefinedMetricError("missing_output", f"Neither output nor reference has a {kind}.")
        raise UndefinedMetricError("not_applicable", f"There is no {kind} to compare.")
    return content


def _pixel_value(metric: Metric, image: Pair | UndefinedMetricError | None, region: str, *, declared: bool) -> float:
    pair: Pair = _present(image, declared=declared, kind="picture")
    where: dict[str, object] = {}
    if region != "whole":
        where = {"region": pair.region, "side": "inside" if region == "roi" else "outside"}
    output, reference = _planes(pair.output), _planes(pair.reference)
    return metric.function(output, reference, data_range=pair.data_range, **where)


def _planes(pixels: Pixels) -> Pixels:
    return pixels if pixels.ndim == 4 else pixels[..., None]


def _text_value(metric: Metric, texts: Texts | UndefinedMetricError | None, *, declared: bool) -> float:
    found: Texts = _present(texts, declared=declared, kind="text")
    if "options" in metric.needs:
        return metric.function(found.output, found.reference, options=found.options)
    reference = found.reference if isinstance(found.reference, str | tuple) else str(found.reference)
    return metric.function(found.output, reference)


def _row(cell: _Cell, outcome: Outcome, data_range: float | None) -> MetricRow:
    metric, comparison = cell.metric, cell.comparison
    image = cell.image
    used = image.data_range if isinstance(image, Pair) else data_range
    value = None if isinstance(outcome, UndefinedMetricError) else outcome
    flags, detail = _remarks(cell, outcome)
    return MetricRow(
        key=comparison.key,
        metric=metric.code,
        version=metric.version,
        settings=effective_settings(metric, policy=comparison.policy, data_range=used),
        settings_hash=settings_hash(metric, policy=comparison.policy, data_range=data_range),
        region=cell.region,
        subject=cell.subject,
        value=value,
        reason=outcome.reason if isinstance(outcome, UndefinedMetricError) else None,
        message=outcome.message if isinstance(outcome, UndefinedMetricError) else "",
        flags=flags,
        detail=detail,
    )


def _remarks(cell: _Cell, outcome: Outcome) -> tuple[tuple[str, ...], dict[str, object]]:
    """Flags and details beside a value or reason."""
    if isinstance(outcome, UndefinedMetricError) and outcome.reason in {"not_applicable", "failed"}:
        return (), {}
    if cell.metric.tier == "pixel":
        return _image_remarks(cell, outcome), {}
    return _text_remarks(cell.metric, cell.comparison.text)


def _image_remarks(cell: _Cell, outcome: Outcome) -> tuple[str, ...]:
    flags = set(cell.comparison.flags) if cell.subject == "output" else set()
    if isinstance(cell.image, Pair):
        flags |= set(cell.image.flags)
        if cell.metric.code == "ssim" and cell.region == "whole" and isinstance(outcome, float):
            flags |= {"mirror_suspected"} if _mirrored(cell.metric, cell.image, outcome) else set()
    return tuple(sorted(flags))


def _mirrored(metric: Metric, pair: Pair, value: float) -> bool:
    """Whether the output flipped left to right is closer to the reference by more than the margin."""
    if value > 1 - MIRROR_MARGIN:
        return False
    flipped = _planes(pair.output)[:, :, ::-1]
    return metric.function(flipped, _planes(pair.reference), data_range=pair.data_range) > value + MIRROR_MARGIN


def _text_remarks(
    metric: Metric, texts: Texts | UndefinedMetricError | None
) -> tuple[tuple[str, ...], dict[str, object]]:
    if not isinstance(texts, Texts):
        return (), {}
    flags = set() if texts.output.strip() else {"empty"}
    if "options" not in metric.needs or isinstance(texts.reference, tuple):
        return tuple(sorted(flags)), {}
    parsed = chosen_option(texts.output, texts.reference, texts.options)
    return tuple(sorted(flags | set(parsed.flags))), {"letter": parsed.letter, "state": parsed.state}
