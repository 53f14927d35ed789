"""A study as its people meet it: made by the command, read and graded over HTTP."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.test import Client

from annotation.studies.models import Study
from tests.acceptance.bench import DATASET, Bench, command

Score = Callable[[dict[str, Any], str], float]


def make_study(bench: Bench, folder: Path, *, readers: list[str], coordinator: str, **changes: Any) -> Study:
    """An open study of all submissions, by `create_study --open`."""
    design = {
        "name": "Acceptance reading", "slug": "acceptance", "release": f"{DATASET}@1.0",
        "submissions": changes.pop("submissions"), "rubrics": ["T1", "T6"], "readers": readers,
        "readers_per_item": len(readers), "gap": 1, "seed": 5, "coordinators": [coordinator],
    } | changes  # fmt: skip
    file = folder / "design.json"
    file.write_text(json.dumps(design), encoding="utf-8")
    said = command("create_study", file, "--open", "--json")
    assert said.code == 0, said.err
    return Study.objects.get(slug=design["slug"])


def entry_of(data: dict[str, Any], label: str, value: float, **changes: Any) -> dict[str, Any]:
    """A complete grade of one output: every criterion that applies at one value."""
    shown = next(output for output in data["outputs"] if output["label"] == label)
    codes = [criterion["code"] for rubric in data["rubrics"] for criterion in rubric["criteria"]]
    return {
        "scores": {code: value for code in codes if code not in shown["not_applicable"]}, "na": {},
        "rationale": "Too bright at the apex.",
        "errors": [{"code": "omitted", "nowhere": True}] if value <= 2 else [],
        "safety": "none", "reference_wrong": False,
    } | changes  # fmt: skip


def payload_of(data: dict[str, Any], value: float, **changes: Any) -> dict[str, Any]:
    return {
        "outputs": {shown["label"]: entry_of(data, shown["label"], value, **changes) for shown in data["outputs"]}
    }


def body_of(payload: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "payload": payload,
        "submit_key": str(uuid.uuid4()),
        "active_ms": 900,
        "idle_ms": 0,
        "viewing": {},
    } | changes


def post(client: Client, url: str, body: dict[str, Any]) -> Any:
    return client.post(url, json.dumps(body), content_type="application/json")


def first_reading(client: Client, study: Study) -> str:
    """Address of the JSON of the first reading that waits."""
    answer = client.get(f"/studies/{study.slug}/read/")
    assert answer.status_code == 302, answer.status_code
    return f"{answer.headers['Location']}reading.json"


def grade_all(client: Client, study: Study, value: float) -> int:
    """Submit every waiting reading of one reader; returns how many there were."""
    url: str | None = first_reading(client, study)
    count = 0
    while url:
        data = client.get(url).json()
        answer = post(client, data["urls"]["submit"], body_of(payload_of(data, value)))
        assert answer.status_code == 200, answer.content
        count += 1
        url = data["urls"]["next"]
    return count
