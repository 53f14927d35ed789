"""A graded study with an amendment and a review, made by the product's own acts, and ways to tamper with it."""

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection

from annotation.audit import triggers
from annotation.audit.links import FACTS, link_hash
from annotation.audit.models import ChainHead, Event
from annotation.audit.record import chain_of_study
from annotation.curation.services import present_checklist, review_item
from annotation.grading import services, trail
from annotation.grading.models import Grade
from annotation.people.models import User
from annotation.studies.models import Reading, Study
from medgen import verify_trail
from tests import factories
from tests.annotation.grading import world

LOW = world.entry(2, rationale="Far too small a liver, J\u00fcrgen.", errors=[{"code": "measurement"}])


@dataclass
class Graded:
    study: Study
    readings: list[Reading]
    reader: User

    @property
    def chain(self) -> str:
        return chain_of_study(self.study.pk)


def graded(reader: User, curator: User, *, formats: tuple[str, ...] = ("vqa", "image_editing")) -> Graded:
    """Two items, two systems, four submitted readings, one amended, one review."""
    made = world.small_study(reader, formats=formats)
    for place, reading in enumerate(made.readings):
        criteria = world.CRITERIA[reading.study_item.revision.format]
        first = LOW if place == 0 else world.entry(3, criteria=criteria)
        submit(reading, reader, first)
    submit(made.readings[0], reader, world.entry(4), reason="Saw the prior later.")
    revision = factories.item().current_revision
    answers = dict.fromkeys((question.code for question in present_checklist().questions.all()), "yes")
    review_item(revision=revision, reviewer=curator, verdict="accept", answers=answers, synopsis="Liver.")
    return Graded(made.study, made.readings, reader)


def submit(reading: Reading, reader: User, of: dict[str, Any], reason: str | None = None) -> None:
    reading = Reading.objects.get(pk=reading.pk)
    entry = services.Entry(
        payload=world.payload(A=of), submit_key=uuid.uuid4(), reason=reason, viewing={"zoom": 1.0, "steps": [0.5, 2]}
    )
    services.submit_reading(reading=reading, actor=reader, entry=entry)


def found(known: Any = ()) -> list[str]:
    """What a check in place finds, in words."""
    return [str(finding) for finding in trail.verify_trail(known)]


def tamper(statement: str, *values: Any) -> int:
    """Change rows as the owner of the database can: without triggers."""
    (table,) = set(re.findall(r"annotation_\w+", statement)) & set(triggers.GUARDED)
    with triggers.lifted(connection, [table]), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE" if connection.vendor == "postgresql" else "SELECT 1")
        cursor.execute(statement, values)
        return cursor.rowcount


def key(row: Any) -> Any:
    """The primary key as a raw statement needs it."""
    return row.pk.hex if connection.vendor == "sqlite" and isinstance(row.pk, uuid.UUID) else row.pk


def first_grade() -> Grade:
    return Grade.objects.exclude(rationale="").get()


def rewrite_chain(chain: str) -> None:
    """Compute all checksums of a chain anew, as somebody who knows how could."""
    before = ""
    with triggers.lifted(connection, ["annotation_event"]):
        for number, event in enumerate(Event.objects.filter(chain=chain).order_by("sequence"), start=1):
            facts = {name: getattr(event, name) for name in FACTS} | {"sequence": number, "previous_hash": before}
            after = link_hash(facts)
            Event._base_manager.filter(pk=event.pk).update(sequence=number, previous_hash=before, hash=after)
            before = after
    ChainHead.objects.filter(pk=chain).update(sequence=number, hash=before)


def exported(made: Graded, folder: Path) -> Path:
    out = folder / "trail.jsonl"
    trail.export_trail(study=made.study, out=out, actor=None)
    return out


def checked(capsys: Any, *arguments: Any) -> tuple[int, str]:
    """Exit code and words of the stand-alone script."""
    code = verify_trail.main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def edited(path: Path, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]] | None]) -> Path:
    """A copy of a trail with its lines changed."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    lines = change(lines) or lines
    out = path.with_name("edited.jsonl")
    out.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return out
