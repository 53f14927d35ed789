"""From the lock to names: frozen at the lock, asked for by one person, confirmed by another one."""

import pytest
from django.urls import reverse

from annotation.audit.models import Event
from annotation.people.models import User
from annotation.studies import freezing, revealing, services
from annotation.studies.errors import StudyError, StudyStateError
from annotation.studies.models import Study
from scoring.composites.errors import CompositeError
from scoring.composites.models import Composite
from scoring.composites.services import change_composite, present_composite
from tests import factories
from tests.scoring.world import World, build, grade_all, measure

pytestmark = pytest.mark.django_db
WHY = "All readings are submitted."


@pytest.fixture
def world(coordinator, analyst) -> World:
    """A graded study of two systems with a coordinator and an analyst, locked."""
    made = build(items=2)
    grade_all(made, {0: 4, 1: 2})
    for place in (0, 1):
        for output in made.outputs(place):
            measure(output, "token_f1", 0.5)
    factories.enroll(made.study, coordinator, "coordinator")
    factories.enroll(made.study, analyst, "analyst")
    services.lock_study(study=made.study, actor=coordinator)
    return made


def verbs() -> list[str]:
    return list(Event.objects.filter(subject_type="study").order_by("id").values_list("verb", flat=True))


def url(name: str, study: Study) -> str:
    return reverse(f"annotation:{name}", args=[study.slug])


def asked(world: World, by: User) -> None:
    revealing.ask_for_names(study=world.study, actor=by, reason=WHY)


def test_locking_freezes_what_numbers_depend_on_and_locks_the_composite(world, coordinator):
    steps = revealing.steps_of(world.study)

    assert steps.frozen is not None and steps.frozen.by == coordinator
    assert steps.frozen.hash == freezing.checksum(steps.frozen.facts) == freezing.newest_hash(world.study)
    assert set(steps.frozen.facts) == {
        "design", "grades", "scores for agreement", "composite", "metric settings", "values, flags and failures",
        "methods", freezing.PENDING,
    }  # fmt: skip
    assert freezing.changes(world.study, steps.frozen.facts) == []
    assert Composite.objects.get().state == "locked"
    assert not world.study.names_are_open and world.study.is_final


def test_two_people_open_the_names_and_both_stand_in_the_trail(world, coordinator, analyst):
    asked(world, coordinator)

    revealing.confirm(study=world.study, actor=analyst)

    study = Study.objects.get()
    steps = revealing.steps_of(study)
    assert study.names_are_open and study.unblinded_at is not None
    assert steps.asked is not None and (steps.asked.by, steps.asked.reason) == (coordinator, WHY)
    assert steps.confirmed is not None and steps.confirmed.by == analyst
    assert steps.frozen is not None and steps.confirmed.hash == steps.frozen.hash
    assert verbs() == ["study locked", "study frozen", "unblinding asked", "study unblinded"]


@pytest.mark.parametrize("asker", ["coordinator", "analyst"])
def test_whoever_asked_cannot_confirm(world, asker, request):
    person = request.getfixturevalue(asker)
    person.is_operator = True
    person.save()
    asked(world, person)

    with pytest.raises(StudyError, match="You asked for it yourself"):
        revealing.confirm(study=world.study, actor=person)

    assert not Study.objects.get().names_are_open


def test_an_operator_confirms_only_where_the_study_has_no_second_person(world, coordinator, operator):
    asked(world, coordinator)

    with pytest.raises(StudyError, match="an operator only where it has none"):
        revealing.confirm(study=world.study, actor=operator)
    world.study.enrollments.filter(role="analyst").update(active=False)
    revealing.confirm(study=world.study, actor=operator)

    assert Study.objects.get().names_are_open


def test_a_person_who_reads_the_dataset_blind_elsewhere_is_no_second_person(world, coordinator, analyst):
    asked(world, coordinator)
    other = factories.study(world.release, slug="other", state="running")
    factories.enroll(other, analyst)

    with pytest.raises(StudyError, match="A second coordinator or analyst"):
        revealing.confirm(study=world.study, actor=analyst)

    assert revealing.needs_operator(world.study, revealing.steps_of(world.study))


def test_a_request_can_be_withdrawn_and_is_gone_then(world, coordinator, analyst):
    asked(world, coordinator)

    revealing.withdraw_request(study=world.study, actor=analyst)

    for act in (revealing.confirm, revealing.withdraw_request):
        with pytest.raises(StudyStateError, match="Nobody has asked"):
            act(study=world.study, actor=analyst)
    steps = revealing.steps_of(world.study)
    assert steps.asked is None and steps.withdrawn is not None and steps.withdrawn.by == analyst


def test_numbers_that_changed_since_the_freeze_keep_names_withheld_and_are_named(world, coordinator, analyst):
    asked(world, coordinator)
    measure(world.outputs(0)[0], "token_f1", 0.9)

    with pytest.raises(StudyError, match="Not what was frozen any more: values, flags and failures"):
        revealing.confirm(study=world.study, actor=analyst)

    assert not Study.objects.get().names_are_open


def test_another_method_or_composite_than_the_frozen_one_is_named(world, coordinator, monkeypatch):
    monkeypatch.setattr("scoring.leaderboards.frozen.CODE_VERSION", "next")
    Composite.objects.create(study=world.study, version=9, state="locked")

    with pytest.raises(StudyError, match="composite, methods, metric settings, severe flags pending, values"):
        asked(world, coordinator)


