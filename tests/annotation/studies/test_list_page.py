"""The list of studies: empty, and with many of them."""

import pytest
from django.urls import reverse

from tests import factories

pytestmark = pytest.mark.django_db


def url(name, *rest):
    return reverse(f"annotation:{name}", args=rest)


def test_an_empty_list_says_what_to_do_next(coordinator, stranger, sign_in):
    for user, words in ((coordinator, "Make a study"), (stranger, "once its coordinator gives you a role")):
        page = sign_in(user).get(url("study-list")).content.decode()

        assert "No studies yet" in page and words in page


def test_the_list_takes_the_same_queries_for_many_studies(coordinator, sign_in, django_assert_num_queries):
    release = factories.release()
    client = sign_in(coordinator)

    def queries(n):
        for number in range(n):
            made = factories.study(release, slug=f"s{n}-{number}")
            factories.enroll(made, coordinator, "coordinator")
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as seen:
            assert client.get(url("study-list")).status_code == 200
        return len(seen)

    assert queries(1) == queries(20) <= 10
