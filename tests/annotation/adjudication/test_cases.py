"""Which grades make cases, who decides them, and that no decision touches a grade."""

import uuid

import pytest
from django.db import DatabaseError, connection, transaction

from annotation.adjudication import queue, services
from annotation.adjudication.errors import AdjudicationError, AdjudicationStateError, OwnGradeError
from annotation.adjudication.models import Adjudication
from annotation.audit.errors import AppendOnlyError
from annotation.grading.models import CriterionScore, Grade
from annotation.studies.models import Reading, Study
from tests import factories
from tests.annotation.adjudication.world import build, grade
from tests.annotation.audit.world import found, key, tamper

pytestmark = pytest.mark.django_db


def subjects(world):
    return {(case.subject, case.trigger, case.state) for case in queue.cases_of(world.study)}


def amended(world, *, safety="none", value=4, place=0):
    """The first reader's grade of the first output in a further version."""
    first = Grade.objects.filter(reading_output__output=world.graded.outputs(place)[0]).order_by("submitted_at")[0]
    made = Grade.objects.create(
        reading_output=first.reading_output, author=first.author, version=2, submit_key=uuid.uuid4(),
        safety=safety, reason_for_change="Saw it again.",
    )  # fmt: skip
    score = first.scores.get()
    CriterionScore.objects.create(grade=made, criterion=score.criterion, value=value)
    return made


def test_grades_that_agree_and_flag_nothing_make_no_case():
    world = build()
    grade(world, (4, 3), safety="low")

    assert queue.cases_of(world.study) == []


@pytest.mark.parametrize("level", ["moderate", "severe"])
def test_a_flag_of_harm_makes_a_case(level):
    world = build()
    grade(world, safety=level)

    assert subjects(world) == {("safety", "safety", "open")}
    assert world.case().is_severe == (level == "severe")


def test_readers_two_apart_make_a_case_of_the_criterion():
    world = build()
    grade(world, (2, 4))

    assert subjects(world) == {("criterion", "spread", "open")}


def test_a_reference_called_wrong_makes_a_case():
    world = build()
    grade(world, reference_wrong=True)

    assert subjects(world) == {("reference", "reference", "open")}


def test_a_case_waits_until_all_readers_of_the_output_are_done():
    world = build()
    grade(world, safety="severe")
    reading = Reading.objects.get(enrollment=world.graded.readers[1], reading_outputs__output=world.case().output)
    Reading.objects.filter(pk=reading.pk).update(status="in_progress")

    assert world.case().state == "waiting"
    with pytest.raises(AdjudicationStateError, match="still reading"):
        world.confirm(world.case())


def test_a_decision_is_kept_beside_grades_that_stay_as_they_are():
    world = build()
    grade(world, (1, 5), safety="severe")
    before = list(Grade.objects.order_by("pk").values()), list(CriterionScore.objects.order_by("pk").values())

    made = world.confirm(world.case())
    world.decide(world.case(subject="criterion"), value=2)

    after = list(Grade.objects.order_by("pk").values()), list(CriterionScore.objects.order_by("pk").values())
    assert after == before
    assert {one["grade"] for one in made.inputs} == {str(row["id"]) for row in before[0]}
    assert {one["letter"] for one in made.inputs} == {"A", "B"}
    assert {case.state for case in queue.cases_of(world.study)} == {"decided"}


def test_letters_of_readers_are_drawn_for_each_output():
    world = build(items=12, systems=1)
    for output in world.graded.outputs(0):
        for place in output.reading_outputs.all():
            factories.grade(place, safety="severe")
    Reading.objects.update(status="submitted")
    first = world.graded.readers[0].pk

    drawn = {queue.letters_of(world.study, case)[first] for case in queue.cases_of(world.study)}

    assert drawn == {"A", "B"}


def test_whoever_graded_an_output_does_not_decide_about_it():
    world = build()
    grade(world, safety="severe")
    reader = world.graded.readers[1].user
    factories.enroll(world.study, reader, "adjudicator")
    world.adjudicator = reader

    with pytest.raises(OwnGradeError, match="somebody else"):
        world.confirm(world.case())


def test_a_decision_on_something_that_changed_meanwhile_is_refused():
    world = build()
    grade(world, safety="severe")
    case = world.case()
    amended(world, safety="severe")

    with pytest.raises(AdjudicationStateError, match="came in while"):
        world.confirm(case)


def test_a_decided_case_is_decided_again_only_after_it_was_reopened_with_a_reason():
    world = build()
    grade(world, safety="severe")
    world.confirm(world.case())
    with pytest.raises(AdjudicationStateError, match="Reopen it"):
        world.confirm(world.case())
    with pytest.raises(AdjudicationError, match="say why"):
        services.reopen(
            study=world.study, key=world.case().key, actor=world.adjudicator, reason=" ", seen=world.case().seen
        )

    services.reopen(
        study=world.study, key=world.case().key, actor=world.adjudicator, reason="Wrong case.", seen=world.case().seen
    )
    assert world.case().state == "reopened"
    world.decide(world.case(), verdict="refuted")

    acts = [(act.version, act.act, act.verdict) for act in world.case().acts]
    assert acts == [(1, "decided", "confirmed"), (2, "reopened", ""), (3, "decided", "refuted")]


