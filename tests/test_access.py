"""Every address × every role: a row per address, and an address without a row fails the suite.

`ok` means the act is open to the role (whatever the answer to an empty form is: 200, 302, 400, 409, 410 or 422);
`sign-in` means a redirect to the sign-in page, 401 the same for the workstation's own requests.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from annotation.adjudication.rules import case_key
from annotation.assets import storage
from annotation.assets.models import Asset
from annotation.datasets.models import DatasetMember, ImportJob
from annotation.people.models import User
from annotation.studies.models import Enrollment, Study
from scoring.calibration.radar import row_key
from scoring.exports.models import ExportJob
from scoring.runs.work import ask_for_metrics
from tests import factories
from tests.arguments import arguments

pytestmark = [pytest.mark.django_db, pytest.mark.spread, pytest.mark.walks]

CAST = ("anonymous", "stranger", "operator", "curator", "creator", "coordinator", "analyst", "reader", "blind")
CONFLICTS = ("all_roles", "former", "adjudicator")
ELSEWHERE = ("other", "elsewhere", "outsider")
ROLES = (*CAST, *CONFLICTS, *ELSEWHERE)
OPEN = {200, 206, 302, 400, 409, 410, 415, 422}
IN = "sign-in"


def row(**allowed: Any) -> dict[str, Any]:
    """Expected answers by role; `others` for the signed-in roles not named.

    What the five people of conflicts and of other places meet follows from the rest, unless a row says otherwise:
    `other` is another reader of the study and meets what readers do; `former` was a reader of it and makes studies:
    nothing a blind reader may not see; `all_roles` holds every site role and every role of the study, reading
    included: everything open to any of them but what is shut to the blind; `elsewhere` holds all roles of a study
    of another dataset: a stranger here; `outsider` curates and makes studies, and is no member of the dataset;
    `adjudicator` of the study meets what its analysts do, but no numbers.
    """
    others = allowed.pop("others", 404)
    table = {role: allowed.get(role, others) for role in CAST}
    table["anonymous"] = allowed.get("anonymous", IN)
    blind = table["blind"] == 404
    table["other"] = table["reader"]
    table["former"] = 404 if blind else table["creator"]
    table["all_roles"] = "ok" if "ok" in table.values() and not blind else table["blind"]
    table["elsewhere"] = table["stranger"]
    table["outsider"] = others
    table["adjudicator"] = table["analyst"]
    return table | allowed


EVERYBODY = {role: "ok" for role in ROLES}
SIGNED_IN = row(others="ok")
OPERATORS = row(operator="ok", others=403)
ITEMS = {"curator": "ok", "creator": "ok", "coordinator": "ok", "blind": "ok"}
SEES_ITEMS = row(**ITEMS)
SEES_LISTS = row(**ITEMS, outsider="ok")
SEES_SYSTEMS = row(**ITEMS | {"blind": 404})
CURATES = row(**ITEMS | {"creator": 403, "coordinator": 403, "blind": 403})
KEEPS = CURATES | {"operator": "ok"}
CREATES = row(creator="ok", coordinator="ok", blind="ok", curator=403, outsider="ok")
RUNS = row(coordinator="ok", analyst=403, reader=403, blind=403)
TEXTS = RUNS | {"operator": "ok", "all_roles": 403}
SHOWS = RUNS | {"all_roles": 404}
DECIDES = SHOWS | {"adjudicator": "ok"}
DECIDES_JSON = DECIDES | {"anonymous": 401}
ANALYZES = row(coordinator="ok", analyst="ok", adjudicator=404)
READS = row(reader="ok", other=404)
READS_JSON = READS | {"anonymous": 401}
CONSENTS = row(reader="ok", blind="ok")
READERS = row(reader="ok", blind="ok", coordinator=403, analyst=403)
SHOWS_JSON = SHOWS | {"anonymous": 401}
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
    "annotation:account": ("get", SIGNED_IN),
    "annotation:account-sign-out": ("post", SIGNED_IN),
    "annotation:event-list": ("get", OPERATORS),
    "annotation:pause-lift": ("post", OPERATORS),
    "annotation:person-invite": ("post", OPERATORS),
    "annotation:person-email": ("post", OPERATORS),
    "annotation:person-sign-out": ("post", OPERATORS),
    "annotation:invitation-accept": ("get", EVERYBODY),
    "annotation:key-list": ("get", SIGNED_IN),
    "annotation:key-revoke": ("post", row(stranger="ok", elsewhere=404)),
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
    "annotation:dataset-list": ("get", SEES_LISTS),
    "annotation:dataset-detail": ("get", SEES_ITEMS),
    "annotation:member-list": ("get", SEES_ITEMS | {"operator": "ok"}),
    "annotation:member-access": ("post", KEEPS),
    "annotation:member-remove": ("post", KEEPS),
    "annotation:item-list": ("get", SEES_ITEMS),
    "annotation:item-detail": ("get", SEES_ITEMS),
    "annotation:item-import": ("get", CURATES | {"outsider": "ok"}),
    "annotation:image-frames": ("get", SEES_ITEMS),
    "annotation:image-data": ("get", SEES_ITEMS),
    "annotation:image-thumbnail": ("get", SEES_ITEMS),
    "annotation:import-detail": ("get", SEES_ITEMS),
    "annotation:import-problems": ("get", SEES_ITEMS),
    "annotation:review-queue": ("get", CURATES),
    "annotation:quarantine-list": ("get", CURATES),
    "annotation:quarantine-detail": ("get", CURATES),
    "annotation:quarantine-frames": ("get", CURATES),
    "annotation:quarantine-data": ("get", CURATES),
    "annotation:quarantine-thumbnail": ("get", CURATES),
    "annotation:review-create": ("get", CURATES),
    "annotation:item-fix": ("get", CURATES),
    "annotation:release-list": ("get", SEES_ITEMS),
    "annotation:release-freeze": ("get", CURATES),
    "annotation:release-detail": ("get", SEES_ITEMS),
    "annotation:release-manifest": ("get", SEES_ITEMS),
    "annotation:system-list": ("get", SEES_LISTS),
    "annotation:system-detail": ("get", SEES_SYSTEMS),
    "annotation:submission-detail": ("get", SEES_SYSTEMS),
    "annotation:output-quarantine": ("get", row(**ITEMS | {"creator": 403, "coordinator": 403, "blind": 404})),
    "annotation:output-import": ("get", row(**ITEMS | {"curator": 403, "outsider": "ok"})),
    "annotation:output-frames": ("get", SEES_SYSTEMS),
    "annotation:output-data": ("get", SEES_SYSTEMS),
    "annotation:study-list": ("get", SIGNED_IN),
    "annotation:study-create": ("get", CREATES),
    "annotation:study-detail": ("get", MEMBERS),
    "annotation:enrollment-list": ("get", RUNS),
    "annotation:enrollment-activity": ("post", RUNS),
    "annotation:study-balance": ("get", RUNS),
    "annotation:consent-detail": ("get", CONSENTS),
    "annotation:consent-withdraw": ("post", CONSENTS),
    "annotation:consent-form-list": ("get", RUNS),
    "annotation:study-blinding": ("get", SHOWS),
    "annotation:blinding-scan": ("post", SHOWS),
    "annotation:blinding-decide": ("post", SHOWS),
    "annotation:blinding-leaks": ("get", SHOWS),
    "annotation:blinding-leaks-scan": ("post", SHOWS),
    "annotation:design-workload": ("post", CREATES),
    "annotation:design-import": ("get", CREATES),
    "annotation:study-design": ("get", SHOWS),
    "annotation:reader-replace": ("get", RUNS),
    "annotation:reader-admit": ("post", RUNS),
    "annotation:study-training": ("get", SHOWS),
    "annotation:study-pilot": ("post", RUNS),
    "annotation:study-open": ("post", RUNS),
    "annotation:study-pause": ("post", RUNS),
    "annotation:study-resume": ("post", RUNS),
    "annotation:study-lock": ("post", RUNS),
    "annotation:study-unblinding": ("get", ANALYZES),
    "annotation:names-ask": ("post", ANALYZES),
    "annotation:names-withdraw": ("post", ANALYZES),
    "annotation:names-confirm": ("post", ANALYZES),
    "annotation:names-freeze": ("post", ANALYZES),
    "annotation:text-list": ("get", TEXTS),
    "annotation:grade-blank": ("get", TEXTS),
    "annotation:adjudication-list": ("get", DECIDES),
    "annotation:adjudication-request": ("post", SHOWS),
    "annotation:adjudication-detail": ("get", DECIDES),
    "annotation:adjudication-reopen": ("post", DECIDES),
    "annotation:adjudication-frames": ("get", DECIDES_JSON),
    "annotation:adjudication-data": ("get", DECIDES_JSON),
    "annotation:study-flags": ("get", RUNS | {"all_roles": 403}),
    "annotation:study-preview": ("get", SHOWS),
    "annotation:preview-detail": ("get", SHOWS),
    "annotation:preview-json": ("get", SHOWS_JSON),
    "annotation:preview-frames": ("get", SHOWS_JSON),
    "annotation:preview-data": ("get", SHOWS_JSON),
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
    "annotation:guess-save": ("post", READS_JSON),
    "annotation:service-worker": ("get", EVERYBODY),
    "annotation:offline-shell": ("get", EVERYBODY),
    "scoring:metric-list": ("get", SEES_SYSTEMS),
    "scoring:metrics-compute": ("post", SEES_SYSTEMS),
    "scoring:item-metrics": ("get", SEES_ITEMS),
    "scoring:agreement": ("get", ANALYZES),
    "scoring:agreement-json": ("get", ANALYZES),
    "scoring:composite": ("get", ANALYZES),
    "scoring:leaderboard": ("get", ANALYZES),
    "scoring:leaderboard-json": ("get", ANALYZES),
    "scoring:leaderboard-receipt": ("get", ANALYZES),
    "scoring:preferences": ("get", ANALYZES),
    "scoring:preferences-json": ("get", ANALYZES),
    "scoring:combination": ("get", ANALYZES),
    "scoring:combination-json": ("get", ANALYZES),
    "scoring:comparison": ("get", ANALYZES),
    "scoring:comparison-json": ("get", ANALYZES),
    "scoring:comparison-imrmc": ("get", ANALYZES),
    "scoring:comparison-mrmcaov": ("get", ANALYZES),
    "scoring:judgment-list": ("get", SEES_SYSTEMS),
    "scoring:calibration": ("get", ANALYZES),
    "scoring:certificate": ("get", ANALYZES),
    "scoring:limit-state": ("post", ANALYZES),
    "scoring:calibration-compute": ("post", ANALYZES),
    "scoring:radar": ("get", ANALYZES),
    "scoring:radar-detail": ("get", ANALYZES),
    "scoring:radar-ask": ("post", row(coordinator="ok", analyst=403, adjudicator=404)),
    "scoring:radar-frames": ("get", ANALYZES),
    "scoring:radar-data": ("get", ANALYZES),
    "scoring:planner": ("get", SIGNED_IN),
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
        "blind": factories.person("blind", may_create_studies=True),
        "other": factories.person("other"),
        "former": factories.person("former", may_create_studies=True),
        "all_roles": factories.person("all_roles", is_operator=True, is_curator=True, may_create_studies=True),
        "elsewhere": factories.person("elsewhere"),
        "outsider": factories.person("outsider", is_curator=True, may_create_studies=True),
        "adjudicator": factories.person("adjudicator"),
    }


@pytest.fixture
def world(people) -> dict[str, Any]:
    """One of everything, with a running study."""
    dataset = factories.dataset(members_only=True)
    item = factories.item(dataset, format="multimodal_generation", task="disease-prediction", reference_image=True)
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
    factories.enroll(study, people["former"], active=False)
    other = factories.enroll(study, people["other"])
    others = factories.reading(other, study.study_items.get(), list(submission.outputs.all()))
    factories.enroll(study, people["adjudicator"], "adjudicator")
    _give_all_roles(study, people["all_roles"])
    case = _case_of(other)
    _give_all_roles(_another_study(), people["elsewhere"])
    members = {"curator": "curator", "all_roles": "curator", "stranger": "viewer"}
    for role in ("creator", "coordinator", "blind", "former", *members):
        DatasetMember.objects.create(dataset=item.dataset, user=people[role], role=members.get(role, "viewer"))
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
        "case": case,
        "spot": row_key(study, study.study_systems.get(letter="B").submission.outputs.get().pk),
        "reading": reading,
        "grade": factories.grade(others.reading_outputs.get(), rationale="A text."),
        "job": job,
        "work": work,
        "export": export,
        "spare": spare,
        "person": people["stranger"],
        "key": people["stranger"].api_tokens.create(name="k", prefix="mg_k", digest="k", expires_at=timezone.now()),
    }


def _case_of(enrolled: Enrollment) -> Any:
    """The key of a case that waits for its adjudicator."""
    study = enrolled.study
    second = factories.submission(study.release, "borealis")
    study.study_systems.create(submission=second, letter="B")
    output = second.outputs.get()
    reading = factories.reading(enrolled, study.study_items.get(), [output], status="submitted")
    factories.grade(reading.reading_outputs.get(), safety="severe")
    for part in output.parts.exclude(asset=None):
        storage.write_once(storage.frames_path(part.asset), b"frames")
    return case_key(study.pk, output.pk, "safety", None)


def _give_all_roles(study: Study, user: User) -> None:
    """Every role of one study; as a reader with something still to read."""
    for role in ("coordinator", "analyst", "reader"):
        held = factories.enroll(study, user, role)
    outputs = [row.submission.outputs.get() for row in study.study_systems.all()]
    factories.reading(held, study.study_items.get(), outputs)


def _another_study() -> Study:
    factories.item(factories.dataset("elsewhere"))
    release = factories.release(factories.dataset("elsewhere"))
    submissions = [factories.submission(release, "elsewhere")]
    return factories.study(release, slug="elsewhere", submissions=submissions, state="running")


LATER = [pytest.param(role, marks=pytest.mark.long) for role in ELSEWHERE]


@pytest.mark.parametrize("role", [*CAST, *CONFLICTS, *LATER])
def test_each_role_meets_what_the_table_says(role: str, people, world):
    signed_in = Client()
    if people[role] is not None:
        signed_in.force_login(people[role])
    wrong = []
    for name, (method, expected) in TABLE.items():
        client = Client()
        client.cookies.update(signed_in.cookies)
        with transaction.atomic():
            answer = getattr(client, method)(reverse(name, args=arguments(name, world)))
            transaction.set_rollback(True)
        seen: Any = "ok" if answer.status_code in OPEN else answer.status_code
        if answer.status_code == 302 and answer.headers["Location"].startswith("/sign-in/?next="):
            seen = IN
        if seen != expected[role]:
            wrong.append(f"{name}: {answer.status_code}, expected {expected[role]}")

    assert wrong == []
