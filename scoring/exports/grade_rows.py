"""Rows of *Items*, *Grades* and *Matrix*: what was shown and what readers said, as entered."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q

from annotation.datasets.models import ItemAlias, ItemImage
from annotation.grading.blanking import blanked_words
from annotation.grading.models import ErrorMark, Grade
from annotation.studies.models import Enrollment, Reading, ReadingOutput, Study, StudyItem
from scoring.exports.scope import Scope, joined
from scoring.exports.sheets import Column, Table, count, line, moment, number, text, word

Row = tuple[Any, ...]
CHUNK = 2_000
YES, NO = "yes", "no"
ITEMS = Table(
    "Items",
    "the items of the study, one row each",
    (
        word("Item", "code of the item in its dataset"),
        count("Revision", "revision that the release holds"),
        line("Aliases", "ids seen in files, as scheme:value", 30),
        word("Format", "code of the format"),
        word("Task", "code of the task", 26),
        word("Modality", "code of the modality; unmapped when unknown"),
        word("Stratum", "group from which the item was drawn", 30),
        word(
            "Cluster",
            "items of one case or with a shared image have the same cluster; intervals resample clusters",
            20,
        ),
        text("Instruction", "what the systems were asked", 60),
        text("Context", "facts given with the instruction", 30),
        text("Choices", "answers offered", 30),
        text("Reference", "text of the expert; empty when the reference is an image", 60),
        count("Input images", "number of input images"),
        count("Reference images", "number of reference images"),
        line("Source", "where the item comes from", 24),
        line("License", "license of the item", 16),
        word("Redistributable", "yes, no or unknown"),
        word("Content hash", "sha256 of the item's content", 24),
    ),
)
GRADES = Table(
    "Grades",
    "one row per reader, output and criterion; every version is kept",
    (
        line("Study", "slug of the study"),
        word("Reader", "code of the reader in the study", 9),
        word("Item", "code of the item"),
        word("Format", "code of the format"),
        word("Task", "code of the task", 24),
        word("System", "letter of the system in the study", 9),
        line("System name", "only once the study is unblinded", 20),
        count("Reading", "place of the reading in the reader's list"),
        word("Label", "label under which the reader saw the output", 8),
        count("Place", "place from left to right, starting at 1", 8),
        word("Criterion", "code of the criterion", 28),
        word("Rubric", "rubric and version"),
        Column("Value", "what the reader entered; empty when there is a reason", 8),
        word(
            "No value because",
            "the reader's reason, or not_applicable: the criterion does not apply to this output",
            20,
        ),
        word("Safety", "harm if the output were believed: none, low, moderate, severe", 10),
        word("Reference wrong", "yes when the reader says that the reference is wrong", 10),
        text("Rationale", "the reader's words", 50),
        word("Errors", "codes of the errors named, in the reader's order", 24),
        count("Version", "1 is the first grade; each amendment adds one", 8),
        word(
            "Latest",
            "yes when no later version exists; only these, of role main and with the reference, enter results",
            8,
        ),
        text("Reason for change", "why the reader amended", 30),
        moment("Submitted at", "when the version was submitted"),
        number("Active s", "seconds at work on the reading"),
        number("Idle s", "seconds without input on the reading"),
        count("Output version", "version of the output that was shown", 8),
        word("Reading status", "submitted; void readings stay in the list and enter nothing", 12),
        word("Role", "main; repeat (agreement with oneself only); training, attention, pilot (enter nothing)", 10),
        word("Stage", "with_reference, or without_reference: the first of two stages", 18),
        word("Grade", "key of this version of the grade in the trail", 36),
        word("Seal", "checksum of everything that was submitted, as the trail carries it", 24),
    ),
)
MATRIX_HEAD = (
    word("Item", "code of the item"),
    word("Format", "code of the format"),
    word("Task", "code of the task", 24),
    word("System", "letter of the system", 9),
    line("System name", "only once the study is unblinded", 20),
    count("Output version", "version of the output that was shown", 8),
    word("Rubric", "rubric and version"),
    word("Criterion", "code of the criterion", 28),
    count("n", "readers with a value", 6),
    number("Mean", "mean over those readers; empty without one", 8),
)
READER = Column(
    "reader code",
    "one column per reader: the latest value; words say why there is none (queued, in progress, skipped, or the"
    " reader's reason); an empty cell: the reader was not given this output",
    10,
)


def item_rows(scope: Scope) -> Iterator[Row]:
    """Three queries."""
    study = scope.study
    aliases: dict[Any, list[str]] = defaultdict(list)
    named = ItemAlias.objects.filter(item__revisions__study_items__study=study).order_by("scheme", "value")
    for item, scheme, value in named.values_list("item_id", "scheme", "value").distinct():
        aliases[item].append(f"{scheme}:{value}")
    images = _images(study)
    rows = study.study_items.select_related("revision__item").order_by("revision__item__number")
    for row in rows.iterator(chunk_size=CHUNK):
        revision = row.revision
        yield (
            revision.item.code,
            revision.number,
            joined(aliases.get(revision.item_id, ())),
            revision.format,
            revision.task,
            revision.modality or "unmapped",
            row.stratum,
            row.cluster,
            revision.instruction,
            joined((joined(pair, ": ") if isinstance(pair, list) else pair for pair in revision.context), "\n"),
            joined(revision.choices, "\n"),
            revision.reference_text,
            *images.get(revision.pk, (0, 0)),
            revision.source,
            revision.license,
            revision.redistributable,
            revision.content_hash,
        )


def _images(study: Study) -> dict[Any, tuple[int, int]]:
    """Revision → number of input and of reference images."""
    counted = ItemImage.objects.filter(revision__study_items__study=study).order_by().values_list("revision_id")
    roles = ItemImage.Role
    return {
        revision: (n_input, n_reference)
        for revision, n_input, n_reference in counted.annotate(
            n_input=Count("pk", Q(role=roles.INPUT)), n_reference=Count("pk", Q(role=roles.REFERENCE))
        )
    }


def study_places(study: Study) -> dict[int, tuple[str, str, str]]:
    """Study item → code, format and task; one query."""
    rows = StudyItem.objects.filter(study=study).order_by()
    facts = rows.values_list("pk", "revision__item__number", "revision__format", "revision__task")
    return {pk: (item_code(item), format_, task) for pk, item, format_, task in facts}


def item_code(number_: int) -> str:
    """As `Item.code`, for rows that are read without their item."""
    return f"IT-{number_:06d}"


def error_codes(study: Study) -> dict[Any, str]:
    """Grade → its error codes; only grades that name one."""
    marks = ErrorMark.objects.filter(grade__reading_output__reading__study=study).order_by("grade_id", "position")
    pairs = marks.values_list("grade_id", "error_code_id").iterator(chunk_size=CHUNK)
    return {grade: joined(code for _, code in group) for grade, group in groupby(pairs, key=lambda pair: pair[0])}


def blanked_in(study: Study) -> dict[Any, str]:
    """Grade → what stands where its words were; only grades whose words were emptied."""
    emptied = Grade.objects.filter(reading_output__reading__study=study, blanked_by__isnull=False)
    return {grade.pk: blanked_words(grade.blanked_by) for grade in emptied.select_related("blanked_by")}


def grade_rows(scope: Scope) -> Iterator[Row]:
    """One row per score, in the order of readers and readings; four queries, nothing kept."""
    places, errors, slug = study_places(scope.study), error_codes(scope.study), scope.study.slug
    criteria = {pk: (one.code, str(one.rubric)) for pk, one in scope.criteria.items()}
    blanked = blanked_in(scope.study)
    for row in _grades(scope.study).iterator(chunk_size=CHUNK):
        pk, seal, version, rationale, safety, wrong, reason, active, idle, at, *shown = row
        if pk in blanked:
            rationale, reason = blanked[pk], blanked[pk] if reason else reason
        reader, position, status, role, stage, item, label, place, letter, output_version, superseded, *score = shown
        criterion, value, na_reason = score
        code, rubric = criteria.get(criterion, (None, None))
        yield (
            slug,
            reader,
            *places[item],
            letter,
            scope.names.get(letter),
            position,
            label,
            place + 1,
            code,
            rubric,
            value,
            na_reason,
            safety,
            YES if wrong else NO,
            rationale,
            errors.get(pk),
            version,
            NO if superseded else YES,
            reason,
            at,
            active / 1000,
            idle / 1000,
            output_version,
            status,
            role,
            stage,
            str(pk),
            seal,
        )


def _grades(study: Study) -> Any:
    later = Grade.objects.filter(
        reading_output=OuterRef("reading_output"), stage=OuterRef("stage"), version__gt=OuterRef("version")
    )
    shown = "reading_output__"
    return (
        Grade.objects.filter(
            reading_output__reading__study=study, reading_output__output__submission__study_systems__study=study
        )
        .annotate(superseded=Exists(later), letter=F(f"{shown}output__submission__study_systems__letter"))
        .order_by(
            f"{shown}reading__enrollment__reader_code",
            f"{shown}reading__position",
            f"{shown}position",
            "-stage",
            "version",
            "scores__criterion__rubric__code",
            "scores__criterion__rubric__version",
            "scores__criterion__position",
        )
        .values_list(
            "pk", "payload_hash", "version", "rationale", "safety", "reference_wrong", "reason_for_change",
            "active_ms", "idle_ms", "submitted_at",
            f"{shown}reading__enrollment__reader_code", f"{shown}reading__position",
            f"{shown}reading__status", f"{shown}reading__role", "stage",
            f"{shown}reading__study_item_id", f"{shown}label", f"{shown}position",
            "letter", f"{shown}output__version", "superseded", "scores__criterion_id", "scores__value",
            "scores__na_reason",
        )
    )  # fmt: skip


def readers(study: Study) -> list[str]:
    codes = study.enrollments.filter(role=Enrollment.Role.READER).order_by("reader_code")
    return [code or "" for code in codes.values_list("reader_code", flat=True)]


def matrix_table(codes: list[str]) -> Table:
    columns = tuple(Column(code, READER.about, READER.width) for code in codes)
    return Table("Matrix", "latest values, outputs by readers, one row per criterion", (*MATRIX_HEAD, *columns))


def matrix_rows(scope: Scope, codes: list[str]) -> Iterator[Row]:
    """One row per output that readers were given and criterion; two queries, one output kept at a time."""
    places = study_places(scope.study)
    shown = _shown(scope.study).iterator(chunk_size=CHUNK)
    for (item, letter, version), group in groupby(shown, key=lambda row: row[:3]):
        latest, otherwise = _cells(group)
        for criterion in scope.criteria.values():
            cells = [latest.get((code, criterion.pk), otherwise.get(code)) for code in codes]
            values = [cell for cell in cells if isinstance(cell, float)]
            yield (
                *places[item],
                letter,
                scope.names.get(letter),
                version,
                str(criterion.rubric),
                criterion.code,
                len(values),
                sum(values) / len(values) if values else None,
                *cells,
            )


def _shown(study: Study) -> Any:
    """Outputs given to readers with the scores of all versions, the latest last."""
    return (
        ReadingOutput.objects.filter(
            reading__study=study,
            reading__role=Reading.Role.MAIN,
            output__submission__study_systems__study=study,
        )
        .exclude(reading__status=Reading.Status.VOID)
        .order_by(
            "reading__study_item__revision__item__number",
            "reading__study_item_id",
            "output__submission__study_systems__letter",
            "output__version",
            "reading__enrollment__reader_code",
            "-reading__position",
            "grades__version",
        )
        .values_list(
            "reading__study_item_id",
            "output__submission__study_systems__letter",
            "output__version",
            "reading__enrollment__reader_code",
            "reading__status",
            "reading__skip_reason",
            "grades__stage",
            "grades__version",
            "grades__scores__criterion_id",
            "grades__scores__value",
            "grades__scores__na_reason",
        )
    )


def _cells(group: Any) -> tuple[dict[tuple[str, int], float | str], dict[str, str]]:
    """(reader, criterion) → value or reason, and reader → why there is no grade at all."""
    latest: dict[tuple[str, int], float | str] = {}
    otherwise: dict[str, str] = {}
    for *_, reader, status, skip_reason, stage, version, criterion, value, na_reason in group:
        if version is not None and stage != Grade.Stage.WITH and status == Reading.Status.SUBMITTED:
            continue
        if version is None or stage != Grade.Stage.WITH:
            skipped = status == Reading.Status.SKIPPED
            otherwise[reader] = f"skipped: {skip_reason}" if skipped else status_words(status)
        elif criterion is not None:
            latest[reader, criterion] = na_reason if value is None else float(value)
    return latest, otherwise


def status_words(status: str) -> str:
    return status.replace("_", " ")
