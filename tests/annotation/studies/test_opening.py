"""Opening draws once; state changes are claimed; people come and go without changing what was drawn."""

import pytest

from annotation.audit.models import Event
from annotation.studies import services
from annotation.studies.design import StudyDesign
from annotation.studies.errors import StudyError, StudyStateError
from annotation.studies.models import Enrollment, Reading, ReadingOutput, Rubric, Study
from annotation.systems.models import Output
from tests.annotation.studies import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(coordinator, reader, other_reader) -> Study:
    world.released()
    return services.create_study(design=world.design(reader, other_reader), actor=coordinator)


def drawn(study):
    rows = ReadingOutput.objects.filter(reading__study=study).order_by("reading__enrollment", "reading__position")
    return list(
        rows.values_list("reading__enrollment__reader_code", "reading__position", "label", "position", "output")
    )


def test_opening_draws_every_reading_once(study, coordinator):
    opened = services.open_study(study=study, actor=coordinator)

    assert (opened.state, opened.opened_at is not None, len(opened.design_hash)) == ("running", True, 64)
    assert Reading.objects.filter(study=study).count() == 24
    for enrollment in study.enrollments.filter(role="reader"):
        assert list(enrollment.readings.values_list("position", flat=True)) == list(range(1, 13))
    assert set(ReadingOutput.objects.values_list("label", "position")) == {("A", 0)}


def test_all_outputs_stand_side_by_side_when_asked(coordinator, reader, other_reader):
    world.released()
    study = services.create_study(design=world.design(reader, other_reader, mode="all"), actor=coordinator)

    services.open_study(study=study, actor=coordinator)

    assert Reading.objects.count() == 12
    for reading in Reading.objects.all():
        assert list(reading.reading_outputs.values_list("label", "position")) == [("A", 0), ("B", 1)]


def test_opening_locks_the_rubrics_and_leaves_a_trail(study, coordinator):
    services.open_study(study=study, actor=coordinator)

    assert set(Rubric.objects.values_list("state", flat=True)) == {"locked"}
    event = Event.objects.get(verb="study opened")
    assert (event.details["readings"], event.actor) == (24, str(coordinator.pk))


def test_opening_twice_is_refused_and_changes_nothing(study, coordinator):
    services.open_study(study=study, actor=coordinator)
    before = drawn(study)

    with pytest.raises(StudyStateError, match="is running; it was opened before"):
        services.open_study(study=Study.objects.get(pk=study.pk), actor=coordinator)

    assert drawn(study) == before and Event.objects.filter(verb="study opened").count() == 1


def test_the_same_inputs_give_the_same_hash_and_another_seed_another(coordinator, reader, other_reader):
    world.released()
    hashes = []
    for slug, seed in (("a", 7), ("b", 7), ("c", 8)):
        design = world.design(reader, other_reader, slug=slug, seed=seed, name=slug)
        study = services.create_study(design=design, actor=coordinator)
        hashes.append(services.open_study(study=study, actor=coordinator).design_hash)

    assert hashes[0] == hashes[1] != hashes[2]


def test_too_few_readers_are_refused_and_the_study_stays_a_draft(coordinator, reader):
    world.released()
    study = services.create_study(design=world.design(reader), actor=coordinator)

    with pytest.raises(StudyError, match="2 readers per item, but the study has 1"):
        services.open_study(study=study, actor=coordinator)

    assert Study.objects.get().state == "draft" and Reading.objects.count() == 0
    assert Rubric.objects.filter(state="locked").count() == 0


def test_outputs_lost_since_the_draft_are_refused(study, coordinator):
    Output.objects.update(status="unreadable")

    with pytest.raises(StudyError, match="there is no item to read"):
        services.open_study(study=study, actor=coordinator)


def test_an_item_that_lost_its_outputs_is_left_out_and_named(study, coordinator):
    lost = study.study_items.first()
    Output.objects.filter(revision=lost.revision).update(status="unreadable")

    services.open_study(study=study, actor=coordinator)

    assert study.study_items.count() == 5
    assert Event.objects.get(verb="study opened").details["without_output"] == ["IT-000001"]


def test_a_failed_output_is_never_shown(study, coordinator):
    failed = Output.objects.first()
    Output.objects.filter(pk=failed.pk).update(status="empty")

    services.open_study(study=study, actor=coordinator)

    assert not ReadingOutput.objects.filter(output=failed).exists()
    assert Reading.objects.count() == 22


