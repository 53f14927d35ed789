"""Only what is declared: parameters, fields, methods, types. Every refusal is JSON of one shape (W04, W05, W13)."""

import pytest
from django.db import OperationalError

from annotation.datasets.models import Dataset
from annotation.people.models import User
from annotation.rest.parsing import BODY_LIMIT
from annotation.studies.models import Enrollment
from tests.api.world import Program, cast, world

pytestmark = pytest.mark.django_db

LOOKUPS = (
    "user__password__startswith", "order_by", "fields", "instruction__regex", "dataset__created_by__password",
    "filter", "search", "format__in", "state__ne", "pk", "cursor", "ordering", "expand", "q[]",
)  # fmt: skip
MASS = ("grader", "is_staff", "is_superuser", "study", "system", "version", "created", "unblinded", "id", "password")


@pytest.fixture
def rows(operator, curator, coordinator, analyst, reader, stranger):
    return world(cast(operator, curator, coordinator, analyst, reader, stranger))


def is_problem(answer, status: int) -> bool:
    named = {"type", "title", "status", "detail", "errors"}
    return (
        answer.status == status
        and answer.headers["Content-Type"] == "application/problem+json"
        and named <= set(answer.data)
        and answer.data["status"] == status
        and all(set(error) == {"field", "value", "rule"} for error in answer.data["errors"])
    )


@pytest.mark.parametrize("name", LOOKUPS)
def test_an_unknown_parameter_is_refused_by_name_with_those_that_are_known(name, rows, curator):
    program = Program(curator)
    for address in ("datasets/liver/items/", "datasets/", "submissions/", "imports/", "jobs/", "readings/", "me/"):
        answer = program.get(address, **{name: "x"})

        assert is_problem(answer, 400), (address, answer.data)
        assert answer.fields == [name] and "known:" in answer.data["errors"][0]["rule"]


def test_a_value_that_is_not_offered_and_a_parameter_asked_twice_are_refused(rows, curator):
    program = Program(curator)

    assert is_problem(program.get("datasets/liver/items/", state="gone"), 400)
    assert is_problem(program.send("get", "datasets/liver/items/?state=accepted&state=rejected"), 400)


@pytest.mark.parametrize("name", MASS)
def test_an_unknown_field_is_refused_by_name_and_nothing_changes(name, rows, reader, operator, coordinator):
    before = (User.objects.count(), Enrollment.objects.count(), User.objects.filter(is_superuser=True).count())
    grade = {"payload": {}, "submit_key": "7d0e0f9a-58a1-4f62-9d7c-0a9c8d6b2f11"}
    tries = [
        (operator, "people/", {"username": "new", "name": "New"}),
        (operator, f"people/{rows['person'].pk}/roles/", {"curator": True}),
        (reader, f"readings/{rows['reading'].pk}/submit/", grade),
        (reader, f"readings/{rows['reading'].pk}/skip/", {"reason": "image problem"}),
        (coordinator, "studies/round-1/enrollments/", {"username": "stranger", "role": "analyst"}),
    ]
    for person, address, body in tries:
        answer = Program(person).post(address, body | {name: "x"})

        assert is_problem(answer, 400), (address, answer.data)
        assert answer.fields == [name]
        assert answer.data["type"] == "urn:medgen:problem:unknown-field"
    assert before == (
        User.objects.count(), Enrollment.objects.count(), User.objects.filter(is_superuser=True).count(),
    )  # fmt: skip
    rows["reading"].refresh_from_db()
    assert rows["reading"].status == "queued"


def test_a_nested_unknown_field_is_refused(rows, curator):
    body = {"reason": "spelling", "changes": {"content_hash": "0" * 64}}

    assert is_problem(Program(curator).post(f"items/{rows['item'].pk}/fixes/", body), 400)


def test_an_act_that_takes_no_body_refuses_one(rows, coordinator):
    assert is_problem(Program(coordinator).post("studies/round-1/pause/", {"state": "locked"}), 400)


@pytest.mark.parametrize(
    "raw",
    [
        b"{", b"[]", b'"x"', b"null", b"\xff\xfe{}", b'{"username": NaN}', b'{"username": 1e999}',
        b'{"username": "a", "username": "b"}', b'{"username": "\\ud800", "name": "x"}',
        b'{"username": "\\u0000", "name": "x"}', b"[" * 100_000, b'{"username": ' + b"9" * 5000 + b"}",
    ],
)  # fmt: skip
def test_json_that_no_database_keeps_alike_is_refused(raw, operator):
    answer = Program(operator).post("people/", raw)

    assert is_problem(answer, 400)
    assert not User.objects.filter(name="x").exists()


def test_other_types_packed_bodies_and_sizes_are_refused(operator):
    program = Program(operator)
    xml = program.send("post", "people/", data=b"<a/>", content_type="application/xml")
    form = program.send("post", "people/", data=b"username=a", content_type="application/x-www-form-urlencoded")
    packed = program.post("people/", b"\x1f\x8b", **{"Content-Encoding": "gzip"})
    large = program.post("people/", b'{"username": "' + b"a" * BODY_LIMIT + b'"}')

    assert [is_problem(answer, 415) for answer in (xml, form, packed)] == [True, True, True]
    assert is_problem(large, 413)


@pytest.mark.parametrize("method", ["put", "patch", "options", "trace", "delete"])
def test_an_undeclared_method_is_refused_in_json(method, operator):
    answer = Program(operator).send(method, "people/")

    assert is_problem(answer, 405)
    assert answer.headers["Allow"]


@pytest.mark.parametrize(
    "address", ["", "v1", "v2/", "v1/nothing/", "v1/people", "v1/items/not-a-uuid/", "v1/items/%0a/", "v1/../admin/"]
)
def test_an_unknown_address_is_a_json_404_for_everybody(address, client, operator, sign_in):
    for asking in (client, sign_in(operator)):
        answer = asking.get(f"/api/{address}")

        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_host_that_is_not_ours_is_a_json_400(client):
    answer = client.get("/api/v1/me/", headers={"Host": "evil.example"})

    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")


def test_long_and_strange_values_are_told_short_and_inert(operator):
    answer = Program(operator).post("people/", {"username": "\x1b[31m" + "a" * 5000, "name": "x"})

    assert answer.status in {400, 422}
    assert "\x1b" not in str(answer.data) and all(len(error["value"]) <= 81 for error in answer.data["errors"])


def test_a_held_database_is_a_json_503(curator, monkeypatch):
    def held(*args: object) -> None:
        raise OperationalError("database is locked")

    program = Program(curator)
    program.client.raise_request_exception = False
    monkeypatch.setattr(type(Dataset.objects.all()), "visible_to", held)

    answer = program.get("datasets/")

    assert is_problem(answer, 503) and answer.headers["Retry-After"]


def test_a_defect_of_our_own_is_a_json_500_without_a_trace(curator, monkeypatch):
    def broken(*args: object) -> None:
        raise ZeroDivisionError("secret words")

    program = Program(curator)
    program.client.raise_request_exception = False
    monkeypatch.setattr(type(Dataset.objects.all()), "visible_to", broken)

    answer = program.get("datasets/")

    assert is_problem(answer, 500) and "secret" not in str(answer.data)
