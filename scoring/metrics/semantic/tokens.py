"""Named ways to cut a text into tokens; the name is part of a metric's settings."""

import html
import re
import string
import unicodedata
from collections.abc import Callable, Mapping, Sequence

from scoring.metrics.base import UndefinedMetricError

_NOT_ROUGE = re.compile(r"[^a-z0-9]+")
_SYMBOL = re.compile(r"([{-~\[-` -&(-+:-@/])")
_POINT_AFTER_NON_DIGIT = re.compile(r"([^0-9])([.,])")
_POINT_BEFORE_NON_DIGIT = re.compile(r"([.,])([^0-9])")
_DASH_AFTER_DIGIT = re.compile(r"([0-9])(-)")
_ARTICLE = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalized(text: str) -> str:
    """Unicode NFC, so that composed and decomposed letters are equal."""
    return unicodedata.normalize("NFC", text)


def split_tokens(text: str) -> list[str]:
    """Cut at blanks, case and punctuation kept: what the benchmark's own evaluator does."""
    return text.split()


def folded_tokens(text: str) -> list[str]:
    """Cut at blanks after case folding."""
    return text.casefold().split()


def mteval_tokens(text: str) -> list[str]:
    """The rules of NIST's mteval-v13a as sacreBLEU applies them: punctuation apart, case kept."""
    line = text.replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    if "&" in line:
        for entity in ("&quot;", "&amp;", "&lt;", "&gt;"):
            line = line.replace(entity, html.unescape(entity))
    line = _SYMBOL.sub(r" \1 ", f" {line} ")
    line = _POINT_AFTER_NON_DIGIT.sub(r"\1 \2 ", line)
    line = _POINT_BEFORE_NON_DIGIT.sub(r" \1 \2", line)
    return _DASH_AFTER_DIGIT.sub(r"\1 \2 ", line).split()


def rouge_tokens(text: str) -> list[str]:
    """Runs of a-z and 0-9 of the lower-cased text; other alphabets vanish, so English only."""
    return _NOT_ROUGE.sub(" ", text.lower()).split()


def squad_tokens(text: str) -> list[str]:
    """Lower case, without punctuation and the articles a, an, the: the SQuAD evaluation's rule."""
    return _ARTICLE.sub(" ", text.lower().translate(_PUNCTUATION)).split()


TOKENIZERS: Mapping[str, Callable[[str], list[str]]] = {
    "split": split_tokens,
    "split folded": folded_tokens,
    "13a": mteval_tokens,
    "rouge": rouge_tokens,
    "squad": squad_tokens,
}


def tokenize(text: str, tokenizer: str) -> list[str]:
    """Tokens of the NFC form of a text.

    Raises:
        ValueError: the tokenizer has no entry in `TOKENIZERS`.
    """
    if tokenizer not in TOKENIZERS:
        raise ValueError(f"tokenizer '{tokenizer}' is unknown; known: {', '.join(TOKENIZERS)}")
    return TOKENIZERS[tokenizer](normalized(text))


def as_texts(reference: str | Sequence[str]) -> list[str]:
    """One reference or several, as a list."""
    return [reference] if isinstance(reference, str) else list(reference)


def reference_tokens(reference: str | Sequence[str], tokenizer: str) -> list[list[str]]:
    """Tokens of each reference that has any.

    Args:
        reference: one text, or several that are equally right.
        tokenizer: a name of `TOKENIZERS`.

    Returns:
        At least one non-empty list of tokens.

    Raises:
        UndefinedMetricError: `empty_reference` when every reference is blank; `not_applicable` when
            there is text of which this tokenizer knows no letter (another alphabet).
    """
    texts = as_texts(reference)
    found = [tokens for tokens in (tokenize(text, tokenizer) for text in texts) if tokens]
    if found:
        return found
    if any(text.strip() for text in texts):
        raise UndefinedMetricError(
            "not_applicable", f"The tokenizer '{tokenizer}' finds no token in the reference text."
        )
    raise UndefinedMetricError("empty_reference")
