"""Reading as a reader before anybody reads: the same JSON, the same pictures, nothing saved."""

import pytest
from django.urls import reverse

from annotation.studies import services
from annotation.studies.models import Reading, ReadingOutput
from tests.annotation.grading import world as grading_world
from tests.annotation.studies import world

pytestmark = pytest.mark.django_db


def url(name, *rest):
    return reverse(f"annotation:{name}", args=rest)


@pytest.fixture
def study(coordinator, reader, other_reader):
    made = world.released(4, format="image_editing", task="noise-reconstruction")
    for released in made.release.release_items.select_related("revision__item"):
        grading_world.give_pictures(released.revision.item)
    return services.create_study(design=world.design(reader, other_reader, mode="all"), actor=coordinator)


def test_a_draft_is_previewed_from_a_trial_drawing(study, coordinator, sign_in):
    client = sign_in(coordinator)

    data = client.get(url("preview-json", study.slug, 2)).json()

    assert (data["preview"], data["position"], data["of"], data["id"]) == (True, 2, 4, "preview-2")
    assert [output["label"] for output in data["outputs"]] == ["A", "B"]
    assert data["urls"]["draft"] is None and data["urls"]["submit"] is None
    assert data["urls"]["next"] == url("preview-json", study.slug, 3)
    assert data["urls"]["previous_page"] == url("preview-detail", study.slug, 1)
    assert Reading.objects.count() == 0


def test_the_preview_has_the_keys_of_a_reading(study, coordinator, reader, sign_in):
    preview = sign_in(coordinator).get(url("preview-json", study.slug, 1)).json()
    services.open_study(study=study, actor=coordinator)
    reading = Reading.objects.filter(enrollment__user=reader).first()

    real = sign_in(reader).get(url("reading-json", reading.pk)).json()

    assert set(preview) == set(real) and set(preview["urls"]) == set(real["urls"])


def test_the_trial_shows_what_opening_stores(study, coordinator, sign_in):
    client = sign_in(coordinator)
    trial = [client.get(url("preview-json", study.slug, n)).json()["panes"] for n in range(1, 5)]
    header = client.get(trial[0][-1]["frames"]).json()
    services.open_study(study=study, actor=coordinator)

    stored = [client.get(url("preview-json", study.slug, n)).json()["panes"] for n in range(1, 5)]

    assert trial == stored and client.get(stored[0][-1]["frames"]).json() == header


def test_the_first_reader_who_has_the_item_is_shown(study, coordinator, sign_in):
    services.open_study(study=study, actor=coordinator)
    item = study.study_items.order_by("revision__item__number")[1]
    first = Reading.objects.filter(study_item=item).order_by("enrollment__reader_code", "position").first()
    labels = dict(ReadingOutput.objects.filter(reading=first).values_list("label", "output_id"))

    from annotation.grading import preview

    shown = preview.previewed(study, 2).shown
    assets = {pane.label: pane.asset for pane in shown.panes if pane.role == "output"}
    for label, output in labels.items():
        assert ReadingOutput.objects.filter(output=output, output__parts__asset=assets[label]).exists()


def test_pictures_are_served_under_the_address_of_the_preview(study, coordinator, sign_in):
    client = sign_in(coordinator)
    pane = client.get(url("preview-json", study.slug, 1)).json()["panes"][0]

    header = client.get(pane["frames"])

    assert header.status_code == 200 and header.json()["data"] == url("preview-data", study.slug, 1, 0)
    assert client.get(header.json()["data"]).status_code == 200


@pytest.mark.parametrize("number", [0, 5, 99])
def test_an_item_that_is_not_there_is_404(study, coordinator, sign_in, number):
    for name in ("preview-json", "preview-detail"):
        assert sign_in(coordinator).get(url(name, study.slug, number)).status_code == 404


def test_a_draft_that_cannot_be_drawn_has_no_preview(study, coordinator, other_reader, sign_in):
    study.enrollments.filter(user=other_reader).update(active=False)

    assert sign_in(coordinator).get(url("preview-json", study.slug, 1)).status_code == 404


def test_only_coordinators_preview(study, reader, stranger, client, sign_in):
    for name, rest in (("preview-json", [1]), ("preview-frames", [1, 0]), ("preview-data", [1, 0])):
        assert sign_in(reader).get(url(name, study.slug, *rest)).status_code == 403
        assert sign_in(stranger).get(url(name, study.slug, *rest)).status_code == 404
        assert client.get(url(name, study.slug, *rest)).status_code == 401
    assert sign_in(reader).get(url("study-preview", study.slug)).status_code == 403


def test_the_start_goes_to_the_first_item_and_its_page_opens_the_workstation(study, coordinator, sign_in):
    client = sign_in(coordinator)

    start = client.get(url("study-preview", study.slug))
    page = client.get(start.headers["Location"])

    assert start.headers["Location"] == url("preview-detail", study.slug, 1)
    assert page.status_code == 200 and url("preview-json", study.slug, 1) in page.content.decode()
