"""Handing out a score sheet: written beside its place, renamed when complete, remembered with its checksum."""

import hashlib
import json
import os
import secrets
import unicodedata
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max
from django.utils import timezone

from annotation.adjudication.queue import cases_of
from annotation.audit import chain
from annotation.audit.chain import KnownHead
from annotation.audit.record import chain_of_study, record
from annotation.grading.models import Grade
from annotation.people.models import User
from annotation.preferences.models import Preference, PreferenceChoice
from annotation.studies.models import Study
from annotation.systems.models import releases_read_by
from annotation.work.models import Job
from scoring.agreement.models import AnalysisRun
from scoring.agreement.services import agreement
from scoring.calibration.models import Judgment
from scoring.calibration.services import for_workbook
from scoring.composites.combining import CombiningError, Declaration, OutputRow
from scoring.composites.combining import inputs_hash as rows_hash
from scoring.composites.inputs import output_rows
from scoring.composites.services import declaration_of, present_composite
from scoring.exports.adjudication_rows import adjudication_counts
from scoring.exports.errors import ExportError
from scoring.exports.models import ExportJob
from scoring.exports.number_rows import study_outputs
from scoring.exports.package import MAX_ROWS, SheetFullError
from scoring.exports.scope import Scope, make_scope
from scoring.exports.summary_rows import study_counts
from scoring.exports.workbook import Computed, Head, write_workbook
from scoring.leaderboards.services import CODE_VERSION, leaderboard
from scoring.preferences.services import preferences
from scoring.runs.models import MetricValue

FORMAT = "xlsx"
BANNER = "Demo: the images are real and public, the readers and their grades are invented."
DEMO_MARKER = "demo.txt"
TRIES = 3


@dataclass(frozen=True)
class Written:
    """A score sheet that was written: its checksum, the hash of its inputs, the head of the trail it carries."""

    study: Study
    blinded: bool
    digest: str
    inputs: str
    newest: Head


def demo_banner() -> str:
    """Words for every sheet when this home is the demo."""
    return BANNER if (settings.MEDGEN_HOME / DEMO_MARKER).exists() else ""


def export_workbook(
    *, study: Study, out: Path, actor: User | None, blinded: bool | None = None, banner: str | None = None
) -> ExportJob:
    """Write the score sheet of a study to a file, and remember that it was handed out.

    Until the study is unblinded the file holds letters only, and no name of a system in any byte. A grade that
    arrives while the file is written makes it start again, so that all sheets speak of one moment.

    Args:
        study: which study.
        out: the file; it appears complete or not at all.
        actor: who exports; None for a command.
        blinded: letters only; None for what the state of the study asks.
        banner: words for every sheet; None for the demo's when this home is the demo.

    Raises:
        ExportError: names asked for before the study is unblinded, more rows than a sheet holds, a composite that
            cannot be computed, or a folder that cannot be written to.
    """
    draft = out.with_name(f".{secrets.token_hex(8)}.part")
    try:
        written = write_sheet(study=study, draft=draft, actor=actor, blinded=blinded, banner=banner)
        with transaction.atomic():
            job = remember(written, actor=actor)
            draft.replace(out)
    except OSError as problem:
        raise ExportError(f"{out}: {problem.strerror or problem}") from problem
    finally:
        draft.unlink(missing_ok=True)
    return job


def write_sheet(
    *, study: Study, draft: Path, actor: User | None, blinded: bool | None = None, banner: str | None = None
) -> Written:
    """Write a score sheet to a file of one's own, synced; nothing is remembered yet. Arguments as `export_workbook`.

    Raises:
        ExportError: as `export_workbook`.
        OSError: the file cannot be written.
    """
    if blinded is None:
        blinded = not study.names_are_open
    if not blinded and not study.names_are_open:
        raise ExportError(f"study {study.slug} is {study.state}: names stay withheld until two people unblind it")
    scope = make_scope(
        study=study,
        blinded=blinded,
        made_at=timezone.now(),
        made_by=str(actor.username) if actor is not None else "a command",
        banner=demo_banner() if banner is None else banner,
    )
    inputs, newest = _write(draft, scope)
    with draft.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    return Written(study, scope.blinded, digest, inputs, newest)


def _write(draft: Path, scope: Scope) -> tuple[str, Head]:
    """Write until nothing changed meanwhile, the last time with writers kept out.

    Returns:
        The hash of the inputs and the head of the study's chain, which carries all grades that were written.
    """
    for attempt in range(1, TRIES + 1):
        with transaction.atomic() if attempt == TRIES else nullcontext():
            before = inputs_stamp(scope)
            newest = Head(*chain.head(chain_of_study(scope.study.pk)))
            cases = cases_of(scope.study)
            counts = study_counts(scope) | adjudication_counts(cases)
            _refuse_too_many(scope, counts)
            try:
                computed = _compute(scope, before, newest)
                write_workbook(draft, scope, computed, counts, cases)
            except (SheetFullError, CombiningError) as problem:
                raise ExportError(str(problem)) from problem
            if attempt == TRIES or inputs_stamp(scope) == before:
                return before, newest
    raise AssertionError("unreachable")


