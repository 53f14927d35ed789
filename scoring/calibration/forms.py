"""What is entered about calibration: a limit, a file of judgments, a reason for a case."""

from typing import Any

from django import forms

from annotation.studies.models import Criterion, Rubric
from scoring.calibration.declaring import NAME_LIMIT, PROMPT_LIMIT, Declaration
from scoring.calibration.models import Judge
from scoring.calibration.telling import KIND_WORDS
from scoring.statistics.calibration import SCOPES

REASON_LIMIT = 4000


class LimitForm(forms.Form):
    kind = forms.ChoiceField(label="Coefficient", choices=list(KIND_WORDS.items()))
    scope = forms.ChoiceField(choices=[(scope, scope) for scope in SCOPES])
    limit = forms.FloatField(min_value=0.01, max_value=0.99, help_text="what the lower end of the interval reaches")
    passes_from = forms.FloatField(
        label="Passes from",
        required=False,
        help_text="mean of the experts from which an output passes; empty: three quarters of the scale",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", "auto_id": "limit-%s"} | kwargs)


class JudgmentUploadForm(forms.Form):
    """A file and everything that has to be declared about it."""

    judge = forms.CharField(max_length=NAME_LIMIT, help_text="who judged: a model with its version")
    rubric = forms.ChoiceField(help_text="the version the judge was given")
    scale = forms.CharField(max_length=20, help_text="the scale it was told, such as 1-10; nothing is rescaled")
    view = forms.ChoiceField(choices=[("", "choose"), *Judge.View.choices], help_text="views are never pooled")
    prompt = forms.CharField(max_length=PROMPT_LIMIT, required=False, help_text="checksum or name; may be empty")
    file = forms.FileField(
        allow_empty_file=False,
        help_text="A .jsonl file, one line per output: an id and scores by criterion, or results of the evaluator. "
        "Nothing is written before you confirm.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": ""} | kwargs)
        rubric = self.fields["rubric"]
        assert isinstance(rubric, forms.ChoiceField)
        rubric.choices = [("", "choose"), *((str(one), f"{one}, {one.name}") for one in Rubric.objects.all())]

    def said(self) -> dict[str, str]:
        """What the import needs, in plain JSON."""
        return {name: self.cleaned_data[name] for name in ("judge", "rubric", "scale", "view", "prompt")}

    def declaration(self) -> Declaration:
        return Declaration(**self.said())


class CaseForm(forms.Form):
    """A request for an adjudicator's decision about an output on the radar."""

    about = forms.ChoiceField(label="About")
    reason = forms.CharField(max_length=REASON_LIMIT, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, criteria: list[Criterion], **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", "auto_id": "case-%s"} | kwargs)
        about = self.fields["about"]
        assert isinstance(about, forms.ChoiceField)
        about.choices = [
            *((f"{one.rubric.code}:{one.code}", f"{one.rubric.code}: {one.label}") for one in criteria),
            ("safety", "harm if believed"),
            ("reference", "the reference"),
        ]
