"""What makes a preference, without a database."""

import pytest

from annotation.grading.rules import CriterionRule, Question, ShownOutput
from annotation.preferences.rules import Comparison, Pick, compared, prefer

CRITERIA = (
    CriterionRule("overall", "Overall", 1, 5, 1),
    CriterionRule("depth", "Depth", 1, 5, 1),
    CriterionRule("pairing", "Image and text", 1, 5, 1, needs_image=True, needs_text=True),
)


def asks(mode="pair", *, labels="AB", by=()):
    outputs = tuple(ShownOutput(label, has_image=True, has_text=False) for label in labels)
    return Comparison(mode, Question("vqa", outputs, CRITERIA, {"omitted": True, "vague": False, "other": False}), by)


def payload(overall="left", outputs=None, **fields):
    choices = {"overall": overall} | fields.pop("choices", {})
    return {"preference": {"choices": choices, **fields}, "outputs": outputs or {}}


def problems(of, comparison=None):
    said, found = prefer(of, comparison or asks())
    assert (said is None) == bool(found)
    return [str(problem) for problem in found]


def test_left_is_the_output_that_stands_first():
    said, found = prefer(payload("right", strength="clear", rationale=" B shows the lesion "), asks())

    assert not found
    assert said.overall == Pick("right", "B")
    assert (said.strength, said.rationale, said.outputs["A"].safety) == ("clear", "B shows the lesion", "none")


@pytest.mark.parametrize(("word", "pick"), [("C", Pick("best", "C")), ("tie", Pick("tie"))])
def test_of_more_than_two_the_label_of_the_best_is_chosen(word, pick):
    said, _ = prefer(payload(word), asks("rank", labels="ABC"))

    assert said.overall == pick


def test_only_criteria_that_apply_to_every_output_are_compared():
    question = asks().question

    assert [criterion.code for criterion in compared(question)] == ["depth"]


def test_every_criterion_that_is_compared_needs_a_choice():
    by_depth = asks(by=(CRITERIA[1],))

    assert problems(payload(), by_depth) == ["depth: Depth: no choice yet; choose one of left, tie, right, both_bad"]
    assert not problems(payload(choices={"depth": "tie"}), by_depth)
    assert problems(payload(choices={"depth": "tie"})) == ["depth: is not compared in this reading"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"outputs": {}}, "preference: must be an object with choices"),
        (payload("middle"), "overall: Overall: middle: choose one of left, tie, right, both_bad"),
        (payload("A"), "overall: Overall: A: choose one of left, tie, right, both_bad"),
        (payload(strength="huge"), "strength: huge: choose one of slight, clear, strong, or leave it out"),
        (payload("tie", strength="clear"), "strength: clear: only where one output is better; leave it out"),
        (payload(colour="red"), "colour: is not a field of a preference"),
        (payload(reference_wrong="no"), "reference_wrong: no must be true or false"),
        (payload(outputs={"C": {}}), "C: outputs: is not shown in this reading; shown: A, B"),
        (payload(outputs={"A": {"scores": {}}}), "A: scores: is not said of single outputs"),
        (
            payload(strength="strong"),
            "rationale: 0 characters; say why in 10 or more, because the preference is strong",
        ),
    ],
)
def test_what_cannot_be_a_preference_is_named(given, said):
    assert problems(given) == [said]


def test_neither_usable_asks_for_words_and_an_error():
    assert problems(payload("both_bad")) == [
        "rationale: 0 characters; say why in 10 or more, because neither is usable",
        "errors: none named; name at least one, because neither is usable",
    ]
    reasons = {"rationale": "Both show another organ.", "outputs": {"A": {"errors": [{"code": "vague"}]}}}
    assert not problems(payload("both_bad", **reasons))


def test_harm_of_one_side_asks_for_an_error_of_that_side():
    harm = {"B": {"safety": "severe"}, "A": {"errors": [{"code": "vague", "nowhere": True}]}}

    found = problems(payload(outputs=harm, rationale="B removes the tube."))

    assert found == ["B: errors: none named; name at least one, because harm is severe"]
