"""Properties that hold for every metric: identity, symmetry or its absence, types, memory layout."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scoring.metrics.base import UndefinedMetricError
from scoring.metrics.registry import METRICS
from scoring.metrics.semantic.option_parser import parse_option

PIXEL = [code for code, metric in METRICS.items() if metric.tier == "pixel"]
TEXT = [code for code, metric in METRICS.items() if metric.tier == "semantic" and code != "option_accuracy"]
PICTURES = st.tuples(st.integers(11, 20), st.integers(11, 20)).flatmap(
    lambda shape: st.tuples(*(arrays(np.uint8, shape) for _ in range(2)))
)
SENTENCES = st.lists(st.sampled_from("no left right effusion mass 3.5-mm of the".split()), min_size=4, max_size=12)  # noqa: SIM905


def value(code, output, reference, **parameters):
    """The value, or the reason."""
    try:
        return METRICS[code].function(output, reference, **parameters)
    except UndefinedMetricError as error:
        return error.reason


@pytest.mark.parametrize("code", PIXEL)
@settings(max_examples=30, deadline=None)
@given(pictures=PICTURES)
def test_pixel_metrics_are_symmetric_finite_and_in_bounds(code, pictures):
    first, second = pictures

    forward, backward = (value(code, *pair, data_range=255) for pair in ((first, second), (second, first)))

    assert forward == backward
    if isinstance(forward, float):
        low, high = METRICS[code].bounds
        assert np.isfinite(forward)
        assert low - 1e-12 <= forward <= high + 1e-12


@pytest.mark.parametrize("code", PIXEL)
@settings(max_examples=15, deadline=None)
@given(pictures=PICTURES)
def test_a_picture_against_itself_is_the_best_value_or_identical(code, pictures):
    best = {"psnr": "identical", "mae": 0.0, "mae_relative": 0.0}

    assert value(code, pictures[0], pictures[0], data_range=255) == pytest.approx(best.get(code, 1.0), abs=1e-12)


@pytest.mark.parametrize("code", PIXEL)
@pytest.mark.parametrize("kind", ["uint16", "int16", "int32", "uint32", "float32", "float64"])
def test_the_type_does_not_change_the_value(code, kind):
    rng = np.random.default_rng(3)
    output, reference = rng.integers(0, 256, (2, 30, 41, 3), dtype=np.uint8)

    expected = METRICS[code].function(output, reference, data_range=255)
    other = METRICS[code].function(output.astype(kind), reference.astype(kind), data_range=255)
    mixed = METRICS[code].function(output, reference.astype(kind), data_range=255)

    assert other == pytest.approx(expected, abs=1e-11)
    assert mixed == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize("code", PIXEL)
def test_masks_of_booleans_are_zeros_and_ones(code):
    rng = np.random.default_rng(4)
    output, reference = rng.integers(0, 2, (2, 30, 41)).astype(bool)

    masks = METRICS[code].function(output, reference, data_range=1)

    assert masks == METRICS[code].function(output.astype(np.uint8), reference.astype(np.uint8), data_range=1)


@pytest.mark.parametrize("code", PIXEL)
def test_views_and_read_only_arrays_are_read_and_not_written(code):
    rng = np.random.default_rng(5)
    output, reference = rng.integers(0, 256, (2, 60, 82), dtype=np.uint8)
    expected = METRICS[code].function(output[::2, ::-2].copy(), reference[::2, ::-2].copy(), data_range=255)
    before = output.copy()
    output.flags.writeable = reference.flags.writeable = False

    assert METRICS[code].function(output[::2, ::-2], reference[::2, ::-2], data_range=255) == expected
    assert np.array_equal(output, before)
    turned = METRICS[code].function(np.asfortranarray(output), np.asfortranarray(reference), data_range=255)
    assert turned == METRICS[code].function(output, reference, data_range=255)


def test_values_far_from_zero_keep_their_precision():
    """Differences of large sums of squares lose digits; here they must not: compared with exact fractions."""
    rng = np.random.default_rng(6)
    output, reference = rng.integers(0, 256, (2, 7, 7)) + 10**7

    found = METRICS["ssim"].function(output.astype(float), reference.astype(float), data_range=255)

    x, y = ([Fraction(int(pixel)) for pixel in side.ravel()] for side in (output, reference))
    mean_x, mean_y = sum(x) / 49, sum(y) / 49
    covariance = sum((p - mean_x) * (q - mean_y) for p, q in zip(x, y, strict=True)) / 48
    variance = sum((p - mean_x) ** 2 for p in x) / 48 + sum((q - mean_y) ** 2 for q in y) / 48
    c1, c2 = (Fraction(255, 100)) ** 2, (Fraction(3 * 255, 100)) ** 2
    exact = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1) * (2 * covariance + c2) / (variance + c2)
    assert found == pytest.approx(float(exact), abs=1e-9)


@pytest.mark.parametrize("code", TEXT)
@settings(max_examples=30, deadline=None)
@given(words=SENTENCES, others=SENTENCES)
def test_text_metrics_are_in_bounds_and_best_for_equal_texts(code, words, others):
    text, other = " ".join(["scan", *words]), " ".join(["scan", *others])

    assert METRICS[code].function(text, text) == pytest.approx(1.0, abs=1e-12)
    assert 0.0 <= METRICS[code].function(other, text) <= 1.0 + 1e-12


@pytest.mark.parametrize(
    ("code", "is_symmetric"),
    [("bleu_4", False), ("bleu_4_13a", False), ("token_f1", True), ("rouge_l", True), ("exact_match", True)],
)
def test_bleu_is_not_symmetric_and_the_f_measures_are(code, is_symmetric):
    first, second = "small left effusion with collapse of the lung", "small left effusion today"
    forward, backward = METRICS[code].function(first, second), METRICS[code].function(second, first)

    assert (forward == pytest.approx(backward)) is is_symmetric


@settings(max_examples=200, deadline=None)
@given(response=st.text(max_size=60), known=st.booleans())
def test_the_option_parser_reads_any_text(response, known):
    parsed = parse_option(response, ["A. CT", "B. MRI"] if known else [])

    assert (parsed.letter is not None) == (parsed.state == "parsed")
    assert parsed.state in {"parsed", "ambiguous", "unparsable", "empty"}


@settings(max_examples=50, deadline=None)
@given(output=st.text(max_size=60), reference=st.text(max_size=60))
@pytest.mark.parametrize("code", TEXT)
def test_text_metrics_give_a_number_or_a_reason_for_any_text(code, output, reference):
    found = value(code, output, reference)

    assert isinstance(found, str) or 0.0 <= found <= 1.0 + 1e-12
