"""Every address and method of the interface × every role: a row for each, and one without a row fails the suite.

`ok` means the act is open to the role, whatever comes of the body that is sent here; bodies have the declared shape,
so that nobody is refused before their role is asked for.
"""

import uuid
from typing import Any
from uuid import UUID

import pytest

from tests.api.addresses import api_addresses
from tests.api.world import ROLES, Program, cast, world

pytestmark = [pytest.mark.django_db, pytest.mark.spread, pytest.mark.walks]

OPEN = {200, 201, 202, 204, 409, 422}


def row(**allowed: Any) -> dict[str, Any]:
    """Expected answers by role; `others` for the roles not named, 401 for nobody."""
    others = allowed.pop("others", 404)
    return {role: allowed.get(role, others) for role in ROLES} | {"anonymous": allowed.get("anonymous", 401)}


SIGNED_IN = row(others="ok")
EVERYBODY = {role: "ok" for role in ROLES}
OPERATORS = row(operator="ok", others=403)
ITEMS = {"curator": "ok", "creator": "ok", "coordinator": "ok", "blind": "ok"}
SEES_ITEMS = row(**ITEMS)
SEES_SYSTEMS = row(**ITEMS | {"blind": 404})
CURATES = row(**ITEMS | {"creator": 403, "coordinator": 403, "blind": 403})
KEEPS = CURATES | {"operator": "ok"}
CREATES = row(**ITEMS | {"curator": 403})
RUNS = row(coordinator="ok", analyst=403, reader=403, blind=403)
SHOWS = RUNS
TEXTS = RUNS | {"operator": "ok"}
DECIDES = SHOWS | {"coordinator": 403}  # adjudicators alone; tests/annotation/adjudication asks as one
ANALYZES = row(coordinator="ok", analyst="ok")
READS = row(reader="ok")
READERS = row(reader="ok", blind="ok")
NOBODY = row()
TABLE: dict[tuple[str, str], dict[str, Any]] = {
    ("index", "get"): SIGNED_IN,
    ("schema", "get"): EVERYBODY,
    ("me", "get"): SIGNED_IN,
    ("people", "get"): OPERATORS,
    ("people", "post"): OPERATORS,
    ("person", "get"): OPERATORS,
    ("person-roles", "post"): OPERATORS,
    ("person-activity", "post"): OPERATORS,
    ("person-invitation", "post"): OPERATORS,
    ("person-email", "post"): OPERATORS,
    ("person-sessions", "delete"): OPERATORS,
    ("person-erasure", "post"): OPERATORS,
    ("pauses", "get"): OPERATORS,
    ("pause", "delete"): OPERATORS | {"operator": 404},  # nobody waits in this world
    ("retention", "get"): OPERATORS,
    ("trail", "get"): OPERATORS,
    ("jobs", "get"): SIGNED_IN,
    ("job", "get"): row(coordinator="ok", operator="ok"),
    ("job-cancel", "post"): row(coordinator="ok", operator="ok"),
    ("job-resume", "post"): row(coordinator="ok", operator="ok"),
    ("datasets", "get"): SEES_ITEMS,
    ("dataset", "get"): SEES_ITEMS,
    ("items", "get"): SEES_ITEMS,
    ("item", "get"): SEES_ITEMS,
    ("members", "get"): SEES_ITEMS | {"operator": "ok"},
    ("members", "post"): KEEPS,
    ("member", "delete"): KEEPS | {"operator": 404, "curator": 404},  # the person is no member
    ("dataset-access", "post"): KEEPS,
    ("item-frames", "get"): SEES_ITEMS,
    ("item-data", "get"): SEES_ITEMS,
    ("item-thumbnail", "get"): SEES_ITEMS,
    ("item-uploads", "post"): row(**ITEMS | {"curator": 415, "creator": 403, "coordinator": 403, "blind": 403}),
    ("quarantine", "get"): CURATES,
    ("output-quarantine", "get"): CURATES | {"blind": 404, "all_roles": 404},
    ("output-quarantine", "post"): CURATES | {"blind": 404, "all_roles": 404},
    ("quarantined", "get"): CURATES,
    ("quarantine-verdicts", "post"): CURATES,
    ("quarantine-frames", "get"): CURATES,
    ("quarantine-data", "get"): CURATES,
    ("quarantine-thumbnail", "get"): CURATES,
    ("review-status", "get"): SEES_ITEMS,
    ("review-queue", "get"): CURATES,
    ("checklist", "get"): SEES_ITEMS,
    ("reviews", "get"): CURATES,
    ("reviews", "post"): CURATES,
    ("fixes", "post"): CURATES,
    ("releases", "get"): SEES_ITEMS,
    ("releases", "post"): CURATES,
    ("release-blockers", "get"): CURATES,
    ("release", "get"): SEES_ITEMS,
    ("release-manifest", "get"): SEES_ITEMS,
    ("release-verification", "post"): CURATES,
    ("systems", "get"): SEES_ITEMS,
    ("system", "get"): SEES_SYSTEMS,
    ("submissions", "get"): SEES_ITEMS,
    ("submission", "get"): SEES_SYSTEMS,
    ("submission-coverage", "get"): SEES_SYSTEMS,
    ("submission-outputs", "get"): SEES_SYSTEMS,
    ("output", "get"): SEES_SYSTEMS,
    ("output-frames", "get"): SEES_SYSTEMS,
    ("output-data", "get"): SEES_SYSTEMS,
    ("output-uploads", "post"): row(curator=403, creator=415, coordinator=415, blind=415),
    ("imports", "get"): SEES_ITEMS,
    ("import", "get"): SEES_ITEMS,
    ("import-problems", "get"): SEES_ITEMS,
    ("upload", "delete"): NOBODY,  # an upload is its owner's alone
    ("upload-confirm", "post"): NOBODY,
    ("studies", "get"): SIGNED_IN,
    ("studies", "post"): CREATES,
    ("study", "get"): RUNS,
    ("study-workload", "post"): CREATES,
    ("study-design", "get"): SHOWS | {"coordinator": 403},  # the study runs
    ("enrollment-replacement", "post"): RUNS,
    ("enrollment-admission", "post"): RUNS,
    ("training", "get"): SHOWS,
    ("training", "post"): SHOWS,
    ("study-pilot", "post"): RUNS,
    ("study-open", "post"): RUNS,
    ("study-pause", "post"): RUNS,
    ("study-resume", "post"): RUNS,
    ("study-lock", "post"): RUNS,
    ("unblinding", "get"): ANALYZES,
    ("unblinding-ask", "post"): ANALYZES,
    ("unblinding-withdraw", "post"): ANALYZES,
    ("unblinding-confirm", "post"): ANALYZES,
    ("unblinding-freeze", "post"): ANALYZES,
    ("study-progress", "get"): RUNS,
    ("study-balance", "get"): RUNS,
    ("study-flags", "get"): RUNS,
    ("enrollments", "get"): RUNS,
    ("enrollments", "post"): RUNS,
    ("enrollment-activity", "post"): RUNS,
    ("texts", "get"): TEXTS,
    ("text-search", "post"): TEXTS,
    ("grade-blanking", "post"): TEXTS,
    ("unblinding-risks", "get"): SHOWS,
    ("unblinding-scan", "post"): SHOWS,
    ("unblinding-decisions", "post"): SHOWS,
    ("consent-forms", "get"): RUNS,
    ("consent-forms", "post"): RUNS,
    ("adjudication", "get"): SHOWS,
    ("adjudication-counts", "get"): SHOWS,
    ("adjudication-requests", "post"): SHOWS,
    ("adjudication-case", "get"): SHOWS,
    ("adjudication-decisions", "post"): DECIDES,
    ("adjudication-reopenings", "post"): SHOWS,
    ("adjudication-frames", "get"): SHOWS,
    ("adjudication-data", "get"): SHOWS,
    ("preview", "get"): SHOWS,
    ("preview-frames", "get"): SHOWS,
    ("preview-data", "get"): SHOWS,
    ("consent", "get"): READERS,
    ("consent", "post"): READERS,
    ("consent-withdraw", "post"): READERS,
    ("rubrics", "get"): SIGNED_IN,
    ("rubric", "get"): SIGNED_IN,
    ("taxonomy", "get"): SIGNED_IN,
    ("readings", "get"): SIGNED_IN,
    ("reading", "get"): READS,
    ("pane-frames", "get"): READS,
    ("pane-data", "get"): READS,
    ("reading-draft", "post"): READS,
    ("reading-submit", "post"): READS,
    ("reading-amend", "post"): READS,
    ("reading-skip", "post"): READS,
    ("reading-guess", "post"): READS,
    ("submission-metrics", "get"): SEES_SYSTEMS,
    ("submission-metrics", "post"): SEES_SYSTEMS,
    ("metric-summaries", "get"): SEES_SYSTEMS,
    ("item-metrics", "get"): SEES_ITEMS,
    ("agreement", "get"): ANALYZES,
    ("leaderboard", "get"): ANALYZES,
    ("preferences", "get"): ANALYZES,
    ("leaderboard-receipt", "get"): ANALYZES,
    ("submission-judgments", "get"): SEES_SYSTEMS,
    ("submission-judgments", "post"): row(curator=403, creator=415, coordinator=415, blind=415),
    ("calibration", "get"): ANALYZES,
    ("calibration-limits", "post"): ANALYZES,
    ("calibration-jobs", "post"): ANALYZES,
    ("courtroom", "get"): ANALYZES,
    ("certificate", "get"): NOBODY,  # nothing is measured in this world; tests/scoring/calibration asks
    ("radar", "get"): ANALYZES,
    ("radar-output", "get"): ANALYZES,
    ("radar-requests", "post"): row(coordinator="ok", analyst=403),
    ("radar-frames", "get"): ANALYZES,
    ("radar-data", "get"): ANALYZES,
    ("combination", "get"): ANALYZES,
    ("comparison", "get"): ANALYZES,
    ("comparison-imrmc", "get"): ANALYZES,
    ("comparison-mrmcaov", "get"): ANALYZES,
    ("planner", "get"): SIGNED_IN,
    ("composite", "get"): ANALYZES,
    ("composite", "post"): row(coordinator="ok", analyst=403),
    ("exports", "get"): ANALYZES,
    ("exports", "post"): ANALYZES,
    ("export-file", "get"): row(),  # its file is not kept in this world
}
GRADE = {"payload": {}, "submit_key": str(uuid.UUID(int=1))}
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("people", "post"): {"username": "reader", "name": "Taken"},
    ("person-activity", "post"): {"is_active": True},
    ("person-email", "post"): {"email": ""},
    ("members", "post"): {"username": "stranger", "role": "viewer"},
    ("dataset-access", "post"): {"members_only": False},
    ("unblinding-decisions", "post"): {"kind": "text", "decision": "masked"},
    ("text-search", "post"): {"q": "liver"},
    ("unblinding-ask", "post"): {"reason": "All is read."},
    ("unblinding-freeze", "post"): {"reason": "All is read."},
    ("grade-blanking", "post"): {"reason": "it names a patient"},
    ("consent-forms", "post"): {"text": "What is kept about you."},
    ("calibration-limits", "post"): {"kind": "spearman", "scope": "pooled", "limit": 0.7},
    ("calibration-jobs", "post"): {"what": "courtroom"},
    ("radar-requests", "post"): {"about": "safety", "reason": "Metrics praise it."},
    ("reviews", "post"): {"verdict": "accept", "answers": {}},
    ("quarantine-verdicts", "post"): {"act": "clear", "reason": "no text", "seen": 0},
    ("output-quarantine", "post"): {"act": "clear", "reason": "no text", "seen": 0, "image": str(UUID(int=0))},
    ("adjudication-requests", "post"): {"reader": "R01", "reading": 999, "subject": "safety", "reason": "A mail."},
    ("adjudication-decisions", "post"): {"verdict": "refuted", "cause": "other", "rationale": "Fine.", "seen": "x"},
    ("adjudication-reopenings", "post"): {"reason": "Mixed up.", "seen": "x"},
    ("fixes", "post"): {"reason": "spelling", "changes": {}},
    ("releases", "post"): {"version": "1.0"},
    ("studies", "post"): {
        "name": "x", "slug": "x", "release": "none@1", "submissions": ["x"], "rubrics": ["T1"], "readers": ["x"],
    },
    ("study-workload", "post"): {
        "name": "x", "slug": "x", "release": "none@1", "submissions": ["x"], "rubrics": ["T1"], "readers": ["x"],
    },
    ("enrollment-replacement", "post"): {"username": "nobody", "reason": "On leave from March."},
    ("training", "post"): {"item": "IT-000001"},
    ("enrollment-admission", "post"): {"reason": "Spoke with the reader."},
    ("enrollments", "post"): {"username": "nobody", "role": "analyst"},
    ("enrollment-activity", "post"): {"active": True},
    ("consent", "post"): {"version": 1},
    ("reading-draft", "post"): {"payload": {}, "client_id": "c", "revision": 1},
    ("reading-submit", "post"): GRADE,
    ("reading-amend", "post"): GRADE | {"reason": "a reason"},
    ("reading-skip", "post"): {"reason": "image problem"},
    ("reading-guess", "post"): {"guesses": {"A": {"guess": ""}}},
    ("composite", "post"): {"weighting": "plain", "weights": []},
}  # fmt: skip
ADDRESSES = {(each.name, method): each for each in api_addresses() for method in each.methods}


def test_every_address_and_method_has_a_row():
    assert sorted(set(ADDRESSES) - set(TABLE)) == []
    assert sorted(set(TABLE) - set(ADDRESSES)) == []


@pytest.fixture
def people(operator, curator, coordinator, analyst, reader, stranger):
    return cast(operator, curator, coordinator, analyst, reader, stranger)


@pytest.mark.parametrize(("name", "method"), sorted(TABLE), ids=lambda word: word)
def test_each_role_meets_what_the_table_says(name: str, method: str, people):
    rows = world(people)
    address = ADDRESSES[name, method].filled(rows).removeprefix("/api/v1/")
    wrong = []
    for role in ROLES:
        program = Program(people[role])
        if method == "post":
            answer = program.post(address, BODIES.get((name, method), {}))
        else:
            answer = program.send(method, address)
        seen: Any = "ok" if answer.status in OPEN else answer.status
        if seen != TABLE[name, method][role]:
            wrong.append(f"{role}: {answer.status} {str(answer.data)[:200]}, expected {TABLE[name, method][role]}")

    assert wrong == []
