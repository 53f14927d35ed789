"""Mutated inputs for what people and the workstation send: drafts, grades, designs, weights of composites."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from django.db import transaction
from django.test import Client

from scoring.composites.services import present_composite
from tests import factories
from tests.acceptance.bench import command
from tests.annotation.grading import world as grading
from tests.annotation.studies.world import design_data, released
from tests.hostile.fuzzing import Target
from tests.hostile.mutating import HOSTILE, mutated, mutated_json
from tests.scoring.world import build


class Undone(Exception):
    """Takes back whatever an input wrote, so that each one meets the same world."""


def answered(client: Client, address: str, data: bytes, kind: str) -> str:
    """The class of an HTTP answer; a server error or a traceback is a finding."""
    try:
        with transaction.atomic():
            answer = client.post(address, data, content_type=kind)
            body = answer.content
            raise Undone
    except Undone:
        pass
    assert answer.status_code < 500, (answer.status_code, body[:300])
    assert b"Traceback" not in body
    if kind == "application/json":
        assert len(body) < 20_000, len(body)  # a page shows again what was typed into its form, whatever its length
    return f"HTTP {answer.status_code}"


def json_target(name: str, client: Client, address: str, seed: Any, share: int) -> Target:
    return Target(
        name,
        [json.dumps(seed).encode()],
        lambda data: answered(client, address, data, "application/json"),
        share,
        lambda draw, seeds: mutated_json(json.loads(seeds[0]), draw),
    )


def design_target(share: int, folder: Path) -> Target:
    """Designs through the command: refused by exit code 1 or 2, never by an exception."""
    released(3)
    people = [factories.person(f"fuzz_{number}") for number in range(2)]
    factories.person("fuzz_lead", may_create_studies=True)
    seed = json.dumps(design_data(*people, coordinators=["fuzz_lead"])).encode()
    path = folder / "design.json"

    def run(data: bytes) -> str:
        path.write_bytes(data)
        try:
            with transaction.atomic():
                said = command("create_study", path)
                raise Undone
        except Undone:
            pass
        assert said.code in {0, 1, 2} and "Traceback" not in said.err
        return f"exit {said.code}"

    return Target("study design", [seed], run, share, lambda draw, seeds: mutated_json(json.loads(seeds[0]), draw))


def composite_target(share: int) -> Target:
    made = build(items=1)
    person = factories.person("fuzz_coordinator")
    factories.enroll(made.study, person, "coordinator")
    client = Client(raise_request_exception=True)
    client.force_login(person)
    names = [f"weight-{row.pk}" for row in present_composite(made.study).components.all()]
    fields = dict.fromkeys(names, "0.5") | {"weighting": "plain"}

    def make(draw: Random, seeds: list[bytes]) -> bytes:
        changed = dict(fields)
        for _ in range(draw.choice((1, 2))):
            changed[draw.choice([*fields, "other"])] = str(draw.choice(HOSTILE))
        text = "&".join(f"{name}={value}" for name, value in changed.items()).encode("utf-8", "surrogatepass")
        return mutated(text, text, draw) if draw.random() < 0.5 else text

    return Target(
        "composite declaration",
        ["&".join(f"{name}={value}" for name, value in fields.items()).encode()],
        lambda data: answered(
            client, f"/studies/{made.study.slug}/composite/", data, "application/x-www-form-urlencoded"
        ),
        share,
        make,
    )


def reading_target(name: str, share: int) -> Target:
    reader = factories.person("fuzz_reader")
    made = grading.small_study(reader, formats=("vqa",))
    client = Client(raise_request_exception=True)
    client.force_login(reader)
    seed = grading.draft_body() if name == "draft" else grading.submission_body(viewing={"zoom": [1, 2]}, reason=None)
    return json_target(f"{name} JSON", client, f"/readings/{made.readings[0].pk}/{name}/", seed, share)


WEB: dict[str, Callable[[Path], Target]] = {
    "draft": lambda folder: reading_target("draft", 35),
    "submit": lambda folder: reading_target("submit", 35),
    "design": lambda folder: design_target(15, folder),
    "composite": lambda folder: composite_target(15),
}
