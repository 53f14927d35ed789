"""Every address answers bad input with a plain reason and a 4xx, never a 5xx, and leaves no half-written row."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test import Client
from django.utils.http import urlencode

from annotation.people.models import User
from annotation.studies.models import Enrollment
from tests import factories
from tests.acceptance.addresses import ALL, Address
from tests.acceptance.cases import decided_case
from tests.annotation.grading import world as grading

pytestmark = [pytest.mark.django_db, pytest.mark.spread]

DERIVED = {"Event", "ChainHead", "Session", "MetricSettings", "Composite", "CompositeComponent", "AnalysisRun"}
BETRAYED = re.compile(rb"Traceback \(most recent|django\.|sqlite3\.|File &quot;/|\.venv|Error at /|site-packages")
FIELD = re.compile(rb'name="([\w-]+)"')
BAD_TEXTS = {
    "nothing": "", "NUL": "a\0b", "far too long": "x" * 200_000, "a script": "<script>alert(1)</script>",
    "a foreign id": "00000000-0000-4000-8000-000000000000", "a number out of range": "99999999999999999999999999",
    "not a number": "NaN", "negative": "-1", "right to left": "\u202egnp.exe\u2066", "a list": "[1,2]",
}  # fmt: skip
KEYS = (
    "page", "q", "state", "status", "format", "task", "modality", "output", "release", "dataset", "system",
    "destination", "next",
)  # fmt: skip
BAD_VALUES = ("%00", "%ED%A0%80", "9" * 40, "nothing", "00000000-0000-4000-8000-000000000000")
BAD_QUERIES = (
    *("&".join(f"{key}={value}" for key in KEYS) for value in BAD_VALUES),
    "page=-1&output=%00", "release=a%40b&q=" + "x" * 5000, "&".join(f"p{n}=1" for n in range(2000)),
)  # fmt: skip


def counts() -> Counter[str]:
    """Rows of every table that is not derived or a trail, in one query."""
    tables = [model._meta.db_table for model in apps.get_models() if model.__name__ not in DERIVED]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{table}', COUNT(*) FROM \"{table}\"" for table in tables))
        return Counter(dict(cursor.fetchall()))


class Visitor:
    """A signed-in client; whatever a request writes or does to the session is taken back after it."""

    def __init__(self, user: User) -> None:
        self._client = Client(raise_request_exception=False)
        self._client.force_login(user)
        self._cookies = self._client.cookies.output()

    def ask(self, method: str, url: str, body: str | bytes = b"", kind: str = "application/octet-stream") -> Any:
        """The answer, with its `whole` body and the rows a POST has `grown` before they were taken back."""
        writes = method == "POST"
        point, before = transaction.savepoint(), counts() if writes else Counter()
        answer = self._client.generic(method, url, body, content_type=kind)
        answer.whole = body_of(answer)
        answer.grown = counts() - before if writes else Counter()
        transaction.savepoint_rollback(point)
        self._client.cookies = SimpleCookie()
        self._client.cookies.load(self._cookies.replace("Set-Cookie: ", ""))
        return answer


def body_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def fault(answer: Any, what: str) -> str | None:
    """Why an answer is not a plain one, or None."""
    body = answer.whole
    if answer.status_code >= 500:
        return f"{what}: {answer.status_code}"
    if found := BETRAYED.search(body):
        return f"{what}: {answer.status_code} tells {found.group()!r}"
    if answer.status_code >= 400 and answer.status_code not in {405, 416} and len(body) < 15:
        return f"{what}: {answer.status_code} without a reason"
    return None


@pytest.fixture
def world() -> dict[str, Any]:
    """One of everything, a person with every role but reader, and a reader."""
    staff = factories.person("staff", is_operator=True, is_curator=True, may_create_studies=True)
    made = grading.small_study(factories.person("reading"), formats=("vqa", "image_editing"))
    type(made.study).objects.filter(pk=made.study.pk).update(guess_block=1)
    for role in ("coordinator", "analyst"):
        factories.enroll(made.study, staff, role)
    from annotation.datasets.models import ImportJob

    submission = made.submissions[0]
    item = made.study.study_items.order_by("pk").last().revision.item
    return {
        "case": decided_case(made.study),
        "staff": staff, "reader": User.objects.get(username="reading"), "study": made.study, "item": item,
        "reading": made.readings[0], "submission": submission, "dataset": submission.dataset, "letter": "A",
        "system": submission.system_version.system, "output": submission.outputs.filter(parts__kind="image").first(),
        "job": ImportJob.objects.create(kind="items", dataset=submission.dataset, state="done"),
        "person": factories.person("bystander"), "enrollment": Enrollment.objects.filter(study=made.study).first(),
    }  # fmt: skip


WRONG = {
    "uuid": ["00000000-0000-4000-8000-000000000000", "zzz"],
    "slug": ["no-such", "x" * 3000],
    "str": ["no-such", "%00", "%ED%A0%80", "..", "x" * 3000],
    "anything": ["v1/no-such/", "%00", "%ED%A0%80", "..", "x" * 3000],
    "int": ["0", "7", "99", "9223372036854775808", "9" * 40],
}


def wrong_paths(address: Address, world: dict[str, Any]) -> Iterator[str]:
    """The address with each parameter wrong in turn."""
    real = address.real(world)
    for kind, name in address.parameters:
        for value in WRONG[kind]:
            yield address.filled(real | {name: value})


def no_faults(found: list[str | None]) -> None:
    wrong = [each for each in found if each]
    assert wrong == [], "\n".join(wrong)


GROUPS = {head: [address for address in ALL if address.route.split("/")[0] == head] for head in
          sorted({address.route.split("/")[0] for address in ALL})}  # fmt: skip
QUICK_GROUPS = {"", "account", "people", "readings", "systems"}
every_group = pytest.mark.parametrize(
    "group",
    [head if head in QUICK_GROUPS else pytest.param(head, marks=pytest.mark.long) for head in GROUPS],
    ids=lambda head: head or "home",
)


def faults_of_paths(group: str, world: dict[str, Any], ways: list[tuple[str, str]]) -> list[str | None]:
    """What is wrong with the answers to right and wrong paths, asked in each way: a method and who asks."""
    visitors, found = {role: Visitor(world[role]) for role in ("staff", "reader")}, []
    for address in GROUPS[group]:
        path = address.filled(address.real(world))
        asked = [(url, *way) for url in wrong_paths(address, world) for way in ways]
        asked += [(path, *way) for way in (("POST", "staff"), ("GET", "staff"), ("GET", "reader"))]
        for url, method, role in asked:
            found.append(fault(visitors[role].ask(method, url), f"{method} {url[:120]} as {role}"))
        for query in BAD_QUERIES:
            found.append(fault(visitors["staff"].ask("GET", f"{path}?{query}"), f"GET {path}?{query[:90]}"))
    return found


@every_group
def test_any_path_and_query_is_answered_plainly(group, world):
    no_faults(faults_of_paths(group, world, [("GET", "staff")]))


@pytest.mark.soak
@every_group
def test_any_path_is_answered_plainly_to_readers_and_to_posts_too(group, world):
    no_faults(faults_of_paths(group, world, [("POST", "staff"), ("GET", "reader")]))


def fields_of(visitor: Visitor, path: str) -> set[str]:
    """The names of the form on a page, and names that forms elsewhere use."""
    page = visitor.ask("GET", path)
    found = FIELD.findall(page.whole) if page.status_code == 200 else []
    return {name.decode() for name in found} | {"upload", "reason", "revision", "version", "username", "role"}


@every_group
def test_any_form_value_is_answered_plainly_and_leaves_no_half_written_row(group, world):
    visitor, found = Visitor(world["staff"]), []
    for address in GROUPS[group]:
        path = address.filled(address.real(world))
        names = fields_of(visitor, path)
        forms = [(said, dict.fromkeys(names, value)) for said, value in BAD_TEXTS.items()]
        forms += [("NUL", {name: "a\0b"}) for name in sorted(names)]
        for said, form in forms:
            answer = visitor.ask("POST", path, urlencode(form), "application/x-www-form-urlencoded")
            what = f"POST {path}: {said} in {', '.join(form)[:60]}"
            found.append(fault(answer, what))
            if answer.status_code >= 400 and answer.grown:
                found.append(f"{what}: {answer.status_code}, yet {answer.grown} more rows")

    no_faults(found)


BODIES = (
    (b"\xff\xfe\x00garbage", "application/x-www-form-urlencoded"),
    (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
    (b"x=1", "multipart/form-data"), (b"x=%ED%A0%80&y=%", "application/x-www-form-urlencoded; charset=utf-16"),
    (b"x=1", "application/x-www-form-urlencoded; charset=no-such"), (b"{", "application/json"), (b"", ""),
    (b"&".join(b"f%d=1" % n for n in range(5000)), "application/x-www-form-urlencoded"),
    (b"x=" + b"y" * 3_000_000, "application/x-www-form-urlencoded"),
    (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="../\xe2\x80\xae<b>\xff.png"\r\n'
        b"Content-Type: text/html\r\n\r\n<html>\r\n--x--\r\n", "multipart/form-data; boundary=x",
    ),
)  # fmt: skip


@every_group
def test_any_body_and_method_is_answered_plainly(group, world):
    visitor, found = Visitor(world["staff"]), []
    for address in GROUPS[group]:
        path = address.filled(address.real(world))
        for body, kind in BODIES:
            answer = visitor.ask("POST", path, body, kind)
            found.append(fault(answer, f"POST {path}: {body[:20]!r} as {kind}"))
        for method in ("PUT", "DELETE", "OPTIONS", "HEAD", "BREW"):
            answer = visitor.ask(method, path)
            found.append(f"{method} {path}: {answer.status_code}" if answer.status_code >= 500 else None)

    no_faults(found)


def nested(depth: int, inside: str = "[", outside: str = "]") -> str:
    return inside * depth + outside * depth


ENTRY = grading.entry()
BAD_JSON = {
    "malformed": "{not json", "empty": "", "a list": "[]", "a text": '"x"', "null": "null", "a number": "1",
    "NaN": '{"payload": NaN, "revision": NaN}', "infinity": '{"payload": {"outputs": {}}, "active_ms": 1e999}',
    "latin-1": b'{"reason": "\xe9"}', "UTF-16": '{"reason": "x"}'.encode("utf-16"),
    "3 MB": json.dumps({"payload": {"outputs": {"A": ENTRY | {"rationale": "x" * 3_000_000}}}}),
    "deep lists": nested(100_000),
    "deep objects": '{"payload": ' + nested(20_000, '{"a":', "}").replace(":}", ":1}") + "}",
    "twice": '{"payload": {}, "payload": []}',
}  # fmt: skip
BAD_FIELDS: dict[str, list[Any]] = {
    "payload": [
        None, [], "x", 1, {"outputs": None}, {"outputs": []}, {"outputs": {"A": None}}, {"outputs": {"A": []}},
        {"outputs": {"Z" * 500: ENTRY}}, {"outputs": {"\ud800": ENTRY}}, {"outputs": {"A": ENTRY, "B": ENTRY}},
        *({"outputs": {"A": ENTRY | {name: value}}} for name, values in {
            "scores": [None, [], "x", {"overall": "5"}, {"overall": 10**40}, {"overall": -1}, {"overall": True},
                       {"overall": {}}, {"overall": [1]}, {"\0": 1}, {"no_such": 3}, {"overall": 2.5}],
            "na": [None, [], "x", {"overall": "\ud800"}, {"overall": ["x"]}, {"overall": "x" * 10_000}],
            "rationale": [None, [], 1, "\0", "\ud800", "x" * 400_000],
            "errors": [None, {}, "x", [1], [None], [{}], [{"code": []}], [{"code": "\ud800"}],
                       [{"code": "omitted"}] * 2000,
                       [{"code": "omitted", "nowhere": "x"}]],
            "safety": [None, [], 1, "\ud800", "deadly", {}],
            "reference_wrong": [None, "x", [], 2],
        }.items() for value in values),
        {"outputs": {"A": json.loads(nested(400))}}, {"outputs": {}, "x" * 1000: "\ud800"},
    ],
    "client_id": [None, 1, [], "", "\0", "\ud800", "x" * 1000], "revision": [None, "x", -1, 10**30, 1.5, True, []],
    "base_revision": ["x", -1, 10**30, []], "submit_key": [None, 1, "x", [], "\ud800", "0" * 400],
    "active_ms": ["x", -1, 10**30, [], True], "idle_ms": ["x", -1, 10**30, {}],
    "viewing": ["x", [], {"x": "y" * 100_000}, {"\ud800": "\ud800"}, {"x": json.loads(nested(300))}],
    "client_time": ["x", 1, "9999-99-99T99:99:99Z", "\ud800", "2026-01-01T00:00:00"],
    "reason": [1, [], "\0", "\ud800", "x" * 300_000, "nonsense"], "text": [1, [], "\0", "\ud800", "x" * 300_000],
}  # fmt: skip
SENDS_JSON = {"draft-save", "grade-submit", "reading-skip", "guess-save"}
JSON_ADDRESSES = [address for address in ALL if address.name.split(":")[-1] in SENDS_JSON]


def good_body(name: str) -> dict[str, Any]:
    if name.endswith("reading-skip"):
        return {"reason": "image problem", "text": ""}
    if name.endswith("guess-save"):
        return {"guesses": {"A": {"guess": "", "sure": None, "why": ""}}}
    if name.endswith("draft-save"):
        return grading.draft_body()
    return grading.submission_body()


every_json = pytest.mark.parametrize("address", JSON_ADDRESSES, ids=lambda address: address.name)
JSON = "application/json"


@every_json
def test_any_json_body_is_answered_plainly(address, world):
    visitor, path = Visitor(world["reader"]), address.filled(address.real(world))

    for said, body in BAD_JSON.items():
        answer = visitor.ask("POST", path, body, JSON)

        assert fault(answer, said) is None
        assert answer.status_code in {400, 413, 422}, said
        assert {"error", "errors"} & set(answer.json()), said
        assert not answer.grown, said


@every_json
def test_json_under_another_content_type_is_refused(address, world):
    visitor, path = Visitor(world["reader"]), address.filled(address.real(world))

    for kind in ("text/plain", "", "application/json/x", "multipart/form-data; boundary=x"):
        answer = visitor.ask("POST", path, json.dumps(good_body(address.name)), kind)

        assert answer.status_code in {400, 415}, kind
        assert "application/json" in answer.json()["error"]


@every_json
def test_any_json_field_is_answered_plainly_and_leaves_no_half_written_row(address, world):
    visitor, path = Visitor(world["reader"]), address.filled(address.real(world))
    found: list[str | None] = []
    refused = 0
    for name, values in BAD_FIELDS.items():
        for value in values:
            answer = visitor.ask("POST", path, json.dumps(good_body(address.name) | {name: value}), JSON)
            what = f"{name} = {ascii(value)[:80]}"
            found.append(fault(answer, what))
            refused += answer.status_code in {400, 413, 422}
            if answer.status_code >= 400 and answer.grown:
                found.append(f"{what}: {answer.status_code}, yet {answer.grown} more rows")

    no_faults(found)
    assert refused >= 8


@every_json
def test_a_good_body_is_taken_so_that_the_tests_above_refuse_for_a_reason(address, world):
    body = json.dumps(good_body(address.name))

    answer = Visitor(world["reader"]).ask("POST", address.filled(address.real(world)), body, JSON)

    assert answer.status_code == 200, answer.whole


def test_the_fault_finder_finds():
    class Answer:
        def __init__(self, status_code: int, whole: bytes) -> None:
            self.status_code, self.whole = status_code, whole

    assert fault(Answer(500, b"A plain page."), "x")
    assert fault(Answer(404, b"Traceback (most recent call last):"), "x")
    assert fault(Answer(422, b""), "x")
    assert fault(Answer(422, b"version: is taken by another release"), "x") is None
