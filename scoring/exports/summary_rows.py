"""Rows of *Read me* and *Provenance*: what the file is, and what its numbers were made from."""

import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Any

from django.conf import settings

from annotation.audit.record import chain_of_study
from annotation.grading.models import CriterionScore, Grade
from annotation.studies.models import Reading, Study, UnblindingRisk
from annotation.studies.revealing import steps_of
from annotation.systems.models import Output
from scoring.exports.cells import KINDS, PLACES_KEPT, Notes, Style, Styled
from scoring.exports.number_rows import study_outputs
from scoring.exports.scope import Scope, joined
from scoring.exports.sheets import Table, line, text, word
from scoring.metrics.base import settings_hash
from scoring.metrics.registry import METRICS
from scoring.runs.comparisons import POLICY

Row = tuple[Any, ...]
READ_ME = Table(
    "Read me",
    "what this file is and how to read it",
    (word("Topic", "what the line is about", 24), text("Text", "what there is to say", 110)),
)
PROVENANCE = Table(
    "Provenance",
    "what the numbers were made from, and what was changed while writing",
    (
        word("Group", "study, frozen, release, trail, computation, software, file or writing", 16),
        word("What", "name of the fact", 46),
        line("Value", "the fact", 80),
    ),
)
SOFTWARE = ("Django", "numpy", "scipy")
READING = (
    "Every sheet has its header in the first row, frozen, with filters. Numbers are numbers, times are UTC.",
    "An empty cell is never 0. Where a value is missing, a typed reason stands beside it or in its cell;"
    " sheet Missing lists all of them with counts.",
    "Grades holds every version of every grade as entered. Matrix holds the latest ones. Agreement uses first final"
    " grades only, so that amendments after a discussion never raise it.",
    "Systems computes the composite with formulas from the values of each output. Change a weight in a yellow cell"
    " and look at the live columns; the exported columns stay as the page showed them.",
    "Codebook explains every column, criterion, metric and code; Provenance says what the numbers were made from and"
    " what was cut or replaced while writing.",
)
WHAT_IT_IS = "The score sheet of a reader study: what clinicians graded, what metrics measured, how both combine."
PREVIEW = "Preview: the study is not locked. Numbers move as grades come in; systems carry letters only."
FROZEN = "Numbers are final. What they depend on was frozen at {at:%Y-%m-%d %H:%M:%S} UTC with the hash {hash}."
TRAIL = (
    "All grades up to link {link} of the study's chain; sheet Provenance has its checksum. Whether a grade was"
    " changed since, here or in the database, is found by: python verify_trail.py TRAIL.jsonl THIS.xlsx"
)
UNDEFINED_NUMBERS = "The composite cannot be computed yet: the study has no items or no declared components."


def study_counts(scope: Scope) -> dict[str, int]:
    """How much there is of everything; seven queries."""
    study = scope.study
    grades = Grade.objects.filter(reading_output__reading__study=study)
    readings = Counter(study.readings.order_by().values_list("status", flat=True))
    outputs = Counter(study_outputs(scope).filter(superseded_by=None).order_by().values_list("status", flat=True))
    counts = {
        "items": study.study_items.filter(role="main").count(),
        "systems": study.study_systems.count(),
        "readers": study.enrollments.filter(role="reader").count(),
    }
    counts |= {f"readings {Reading.Status(status).label}": readings[status] for status in Reading.Status.values}
    counts |= {f"outputs {status}": outputs[status] for status in Output.Status.values}
    risks = Counter(study.unblinding_risks.order_by().values_list("decision", flat=True))
    counts |= {f"unblinding risks, {decision}": risks[decision] for decision in UnblindingRisk.Decision.values}
    counts["grades, all versions"] = grades.count()
    counts["criterion scores, all versions"] = CriterionScore.objects.filter(grade__in=grades).count()
    return counts


def read_me_rows(scope: Scope, counts: Mapping[str, int], link: int, *, computed: bool) -> Iterator[Row]:
    study = scope.study
    if scope.banner:
        yield (Styled("Demo", Style.BANNER), Styled(scope.banner, Style.BANNER))
    yield ("What this is", WHAT_IT_IS)
    yield ("Study", f"{study.name} ({study.slug})")
    yield ("Release", f"{study.release}, {study.release.validation_words}")
    yield ("State", study.get_state_display())
    steps = steps_of(study)
    if not study.is_final:
        yield ("State", PREVIEW)
    if steps.frozen is not None:
        yield ("State", FROZEN.format(at=steps.frozen.at, hash=steps.frozen.hash))
    if not computed:
        yield ("State", UNDEFINED_NUMBERS)
    withheld = "letters only; names are withheld until two people unblind the study"
    blinding = withheld if scope.blinded else "letters and names"
    yield ("Systems", blinding)
    yield ("Exported", f"{scope.made_at:%Y-%m-%d %H:%M:%S} UTC by {scope.made_by}")
    yield ("Trail", TRAIL.format(link=link))
    for name, n in counts.items():
        yield (f"Count: {name}", n)
    yield from (("How to read", words) for words in READING)


