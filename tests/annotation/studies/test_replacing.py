"""Replacing a reader: submitted readings stay with their author, the rest moves whole, the design stays balanced."""

from collections import Counter

import pytest
from django.urls import reverse

from annotation.audit.models import Event
from annotation.grading.models import Draft
from annotation.studies import drawing, seats, services
from annotation.studies.allocation import balance_report
from annotation.studies.errors import StudyError, StudyStateError
from annotation.studies.models import Enrollment, Reading
from tests import factories
from tests.annotation.studies import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(coordinator, reader, other_reader):
    world.released(14)
    design = world.design(
        reader, other_reader, mode="all", repeats=2, attention_items=1, training=["IT-000001"], gap=1
    )
    study = services.create_study(design=design, actor=coordinator)
    return services.open_study(study=study, actor=coordinator)


@pytest.fixture
def held(study, reader):
    """The reader has submitted the training case and the first five others, and begun the sixth."""
    held = Enrollment.objects.get(study=study, user=reader, role="reader")
    own = list(held.readings.order_by("position"))
    for reading in own[:6]:
        for place in reading.reading_outputs.all():
            factories.grade(place, scores={"overall": 4})
    Reading.objects.filter(pk=own[6].pk).update(status="in_progress")
    Draft.objects.create(reading=own[6], payload={"outputs": {}})
    return held


def shown(readings):
    return [
        (one.study_item_id, one.role, sorted(one.reading_outputs.values_list("label", "output", "position")))
        for one in readings.order_by("position")
    ]


def test_what_was_not_submitted_moves_in_order_and_what_was_stays(study, held, stranger, coordinator):
    before = held.readings.count()
    left = held.readings.filter(status__in=Reading.UNSUBMITTED)
    firsts = set(held.readings.filter(role="main", status="submitted").values_list("study_item", flat=True))
    moving = [row for row in shown(left) if not (row[1] == "repeat" and row[0] in firsts)]

    done = seats.replace_reader(enrollment=held, user=stranger, actor=coordinator, reason="On leave from March.")

    assert (done.kept, done.moved, done.dropped) == (
        6,
        len(moving),
        left.model.objects.filter(enrollment=held, void_reason__startswith="a repeat").count(),
    )
    held.refresh_from_db()
    assert (held.active, held.replaced_by, done.new.reader_code) == (False, done.new, "R03")
    assert held.readings.filter(status="submitted").count() == 6
    assert held.readings.count() == before
    assert shown(done.new.readings.exclude(role="training")) == moving
    assert done.new.readings.filter(role="training").count() == 1
    assert not Draft.objects.filter(reading__enrollment=done.new).exists()
    assert Draft.objects.filter(reading__enrollment=held).exists()
    event = Event.objects.get(verb="reader replaced")
    assert (event.details["reader"], event.details["by"], event.details["kept"]) == ("R01", "R03", 6)


def test_every_item_keeps_its_readers_and_both_count_as_one_part(study, held, stranger, coordinator):
    before = balance_report(drawing.stored(study))
    seats.replace_reader(enrollment=held, user=stranger, actor=coordinator, reason="On leave from March.")
    after = balance_report(drawing.stored(study))

    assert set(drawing.stored(study).readings) == {"R01 → R03", "R02"}
    assert after.readers_per_item == before.readers_per_item == (2, 2)
    assert (after.balanced, after.n_readings) == (before.balanced, before.n_readings)
    rows = Reading.objects.filter(study=study, role="main").exclude(status="void")
    assert set(Counter(rows.values_list("study_item", flat=True)).values()) == {2}


def test_the_new_reader_sees_own_readings_and_nothing_of_the_former_one(study, held, stranger, coordinator, sign_in):
    seats.replace_reader(enrollment=held, user=stranger, actor=coordinator, reason="On leave from March.")
    client = sign_in(stranger)
    new = Reading.objects.filter(enrollment__user=stranger).order_by("position")

    assert client.get(reverse("annotation:reading-json", args=[new[1].pk])).json()["draft"] is None
    for old in held.readings.all():
        assert client.get(reverse("annotation:reading-json", args=[old.pk])).status_code == 404


@pytest.mark.parametrize(
    ("who", "reason", "words"),
    [("other_reader", "On leave from March.", "reads or has read in this study"), ("stranger", "", "say in")],
)
def test_a_replacement_needs_a_new_person_and_a_reason(who, reason, words, study, held, coordinator, request):
    with pytest.raises(StudyError, match=words):
        seats.replace_reader(enrollment=held, user=request.getfixturevalue(who), actor=coordinator, reason=reason)
    assert Enrollment.objects.filter(role="reader").count() == 2


def test_nobody_is_replaced_twice_nor_after_the_lock_nor_taken_in_again(
    study, held, stranger, analyst, reader, coordinator
):
    seats.replace_reader(enrollment=held, user=stranger, actor=coordinator, reason="On leave from March.")
    held.refresh_from_db()

    with pytest.raises(StudyError, match="was replaced before"):
        seats.replace_reader(enrollment=held, user=analyst, actor=coordinator, reason="Once more, alas.")
    with pytest.raises(StudyError, match="was replaced in this study"):
        services.enroll_person(study=study, user=reader, role="reader", actor=coordinator)
    services.lock_study(study=study, actor=coordinator)
    with pytest.raises(StudyStateError, match="grading is over"):
        other = Enrollment.objects.get(reader_code="R02")
        seats.replace_reader(enrollment=other, user=analyst, actor=coordinator, reason="Too late, alas.")


def test_the_page_replaces_and_says_how_many_stay(study, held, stranger, coordinator, sign_in):
    client = sign_in(coordinator)
    address = reverse("annotation:reader-replace", args=[study.slug, held.pk])

    page = client.get(address).content.decode()
    refused = client.post(address, {"username": stranger.username, "reason": "x"})
    client.post(address, {"username": stranger.username, "reason": "On leave from March."})

    assert "6 submitted ones stay with their author" in page
    assert refused.status_code == 422
    assert Enrollment.objects.filter(user=stranger, reader_code="R03").exists()
    assert "by R03" in client.get(reverse("annotation:enrollment-list", args=[study.slug])).content.decode()
