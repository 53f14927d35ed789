"""Upload, preview, confirm: in the browser as by command, and nothing before the confirmation."""

import csv
import io
import json
import os
import time
import zipfile

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from annotation.datasets import uploads
from annotation.datasets.models import Dataset, ImportJob, ImportProblem, Item
from annotation.imaging.sandbox import Decoder
from annotation.work.executor import drain
from annotation.work.models import Job
from tests import factories
from tests.annotation.datasets.builders import edit, jsonl, png, vqa

pytestmark = pytest.mark.django_db
URL = "/datasets/import/"


def zipped(folder) -> SimpleUploadedFile:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder.parent).as_posix())
    return SimpleUploadedFile("package.zip", out.getvalue())


def upload(client, file, **fields):
    return client.post(URL, {"new_dataset": "liver", "layout": "auto", "file": file} | fields)


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "pack"
    png(folder / "images/e1.png", 1), png(folder / "images/e1_ref.png", 2)
    jsonl(folder / "edit.jsonl", edit(1), "{broken")
    return folder


def test_a_name_of_many_wide_characters_is_cut(curator, sign_in, home):
    answer = upload(sign_in(curator), SimpleUploadedFile("\N{DUCK}" * 120 + ".jsonl", b"{}"))

    assert answer.status_code == 200
    assert answer.context["upload"].name.endswith("\N{DUCK}.jsonl")


def test_a_zip_is_looked_at_then_imported(package, curator, sign_in, home, django_capture_on_commit_callbacks):
    client = sign_in(curator)

    preview = upload(client, zipped(package))

    summary = preview.context["summary"]
    assert preview.status_code == 200
    assert (summary.new, summary.refused, summary.layout) == (1, 1, "canonical")
    assert b"Raise the contrast of radiograph 1." in preview.content
    assert b"edit.jsonl" in preview.content and b"not valid JSON" in preview.content
    assert not Dataset.objects.exists()

    done = client.post(URL, {"upload": preview.context["upload"].id})
    assert done.status_code == 302 and done["Location"] == Job.objects.get().get_absolute_url()
    with django_capture_on_commit_callbacks(execute=True):
        drain()

    job = ImportJob.objects.get()
    assert f'href="{job.get_absolute_url()}"' in client.get(done["Location"]).content.decode()
    assert (job.new, job.refused, job.requested_by) == (1, 1, curator)
    assert Item.objects.get().current_revision.images.count() == 2
    assert not list((home / "uploads").iterdir())


def test_confirming_decodes_nothing_again(package, curator, sign_in, monkeypatch):
    client = sign_in(curator)
    preview = upload(client, zipped(package))
    monkeypatch.setattr(Decoder, "prepare", lambda *_, **__: pytest.fail("decoded twice"))

    client.post(URL, {"upload": preview.context["upload"].id})
    drain()

    assert Item.objects.get().current_revision.images.count() == 2


def test_giving_up_leaves_nothing(package, curator, sign_in, home):
    client = sign_in(curator)
    preview = upload(client, zipped(package))

    client.post(URL, {"upload": preview.context["upload"].id, "discard": "yes"})

    assert not Dataset.objects.exists()
    assert not list((home / "uploads").iterdir())


def test_an_upload_is_confirmed_once_and_by_its_owner_only(
    package, curator, other_curator, sign_in, django_capture_on_commit_callbacks
):
    preview = upload(sign_in(curator), zipped(package))
    confirmed = {"upload": preview.context["upload"].id}

    stolen = sign_in(other_curator).post(URL, confirmed)
    first = sign_in(curator).post(URL, confirmed)
    second = sign_in(curator).post(URL, confirmed)
    with django_capture_on_commit_callbacks(execute=True):
        drain()
    late = sign_in(curator).post(URL, confirmed)

    assert (stolen.status_code, first.status_code, late.status_code) == (422, 302, 422)
    assert second["Location"] == first["Location"]
    assert b"no longer there" in late.content
    assert ImportJob.objects.count() == Job.objects.count() == 1


