"""Lists, item pages and the workstation need the same number of queries at 10 rows and at 300 or 1,000."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotation.people.models import User
from tests import factories
from tests.acceptance.many import Many

pytestmark = pytest.mark.django_db

SMALL, SOME, LARGE = 10, 300, 1000
BUDGET = 30

STAFF_PAGES = (
    "/", "/datasets/", "/datasets/main/", "/datasets/main/items/", "/datasets/main/items/?q=Question&state=accepted",
    "/datasets/main/items/?page=2", "/items/{item.pk}/", "/items/{item.pk}/_metrics/",
    "/items/{item.pk}/images/0/frames.json", "/items/{item.pk}/images/0/thumbnail.png", "/datasets/main/review/",
    "/datasets/main/review/?state=accepted", "/items/{item.pk}/review/", "/items/{item.pk}/fix/",
    "/datasets/main/releases/", "/datasets/main/releases/1.0/", "/datasets/main/releases/freeze/", "/systems/",
    "/systems/first/", "/submissions/{submission.pk}/", "/submissions/{submission.pk}/?output={output.pk}",
    "/submissions/{submission.pk}/metrics/", "/imports/{job.pk}/", "/outputs/import/", "/datasets/import/",
    "/studies/", "/studies/main/", "/studies/main/people/", "/studies/main/_flags/", "/studies/main/preview/1/",
    "/studies/main/preview/1/reading.json", "/studies/new/", "/studies/new/?release=main@1.0", "/people/",
    "/people/new/", "/people/{person.pk}/",
)  # fmt: skip
READER_PAGES = (
    "/", "/studies/", "/studies/main/readings/", "/studies/main/readings/?status=queued", "/studies/main/read/",
    "/readings/{reading.pk}/", "/readings/{reading.pk}/reading.json", "/readings/{graded.pk}/reading.json",
    "/readings/{reading.pk}/panes/0/frames.json", "/readings/{reading.pk}/panes/0/frames.bin",
)  # fmt: skip


@pytest.fixture
def staff(db) -> User:
    return factories.person("staff", is_operator=True, is_curator=True, may_create_studies=True)


@pytest.fixture
def many(staff, reader) -> Many:
    return Many(staff, reader)


def queries(client: Client, url: str) -> list[str]:
    """The statements of one request."""
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(url)
        if answer.streaming:
            b"".join(answer.streaming_content)
    assert answer.status_code in {200, 302}, f"{url}: {answer.status_code}"
    return [query["sql"] for query in captured]


def grown(before: list[str], after: list[str]) -> str:
    """What is asked more often than before, in words."""
    extra = list(after)
    for statement in before:
        shape = statement[:60]
        match = next((one for one in extra if one[:60] == shape), None)
        if match is not None:
            extra.remove(match)
    return "\n".join(f"    {statement[:200]}" for statement in extra[:3])


def compare(many: Many, client: Client, urls: tuple[str, ...], *, size: int) -> list[str]:
    """Pages whose queries grow with the rows, or are too many at all.

    Every page is asked for once before it is measured, so that what a process keeps of a study is there; the
    readings that are measured are new each time, so that nothing of them is kept.
    """
    many.grow(SMALL)
    for url in urls:
        client.get(url.format(**many.rows(0)))
    small = {url: queries(client, url.format(**many.rows(1))) for url in urls}
    many.grow(size)
    wrong = []
    for url, before in small.items():
        after = queries(client, url.format(**many.rows(2)))
        if len(after) != len(before):
            wrong.append(
                f"{url}: {len(before)} queries at {SMALL} rows, {len(after)} at {size}\n{grown(before, after)}"
            )
        elif len(after) > BUDGET:
            wrong.append(f"{url}: {len(after)} queries")
    return wrong


def test_pages_of_staff_need_no_more_queries_for_more_rows(many, staff, sign_in: Callable[[User], Client]):
    wrong = compare(many, sign_in(staff), STAFF_PAGES, size=SOME)

    assert wrong == [], "\n".join(wrong)


def test_pages_of_a_reader_need_no_more_queries_for_more_rows(many, reader, sign_in: Callable[[User], Client]):
    wrong = compare(many, sign_in(reader), READER_PAGES, size=LARGE)

    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize("roles", [{"is_operator": True}, {"is_curator": True}, {"may_create_studies": True}, {}])
def test_the_home_page_of_each_role_needs_no_more_queries_for_more_rows(many, sign_in, roles):
    person = factories.person("someone", **roles)
    client = sign_in(person)
    many.grow(SMALL)
    queries(client, "/")
    small = queries(client, "/")

    many.grow(SOME)

    assert len(queries(client, "/")) == len(small)


def test_a_search_for_a_common_word_is_answered_page_by_page(many, staff, sign_in):
    many.grow(SMALL + 50)

    answer = sign_in(staff).get("/datasets/main/items/?q=Question")

    assert answer.status_code == 200
    assert answer.content.count(b"/items/") < 4 * 50
