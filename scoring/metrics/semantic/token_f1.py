"""Token F1: overlap of two bags of words."""

from collections import Counter
from collections.abc import Sequence

from scoring.metrics.base import define
from scoring.metrics.semantic.tokens import reference_tokens, tokenize


def token_f1(output: str, reference: str | Sequence[str], *, tokenizer: str) -> float:
    """Harmonic mean of precision and recall over tokens, repeated tokens counted.

    Args:
        output: what the system wrote.
        reference: the expected text, or several of which the best counts.
        tokenizer: `split folded` or `squad`.

    Returns:
        0 to 1; higher is better; 0 when nothing is common or the output has no token.

    Raises:
        UndefinedMetricError: `empty_reference`; `not_applicable` when the tokenizer leaves nothing of
            the reference.
        ValueError: the tokenizer is unknown.
    """
    tokens = Counter(tokenize(output, tokenizer))
    best = 0.0
    for expected in reference_tokens(reference, tokenizer):
        common = (tokens & Counter(expected)).total()
        best = max(best, 2 * common / (tokens.total() + len(expected)))
    return best


METRIC = define(
    token_f1,
    parameters={"tokenizer": "split folded"},
    code="token_f1",
    version="1",
    label="Token F1",
    tier="semantic",
    direction="higher",
    unit="",
    bounds=(0.0, 1.0),
    needs=frozenset({"output", "reference"}),
    citation="Rajpurkar et al. 2016, doi:10.18653/v1/D16-1264",
    formats=frozenset({"vqa", "multimodal_generation"}),
    tasks=frozenset({"blank-filling", "question-answering", "report-generation"}),
)

METRIC_SQUAD = define(
    token_f1,
    parameters={"tokenizer": "squad"},
    code="token_f1_squad",
    version="1",
    label="Token F1 (SQuAD)",
    tier="semantic",
    direction="higher",
    unit="",
    bounds=(0.0, 1.0),
    needs=frozenset({"output", "reference"}),
    citation="Rajpurkar et al. 2016, doi:10.18653/v1/D16-1264",
    formats=frozenset({"vqa", "multimodal_generation"}),
    tasks=frozenset({"blank-filling", "question-answering", "report-generation"}),
    languages=frozenset({"en"}),
)
