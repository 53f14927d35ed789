"""Which system was it? Asked after each block, answered once in the reader's words, never shown back."""

import pytest
from django.urls import reverse

from annotation.audit.models import AppendOnlyError, Event
from annotation.grading.errors import InvalidGradeError
from annotation.grading.guessing import ends_block, read_guesses
from annotation.grading.models import SystemGuess
from annotation.studies.models import Reading, Study
from tests.annotation.grading import world
from tests.annotation.grading.test_reading_json import address

pytestmark = pytest.mark.django_db
SAID = {"A": {"guess": "  Zephyrion? ", "sure": 2, "why": "its style"}}
UNKNOWN = {"A": {"guess": "", "sure": None, "why": ""}}


@pytest.fixture
def made(reader):
    made = world.small_study(reader, formats=("vqa", "image_editing"))
    Study.objects.filter(pk=made.study.pk).update(guess_block=2)
    return made


def send(client, reading, guesses):
    body = guesses if "guesses" in guesses or "labels" in guesses else {"guesses": guesses}
    return client.post(reverse("annotation:guess-save", args=[reading.pk]), body, content_type="application/json")


@pytest.mark.parametrize(
    ("position", "block", "asked"), [(1, 0, False), (2, 2, True), (3, 2, False), (4, 2, True), (5, 1, True)]
)
def test_the_last_reading_of_each_block_asks(position, block, asked):
    assert ends_block(position, block) is asked


def test_the_workstation_is_told_which_readings_ask(made, reader, sign_in):
    client = sign_in(reader)

    asked = [client.get(address(reading)).json()["guess"] for reading in made.readings]

    assert [reading.position for reading in made.readings] == [1, 2, 3, 4]
    assert asked == [False, True, False, True]


def test_a_guess_is_kept_once_in_the_readers_words(made, reader, sign_in):
    client, reading = sign_in(reader), made.readings[1]

    first, again, other = (send(client, reading, said) for said in (SAID, SAID, UNKNOWN))

    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 409)
    guess = SystemGuess.objects.get()
    assert (guess.guess, guess.sure, guess.why, guess.author) == ("Zephyrion?", 2, "its style", reader)
    event = Event.objects.get(verb="system guessed")
    assert {name: event.details[name] for name in ("outputs", "named")} == {"outputs": 1, "named": 1}
    assert event.chain == f"study:{made.study.pk}"


def test_could_not_tell_is_an_answer_and_the_question_is_not_asked_again(made, reader, sign_in):
    client, reading = sign_in(reader), made.readings[1]

    assert send(client, reading, UNKNOWN).status_code == 200

    assert SystemGuess.objects.get().guess == ""
    assert client.get(address(reading)).json()["guess"] is False


def test_an_answer_is_never_shown_back(made, reader, sign_in):
    client, reading = sign_in(reader), made.readings[1]
    send(client, reading, {"A": {"guess": "canary-guess", "sure": 5, "why": "canary-why"}})

    pages = [client.get(address(reading, name)) for name in ("reading-json", "reading-detail")]
    pages.append(client.get(reverse("annotation:reading-list", args=[made.study.slug])))

    assert not [page for page in pages if b"canary" in page.content]


def test_nothing_is_asked_in_the_middle_of_a_block_or_when_the_study_is_closed(made, reader, sign_in):
    client = sign_in(reader)

    middle = send(client, made.readings[0], UNKNOWN)
    Study.objects.filter(pk=made.study.pk).update(state="paused")
    paused = send(client, made.readings[1], UNKNOWN)

    assert (middle.status_code, paused.status_code) == (409, 409)
    assert "Nothing is asked" in middle.json()["error"]
    assert paused.json()["closed"] == "paused"
    assert not SystemGuess.objects.exists()
    assert client.get(address(made.readings[1])).json()["guess"] is False


def test_a_guess_of_another_reader_is_refused_and_saving_grades_does_not_wait_for_one(
    made, reader, other_reader, sign_in
):
    reading = made.readings[1]

    assert send(sign_in(other_reader), reading, UNKNOWN).status_code == 404
    submitted = sign_in(reader).post(
        reverse("annotation:grade-submit", args=[reading.pk]),
        world.submission_body(),
        content_type="application/json",
    )

    assert submitted.status_code == 200
    assert Reading.objects.get(pk=reading.pk).status == "submitted"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"guesses": []}, "guesses"),
        ({"guesses": {}}, "guesses"),
        ({"guesses": {"A": "zebra"}}, "guesses"),
        ({"guesses": {"A": {"guess": ""}, "Z": {"guess": ""}}}, "guesses"),
        ({"guesses": {"A": {"guess": "x" * 121, "sure": 1}}}, "guess"),
        ({"guesses": {"A": {"guess": "x\0", "sure": 1}}}, "guess"),
        ({"guesses": {"A": {"guess": 7, "sure": 1}}}, "guess"),
        ({"guesses": {"A": {"guess": "x"}}}, "sure"),
        ({"guesses": {"A": {"guess": "x", "sure": 6}}}, "sure"),
        ({"guesses": {"A": {"guess": "x", "sure": True}}}, "sure"),
        ({"guesses": {"A": {"guess": "x", "sure": 1.5}}}, "sure"),
        ({"guesses": {"A": {"guess": "", "sure": 3}}}, "sure"),
        ({"guesses": {"A": {"guess": "x", "sure": 3, "why": "y" * 301}}}, "why"),
        ({"guesses": {"A": {"guess": "x", "sure": 3, "system": "y"}}}, "system"),
        ({"guesses": {"A": {"guess": ""}}, "author": "z"}, "author"),
    ],
)
def test_what_is_no_answer_is_refused_by_name(made, reader, sign_in, body, field):
    answer = send(sign_in(reader), made.readings[1], body)

    assert answer.status_code == 422
    assert field in {each["field"] for each in answer.json()["errors"]}
    assert not SystemGuess.objects.exists()


def test_all_outputs_of_a_reading_are_answered_or_none(reader, sign_in):
    made = world.small_study(reader, mode="all")
    Study.objects.filter(pk=made.study.pk).update(guess_block=1)
    client, reading = sign_in(reader), made.readings[0]

    half = send(client, reading, UNKNOWN)
    whole = send(client, reading, {"A": {"guess": "x", "sure": 1}, "B": {"guess": ""}})

    assert (half.status_code, whole.status_code) == (422, 200)
    assert SystemGuess.objects.count() == 2


def test_guesses_only_grow(made, reader, sign_in):
    send(sign_in(reader), made.readings[1], SAID)

    with pytest.raises(AppendOnlyError):
        SystemGuess.objects.update(guess="other")
    with pytest.raises(AppendOnlyError):
        SystemGuess.objects.all().delete()


def test_labels_keep_their_order():
    said = read_guesses({"guesses": {"B": {"guess": ""}, "A": {"guess": "x", "sure": 1}}}, ["A", "B"])

    assert [guess.label for guess in said] == ["A", "B"]
    with pytest.raises(InvalidGradeError):
        read_guesses({"guesses": {"A": {"guess": ""}}}, ["A", "B"])


def test_an_answer_that_arrived_is_known_although_the_question_is_not_asked_any_more(made, reader, sign_in):
    client, reading = sign_in(reader), made.readings[1]
    send(client, reading, SAID)
    Study.objects.filter(pk=made.study.pk).update(guess_block=0, state="locked")

    again, other = send(client, reading, SAID), send(client, reading, UNKNOWN)

    assert (again.status_code, other.status_code) == (200, 409)
    assert SystemGuess.objects.count() == 1
