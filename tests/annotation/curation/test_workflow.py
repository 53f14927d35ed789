"""The states of an item, as pure rules."""

import pytest

from annotation.curation.workflow import Opinion, next_state, review_problems

QUESTIONS = ["question_valid", "no_identity", "answer_accurate"]
ALL_YES = dict.fromkeys(QUESTIONS, "yes")


@pytest.mark.parametrize(
    ("verdicts", "state"),
    [
        ([], "imported"),
        ([("a", "accept")], "in_review"),
        ([("a", "accept"), ("b", "accept")], "accepted"),
        ([("a", "accept"), ("a", "accept")], "in_review"),
        ([("a", "accept"), ("b", "reject")], "in_review"),
        ([("a", "accept"), ("b", "reject"), ("c", "accept")], "accepted"),
        ([("a", "reject"), ("b", "reject")], "rejected"),
        ([("a", "accept"), ("b", "accept"), ("b", "reject")], "in_review"),
        ([("a", "accept"), ("b", "fix")], "needs_fix"),
        ([("a", "accept"), ("b", "escalate")], "in_review"),
        ([("a", "accept"), ("b", "accept"), ("c", "reject"), ("d", "reject")], "in_review"),
    ],
)
def test_verdicts_give_the_state(verdicts, state):
    assert next_state([Opinion(who, verdict) for who, verdict in verdicts]) == state


def test_one_person_who_sees_an_identity_quarantines():
    assert next_state([Opinion("a", "accept"), Opinion("b", "reject", identifies=True)]) == "quarantined"


def test_a_complete_acceptance_has_no_problem():
    assert review_problems(verdict="accept", answers=ALL_YES, questions=QUESTIONS, comment="") == []


@pytest.mark.parametrize(
    ("verdict", "changes", "comment", "field"),
    [
        ("accept", {"question_valid": ""}, "", "question_valid"),
        ("accept", {"question_valid": "no"}, "", "question_valid"),
        ("accept", {"question_valid": "unsure"}, "", "question_valid"),
        ("accept", {"question_valid": "not_applicable"}, "", "question_valid"),
        ("reject", {"question_valid": "no"}, "too few", "comment"),
        ("maybe", {}, "a long comment", "verdict"),
        ("accept", {"invented": "yes"}, "", "invented"),
    ],
)
def test_what_contradicts_the_verdict_is_named(verdict, changes, comment, field):
    problems = review_problems(verdict=verdict, answers=ALL_YES | changes, questions=QUESTIONS, comment=comment)

    assert field in [named for named, _ in problems]


def test_a_question_that_may_not_apply_can_be_accepted():
    answers = ALL_YES | {"answer_accurate": "not_applicable"}

    assert review_problems(verdict="accept", answers=answers, questions=QUESTIONS, comment="") == []
