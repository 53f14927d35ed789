"""Read which option of a multiple-choice question an answer chooses.

Rules in order, the first that fits decides: the answer is a letter, is introduced by words such as "my answer
is", is an option's text; it names several options or denies one (ambiguous); it starts with a letter; it
contains the text of exactly one option. Everything else is left to a person.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

PARSED, AMBIGUOUS, UNPARSABLE, EMPTY = "parsed", "ambiguous", "unparsable", "empty"

_DECORATION = re.compile("[*_`\"'“”„‘’«»]")
_LABEL = re.compile(r"^\s*[(\[]?([A-Za-z])\s*[).:\]]+\s*(\S.*)$", re.DOTALL)
_LONE_LETTER = re.compile(r"^[(\[]?\s*([A-Za-z])\s*[).:\]]*$")
_INTRODUCTION = re.compile(
    r"^(?:(?:the|my|final)\s+)*(?:correct\s+)?(?:answer|option|choice)(?:\s+is|\s+would\s+be)?\s*[:=]*\s*",
    re.IGNORECASE,
)
_LEADING_LETTER = re.compile(r"^[(\[]?([A-Za-z])(?:\s*[).:\],]+\s*|\s+)(?=\S)(.*)$", re.DOTALL)
_JOINED_LETTERS = re.compile(
    r"(?<![\w-])([A-Za-z])\s*(?:,\s*(?:and|or)\b|\bor\b|\band\b|[,/&+])\s*([A-Za-z])(?![\w-])"
)
_SEVERAL = re.compile(
    r"\b(?:both|neither|either|not|nor|cannot|none of|all of|is (?:wrong|incorrect|false))\b", re.IGNORECASE
)
_DENIAL = re.compile(
    r"\b(?:no|without|unlikely|excluded?|excludes|absent|absence|negative for|rather than|instead of|ruled? out)\b",
    re.IGNORECASE,
)
_YES_NO = {"yes", "no"}


@dataclass(frozen=True)
class ParsedOption:
    """What an answer chooses.

    Attributes:
        letter: upper-case letter of the option, None when none could be read.
        state: `parsed`, `ambiguous`, `unparsable` or `empty`.
        flags: `options_unknown` when only letters could be compared.
    """

    letter: str | None
    state: str
    flags: tuple[str, ...] = ()


def plain(text: str) -> str:
    """NFC text without Markdown marks, quotes and outer blanks; typographic apostrophes go as quotes do."""
    composed = unicodedata.normalize("NFC", text)
    kept = re.sub(r"n['’]t\b", " not ", composed, flags=re.IGNORECASE)
    return _DECORATION.sub("", kept).strip()


def read_options(options: Sequence[str]) -> dict[str, str]:
    """Letter to folded text of each option.

    Args:
        options: entries such as "A. CT"; entries without letters are lettered in order.

    Returns:
        Upper-case letters in order; texts without outer blanks and closing punctuation.

    Raises:
        ValueError: more than 26 options.
    """
    entries = [plain(str(option)) for option in options]
    if len(entries) > 26:
        raise ValueError(f"{len(entries)} options; at most 26 can be lettered")
    found = [_LABEL.match(entry) for entry in entries]
    if entries and all(_LONE_LETTER.match(entry) for entry in entries):
        return {entry.strip("([).:] ").upper(): "" for entry in entries}
    labels = [match.group(1).upper() for match in found if match]
    if len(labels) == len(entries) and len(set(labels)) == len(labels):
        return {match.group(1).upper(): _body(match.group(2)) for match in found if match}
    return {chr(ord("A") + index): _body(entry) for index, entry in enumerate(entries)}


def lone_letter(text: str) -> str | None:
    """The letter of a plain text that is nothing but one ("B", "(b)"), or is marked as one ("B. CT")."""
    match = _LONE_LETTER.match(text) or _LABEL.match(text)
    return match.group(1).upper() if match else None


def _body(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".;,: ")


def parse_option(response: str, options: Sequence[str]) -> ParsedOption:
    """Read the option that an answer chooses.

    Args:
        response: what the system wrote.
        options: the item's options, such as "A. CT"; empty when they are not known.

    Returns:
        The letter, or a state that says why there is none. Nothing is guessed: a letter inside a word
        or before a hyphen ("T-cell", "X-ray") and the article "A" are never letters.

    Raises:
        ValueError: more than 26 options.
    """
    known = read_options(options)
    flags = () if known else ("options_unknown",)
    text = plain(response)
    if not text:
        return ParsedOption(None, EMPTY, flags)
    letter, state = _decide(text, known)
    return ParsedOption(letter, state, flags)


def _decide(text: str, known: dict[str, str]) -> tuple[str | None, str]:
    """Letter and state of a text that is not empty."""
    rest = _INTRODUCTION.sub("", text, count=1) or text
    lone = _LONE_LETTER.match(rest)
    if lone:
        return _letter(lone.group(1), known)
    whole = [letter for letter, body in known.items() if body == _body(rest)]
    if len(whole) == 1:
        return whole[0], PARSED
    if known and set(known.values()) <= _YES_NO:
        return _yes_or_no(rest, known)
    named, remainder = _named_options(rest, known)
    if len(named) > 1 or _SEVERAL.search(remainder) or _letters_joined(remainder, known):
        return None, AMBIGUOUS
    leading = _leading_letter(rest, known)
    if leading:
        return (None, AMBIGUOUS) if named and named != {leading} else (leading, PARSED)
    if named:
        return (None, AMBIGUOUS) if _DENIAL.search(remainder) else (named.pop(), PARSED)
    return None, UNPARSABLE


def _letter(letter: str, known: dict[str, str]) -> tuple[str | None, str]:
    upper = letter.upper()
    return (upper, PARSED) if not known or upper in known else (None, UNPARSABLE)


def _named_options(text: str, known: dict[str, str]) -> tuple[set[str], str]:
    """Options whose text occurs as whole words, longest first, and what is left of the answer."""
    remainder = " ".join(text.split())
    named = set()
    for body in sorted(filter(None, set(known.values())), key=lambda words: (-len(words), words)):
        pattern = re.compile(rf"(?<![\w]){re.escape(body)}(?![\w])", re.IGNORECASE)
        remainder, count = pattern.subn(" … ", remainder)
        if count:
            named |= {letter for letter, words in known.items() if words == body}
    return named, remainder


def _letters_joined(text: str, known: dict[str, str]) -> bool:
    """Two different option letters joined by or, and, a comma or a slash."""
    for match in _JOINED_LETTERS.finditer(text):
        first, second = match.groups()
        bare = match.group(0) == text.strip(" .")
        if not (bare or (first.isupper() and second.isupper())):
            continue
        letters = {first.upper(), second.upper()}
        if len(letters) == 2 and (not known or letters <= set(known)):
            return True
    return False


def _leading_letter(text: str, known: dict[str, str]) -> str | None:
    """The option letter an answer starts with; not an article, a pronoun or part of a word."""
    match = _LEADING_LETTER.match(text)
    if not match:
        return None
    letter, following = match.group(1).upper(), match.group(2)
    if known and letter not in known:
        return None
    marked = not text[match.start(1) + 1].isspace() or text[match.start(1) + 1 :].lstrip()[:1] in set(").:],")
    if marked:
        return letter
    if letter in "AI":
        body = known.get(letter, "")
        return letter if body and _body(following).startswith(body.split()[0]) else None
    return letter


def _yes_or_no(text: str, known: dict[str, str]) -> tuple[str | None, str]:
    """Yes/no questions: only the first word decides, and "no" only when the sentence part ends there."""
    by_word = {body: letter for letter, body in known.items()}
    words = re.findall(r"[^\W\d_]+", text.casefold())
    leading = _leading_letter(text, known)
    first = words[1] if leading and len(words) > 1 else words[0] if words else ""
    if re.match(r"(?:yes\W+(?:or|and)\W+no|no\W+(?:or|and)\W+yes)\b", text, re.IGNORECASE):
        return None, AMBIGUOUS
    ended = re.match(r"(?:[A-Za-z][).:\],]+\s*)?(yes|no)\s*(?:$|[,.;:!–—-])", text, re.IGNORECASE)
    chosen = by_word.get(ended.group(1).casefold()) if ended else by_word.get("yes") if first == "yes" else None
    if leading and chosen:
        return (leading, PARSED) if leading == chosen else (None, AMBIGUOUS)
    if leading and not set(words) & _YES_NO:
        return leading, PARSED
    return (chosen, PARSED) if chosen else (None, UNPARSABLE)
