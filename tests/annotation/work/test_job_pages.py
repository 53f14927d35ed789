"""Pages of jobs: one's own, all for an operator; stopping, going on, progress."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.work import services
from annotation.work.executor import drain
from annotation.work.models import Job
from tests.annotation.work.errands import register_errands

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def errands():
    register_errands()


def ask(actor=None, **parameters) -> Job:
    return services.enqueue(kind="errand", title="Count", parameters=parameters, requested_by=actor)


def test_a_person_sees_the_own_jobs_and_an_operator_all(curator, other_curator, operator, sign_in):
    job = ask(curator, n=1)
    page = reverse("annotation:job-detail", args=[job.pk])

    assert sign_in(curator).get(page).status_code == 200
    assert sign_in(operator).get(page).status_code == 200
    assert sign_in(other_curator).get(page).status_code == 404
    assert "Count" in sign_in(curator).get(reverse("annotation:job-list")).content.decode()
    assert "No jobs" in sign_in(other_curator).get(reverse("annotation:job-list")).content.decode()


def test_the_pages_stop_a_job_and_let_it_go_on(curator, sign_in):
    job = ask(curator, n=2)
    client = sign_in(curator)

    assert client.post(reverse("annotation:job-cancel", args=[job.pk])).status_code == 302
    assert client.post(reverse("annotation:job-cancel", args=[job.pk])).status_code == 409
    assert client.post(reverse("annotation:job-resume", args=[job.pk])).status_code == 302
    drain()
    fragment = client.get(reverse("annotation:job-progress", args=[job.pk])).content.decode()
    assert "2 of 2 items" in fragment
    assert "hx-get" not in fragment


def test_the_number_of_queries_of_the_list_does_not_grow(curator, sign_in, django_assert_max_num_queries):
    client = sign_in(curator)
    ask(curator, n=1)
    page = reverse("annotation:job-list")
    with CaptureQueriesContext(connection) as one:
        client.get(page)
    for _ in range(30):
        ask(curator, n=1)

    with django_assert_max_num_queries(len(one)):
        client.get(page)


def test_the_result_is_offered_to_who_asked_for_it_only(curator, operator, sign_in):
    job = ask(curator, n=1)
    drain()
    Job.objects.filter(pk=job.pk).update(result={"url": "/imports/x/", "label": "Show the import"})
    page = reverse("annotation:job-detail", args=[job.pk])

    assert "Show the import" in sign_in(curator).get(page).content.decode()
    assert "/imports/x/" not in sign_in(operator).get(page).content.decode()