def trail_rows(scope: Scope, sequence: int, hash_: str) -> Iterator[Row]:
    """What `verify_trail.py` looks for."""
    yield ("trail", "chain", chain_of_study(scope.study.pk))
    yield ("trail", "newest link", sequence)
    yield ("trail", "checksum of the newest link", hash_)


def provenance_rows(
    scope: Scope,
    hashes: Mapping[str, Any],
    board: Mapping[str, Any],
    agreement: Mapping[str, Any],
    notes: Notes,
    *,
    trail: Iterable[Row],
) -> Iterator[Row]:
    study = scope.study
    yield ("file", "product", f"MedGEN {settings.MEDGEN_VERSION}")
    yield ("file", "made at (UTC)", scope.made_at)
    yield ("file", "made by", scope.made_by)
    yield ("file", "systems", "letters only" if scope.blinded else "letters and names")
    if scope.banner:
        yield ("file", "demo", scope.banner)
    yield ("study", "study", study.slug)
    yield ("study", "state", study.state)
    yield ("study", "seed", study.seed)
    yield ("study", "hash of the design", study.design_hash)
    yield ("study", "readers per item", study.readers_per_item)
    yield ("study", "opened at (UTC)", study.opened_at)
    yield ("study", "locked at (UTC)", study.locked_at)
    yield from _frozen(study)
    yield ("study", "rubrics", joined(dict.fromkeys(str(one.rubric) for one in scope.criteria.values()), ", "))
    yield ("release", "release", str(study.release))
    yield ("release", "validation", study.release.validation_words)
    yield ("release", "content hash", study.release.content_hash)
    for letter, code in scope.submissions.items():
        yield ("systems", f"submission of {letter}", f"{code}, {scope.names[letter]}")
    yield from trail
    yield from _computed(hashes, board, agreement)
    yield ("software", "Python", platform.python_version())
    for name in SOFTWARE:
        yield ("software", name, version(name))
    yield from _writing(notes)


def _frozen(study: Study) -> Iterator[Row]:
    """The newest freeze with its facts, and by whom names were opened."""
    steps = steps_of(study)
    if steps.frozen is not None:
        yield ("frozen", "frozen at (UTC)", steps.frozen.at)
        yield ("frozen", "hash of the freeze", steps.frozen.hash)
        yield from (("frozen", name, value) for name, value in steps.frozen.facts.items())
    if steps.asked is not None and steps.confirmed is not None:
        yield ("frozen", "unblinding asked at (UTC)", steps.asked.at)
        yield ("frozen", "asked by", str(steps.asked.by))
        yield ("frozen", "unblinded at (UTC)", steps.confirmed.at)
        yield ("frozen", "confirmed by", str(steps.confirmed.by))


def _computed(hashes: Mapping[str, Any], board: Mapping[str, Any], agreement: Mapping[str, Any]) -> Iterator[Row]:
    yield ("computation", "composite version", board.get("composite_version"))
    yield ("computation", "weighting", board.get("weighting"))
    yield ("computation", "leaderboard: inputs hash", board.get("inputs_hash"))
    yield ("computation", "leaderboard: seed", board.get("seed"))
    yield ("computation", "leaderboard: resamples", board.get("draws"))
    yield ("computation", "agreement: inputs hash", agreement.get("inputs_hash"))
    yield ("computation", "agreement: seed", agreement.get("seed"))
    for name, value in hashes.items():
        yield ("computation", name, value)
    yield ("computation", "pairing policy of images", POLICY)
    for code, metric in METRICS.items():
        yield ("computation", f"metric settings: {code}", settings_hash(metric, policy=POLICY))


def _writing(notes: Notes) -> Iterator[Row]:
    """Counts first; this sheet's own changes come too late to be listed, and its values never need one."""
    for kind in KINDS:
        yield ("writing", kind, notes.counts[kind])
    for kind, sheet, cell in list(notes.places):
        yield ("writing", f"{kind}: where", f"{sheet}!{cell}")
    hidden = sum(notes.counts.values()) - len(notes.places)
    if len(notes.places) == PLACES_KEPT and hidden > 0:
        yield ("writing", "further changes", "not listed one by one")
