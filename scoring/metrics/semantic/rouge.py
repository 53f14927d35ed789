"""ROUGE-L: the longest common subsequence of words."""

from collections import defaultdict
from collections.abc import Sequence

from scoring.metrics.base import define
from scoring.metrics.semantic.tokens import reference_tokens, tokenize


def common_subsequence_length(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common subsequence, bit-parallel (Hyyro 2004)."""
    positions: defaultdict[str, int] = defaultdict(int)
    for index, token in enumerate(first):
        positions[token] |= 1 << index
    full = (1 << len(first)) - 1
    row = full
    for token in second:
        matched = row & positions.get(token, 0)
        row = ((row + matched) | (row - matched)) & full
    return len(first) - row.bit_count()


def rouge_l(output: str, reference: str | Sequence[str], *, tokenizer: str, beta: float) -> float:
    """F-measure of the longest common subsequence of tokens, without stemming.

    Args:
        output: what the system wrote.
        reference: the expected text, or several of which the best counts.
        tokenizer: `rouge` (lower case, runs of a-z and 0-9).
        beta: weight of recall against precision; 1 is the harmonic mean.

    Returns:
        0 to 1; higher is better; 0 when nothing is common or the output has no token.

    Raises:
        UndefinedMetricError: `empty_reference`; `not_applicable` when the reference has no letter the
            tokenizer knows.
        ValueError: the tokenizer is unknown.
    """
    tokens = tokenize(output, tokenizer)
    best = 0.0
    for expected in reference_tokens(reference, tokenizer):
        common = common_subsequence_length(tokens, expected)
        if common:
            precision, recall = common / len(tokens), common / len(expected)
            best = max(best, (1 + beta**2) * precision * recall / (recall + beta**2 * precision))
    return best


METRIC = define(
    rouge_l,
    parameters={"tokenizer": "rouge", "beta": 1.0},
    facts={"stemming": "none"},
    code="rouge_l",
    version="1",
    label="ROUGE-L F1",
    tier="semantic",
    direction="higher",
    unit="",
    bounds=(0.0, 1.0),
    needs=frozenset({"output", "reference"}),
    citation="Lin 2004, Text Summarization Branches Out, pp. 74-81, aclanthology.org/W04-1013",
    formats=frozenset({"vqa", "multimodal_generation"}),
    tasks=frozenset({"question-answering", "report-generation"}),
    languages=frozenset({"en"}),
)
