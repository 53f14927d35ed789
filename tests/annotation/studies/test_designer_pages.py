"""The designer's pages: the form with everything a design can ask, hours before it is made, designs as files."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from annotation.studies import services
from annotation.studies.design import StudyDesign
from annotation.studies.models import Study
from annotation.studies.workload import workload
from tests.annotation.studies import world

pytestmark = pytest.mark.django_db
WORKLOAD, IMPORT = reverse("annotation:design-workload"), reverse("annotation:design-import")


@pytest.fixture
def made(coordinator):
    coordinator.may_create_studies = True
    coordinator.save()
    return world.released(16)


def typed(made, *readers, **changes):
    return {
        "of_release": "liver@1.0", "name": "Round one", "submissions": [one.code for one in made.submissions],
        "rubrics": ["T1@1.0"], "mode": "all", "readers": [one.username for one in readers], "readers_per_item": 2,
        "gap": 2, "seed": 7, "assignment": "even", "stages": 2, "repeats": 2, "washout_days": 7,
        "attention_items": 2, "pilot_items": 2, "training": "IT-000001, IT-000002", "admission": 80, "seconds": 90,
    } | changes  # fmt: skip


def test_the_form_makes_the_design_with_everything_it_asks(made, coordinator, reader, other_reader, sign_in):
    address = reverse("annotation:study-create") + "?release=liver@1.0"
    answer = sign_in(coordinator).post(address, typed(made, reader, other_reader))

    study = Study.objects.get()
    assert answer.url == reverse("annotation:study-balance", args=[study.slug])
    assert (study.stages, study.repeats, study.washout_days, study.admission) == (2, 2, 7, 0.8)
    assert study.study_items.filter(role="training").count() == 2


def test_hours_are_those_that_are_drawn_when_the_study_opens(made, coordinator, reader, other_reader, sign_in):
    page = sign_in(coordinator).post(WORKLOAD, typed(made, reader, other_reader), headers={"HX-Request": "true"})
    design = world.design(
        reader, other_reader, mode="all", stages=2, repeats=2, attention_items=2, pilot_items=2,
        training=["IT-000001", "IT-000002"],
    )  # fmt: skip
    told = workload(design, actor=coordinator, seconds=90)
    study = services.create_study(design=design, actor=coordinator)
    services.pilot_study(study=study, actor=coordinator)
    services.open_study(study=study, actor=coordinator)

    for one in told.readers:
        own = study.readings.filter(enrollment__reader_code=one.reader)
        assert own.count() == one.total
        assert own.values("reading_outputs").count() == one.outputs
        assert one.hours == pytest.approx(one.outputs * 1.5 * 90 / 3600)
    assert page.status_code == 200
    assert f"{told.hours:.1f}" in page.content.decode()
    assert not Study.objects.filter(name="Preview").exists()


def test_an_incomplete_form_and_an_impossible_design_say_what_stands_against_it(
    made, coordinator, reader, other_reader, sign_in
):
    client = sign_in(coordinator)
    nobody = client.post(WORKLOAD, typed(made, readers=[])).content.decode()
    impossible = client.post(WORKLOAD, typed(made, reader, other_reader, cap=1, repeats=0, washout_days=0))

    assert "Hours are shown when the form is complete" in nobody
    assert "the caps give 2" in impossible.content.decode()
    assert client.post(WORKLOAD, typed(made, of_release="other@1.0")).status_code == 422
    assert sign_in(reader).post(WORKLOAD, typed(made)).status_code in (403, 404)


def test_a_design_goes_out_as_a_file_and_makes_the_same_readings_again(
    made, coordinator, reader, other_reader, sign_in
):
    client = sign_in(coordinator)
    client.post(reverse("annotation:study-create") + "?release=liver@1.0", typed(made, reader, other_reader))
    study = Study.objects.get()
    data = json.loads(client.get(reverse("annotation:study-design", args=[study.slug])).content)
    data["slug"] = "again"
    file = SimpleUploadedFile("again.json", json.dumps(data).encode())

    answer = client.post(IMPORT, {"file": file})

    again = Study.objects.get(slug="again")
    assert answer.url == reverse("annotation:study-balance", args=["again"])
    hashes = [services.open_study(study=one, actor=coordinator).design_hash for one in (study, again)]
    assert hashes[0] == hashes[1]
    refused = client.get(reverse("annotation:study-design", args=[study.slug]))
    assert (refused.status_code, "its seed tells their letters" in refused.json()["error"]) == (409, True)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"\xff\xfe", "is not JSON"), (b"[]", "must be a JSON object"), (b'{"name": "x"}', "slug: is missing")],
)
def test_a_bad_design_file_is_refused_by_field(content, words, made, coordinator, sign_in):
    answer = sign_in(coordinator).post(IMPORT, {"file": SimpleUploadedFile("design.json", content)})

    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_a_pilot_is_started_from_the_page_and_the_study_opened_after_it(
    made, coordinator, reader, other_reader, sign_in
):
    client = sign_in(coordinator)
    design = world.design(reader, other_reader, pilot_items=2)
    study = services.create_study(design=design, actor=coordinator)

    client.post(reverse("annotation:study-pilot", args=[study.slug]))
    study.refresh_from_db()
    assert study.state == "pilot"
    again = client.post(reverse("annotation:study-pilot", args=[study.slug]))
    assert again.status_code == 409
    client.post(reverse("annotation:study-open", args=[study.slug]))
    study.refresh_from_db()
    assert study.state == "running"


def test_one_output_a_reading_and_two_stages_do_not_go_together():
    with pytest.raises(ValueError, match="known from its first output on"):
        StudyDesign.from_json(world.design_data("reader", stages=2, mode="one"))
