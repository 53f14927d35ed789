"""Unblinding risks of a study: what its outputs say or show that may tell which system made them.

A risk is found by a scan, and decided by a coordinator: a text is masked for readers (the stored text stays), or the
risk is accepted with a reason. Pictures are never altered, so a different size or depth can only be accepted.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from annotation.audit.models import Event
from annotation.audit.record import record
from annotation.people.models import User
from annotation.studies.errors import StudyError
from annotation.studies.models import ReadingOutput, Study, UnblindingRisk
from annotation.systems.models import Output, OutputPart
from annotation.systems.naming import DEVELOPERS, FAMILIES, Found, find_names, names_of_system

REASON_AT_LEAST, REASON_LIMIT = 10, 300
EXCERPT = 60
SCANNED = "blinding scanned"
LOOKED_AT, LISTED = 2_000, 20
Kind, Decision = UnblindingRisk.Kind, UnblindingRisk.Decision


def names_of(study: Study) -> list[str]:
    """Names that give a system of the study away, and those of public model families and their developers."""
    names: list[str] = []
    systems = study.study_systems.select_related("submission__system_version__system")
    for row in systems:
        version = row.submission.system_version
        system = version.system
        names += names_of_system(name=system.name, slug=system.slug, version=version.version)
        names.append(row.submission.code)
    return [*names, *FAMILIES, *DEVELOPERS]


@transaction.atomic
def scan(*, study: Study, actor: User | None) -> int:
    """Look at all outputs of the study; new risks are added, decided ones stay decided. Returns how many are open."""
    shown, later = _shown(study), _came_later(study)
    found = [*_in_texts([*_parts(shown), *_parts(later)], names_of(study)), *_in_pictures(_parts(shown))]
    UnblindingRisk.objects.bulk_create(
        (
            UnblindingRisk(study=study, output_id=output, kind=kind, evidence=evidence)
            for output, kind, evidence in found
        ),
        ignore_conflicts=True,
    )
    n_open = study.unblinding_risks.filter(decision=Decision.OPEN).count()
    record(
        SCANNED, actor=actor, subject=study, outputs=shown.count(), later=later.count(), found=len(found), open=n_open
    )
    return n_open


@dataclass(frozen=True)
class LastScan:
    """When texts and pictures were looked at last, and what came in since."""

    at: datetime
    by: User | None
    n_outputs: int
    n_since: int
    since: list[tuple[Output, list[Found]]]
    """Of what came in since: the first texts that name a system, with the places."""


def last_scan(study: Study) -> LastScan | None:
    """The last scan of a study and what it did not see; None before the first."""
    event = Event.objects.filter(verb=SCANNED, subject_type="study", subject_id=str(study.pk)).order_by("-id").first()
    if event is None:
        return None
    new = _current(study).filter(created_at__gt=event.at, status=Output.Status.OK).select_related("revision__item")
    names, telling = names_of(study), []
    for output in new.prefetch_related("parts").order_by("created_at", "pk")[:LOOKED_AT]:
        found = [place for part in output.parts.all() if part.text for place in find_names(part.text, names)]
        if found:
            telling.append((output, found))
    by = User.objects.filter(pk=event.actor).first() if event.actor else None
    return LastScan(event.at, by, event.details.get("outputs", 0), new.count(), telling[:LISTED])


def _current(study: Study) -> QuerySet[Output]:
    submissions = study.study_systems.values("submission")
    items = study.study_items.values("revision")
    return Output.objects.current().filter(submission__in=submissions, revision__in=items)


def _shown(study: Study) -> QuerySet[Output]:
    """What readers see: once the study is open the outputs that were drawn, whatever came in later."""
    if study.state == Study.State.DRAFT:
        return _current(study)
    drawn = ReadingOutput.objects.filter(reading__study=study).values("output")
    return Output.objects.filter(pk__in=drawn)


def _came_later(study: Study) -> QuerySet[Output]:
    """New outputs of the study's systems for its items that no reading holds."""
    return _current(study).exclude(pk__in=_shown(study).values("pk"))


