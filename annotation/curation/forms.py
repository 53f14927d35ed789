"""What a curator types: a review, a fix."""

from typing import Any

from django import forms

from annotation.curation import workflow
from annotation.curation.models import ChecklistQuestion, Review, ReviewAnswer
from annotation.datasets.models import ItemRevision
from annotation.formats import taxonomy

VALUES = [choice for choice in ReviewAnswer.Value.choices if choice[0] != workflow.NOT_APPLICABLE]


class ReviewForm(forms.Form):
    """The checklist: one field per question, then verdict and words."""

    verdict = forms.ChoiceField(choices=Review.Verdict.choices, widget=forms.RadioSelect)
    synopsis = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What the item shows, in one or two sentences.",
    )
    why_selected = forms.CharField(
        required=False, max_length=2000, label="Why selected", widget=forms.Textarea(attrs={"rows": 2})
    )
    comment = forms.CharField(
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Needed for every verdict but accept: what is wrong.",
    )

    def __init__(self, questions: list[ChecklistQuestion], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.questions = questions
        for question in questions:
            choices = list(VALUES)
            if question.code in workflow.MAY_BE_INAPPLICABLE:
                choices.append((workflow.NOT_APPLICABLE, "n/a"))
            self.fields[question.code] = forms.ChoiceField(
                choices=choices,
                label=question.text,
                required=False,
                widget=forms.RadioSelect,
                help_text=f"no: {question.on_no}",
            )

    def answers(self) -> dict[str, str]:
        return {question.code: self.cleaned_data.get(question.code, "") for question in self.questions}

    def rows(self) -> list[forms.BoundField]:
        return [self[question.code] for question in self.questions]


class FixForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new revision of an item."""

    choices_text = forms.CharField(
        required=False,
        label="Answer options",
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="One per line; only for questions with options.",
    )
    reason = forms.CharField(max_length=1000, label="Reason for the change", min_length=3)

    class Meta:
        model = ItemRevision
        fields = [
            "instruction",
            "reference_text",
            "task",
            "modality",
            "source",
            "license",
            "redistributable",
            "synopsis",
            "why_selected",
        ]
        widgets = {
            "instruction": forms.Textarea(attrs={"rows": 3}),
            "reference_text": forms.Textarea(attrs={"rows": 4}),
            "synopsis": forms.Textarea(attrs={"rows": 2}),
            "why_selected": forms.Textarea(attrs={"rows": 2}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["choices_text"].initial = "\n".join(self.instance.choices)
        tasks = [(task.code, task.label) for task in taxonomy.TASKS.values() if task.format == self.instance.format]
        if self.instance.task not in dict(tasks):
            tasks.append((self.instance.task, self.instance.task))
        self.fields["task"] = forms.ChoiceField(choices=tasks)
        modalities = [("", "unmapped"), *((kind.code, kind.label) for kind in taxonomy.MODALITIES.values())]
        self.fields["modality"] = forms.ChoiceField(choices=modalities, required=False)

    def changes(self) -> dict[str, Any]:
        """The values as typed, under the names of the revision's fields."""
        data = self.cleaned_data
        lines = [line.strip() for line in data["choices_text"].splitlines() if line.strip()]
        return {field: data[field] for field in self.Meta.fields} | {"choices": lines}
