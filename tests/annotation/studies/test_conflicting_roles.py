"""Whoever reads, read or is to read outputs of a dataset sees nothing of its systems, whatever else they are."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.datasets.errors import ImportRefusedError
from annotation.datasets.models import ImportJob
from annotation.people import services as people
from annotation.people.models import User
from annotation.studies.models import Enrollment, Study
from annotation.systems.importing import import_outputs
from annotation.systems.models import Submission, System, imports_seen_by
from annotation.work.models import Job
from medgen.home import work_of
from scoring.exports.models import ExportJob
from scoring.runs.models import MetricValue
from scoring.runs.services import present_settings
from scoring.runs.work import ask_for_metrics
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.walks]


@dataclass
class World:
    """A release with outputs and numbers, a locked study over it, and a person who holds every role."""

    submission: Submission
    locked: Study
    import_job: ImportJob
    work: Job
    person: User

    @property
    def addresses(self) -> list[str]:
        study, submission = [self.locked.slug], self.submission
        output = submission.outputs.get()
        export = ExportJob.objects.create(
            study=self.locked, format="xlsx", blinded=False, inputs_hash="i", file_sha256="f" * 64
        )
        return [
            reverse("annotation:system-detail", args=[submission.system_version.system.slug]),
            reverse("annotation:submission-detail", args=[submission.pk]),
            reverse("annotation:output-frames", args=[output.pk, 1]),
            reverse("annotation:output-data", args=[output.pk, 1]),
            reverse("annotation:import-detail", args=[self.import_job.pk]),
            reverse("annotation:import-problems", args=[self.import_job.pk]),
            reverse("annotation:job-detail", args=[self.work.pk]),
            reverse("annotation:job-progress", args=[self.work.pk]),
            reverse("scoring:metric-list", args=[submission.pk]),
            reverse("scoring:agreement", args=study),
            reverse("scoring:agreement-json", args=study),
            reverse("scoring:composite", args=study),
            reverse("scoring:leaderboard", args=study),
            reverse("scoring:leaderboard-json", args=study),
            reverse("scoring:leaderboard-receipt", args=[self.locked.slug, "A"]),
            reverse("scoring:export-list", args=study),
            reverse("scoring:workbook-download", args=study),
            reverse("scoring:export-download", args=[self.locked.slug, export.pk]),
            reverse("annotation:study-preview", args=study),
            reverse("annotation:preview-json", args=[self.locked.slug, 1]),
        ]


@pytest.fixture
def world(coordinator) -> World:
    item = factories.item(format="multimodal_generation", task="disease-prediction", reference_image=True)
    submission = factories.submission(factories.release())
    locked = factories.study(submission.release, slug="locked", submissions=[submission], state="unblinded")
    settings = present_settings(["psnr"])["psnr"]
    MetricValue.objects.create(settings=settings, output=submission.outputs.get(), value=31.25)
    job = ImportJob.objects.create(kind="outputs", dataset=item.dataset, state="done")
    person = factories.person("everything", is_operator=True, is_curator=True, may_create_studies=True)
    for role in ("coordinator", "analyst"):
        factories.enroll(locked, person, role)
    work = ask_for_metrics(submissions=[submission], actor=coordinator)
    return World(submission, locked, job, work, person)


def running(world: World) -> Study:
    study = factories.study(world.submission.release, submissions=[world.submission], state="running")
    held = factories.enroll(study, world.person)
    factories.reading(held, study.study_items.get(), list(world.submission.outputs.all()))
    return study


def draft(world: World) -> Study:
    study = factories.study(world.submission.release, submissions=[world.submission])
    factories.enroll(study, world.person)
    return study


def paused(world: World) -> Study:
    study = running(world)
    Study.objects.update(state="paused")
    Study.objects.filter(pk=world.locked.pk).update(state="unblinded")
    return study


def role_ended(world: World) -> Study:
    study = running(world)
    Enrollment.objects.filter(study=study).update(active=False)
    return study


def withdrawn(world: World) -> Study:
    study = running(world)
    Enrollment.objects.filter(study=study).update(active=False, withdrawn_at=timezone.now() - timedelta(days=1))
    return study


def account_closed_and_opened(world: World) -> Study:
    study = running(world)
    factories.person("spare_operator", is_operator=True)
    people.deactivate_person(user=world.person, actor=None)
    people.reactivate_person(user=world.person, actor=None)
    return study


def all_submitted(world: World) -> Study:
    study = running(world)
    factories.grade(study.readings.get().reading_outputs.get())
    return study


def another_release(world: World) -> Study:
    release = factories.release(version="2.0")
    study = factories.study(release, submissions=[factories.submission(release)], state="running")
    factories.enroll(study, world.person)
    return study


def also_runs_it(world: World) -> Study:
    study = running(world)
    for role in ("coordinator", "analyst"):
        factories.enroll(study, world.person, role)
    return study


WAYS = [
    running, draft, paused, role_ended, withdrawn, account_closed_and_opened, all_submitted, another_release,
    also_runs_it,
]  # fmt: skip


@pytest.mark.parametrize("reads", WAYS)
def test_who_reads_is_shut_out_until_the_study_is_locked(sign_in, world, reads: Callable[[World], Study]):
    client, addresses = sign_in(world.person), world.addresses
    before = {address: client.get(address).status_code for address in addresses}

    study = reads(world)
    client = sign_in(User.objects.get(pk=world.person.pk))
    blind = {address: client.get(address).status_code for address in addresses}
    Study.objects.filter(pk=study.pk).update(state="locked")
    after = {address: client.get(address).status_code for address in addresses}

    readable = [address for address, status in before.items() if status in {200, 302}]
    assert len(readable) >= 13
    assert {blind[address] for address in addresses} == {404}
    assert [after[address] for address in addresses] == [before[address] for address in addresses]


@pytest.mark.parametrize("reads", WAYS)
def test_questions_lists_and_numbers_hide_it_too(sign_in, world, reads: Callable[[World], Study]):
    item = world.submission.outputs.get().revision.item
    fragment = reverse("scoring:item-metrics", args=[item.pk])
    reads(world)
    client = sign_in(world.person)

    assert not Submission.objects.visible_to(world.person).exists()
    assert not System.objects.visible_to(world.person).exists()
    assert not imports_seen_by(world.person).filter(kind="outputs").exists()
    assert not Study.objects.analyzable_by(world.person).exists()
    assert not Job.objects.visible_to(world.person).filter(pk=world.work.pk).exists()
    assert work_of(world.person).n_submissions == 0
    assert b"31.25" not in client.get(fragment).content and client.get(fragment).status_code == 200
    assert b"Aurora" not in client.get(item.get_absolute_url()).content
    assert b"Aurora" not in client.get(reverse("annotation:system-list")).content
    assert b"Aurora" not in client.get(reverse("annotation:output-import")).content
    assert b"Aurora" not in client.get(reverse("annotation:study-detail", args=["locked"])).content
    assert client.get(reverse("annotation:study-create")).context["releases"] == []


@pytest.mark.parametrize("reads", [running, draft, role_ended])
def test_nobody_imports_outputs_of_what_they_read(world, tmp_path, reads: Callable[[World], Study]):
    reads(world)
    path = tmp_path / "outputs.jsonl"
    path.write_text("{}\n")

    with pytest.raises(ImportRefusedError, match="you read outputs of it blind"):
        import_outputs(path=path, dataset_slug="liver", release_version="1.0", system_slug="nova",
                       system_kind="vlm", actor=world.person)  # fmt: skip


def test_before_reading_the_fragment_shows_the_number(sign_in, world):
    item = world.submission.outputs.get().revision.item

    assert b"31.25" in sign_in(world.person).get(reverse("scoring:item-metrics", args=[item.pk])).content


def test_a_reading_coordinator_meets_what_others_said_after_the_own_readings(sign_in, world, other_reader):
    study = also_runs_it(world)
    other = factories.enroll(study, other_reader)
    shown = factories.reading(other, study.study_items.get(), list(world.submission.outputs.all()))
    factories.grade(shown.reading_outputs.get(), safety="severe")
    client, flags = sign_in(world.person), reverse("annotation:study-flags", args=[study.slug])

    waiting = client.get(flags)
    board = client.get(reverse("annotation:study-detail", args=[study.slug]))
    own = study.readings.exclude(enrollment=other).get()
    factories.grade(own.reading_outputs.get())
    done = client.get(flags)

    assert waiting.status_code == 403 and b"severe" not in waiting.content
    assert flags.encode() not in board.content
    assert done.status_code == 200 and b"severe" in done.content


def test_another_dataset_stays_open_to_a_reader(sign_in, world):
    running(world)
    factories.item(factories.dataset("other"))
    open_ = factories.submission(factories.release(factories.dataset("other")), "borealis")

    assert sign_in(world.person).get(open_.get_absolute_url()).status_code == 200