def _parts(outputs: QuerySet[Output]) -> QuerySet[OutputPart]:
    return OutputPart.objects.filter(output__in=outputs).select_related("asset", "output").order_by("position")


def _in_texts(parts: Iterable[OutputPart], names: list[str]) -> Iterator[tuple[UUID, str, dict[str, Any]]]:
    by_output: dict[UUID, list[dict[str, str]]] = defaultdict(list)
    for part in parts:
        for each in find_names(part.text, names) if part.text else []:
            around = part.text[max(0, each.start - EXCERPT) : each.end + EXCERPT]
            by_output[part.output_id].append({"written": each.written, "name": each.name, "around": around})
    for output, places in by_output.items():
        yield output, Kind.TEXT, {"places": places[:20], "n": len(places)}


def _in_pictures(parts: Iterable[OutputPart]) -> Iterator[tuple[UUID, str, dict[str, Any]]]:
    """Outputs of one item that differ in size, or in channels and depth; all of them when none is the usual one."""
    shown: dict[UUID, dict[UUID, list[Any]]] = defaultdict(dict)
    for part in parts:
        if part.asset is not None:
            shown[part.output.revision_id].setdefault(part.output_id, []).append(part.asset)
    for outputs in shown.values():
        sizes = {key: " ".join(f"{a.width}×{a.height}×{a.frames}" for a in assets) for key, assets in outputs.items()}
        depths = {key: " ".join(f"{a.channels}×{a.bits} bit" for a in assets) for key, assets in outputs.items()}
        for kind, said in ((Kind.SIZE, sizes), (Kind.CHANNELS, depths)):
            counts = Counter(said.values())
            usual, times = counts.most_common(1)[0]
            for output, own in said.items():
                if len(counts) > 1 and (own != usual or times == 1):
                    yield output, kind, {"is": own, "others": sorted(set(counts) - {own})}


@transaction.atomic
def decide(*, risks: Iterable[UnblindingRisk], decision: str, reason: str, actor: User) -> int:
    """Mask texts for readers, or accept risks with a reason; returns how many were decided.

    Raises:
        StudyError: a decision that is none, a picture that shall be masked, or no reason to accept.
    """
    chosen = list(risks)
    if decision not in {Decision.MASKED, Decision.ACCEPTED}:
        raise StudyError(f"decision: {decision[:20]}: choose masked or accepted.")
    if decision == Decision.MASKED and any(risk.kind != Kind.TEXT for risk in chosen):
        raise StudyError("Pictures are not altered; a difference of theirs can be accepted, with a reason.")
    reason = reason.strip()
    if decision == Decision.ACCEPTED and not REASON_AT_LEAST <= len(reason) <= REASON_LIMIT:
        raise StudyError(f"Say in {REASON_AT_LEAST} to {REASON_LIMIT} characters why the risk is accepted.")
    for risk in chosen:
        risk.decision, risk.reason = decision, reason[:REASON_LIMIT]
        risk.decided_by, risk.decided_at = actor, timezone.now()
        risk.save(update_fields=["decision", "reason", "decided_by", "decided_at"])
        record(
            "unblinding risk decided", actor=actor, subject=risk, kind=risk.kind, decision=decision,
            output=str(risk.output_id),
        )  # fmt: skip
    return len(chosen)


def masked_names(outputs: Iterable[UUID], study: UUID) -> dict[UUID, list[str]]:
    """What must be masked in the texts of these outputs: one query."""
    rows = UnblindingRisk.objects.filter(
        study=study, output__in=list(outputs), kind=Kind.TEXT, decision=Decision.MASKED
    ).values_list("output_id", "evidence")
    return {output: sorted({place["name"] for place in evidence["places"]}) for output, evidence in rows}