def test_pause_resume_and_lock_move_once_and_leave_a_trail(study, coordinator):
    services.open_study(study=study, actor=coordinator)

    services.pause_study(study=study, actor=coordinator)
    with pytest.raises(StudyStateError, match="is paused; only a running study can be paused"):
        services.pause_study(study=study, actor=coordinator)
    services.resume_study(study=study, actor=coordinator)
    locked = services.lock_study(study=study, actor=coordinator)

    assert locked.locked_at is not None
    for act in (services.pause_study, services.resume_study, services.lock_study, services.open_study):
        with pytest.raises(StudyStateError):
            act(study=locked, actor=coordinator)
    verbs = [verb for verb in Event.objects.values_list("verb", flat=True) if verb.startswith("study")]
    assert verbs == ["study created", "study opened", "study paused", "study resumed", "study locked", "study frozen"]


def test_a_draft_cannot_be_locked(study, coordinator):
    with pytest.raises(StudyStateError, match="only a running or paused study can be locked"):
        services.lock_study(study=study, actor=coordinator)


def test_a_reader_joins_before_opening_with_the_next_code(study, coordinator, stranger):
    held = services.enroll_person(study=study, user=stranger, role="reader", actor=coordinator, cap=3)

    assert (held.reader_code, held.cap) == ("R03", 3)
    assert Event.objects.get(verb="person enrolled").details == {"person": str(stranger.pk), "role": "reader"}


def test_a_reader_after_opening_is_refused_and_nothing_is_reordered(study, coordinator, stranger, analyst):
    services.open_study(study=study, actor=coordinator)
    before = drawn(study)

    with pytest.raises(StudyError, match="drawn when the study opened"):
        services.enroll_person(study=study, user=stranger, role="reader", actor=coordinator)
    services.enroll_person(study=study, user=analyst, role="analyst", actor=coordinator)

    assert drawn(study) == before


def test_a_code_is_never_given_twice(study, coordinator, stranger, other_reader):
    services.end_enrollment(enrollment=study.enrollments.get(user=other_reader), actor=coordinator)

    held = services.enroll_person(study=study, user=stranger, role="reader", actor=coordinator)

    assert held.reader_code == "R03"


def test_a_reader_who_left_gets_no_readings_and_can_come_back(study, coordinator, stranger, other_reader):
    services.enroll_person(study=study, user=stranger, role="reader", actor=coordinator)
    left = study.enrollments.get(user=other_reader)
    services.end_enrollment(enrollment=left, actor=coordinator)

    services.open_study(study=study, actor=coordinator)
    services.enroll_person(study=study, user=other_reader, role="reader", actor=coordinator)

    assert not left.readings.exists()
    assert Enrollment.objects.get(pk=left.pk).active


def test_enrolling_twice_an_unknown_role_and_a_closed_account_are_refused(study, coordinator, reader, stranger):
    with pytest.raises(StudyError, match="is reader of this study already"):
        services.enroll_person(study=study, user=reader, role="reader", actor=coordinator)
    with pytest.raises(StudyError, match="role: king: choose one of"):
        services.enroll_person(study=study, user=stranger, role="king", actor=coordinator)
    stranger.is_active = False
    with pytest.raises(StudyError, match="is deactivated"):
        services.enroll_person(study=study, user=stranger, role="analyst", actor=coordinator)


def test_the_last_coordinator_stays(study, coordinator, stranger):
    own = study.enrollments.get(role="coordinator")

    with pytest.raises(StudyError, match="last coordinator"):
        services.end_enrollment(enrollment=own, actor=coordinator)
    services.enroll_person(study=study, user=stranger, role="coordinator", actor=coordinator)
    services.end_enrollment(enrollment=own, actor=coordinator)
    with pytest.raises(StudyError, match="ended before"):
        services.end_enrollment(enrollment=own, actor=coordinator)


def test_a_study_that_nobody_runs_is_not_opened(study, coordinator):
    Enrollment.objects.filter(role="coordinator").update(active=False)

    with pytest.raises(StudyError, match="Nobody coordinates"):
        services.open_study(study=study, actor=coordinator)


def test_a_cap_limits_the_items_of_a_reader(coordinator, reader, other_reader, stranger):
    world.released()
    data = world.design_data(reader, other_reader, stranger)
    data["readers"][0] = {"username": "reader", "cap": 1}
    study = services.create_study(design=StudyDesign.from_json(data), actor=coordinator)

    services.open_study(study=study, actor=coordinator)

    assert study.enrollments.get(user=reader).readings.count() == 2


def test_opening_needs_few_queries_whatever_the_size(
    coordinator, reader, other_reader, django_assert_max_num_queries
):
    world.released(30)
    study = services.create_study(design=world.design(reader, other_reader), actor=coordinator)

    with django_assert_max_num_queries(34):
        services.open_study(study=study, actor=coordinator)

    assert Reading.objects.filter(study=study).count() == 120
