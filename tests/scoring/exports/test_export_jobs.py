"""Score sheets made as jobs: remembered once, kept under their checksum, given only to who may have them now."""

import hashlib

import pytest
from django.urls import reverse

from annotation.audit.models import Event
from annotation.studies.models import Study
from annotation.work import leases
from annotation.work.executor import drain
from annotation.work.models import Chunk, Job
from scoring.exports import work
from scoring.exports.models import ExportJob
from tests import factories
from tests.scoring.exports.world import unblind
from tests.scoring.world import World, build, grade_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(coordinator) -> World:
    made = build(items=3)
    grade_all(made, {0: 5, 1: 2})
    factories.enroll(made.study, coordinator, "coordinator")
    return made


def fetch(client, export: ExportJob):
    return client.get(reverse("scoring:export-download", args=[export.study.slug, export.pk]))


def test_a_sheet_is_asked_for_made_and_fetched(world, coordinator, sign_in, home):
    client = sign_in(coordinator)

    asked = client.post(reverse("scoring:workbook-make", args=[world.study.slug]))
    twice = client.post(reverse("scoring:workbook-make", args=[world.study.slug]))
    drain()

    export = ExportJob.objects.get()
    assert asked["Location"] == twice["Location"] == Job.objects.get().get_absolute_url()
    url = reverse("scoring:export-download", args=[world.study.slug, export.pk])
    assert f'href="{url}"' in client.get(asked["Location"]).content.decode()
    got = b"".join(client.get(url).streaming_content)
    assert hashlib.sha256(got).hexdigest() == export.file_sha256
    assert [file.name for file in (home / "exports").iterdir()] == [f"{export.file_sha256}.xlsx"]


def test_a_worker_that_dies_after_writing_leaves_no_second_sheet_on_record(world, coordinator):
    job = work.ask_for_workbook(study=world.study, actor=coordinator)
    first = leases.claim("dies:1")
    work._run(job, first.payload)  # written, and never closed
    Chunk.objects.filter(job=job).update(lease_until="2020-01-01T00:00Z")

    drain()

    assert ExportJob.objects.count() == 1
    assert Event.objects.filter(verb="score sheet exported").count() == 1


def test_a_sheet_with_names_is_withheld_when_the_study_is_no_longer_unblinded(world, coordinator, sign_in):
    unblind(world.study)
    work.ask_for_workbook(study=world.study, actor=coordinator)
    drain()
    export = ExportJob.objects.get()
    client = sign_in(coordinator)
    assert not export.blinded
    assert fetch(client, export).status_code == 200

    Study.objects.filter(pk=world.study.pk).update(state="locked")

    assert fetch(client, export).status_code == 404


def test_a_sheet_with_names_is_withheld_from_who_reads_the_release_in_another_study(world, coordinator, sign_in):
    unblind(world.study)
    work.ask_for_workbook(study=world.study, actor=coordinator)
    drain()
    export = ExportJob.objects.get()
    other = factories.study(world.release, slug="another", submissions=world.submissions, state="running")

    factories.enroll(other, coordinator, "reader")

    assert fetch(sign_in(coordinator), export).status_code == 404


def test_a_blinded_sheet_stays_there_and_strangers_never_get_it(world, coordinator, stranger, sign_in):
    work.ask_for_workbook(study=world.study, actor=coordinator)
    drain()
    export = ExportJob.objects.get()

    assert fetch(sign_in(coordinator), export).status_code == 200
    assert fetch(sign_in(stranger), export).status_code == 404
