"""What a coordinator types about a study: the form becomes the same design that a file holds."""

import secrets
from dataclasses import replace
from typing import Any

from django import forms
from django.utils.text import slugify

from annotation.datasets.models import ItemRevision
from annotation.formats import taxonomy
from annotation.people.models import User
from annotation.releases.models import Release
from annotation.studies.design import CAP_LIMITS, LIMITS, NAME_LIMIT, PAIRS_LIMITS, SAMPLE_LIMITS, StudyDesign
from annotation.studies.design_fields import PlanFields
from annotation.studies.errors import DesignError
from annotation.studies.models import Enrollment, Rubric, Study
from annotation.systems.models import Submission


def people_choices() -> list[tuple[str, str]]:
    people = User.objects.filter(is_active=True).order_by("name", "username")
    return [(person.username, f"{person} ({person.username})") for person in people]


class ReleaseForm(forms.Form):
    """The first step: which release the study is about."""

    release = forms.ChoiceField(label="Release", help_text="Only frozen releases that have submissions.")

    def __init__(self, *args: Any, releases: list[Release], **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": ""} | kwargs)
        field = self.fields["release"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(str(release), f"{release.dataset.name}, version {release.version}") for release in releases]


class StudyForm(PlanFields):
    name = forms.CharField(max_length=NAME_LIMIT, help_text="Readers see it; it must not name a system.")
    slug = forms.SlugField(
        max_length=60,
        required=False,
        label="Short name",
        help_text="For addresses and files; from the name if empty.",
    )
    submissions = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, label="Systems", help_text="Readers see letters, drawn by seed."
    )
    rubrics = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple)
    mode = forms.ChoiceField(
        choices=Study.Mode.choices, widget=forms.RadioSelect, initial=Study.Mode.ONE, label="A reading shows"
    )
    pairs_per_item = forms.IntegerField(
        min_value=PAIRS_LIMITS[0],
        max_value=PAIRS_LIMITS[1],
        required=False,
        label="Pairs per item",
        help_text="For comparisons of two: pairs of an item that each of its readers compares. Empty: all pairs.",
    )
    compare_criteria = forms.BooleanField(
        required=False,
        label="Compare by each criterion too",
        help_text="For comparisons: beside the overall choice, one for every criterion of the rubrics.",
    )
    formats = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, required=False, help_text="None chosen: all."
    )
    tasks = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, required=False, help_text="None chosen: all."
    )
    modalities = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, required=False, help_text="None chosen: all."
    )
    sample = forms.IntegerField(
        required=False,
        min_value=SAMPLE_LIMITS[0],
        max_value=SAMPLE_LIMITS[1],
        label="Items per stratum",
        help_text="Drawn by seed from each format, task and modality. Empty: all.",
    )
    readers = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple)
    cap = forms.IntegerField(
        required=False,
        min_value=CAP_LIMITS[0],
        max_value=CAP_LIMITS[1],
        label="Most items per reader",
        help_text="Empty: no limit. A reader reads all systems' outputs of an item.",
    )
    readers_per_item = forms.IntegerField(
        min_value=LIMITS["readers_per_item"][0], max_value=LIMITS["readers_per_item"][1], initial=2
    )
    gap = forms.IntegerField(
        min_value=LIMITS["gap"][0],
        max_value=LIMITS["gap"][1],
        initial=20,
        help_text="Readings between two outputs of one item.",
    )
    seed = forms.IntegerField(
        min_value=LIMITS["seed"][0],
        max_value=LIMITS["seed"][1],
        initial=1,
        help_text="Everything that chance decides is drawn from it, once.",
    )
    guess_block = forms.IntegerField(
        min_value=LIMITS["guess_block"][0],
        max_value=LIMITS["guess_block"][1],
        initial=0,
        required=False,
        label="Ask “which system was it?” after every",
        help_text="Readings of a block; measures whether blinding held. 0 or empty: never.",
    )
    analysts = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple, required=False)
    instructions = forms.CharField(widget=forms.Textarea(attrs={"rows": 4}), required=False, max_length=20_000)
    consent_text = forms.CharField(
        label="Consent",
        widget=forms.Textarea(attrs={"rows": 4}),
        required=False,
        max_length=20_000,
        help_text="Readers agree to it, and to the instructions, before their first reading.",
    )
    due_on = forms.DateField(required=False, label="Due", widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, release: Release, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": ""} | kwargs)
        self.release = release
        revisions = ItemRevision.objects.filter(release_items__release=release, is_fixture=False)
        present = list(revisions.values_list("format", "task", "modality").distinct())
        formats = {row[0] for row in present}
        people = people_choices()
        self._offer("submissions", submission_choices(release, user))
        self._offer("rubrics", [(str(rubric), f"{rubric.name} ({rubric})") for rubric in Rubric.objects.all()])
        self.initial.setdefault("rubrics", _usual_rubrics(formats))
        self._offer("formats", _labels(formats, taxonomy.format_label))
        self._offer("tasks", _labels({row[1] for row in present}, taxonomy.task_label))
        self._offer("modalities", _labels({row[2] for row in present}, taxonomy.modality_label))
        self._offer("readers", people)
        self._offer("analysts", people)

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = choices

    def design(self) -> StudyDesign | None:
        """The design as typed, or None with the errors of its fields."""
        data = self.plan_data(dict(self.cleaned_data))
        cap = data.pop("cap")
        data["readers"] = [{"username": name, "cap": cap} for name in data["readers"]]
        data["guess_block"] = data["guess_block"] or 0
        data["slug"] = data["slug"] or slugify(data["name"])[:60]
        data["release"] = str(self.release)
        data["due_on"] = data["due_on"].isoformat() if data["due_on"] else None
        try:
            return StudyDesign.from_json(data)
        except DesignError as problem:
            self.add_problems(problem)
            return None

    def unnamed(self, design: StudyDesign) -> StudyDesign:
        """The design under a short name that no study has: for a look at it before it is made."""
        return replace(design, slug=f"preview-{secrets.token_hex(6)}")

    def add_problems(self, problem: DesignError) -> None:
        for each in problem.problems:
            name = each.field.split(".")[0]
            self.add_error(name if name in self.fields else None, f"{each.value}: {each.rule}".removeprefix(": "))


def _usual_rubrics(formats: set[str]) -> list[str]:
    """The clinical rubric, and the edit triad where there is something to edit; in their newest versions."""
    codes = ["T1", *(["T6"] if taxonomy.IMAGE_EDITING in formats else [])]
    newest = {rubric.code: str(rubric) for rubric in Rubric.objects.filter(code__in=codes).order_by("version")}
    return list(newest.values())


def _labels(codes: set[str], label: Any) -> list[tuple[str, str]]:
    return sorted(((code, label(code)) for code in codes if code), key=lambda pair: pair[1])


def submission_choices(release: Release, user: User) -> list[tuple[str, str]]:
    visible = Submission.objects.visible_to(user).filter(release=release, is_fixture=False)
    rows = visible.select_related("system_version__system").order_by("system_version__system__name", "number")
    return [(row.code, f"{row.system_version} ({row.code})") for row in rows]


class EnrollmentForm(forms.Form):
    username = forms.ChoiceField(label="Person")
    role = forms.ChoiceField(choices=Enrollment.Role.choices)
    cap = forms.IntegerField(
        required=False,
        min_value=CAP_LIMITS[0],
        max_value=CAP_LIMITS[1],
        label="Most items",
        help_text="Of a reader; empty: no limit.",
    )

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": ""} | kwargs)
        username, role = self.fields["username"], self.fields["role"]
        assert isinstance(username, forms.ChoiceField) and isinstance(role, forms.ChoiceField)
        username.choices = [("", "Choose a person"), *people_choices()]
        self.takes_readers = study.state in (Study.State.DRAFT, Study.State.PILOT)
        if not self.takes_readers:
            closed = {Enrollment.Role.READER.value} - {str(self.data.get("role", ""))}  # a typed one is told why not
            role.choices = [pair for pair in Enrollment.Role.choices if pair[0] not in closed]


class ReplacementForm(forms.Form):
    """Who takes over from a reader, and why."""

    username = forms.ChoiceField(label="Who takes over")
    reason = forms.CharField(max_length=500, help_text="It stands in the trail of the study.")

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": ""} | kwargs)
        username = self.fields["username"]
        assert isinstance(username, forms.ChoiceField)
        read = study.enrollments.filter(role=Enrollment.Role.READER).values_list("user__username", flat=True)
        taken = set(read)
        choices = [pair for pair in people_choices() if pair[0] not in taken]
        username.choices = [("", "Choose a person"), *choices]
