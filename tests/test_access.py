"""Every address × every role: a row per address, and an address without a row fails the suite.

`ok` means the act is open to the role (whatever the answer to an empty form is: 200, 302, 400, 409, 410 or 422);
`sign-in` means a redirect to the sign-in page, 401 the same for the workstation's own requests.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from annotation.assets import storage
from annotation.assets.models import Asset
from annotation.datasets.models import ImportJob
from annotation.people.models import User
from scoring.exports.models import ExportJob
from scoring.runs.work import ask_for_metrics
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
CREATES = row(creator="ok", coordinator="ok", blind="ok", curator=403)
RUNS = row(coordinator="ok", analyst=403, reader=403, blind=403)
ANALYZES = row(coordinator="ok", analyst="ok")
READS = row(reader="ok")
READS_JSON = READS | {"anonymous": 401}
READERS = row(reader="ok", blind="ok", coordinator=403, analyst=403)
RUNS_JSON = RUNS | {"anonymous": 401}
MEMBERS = row(coordinator="ok", analyst="ok", reader="ok", blind="ok")
# name → (method, expected); arguments come from `world`
TABLE: dict[str, tuple[str, dict[str, Any]]] = {
    "api": ("get", {role: 404 for role in ROLES}),  # no such address; tests/api/test_access.py has those that are
    "home": ("get", SIGNED_IN),
    "retention": ("get", OPERATORS),
    "healthz": ("get", EVERYBODY),
    "readyz": ("get", EVERYBODY),
    "annotation:sign-in": ("get", EVERYBODY),
    "annotation:sign-in-again": ("get", EVERYBODY),
    "annotation:sign-out": ("post", SIGNED_IN),
    "annotation:password-change": ("get", SIGNED_IN),
    "annotation:invitation-accept": ("get", EVERYBODY),
    "annotation:person-list": ("get", OPERATORS),
    "annotation:person-create": ("get", OPERATORS),
    "annotation:person-detail": ("get", OPERATORS),
    "annotation:person-roles": ("post", OPERATORS),
    "annotation:person-activity": ("post", OPERATORS),
    "annotation:person-erase": ("post", OPERATORS),
    "annotation:job-list": ("get", SIGNED_IN),
    "annotation:job-detail": ("get", row(coordinator="ok", operator="ok")),
    "annotation:job-progress": ("get", row(coordinator="ok", operator="ok")),
    "annotation:job-cancel": ("post", row(coordinator="ok", operator="ok")),
    "annotation:job-resume": ("post", row(coordinator="ok", operator="ok")),
    "annotation:dataset-list": ("get", SEES_ITEMS),
    "annotation:dataset-detail": ("get", SEES_ITEMS),
    "annotation:item-list": ("get", SEES_ITEMS),
    "annotation:item-detail": ("get", SEES_ITEMS),
    "annotation:item-import": ("get", CURATES),
    "annotation:image-frames": ("get", SEES_ITEMS),
    "annotation:image-data": ("get", SEES_ITEMS),
    "annotation:image-thumbnail": ("get", SEES_ITEMS),
    "annotation:import-detail": ("get", SEES_ITEMS),
    "annotation:import-problems": ("get", SEES_ITEMS),
    "annotation:review-queue": ("get", CURATES),
    "annotation:review-create": ("get", CURATES),
    "annotation:item-fix": ("get", CURATES),
    "annotation:release-list": ("get", SEES_ITEMS),
    "annotation:release-freeze": ("get", CURATES),
    "annotation:release-detail": ("get", SEES_ITEMS),
    "annotation:release-manifest": ("get", SEES_ITEMS),
    "annotation:system-list": ("get", SEES_ITEMS),
    "annotation:system-detail": ("get", SEES_SYSTEMS),
    "annotation:submission-detail": ("get", SEES_SYSTEMS),
    "annotation:output-import": ("get", row(**ITEMS | {"curator": 403})),
    "annotation:output-frames": ("get", SEES_SYSTEMS),
    "annotation:output-data": ("get", SEES_SYSTEMS),
    "annotation:study-list": ("get", SIGNED_IN),
    "annotation:study-create": ("get", CREATES),
    "annotation:study-detail": ("get", MEMBERS),
    "annotation:enrollment-list": ("get", RUNS),
    "annotation:enrollment-activity": ("post", RUNS),
    "annotation:study-balance": ("get", RUNS),
    "annotation:consent-detail": ("get", READS | {"blind": "ok"}),
    "annotation:consent-withdraw": ("post", READS | {"blind": "ok"}),
    "annotation:consent-form-list": ("get", RUNS),
    "annotation:study-open": ("post", RUNS),
    "annotation:study-pause": ("post", RUNS),
    "annotation:study-resume": ("post", RUNS),
    "annotation:study-lock": ("post", RUNS),
    "annotation:study-flags": ("get", RUNS),
    "annotation:study-preview": ("get", RUNS),
    "annotation:preview-detail": ("get", RUNS),
    "annotation:preview-json": ("get", RUNS_JSON),
    "annotation:preview-frames": ("get", RUNS_JSON),
    "annotation:preview-data": ("get", RUNS_JSON),
    "annotation:rubric-detail": ("get", SIGNED_IN),
    "annotation:reading-next": ("get", READERS),
    "annotation:reading-list": ("get", READERS),
    "annotation:reading-detail": ("get", READS),
    "annotation:reading-json": ("get", READS_JSON),
    "annotation:pane-frames": ("get", READS_JSON),
    "annotation:pane-data": ("get", READS_JSON),
    "annotation:draft-save": ("post", READS_JSON),
    "annotation:grade-submit": ("post", READS_JSON),
    "annotation:reading-skip": ("post", READS_JSON),
    "scoring:metric-list": ("get", SEES_SYSTEMS),
    "scoring:metrics-compute": ("post", SEES_SYSTEMS),
    "scoring:item-metrics": ("get", SEES_ITEMS),
    "scoring:agreement": ("get", ANALYZES),
    "scoring:agreement-json": ("get", ANALYZES),
    "scoring:composite": ("get", ANALYZES),
    "scoring:leaderboard": ("get", ANALYZES),
    "scoring:leaderboard-json": ("get", ANALYZES),
    "scoring:leaderboard-receipt": ("get", ANALYZES),
    "scoring:export-list": ("get", ANALYZES),
    "scoring:workbook-download": ("get", ANALYZES),
    "scoring:workbook-make": ("post", ANALYZES),
    "scoring:export-download": ("get", ANALYZES),
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
    item = factories.item(format="multimodal_generation", task="disease-prediction", reference_image=True)
    release = factories.release()
    submission = factories.submission(release)
    for asset in Asset.objects.all():
        storage.write_once(storage.frames_path(asset), b"frames")
        storage.write_once(storage.thumbnail_path(asset), b"thumbnail")
    study = factories.study(release, submissions=[submission], state="running")
    factories.enroll(study, people["coordinator"], "coordinator")
    factories.enroll(study, people["analyst"], "analyst")
    spare = factories.enroll(study, factories.person("spare"), "analyst")
    enrolled = factories.enroll(study, people["reader"])
    factories.enroll(study, people["blind"])
    reading = factories.reading(enrolled, study.study_items.get(), list(submission.outputs.all()))
    job = ImportJob.objects.create(kind="items", dataset=item.dataset, state="done")
    work = ask_for_metrics(submissions=[submission], actor=people["coordinator"])
    export = ExportJob.objects.create(study=study, format="xlsx", blinded=True, inputs_hash="i", file_sha256="f" * 64)
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
        "work": work,
        "export": export,
        "spare": spare,
        "person": people["stranger"],
    }


def arguments(name: str, world: dict[str, Any]) -> list[Any]:
    """What an address needs, found by its name."""
    dataset, release, study = world["dataset"].slug, world["release"].version, world["study"].slug
    by_noun: dict[str, list[Any]] = {
        "dataset": [dataset],
        "item": [world["item"].pk],
        "image": [world["item"].pk, 0],
        "import": [world["job"].pk],
        "job": [world["work"].pk],
        "release": [dataset, release],
        "system": [world["system"].slug],
        "submission": [world["submission"].pk],
        "output": [world["output"].pk, 1],
        "study": [study],
        "enrollment": [study],
        "consent": [study],
        "preview": [study, 1],
        "reading": [world["reading"].pk],
        "pane": [world["reading"].pk, 0],
        "draft": [world["reading"].pk],
        "grade": [world["reading"].pk],
        "metric": [world["submission"].pk],
        "metrics": [world["submission"].pk],
        "person": [world["person"].pk],
        "rubric": ["T1", "1.0"],
        "review": [world["item"].pk],
        "agreement": [study],
        "composite": [study],
        "leaderboard": [study],
        "export": [study],
        "workbook": [study],
    }
    known: dict[str, list[Any]] = {
        "api": ["v1/nothing/"],
        "annotation:invitation-accept": ["QQ", "x-y"],
        "annotation:item-list": [dataset],
        "annotation:item-import": [],
        "annotation:review-queue": [dataset],
        "annotation:release-list": [dataset],
        "annotation:release-freeze": [dataset],
        "annotation:enrollment-activity": [study, world["spare"].pk],
        "annotation:preview-frames": [study, 1, 0],
        "annotation:preview-data": [study, 1, 0],
        "annotation:reading-next": [study],
        "annotation:reading-list": [study],
        "annotation:output-import": [],
        "annotation:job-list": [],
        "scoring:leaderboard-receipt": [study, "A"],
        "scoring:export-download": [study, world["export"].pk],
    }
    if name in known:
        return known[name]
    noun, _, verb = name.rsplit(":", maxsplit=1)[-1].partition("-")
    return (
        []
        if verb in {"list", "create"} and noun in {"dataset", "system", "study", "person"}
        else by_noun.get(noun, [])
    )


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
