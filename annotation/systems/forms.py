"""What a person types on the pages of systems."""

from typing import Any

from django import forms

from annotation.datasets.errors import DatasetError
from annotation.datasets.forms import UploadForm
from annotation.datasets.models import Dataset
from annotation.datasets.services import check_slug
from annotation.releases.models import Release
from annotation.systems.models import Output, System


class OutputUploadForm(UploadForm):
    """A file of outputs, what they are for, and the system that made them."""

    destination = forms.ChoiceField(
        label="For",
        help_text="Outputs for a release can be graded; without one they are bound to the current revisions and "
        "get metrics only.",
    )
    system = forms.ModelChoiceField(
        System.objects.none(), required=False, to_field_name="slug", empty_label="a new system", label="System"
    )
    new_system = forms.CharField(
        required=False, max_length=60, label="Short name of a new system", help_text="a-z, 0-9, - and _"
    )
    name = forms.CharField(required=False, max_length=120, label="Name of a new system")
    kind = forms.ChoiceField(required=False, choices=[("", "–"), *System.Kind.choices], label="Kind of a new system")
    version = forms.CharField(required=False, max_length=60, label="Version", help_text="may be blank")

    field_order = ["destination", "system", "version", "new_system", "name", "kind", "file", "layout"]

    def __init__(self, *args: Any, datasets: Any, releases: Any, systems: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": ""} | kwargs)
        chosen, system = self.fields["destination"], self.fields["system"]
        assert isinstance(chosen, forms.ChoiceField) and isinstance(system, forms.ModelChoiceField)
        chosen.choices = destination_choices(datasets, releases)
        system.queryset = systems

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        known, new = cleaned.get("system"), (cleaned.get("new_system") or "").strip()
        if bool(known) == bool(new):
            self.add_error("new_system", "Choose a system, or name a new one, not both.")
        elif new:
            self._clean_new(new, cleaned)
        cleaned["slug"] = known.slug if known else new
        cleaned["system_kind"] = known.kind if known else cleaned.get("kind", "")
        return cleaned

    def _clean_new(self, new: str, cleaned: dict[str, Any]) -> None:
        try:
            check_slug(new, of="system")
        except DatasetError as problem:
            self.add_error("new_system", str(problem))
        if not cleaned.get("kind"):
            self.add_error("kind", "Say what kind of system it is.")

    def said(self) -> dict[str, Any]:
        """What the import needs, in plain JSON."""
        dataset, _, version = self.cleaned_data["destination"].partition("@")
        return {
            "dataset": dataset,
            "release": version or None,
            "slug": self.cleaned_data["slug"],
            "name": self.cleaned_data["name"],
            "kind": self.cleaned_data["system_kind"],
            "version": self.cleaned_data["version"],
            "layout": self.cleaned_data["layout"],
        }


def destination_choices(datasets: Any, releases: Any) -> list[tuple[str, list[tuple[str, str]]]]:
    """Releases and current revisions of each dataset: `slug@version`, or `slug` alone."""
    by_dataset: dict[Any, list[Release]] = {}
    for release in releases:
        by_dataset.setdefault(release.dataset_id, []).append(release)
    groups = []
    dataset: Dataset
    for dataset in datasets:
        rows = [
            (f"{dataset.slug}@{release.version}", f"{dataset.name} {release.version}")
            for release in by_dataset.get(dataset.pk, [])
        ]
        rows.append((dataset.slug, f"{dataset.name}, current revisions (metrics only)"))
        groups.append((dataset.name, rows))
    return groups


class OutputFilterForm(forms.Form):
    """Only declared filters of a submission's outputs."""

    status = forms.ChoiceField(required=False, choices=[("", "any"), *Output.Status.choices])
    task = forms.ChoiceField(required=False)
    modality = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, tasks: list[tuple[str, str]], modalities: list[tuple[str, str]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        for name, codes in (("task", tasks), ("modality", modalities)):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", "any"), *codes]
