"""What agreement, comparison, leaderboard and combination cost at 20,000 grades × 18 systems × 6 criteria.

Run: python benchmarks/analysis_pages.py [--grades 20000] [--systems 18] [--readers 3] [--criteria 6] [--home FOLDER]

A study is made in a database of its own, every output with three metric values. Then each page is asked for through
the views, by an analyst, twice: cold (nothing stored for this state of the grades) and warm (stored). Printed are
seconds by the clock and processor seconds, which a busy machine disturbs less.
"""

import argparse
import json
import random
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.workbook import BATCH, TASKS, peak_mb, start  # noqa: E402

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
PAGES = {
    "agreement": ("agreement", ""),
    "leaderboard": ("leaderboard", ""),
    "comparison of composites": ("comparison", ""),
    "comparison on a criterion": ("comparison", "?measure=B1:overall"),
    "combination": ("combination", ""),
}


def make_study(options: argparse.Namespace) -> Any:
    """A running study with so many submitted grades, an analyst, and three metrics of every output."""
    from annotation.studies.models import Criterion, Rubric, Study, StudyItem, StudyRubric

    n_graded = -(-options.grades // (options.systems * options.readers))
    release, revisions = make_release(n_graded + options.ungraded)
    study = Study.objects.create(slug="bench", name="Bench", release=release, state="running")
    rubric = Rubric.objects.create(code="B1", version="1.0", name="Bench", scale_min=1, scale_max=5)
    for position, code in enumerate(["overall", *(f"criterion_{n}" for n in range(2, options.criteria + 1))]):
        Criterion.objects.create(rubric=rubric, code=code, label=code, definition="…", position=position)
    StudyRubric.objects.create(study=study, rubric=rubric, position=0)
    add_systems(study, options.systems)
    add_people(study, options.readers)
    study_items = [
        StudyItem(study=study, revision=revision, stratum=revision.task, cluster=f"case-{n}")
        for n, revision in enumerate(revisions[:n_graded])
    ]
    StudyItem.objects.bulk_create(study_items, batch_size=BATCH)
    grade(study, study_items, outputs_of(study, revisions))
    return study


def make_release(n_items: int) -> tuple[Any, list[Any]]:
    """A release of so many accepted items, and their revisions."""
    from annotation.datasets.models import Dataset, Item, ItemRevision
    from annotation.releases.models import Release, ReleaseItem

    dataset = Dataset.objects.create(slug="bench", name="Bench")
    release = Release.objects.create(dataset=dataset, version="1", validation="here", content_hash="0" * 64)
    items = [Item(dataset=dataset, number=n + 1, state="accepted") for n in range(n_items)]
    Item.objects.bulk_create(items, batch_size=BATCH)
    revisions = [
        ItemRevision(
            item=item, instruction=f"Question {n}", reference_text="No",
            format=TASKS[n % 4][0], task=TASKS[n % 4][1],
            modality=("ct", "mr")[n // 4 % 2], content_hash=f"{n:064x}",
        )
        for n, item in enumerate(items)
    ]  # fmt: skip
    ItemRevision.objects.bulk_create(revisions, batch_size=BATCH)
    released = [ReleaseItem(release=release, revision=one, content_hash=one.content_hash) for one in revisions]
    ReleaseItem.objects.bulk_create(released, batch_size=BATCH)
    return release, revisions


def add_systems(study: Any, n_systems: int) -> None:
    from annotation.studies.models import StudySystem
    from annotation.systems.models import Submission, System, SystemVersion

    for place in range(n_systems):
        system = System.objects.create(slug=f"system-{place}", name=f"System {place}", kind="unified")
        version = SystemVersion.objects.create(system=system, version="1")
        submission = Submission.objects.create(
            number=place + 1, system_version=version, dataset=study.release.dataset, release=study.release
        )
        StudySystem.objects.create(study=study, submission=submission, letter=LETTERS[place])


def add_people(study: Any, n_readers: int) -> None:
    from annotation.people.models import User
    from annotation.studies.models import Enrollment

    for place in range(n_readers):
        user = User.objects.create(username=f"reader{place}")
        Enrollment.objects.create(study=study, user=user, role="reader", reader_code=f"R{place + 1:02d}")
    analyst = User.objects.create(username="analyst")
    Enrollment.objects.create(study=study, user=analyst, role="analyst")


def outputs_of(study: Any, revisions: list[Any]) -> dict[str, list[tuple[Any, float]]]:
    """Outputs by letter with their true quality, and three metric values that follow it with noise."""
    from annotation.systems.models import Output
    from scoring.runs.models import MetricValue
    from scoring.runs.services import present_settings

    chance = random.Random(1)
    settings = present_settings(["token_f1", "ssim", "psnr"])
    hard = [chance.gauss(0, 0.6) for _ in revisions]
    found = {}
    for place, system in enumerate(study.study_systems.order_by("letter")):
        outputs = [
            Output(submission_id=system.submission_id, revision=revision, status="ok", content_hash="1" * 64)
            for revision in revisions
        ]
        Output.objects.bulk_create(outputs, batch_size=BATCH)
        quality = [3 + 0.05 * place + hard[n] + chance.gauss(0, 0.8) for n in range(len(outputs))]
        values = []
        for output, true in zip(outputs, quality, strict=True):
            near = min(1.0, max(0.0, (true - 1) / 4 + chance.gauss(0, 0.15)))
            values += [
                MetricValue(settings=one, output=output, value=near * (30 if code == "psnr" else 1))
                for code, one in settings.items()
            ]
        MetricValue.objects.bulk_create(values, batch_size=BATCH)
        found[system.letter] = list(zip(outputs, quality, strict=True))
    return found


def grade(study: Any, study_items: list[Any], outputs: dict[str, list[tuple[Any, float]]]) -> None:
    """Every reader grades every output on every criterion."""
    from annotation.grading.models import CriterionScore, Grade
    from annotation.studies.models import Criterion, Reading, ReadingOutput

    chance = random.Random(2)
    criteria = list(Criterion.objects.filter(rubric__study_rubrics__study=study))
    readings, shown, grades, scores = [], [], [], []
    for reader, enrollment in enumerate(study.enrollments.filter(role="reader").order_by("reader_code")):
        position = 0
        for number, item in enumerate(study_items):
            for row in outputs.values():
                output, true = row[number]
                position += 1
                readings.append(
                    Reading(
                        study=study, enrollment=enrollment, study_item=item, position=position, status="submitted"
                    )
                )
                shown.append(ReadingOutput(reading=readings[-1], output=output, label="A", position=0))
                grades.append(Grade(reading_output=shown[-1], author_id=enrollment.user_id, submit_key=uuid.uuid4()))
                scores += [
                    CriterionScore(
                        grade=grades[-1],
                        criterion=one,
                        value=float(min(5, max(1, round(true - 0.1 * reader + chance.gauss(0, 0.6))))),
                    )
                    for one in criteria
                ]
    for model, rows in ((Reading, readings), (ReadingOutput, shown), (Grade, grades), (CriterionScore, scores)):
        model.objects.bulk_create(rows, batch_size=BATCH)


def timed(client: Any, address: str) -> dict[str, float]:
    begun, used = time.perf_counter(), time.process_time()
    answer = client.get(address)
    assert answer.status_code == 200, f"{address}: {answer.status_code}"
    return {"s": round(time.perf_counter() - begun, 2), "processor s": round(time.process_time() - used, 2)}


def measured(home: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Each page cold and warm."""
    start(home)
    from django.core.management import call_command
    from django.test import Client
    from django.urls import reverse

    from annotation.people.models import User
    from annotation.studies.models import Study
    from scoring.agreement.models import AnalysisRun

    call_command("migrate", verbosity=0)
    if not Study.objects.filter(slug="bench").exists():
        make_study(options)
    AnalysisRun.objects.all().delete()
    client = Client(HTTP_HOST="localhost")
    client.force_login(User.objects.get(username="analyst"))
    client.get("/studies/")
    found: dict[str, Any] = {"grades": options.grades, "systems": options.systems, "criteria": options.criteria}
    for words, (page, query) in PAGES.items():
        if page in options.pages:
            address = reverse(f"scoring:{page}", args=["bench"]) + query
            found[words] = {"cold": timed(client, address), "warm": timed(client, address)}
    return found | {"peak MB": round(peak_mb())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grades", type=int, default=20_000)
    parser.add_argument("--systems", type=int, default=18)
    parser.add_argument("--readers", type=int, default=3)
    parser.add_argument("--criteria", type=int, default=6)
    parser.add_argument("--home", type=Path, help="a folder to keep the study in for further runs")
    parser.add_argument("--pages", nargs="+", default=sorted({page for page, _ in PAGES.values()}))
    parser.add_argument("--ungraded", type=int, default=400, help="items of the release outside the study")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measured(options.home or Path(folder), options), indent=1))
    print("aim: cold at most 10 s, warm at most 1 s")


if __name__ == "__main__":
    main()
