"""The balance report of a study: what was drawn, or would be drawn if it opened now, and what to think of first."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from annotation.curation.models import Review
from annotation.datasets.models import ItemRevision
from annotation.people.models import User
from annotation.studies import drawing, naming
from annotation.studies.allocation import AllocationError, BalanceReport, BalanceTable, balance_report
from annotation.studies.counting import PAIRS
from annotation.studies.models import Enrollment, Study
from annotation.studies.planning import gradable, quarantined_revisions, stratum_words
from annotation.systems.models import OutputPart, Submission, datasets_read_by

NAME_LENGTH = 4
NARROW_COLUMNS, NARROW_LETTERS = 6, 50
TITLES = {
    "reader × stratum": "Items per reader and stratum",
    "reader × format": "Items per reader and format",
    "reader × all": "Items per reader",
    "reader pairs": "Items that two readers share",
    "system × reader": "Outputs of each system per reader",
    "system × label": "Outputs of each system under each label",
    "system × reader and label": "Outputs of each system per reader and label",
    "system × block": "Outputs of each system in each part of the lists",
    "system pair × all": "How often two systems are compared",
    "system pair × reader": "How often each reader compares two systems",
    "system side": "How often each system stands left and right",
    "system side × reader": "How often each system stands left and right, by reader",
}


@dataclass(frozen=True)
class TableRow:
    name: str
    counts: list[int]


@dataclass(frozen=True)
class ShownTable:
    """One table of the report as a page and a terminal show it."""

    name: str
    columns: list[str]
    rows: list[TableRow]
    verdict: str
    balanced: bool

    @property
    def title(self) -> str:
        return TITLES.get(self.name, self.name.capitalize())

    @property
    def is_of_systems(self) -> bool:
        return self.name.startswith("system")

    @property
    def is_turned(self) -> bool:
        """Whether a page shows the columns as rows, because they are too many to stand beside each other."""
        return len(self.columns) > NARROW_COLUMNS and len(self.columns) > len(self.rows)

    @property
    def shown_columns(self) -> list[str]:
        return [row.name for row in self.rows] if self.is_turned else self.columns

    @property
    def shown_rows(self) -> list[TableRow]:
        if not self.is_turned:
            return self.rows
        return [TableRow(name, [row.counts[place] for row in self.rows]) for place, name in enumerate(self.columns)]

    @property
    def is_wide(self) -> bool:
        return len(self.columns) > NARROW_COLUMNS or sum(map(len, self.columns)) > NARROW_LETTERS


@dataclass(frozen=True)
class StudyBalance:
    """`report` is None when nothing can be drawn; `refusal` says why then."""

    is_trial: bool
    report: BalanceReport | None = None
    refusal: str = ""
    tables: list[ShownTable] = field(default_factory=list)
    without_output: list[str] = field(default_factory=list)
    in_quarantine: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """Whether the drawing is even; systems that lack outputs cannot be shown as often as the others."""
        uneven = [table for table in self.tables if not table.balanced and table.name != PAIRS]
        if not uneven:
            return "balanced"
        return "even between readers" if all(table.is_of_systems for table in uneven) else "uneven"

    @property
    def readings_per_system(self) -> str:
        """How often each system is shown, in words; empty where that is even."""
        table = next((table for table in self.tables if table.name == "system × reader"), None)
        if table is None or table.balanced:
            return ""
        return ", ".join(f"{row.name} in {sum(row.counts)} readings" for row in table.rows)


def study_balance(study: Study) -> StudyBalance:
    """Counts of the stored readings; before opening, of a trial drawing from the same seed."""
    is_trial = study.state in (Study.State.DRAFT, Study.State.PILOT)
    notes: dict[str, Any] = {**items_left_out(study), "warnings": warnings(study)}
    try:
        design = drawing.draw(study, drawing.inputs_of(study)) if is_trial else drawing.stored(study)
    except AllocationError as problem:
        return StudyBalance(is_trial, refusal=f"The readings cannot be drawn: {problem}.", **notes)
    report = balance_report(design)
    return StudyBalance(is_trial, report, tables=[_shown(table) for table in report.tables.values()], **notes)


def _shown(table: BalanceTable) -> ShownTable:
    words = stratum_words if table.name in {"reader × stratum", "reader × format"} else str
    return ShownTable(
        name=table.name,
        columns=[words(column) for column in table.columns],
        rows=[TableRow(row, [table.counts[row, column] for column in table.columns]) for row in table.rows],
        verdict=table.verdict,
        balanced=table.spread <= 1,
    )


def items_left_out(study: Study) -> dict[str, list[str]]:
    """Codes of released items that are not in the study: nothing to show, or an image in quarantine."""
    submissions = Submission.objects.filter(study_systems__study=study)
    shown = gradable(submissions).values("revision")
    left_out = ItemRevision.objects.filter(release_items__release=study.release_id, is_fixture=False)
    left_out = left_out.exclude(study_items__study=study).exclude(pk__in=shown)
    revisions = list(left_out.select_related("item").order_by("item__number"))
    shut = quarantined_revisions(revisions)
    return {
        "without_output": [revision.item.code for revision in revisions if revision.pk not in shut],
        "in_quarantine": [revision.item.code for revision in revisions if revision.pk in shut],
    }


def warnings(study: Study) -> list[str]:
    """What threatens blinding and can be accepted or mended before opening."""
    return [*reader_warnings(study), *text_warnings(study)]


def reader_warnings(study: Study) -> list[str]:
    """Readers who know something of the systems or items: they may read, and everybody should know."""
    rows = study.enrollments.filter(role=Enrollment.Role.READER, active=True).select_related("user")
    readers = {row.user_id: row for row in rows.order_by("reader_code")}
    submissions = Submission.objects.filter(study_systems__study=study)
    importers = {
        person for pair in submissions.values_list("created_by", "import_job__requested_by") for person in pair
    }
    reviewed = Review.objects.filter(revision__study_items__study=study, reviewer__in=readers)
    curators = set(reviewed.values_list("reviewer", flat=True))
    staff = study.enrollments.filter(active=True).filter(~Q(role=Enrollment.Role.READER), user__in=readers)
    also = {user: role for user, role in staff.values_list("user", "role")}
    found = []
    for user, row in readers.items():
        if user in importers:
            found.append(f"{row.reader_code} imported outputs of this study and may recognize a system.")
        if user in curators:
            found.append(f"{row.reader_code} reviewed items of this study and knows their references.")
        if user in also:
            found.append(
                f"{row.reader_code} is also {also[user]} of this study and is kept blind until it is locked."
            )
        elif row.user.may_see_items:
            found.append(
                f"{row.reader_code} works on datasets and is kept blind to systems until the study is locked."
            )
    return found


def text_warnings(study: Study) -> list[str]:
    """Outputs whose text names a system of the study."""
    systems = list(study.study_systems.select_related("submission__system_version__system"))
    names = {
        name
        for row in systems
        for name in (row.submission.system_version.system.name, row.submission.system_version.system.slug)
        if len(name) >= NAME_LENGTH
    }
    if not names:
        return []
    named = Q()
    for name in sorted(names):
        named |= Q(text__icontains=name)
    outputs = gradable([row.submission for row in systems]).filter(revision__study_items__study=study)
    parts = OutputPart.objects.filter(named, output__in=outputs).select_related("output__revision__item")
    codes = sorted({part.output.revision.item.code for part in parts})
    if not codes:
        return []
    more = f" and {len(codes) - 5} more" if len(codes) > 5 else ""
    return [f"The text of outputs for {', '.join(codes[:5])}{more} names a system; readers would see it."]


def system_names(study: Study, user: User) -> dict[str, str]:
    """Letter and name of each system; only letters until names are open, and for who reads the dataset blind."""
    names = naming.system_names(study)
    return dict.fromkeys(names, "") if any(names.values()) and _is_blind(study, user) else names


def systems_in_words(study: Study, user: User) -> list[str]:
    """The names of the systems in the order of the alphabet, which says nothing about letters; none for the blind."""
    if _is_blind(study, user):
        return []
    rows = study.study_systems.select_related("submission__system_version__system")
    return sorted(str(row.submission.system_version) for row in rows)


def _is_blind(study: Study, user: User) -> bool:
    return datasets_read_by(user).filter(pk=study.release.dataset_id).exists()