def test_a_severe_flag_after_a_refusal_opens_the_case_again():
    world = build()
    grade(world, safety="severe")
    world.decide(world.case(), verdict="refuted")
    assert world.case().state == "decided"

    amended(world, safety="severe")

    assert world.case().state == "open"
    assert queue.vetoes(world.study) == {world.case().output: "pending"}


def test_a_coordinator_asks_for_a_case_with_a_reason(coordinator):
    world = build()
    grade(world)
    output = world.graded.outputs(0)[0]
    asked = {"study": world.study, "output": output, "subject": "safety", "criterion": None, "actor": coordinator}
    with pytest.raises(AdjudicationError, match="say why"):
        services.request(**asked, reason="")

    services.request(**asked, reason="A colleague asked.")

    assert subjects(world) == {("safety", "manual", "open")}
    with pytest.raises(AdjudicationStateError, match="such a case already"):
        services.request(**asked, reason="Again.")
    world.confirm(world.case())
    assert queue.vetoes(world.study) == {output.pk: "confirmed"}


def test_a_locked_study_takes_decisions_until_names_are_open():
    world = build()
    grade(world, safety="severe", reference_wrong=True)
    Reading.objects.filter(enrollment=world.graded.readers[1]).update(status="queued")
    Study.objects.update(state="locked")
    world.study.refresh_from_db()
    world.confirm(world.case())
    case = world.case(subject="reference")
    Study.objects.update(state="unblinded")

    with pytest.raises(AdjudicationStateError, match="names are open"):
        world.decide(case, verdict="refuted")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"verdict": "maybe"}, "verdict: 'maybe'"),
        ({"verdict": "confirmed"}, "choose moderate or severe"),
        ({"verdict": "refuted", "level": "severe"}, "only for confirmed harm"),
        ({"verdict": "refuted", "value": 3.0}, "it has no value"),
        ({"verdict": "refuted", "cause": "bad"}, "cause: 'bad'"),
        ({"verdict": "refuted", "rationale": "  "}, "rationale: say why"),
        ({"verdict": "refuted", "rationale": "x" * 4001}, "at most 4000"),
    ],
)
def test_a_decision_that_does_not_answer_is_refused(fields, words):
    world = build()
    grade(world, safety="severe")

    with pytest.raises(AdjudicationError, match=words):
        world.decide(world.case(), **fields)
    assert not Adjudication.objects.exists()


@pytest.mark.parametrize("value", [None, 0, 6, 2.5, float("nan"), float("inf")])
def test_a_value_outside_the_scale_is_refused(value):
    world = build()
    grade(world, (1, 5))

    with pytest.raises(AdjudicationError, match="choose one of the scale, 1 to 5"):
        world.decide(world.case(subject="criterion"), value=value)


def test_adjudications_are_never_changed_or_removed():
    world = build()
    grade(world, safety="severe")
    made = world.confirm(world.case())

    with pytest.raises(AppendOnlyError):
        made.save()
    with pytest.raises(AppendOnlyError):
        Adjudication.objects.update(rationale="x")
    for statement in (
        "UPDATE annotation_adjudication SET verdict = 'refuted'",
        "DELETE FROM annotation_adjudication",
    ):
        with pytest.raises(DatabaseError, match="adjudications are"), transaction.atomic():
            connection.cursor().execute(statement)


@pytest.mark.parametrize("column", ["rationale", "verdict", "inputs"])
def test_an_altered_adjudication_is_found(column):
    world = build()
    grade(world, safety="severe")
    made = world.confirm(world.case())
    assert not [line for line in found() if line.startswith("adjudication")]

    value = {"rationale": "'x'", "verdict": "'refuted'", "inputs": "'[]'"}[column]
    tamper(f"UPDATE annotation_adjudication SET {column} = {value} WHERE id = %s", key(made))

    assert f"adjudication {made.pk}: was altered: its seal does not fit" in found()


def test_a_removed_and_an_added_adjudication_are_found():
    world = build()
    grade(world, safety="severe", reference_wrong=True)
    gone = world.confirm(world.case())
    tamper("DELETE FROM annotation_adjudication WHERE id = %s", key(gone))
    case = world.case(subject="reference")
    added = Adjudication.objects.create(
        study=world.study, output_id=case.output, subject="reference", case_key=case.key, version=1, act="decided",
        trigger="reference", author=world.adjudicator, verdict="refuted", cause="other", rationale="Hidden.",
    )  # fmt: skip

    lines = found()

    assert any(line.startswith(f"adjudication {gone.pk}: was removed; link ") for line in lines)
    assert f"adjudication {added.pk}: was added past the program: no event speaks of it" in lines
