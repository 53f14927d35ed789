"""Which option an answer chooses; nothing is guessed."""

import pytest

from scoring.metrics.base import UndefinedMetricError
from scoring.metrics.registry import METRICS
from scoring.metrics.semantic.option_accuracy import reference_letter
from scoring.metrics.semantic.option_parser import parse_option, read_options

OPTIONS = ["A. CT", "B. MRI", "C. X-ray", "D. Ultrasound"]
YES_NO = ["A. Yes", "B. No"]

CHOSEN = {
    "A": "A", "a": "A", "A.": "A", "A) CT": "A", "(A)": "A", "Answer: A": "A", "The answer is A.": "A", "**A**": "A",
    "A, because vessels are bright": "A", "A CT": "A", "My answer is A": "A", "CT": "A", "ct.": "A", "“A”": "A",
    "X-ray of the chest": "C", "The answer is **B) MRI**.": "B", "The correct option is: C. X-ray": "C",
    "My final answer would be (d)": "D", "[B]": "B", "B is shown": "B", "B, a small effusion": "B", "A CT scan": "A",
    "It is definitely MRI.": "B", "`B`": "B", "B\nbecause of contrast": "B", "A: CT": "A",
}  # fmt: skip
AMBIGUOUS = [
    "A or B", "Both", "Not A, but B", "A. MRI", "CT or MRI", "a or b", "A, B", "A/B", "A and C", "CT, not MRI",
    "The answer is not A", "It isn't CT", "no CT was done", "Either", "A & B", "B is wrong", "A. CT, B. MRI",
]  # fmt: skip
UNPARSABLE = ["T-cell lymphoma", "C-arm", "A small effusion", "a small effusion", "E", "I think so", "magnetic", "?"]


@pytest.mark.parametrize(("response", "letter"), CHOSEN.items())
def test_d26_an_answer_that_names_one_option_is_read(response, letter):
    parsed = parse_option(response, OPTIONS)

    assert (parsed.letter, parsed.state, parsed.flags) == (letter, "parsed", ())


@pytest.mark.parametrize("response", AMBIGUOUS)
def test_d26_an_answer_that_names_several_or_denies_one_is_ambiguous(response):
    assert parse_option(response, OPTIONS).state == "ambiguous"
    with pytest.raises(UndefinedMetricError) as caught:
        METRICS["option_accuracy"].function(response, "A", options=OPTIONS)
    assert caught.value.reason == "ambiguous"


@pytest.mark.parametrize("response", UNPARSABLE)
def test_d26_no_option_is_invented_from_a_word(response):
    assert parse_option(response, OPTIONS).letter is None
    with pytest.raises(UndefinedMetricError, match="by hand") as caught:
        METRICS["option_accuracy"].function(response, "A", options=OPTIONS)
    assert caught.value.reason == "unparsable"


@pytest.mark.parametrize("reference", ["A", "a", "A.", "CT", "A. CT", "(A)", 0])
def test_d26_the_reference_may_be_letter_text_both_or_index(reference):
    accuracy = METRICS["option_accuracy"].function

    assert reference_letter(reference, OPTIONS) == "A"
    assert accuracy("A) CT", reference, options=OPTIONS) == 1.0
    assert accuracy("B", reference, options=OPTIONS) == 0.0


def test_d26_without_options_letters_are_compared_and_flagged():
    parsed = parse_option("B. MRI", [])

    assert (parsed.letter, parsed.flags) == ("B", ("options_unknown",))
    assert METRICS["option_accuracy"].function("B", "B. MRI") == 1.0
    assert METRICS["option_accuracy"].function("A", 0) == 1.0
    assert parse_option("A CT", []).state == "unparsable"
    assert parse_option("X-ray", []).state == "unparsable"


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ("Yes, there is an effusion", "A"), ("yes", "A"), ("No", "B"), ("No, it isn't", "B"), ("B. No", "B"),
        ("A", "A"),
        ("The answer is yes.", "A"), ("There is no change", None), ("No change", None), ("A. No", None),
        ("Yes and no", None), ("Yes or no?", None), ("Maybe", None),
    ],
)  # fmt: skip
def test_yes_and_no_follow_the_same_rule(response, expected):
    assert parse_option(response, YES_NO).letter == expected


def test_a_yes_or_no_reference_needs_no_options():
    accuracy = METRICS["option_accuracy"].function

    assert accuracy("Yes, there is an effusion.", "Yes") == 1.0
    assert accuracy("No.", "yes") == 0.0
    with pytest.raises(UndefinedMetricError) as caught:
        accuracy("There is no change", "no")
    assert caught.value.reason == "unparsable"


@pytest.mark.parametrize(
    ("response", "options", "letter"),
    [
        ("B cell lymphoma", ["A. T cell lymphoma", "B. Melanoma", "C. B cell lymphoma"], "C"),
        ("not visible", ["A. Visible", "B. Not visible"], "B"),
        ("A. Not visible", ["A. Not visible", "B. Visible"], "A"),
        ("There is no pneumonia", ["Pneumonia", "No pneumonia"], "B"),
        ("There is no pneumonia", ["Pneumonia", "Edema"], None),
        ("CT angiography", ["CT", "CT angiography"], "B"),
        ("MRI", ["CT", "MRI"], "B"),
        ("CT", ["CT", "CT"], None),
        ("b", ["B", "A"], "B"),
    ],
)
def test_the_longest_option_text_wins(response, options, letter):
    assert parse_option(response, options).letter == letter


def test_an_empty_answer_is_wrong_not_unknown():
    assert parse_option("  ", OPTIONS).state == "empty"
    assert METRICS["option_accuracy"].function("", "A", options=OPTIONS) == 0.0


@pytest.mark.parametrize(
    ("reference", "options", "reason"),
    [
        ("", OPTIONS, "empty_reference"),
        ("PET", OPTIONS, "invalid"),
        (7, OPTIONS, "invalid"),
        (-1, OPTIONS, "invalid"),
        ("small effusion", [], "not_applicable"),
        (("A", "B"), OPTIONS, "invalid"),
    ],
)
def test_a_reference_that_is_no_option_is_a_reason(reference, options, reason):
    with pytest.raises(UndefinedMetricError) as caught:
        METRICS["option_accuracy"].function("A", reference, options=options)

    assert caught.value.reason == reason


def test_more_options_than_letters_are_refused():
    with pytest.raises(ValueError, match="27 options"):
        read_options([f"option {number}" for number in range(27)])
