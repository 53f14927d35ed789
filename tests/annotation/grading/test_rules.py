"""The rules of a grade, without a database."""

import json

import pytest

from annotation.grading.rules import CriterionRule, Question, ShownOutput, judge, not_applicable, why_not_applicable

OVERALL = CriterionRule("overall", "Overall", 1, 5, 1, na_allowed=False, rationale_at_most=2)
DEPTH = CriterionRule("depth", "Depth", 1, 5, 0.5, rationale_at_most=2)
EDIT = CriterionRule("edit", "Edit achieved", 1, 5, 1, formats=("image_editing",), needs_image=True)
BOTH = CriterionRule("both", "Image–text consistency", 1, 5, 1, needs_image=True, needs_text=True)
LOCALIZABLE = {"omitted": True, "vague": False, "other": False}
OVER = "A: overall: Overall:"
OTHER = {"overall": 4, "depth": 3}
HALF = json.loads('"\\ud800"')
TEXT = ShownOutput("A", has_image=False, has_text=True)
IMAGE = ShownOutput("A", has_image=True, has_text=False)


def question(*outputs, criteria=(OVERALL, DEPTH), format="vqa"):
    return Question(format, outputs or (TEXT,), tuple(criteria), LOCALIZABLE)


def graded(**fields):
    return {"outputs": {"A": {"scores": {"overall": 4, "depth": 3.5}} | fields}}


def texts(payload, asked=None):
    return [str(problem) for problem in judge(payload, asked or question())[1]]


