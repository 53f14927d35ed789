"""How far a job is: a query, never a counter."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Max, Min, Q, Sum
from django.db.models.functions import Coalesce

from annotation.work.kinds import find_kind
from annotation.work.models import Chunk, Job

RECENT = 40
SHORTEST = 1.0


@dataclass(frozen=True)
class Progress:
    """One moment of a job.

    Attributes:
        done_units: what is done, in the unit of the kind.
        units: what there is in all; 0 while it is being planned.
        seconds_left: at the pace of the last chunks; None when nothing can be said.
        chunks: how many, by state.
    """

    done_units: int
    units: int
    failed_units: int
    seconds_left: float | None
    unit: str
    queued_chunks: int
    running_chunks: int
    done_chunks: int
    failed_chunks: int
    canceled_chunks: int

    @property
    def is_planning(self) -> bool:
        return self.units == 0

    @property
    def words_left(self) -> str:
        """Time left for people: "less than a minute", "about 4 min", "about 2 h 10 min"."""
        if self.seconds_left is None:
            return ""
        minutes = round(self.seconds_left / 60)
        if minutes < 1:
            return "less than a minute left"
        hours, rest = divmod(minutes, 60)
        return f"about {hours} h {rest} min left" if hours else f"about {minutes} min left"


def progress_of(job: Job) -> Progress:
    """Two queries."""
    state = Chunk.State
    counts: dict[str, Any] = job.chunks.aggregate(
        all_units=Coalesce(Sum("units"), 0),
        done=Coalesce(Sum("units", filter=Q(state=state.DONE)), 0),
        failed=Coalesce(Sum("units", filter=Q(state=state.FAILED)), 0),
        open=Coalesce(Sum("units", filter=Q(state__in=[state.QUEUED, state.RUNNING])), 0),
        **{f"n_{name}": Count("pk", Q(state=name)) for name in state.values},
    )
    return Progress(
        done_units=counts["done"],
        units=counts["all_units"],
        failed_units=counts["failed"],
        seconds_left=_seconds_left(job, counts["open"]) if job.is_open else None,
        unit=find_kind(job.kind).unit,
        queued_chunks=counts["n_queued"],
        running_chunks=counts["n_running"],
        done_chunks=counts["n_done"],
        failed_chunks=counts["n_failed"],
        canceled_chunks=counts["n_canceled"],
    )


def _seconds_left(job: Job, waiting: int) -> float | None:
    """Waiting units at the pace of the chunks done last, however many workers did them."""
    if not waiting:
        return None
    last = job.chunks.filter(state=Chunk.State.DONE, units__gt=0, started_at__lt=F("finished_at"))
    recent = Chunk.objects.filter(pk__in=list(last.order_by("-finished_at").values_list("pk", flat=True)[:RECENT]))
    pace = recent.aggregate(n=Sum("units"), first=Min("started_at"), last=Max("finished_at"))
    if not pace["n"]:
        return None
    seconds = (pace["last"] - pace["first"]).total_seconds()
    return float(waiting * seconds / pace["n"]) if seconds > 0 else None
