"""Sentence BLEU with named tokenizer and smoothing."""

import math
from collections import Counter
from collections.abc import Sequence

from scoring.metrics.base import UndefinedMetricError, define
from scoring.metrics.semantic.tokens import reference_tokens, tokenize


def _ngrams(tokens: Sequence[str], size: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(tokens[start : start + size]) for start in range(len(tokens) - size + 1))


def _matches(output: Sequence[str], references: Sequence[Sequence[str]], size: int) -> tuple[int, int]:
    """Clipped matches and number of the output's n-grams."""
    allowed: Counter[tuple[str, ...]] = Counter()
    for reference in references:
        allowed |= _ngrams(reference, size)
    counts = _ngrams(output, size)
    return (counts & allowed).total(), counts.total()


def _brevity(length: int, references: Sequence[Sequence[str]]) -> float:
    closest = min((len(reference) for reference in references), key=lambda size: (abs(size - length), size))
    return 1.0 if length > closest else math.exp(1 - closest / length)


def _add_epsilon(counts: Sequence[tuple[int, int]]) -> float:
    """Geometric mean of precisions, 0.1 added to numerators of 0 (Chen and Cherry's method 1)."""
    logs = [math.log((match or 0.1) / max(total, 1)) for match, total in counts]
    return math.exp(sum(logs) / len(logs))


def _exponential(counts: Sequence[tuple[int, int]]) -> float:
    """Geometric mean of precisions, the k-th numerator of 0 becoming 2 to the power of -k.

    Orders for which the output is too short are left out (sacreBLEU's effective order).
    """
    logs, halvings = [], 0
    for match, total in counts:
        if total == 0:
            break
        if match == 0:
            halvings += 1
        logs.append(math.log((match or 0.5**halvings) / total))
    return math.exp(sum(logs) / len(logs))


_SMOOTHINGS = {"method1": _add_epsilon, "exp": _exponential}


def bleu(
    output: str,
    reference: str | Sequence[str],
    *,
    order: int,
    tokenizer: str,
    smoothing: str,
    short_reference: str,
) -> float:
    """BLEU of one text: clipped n-gram precision up to `order` with brevity penalty.

    Args:
        output: what the system wrote.
        reference: the expected text, or several of which each is right.
        order: longest n-gram; all orders weigh the same.
        tokenizer: `split` or `13a` (see `tokens.TOKENIZERS`).
        smoothing: `method1` (0.1 added to zero counts; an output too short for an order counts 0.1 of
            1) or `exp` (halving; orders the output is too short for are left out).
        short_reference: `not applicable` refuses references shorter than `order` tokens, for which
            even an identical answer does not reach 1; `score` computes all the same.

    Returns:
        0 to 1; higher is better; 0 when no word matches or the output has no token.

    Raises:
        UndefinedMetricError: `empty_reference`; `not_applicable` for a short reference or an alphabet
            the tokenizer does not know.
        ValueError: a setting has an unknown name.
    """
    if smoothing not in _SMOOTHINGS:
        raise ValueError(f"smoothing '{smoothing}' is unknown; known: {', '.join(_SMOOTHINGS)}")
    if short_reference not in {"not applicable", "score"}:
        raise ValueError(f"short_reference '{short_reference}' is neither 'not applicable' nor 'score'")
    references = reference_tokens(reference, tokenizer)
    longest = max(len(tokens) for tokens in references)
    if longest < order and short_reference == "not applicable":
        raise UndefinedMetricError(
            "not_applicable", f"The reference has {longest} tokens, BLEU-{order} needs at least {order}."
        )
    tokens = tokenize(output, tokenizer)
    counts = [_matches(tokens, references, size) for size in range(1, order + 1)]
    if not counts[0][0]:
        return 0.0
    return _brevity(len(tokens), references) * _SMOOTHINGS[smoothing](counts)


METRIC = define(
    bleu,
    parameters={"order": 4, "tokenizer": "split", "smoothing": "method1", "short_reference": "not applicable"},
    facts={"unit": "sentence", "case": "kept"},
    code="bleu_4",
    version="1",
    label="BLEU-4 (split, method 1)",
    tier="semantic",
    direction="higher",
    unit="",
    bounds=(0.0, 1.0),
    needs=frozenset({"output", "reference"}),
    citation="Papineni et al. 2002, doi:10.3115/1073083.1073135; Chen and Cherry 2014, doi:10.3115/v1/W14-3346",
    formats=frozenset({"vqa", "multimodal_generation"}),
    tasks=frozenset({"question-answering", "report-generation"}),
)

METRIC_13A = define(
    bleu,
    parameters={"order": 4, "tokenizer": "13a", "smoothing": "exp", "short_reference": "not applicable"},
    facts={"unit": "sentence", "case": "kept"},
    code="bleu_4_13a",
    version="1",
    label="BLEU-4 (13a, exp)",
    tier="semantic",
    direction="higher",
    unit="",
    bounds=(0.0, 1.0),
    needs=frozenset({"output", "reference"}),
    citation="Papineni et al. 2002, doi:10.3115/1073083.1073135; Post 2018, doi:10.18653/v1/W18-6319",
    formats=frozenset({"vqa", "multimodal_generation"}),
    tasks=frozenset({"question-answering", "report-generation"}),
    languages=frozenset({"en"}),
)