def test_freezing_again_ends_a_request_and_keeps_the_first_freeze(world, coordinator, analyst):
    asked(world, coordinator)
    measure(world.outputs(0)[0], "token_f1", 0.9)
    first = freezing.newest_hash(world.study)

    freezing.freeze_again(study=world.study, actor=analyst, reason="Metrics were measured again.")

    steps = revealing.steps_of(world.study)
    assert steps.asked is None and steps.n_freezes == 2
    assert steps.frozen is not None and steps.frozen.hash != first
    with pytest.raises(StudyStateError, match="Nobody has asked"):
        revealing.confirm(study=world.study, actor=analyst)
    asked(world, coordinator)
    assert revealing.confirm(study=world.study, actor=analyst).names_are_open


def test_nothing_is_asked_without_a_reason_before_the_lock_or_twice(world, coordinator, analyst):
    with pytest.raises(StudyError, match="say in 10 to 300 characters"):
        revealing.ask_for_names(study=world.study, actor=coordinator, reason="  now \n ")
    asked(world, coordinator)
    with pytest.raises(StudyStateError, match="asked for already"):
        asked(world, analyst)
    Study.objects.update(state="running")
    with pytest.raises(StudyStateError, match="is running: lock it first"):
        asked(world, coordinator)


def test_a_study_locked_before_freezes_were_kept_is_frozen_first(coordinator, analyst):
    made = build(items=2)
    Study.objects.update(state="locked")

    with pytest.raises(StudyError, match="freeze it first"):
        asked(made, coordinator)
    freezing.freeze_again(study=made.study, actor=coordinator, reason="It was locked by an older version.")
    asked(made, coordinator)

    assert Composite.objects.get().state == "locked"


def test_a_composite_that_is_not_locked_keeps_names_withheld(world, coordinator):
    Composite.objects.update(state="draft")

    with pytest.raises(StudyError, match="composite is not locked"):
        asked(world, coordinator)


def test_after_unblinding_nothing_moves_any_more(world, coordinator, analyst):
    asked(world, coordinator)
    study = revealing.confirm(study=world.study, actor=analyst)

    for act in (services.resume_study, services.pause_study, services.lock_study, services.open_study):
        with pytest.raises(StudyStateError, match="is unblinded"):
            act(study=study, actor=coordinator)
    with pytest.raises(StudyStateError, match="is unblinded"):
        freezing.freeze_again(study=study, actor=coordinator, reason="There is none, in truth.")
    with pytest.raises(StudyStateError, match="names are open"):
        revealing.confirm(study=study, actor=coordinator)
    weights = {part.pk: part.weight for part in present_composite(study).components.all()}
    with pytest.raises(CompositeError, match="locked"):
        change_composite(study=study, weights=weights, weighting="plain", actor=coordinator)


def test_the_pages_show_steps_and_buttons_to_those_who_may(world, coordinator, analyst, operator, stranger, sign_in):
    run, other = sign_in(coordinator), sign_in(analyst)
    frozen = freezing.newest_hash(world.study) or ""
    page = run.get(url("study-detail", world.study)).content.decode()
    assert frozen in page and "Ask for unblinding" in page and "Confirm and unblind" not in page

    short = run.post(url("names-ask", world.study), {"reason": "now"})
    assert short.status_code == 422 and "10 to 300 characters" in short.content.decode()
    assert run.post(url("names-ask", world.study), {"reason": WHY}).status_code == 302
    mine = run.get(url("study-unblinding", world.study)).content.decode()
    theirs = other.get(url("study-unblinding", world.study)).content.decode()
    assert "Confirm and unblind" not in mine and "Withdraw the request" in mine
    assert "Confirm and unblind" in theirs and WHY in theirs
    assert run.post(url("names-confirm", world.study)).status_code == 422
    for outsider in (operator, stranger):
        assert sign_in(outsider).get(url("study-unblinding", world.study)).status_code == 404

    assert other.post(url("names-confirm", world.study)).status_code == 302
    assert other.post(url("names-confirm", world.study)).status_code == 409
    done = run.get(url("study-detail", world.study)).content.decode()
    assert "unblinded" in done and analyst.name in done and coordinator.name in done and "Aurora" in done


def test_an_operator_meets_the_page_only_while_it_needs_one(world, coordinator, operator, sign_in):
    world.study.enrollments.filter(role="analyst").update(active=False)
    client = sign_in(operator)
    assert client.get(url("study-unblinding", world.study)).status_code == 404
    asked(world, coordinator)

    page = client.get(url("study-unblinding", world.study))
    assert page.status_code == 200 and "Confirm and unblind" in page.content.decode()
    assert b"Leaderboard" not in page.content and b"Withdraw" not in page.content
    assert client.post(url("names-withdraw", world.study)).status_code == 404
    assert client.post(url("names-confirm", world.study)).headers["Location"] == "/"

    assert client.get(url("study-unblinding", world.study)).status_code == 404
    assert Study.objects.get().names_are_open


def test_names_that_were_opened_past_the_program_are_found(world, coordinator, analyst):
    asked(world, coordinator)
    revealing.confirm(study=world.study, actor=analyst)
    assert list(revealing.verify_names()) == []

    other = factories.study(world.study.release, slug="other", state="unblinded")

    assert [finding.subject for finding in revealing.verify_names()] == [f"study {other.slug}"]
