"""Option accuracy: does the answer choose the reference's option?"""

from collections.abc import Sequence

from scoring.metrics.base import UndefinedMetricError, define
from scoring.metrics.semantic.option_parser import (
    AMBIGUOUS,
    EMPTY,
    PARSED,
    ParsedOption,
    lone_letter,
    parse_option,
    plain,
    read_options,
)


def reference_letter(reference: str | int, options: Sequence[str]) -> str:
    """Letter of the expected option.

    Args:
        reference: a letter, "B.", the option's text, letter and text, or an index that counts from 0.
        options: the item's options; empty when they are not known.

    Returns:
        An upper-case letter.

    Raises:
        UndefinedMetricError: `empty_reference`; `not_applicable` when without options the reference is no
            letter; `invalid` when it names none of the options.
    """
    known = read_options(options)
    if isinstance(reference, int) and not isinstance(reference, bool):
        letters = list(known) or [chr(ord("A") + index) for index in range(26)]
        if 0 <= reference < len(letters):
            return letters[reference]
        raise UndefinedMetricError("invalid", f"The reference is index {reference} of {len(letters)} options.")
    text = plain(str(reference))
    if not text:
        raise UndefinedMetricError("empty_reference")
    if not known:
        label = lone_letter(text)
        if label:
            return label
        raise UndefinedMetricError("not_applicable", "Options are not known and the reference is not a letter.")
    parsed = parse_option(text, options)
    if parsed.letter:
        return parsed.letter
    raise UndefinedMetricError("invalid", f"The reference names none of the {len(known)} options.")


def chosen_option(output: str, reference: str | int, options: Sequence[str]) -> ParsedOption:
    """What the output chooses; without options, a reference of yes or no makes those the options."""
    return parse_option(output, _options_for(reference, options))


def _options_for(reference: str | int, options: Sequence[str]) -> Sequence[str]:
    if not options and isinstance(reference, str) and plain(reference).casefold().rstrip(".") in {"yes", "no"}:
        return ("Yes", "No")
    return options


def option_accuracy(output: str, reference: str | int | Sequence[str], *, options: Sequence[str] = ()) -> float:
    """Whether the answer chooses the reference's option.

    Args:
        output: what the system wrote.
        reference: letter, "B.", option text, letter and text, or index from 0.
        options: the item's options such as "A. CT". When they are not known, letter is compared with
            letter (flag `options_unknown` of the parser).

    Returns:
        1 when the same option is chosen, else 0; higher is better. An empty answer is 0: it is wrong,
        not unknown.

    Raises:
        UndefinedMetricError: `ambiguous` or `unparsable` answer, to be coded by hand; `empty_reference`,
            `invalid` or `not_applicable` reference.
    """
    if not isinstance(reference, str | int):
        if len(reference) != 1:
            raise UndefinedMetricError("invalid", f"{len(reference)} references; one option is expected.")
        reference = reference[0]
    options = _options_for(reference, options)
    expected = reference_letter(reference, options)
    parsed = parse_option(output, options)
    if parsed.state == EMPTY:
        return 0.0
    if parsed.state == AMBIGUOUS:
        raise UndefinedMetricError("ambiguous", "The answer names more than one option, or denies one.")
    if parsed.state != PARSED:
        raise UndefinedMetricError("unparsable", "No option could be read from the answer; code it by hand.")
    return float(parsed.letter == expected)


METRIC = define(
    option_accuracy,
    facts={"parser": "1"},
    code="option_accuracy",
    version="1",
    label="Option accuracy",
    tier="semantic",
    direction="higher",
    unit="",
    bounds=(0.0, 1.0),
    needs=frozenset({"output", "reference", "options"}),
    citation="MedGEN's own parser; rules in docs/metrics.md",
    formats=frozenset({"vqa"}),
    tasks=frozenset({"multiple-choice", "blank-filling"}),
)
