"""Exact match of two short answers."""

from collections.abc import Sequence

from scoring.metrics.base import UndefinedMetricError, define
from scoring.metrics.semantic.tokens import as_texts, normalized, squad_tokens


def _plain(text: str) -> str:
    return normalized(text).casefold().strip()


def _without_articles(text: str) -> str:
    return " ".join(squad_tokens(normalized(text)))


_NORMALIZATIONS = {"fold": _plain, "squad": _without_articles}


def exact_match(output: str, reference: str | Sequence[str], *, normalization: str) -> float:
    """Whether the output equals the reference after a named normalization.

    Args:
        output: what the system wrote.
        reference: the expected text, or several of which one must be met.
        normalization: `fold` (NFC, case folded, outer blanks removed) or `squad` (also without
            punctuation and articles).

    Returns:
        1 when equal, else 0; higher is better; an empty output is 0.

    Raises:
        UndefinedMetricError: `empty_reference`.
        ValueError: the normalization is unknown.
    """
    if normalization not in _NORMALIZATIONS:
        raise ValueError(f"normalization '{normalization}' is unknown; known: {', '.join(_NORMALIZATIONS)}")
    normalize = _NORMALIZATIONS[normalization]
    expected = {form for form in (normalize(text) for text in as_texts(reference)) if form}
    if not expected:
        raise UndefinedMetricError("empty_reference")
    return float(normalize(output) in expected)


METRIC = define(
    exact_match,
    parameters={"normalization": "fold"},
    code="exact_match",
    version="1",
    label="Exact match",
    tier="semantic",
    direction="higher",
    unit="",
    bounds=(0.0, 1.0),
    needs=frozenset({"output", "reference"}),
    citation="Rajpurkar et al. 2016, doi:10.18653/v1/D16-1264",
    formats=frozenset({"vqa"}),
    tasks=frozenset({"multiple-choice", "blank-filling", "question-answering"}),
)

METRIC_SQUAD = define(
    exact_match,
    parameters={"normalization": "squad"},
    code="exact_match_squad",
    version="1",
    label="Exact match (SQuAD)",
    tier="semantic",
    direction="higher",
    unit="",
    bounds=(0.0, 1.0),
    needs=frozenset({"output", "reference"}),
    citation="Rajpurkar et al. 2016, doi:10.18653/v1/D16-1264",
    formats=frozenset({"vqa"}),
    tasks=frozenset({"blank-filling", "question-answering"}),
    languages=frozenset({"en"}),
)
