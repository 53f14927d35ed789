"""The examples of docs/api.md work as they are written."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from annotation.audit.models import Event
from tests import factories
from tests.api.world import cast, secret_of, world

pytestmark = pytest.mark.django_db

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
EXAMPLE = re.compile(r"^(curl .+?)\s+# (\d{3})$", re.MULTILINE)
LINE = b'{"id": "x1", "question": "Is there a mass?", "answer": "No."}\n'


def examples() -> list[tuple[str, int]]:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [(command, int(status)) for block in blocks for command, status in EXAMPLE.findall(block)]


def sent(client: Client, command: str) -> Any:
    """What curl would send, sent to the product in this process."""
    words = shlex.split(command)[1:]
    headers: dict[str, str] = {}
    form: dict[str, Any] = {}
    method, body, address = "GET", None, ""
    while words:
        word = words.pop(0)
        if word == "-H":
            name, _, value = words.pop(0).partition(": ")
            headers[name] = value
        elif word == "-X":
            method = words.pop(0)
        elif word == "--json":
            method, body = "POST", words.pop(0)
        elif word == "-F":
            name, _, value = words.pop(0).partition("=")
            form[name] = SimpleUploadedFile(value[1:], LINE) if value.startswith("@") else value
        else:
            address = word
    if form:
        return client.post(address, form, headers=headers)
    if body is not None:
        return client.post(address, body, content_type="application/json", headers=headers)
    return client.generic(method, address, headers=headers)


def test_every_example_answers_as_written(operator, coordinator, analyst, reader, stranger):
    staff = factories.person("staff", is_curator=True, may_create_studies=True)
    rows = world(cast(operator, staff, coordinator, analyst, reader, stranger))
    known = {
        "KEY": secret_of(staff), "READER": secret_of(reader), "COORDINATOR": secret_of(coordinator), "MEDGEN": "",
        "ITEM": rows["item"].pk, "SUBMISSION": rows["submission"].pk, "READING": rows["reading"].pk,
    }  # fmt: skip
    client = Client()
    wrong = []
    for command, status in examples():
        answer = sent(client, re.sub(r"\$([A-Z]+)", lambda match: str(known[match[1]]), command))
        if answer.status_code != status:
            wrong.append(f"{command}: {answer.status_code} {answer.content[:300]!r}")
        if "/imports/items/" in command and answer.status_code == 200:
            known["UPLOAD"] = answer.json()["upload"]

    assert len(examples()) > 15
    assert wrong == []
    assert Event.objects.filter(verb="study paused").count() == 1
