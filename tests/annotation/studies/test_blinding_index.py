"""Blinding indices: hidden until the study is unblinded, then what readers believed against the truth."""

import pytest
from django.urls import reverse

from annotation.grading.models import SystemGuess
from annotation.studies.blinding import guesses_of
from annotation.studies.models import Reading, Study
from scoring.statistics.blinding import bang_index, james_index
from tests import factories
from tests.annotation.grading import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(reader, other_reader, coordinator):
    made = world.small_study(reader, formats=("vqa", "image_editing"), other_reader=other_reader)
    factories.enroll(made.study, coordinator, "coordinator")
    Study.objects.filter(pk=made.study.pk).update(guess_block=1)
    Reading.objects.filter(study=made.study).update(status="submitted")
    return made


def answer(made, *said: str) -> None:
    """Answers to the first readings of both readers, one each; “*” stands for the slug of the system it was."""
    for reading, guess in zip([*made.readings, *made.others], said, strict=False):
        place = reading.reading_outputs.get()
        slug = place.output.submission.system_version.system.slug
        words = guess.replace("*", slug)
        author = reading.enrollment.user
        SystemGuess.objects.create(reading_output=place, author=author, guess=words, sure=3 if words else None)


def of(study: Study):
    return guesses_of(Study.objects.get(pk=study.pk))


def unblind(study: Study) -> None:
    Study.objects.filter(pk=study.pk).update(state="unblinded")


def page_of(made, coordinator, sign_in) -> str:
    return sign_in(coordinator).get(reverse("annotation:study-blinding", args=[made.study.slug])).content.decode()


@pytest.mark.parametrize("state", ["running", "locked"])
def test_before_unblinding_only_counts_are_shown(made, coordinator, sign_in, state):
    answer(made, "*", "surely *", "", "quasarnet")
    Study.objects.filter(pk=made.study.pk).update(state=state)

    page, found = page_of(made, coordinator, sign_in), of(made.study)

    assert (found.n_asked, found.n_answered, found.n_missing, found.n_named) == (8, 4, 4, 3)
    assert found.systems == [] and found.james is None and found.taken == []
    assert "Asked after 8 readings: 4 answered, 4 not." in page
    assert "surely" not in page and "index (95" not in page


def test_after_unblinding_each_system_has_its_index_and_all_have_one(made, coordinator, sign_in):
    answer(made, "*", "it is * I think", "", "an unknown model", "ZEPHYRION-V7", "Werke Zephyrion", "", "*")
    unblind(made.study)

    found, page = of(made.study), page_of(made, coordinator, sign_in)

    truth = [place.output.submission.system_version.system.slug for place in places(made)]
    by_name = {each.name.split()[0].casefold(): each for each in found.systems}
    right = {"zephyrion": 0, "quasarnet": 0}
    for slug, meant in zip(
        truth, [truth[0], truth[1], None, "", "zephyrion", "zephyrion", None, truth[7]], strict=True
    ):
        right[slug] += meant == slug
    assert {name: each.right for name, each in by_name.items()} == right
    assert sum(each.unknown for each in found.systems) == 2 and sum(each.n for each in found.systems) == 8
    for each in found.systems:
        expected = bang_index(right=each.right, wrong=each.wrong, unknown=each.unknown, n_systems=2)
        assert each.bang == expected
    assert found.james is not None and found.james.n == 8
    assert "James’ index" in page and "an unknown model" in page and "no system of the study" in page


def places(made):
    return [reading.reading_outputs.get() for reading in [*made.readings, *made.others]]


def test_the_overall_index_is_that_of_the_table(made):
    answer(made, *["*"] * 8)
    unblind(made.study)

    found = of(made.study)

    assert found.james == james_index([[4, 0, 0], [0, 4, 0]], [0, 0])
    assert found.words.startswith("The upper limit is below 0.5")
    assert all(each.bang.value == 1.0 and "recognized" in each.words for each in found.systems)


def test_nobody_answered_is_said_and_is_no_index(made, coordinator, sign_in):
    unblind(made.study)

    assert of(made.study).systems == []
    assert "Nobody answered, so there is no index." in page_of(made, coordinator, sign_in)


def test_a_guess_of_two_systems_is_of_none(made):
    answer(made, "zephyrion or quasarnet", "Werke")
    unblind(made.study)

    assert {letter for _, letter, _ in of(made.study).taken} == {""}


def test_a_study_that_does_not_ask_says_so(made, coordinator, sign_in):
    Study.objects.filter(pk=made.study.pk).update(guess_block=0)

    assert "not asked which system" in page_of(made, coordinator, sign_in)


def first_system_made(reading, made) -> bool:
    return reading.reading_outputs.get().output.submission_id == made.submissions[0].pk


def test_one_system_alone_has_no_index(made):
    made.readings, made.others = [each for each in made.readings if first_system_made(each, made)], []
    answer(made, "*", "*")
    made.study.study_systems.exclude(submission=made.submissions[0]).delete()
    unblind(made.study)

    found = of(made.study)

    assert found.james is None and "Undefined" in found.words
    assert all(each.bang is None for each in found.systems)
