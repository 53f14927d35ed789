"""From a declared design to the rows it names: everything is looked up and every problem reported at once."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.urls import reverse

from annotation.assets.models import Asset
from annotation.datasets.clusters import cluster_keys
from annotation.datasets.models import ItemImage, ItemRevision
from annotation.formats import taxonomy
from annotation.people.models import User
from annotation.releases.models import Release
from annotation.studies.design import COMPARING, StudyDesign
from annotation.studies.errors import DesignError, DesignProblem
from annotation.studies.models import Criterion, Rubric, Study
from annotation.studies.sampling import letters, shuffled, stratified_sample
from annotation.studies.setting_aside import AsideItem, set_aside
from annotation.systems.models import Output, OutputPart, OutputQuerySet, Submission

UNMAPPED = "unmapped"


@dataclass(frozen=True)
class PlannedItem:
    """An item of a study; `aside` is what it needs when it enters no result."""

    revision: ItemRevision
    stratum: str
    cluster: str
    aside: AsideItem | None = None


@dataclass(frozen=True)
class Plan:
    """A design with its rows.

    `without_output` are the codes of items that no system has anything to show for; `in_quarantine` of those with
    an image that may show identifying text and that no curator has judged.
    """

    design: StudyDesign
    release: Release
    lettered: tuple[tuple[str, Submission], ...]
    rubrics: tuple[Rubric, ...]
    people: dict[str, User]
    items: tuple[PlannedItem, ...]
    without_output: tuple[str, ...]
    in_quarantine: tuple[str, ...] = ()


@dataclass
class _Lookup:
    problems: list[DesignProblem] = field(default_factory=list)

    def refuse(self, name: str, value: object, rule: str) -> None:
        self.problems.append(DesignProblem(name, str(value), rule))

    def stop_if_broken(self) -> None:
        if self.problems:
            raise DesignError(self.problems)


def plan(design: StudyDesign, *, actor: User | None) -> Plan:
    """Look up what a design names; an actor finds only submissions that this person may see.

    Raises:
        DesignError: with `field: value: rule` for everything that is unknown, ambiguous or does not fit.
    """
    lookup = _Lookup()
    if Study.objects.filter(slug__iexact=design.slug).exists():
        lookup.refuse("slug", design.slug, "is taken by another study")
    release = _release(design, lookup, actor)
    rubrics = _rubrics(design, lookup)
    _check_expected(design, rubrics, lookup)
    people = _people(design, lookup)
    submissions = _submissions(design, release, lookup, actor) if release else []
    lookup.stop_if_broken()
    assert release is not None
    revisions = _revisions(design, release, lookup)
    lookup.stop_if_broken()
    shut = quarantined_revisions(revisions)
    in_quarantine = tuple(revision.item.code for revision in revisions if revision.pk in shut)
    revisions = [revision for revision in revisions if revision.pk not in shut]
    items, without_output = _items(design, revisions, submissions, lookup)
    if not items and in_quarantine:
        where = reverse("annotation:quarantine-list", args=[release.dataset.slug])
        rule = f"has {len(in_quarantine)} items whose images are in quarantine; a curator decides at {where}"
        lookup.refuse("release", release, rule)
    if not items and not lookup.problems:
        words = "have no item with two outputs that a reader can be shown side by side"
        if design.mode not in COMPARING:
            words = "have no output that a reader can be shown"
        lookup.refuse("submissions", ", ".join(design.submissions), words)
    lookup.stop_if_broken()
    return Plan(
        design,
        release,
        lettered(submissions, seed=design.seed),
        tuple(rubrics),
        people,
        items,
        without_output,
        in_quarantine,
    )


def lettered(submissions: Iterable[Submission], *, seed: int) -> tuple[tuple[str, Submission], ...]:
    """Letters for submissions, drawn by seed, so that the alphabet tells nothing."""
    ordered = sorted(submissions, key=lambda each: (each.system_version.system.slug, each.system_version.version))
    drawn = shuffled(ordered, seed=seed, purpose="letters")
    return tuple(zip(letters(len(drawn)), drawn, strict=True))


def _release(design: StudyDesign, lookup: _Lookup, actor: User | None) -> Release | None:
    slug, _, version = design.release.partition("@")
    releases = Release.objects.all() if actor is None else Release.objects.visible_to(actor)
    release = releases.select_related("dataset").filter(dataset__slug=slug, version=version).first()
    if release is None:
        lookup.refuse("release", design.release, "is unknown; freeze it first")
    elif release.state != Release.State.FROZEN:
        lookup.refuse("release", design.release, f"is {release.state} and takes no study")
        return None
    return release


def _rubrics(design: StudyDesign, lookup: _Lookup) -> list[Rubric]:
    found: list[Rubric] = []
    for name in design.rubrics:
        code, _, version = name.partition("@")
        known = [each for each in Rubric.objects.filter(code=code) if not version or each.version == version]
        if known:
            found.append(max(known, key=lambda each: _version_key(each.version)))
        else:
            lookup.refuse("rubrics", name, f"is unknown; known: {', '.join(map(str, Rubric.objects.all()))}")
    seen: dict[str, Rubric] = {}
    for criterion in Criterion.objects.filter(rubric__in=found).select_related("rubric"):
        other = seen.setdefault(criterion.code, criterion.rubric)
        if other != criterion.rubric:
            lookup.refuse(
                "rubrics", criterion.rubric, f"asks {criterion.code}, as {other} does; choose one of the two"
            )
    if len({each.pk for each in found}) < len(found):
        lookup.refuse("rubrics", ", ".join(design.rubrics), "name one rubric twice")
    return found


def _check_expected(design: StudyDesign, rubrics: Sequence[Rubric], lookup: _Lookup) -> None:
    """What training expects must be values of criteria that the study asks."""
    if not any(one.expected for one in design.training):
        return
    rows = Criterion.objects.filter(rubric__in=rubrics).select_related("rubric")
    scales = {row.code: (row.rubric.scale_min, row.rubric.scale_max) for row in rows}
    for one in design.training:
        for code, (low, high) in (pair for criteria in one.expected.values() for pair in criteria.items()):
            if code not in scales:
                lookup.refuse("training.expected", f"{one.item}: {code}"[:60], "is no criterion of the rubrics")
            elif not scales[code][0] <= low <= high <= scales[code][1]:
                rule = f"must be within {scales[code][0]:g} to {scales[code][1]:g}"
                lookup.refuse("training.expected", f"{one.item}: {code}: {low:g} to {high:g}", rule)


def _version_key(version: str) -> list[tuple[int, str]]:
    return [(int(part) if part.isdecimal() else -1, part) for part in version.split(".")]


def _people(design: StudyDesign, lookup: _Lookup) -> dict[str, User]:
    asked = [("readers", reader.username) for reader in design.readers]
    asked += [("analysts", name) for name in design.analysts]
    asked += [("coordinators", name) for name in design.coordinators]
    known = User.objects.in_bulk([name for _, name in asked], field_name="username")
    for name, username in asked:
        if username not in known:
            lookup.refuse(name, username, "is no user; `people list` shows all")
        elif not known[username].is_active:
            lookup.refuse(name, username, "is deactivated")
    return known


def _submissions(design: StudyDesign, release: Release, lookup: _Lookup, actor: User | None) -> list[Submission]:
    visible = Submission.objects.all() if actor is None else Submission.objects.visible_to(actor)
    known = list(visible.filter(dataset=release.dataset).select_related("system_version__system", "release"))
    found: list[Submission] = []
    for name in design.submissions:
        named = [each for each in known if name in (each.code, each.system_version.system.slug)]
        fitting = [each for each in named if each.release_id == release.pk]
        if not fitting:
            rule = (
                f"has no outputs for {release}" if named else f"is no system or submission of {release.dataset.slug}"
            )
            lookup.refuse("submissions", name, rule)
        elif len(fitting) > 1:
            codes = ", ".join(each.code for each in fitting)
            lookup.refuse("submissions", name, f"has several submissions; name one of {codes}")
        elif fitting[0].is_fixture:
            lookup.refuse("submissions", name, "is a fixture and enters no study")
        elif fitting[0] in found:
            lookup.refuse("submissions", name, "is named twice")
        else:
            found += fitting
    return found


def _revisions(design: StudyDesign, release: Release, lookup: _Lookup) -> list[ItemRevision]:
    rows = ItemRevision.objects.filter(release_items__release=release, is_fixture=False)
    revisions = list(rows.select_related("item").order_by("item__number"))
    readers = {
        "formats": (taxonomy.canonical_format, "format"),
        "tasks": (taxonomy.canonical_task, "task"),
        "modalities": (taxonomy.canonical_modality, "modality"),
    }
    for name, (canonical, column) in readers.items():
        asked = {word: canonical(word) or word for word in getattr(design, name)}
        present = {getattr(revision, column) for revision in revisions}
        for word, code in asked.items():
            if code not in present:
                lookup.refuse(name, word, f"no item of {release} has it; it has {', '.join(sorted(present - {''}))}")
        if asked:
            wanted = set(asked.values())
            revisions = [revision for revision in revisions if getattr(revision, column) in wanted]
    if not revisions and not lookup.problems:
        lookup.refuse("release", release, "has no item left after the filters")
    return revisions


def _items(
    design: StudyDesign, revisions: Sequence[ItemRevision], submissions: Sequence[Submission], lookup: _Lookup
) -> tuple[tuple[PlannedItem, ...], tuple[str, ...]]:
    counts = Counter(gradable(submissions).values_list("revision_id", flat=True))
    least = 2 if design.mode in COMPARING else 1
    shown = {revision for revision, n in counts.items() if n >= least}
    with_output = [(stratum_of(revision), revision) for revision in revisions if revision.pk in shown]
    without_output = tuple(revision.item.code for revision in revisions if revision.pk not in shown)
    images = ItemImage.objects.filter(role="input", revision__in=[revision for _, revision in with_output])
    aside = set_aside(
        design,
        with_output,
        pictured=set(images.values_list("revision", flat=True)) if design.attention_items else set(),
        letters=_letters_by_name(design, submissions),
    )
    lookup.problems += aside.problems
    chosen = stratified_sample(aside.rest, per_stratum=design.sample, seed=design.seed)
    clusters = named_clusters([*(revision for _, revision in chosen), *(one.revision for one in aside.items)])
    items = [PlannedItem(revision, stratum, clusters[revision.pk]) for stratum, revision in chosen]
    items += [PlannedItem(one.revision, one.stratum, clusters[one.revision.pk], one) for one in aside.items]
    return tuple(items), without_output


def _letters_by_name(design: StudyDesign, submissions: Sequence[Submission]) -> dict[str, str]:
    """Every name by which a design may call a submission of the study → its letter."""
    found: dict[str, str] = {}
    for letter, submission in lettered(submissions, seed=design.seed):
        found |= dict.fromkeys((submission.code, submission.system_version.system.slug), letter)
    return found


def gradable(submissions: Iterable[Submission]) -> OutputQuerySet:
    """The outputs of these submissions that a reader may be shown, each with something to show.

    Nothing that shows a picture in quarantine, as output or as the item it is an output for.
    """
    has_part = Exists(OutputPart.objects.filter(output=OuterRef("pk")))
    shown = Output.objects.gradable().filter(has_part, submission__in=list(submissions), is_fixture=False)
    shut = Asset.objects.in_quarantine().values("pk")
    own = Exists(OutputPart.objects.filter(output=OuterRef("pk"), asset__in=shut))
    around = Exists(ItemImage.objects.filter(revision=OuterRef("revision"), asset__in=shut))
    return shown.exclude(own).exclude(around)


def quarantined_revisions(revisions: Iterable[ItemRevision]) -> set[UUID]:
    """Those with a picture in quarantine: one query."""
    shut = Asset.objects.in_quarantine().values("pk")
    images = ItemImage.objects.filter(revision__in=list(revisions), asset__in=shut)
    return set(images.values_list("revision", flat=True))


def stratum_of(revision: ItemRevision) -> str:
    """The path that readers are balanced over, from coarse to fine: format/task/modality."""
    return f"{revision.format}/{revision.task}/{revision.modality or UNMAPPED}"


def stratum_words(stratum: str) -> str:
    """A stratum, or the coarse end of one, as it is shown."""
    codes = stratum.split("/")
    labels = (taxonomy.format_label, taxonomy.task_label, taxonomy.modality_label)
    known = [label(code) for label, code in zip(labels, codes, strict=False) if code != UNMAPPED]
    return " · ".join([*known, *codes[3:], *(["unmapped modality"] if UNMAPPED in codes else [])])


def named_clusters(revisions: Sequence[ItemRevision]) -> dict[UUID, str]:
    """Cluster of each revision, named by the code of its first item: the same in every home."""
    keys = cluster_keys([revision.pk for revision in revisions])
    first: dict[str, str] = {}
    for revision in sorted(revisions, key=lambda each: each.item.number):
        first.setdefault(keys[revision.pk], revision.item.code)
    return {revision.pk: first[keys[revision.pk]] for revision in revisions}
