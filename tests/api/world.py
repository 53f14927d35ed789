"""One of everything behind the interface for programs, keys for every role, and a client that asks with a key."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from annotation.adjudication.rules import case_key
from annotation.assets import storage
from annotation.assets.models import Asset
from annotation.datasets.models import ImportJob
from annotation.people.models import User
from annotation.people.tokens import SCOPES, create_token
from annotation.work.services import enqueue
from scoring.calibration.radar import row_key
from scoring.exports.models import ExportJob
from tests import factories

ROLES = ("anonymous", "stranger", "operator", "curator", "creator", "coordinator", "analyst", "reader", "blind")


@dataclass(frozen=True)
class Answer:
    status: int
    data: Any
    headers: Any

    @property
    def fields(self) -> list[str]:
        return [error["field"] for error in self.data["errors"]]


class Program:
    """A client that sends a person's key and JSON."""

    def __init__(self, user: User | None, scopes: tuple[str, ...] = tuple(SCOPES)) -> None:
        self.client = Client()
        self.headers = {} if user is None else {"Authorization": f"Bearer {secret_of(user, scopes)}"}

    def get(self, address: str, **query: Any) -> Answer:
        return self._told(self.client.get(f"/api/v1/{address}", query, headers=self.headers))

    def post(self, address: str, body: Any = None, *, key: str | None = None, **headers: str) -> Answer:
        more = {} if key is None else {"Idempotency-Key": key}
        sent = body if isinstance(body, bytes) else json.dumps({} if body is None else body)
        address = f"/api/v1/{address}"
        headers = self.headers | more | headers
        return self._told(self.client.post(address, sent, content_type="application/json", headers=headers))

    def upload(self, address: str, body: dict[str, Any], **headers: str) -> Answer:
        return self._told(self.client.post(f"/api/v1/{address}", body, headers=self.headers | headers))

    def send(self, method: str, address: str, **more: Any) -> Answer:
        headers = self.headers | more.pop("headers", {})
        return self._told(self.client.generic(method.upper(), f"/api/v1/{address}", headers=headers, **more))

    def _told(self, response: Any) -> Answer:
        raw = b"".join(response.streaming_content) if response.streaming else response.content
        is_json = "json" in response.headers.get("Content-Type", "")
        return Answer(response.status_code, json.loads(raw) if is_json else raw, response.headers)


def secret_of(user: User, scopes: tuple[str, ...] = tuple(SCOPES)) -> str:
    ends = timezone.now() + timedelta(days=30)
    return create_token(user=user, name="test", scopes=scopes, expires_at=ends, actor=user).secret


def cast(
    operator: User, curator: User, coordinator: User, analyst: User, reader: User, stranger: User
) -> dict[str, Any]:
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
    }


def world(people: dict[str, Any]) -> dict[str, Any]:
    """A dataset with a release, a submission, a running study with a reading, jobs, an import, an export."""
    item = factories.item(format="multimodal_generation", task="disease-prediction", reference_image=True)
    release = factories.release()
    submission = factories.submission(release)
    for asset in Asset.objects.all():
        storage.write_once(storage.frames_path(asset), b"frames")
        storage.write_once(storage.thumbnail_path(asset), b"thumbnail")
    rubric = factories.rubric("T9")
    study = factories.study(release, submissions=[submission], rubrics=[rubric], state="running")
    factories.enroll(study, people["coordinator"], "coordinator")
    factories.enroll(study, people["analyst"], "analyst")
    spare = factories.enroll(study, factories.person("spare"), "analyst")
    enrolled = factories.enroll(study, people["reader"])
    factories.enroll(study, people["blind"])
    reading = factories.reading(enrolled, study.study_items.get(), list(submission.outputs.all()))
    other = factories.enroll(study, factories.person("other"))
    graded = factories.reading(other, study.study_items.get(), list(submission.outputs.all()))
    grade = factories.grade(graded.reading_outputs.get(), rationale="A liver.")
    imported = ImportJob.objects.create(kind="items", dataset=item.dataset, state="done")
    job = enqueue(
        kind="workbook",
        title="Score sheet",
        parameters={},
        requested_by=people["coordinator"],
        subject=study,
        chunks=[],
    )
    export = ExportJob.objects.create(
        study=study, format="xlsx", blinded=True, inputs_hash="0" * 64, file_sha256="0" * 64
    )
    second = factories.submission(release, "borealis")
    study.study_systems.create(submission=second, letter="B")
    asked = second.outputs.get()
    flagged = factories.reading(other, study.study_items.get(), [asked], status="submitted")
    factories.grade(flagged.reading_outputs.get(), safety="severe")
    for part in asked.parts.exclude(asset=None):
        storage.write_once(storage.frames_path(part.asset), b"frames")
    return {
        "case": case_key(study.pk, asked.pk, "safety", None),
        "spot": row_key(study, asked.pk),
        "item": item, "dataset": item.dataset, "release": release, "submission": submission,
        "system": submission.system_version.system, "output": submission.outputs.get(), "study": study,
        "reading": reading, "import": imported, "job": job, "export": export, "spare": spare,
        "person": people["stranger"], "grade": grade,
    }  # fmt: skip
