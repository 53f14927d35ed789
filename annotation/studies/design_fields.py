"""Fields of the form of a study that say who reads what, in how many stages, and what is mixed in."""

import re
from typing import Any

from django import forms

from annotation.studies.design import LIMITS
from annotation.studies.models import Study

STAGES = [(1, "One: the reference is shown"), (2, "Two: without the reference, then with it")]


def _count(name: str, label: str, help_text: str) -> forms.IntegerField:
    low, high = LIMITS[name]
    return forms.IntegerField(
        min_value=low, max_value=high, initial=0, required=False, label=label, help_text=help_text
    )


class PlanFields(forms.Form):
    assignment = forms.ChoiceField(
        choices=Study.Assignment.choices,
        widget=forms.RadioSelect,
        initial=Study.Assignment.EVEN,
        required=False,
        label="Who reads what",
    )
    anchor_items = _count("anchor_items", "Anchor items", "Read by everybody, when anchored.")
    stages = forms.TypedChoiceField(
        choices=STAGES,
        coerce=int,
        widget=forms.RadioSelect,
        initial=1,
        empty_value="1",
        required=False,
        label="Stages",
    )
    repeats = _count("repeats", "Hidden repeats per reader", "Own readings that come again, far from the first time.")
    washout_days = _count("washout_days", "Washout", "Days before a repeat opens.")
    attention_items = _count(
        "attention_items",
        "Attention checks",
        "Mismatched cases for every reader, five kinds in turn; not in results.",
    )
    pilot_items = _count("pilot_items", "Pilot items", "Set aside for a pilot; not in results.")
    training = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        label="Training items",
        help_text="Codes of items, like IT-000003. What is expected of them is entered on the page of the draft.",
    )
    admission = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=100,
        label="Admission",
        help_text="Percent of training values that must be right before other readings open. Empty: none.",
    )

    def plan_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """The cleaned fields as a design writes them."""
        admission = data["admission"]
        counts = ("anchor_items", "repeats", "washout_days", "attention_items", "pilot_items")
        return data | {
            **{name: data[name] or 0 for name in counts},
            "assignment": data["assignment"] or Study.Assignment.EVEN.value,
            "stages": int(data["stages"] or 1),
            "training": [code for code in re.split(r"[\s,;]+", data["training"]) if code],
            "admission": None if admission is None else admission / 100,
        }


class DesignFileForm(forms.Form):
    file = forms.FileField(
        label="Design file",
        help_text="JSON, as the page of a study gives it. The study is made as a draft; you coordinate it.",
    )
