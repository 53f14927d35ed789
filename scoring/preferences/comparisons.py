"""From the database to comparisons of letters: page, workbook and programs read only these."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Max

from annotation.preferences.models import Preference, PreferenceChoice
from annotation.preferences.rules import OVERALL
from annotation.studies.models import Criterion, Reading, ReadingOutput, Study
from annotation.studies.states import Role
from scoring.agreement.state import checksum

Places = tuple[tuple[str, str], ...]
"""Label and letter of every output of a reading, from left to right."""


@dataclass(frozen=True)
class Said:
    """What one reader chose between the outputs of one item: a word of `Choice`, and the letter it picks."""

    choice: str
    letter: str | None


@dataclass(frozen=True)
class Compared:
    """One reading, with what was chosen first and last.

    Attributes:
        reading: its key.
        item: number of the item.
        cluster: what moves together with it.
        reader: code.
        status: queued, in progress, submitted or skipped.
        places: label and letter, from left to right.
        first: criterion → first choice; `overall` among them. Empty before the reading is submitted.
        last: criterion → choice of the newest version.
    """

    reading: str
    item: int
    cluster: str
    reader: str
    status: str
    places: Places
    first: Mapping[str, Said] = field(default_factory=dict)
    last: Mapping[str, Said] = field(default_factory=dict)

    @property
    def letters(self) -> tuple[str, ...]:
        return tuple(letter for _, letter in self.places)

    @property
    def pair(self) -> tuple[str, ...]:
        return tuple(sorted(self.letters))


@dataclass(frozen=True)
class Readings:
    """All main readings of a study that compares, in order of items and readers.

    Attributes:
        mode: pair or rank.
        rows: one for each reading, void ones left out.
        criteria: code → label of what is compared, overall first.
        letters: of all systems.
        flags: letter → safety level → how often, of newest versions.
        reference_wrong: preferences that call the reference wrong.
    """

    mode: str
    rows: tuple[Compared, ...]
    criteria: Mapping[str, str]
    letters: tuple[str, ...]
    flags: Mapping[str, Mapping[str, int]]
    reference_wrong: int


def study_state(study: Study) -> str:
    """Checksum of counts that change with every preference, amendment and reading: three queries."""
    said = Preference.objects.filter(reading__study=study)
    readings = study.readings.order_by().values("role", "status").annotate(n=Count("pk"))
    return checksum(
        study.pk,
        said.aggregate(Count("pk"), Max("submitted_at"), Max("version")),
        sorted(readings.values_list("role", "status", "n")),
        study.study_items.aggregate(Count("pk"), Count("cluster", distinct=True)),
    )


def study_readings(study: Study) -> Readings:
    """Main readings with first and newest choices: six queries."""
    letters = dict(study.study_systems.values_list("submission_id", "letter"))
    main = study.readings.filter(role=Role.MAIN).exclude(status=Reading.Status.VOID)
    places: dict[Any, list[tuple[str, str]]] = defaultdict(list)
    shown = ReadingOutput.objects.filter(reading__in=main).order_by("reading", "position")
    for reading, label, submission in shown.values_list("reading", "label", "output__submission"):
        places[reading].append((label, letters[submission]))
    first, last, flags, wrong = _said(study, places)
    rows = main.order_by("study_item__revision__item__number", "enrollment__reader_code", "position").values_list(
        "pk", "study_item__revision__item__number", "study_item__cluster", "enrollment__reader_code", "status"
    )
    return Readings(
        mode=study.outputs_per_reading,
        rows=tuple(
            Compared(
                str(pk), item, cluster, str(code), status, tuple(places[pk]), first.get(pk, {}), last.get(pk, {})
            )
            for pk, item, cluster, code, status in rows
        ),
        criteria=_criteria(study, last),
        letters=tuple(sorted(letters.values())),
        flags=flags,
        reference_wrong=wrong,
    )


def _said(
    study: Study, places: Mapping[Any, list[tuple[str, str]]]
) -> tuple[dict[Any, dict[str, Said]], dict[Any, dict[str, Said]], dict[str, Counter[str]], int]:
    """Reading → criterion → first and newest choice; harm by letter and references called wrong, newest versions."""
    by_criterion: dict[Any, dict[str, tuple[str, str | None]]] = defaultdict(dict)
    choices = PreferenceChoice.objects.filter(preference__reading__study=study)
    for pk, code, choice, label in choices.values_list("preference_id", "criterion__code", "choice", "chosen__label"):
        by_criterion[pk][code] = (choice, label)
    first: dict[Any, dict[str, Said]] = {}
    last: dict[Any, dict[str, Said]] = {}
    newest: dict[Any, tuple[Any, bool]] = {}
    rows = Preference.objects.filter(reading__study=study).order_by("version")
    for pk, reading, choice, label, wrong in rows.values_list(
        "pk", "reading_id", "choice", "chosen__label", "reference_wrong"
    ):
        if reading not in places:
            continue
        letter_of: dict[str | None, str] = {**dict(places[reading])}
        said = {OVERALL: (choice, label)} | by_criterion[pk]
        version = {code: Said(word, letter_of.get(chosen)) for code, (word, chosen) in said.items()}
        first.setdefault(reading, version)
        last[reading], newest[reading] = version, (pk, wrong)
    flags: dict[str, Counter[str]] = defaultdict(Counter)
    current = {pk: reading for reading, (pk, _) in newest.items()}
    flagged = Preference.objects.filter(reading__study=study, flags__isnull=False).order_by()
    for pk, label, level in flagged.values_list("pk", "flags__reading_output__label", "flags__safety"):
        if pk in current:
            flags[dict(places[current[pk]])[label]][level] += 1
    return first, last, dict(flags), sum(wrong for _, wrong in newest.values())


def _criteria(study: Study, last: Mapping[Any, Mapping[str, Said]]) -> dict[str, str]:
    found = {OVERALL: "Overall"}
    if not study.compare_criteria:
        return found
    asked = {code for said in last.values() for code in said}
    criteria = Criterion.objects.filter(rubric__study_rubrics__study=study).order_by(
        "rubric__study_rubrics__position", "position"
    )
    return found | {one.code: one.label for one in criteria if one.code in asked and one.code != OVERALL}