def inputs_stamp(scope: Scope) -> str:
    """Hash of everything a grade, a metric run, a skip or a new composite changes; a handful of small queries."""
    study = scope.study
    grades = Grade.objects.filter(reading_output__reading__study=study)
    values = MetricValue.objects.filter(output__in=study_outputs(scope))
    facts: list[Any] = [
        study.pk,
        Study.objects.values_list("state", flat=True).get(pk=study.pk),
        study.release.content_hash,
        scope.blinded,
        grades.aggregate(n=Count("pk"), last=Max("submitted_at"), blanked=Count("blanked_by")),
        values.aggregate(n=Count("pk"), last=Max("computed_at")),
        Judgment.objects.filter(output__in=study_outputs(scope)).aggregate(n=Count("pk"), last=Max("pk")),
        study.stated_limits.aggregate(n=Count("pk"), last=Max("created_at")),
        sorted(study.readings.order_by().values_list("status").annotate(n=Count("pk"))),
        study_outputs(scope).aggregate(n=Count("pk"), last=Max("created_at")),
        study.composites.aggregate(last=Max("version")),
        study.adjudications.aggregate(n=Count("pk"), last=Max("created_at")),
        Preference.objects.filter(reading__study=study).aggregate(n=Count("pk"), last=Max("submitted_at")),
    ]
    return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()


def _refuse_too_many(scope: Scope, counts: dict[str, int]) -> None:
    """Before a byte is written, with the number."""
    grades = Grade.objects.filter(reading_output__reading__study=scope.study)
    said = Preference.objects.filter(reading__study=scope.study)
    expected = {
        "Preferences": said.count() + PreferenceChoice.objects.filter(preference__in=said).count(),
        "Grades": counts["criterion scores, all versions"] + grades.filter(scores=None).count(),
        "Matrix": study_outputs(scope).count() * max(1, len(scope.criteria)),
        "Metrics": MetricValue.objects.filter(output__in=study_outputs(scope)).count(),
        "Judgments": Judgment.objects.filter(output__in=study_outputs(scope)).count(),
        "Items": counts["items"],
    }
    for sheet, n in expected.items():
        if n > MAX_ROWS - 1:
            raise ExportError(f"sheet {sheet} would need {n:,} rows; a sheet holds {MAX_ROWS - 1:,} under its header")


def _compute(scope: Scope, stamp: str, newest: Head) -> Computed:
    """The numbers of the pages and the rows behind them."""
    composite = present_composite(scope.study)
    hashes = {"hash of all inputs": stamp}
    found, compared = agreement(scope.study), preferences(scope.study)
    more = {"preferences": compared, "calibration": for_workbook(scope.study)}
    if not composite.components.exists():
        return Computed({"composite_version": composite.version}, found, None, [], hashes, newest, **more)
    declaration = declaration_of(composite)
    rows = output_rows(scope.study, declaration)
    return Computed(board_over(scope.study, declaration, rows), found, declaration, rows, hashes, newest, **more)


def board_over(study: Study, declaration: Declaration, rows: list[OutputRow]) -> dict[str, Any]:
    """The page's leaderboard; when it is stored, without reading all rows a second time."""
    digest = f"{CODE_VERSION}:{rows_hash(declaration, rows)}"[:64]
    kind = AnalysisRun.Kind.LEADERBOARD
    stored = AnalysisRun.objects.filter(study=study, kind=kind, inputs_hash=digest).first()
    if stored is None:
        return leaderboard(study)
    result: dict[str, Any] = stored.result
    return result | {"composite_version": int(declaration.version), "inputs_hash": digest}


def remember(written: Written, *, actor: User | None, job: Job | None = None) -> ExportJob:
    """The row and the event of a sheet; call it in the transaction in which the sheet becomes somebody's."""
    export = ExportJob.objects.create(
        study=written.study,
        format=FORMAT,
        blinded=written.blinded,
        inputs_hash=written.inputs,
        file_sha256=written.digest,
        chain_sequence=written.newest.sequence,
        chain_head=written.newest.hash,
        requested_by=actor,
        job=job,
    )
    record(
        "score sheet exported",
        actor=actor,
        subject=export,
        study=str(written.study.pk),
        blinded=written.blinded,
        file_sha256=written.digest,
    )
    return export


def known_heads() -> Iterator[KnownHead]:
    """The heads that score sheets carry, for checking the trail."""
    for job in ExportJob.objects.exclude(chain_sequence=0).iterator(chunk_size=500):
        made = f"the score sheet of {job.created_at:%Y-%m-%d %H:%M:%S} UTC"
        yield KnownHead(chain_of_study(job.study_id), job.chain_sequence, job.chain_head, made)


def may_fetch(user: User, export: ExportJob) -> bool:
    """May this person have a sheet that was made earlier, as things are now?

    A sheet with names needs a study that is unblinded, and a person who reads nothing of the release blind.
    """
    if export.blinded:
        return True
    open_now = export.study.names_are_open
    return open_now and not releases_read_by(user).filter(pk=export.study.release_id).exists()


def file_name(study: Study) -> str:
    """A name for the download that gives no system away."""
    scope = make_scope(study=study, blinded=True, made_at=timezone.now(), made_by="", banner="")
    slug = unicodedata.normalize("NFKD", study.slug).encode("ascii", "ignore").decode()
    if scope.withheld is not None and scope.withheld.search(slug):
        slug = f"study-{str(study.pk)[:8]}"
    return f"{slug}-score-sheet.xlsx"
