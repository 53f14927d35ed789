"""What training items expect, said by a coordinator under the labels that readers will see."""

import pytest
from django.urls import reverse

from annotation.studies import services, training
from annotation.studies.errors import DesignError
from tests.annotation.studies import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(coordinator, reader, other_reader):
    world.released(5)
    design = world.design(reader, other_reader, mode="all", training=["IT-000002"], admission=0.5)
    return services.create_study(design=design, actor=coordinator)


def address(study):
    return reverse("annotation:study-training", args=[study.slug])


def test_what_is_typed_is_kept_by_letter_and_shown_by_label(study, coordinator, sign_in):
    client = sign_in(coordinator)
    one = training.training_items(study)[0]
    body = {"item": "IT-000002", "A.overall": ["1", "2"], "B.overall": ["4", ""], "feedback": "Look at the edge."}

    answer = client.post(address(study), body)

    item = study.study_items.get(role="training")
    assert answer.status_code == 302
    assert item.expected == {one.letters["A"]: {"overall": [1.0, 2.0]}, one.letters["B"]: {"overall": [4.0, 4.0]}}
    assert item.feedback == "Look at the edge."
    page = client.get(address(study)).content.decode()
    assert 'name="A.overall" value="1.0"' in page
    assert "alpha" not in page.lower()
    services.open_study(study=study, actor=coordinator)
    reading = study.readings.filter(role="training").first()
    shown = dict(reading.reading_outputs.values_list("label", "output__submission"))
    letters = dict(study.study_systems.values_list("submission", "letter"))
    assert {label: letters[submission] for label, submission in shown.items()} == one.letters
    assert client.post(address(study), body).status_code == 409


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ({"C": {"overall": [1, 2]}}, "expected: C: is not shown; shown: A, B"),
        ({"A": {"beauty": [1, 2]}}, "expected.A.beauty: is not a criterion of this study"),
        ({"A": {"overall": [0, 2]}}, "expected.A.overall: 0 to 2: must rise within 1 to 5"),
        ({"A": {"overall": [3, 2]}}, "expected.A.overall: 3 to 2: must rise within 1 to 5"),
        ({"A": {"overall": 3}}, "expected.A.overall: 3: must be [lowest, highest]"),
    ],
)
def test_what_cannot_be_expected_is_refused_by_field(expected, words, study, coordinator):
    with pytest.raises(DesignError, match=words.replace("[", r"\[")):
        training.expect(study=study, code="IT-000002", expected=expected, feedback="", actor=coordinator)
    assert study.study_items.get(role="training").expected == {}


def test_words_that_are_no_numbers_are_said_on_the_page(study, coordinator, sign_in):
    answer = sign_in(coordinator).post(address(study), {"item": "IT-000002", "A.overall": ["low", "2"]})

    assert answer.status_code == 422
    assert "overall of A: low to 2: must be numbers" in answer.content.decode()
