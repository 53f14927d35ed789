"""A reader's work through the interface: exactly what the workstation gets and does (W08, W09, W10)."""

import json
import uuid

import pytest

from annotation.grading.models import Draft, Grade
from annotation.studies.models import Study
from annotation.systems.models import OutputPart, System
from tests.api.addresses import api_addresses
from tests.api.world import Program, cast, world

pytestmark = pytest.mark.django_db

CANARY = "SYS-ZEBRA"


@pytest.fixture
def rows(operator, curator, coordinator, analyst, reader, stranger):
    return world(cast(operator, curator, coordinator, analyst, reader, stranger))


@pytest.fixture
def program(rows, reader):
    return Program(reader, ("grade",))


def payload(overall: int = 4) -> dict:
    return {"outputs": {"A": {"scores": {"overall": overall}, "safety": "none"}}}


def test_the_detail_is_that_of_the_workstation_under_its_own_addresses(rows, program, reader, sign_in):
    page = sign_in(reader).get(f"/readings/{rows['reading'].pk}/reading.json").json()

    told = program.get(f"readings/{rows['reading'].pk}/").data

    mine, theirs = told.pop("urls"), page.pop("urls")
    frames = [pane.pop("frames") for pane in told["panes"]]
    assert [bool(address) for address in frames] == [bool(pane.pop("frames")) for pane in page["panes"]]
    assert page.pop("study")["name"] == told.pop("study")["name"]
    assert told == page
    assert all(address.startswith("/api/v1/readings/") for address in mine.values() if address)
    assert set(theirs) - set(mine) <= {"page", "next_page", "previous_page", "home", "guess"}
    for address in filter(None, frames):
        header = program.get(address.removeprefix("/api/v1/"))
        data = program.get(header.data["data"].removeprefix("/api/v1/"))
        assert (header.status, data.status, data.data) == (200, 200, b"frames")


def test_a_range_of_frames_and_an_unchanged_picture_answer_as_on_the_pages(rows, program):
    address = f"readings/{rows['reading'].pk}/panes/0/data/"
    whole = program.get(address)

    part = program.send("get", address, headers={"Range": "bytes=1-2"})
    unchanged = program.send("get", address, headers={"If-None-Match": whole.headers["ETag"]})
    outside = program.send("get", address, headers={"Range": "bytes=900-"})

    assert (part.status, part.data) == (206, b"ra")
    assert (unchanged.status, outside.status) == (304, 416)
    assert outside.headers["Content-Type"] == "application/problem+json"


def test_a_draft_is_kept_and_another_clients_draft_is_shown_not_overwritten(rows, program):
    address = f"readings/{rows['reading'].pk}/draft/"
    first = program.post(address, {"payload": payload(), "client_id": "one", "revision": 1})

    stale = program.post(address, {"payload": payload(2), "client_id": "two", "revision": 1})

    assert first.status == 200 and first.data["revision"] == 1
    assert stale.status == 409 and stale.data["current"]["payload"] == payload()
    assert Draft.objects.get().payload == payload()


def test_a_grade_is_submitted_once_repeated_alike_and_amended_with_a_reason(rows, program):
    address, key = f"readings/{rows['reading'].pk}", str(uuid.uuid4())
    first = program.post(f"{address}/submit/", {"payload": payload(), "submit_key": key})

    again = program.post(f"{address}/submit/", {"payload": payload(), "submit_key": key, "active_ms": 500})
    other = program.post(f"{address}/submit/", {"payload": payload(5), "submit_key": key})
    second = program.post(f"{address}/submit/", {"payload": payload(5), "submit_key": str(uuid.uuid4())})
    amended = program.post(
        f"{address}/amend/", {"payload": payload(5), "submit_key": str(uuid.uuid4()), "reason": "looked again"}
    )

    assert (first.status, again.status, again.data) == (200, 200, first.data)
    assert other.status == 422 and other.fields == ["submit_key"]
    assert second.status == 409
    assert amended.status == 200 and amended.data["version"] == 2
    kept = Grade.objects.filter(reading_output__reading=rows["reading"])
    assert list(kept.order_by("version").values_list("version", flat=True)) == [1, 2]


def test_a_wrong_grade_names_label_and_field_and_a_closed_study_takes_none(rows, program):
    address = f"readings/{rows['reading'].pk}/submit/"
    wrong = program.post(address, {"payload": payload(11), "submit_key": str(uuid.uuid4())})
    Study.objects.update(state="locked")
    closed = program.post(address, {"payload": payload(), "submit_key": str(uuid.uuid4())})

    assert wrong.status == 422 and wrong.fields == ["A.overall"]
    assert closed.status == 409
    assert not Grade.objects.filter(reading_output__reading=rows["reading"]).exists()


def test_a_reader_meets_no_system_in_any_byte_of_any_address(rows, reader, coordinator):
    for number, system in enumerate(System.objects.order_by("pk")):
        named = CANARY.lower() + ("" if system == rows["system"] else f"-{number}")
        System.objects.filter(pk=system.pk).update(name=CANARY, slug=named, description=CANARY)
    rows["system"].refresh_from_db()
    submission = rows["submission"]
    hidden = [CANARY, CANARY.lower(), submission.code, str(submission.pk), str(rows["output"].pk)]
    reader.is_curator = reader.may_create_studies = reader.is_operator = True
    reader.save()
    program, told = Program(reader), []
    for address in api_addresses():
        path = address.filled(rows).removeprefix("/api/v1/")
        for method in address.methods:
            if address.name == "schema":
                continue
            answer = program.send(method, path)
            text = json.dumps(answer.data) if not isinstance(answer.data, bytes) else answer.data.decode("latin-1")
            text += str(dict(answer.headers))
            sent = {str(value) for value in address.parameters(rows).values()}
            told += [(address.name, method, word) for word in hidden if word in text and word not in sent]

    assert told == []
    assert OutputPart.objects.exists()
