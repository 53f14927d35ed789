"""What a submission covers of its release: one row per format, task and modality, and all of it together."""

from dataclasses import dataclass, field

from django.db.models import Count

from annotation.formats import taxonomy
from annotation.systems.models import Output, Submission

FAILED = (Output.Status.EMPTY, Output.Status.DECLINED, Output.Status.UNREADABLE, Output.Status.ERROR)


@dataclass(slots=True)
class CoverageRow:
    """Counts of current outputs by status; expected = ok + failed + missing."""

    format: str
    task: str
    modality: str
    by_status: dict[str, int] = field(default_factory=dict)

    @property
    def format_label(self) -> str:
        return taxonomy.format_label(self.format)

    @property
    def task_label(self) -> str:
        return taxonomy.task_label(self.task)

    @property
    def modality_label(self) -> str:
        return taxonomy.modality_label(self.modality)

    @property
    def n_expected(self) -> int:
        return sum(self.by_status.values())

    @property
    def ok(self) -> int:
        return self.by_status.get(Output.Status.OK, 0)

    @property
    def failed(self) -> dict[str, int]:
        """Counts of each kind of failure that occurs."""
        return {str(status): self.by_status[status] for status in FAILED if self.by_status.get(status)}

    @property
    def n_failed(self) -> int:
        return sum(self.failed.values())

    @property
    def missing(self) -> int:
        return self.by_status.get(Output.Status.MISSING, 0)


def coverage(submission: Submission) -> list[CoverageRow]:
    """One row per format, task and modality among the submission's items, in that order (one query)."""
    places = ("revision__format", "revision__task", "revision__modality")
    outputs = Output.objects.current().filter(submission=submission)
    counted = outputs.order_by(*places, "status").values_list(*places, "status").annotate(n=Count("pk"))
    rows: dict[tuple[str, str, str], CoverageRow] = {}
    for format_code, task, modality, status, n in counted:
        row = rows.setdefault((format_code, task, modality), CoverageRow(format_code, task, modality))
        row.by_status[status] = n
    return list(rows.values())


def total(rows: list[CoverageRow]) -> CoverageRow:
    """All rows added up."""
    whole = CoverageRow("", "", "")
    for row in rows:
        for status, n in row.by_status.items():
            whole.by_status[status] = whole.by_status.get(status, 0) + n
    return whole


def missing_codes(submission: Submission) -> list[str]:
    """The items of the release that have no output, by code."""
    missing = Output.objects.current().filter(submission=submission, status=Output.Status.MISSING)
    return [
        output.revision.item.code
        for output in missing.select_related("revision__item").order_by("revision__item__number")
    ]
