"""What the score sheet of a study costs in seconds and memory, at 2,000 and at 20,000 grades, in one run.

Run: python benchmarks/workbook.py [--grades 2000 20000] [--criteria 2] [--json]

A study is made in a database of its own: three systems, four tasks, two readers per output, every grade with a
rationale, every output with three metric values. Leaderboard and agreement are computed first and stored, as the
page does it; their time is printed apart. Then a fresh process writes the workbook: seconds (and processor seconds,
which a busy machine disturbs less), its peak memory above the start, and how much of that came while the sheets were
written (Linux counts it for the process). Last, the same rows of the sheet Grades go through openpyxl's write-only
mode, which is the yardstick for the writer.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

BATCH = 1_000
TASKS = (
    ("vqa", "question-answering"),
    ("vqa", "visual-grounding"),
    ("image_editing", "noise-reconstruction"),
    ("image_editing", "artifact-removal"),
)
SYSTEMS, READERS_PER_OUTPUT = 3, 2
RATIONALE = "The lower lobe is blurred and the vessel at its border ends too early; the rest is right."


def start(home: Path) -> None:
    """Django on the home of this run."""
    os.environ |= {"MEDGEN_HOME": str(home), "DJANGO_SETTINGS_MODULE": "medgen.settings"}
    import django

    django.setup()


def peak_mb() -> float:
    """Largest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def prepare(home: Path, grades: int, criteria: int) -> dict[str, Any]:
    """Make the study, compute what the pages show, and say how long that took."""
    start(home)
    from django.core.management import call_command

    from scoring.agreement.services import agreement
    from scoring.leaderboards.services import leaderboard

    call_command("migrate", verbosity=0)
    study = make_study(grades, criteria)
    begun = time.perf_counter()
    leaderboard(study)
    agreement(study)
    return {"analyses s": round(time.perf_counter() - begun, 2)}


