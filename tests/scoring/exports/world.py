"""A graded study with everything that a score sheet must hold: two formats, three systems, gaps of every kind."""

import os
import subprocess
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from annotation.grading.models import CriterionScore, ErrorMark, Grade
from annotation.studies.models import Criterion, ErrorCode, Study
from annotation.systems.models import Output, Submission
from scoring.composites.services import change_composite, present_composite
from scoring.exports.services import export_workbook
from tests import factories
from tests.scoring.world import World, measure

SLUGS = ("zebra-unified", "okapi-editor", "quagga-pipeline")
ITEMS = 24


def rich_world(**fields: Any) -> World:
    """24 items of two formats and four tasks; failed, pending, amended, skipped, queued and not applicable ones."""
    tasks = (
        ("vqa", "question-answering"),
        ("vqa", "visual-grounding"),
        ("image_editing", "noise-reconstruction"),
        ("image_editing", "artifact-removal"),
    )
    for number in range(ITEMS):
        name, task = tasks[(0, 1, 2, 3, 0, 2)[number % 6]]
        factories.item(format=name, task=task, reference_image=name != "vqa")
    release = factories.release()
    rubric = factories.rubric("TX", "1.0", criteria=("overall", "anatomical_accuracy"))
    submissions = [factories.submission(release, slug) for slug in SLUGS]
    study = factories.study(release, submissions=submissions, rubrics=[rubric], state="running", **fields)
    readers = [factories.enroll(study, factories.person(f"reader{n}")) for n in range(2)]
    world = World(release, study, submissions, readers)
    _fail(submissions)
    _grade(world)
    _measure(world)
    return world


def _fail(submissions: list[Submission]) -> None:
    """One output of each kind of failure."""
    for place, status in enumerate(("error", "missing", "declined", "unreadable")):
        output = submissions[place % 3].outputs.order_by("revision__item__number")[place * 5]
        words = f"{SLUGS[place % 3]} crashed" if status == "error" else ""
        Output.objects.filter(pk=output.pk).update(status=status, error_text=words)


def _grade(world: World) -> None:
    _, anatomy = criteria(world.study)
    for r, enrollment in enumerate(world.readers):
        for n, study_item in enumerate(world.study.study_items.select_related("revision")):
            for s, submission in enumerate(world.submissions):
                output = submission.outputs.get(revision=study_item.revision)
                if output.status != "ok":
                    continue
                reading = factories.reading(enrollment, study_item, [output])
                if (n, s) == (3, 1):
                    reading.status, reading.skip_reason = "skipped", "image problem"
                    reading.save()
                elif n != 7:
                    _grade_one(reading.reading_outputs.get(), 1 + (n * 2 + s + r) % 5, (n, s), anatomy)


def _grade_one(shown: Any, value: int, at: tuple[int, int], anatomy: Criterion) -> None:
    n, s = at
    severe = (n, s) in ((4, 0), (9, 2))
    made = factories.grade(
        shown,
        scores={"overall": value},
        safety="severe" if severe else "low",
        rationale=f"because {n}",
        active_ms=12_345,
    )
    reason = {"na_reason": "not visible"} if n % 6 == 5 else {"value": float(1 + (n + s) % 5)}
    CriterionScore.objects.create(grade=made, criterion=anatomy, **reason)
    if n == 2:
        for position, code in enumerate(("invented", "omitted")):
            ErrorMark.objects.create(grade=made, error_code=ErrorCode.objects.get(pk=code), position=position)
    if (n, s) == (6, 0):
        amended = factories.grade(shown, scores={"overall": 3}, version=2, reason_for_change="looked again")
        CriterionScore.objects.create(grade=amended, criterion=anatomy, value=2.0)


def _measure(world: World) -> None:
    for s, submission in enumerate(world.submissions):
        for n, output in enumerate(submission.outputs.filter(status="ok").order_by("revision__item__number")):
            if output.revision.format == "vqa":
                measure(output, "token_f1", ((n * 7 + s * 3) % 11) / 10)
                continue
            measure(output, "ssim", 0.5 + ((n + s) % 7) / 20)
            if n % 5 == 4:
                measure(output, "psnr", None, reason="identical")
            elif n % 9 == 8:
                measure(output, "psnr", None, reason="geometry_mismatch")
            else:
                measure(output, "psnr", 8.0 + (n * 5 + s * 3) % 38)


def criteria(study: Study) -> list[Criterion]:
    return list(Criterion.objects.filter(rubric__study_rubrics__study=study).order_by("position"))


def weigh(study: Study, actor: Any, weights: dict[str, float], weighting: str) -> None:
    """Declare other weights by `format source`."""
    parts = present_composite(study).components.all()
    given = {part.pk: weights[f"{part.format} {part.source}"] for part in parts}
    change_composite(study=study, weights=given, weighting=weighting, actor=actor)


def unblind(study: Study) -> None:
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    study.state, study.locked_at, study.unblinded_at = "unblinded", moment, moment
    study.save()


def exported(study: Study, folder: Path, **fields: Any) -> Path:
    out = folder / "sheet.xlsx"
    export_workbook(study=study, out=out, actor=fields.pop("actor", None), **fields)
    return out


def rows_of(path: Path, title: str) -> list[dict[str, Any]]:
    """A table as dictionaries by header."""
    sheet = _opened(path, path.stat().st_mtime_ns)[title]
    head, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


@lru_cache(maxsize=2)
def _opened(path: Path, changed_at: int) -> Any:
    """Reading a file is slow; several questions are asked of each."""
    return load_workbook(path)


def block(sheet: Any, title: str) -> list[dict[str, Any]]:
    """A block of *Systems*: the rows below its title and header, up to an empty one, with their row number."""
    rows = list(sheet.iter_rows(values_only=True))
    start = next(place for place, row in enumerate(rows) if row[0] == title)
    head = rows[start + 1]
    found = []
    for place, row in enumerate(rows[start + 2 :], start=start + 3):
        if row[0] is None:
            break
        found.append(dict(zip(head, row, strict=True)) | {"row": place})
    return found


def unzipped(path: Path) -> bytes:
    """Every byte of every part, with the names of the parts."""
    with zipfile.ZipFile(path) as archive:
        return b"\n".join(name.encode() + archive.read(name) for name in archive.namelist())


def recalculated(paths: Iterable[Path], folder: Path) -> list[Path]:
    """The files as LibreOffice computes them, in a profile of its own."""
    out = folder / "recalculated"
    names = [str(path) for path in paths]
    command = [
        "soffice", f"-env:UserInstallation=file://{folder / 'profile'}", "--headless", "--norestore",
        "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(out), *names,
    ]  # fmt: skip
    environment = os.environ | {"HOME": str(folder)}
    subprocess.run(command, check=True, capture_output=True, timeout=120, env=environment)
    return [out / Path(name).name for name in names]


def grades(study: Study) -> Any:
    return Grade.objects.filter(reading_output__reading__study=study)
