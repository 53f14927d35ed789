"""Outputs in the browser: upload with system and release, preview, confirm."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from annotation.datasets.importing import import_items
from annotation.datasets.models import ImportJob
from annotation.systems.models import Output, Submission, System
from annotation.work.executor import drain
from tests import factories
from tests.annotation.datasets.builders import jsonl, vqa, with_id

pytestmark = pytest.mark.django_db
URL = "/outputs/import/"


@pytest.fixture
def release(tmp_path):
    items = [with_id(vqa(n), f"s:{n}") for n in (1, 2)]
    import_items(path=jsonl(tmp_path / "items.jsonl", *items), dataset_slug="liver", actor=None)
    factories.dataset("liver").items.update(state="accepted")
    return factories.release(factories.dataset("liver"))


def results(*numbers: int) -> SimpleUploadedFile:
    lines = [json.dumps(with_id(vqa(n), f"s:{n}") | {"response": f"answer {n}"}) for n in numbers]
    return SimpleUploadedFile("results.jsonl", "\n".join(lines).encode())


def upload(client, file, **fields):
    given = {
        "destination": "liver@1.0", "new_system": "aurora", "name": "Aurora", "kind": "vlm", "version": "2",
        "layout": "auto", "file": file,
    }  # fmt: skip
    return client.post(URL, given | fields)


def test_outputs_are_looked_at_then_imported(release, coordinator, sign_in):
    client = sign_in(coordinator)

    preview = upload(client, results(1, 9))

    summary = preview.context["summary"]
    assert (preview.status_code, summary.new, summary.refused) == (200, 1, 1)
    assert "answer 1" in preview.content.decode() and "IT-000001" in preview.content.decode()
    assert not System.objects.exists()

    asked = client.post(URL, {"upload": preview.context["upload"].id})
    drain()

    submission = Submission.objects.get()
    assert asked.status_code == 302
    assert (submission.release, submission.created_by) == (release, coordinator)
    assert (submission.system_version.version, submission.system_version.system.kind) == ("2", "vlm")
    imported = ImportJob.objects.get(kind="outputs")
    assert f'href="{imported.get_absolute_url()}"' in client.get(asked["Location"]).content.decode()
    page = client.get(imported.get_absolute_url()).content.decode()
    assert submission.code in page and "s:9" in page


def test_a_known_system_is_chosen_from_the_list(release, coordinator, sign_in):
    client = sign_in(coordinator)
    factories.submission(release, "borealis", outputs=False)
    fields = {"new_system": "", "name": "", "kind": "", "version": "1.0", "system": "borealis"}

    preview = upload(client, results(1), **fields)
    client.post(URL, {"upload": preview.context["upload"].id})
    drain()

    assert Submission.objects.count() == 1
    assert Output.objects.filter(status="ok").count() == 1


def test_current_revisions_are_a_destination(release, coordinator, sign_in):
    client = sign_in(coordinator)

    preview = upload(client, results(1), destination="liver")
    client.post(URL, {"upload": preview.context["upload"].id})
    drain()

    assert Submission.objects.get().release is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"new_system": ""}, "Choose a system, or name a new one"),
        ({"new_system": "No Slug"}, "use 1 to 60"),
        ({"kind": ""}, "Say what kind of system it is"),
        ({"kind": "oracle"}, "not one of the available choices"),
        ({"destination": "kidney@1"}, "not one of the available choices"),
        ({"version": "v" * 61}, "at most 60 characters"),
        ({"layout": "nonsense"}, "not one of the available choices"),
    ],
)
def test_a_wrong_form_comes_back_with_422(release, coordinator, sign_in, fields, said):
    page = upload(sign_in(coordinator), results(1), **fields)

    assert page.status_code == 422
    assert said in page.content.decode()
    assert not System.objects.exists()


def test_items_instead_of_outputs_come_back_with_422(release, coordinator, sign_in):
    file = SimpleUploadedFile("items.jsonl", json.dumps(vqa(1)).encode())

    page = upload(sign_in(coordinator), file)

    assert page.status_code == 422
    assert "holds benchmark items" in page.content.decode()


def test_an_upload_of_items_is_not_confirmed_as_outputs(release, coordinator, sign_in):
    factories.User.objects.filter(pk=coordinator.pk).update(is_curator=True)
    coordinator.refresh_from_db()
    client = sign_in(coordinator)
    items = SimpleUploadedFile("items.jsonl", json.dumps(vqa(7)).encode())
    preview = client.post("/datasets/import/", {"new_dataset": "other", "layout": "auto", "file": items})

    page = client.post(URL, {"upload": preview.context["upload"].id})

    assert page.status_code == 422


def test_a_curator_who_creates_no_studies_may_not(release, curator, stranger, sign_in):
    assert sign_in(curator).get(URL).status_code == 403
    assert sign_in(stranger).get(URL).status_code == 404
    assert upload(sign_in(curator), results(1)).status_code == 403


def test_a_release_read_blind_is_no_destination(release, coordinator, sign_in):
    study = factories.study(release, submissions=[])
    factories.enroll(study, coordinator, "reader")

    page = upload(sign_in(coordinator), results(1))

    assert page.status_code == 422
    assert not System.objects.exists()
