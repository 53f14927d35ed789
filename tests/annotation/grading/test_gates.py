"""What stands before a reading, what training says, and what attention checks show."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.audit.models import Event
from annotation.datasets.models import ItemImage
from annotation.grading import gates, training
from annotation.studies import seats
from annotation.studies.models import Enrollment, Reading, Study, StudyItem
from tests import factories
from tests.annotation.grading import world

pytestmark = pytest.mark.django_db


def address(reading, name="reading-json", *rest):
    return reverse(f"annotation:{name}", args=[reading.pk, *rest])


def submit(client, reading, value=4):
    body = world.submission_body(world.payload(A=world.entry(value, criteria=world.VQA_CRITERIA)))
    return client.post(address(reading, "grade-submit"), body, content_type="application/json")


@pytest.fixture
def trained(reader):
    """Two readings of a training case, then main ones; two thirds of the training values must be right."""
    made = world.small_study(reader, formats=("vqa", "vqa"))
    limits = {"overall": [4, 5], "instruction_compliance": [4, 4]}
    expected = dict.fromkeys(made.study.study_systems.values_list("letter", flat=True), limits)
    StudyItem.objects.filter(pk=made.readings[0].study_item_id).update(
        role="training", expected=expected, feedback="The lesion was missed."
    )
    Reading.objects.filter(pk__in=[one.pk for one in made.readings[:2]]).update(role="training")
    Study.objects.filter(pk=made.study.pk).update(design={"training": ["x"]}, admission=0.66)
    return made


def test_training_comes_first_then_the_share_decides_and_says_what_was_expected(trained, reader, sign_in):
    client = sign_in(reader)
    first, second, main = trained.readings[:3]

    early = submit(client, main)
    assert (early.status_code, "training comes first: 2 of its cases" in early.json()["error"]) == (409, True)
    assert client.get(reverse("annotation:reading-next", args=["round-1"])).url == first.get_absolute_url()
    answer = submit(client, first, 4)
    assert answer.json()["stays"] is True
    feedback = client.get(address(first)).json()["feedback"]
    assert feedback["text"] == "The lesion was missed."
    assert [(row["criterion"], row["value"], row["right"]) for row in feedback["values"]] == [
        ("Instruction compliance", 4, True), ("Overall", 4, True),
    ]  # fmt: skip
    submit(client, second, 5)

    enrollment = Enrollment.objects.get(user=reader)
    assert training.share_right(enrollment) == (3, 4)
    assert enrollment.admitted_at is not None
    assert Event.objects.get(verb="reader admitted").details == {"reader": "R01", "right": 3, "n": 4}
    assert submit(client, main).status_code == 200
    assert client.get(address(main)).json()["feedback"] is None


def test_who_misses_the_share_waits_until_the_coordinator_admits_them(trained, reader, coordinator, sign_in):
    client = sign_in(reader)
    for reading in trained.readings[:2]:
        submit(client, reading, 3)
    main = trained.readings[2]

    assert "coordinator of the study decides" in submit(client, main).json()["error"]
    assert "coordinator of the study decides" in client.get(address(main)).json()["locked_reason"]
    seats.admit_reader(
        enrollment=Enrollment.objects.get(user=reader), actor=coordinator, reason="Spoke with the reader."
    )
    assert submit(client, main).status_code == 200


def test_a_repeat_opens_after_the_washout_and_its_words_name_no_repeat(reader, sign_in):
    made = world.small_study(reader)
    first = made.readings[0]
    again = factories.reading(
        first.enrollment, first.study_item, [first.reading_outputs.get().output], role="repeat", replicate=2
    )
    Study.objects.filter(pk=made.study.pk).update(washout_days=7)
    client = sign_in(reader)
    submit(client, first)
    when = timezone.now() + timedelta(days=7)

    refused = submit(client, again)
    assert (refused.status_code, refused.json()["error"]) == (
        409,
        f"This case opens on {when:%-d %B %Y}. Take another one.",
    )
    waiting = Reading.objects.filter(study=made.study).pending().order_by("position")
    made.study.refresh_from_db()
    assert gates.first_open(waiting, made.study) == made.readings[1]
    Reading.objects.filter(pk=first.pk).update(submitted_at=timezone.now() - timedelta(days=8))
    assert submit(client, again).status_code == 200


@pytest.mark.parametrize("control", ["image_shuffle", "instruction_shuffle", "blank"])
def test_a_check_shows_what_does_not_belong_and_says_nothing_of_it(control, reader, sign_in):
    made = world.small_study(reader, formats=("vqa", "vqa"))
    reading = made.readings[0]
    partner = made.readings[-1].study_item.revision
    blank = world.asset_with_frames("blank")
    StudyItem.objects.filter(pk=reading.study_item_id).update(
        role="attention", control=control, partner=None if control == "blank" else partner,
        stand_in=blank if control == "blank" else None,
    )  # fmt: skip
    Reading.objects.filter(pk=reading.pk).update(role="attention")
    client = sign_in(reader)

    data = client.get(address(reading)).json()
    picture = client.get(address(reading, "pane-data", 0))
    shown = b"".join(picture.streaming_content) if picture.streaming else picture.content

    own, other = (
        ItemImage.objects.get(revision=revision, role="input").asset
        for revision in (reading.study_item.revision, partner)
    )
    expected = {"image_shuffle": other, "blank": blank}.get(control, own)
    assert shown == world.frames_path(expected).read_bytes()
    asks = partner if control == "instruction_shuffle" else reading.study_item.revision
    assert data["item"]["instruction"] == asks.instruction
    text = str(data)
    assert not any(word in text for word in ("attention", "shuffle", "partner"))
