"""Loading the demo world through the same services as any other data; every step may be run again."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction

from annotation.curation import quarantine
from annotation.curation.services import present_checklist, review_item
from annotation.datasets.importing import import_items
from annotation.datasets.models import Dataset, Item, ItemAlias
from annotation.grading.services import Entry, submit_reading
from annotation.grading.working_time import Work
from annotation.people.models import User
from annotation.people.services import create_person
from annotation.releases.models import Release
from annotation.releases.services import freeze_release
from annotation.studies.consent import give_consent
from annotation.studies.design import StudyDesign
from annotation.studies.models import Reading, Study
from annotation.studies.services import create_study, open_study
from annotation.systems.importing import import_outputs
from annotation.systems.models import Submission
from medgen.demo.cast import CAST, PASSWORD, READERS
from scoring.agreement.services import agreement
from scoring.leaderboards.services import leaderboard
from scoring.runs.services import run_metrics

DATA = Path(__file__).parent / "data"
DATASET, VERSION, STUDY = "demo", "1.0", "demo-reading"
SEED = 4711
VERDICT = "Public sample, looked at frame by frame: the text is settings of the device and names nobody."
Say = Callable[[str], None]


def load(say: Say) -> None:
    """Build whatever part of the demo world is not there yet."""
    people = load_people()
    say("items")
    import_items(path=DATA / "items", dataset_slug=DATASET, actor=people["curator"])
    load_verdicts(people["curator"])
    say("reviews by two curators, release")
    release = load_release(people)
    for system in json.loads((DATA / "systems.json").read_text(encoding="utf-8")):
        say(f"outputs of {system['name']}")
        load_outputs(system, people["coordinator"])
    say("study and readings")
    study = load_study(release, people["coordinator"])
    say("invented grades of two readers")
    load_grades(study)
    say("metrics")
    run_metrics(submissions=list(Submission.objects.filter(release=release)), actor=people["coordinator"])
    say("agreement and leaderboard")
    agreement(study)
    leaderboard(study)


def load_people() -> dict[str, User]:
    """The cast, by user name. The password is hashed once and shared: hashing is slow on purpose."""
    present = set(User.objects.values_list("username", flat=True))
    absent = [member for member in CAST if member.username not in present]
    for member in absent:
        roles: dict[str, Any] = dict.fromkeys(member.roles, True)
        create_person(username=member.username, name=member.name, password=None, actor=None, **roles)
    if absent:
        names = [member.username for member in absent]
        User.objects.filter(username__in=names).update(password=make_password(PASSWORD))
    return {user.username: user for user in User.objects.filter(username__in=[member.username for member in CAST])}


def load_verdicts(curator: User) -> None:
    """The demo's curator looked at the pictures that wait in quarantine: nothing in them names anybody."""
    dataset = Dataset.objects.get(slug=DATASET)
    for asset in quarantine.waiting(dataset):
        judgment = quarantine.Judgment(asset, dataset, curator, reason=VERDICT, seen=0)
        quarantine.judge_image(judgment, kind="clear")


def load_release(people: dict[str, User]) -> Release:
    """Two curators accept what they have not judged yet; then the release is frozen."""
    release = Release.objects.filter(dataset__slug=DATASET, version=VERSION).first()
    if release is not None:
        return release
    answers = dict.fromkeys((question.code for question in present_checklist().questions.all()), "yes")
    items = Item.objects.filter(dataset__slug=DATASET).select_related("current_revision").order_by("number")
    for name in ("curator", "curator2"):
        for item in items.exclude(current_revision__reviews__reviewer=people[name]):
            revision = item.current_revision
            assert revision is not None
            review_item(
                revision=revision,
                reviewer=people[name],
                verdict="accept",
                answers=answers,
                synopsis=revision.synopsis,
                why_selected=revision.why_selected,
            )
    dataset = items[0].dataset
    return freeze_release(dataset=dataset, version=VERSION, actor=people["curator"])


def load_outputs(system: dict[str, Any], actor: User) -> None:
    import_outputs(
        path=DATA / "outputs" / system["slug"],
        dataset_slug=DATASET,
        release_version=VERSION,
        system_slug=system["slug"],
        system_name=system["name"],
        system_version=system["version"],
        system_kind=system["kind"],
        actor=actor,
    )


def load_study(release: Release, actor: User) -> Study:
    """A crossed study of all items: four readers, one output per reading, already open."""
    study = Study.objects.filter(slug=STUDY).first()
    if study is None:
        design = StudyDesign.from_json(
            {
                "name": "Demo reading",
                "slug": STUDY,
                "release": str(release),
                "submissions": [submission.code for submission in Submission.objects.filter(release=release)],
                "rubrics": ["T1", "T6"],
                "readers": list(READERS),
                "analysts": ["analyst"],
                "readers_per_item": len(READERS),
                "seed": SEED,
                "instructions": "Judge each output as if it were to be used for this patient.",
            }
        )
        study = create_study(design=design, actor=actor)
    if study.state == Study.State.DRAFT:
        study = open_study(study=study, actor=actor)
        for enrollment in study.enrollments.filter(role="reader").select_related("user"):
            give_consent(enrollment=enrollment, version=1, actor=enrollment.user)
    return study


def load_grades(study: Study) -> None:
    """Enter the invented grades as two readers would; readings that are submitted are left alone."""
    stated = json.loads((DATA / "grades.json").read_text(encoding="utf-8"))["readers"]
    codes = _item_codes()
    for username, by_item in stated.items():
        readings = (
            Reading.objects.filter(study=study, enrollment__user__username=username)
            .pending()
            .select_related("enrollment__user", "study_item__revision")
            .prefetch_related("reading_outputs__output__submission__system_version__system")
        )
        with transaction.atomic():  # one commit per reader: the disk is waited for once
            for reading in readings:
                (shown,) = reading.reading_outputs.all()
                system = shown.output.submission.system_version.system.slug
                grade = by_item.get(codes[reading.study_item.revision.item_id], {}).get(system)
                if grade:
                    _submit(reading, shown.label, grade)


def _item_codes() -> dict[Any, str]:
    """Item → its code in the demo's own files (E01, V03, G07)."""
    codes = {}
    for item, value in ItemAlias.objects.filter(dataset__slug=DATASET).values_list("item_id", "value"):
        tail = value.rsplit(":", 1)[-1].rsplit("/", 1)[-1]
        if len(tail) == 3 and tail[0] in "EGV":
            codes[item] = tail
    return codes


def _submit(reading: Reading, label: str, grade: dict[str, Any]) -> None:
    payload = {
        "scores": grade["scores"],
        "na": {},
        "rationale": grade.get("rationale", ""),
        "errors": grade.get("errors", []),
        "safety": grade["safety"],
        "reference_wrong": grade.get("reference_wrong", False),
    }
    key = uuid.uuid5(uuid.NAMESPACE_OID, f"{reading.pk}")
    entry = Entry(
        payload={"outputs": {label: payload}}, submit_key=key, work=Work(active_ms=grade.get("active_ms", 0))
    )
    submit_reading(reading=reading, actor=reading.enrollment.user, entry=entry)
