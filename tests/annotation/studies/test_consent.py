"""Readers agree before the first reading, to the version they saw, and may leave; nothing they gave is lost."""

import pytest
from django.urls import reverse

from annotation.audit.models import Event
from annotation.studies import consent, services
from annotation.studies.errors import StudyError
from annotation.studies.models import Consent, ConsentForm
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(coordinator):
    factories.item()
    release = factories.release()
    submission = factories.submission(release)
    made = factories.study(
        release, submissions=[submission], state="running", instructions="Look.", consent_text="Kept."
    )
    factories.enroll(made, coordinator, "coordinator")
    return made


@pytest.fixture
def enrollment(study, reader):
    return factories.enroll(study, reader)


@pytest.fixture
def reading(study, enrollment):
    outputs = list(study.study_systems.get().submission.outputs.all())
    return factories.reading(enrollment, study.study_items.get(), outputs)


@pytest.fixture
def form(study, coordinator) -> ConsentForm:
    return consent.publish_form(study=study, instructions="Look.", text="Kept.", actor=coordinator)


def test_the_form_stands_before_the_first_reading(form, reading, study, sign_in, reader):
    client = sign_in(reader)
    page = reverse("annotation:consent-detail", args=[study.slug])

    assert client.get(reverse("annotation:reading-next", args=[study.slug])).headers["Location"] == page
    assert client.get(reading.get_absolute_url()).headers["Location"] == page
    assert client.get(reverse("annotation:reading-json", args=[reading.pk])).status_code == 403
    assert client.get(reverse("annotation:pane-frames", args=[reading.pk, 0])).status_code == 403

    answer = client.post(page, {"version": "1"})

    assert answer.status_code == 302
    assert client.get(reading.get_absolute_url()).status_code == 200
    assert client.get(reverse("annotation:reading-json", args=[reading.pk])).status_code == 200
    assert Event.objects.filter(verb="consent given").get().details["version"] == 1


def test_a_study_without_words_asks_for_nothing(reading, sign_in, reader):
    assert sign_in(reader).get(reading.get_absolute_url()).status_code == 200


def test_opening_a_study_publishes_its_words_as_version_one(study, coordinator):
    consent.publish_at_opening(study=study, actor=coordinator)
    consent.publish_at_opening(study=study, actor=coordinator)

    assert ConsentForm.objects.values_list("version", "instructions", "text").get() == (1, "Look.", "Kept.")


def test_a_new_version_is_asked_before_the_next_page_and_open_work_can_still_be_sent(
    form, reading, study, sign_in, reader, coordinator, enrollment
):
    consent.give_consent(enrollment=enrollment, version=1, actor=reader)
    consent.publish_form(study=study, instructions="Look twice.", text="Kept.", actor=coordinator)
    client = sign_in(reader)

    assert client.get(reading.get_absolute_url()).status_code == 302
    body = {"payload": {"outputs": {}}, "client_id": "c", "revision": 1, "base_revision": 0}
    saved = client.post(reverse("annotation:draft-save", args=[reading.pk]), body, content_type="application/json")

    assert saved.status_code == 200


def test_an_old_version_cannot_be_agreed_to(form, study, enrollment, reader, coordinator, sign_in):
    consent.publish_form(study=study, instructions="Look twice.", text="Kept.", actor=coordinator)

    with pytest.raises(consent.StaleFormError, match="version 2"):
        consent.give_consent(enrollment=enrollment, version=1, actor=reader)
    page = sign_in(reader).post(reverse("annotation:consent-detail", args=[study.slug]), {"version": "1"})
    assert page.status_code == 409
    assert "Look twice." in page.content.decode()
    assert not Consent.objects.exists()


@pytest.mark.parametrize("version", ["", "x", "²", "9" * 40, "-1"])
def test_a_version_that_is_none_is_refused_in_words(version, form, study, enrollment, reader, sign_in):
    page = sign_in(reader).post(reverse("annotation:consent-detail", args=[study.slug]), {"version": version})

    assert page.status_code == 409


def test_agreeing_twice_counts_once(form, enrollment, reader):
    consent.give_consent(enrollment=enrollment, version=1, actor=reader)
    consent.give_consent(enrollment=enrollment, version=1, actor=reader)

    assert Consent.objects.count() == 1


def test_nobody_agrees_or_leaves_for_another(form, enrollment, other_reader):
    for act in (consent.withdraw, lambda **who: consent.give_consent(version=1, **who)):
        with pytest.raises(StudyError, match="Only the reader"):
            act(enrollment=enrollment, actor=other_reader)


def test_leaving_keeps_the_grades_and_ends_the_readings(
    form, reading, enrollment, study, reader, sign_in, coordinator
):
    consent.give_consent(enrollment=enrollment, version=1, actor=reader)
    made = factories.grade(reading.reading_outputs.get())
    client = sign_in(reader)

    answer = client.post(reverse("annotation:consent-withdraw", args=[study.slug]))

    assert answer.status_code == 302
    made.refresh_from_db()
    assert made.author_id == reader.pk
    enrollment.refresh_from_db()
    assert enrollment.withdrawn_at is not None
    asked = client.get(reverse("annotation:reading-json", args=[reading.pk]))
    assert asked.status_code in {403, 404}
    body = {"payload": {"outputs": {}}, "client_id": "c", "revision": 1, "base_revision": 0}
    refused = client.post(reverse("annotation:draft-save", args=[reading.pk]), body, content_type="application/json")
    assert refused.status_code == 403
    assert "no longer take part" in refused.json()["error"]
    with pytest.raises(StudyError, match="only they themselves"):
        services.enroll_person(study=study, user=reader, role="reader", actor=coordinator)


def test_who_left_can_come_back_by_agreeing_again(form, enrollment, reader, study, sign_in):
    consent.give_consent(enrollment=enrollment, version=1, actor=reader)
    consent.withdraw(enrollment=enrollment, actor=reader)

    page = sign_in(reader).post(reverse("annotation:consent-detail", args=[study.slug]), {"version": "1"})

    assert page.status_code == 302
    enrollment.refresh_from_db()
    assert (enrollment.active, enrollment.withdrawn_at) == (True, None)
    assert list(Consent.objects.order_by("id").values_list("act", flat=True)) == ["given", "withdrawn", "given"]


def test_a_coordinator_publishes_versions_and_sees_who_many_agreed(
    form, enrollment, study, coordinator, reader, sign_in
):
    consent.give_consent(enrollment=enrollment, version=1, actor=reader)
    client = sign_in(coordinator)
    page = reverse("annotation:consent-form-list", args=[study.slug])

    same = client.post(page, {"instructions": "Look.", "text": "Kept."})
    new = client.post(page, {"instructions": "Look twice.", "text": "Kept."})
    empty = client.post(page, {"instructions": " ", "text": ""})

    assert same.status_code == 422
    assert "Nothing changed" in same.content.decode()
    assert new.status_code == 302
    assert empty.status_code == 422
    assert list(ConsentForm.objects.order_by("version").values_list("instructions", flat=True)) == [
        "Look.",
        "Look twice.",
    ]
    assert sign_in(reader).get(page).status_code == 403
