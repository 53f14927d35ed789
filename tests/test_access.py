"""Every address × every role: a row per address, and an address without a row fails the suite.

`ok` means the act is open to the role (whatever the answer to an empty form is: 200, 302, 400, 409, 410 or 422);
`sign-in` means a redirect to the sign-in page, 401 the same for the workstation's own requests.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from annotation.datasets.models import ImportJob
from annotation.people.models import User
from tests import factories

pytestmark = pytest.mark.django_db

ROLES = ("anonymous", "stranger", "operator", "curator", "creator", "coordinator", "analyst", "reader", "blind")
OPEN = {200, 206, 302, 400, 409, 410, 415, 422}
IN = "sign-in"


def row(**allowed: Any) -> dict[str, Any]:
    """Expected answers by role; `others` for the signed-in roles not named."""
    others = allowed.pop("others", 404)
    table = {role: allowed.get(role, others) for role in ROLES}
    table["anonymous"] = allowed.get("anonymous", IN)
    return table


EVERYBODY = {role: "ok" for role in ROLES}
SIGNED_IN = row(others="ok")
OPERATORS = row(operator="ok", others=403)
ITEMS = {"curator": "ok", "creator": "ok", "coordinator": "ok", "blind": "ok"}
SEES_ITEMS = row(**ITEMS)
SEES_SYSTEMS = row(**ITEMS | {"blind": 404})
CURATES = row(**ITEMS | {"creator": 403, "coordinator": 403, "blind": 403})
CREATES = row(creator="ok", coordinator="ok", blind="ok", curator=403, others=404)
RUNS = row(coordinator="ok", analyst=403, reader=403, blind=403, others=404)
ANALYZES = row(coordinator="ok", analyst="ok", others=404)
READS = row(reader="ok", others=404)
READS_JSON = READS | {"anonymous": 401}
"""name → (method, expected). Arguments come from `world`."""
TABLE: dict[str, tuple[str, dict[str, Any]]] = {
    "home": ("get", SIGNED_IN),
    "healthz": ("get", EVERYBODY),
    "readyz": ("get", EVERYBODY),
    "annotation:sign-in": ("get", EVERYBODY),
    "annotation:sign-out": ("post", EVERYBODY),
    "annotation:password-change": ("get", SIGNED_IN),
    "annotation:invitation-accept": ("get", EVERYBODY),
    "annotation:person-list": ("get", OPERATORS),
    "annotation:person-create": ("get", OPERATORS),
    "annotation:person-detail": ("get", OPERATORS),
    "annotation:person-roles": ("post", OPERATORS),
    "annotation:person-activity": ("post", OPERATORS),
}


def addresses(patterns: Any = None, namespace: str = "") -> Iterator[str]:
    """The names of all addresses of the product."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from addresses(pattern.url_patterns, inner)
        elif isinstance(pattern, URLPattern):
            assert pattern.name, f"{pattern}: an address without a name"
            yield f"{namespace}{pattern.name}"


def test_every_address_has_a_row():
    assert sorted(set(addresses()) - set(TABLE)) == []
    assert sorted(set(TABLE) - set(addresses())) == []


@pytest.fixture
def people(operator, curator, coordinator, analyst, reader, stranger) -> dict[str, User | None]:
    return {
        "anonymous": None,
        "stranger": stranger,
        "operator": operator,
        "curator": curator,
        "creator": factories.person("creator", may_create_studies=True),
        "coordinator": coordinator,
        "analyst": analyst,
        "reader": reader,
        "blind": factories.person("blind", is_curator=False, may_create_studies=True),
    }


@pytest.fixture
def world(people) -> dict[str, Any]:
    """One of everything, with a running study."""
    item = factories.item()
    release = factories.release()
    submission = factories.submission(release)
    study = factories.study(release, submissions=[submission], state="running")
    factories.enroll(study, people["coordinator"], "coordinator")
    factories.enroll(study, people["analyst"], "analyst")
    enrolled = factories.enroll(study, people["reader"])
    factories.enroll(study, people["blind"])
    reading = factories.reading(enrolled, study.study_items.get(), list(submission.outputs.all()))
    job = ImportJob.objects.create(kind="items", dataset=item.dataset, state="done")
    return {
        "item": item,
        "dataset": item.dataset,
        "release": release,
        "submission": submission,
        "system": submission.system_version.system,
        "output": submission.outputs.get(),
        "study": study,
        "reading": reading,
        "job": job,
        "person": people["stranger"],
    }


def arguments(name: str, world: dict[str, Any]) -> list[Any]:
    """What an address needs, found by its name."""
    known: dict[str, list[Any]] = {
        "annotation:invitation-accept": ["QQ", "x-y"],
        "annotation:person-detail": [world["person"].pk],
        "annotation:person-roles": [world["person"].pk],
        "annotation:person-activity": [world["person"].pk],
    }
    return known.get(name, [])


@pytest.mark.parametrize("name", sorted(TABLE))
def test_each_role_meets_what_the_table_says(name: str, people, world):
    method, expected = TABLE[name]
    url = reverse(name, args=arguments(name, world))
    wrong = []
    for role, user in people.items():
        client = Client()
        if user is not None:
            client.force_login(user)
        answer = getattr(client, method)(url)
        seen: Any = answer.status_code
        if answer.status_code == 302 and answer.headers["Location"].startswith("/sign-in/?next="):
            seen = IN
        elif answer.status_code in OPEN:
            seen = "ok"
        if seen != expected[role]:
            wrong.append(f"{role}: {answer.status_code}, expected {expected[role]}")

    assert wrong == []
