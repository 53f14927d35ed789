"""Systems, submissions and outputs: who sees them, what they show, at what cost."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.assets import storage
from annotation.datasets.models import ImportJob
from annotation.studies.models import Study
from annotation.systems.models import OutputPart, Submission
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def submission() -> Submission:
    factories.item()
    factories.item(format="image_editing", task="contrast-enhancement", modality="xr")
    made = factories.submission(factories.release())
    for part in OutputPart.objects.filter(kind="image"):
        storage.write_once(storage.frames_path(part.asset), b"frames")
    return made


def edit_output(submission):
    return submission.outputs.get(revision__format="image_editing")


def addresses(submission) -> list[str]:
    output, position = edit_output(submission), 0
    job = ImportJob.objects.create(kind="outputs", dataset=submission.dataset, state="done")
    return [
        reverse("annotation:system-detail", args=["aurora"]),
        submission.get_absolute_url(),
        reverse("annotation:output-frames", args=[output.pk, position]),
        reverse("annotation:output-data", args=[output.pk, position]),
        job.get_absolute_url(),
        reverse("annotation:import-problems", args=[job.pk]),
    ]


def test_those_who_see_items_see_systems(submission, curator, coordinator, sign_in):
    for user in (curator, coordinator):
        client = sign_in(user)
        assert b"aurora" in client.get(reverse("annotation:system-list")).content
        assert [client.get(url).status_code for url in addresses(submission)] == [200] * 6


def test_strangers_and_readers_meet_404(submission, stranger, reader, analyst, sign_in):
    for user in (stranger, reader, analyst):
        client = sign_in(user)
        assert client.get(reverse("annotation:system-list")).status_code == 404
        assert {client.get(url).status_code for url in addresses(submission)} == {404}


@pytest.mark.parametrize("state", ["draft", "running", "paused"])
def test_a_blind_reader_meets_404_whatever_else_they_are(submission, coordinator, sign_in, state):
    study = factories.study(submission.release, submissions=[submission], state=state)
    factories.enroll(study, coordinator, "coordinator")
    factories.enroll(study, coordinator, "reader")
    client = sign_in(coordinator)

    assert {client.get(url).status_code for url in addresses(submission)} == {404}
    assert b"urora" not in client.get(reverse("annotation:system-list")).content
    form = client.get(reverse("annotation:output-import")).content
    assert b"urora" not in form and b"liver@1.0" not in form


@pytest.mark.parametrize("version", ["1.1", None])
def test_a_blind_reader_meets_404_for_what_the_system_delivered_elsewhere(submission, coordinator, sign_in, version):
    elsewhere = submission if version is None else factories.submission(factories.release(version=version))
    if version is None:
        Submission.objects.filter(pk=submission.pk).update(release=None)
    read = factories.study(submission.dataset.releases.get(version="1.0"))
    factories.enroll(read, coordinator, "reader")
    client = sign_in(coordinator)

    assert {client.get(url).status_code for url in addresses(elsewhere)} == {404}
    assert b"urora" not in client.get(reverse("annotation:system-list")).content
    form = client.get(reverse("annotation:output-import")).content
    assert b"urora" not in form and b"liver@" not in form


def test_a_blind_reader_has_no_numbers_of_another_study_of_the_same_items(submission, coordinator):
    read = factories.study(submission.release)
    other = factories.study(factories.release(version="1.1"), slug="round-2", state="locked")
    factories.enroll(other, coordinator, "analyst")
    assert Study.objects.analyzable_by(coordinator).exists()

    factories.enroll(read, coordinator, "reader")

    assert not Study.objects.analyzable_by(coordinator).exists()


def test_after_the_lock_the_reader_sees_them(submission, coordinator, sign_in):
    study = factories.study(submission.release, submissions=[submission], state="locked")
    factories.enroll(study, coordinator, "reader")

    assert {sign_in(coordinator).get(url).status_code for url in addresses(submission)} == {200}


def test_the_submission_shows_coverage_outputs_and_failures(submission, curator, sign_in):
    item = factories.item(format="image_editing", task="contrast-enhancement", modality="xr")
    other = factories.item()
    factories.output(submission, item.current_revision, status="error", error_text="Edit Error: <out of memory>")
    factories.output(submission, other.current_revision, status="missing")

    page = sign_in(curator).get(submission.get_absolute_url())

    text = page.content.decode()
    assert page.context["whole"].by_status == {"ok": 2, "error": 1, "missing": 1}
    assert "Edit Error: &lt;out of memory&gt;" in text
    assert f'<p class="mono small">{other.code}</p>' in text


def test_an_output_is_shown_beside_its_item(submission, curator, sign_in):
    output = edit_output(submission)

    page = sign_in(curator).get(submission.get_absolute_url(), {"output": output.pk}).content.decode()

    assert reverse("annotation:output-frames", args=[output.pk, 0]) in page
    assert reverse("annotation:image-frames", args=[output.revision.item_id, 0]) in page


@pytest.mark.parametrize("wrong", ["nonsense", "00000000-0000-0000-0000-000000000000"])
def test_an_output_that_is_none_is_404(submission, curator, sign_in, wrong):
    assert sign_in(curator).get(submission.get_absolute_url(), {"output": wrong}).status_code == 404


def test_outputs_are_filtered_by_what_is_there(submission, curator, sign_in):
    client = sign_in(curator)

    edits = client.get(submission.get_absolute_url(), {"task": "contrast-enhancement"})
    wrong = client.get(submission.get_absolute_url(), {"task": "style-transfer"})

    assert [row.revision.format for row in edits.context["page_obj"]] == ["image_editing"]
    assert wrong.status_code == 422


def test_pages_need_the_same_queries_with_a_hundred_rows_more(submission, curator, sign_in):
    client = sign_in(curator)
    urls = [reverse("annotation:system-list"), addresses(submission)[0], submission.get_absolute_url()]

    def queries() -> list[int]:
        counts = []
        for url in urls:
            client.get(url)
            with CaptureQueriesContext(connection) as captured:
                assert client.get(url).status_code == 200
            counts.append(len(captured))
        return counts

    few = queries()
    dataset = submission.dataset
    for number in range(100):
        factories.output(submission, factories.item(dataset).current_revision)
        if number % 10 == 0:
            factories.submission(factories.release(dataset, f"2.{number}"), f"system-{number}", outputs=False)
            factories.submission(factories.release(dataset, f"3.{number}"), "aurora", outputs=False)

    assert queries() == few


def test_empty_pages_say_what_to_do(curator, coordinator, sign_in):
    url = reverse("annotation:system-list")

    assert "Import outputs" in sign_in(coordinator).get(url).content.decode()
    assert "Those who may create studies can do that." in sign_in(curator).get(url).content.decode()
