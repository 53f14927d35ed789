"""JSON that no workstation would send: short answers in words, nothing stored, whatever the size of the mistake."""

import json

import pytest

from annotation.grading.errors import PROBLEMS_TOLD
from annotation.grading.models import Draft, Grade
from tests.annotation.grading import world as grading

pytestmark = pytest.mark.django_db

MANY = {f"unknown_{number}": 3 for number in range(10_000)}


@pytest.fixture
def address(reader) -> str:
    made = grading.small_study(reader)
    return f"/readings/{made.readings[0].pk}/"


BODIES = {
    "unknown criteria": grading.payload(A=grading.entry(scores=MANY)),
    "unknown fields": grading.payload(A=grading.entry() | MANY),
    "unknown outputs": {"outputs": {name: {} for name in MANY} | {"A": grading.entry()}},
    "unknown parts": {"outputs": {"A": grading.entry()}} | MANY,
    "unknown errors": grading.payload(A=grading.entry(errors=[{"code": f"c{n}"} for n in range(10_000)])),
    "one long text": grading.payload(A=grading.entry(rationale="x" * 400_000)),
    "keys of 1,000 letters": grading.payload(A=grading.entry(scores={"k" * 1000 + str(n): 1 for n in range(300)})),
}


@pytest.mark.parametrize("name", BODIES)
def test_twenty_thousand_mistakes_are_answered_in_a_few_kilobytes(address, reader, sign_in, name):
    body = json.dumps(grading.submission_body(BODIES[name]))
    assert len(body) < 512 * 1024

    answer = sign_in(reader).post(f"{address}submit/", body, content_type="application/json")

    assert answer.status_code == 422
    assert len(answer.content) < 20_000
    assert len(answer.json()["errors"]) <= PROBLEMS_TOLD + 1
    assert Grade.objects.count() == 0


def test_of_many_mistakes_the_number_of_the_rest_is_said(address, reader, sign_in):
    body = json.dumps(grading.submission_body(BODIES["unknown criteria"]))

    answer = sign_in(reader).post(f"{address}submit/", body, content_type="application/json")

    assert answer.json()["errors"][-1]["text"] == "and 9,950 more problems"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[" * 100_000, "not JSON that can be read"),
        (b'{"payload": {"a": ' + b"9" * 5000 + b"}}", "not JSON that can be read"),
        (b'{"payload": NaN}', "not JSON that can be read"),
        (b'{"payload": 1e999}', "not JSON that can be read"),
        (b"\xff\xfe{\0}\0", "not JSON that can be read"),
        (b"{" + b" " * 600_000 + b"}", "longer than 512 KiB"),
        (b'"' + b"x" * 100 + b'"', "must be a JSON object"),
    ],
    ids=["nested", "long integer", "NaN", "infinity", "UTF-16", "long", "text"],
)
@pytest.mark.parametrize("act", ["draft", "submit", "skip"])
def test_a_body_that_is_no_json_object_is_400_in_words(address, reader, sign_in, act, content, words):
    answer = sign_in(reader).post(f"{address}{act}/", content, content_type="application/json")

    assert answer.status_code == 400
    assert words in answer.json()["error"]
    assert (Draft.objects.count(), Grade.objects.count()) == (0, 0)
