"""What a person types on the pages of datasets."""

from typing import Any

from django import forms
from django.db.models import Q

from annotation.datasets.errors import DatasetError
from annotation.datasets.models import Dataset, DatasetMember, Item
from annotation.datasets.selections import UNMAPPED, ItemFilter
from annotation.datasets.services import check_slug
from annotation.formats import LAYOUTS, taxonomy
from annotation.people.models import User

LAYOUT_LABELS = {
    "auto": "recognize it",
    "medgen-bench": "MedGEN-Bench, any of its layouts",
    "canonical": "MedGEN-Bench canonical",
    "eval_view": "MedGEN-Bench evaluation view",
    "inference": "MedGEN-Bench inference results",
    "evaluated": "MedGEN-Bench evaluated results",
    "parquet": "MedGEN-Bench parquet release",
}


def layout_choices() -> list[tuple[str, str]]:
    return [(layout, LAYOUT_LABELS.get(layout, layout)) for layout in LAYOUTS]


class ItemFilterForm(forms.Form):
    """Only declared filters; a value that is not offered is an error of its field."""

    state = forms.ChoiceField(required=False, choices=[("", "any"), *Item.State.choices])
    format = forms.ChoiceField(required=False)
    task = forms.ChoiceField(required=False)
    modality = forms.ChoiceField(required=False)
    q = forms.CharField(required=False, max_length=300, label="Search", help_text="code, id or words")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, codes in (
            ("format", [(code, entry.label) for code, entry in taxonomy.FORMATS.items()]),
            ("task", [(code, entry.label) for code, entry in taxonomy.TASKS.items()]),
            ("modality", [(c, entry.label) for c, entry in taxonomy.MODALITIES.items()] + [(UNMAPPED, UNMAPPED)]),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", "any"), *codes]
        self.fields["q"].widget = forms.TextInput(attrs={"type": "search"})

    def wanted(self) -> ItemFilter:
        return ItemFilter(**self.cleaned_data)


class UploadForm(forms.Form):
    """The file that is looked at before anything is written."""

    file = forms.FileField(
        allow_empty_file=False,
        help_text="A .zip of a folder, a .jsonl or a .parquet file. Nothing is written before you confirm. "
        "The report of refused lines keeps file names: use none that name a patient.",
    )
    layout = forms.ChoiceField(choices=layout_choices, initial="auto")


class ItemUploadForm(UploadForm):
    """A file of items and the dataset it goes into."""

    dataset = forms.ModelChoiceField(
        Dataset.objects.none(), required=False, to_field_name="slug", empty_label="a new dataset", label="Dataset"
    )
    new_dataset = forms.CharField(
        required=False,
        max_length=60,
        label="Short name of a new dataset",
        help_text="a-z, 0-9, - and _; it stands in addresses and cannot be changed",
    )

    field_order = ["dataset", "new_dataset", "file", "layout"]

    def __init__(self, *args: Any, datasets: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": ""} | kwargs)
        field = self.fields["dataset"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = datasets

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        chosen, new = cleaned.get("dataset"), (cleaned.get("new_dataset") or "").strip()
        if bool(chosen) == bool(new):
            self.add_error("new_dataset", "Choose a dataset, or name a new one, not both.")
        elif new:
            try:
                check_slug(new)
            except DatasetError as problem:
                self.add_error("new_dataset", str(problem))
        cleaned["slug"] = chosen.slug if chosen else new
        return cleaned


class MemberForm(forms.Form):
    """Who joins a dataset, and as what."""

    username = forms.ModelChoiceField(
        User.objects.none(), to_field_name="username", label="Person", empty_label="choose a person"
    )
    role = forms.ChoiceField(choices=DatasetMember.Role.choices)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": ""} | kwargs)
        field = self.fields["username"]
        assert isinstance(field, forms.ModelChoiceField)
        sees_items = Q(is_curator=True) | Q(may_create_studies=True)
        field.queryset = User.objects.filter(sees_items, is_active=True).order_by("name", "username")
