"""What is kept about people can be seen, and what names them can be erased without touching what they did."""

import pytest
from django.core.management import call_command
from django.urls import reverse

from annotation.audit.models import Event
from annotation.grading.models import Grade
from annotation.people.models import User
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def graded(reader):
    reader.name, reader.email, reader.specialty = "Dr. Zebra", "zebra@example.org", "Radiology"
    reader.save()
    factories.item()
    release = factories.release()
    submission = factories.submission(release)
    study = factories.study(release, submissions=[submission], state="locked")
    reading = factories.reading(
        factories.enroll(study, reader), study.study_items.get(), list(submission.outputs.all())
    )
    return factories.grade(reading.reading_outputs.get(), rationale="words")


def test_the_report_counts_what_each_person_and_study_keeps(graded, operator, sign_in, reader):
    said = sign_in(operator).get(reverse("retention"), {"as": "json"}).json()

    person = next(row for row in said["people"] if row["username"] == "reader")
    assert (person["grades"], person["holds"]) == (1, ["name", "e-mail", "specialty"])
    (study,) = said["studies"]
    assert (study["readers"], study["written_texts"], study["drafts"]) == (1, 1, 0)
    assert sign_in(operator).get(reverse("retention")).status_code == 200
    assert sign_in(reader).get(reverse("retention")).status_code == 403


def test_the_number_of_queries_does_not_grow(graded, operator, sign_in, django_assert_num_queries):
    client = sign_in(operator)
    client.get(reverse("retention"))
    with django_assert_num_queries(7):
        client.get(reverse("retention"))
    for number in range(20):
        factories.person(f"more{number}")
    with django_assert_num_queries(7):
        client.get(reverse("retention"))


def test_an_active_account_is_not_erased(reader, operator, sign_in):
    page = sign_in(operator).post(reverse("annotation:person-erase", args=[reader.pk]))

    assert page.status_code == 422
    assert "deactivate the account first" in page.content.decode()


def test_erasing_leaves_the_grade_and_no_name_anywhere(graded, reader, operator, sign_in):
    User.objects.filter(pk=reader.pk).update(is_active=False)
    before = Grade.objects.values().get()

    assert sign_in(operator).post(reverse("annotation:person-erase", args=[reader.pk])).status_code == 302

    assert Grade.objects.values().get() == before
    erased = User.objects.get(pk=reader.pk)
    assert erased.username.startswith("erased-")
    assert not any((erased.name, erased.email, erased.specialty, erased.has_usable_password()))
    assert "Zebra" not in str(list(User.objects.values()))
    assert "Zebra" not in str(list(Event.objects.values()))
    assert Event.objects.filter(verb="person erased", subject_id=str(reader.pk)).exists()
    again = sign_in(operator).post(reverse("annotation:person-erase", args=[reader.pk]))
    assert again.status_code == 422


def test_sessions_that_ended_can_be_removed_by_the_command_the_page_names(db):
    call_command("clearsessions")
