"""The doors through which files come in. A hostile file is answered alike at each; a new door joins `DOORS`.

A door takes a folder with records and pictures and the short name of a dataset, imports what is good, and leaves the
rest to `ImportProblem` rows or to the words it says when the whole is refused.
"""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from annotation.audit.models import Event
from annotation.datasets.errors import DatasetError
from annotation.datasets.importing import import_items
from annotation.datasets.models import ImportJob, ImportProblem
from annotation.people.models import User
from annotation.work.executor import drain
from tests import factories
from tests.acceptance.bench import command
from tests.api.world import Program


@dataclass
class Answer:
    """What came of an import, as plain data.

    Attributes:
        refused_whole: what was said when nothing was read; "" otherwise.
        new: items made.
        problems: (file, line, field, value, rule) of each refused line.
        verbs: acts in the trail.
        said: everything that was answered: pages, or what the command printed.
        statuses: HTTP status codes, or the exit code of the command.
    """

    refused_whole: str = ""
    new: int = 0
    problems: list[tuple[str, int | None, str, str, str]] = field(default_factory=list)
    verbs: list[str] = field(default_factory=list)
    said: str = ""
    statuses: list[int] = field(default_factory=list)


Door = Callable[[Path, str], Answer]


def by_service(folder: Path, slug: str) -> Answer:
    answer = Answer()
    try:
        import_items(path=folder, dataset_slug=slug, actor=_curator())
    except DatasetError as problem:
        answer.refused_whole = str(problem)
    return _filled(answer, slug)


def by_command(folder: Path, slug: str) -> Answer:
    said = command("import_items", folder, "--dataset", slug)
    answer = Answer(said=said.out + said.err, statuses=[said.code])
    if said.code == 2:
        answer.refused_whole = said.err
    return _filled(answer, slug)


def by_page(folder: Path, slug: str) -> Answer:
    client = Client(raise_request_exception=False)
    client.force_login(_curator())
    file = SimpleUploadedFile("package.zip", zipped(folder))
    looked = client.post("/datasets/import/", {"file": file, "layout": "auto", "new_dataset": slug})
    answer = Answer(said=looked.content.decode(), statuses=[looked.status_code])
    if looked.status_code != 200:
        answer.refused_whole = answer.said
        return _filled(answer, slug)
    done = client.post("/datasets/import/", {"upload": looked.context["upload"].id})
    answer.statuses.append(done.status_code)
    drain()
    shown = client.get(done.headers["Location"]) if done.status_code == 302 else done
    answer.statuses.append(shown.status_code)
    answer.said += shown.content.decode()
    return _filled(answer, slug)


def by_api(folder: Path, slug: str) -> Answer:
    program = Program(_curator())
    file = SimpleUploadedFile("package.zip", zipped(folder))
    looked = program.upload("imports/items/", {"file": file, "dataset": slug})
    answer = Answer(said=json.dumps(looked.data), statuses=[looked.status])
    if looked.status >= 400:
        answer.refused_whole = answer.said
        return _filled(answer, slug)
    done = program.post(f"uploads/{looked.data['upload']}/confirm/")
    answer.said += json.dumps(done.data)
    answer.statuses.append(done.status)
    drain()
    return _filled(answer, slug)


DOORS: dict[str, Door] = {"service": by_service, "page": by_page, "command": by_command, "API": by_api}
ARCHIVED = {"page", "API"}
"""Doors that take an archive."""


def zipped(folder: Path) -> bytes:
    """The folder as an archive."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder).as_posix())
    return target.getvalue()


def _curator() -> User:
    known = User.objects.filter(username="curating").first()
    return known or factories.person("curating", is_curator=True)


def _filled(answer: Answer, slug: str) -> Answer:
    jobs = ImportJob.objects.filter(dataset__slug=slug)
    answer.new = sum(job.new for job in jobs)
    fields = ("file", "line", "field", "value", "rule")
    answer.problems = list(ImportProblem.objects.filter(job__in=jobs, fatal=True).values_list(*fields))
    answer.verbs = list(Event.objects.order_by("pk").values_list("verb", flat=True))
    return answer
