"""What the numbers of a locked study depend on: its part of what is frozen before systems are named."""

from annotation.audit.models import Event
from annotation.audit.record import chain_of, record
from annotation.grading.seals import ANCHORS
from annotation.people.models import User
from annotation.studies import freezing
from annotation.studies.models import Study
from annotation.systems.models import Output
from scoring.agreement import services as agreement
from scoring.agreement.ratings import study_ratings
from scoring.composites.combining import inputs_hash
from scoring.composites.inputs import output_rows
from scoring.composites.models import Composite
from scoring.composites.services import declaration_of, metric_codes, present_composite
from scoring.leaderboards.services import CODE_VERSION
from scoring.runs.services import current_values

NOTHING = "nothing"
VALUES = "values, flags and failures"


def settle(study: Study, actor: User | None) -> None:
    """Lock the present composite, declared by now or the default."""
    composite = present_composite(study)
    if Composite.objects.filter(pk=composite.pk, state=Composite.State.DRAFT).update(state=Composite.State.LOCKED):
        record("composite locked", actor=actor, subject=composite, version=composite.version)


def unsettled(study: Study) -> list[str]:
    newest = study.composites.order_by("-version").first()
    if newest is None or newest.state != Composite.State.LOCKED:
        return ["The composite is not locked; freeze the study again, which locks it."]
    return []


def facts(study: Study) -> freezing.Facts:
    """Versions and checksums of everything that enters agreement, composites and boards."""
    composite = present_composite(study)
    return {
        "grades": _newest_grade(study),
        "scores for agreement": agreement.inputs_hash(study_ratings(study)),
        "metric settings": _settings(study, composite),
        "methods": f"agreement {agreement.CODE_VERSION}, leaderboard {CODE_VERSION}",
        **_composite(study, composite),
    }


def _composite(study: Study, composite: Composite) -> freezing.Facts:
    """What is declared, and the rows that it is computed from; a composite of nothing has none."""
    if not composite.components.exists():
        return {"composite": f"version {composite.version}, {NOTHING}", VALUES: NOTHING}
    declaration = declaration_of(composite)
    rows = output_rows(study, declaration)
    return {
        "composite": f"version {composite.version}, {inputs_hash(declaration, [])}",
        VALUES: inputs_hash(declaration, rows),
        freezing.PENDING: str(sum(row.veto == "pending" for row in rows)),
    }


def _newest_grade(study: Study) -> str:
    """The newest link of the chain that carries seals of grades; its checksum covers all before it."""
    links = Event.objects.filter(chain=chain_of(study), verb__in=ANCHORS).order_by("-sequence")
    newest = links.values_list("sequence", "hash").first()
    return "link {}, {}".format(*newest) if newest else NOTHING


def _settings(study: Study, composite: Composite) -> str:
    """Checksum of the settings under which the metrics of the composite were measured."""
    sources = composite.components.values_list("source", flat=True)
    codes = {code for source in sources for code in metric_codes(source)}
    outputs = Output.objects.filter(submission__study_systems__study=study)
    values = current_values(outputs).filter(settings__metric__in=codes).order_by()
    hashes = sorted(set(values.values_list("settings__settings_hash", flat=True)))
    return freezing.checksum(hashes) if hashes else NOTHING


freezing.register("scoring.leaderboards", freezing.Source(settle=settle, unsettled=unsettled, facts=facts))