def make_study(grades: int, criteria: int) -> Any:
    """A running study with so many submitted grades."""
    from annotation.datasets.models import Dataset, Item, ItemRevision
    from annotation.releases.models import Release
    from annotation.studies.models import StudyItem

    n_items = -(-grades // (SYSTEMS * READERS_PER_OUTPUT))
    dataset = Dataset.objects.create(slug="bench", name="Bench")
    release = Release.objects.create(dataset=dataset, version="1", validation="here", content_hash="0" * 64)
    items = [Item(dataset=dataset, number=n + 1, state="accepted") for n in range(n_items)]
    Item.objects.bulk_create(items, batch_size=BATCH)
    revisions = [
        ItemRevision(
            item=item,
            instruction=f"Question {n}: is the opacity in the left lower lobe new?",
            reference_text="No, it was there before.",
            format=TASKS[n % 4][0],
            task=TASKS[n % 4][1],
            modality="ct",
            content_hash=f"{n:064x}",
        )
        for n, item in enumerate(items)
    ]
    ItemRevision.objects.bulk_create(revisions, batch_size=BATCH)
    study = make_frame(release, criteria)
    study_items = [
        StudyItem(study=study, revision=revision, stratum=revision.task, cluster=f"case-{n}")
        for n, revision in enumerate(revisions)
    ]
    StudyItem.objects.bulk_create(study_items, batch_size=BATCH)
    outputs = make_outputs(study, revisions)
    make_grades(study, study_items, outputs, grades)
    return study


def make_frame(release: Any, criteria: int) -> Any:
    """Study, rubric, systems and readers."""
    from annotation.people.models import User
    from annotation.studies.models import Criterion, Enrollment, Rubric, Study, StudyRubric, StudySystem
    from annotation.systems.models import Submission, System, SystemVersion

    study = Study.objects.create(slug="bench", name="Bench", release=release, state="running")
    rubric = Rubric.objects.create(code="B1", version="1.0", name="Bench", scale_min=1, scale_max=5)
    for position, code in enumerate(["overall", *(f"criterion_{n}" for n in range(2, criteria + 1))]):
        Criterion.objects.create(rubric=rubric, code=code, label=code, definition="…", position=position)
    StudyRubric.objects.create(study=study, rubric=rubric, position=0)
    for place in range(SYSTEMS):
        system = System.objects.create(slug=f"system-{place}", name=f"System {place}", kind="unified")
        submission = Submission.objects.create(
            number=place + 1,
            system_version=SystemVersion.objects.create(system=system, version="1"),
            dataset=release.dataset,
            release=release,
        )
        StudySystem.objects.create(study=study, submission=submission, letter="ABC"[place])
    for place in range(READERS_PER_OUTPUT):
        user = User.objects.create(username=f"reader{place}")
        Enrollment.objects.create(study=study, user=user, role="reader", reader_code=f"R{place + 1:02d}")
    return study


def make_outputs(study: Any, revisions: list[Any]) -> list[list[Any]]:
    """Outputs by system, with three metric values each."""
    from annotation.systems.models import Output
    from scoring.runs.models import MetricValue
    from scoring.runs.services import present_settings

    settings = present_settings(["token_f1", "ssim", "psnr"])
    found = []
    for system in study.study_systems.order_by("letter"):
        outputs = [
            Output(submission_id=system.submission_id, revision=revision, status="ok", content_hash="1" * 64)
            for revision in revisions
        ]
        Output.objects.bulk_create(outputs, batch_size=BATCH)
        values = [
            MetricValue(settings=one, output=output, value=(n * 7 % 23) / 23 * (30 if code == "psnr" else 1))
            for n, output in enumerate(outputs)
            for code, one in settings.items()
        ]
        MetricValue.objects.bulk_create(values, batch_size=BATCH)
        found.append(outputs)
    return found


def make_grades(study: Any, study_items: list[Any], outputs: list[list[Any]], n_grades: int) -> None:
    """Readings of one output each, until there are enough grades."""
    import uuid

    from annotation.grading.models import CriterionScore, Grade
    from annotation.studies.models import Criterion, Reading, ReadingOutput

    criteria = list(Criterion.objects.filter(rubric__study_rubrics__study=study))
    enrollments = list(study.enrollments.order_by("reader_code"))
    readings, shown, grades, scores = [], [], [], []
    for n in range(n_grades):
        enrollment = enrollments[n % READERS_PER_OUTPUT]
        item, system = divmod(n // READERS_PER_OUTPUT, SYSTEMS)
        readings.append(
            Reading(
                study=study, enrollment=enrollment, study_item=study_items[item], position=n + 1, status="submitted"
            )
        )
        shown.append(ReadingOutput(reading=readings[-1], output=outputs[system][item], label="A", position=0))
        grades.append(
            Grade(
                reading_output=shown[-1], author_id=enrollment.user_id, rationale=RATIONALE, active_ms=40_000 + n,
                submit_key=uuid.uuid4(),
            )
        )  # fmt: skip
        scores += [
            CriterionScore(grade=grades[-1], criterion=one, value=1 + (n // 2 + n % 2 + at) % 5)
            for at, one in enumerate(criteria)
        ]
    for model, rows in ((Reading, readings), (ReadingOutput, shown), (Grade, grades), (CriterionScore, scores)):
        model.objects.bulk_create(rows, batch_size=BATCH)


def export(home: Path) -> dict[str, Any]:
    """Write the workbook once; seconds, memory above the start, bytes and rows."""
    start(home)
    from annotation.studies.models import Study
    from scoring.exports import services

    study = Study.objects.select_related("release__dataset").get(slug="bench")
    write, writing = services.write_workbook, {}

    def watched(*arguments: Any) -> Any:
        memory, begun = peak_mb(), time.perf_counter()
        notes = write(*arguments)
        writing.update({"of that writing s": time.perf_counter() - begun, "writing MB": peak_mb() - memory})
        return notes

    services.write_workbook = watched
    before, begun, used = peak_mb(), time.perf_counter(), time.process_time()
    services.export_workbook(study=study, out=home / "sheet.xlsx", actor=None)
    return {
        "workbook s": round(time.perf_counter() - begun, 2),
        "processor s": round(time.process_time() - used, 2),
        "of that writing s": round(writing["of that writing s"], 2),
        "peak above start MB": round(peak_mb() - before),
        "of that writing MB": round(writing["writing MB"]),
        "file MB": round((home / "sheet.xlsx").stat().st_size / 1e6, 1),
    }


def writers(home: Path) -> dict[str, Any]:
    """The rows of Grades, written by ours and by openpyxl's write-only mode, without reading them in the time."""
    start(home)
    from django.utils import timezone

    from annotation.studies.models import Study
    from scoring.exports import grade_rows
    from scoring.exports.package import Package
    from scoring.exports.scope import make_scope
    from scoring.exports.sheets import write_table

    study = Study.objects.select_related("release__dataset").get(slug="bench")
    scope = make_scope(study=study, blinded=True, made_at=timezone.now(), made_by="", banner="")
    rows = list(grade_rows.grade_rows(scope))
    begun = time.perf_counter()
    with Package(home / "ours.xlsx", made_at=scope.made_at) as package:
        write_table(package, grade_rows.GRADES, rows)
    ours = time.perf_counter() - begun
    begun = time.perf_counter()
    with_openpyxl(home / "openpyxl.xlsx", (row for row in rows))
    theirs = time.perf_counter() - begun
    return {
        "rows of Grades": len(rows),
        "Grades, ours s": round(ours, 2),
        "Grades, openpyxl write-only s": round(theirs, 2),
        "openpyxl / ours": round(theirs / ours, 1),
    }


def with_openpyxl(path: Path, rows: Iterator[tuple[Any, ...]]) -> None:
    from datetime import datetime

    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Grades")
    for row in rows:
        sheet.append([cell.replace(tzinfo=None) if isinstance(cell, datetime) else cell for cell in row])
    book.save(path)


def child(step: str, home: Path, grades: int, criteria: int) -> dict[str, Any]:
    """One step in a process of its own, so that its memory is its own."""
    command = [sys.executable, __file__, "--step", step, "--home", str(home), "--criteria", str(criteria)]
    environment = os.environ | {"OPENPYXL_LXML": "False"}
    done = subprocess.run(
        [*command, "--grades", str(grades)], check=True, capture_output=True, text=True, env=environment
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measured(grades: int, criteria: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        found: dict[str, Any] = {"grades": grades, "criteria": criteria}
        for step in ("prepare", "export", "writers"):
            found |= child(step, Path(folder), grades, criteria)
    return found


def main() -> None:
    """Print one line per size and the two ratios that matter."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grades", type=int, nargs="+", default=[2_000, 20_000])
    parser.add_argument("--criteria", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--step", choices=["prepare", "export", "writers"], help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        steps = {
            "prepare": lambda: prepare(options.home, options.grades[0], options.criteria),
            "export": lambda: export(options.home),
            "writers": lambda: writers(options.home),
        }
        print(json.dumps(steps[options.step]()))
        return
    rows = [measured(grades, options.criteria) for grades in options.grades]
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        print(" · ".join(f"{name} {value}" for name, value in row.items()))
    print("aim: 20,000 grades in less than 10 s, memory flat from 2,000 to 20,000 grades")


if __name__ == "__main__":
    main()