def test_a_whole_grade_becomes_one_judgment():
    judgments, problems = judge(graded(rationale=" fine ", errors=[{"code": "vague"}], safety="low"), question())

    assert problems == []
    (only,) = judgments
    assert [(score.criterion, score.value) for score in only.scores] == [("overall", 4.0), ("depth", 3.5)]
    assert (only.rationale, only.errors[0].code, only.safety, only.reference_wrong) == ("fine", "vague", "low", False)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (None, "outputs: must be an object with one entry for each output"),
        ([], "outputs: must be an object with one entry for each output"),
        ({"outputs": []}, "outputs: must be an object with one entry for each output"),
        ({"outputs": {}}, "A: outputs: is not graded yet"),
        ({"outputs": {"A": 4}}, "A: outputs: is not graded yet"),
        (graded() | {"mood": 1}, "mood: is not a field of a grade"),
        (graded(mood=1), "A: mood: is not a field of a grade"),
        (graded(scores=[1]), "A: scores: must be an object of criterion and value"),
        (graded(scores={"overall": 4}), "A: depth: Depth: no value yet; choose 1 to 5 in steps of 0.5"),
        (graded(scores={"overall": 6, "depth": 3}), "A: overall: Overall: 6: is above 5"),
        (graded(scores={"overall": 0, "depth": 3}), "A: overall: Overall: 0: is below 1"),
        (
            graded(scores={"overall": 3.5, "depth": 3}),
            "A: overall: Overall: 3.5: is between the steps of 1 to 5 in steps of 1",
        ),
        (graded(scores=OTHER | {"overall": "4"}), "A: overall: Overall: 4: must be a number, 1 to 5 in steps of 1"),
        (graded(scores=OTHER | {"overall": True}), f"{OVER} True: must be a number, 1 to 5 in steps of 1"),
        (
            graded(scores={"overall": float("nan"), "depth": 3}),
            "A: overall: Overall: nan: must be a number, 1 to 5 in steps of 1",
        ),
        (graded(scores={"overall": 4, "depth": 3, "luck": 1}), "A: luck: is not a criterion of this study (scores)"),
        (graded(na={"luck": "other"}), "A: luck: is not a criterion of this study (na)"),
        (graded(scores=OTHER | {"overall": "na"}), f"{OVER} n/a is not offered; choose 1 to 5 in steps of 1"),
        (
            graded(scores={"overall": 4, "depth": "na"}),
            "A: depth: Depth: n/a: no reason; choose one of not visible, not gradable, outside my competence, other",
        ),
        (
            graded(scores={"overall": 4, "depth": "na"}, na={"depth": "tired"}),
            "A: depth: Depth: n/a: tired; choose one of not visible, not gradable, outside my competence, other",
        ),
        (graded(rationale=5), "A: rationale: 5 must be a text"),
        (graded(rationale="x" * 5001), "A: rationale: has 5,001 characters, the limit is 5,000"),
        (graded(rationale="a\0b"), "A: rationale: has a NUL character; remove it"),
        (graded(rationale=HALF), "A: rationale: has half a character (a lone surrogate); type it again"),
        (graded(errors="omitted"), "A: errors: omitted must be a list"),
        (graded(errors=[{"code": "typo"}]), "A: errors: typo is not an error code"),
        (graded(errors=[7]), "A: errors: 7 is not an error code"),
        (graded(errors=[{"code": "vague"}, {"code": "vague"}]), "A: errors: vague is named twice"),
        (graded(errors=[{"code": "vague", "nowhere": 1}]), "A: errors: vague: nowhere: 1 must be true or false"),
        (graded(safety="huge"), "A: safety: huge is not one of none, low, moderate, severe"),
        (graded(safety=[]), "A: safety: [] is not one of none, low, moderate, severe"),
        (graded(reference_wrong="yes"), "A: reference_wrong: yes must be true or false"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_label_field_value_and_limit(payload, expected):
    assert texts(payload) == [expected]


def test_a_number_too_long_for_any_scale_is_above_it():
    (problem,) = texts(graded(scores=OTHER | {"overall": 10**400}))

    assert problem.endswith(": is above 5")


def test_a_value_a_hair_off_its_step_is_stored_as_the_step():
    judgments, problems = judge(graded(scores={"overall": 4.0000000001, "depth": 3.4999999999}), question())

    assert problems == []
    assert [score.value for score in judgments[0].scores] == [4.0, 3.5]


def test_a_label_that_is_not_shown_is_refused():
    payload = graded()
    payload["outputs"]["C"] = {}

    assert texts(payload) == ["C: outputs: is not shown in this reading; shown: A"]


def test_every_output_must_be_graded():
    asked = question(TEXT, ShownOutput("B", has_image=False, has_text=True))

    assert texts(graded(), asked) == ["B: outputs: is not graded yet"]


def test_na_inside_the_applicability_keeps_its_reason():
    judgments, problems = judge(graded(scores={"overall": 4, "depth": "na"}, na={"depth": "not visible"}), question())

    assert problems == []
    assert (judgments[0].scores[1].value, judgments[0].scores[1].na_reason) == (None, "not visible")


@pytest.mark.parametrize("given", [{}, {"edit": "na"}, {"edit": None}])
def test_a_criterion_outside_its_applicability_is_stored_as_not_applicable(given):
    asked = question(criteria=(OVERALL, EDIT))

    judgments, problems = judge(graded(scores={"overall": 4} | given), asked)

    assert problems == []
    assert judgments[0].scores[1].na_reason == "not_applicable"


def test_a_value_outside_the_applicability_is_refused():
    asked = question(criteria=(OVERALL, EDIT))

    assert texts(graded(scores={"overall": 4, "edit": 3}), asked) == [
        "A: edit: Edit achieved: 3: does not apply here (only for Editing); leave it out"
    ]


def test_an_optional_criterion_may_be_left_out():
    asked = question(criteria=(OVERALL, CriterionRule("depth", "Depth", 1, 5, 1, required=False)))

    judgments, problems = judge(graded(scores={"overall": 4}), asked)

    assert problems == [] and [score.criterion for score in judgments[0].scores] == ["overall"]


def test_applicability_is_by_format_and_by_parts():
    both = dict(format="image_editing", has_image=True, has_text=True)

    assert why_not_applicable(EDIT, **both) is None
    assert why_not_applicable(EDIT, **(both | {"format": "vqa"})) == "only for Editing"
    assert why_not_applicable(EDIT, **(both | {"has_image": False})) == "needs image"
    assert why_not_applicable(BOTH, **(both | {"has_text": False})) == "needs image and text"
    assert not_applicable(question(IMAGE, criteria=(OVERALL, BOTH)), IMAGE) == {"both": "needs image and text"}


@pytest.mark.parametrize(
    ("fields", "because"),
    [
        ({"scores": {"overall": 2, "depth": 4}}, "Overall is 2 (at most 2)"),
        ({"scores": {"overall": 4, "depth": 1.5}}, "Depth is 1.5 (at most 2)"),
        ({"safety": "moderate"}, "harm is moderate"),
        ({"safety": "severe"}, "harm is severe"),
    ],
)
def test_a_low_score_or_harm_asks_for_a_rationale_and_a_code(fields, because):
    assert texts(graded(**fields)) == [
        f"A: rationale: 0 characters; say why in 10 or more, because {because}",
        f"A: errors: none named; name at least one, because {because}",
    ]


def test_blanks_are_no_rationale_and_ten_characters_are_enough():
    low = {"scores": {"overall": 2, "depth": 4}, "errors": [{"code": "vague"}]}

    assert texts(graded(**low, rationale="   short    ")) == [
        "A: rationale: 5 characters; say why in 10 or more, because Overall is 2 (at most 2)"
    ]
    assert texts(graded(**low, rationale="ten chars!")) == []


def test_a_score_just_above_the_limit_asks_for_nothing():
    assert texts(graded(scores={"overall": 3, "depth": 2.5}, safety="low")) == []


def test_the_error_other_needs_words():
    assert texts(graded(errors=[{"code": "other"}])) == [
        "A: rationale: 0 characters; say why in 10 or more, because the error “other” needs words"
    ]


@pytest.mark.parametrize(
    ("output", "safety", "error", "expected"),
    [
        (IMAGE, "none", {"code": "omitted"}, ["A: errors: omitted: no place; tick “cannot be localized”"]),
        (IMAGE, "none", {"code": "omitted", "nowhere": True}, []),
        (IMAGE, "none", {"code": "vague"}, []),
        (IMAGE, "severe", {"code": "vague"}, ["A: errors: vague: no place; tick “cannot be localized”"]),
        (IMAGE, "severe", {"code": "vague", "nowhere": True}, []),
        (TEXT, "none", {"code": "omitted"}, []),
        (TEXT, "severe", {"code": "omitted"}, []),
    ],
)
def test_until_marks_exist_an_error_on_an_image_needs_the_tick(output, safety, error, expected):
    payload = graded(errors=[error], safety=safety, rationale="long enough words")

    assert texts(payload, question(output)) == expected


def test_long_values_are_shortened_in_messages():
    assert texts(graded(safety="x" * 500)) == [f"A: safety: {'x' * 40}… is not one of none, low, moderate, severe"]
