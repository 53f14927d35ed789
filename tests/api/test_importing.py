"""Imports through the interface: look, confirm, a job does it; nobody touches another person's upload."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from annotation.datasets.models import Item
from annotation.work.executor import drain
from tests import factories
from tests.annotation.datasets.builders import vqa
from tests.api.world import Program

pytestmark = pytest.mark.django_db


def file(*records: dict, name: str = "items.jsonl") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, "".join(json.dumps(record) + "\n" for record in records).encode())


def test_items_are_looked_at_confirmed_and_imported_by_a_job(curator, django_capture_on_commit_callbacks):
    program = Program(curator, ("curate",))
    looked = program.upload("imports/items/", {"dataset": "liver", "file": file(vqa(1), vqa(2), {"x": 1})})
    assert looked.status == 200, looked.data
    before = Item.objects.count()

    asked = program.post(f"uploads/{looked.data['upload']}/confirm/")
    with django_capture_on_commit_callbacks(execute=True):
        drain()

    job = program.get(f"jobs/{asked.data['id']}/")
    listed = program.get("imports/").data["results"][0]
    assert (looked.data["new"], looked.data["refused"], before) == (2, 1, 0)
    assert (asked.status, job.data["state"]) == (202, "done")
    assert (listed["new"], listed["refused"], listed["dataset"]) == (2, 1, "liver")
    assert program.get(f"imports/{listed['id']}/problems/").data["results"][0]["line"] == 3
    assert Item.objects.count() == 2


def test_an_upload_is_its_owners_and_can_be_given_up(curator, other_curator):
    program = Program(curator)
    upload = program.upload("imports/items/", {"dataset": "liver", "file": file(vqa())}).data["upload"]

    foreign = Program(other_curator).post(f"uploads/{upload}/confirm/")
    foreign_discard = Program(other_curator).send("delete", f"uploads/{upload}/")
    unscoped = Program(curator, ("submit",)).post(f"uploads/{upload}/confirm/")
    given_up = program.send("delete", f"uploads/{upload}/")

    assert (foreign.status, foreign_discard.status, unscoped.status) == (404, 404, 403)
    assert (given_up.status, program.post(f"uploads/{upload}/confirm/").status) == (204, 404)


def test_outputs_are_looked_at_for_a_release_and_never_by_its_blind_reader(coordinator):
    factories.item()
    release = factories.release()
    said = {"destination": "liver@1.0", "system": "aurora", "kind": "unified"}
    record = {"sample_id": "x", "instruction": "Question 1?", "answer": "Answer 1", "response": "Yes."}

    looked = Program(coordinator).upload("imports/outputs/", said | {"file": file(record)})
    factories.enroll(factories.study(release, state="running"), coordinator)
    blind = Program(coordinator).upload("imports/outputs/", said | {"file": file(record)})

    assert looked.status == 200, looked.data
    assert looked.data["kind"] == "outputs"
    assert blind.status == 422 and "destination" in blind.fields


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        ({"dataset": "liver"}, 400, "file"),
        ({"dataset": "liver", "file": file(vqa()), "owner": "x"}, 400, "owner"),
        ({"dataset": "../x", "file": file(vqa())}, 422, "new_dataset"),
        ({"dataset": "liver", "file": file(vqa(), name="x.exe")}, 422, ""),
        ({"dataset": "liver", "layout": "magic", "file": file(vqa())}, 400, "layout"),
    ],
)
def test_a_wrong_upload_is_refused_by_name_and_leaves_nothing(body, status, named, curator, home):
    answer = Program(curator).upload("imports/items/", body)

    assert answer.status == status, answer.data
    assert not named or named in answer.fields
    assert not list((home / "uploads").glob("*")) if (home / "uploads").exists() else True


def test_the_same_upload_under_one_key_is_staged_once(curator, home):
    program = Program(curator)
    bodies = [{"dataset": "liver", "file": file(vqa())} for _ in range(2)]

    first, again = (program.upload("imports/items/", body, **{"Idempotency-Key": "up-1"}) for body in bodies)

    assert first.data["upload"] == again.data["upload"]
    assert len(list((home / "uploads").iterdir())) == 1
