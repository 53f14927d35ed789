"""Every address that is asked for needs the same number of queries at 10 rows and at 200; pages are stable."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.people.models import User
from annotation.people.tokens import SCOPES
from tests import factories
from tests.acceptance.many import Many
from tests.api.world import Program

pytestmark = [pytest.mark.django_db, pytest.mark.walks]

SMALL, LARGE = 10, 200
BUDGET = 20
STAFF = (
    "me/", "people/?page_size=200", "people/{person.pk}/", "trail/?page_size=200", "jobs/?page_size=200", "datasets/",
    "datasets/main/", "datasets/main/items/?page_size=200", "datasets/main/items/?q=Question&state=accepted",
    "items/{item.pk}/", "items/{item.pk}/reviews/", "items/{item.pk}/metrics/", "checklist/",
    "datasets/main/review-status/", "datasets/main/review-queue/?page_size=200", "datasets/main/releases/",
    "datasets/main/releases/1.0/", "datasets/main/releases/1.0/manifest/", "datasets/main/release-blockers/",
    "systems/", "systems/first/", "submissions/?page_size=200", "submissions/{submission.pk}/",
    "submissions/{submission.pk}/coverage/", "submissions/{submission.pk}/outputs/?page_size=200",
    "submissions/{submission.pk}/metrics/?page_size=200", "submissions/{submission.pk}/metric-summaries/",
    "outputs/{output.pk}/", "imports/?page_size=200", "imports/{job.pk}/", "imports/{job.pk}/problems/?page_size=200",
    "studies/?page_size=200", "studies/main/", "studies/main/progress/", "studies/main/enrollments/?page_size=200",
    "studies/main/flags/", "datasets/main/members/?page_size=200", "studies/main/unblinding-risks/?page_size=200",
    "studies/main/consent-forms/", "studies/main/preview/1/", "retention/", "people/pauses/", "rubrics/",
    "rubrics/T1/1.0/", "taxonomy/",
)  # fmt: skip
READER = (
    "studies/", "readings/?page_size=200", "readings/?study=main&status=queued", "readings/{reading.pk}/",
    "readings/{graded.pk}/", "readings/{reading.pk}/panes/0/frames/", "readings/{reading.pk}/panes/0/data/",
)  # fmt: skip


@pytest.fixture
def staff(db) -> User:
    return factories.person("staff", is_operator=True, is_curator=True, may_create_studies=True)


@pytest.fixture
def many(staff, reader) -> Many:
    return Many(staff, reader)


def queries(program: Program, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        answer = program.get(address)
    assert answer.status == 200, f"{address}: {answer.status} {answer.data}"
    return len(captured)


def wrong(many: Many, program: Program, addresses: tuple[str, ...]) -> list[str]:
    many.grow(SMALL)
    for address in addresses:
        program.get(address.format(**many.rows(0)))
    before = {address: queries(program, address.format(**many.rows(1))) for address in addresses}
    many.grow(LARGE)
    after = {address: queries(program, address.format(**many.rows(2))) for address in addresses}
    return [
        f"{address}: {before[address]} at {SMALL}, {after[address]} at {LARGE}"
        for address in addresses
        if after[address] != before[address] or after[address] > BUDGET
    ]


def test_what_staff_ask_for_needs_no_more_queries_with_more_rows(many, staff):
    assert wrong(many, Program(staff, tuple(SCOPES)), STAFF) == []


def test_what_readers_ask_for_needs_no_more_queries_with_more_rows(many, reader):
    assert wrong(many, Program(reader, ("read", "grade")), READER) == []


def test_pages_follow_each_other_without_gap_or_repeat(many, staff):
    many.grow(25)
    program, address, seen = Program(staff), "/api/v1/datasets/main/items/?page_size=10&q=question", []

    while address:
        page = program.get(address.removeprefix("/api/v1/")).data
        seen += [row["id"] for row in page["results"]]
        address = page["next"]

    assert len(seen) == len(set(seen)) == page["count"] > 20
    assert page["previous"].startswith("/api/v1/datasets/main/items/?")


@pytest.mark.parametrize("query", ["page=0", "page=x", "page=99", "page_size=0", "page_size=201"])
def test_a_page_that_is_none_is_refused(many, staff, query):
    many.grow(3)

    assert Program(staff).send("get", f"datasets/main/items/?{query}").status in {400, 404}