@pytest.mark.parametrize("wrong", ["x", "../../etc", "00000000-0000-0000-0000-000000000000"])
def test_an_upload_that_is_none_is_422(wrong, curator, sign_in):
    assert sign_in(curator).post(URL, {"upload": wrong}).status_code == 422


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"new_dataset": ""}, "Choose a dataset, or name a new one"),
        ({"new_dataset": "Not A Slug"}, "use 1 to 60"),
        ({"new_dataset": "import"}, "a word of our own addresses"),
        ({"layout": "nonsense"}, "not one of the available choices"),
    ],
)
def test_a_wrong_form_comes_back_with_422(fields, said, curator, sign_in):
    page = upload(sign_in(curator), SimpleUploadedFile("a.jsonl", b"{}"), **fields)

    assert page.status_code == 422
    assert said in page.content.decode()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", b"", "empty"),
        ("a.exe", b"MZ", "is none of .zip"),
        ("a.zip", b"PK\x03\x04 not really", "damaged"),
        ("a.jsonl", b"\xff\xfe{\x00}\x00", "UTF-16"),
        ("a.parquet", b"PAR1 nothing", "parquet"),
        ("a.jsonl", b"\n\n", "holds no records"),
    ],
)
def test_a_file_that_cannot_be_read_comes_back_with_422(name, content, said, sign_in, curator):
    page = upload(sign_in(curator), SimpleUploadedFile(name, content))

    assert page.status_code == 422
    assert said in page.content.decode()
    assert not Dataset.objects.exists()
    assert not [path for path in (settings.MEDGEN_HOME / "uploads").rglob("*") if path.is_file()]


def test_a_file_over_the_limit_is_refused_by_its_size(curator, sign_in, settings):
    settings.MEDGEN_UPLOAD_BYTES = 10

    page = upload(sign_in(curator), SimpleUploadedFile("a.jsonl", b"x" * 11))

    assert page.status_code == 422
    assert "11 bytes are more than 10" in page.content.decode()


def test_a_name_with_folders_stays_inside(curator, sign_in, home):
    page = upload(sign_in(curator), SimpleUploadedFile("../../../evil.jsonl", b'{"instruction": 1}\n'))

    assert page.status_code == 200
    assert not list(home.parent.glob("evil*"))


def test_uploads_of_yesterday_are_swept(package, curator, sign_in, home):
    preview = upload(sign_in(curator), zipped(package))
    old = home / "uploads" / preview.context["upload"].id
    past = time.time() - uploads.KEPT_SECONDS - 60
    os.utime(old, (past, past))

    upload(sign_in(curator), zipped(package))

    assert not old.exists()


def test_a_study_creator_may_look_at_imports_but_not_import_items(coordinator, sign_in):
    job = ImportJob.objects.create(kind="items", dataset=factories.dataset(), state="done")

    assert sign_in(coordinator).get(URL).status_code == 403
    assert sign_in(coordinator).get(job.get_absolute_url()).status_code == 200


def test_the_import_page_pages_its_problems_and_gives_them_as_csv(curator, sign_in):
    job = ImportJob.objects.create(kind="items", dataset=factories.dataset(), state="done", new=3, refused=150)
    ImportProblem.objects.bulk_create(
        ImportProblem(job=job, file="a.jsonl", line=n, field="answer", value=f"=cmd|{n}", rule="must be text")
        for n in range(1, 151)
    )

    page = sign_in(curator).get(job.get_absolute_url())
    table = sign_in(curator).get(reverse("annotation:import-problems", args=[job.pk]))

    assert page.context["lines"] == 153
    assert len(page.context["page_obj"].object_list) == 100
    rows = list(csv.DictReader(io.StringIO(table.content.decode())))
    assert len(rows) == 150
    assert list(rows[4].values()) == ["a.jsonl", "5", "yes", "answer", "'=cmd|5", "must be text"]


def test_a_failed_import_says_so_and_what_to_do(curator, sign_in):
    job = ImportJob.objects.create(kind="items", dataset=factories.dataset(), state="failed", failure="Disk full.")

    page = sign_in(curator).get(job.get_absolute_url()).content.decode()

    assert "Disk full." in page and "Run the same import again" in page


def test_hostile_text_is_shown_inert(curator, sign_in):
    record = vqa(1, instruction="<script>alert(1)</script>")
    lines = io.BytesIO()

    lines.write(
        json.dumps(record).encode() + b"\n" + json.dumps(vqa(2, modality="<img src=x>", answer=True)).encode()
    )

    page = upload(sign_in(curator), SimpleUploadedFile("<b>.jsonl", lines.getvalue())).content.decode()

    assert "<script>alert(1)" not in page and "&lt;script&gt;alert(1)" in page
    assert "<b>.jsonl" not in page
