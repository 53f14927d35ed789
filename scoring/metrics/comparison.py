"""What one output is compared with: its pictures and texts, or typed reasons why one is not there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoring.metrics.base import Pixels, UndefinedMetricError
from scoring.metrics.pairing import Pair, pair, simplest
from scoring.metrics.pictures import Picture, as_picture


@dataclass(frozen=True)
class Texts:
    """An output text and what is expected.

    Attributes:
        output: what the system wrote.
        reference: the expected text, several of which each is right, or for options an index from 0.
        options: the item's options, empty when unknown.
        language: declared language such as `en`; None when not declared.
    """

    output: str
    reference: str | int | tuple[str, ...]
    options: tuple[str, ...] = ()
    language: str | None = None


@dataclass(frozen=True, eq=False)
class Comparison:
    """One output with everything a metric may need.

    Attributes:
        key: identity in the caller's world, repeated in every row.
        image: the pair, a reason why there is none, or None when the item has no pictures.
        no_op: the unchanged input against the reference, likewise.
        text: the texts, likewise.
        policy: pairing policy.
        format: format code of the item, None when unknown.
        task: task code, None when unknown.
        modality: modality code, None when unknown.
        flags: remarks that hold even where no value exists (`unchanged_input`).
    """

    key: str
    image: Pair | UndefinedMetricError | None = None
    no_op: Pair | UndefinedMetricError | None = None
    text: Texts | UndefinedMetricError | None = None
    policy: str = "pair/1"
    format: str | None = None
    task: str | None = None
    modality: str | None = None
    flags: tuple[str, ...] = ()


Given = Any
"""A `Picture`, an object like one, a typed reason, or None when there is none."""


def compare(
    key: str,
    *,
    output: Given = None,
    reference: Given = None,
    input: Given = None,
    region: Pixels | None = None,
    policy: str = "pair/1",
    output_text: str | UndefinedMetricError | None = None,
    reference_text: str | int | Sequence[str] | UndefinedMetricError | None = None,
    options: Sequence[str] = (),
    language: str | None = None,
    format: str | None = None,
    task: str | None = None,
    modality: str | None = None,
) -> Comparison:
    """Bring one output, its reference and its input together; trouble becomes a typed reason.

    Args:
        key: identity in the caller's world.
        output: generated picture; None when missing; an `UndefinedMetricError` (`missing_output`,
            `error_output`, …) when the caller knows why it is not there.
        reference: reference picture, likewise.
        input: the item's input picture; gives the no-op baseline of an edit.
        region: mask of the reference's size, non-zero inside.
        policy: pairing policy.
        output_text: generated text; blank is an empty answer, None a missing one.
        reference_text: expected text, several, or an option's index from 0.
        options: the item's options.
        language: declared language of the text.
        format: format code of the item.
        task: task code of the item.
        modality: modality code of the item.

    Returns:
        The comparison; it never raises for what is wrong with one side.

    Raises:
        ValueError: the policy is unknown.
    """
    image = _paired(output, reference, policy=policy, region=region)
    no_op = None if input is None else _paired(input, reference, policy=policy, region=region)
    flags = ("unchanged_input",) if _same_pixels(output, input) else ()
    text = _texts(output_text, reference_text, tuple(map(str, options)), language)
    return Comparison(key, image, no_op, text, policy, format, task, modality, flags)


def _paired(
    output: Given, reference: Given, *, policy: str, region: Pixels | None
) -> Pair | UndefinedMetricError | None:
    if output is None and reference is None:
        return None
    absent = _absent(output, reference)
    if absent:
        return absent
    try:
        return pair(output, reference, policy=policy, region=region)
    except UndefinedMetricError as error:
        return error


def _absent(output: Any, reference: Any) -> UndefinedMetricError | None:
    if isinstance(output, UndefinedMetricError):
        return output
    if isinstance(reference, UndefinedMetricError):
        return reference
    if output is None:
        return UndefinedMetricError("missing_output")
    return UndefinedMetricError("missing_reference") if reference is None else None


def _same_pixels(output: Given, input: Given) -> bool:
    """Whether the system returned its input: same size, same values, gray stored as RGB included."""
    if output is None or input is None or isinstance(output, Exception) or isinstance(input, Exception):
        return False
    try:
        ours, theirs = as_picture(output), as_picture(input)
    except UndefinedMetricError:
        return False
    return _comparable(ours, theirs) and bool(np.array_equal(simplest(ours.pixels), simplest(theirs.pixels)))


def _comparable(first: Picture, second: Picture) -> bool:
    return first.size == second.size and first.inverted == second.inverted and first.data_range == second.data_range


def _texts(
    output: str | UndefinedMetricError | None,
    reference: str | int | Sequence[str] | UndefinedMetricError | None,
    options: tuple[str, ...],
    language: str | None,
) -> Texts | UndefinedMetricError | None:
    if output is None and reference is None:
        return None
    absent = _absent(output, reference)
    if absent:
        return absent
    assert isinstance(output, str)
    assert reference is not None
    assert not isinstance(reference, UndefinedMetricError)
    expected = reference if isinstance(reference, str | int) else tuple(reference)
    return Texts(output, expected, options, language)
