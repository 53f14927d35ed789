"""What is asked of the planner, by page and by program."""

from typing import Any

from django import forms

from scoring.statistics.planning_grades import TYPICAL

OWN = "own"
QUANTITIES = [
    ("difference", "paired difference of two systems"),
    ("mean", "mean of one system"),
    ("alpha", "agreement (Krippendorff's alpha)"),
]
RUBRICS = [*((code, code) for code in TYPICAL), (OWN, "own variances")]
PARTS = ("item", "system_item", "reader", "residual")
ENDS = ("low", "high", "mean")


class PlanForm(forms.Form):
    rubric = forms.ChoiceField(choices=RUBRICS, initial="T1", help_text="whose typical variances are taken")
    quantity = forms.ChoiceField(choices=QUANTITIES, initial="difference", label="Interval of")
    items = forms.IntegerField(min_value=10, max_value=20_000, initial=120, help_text="in all strata together")
    systems = forms.IntegerField(min_value=1, max_value=50, initial=3)
    readings_per_item = forms.IntegerField(
        min_value=1, max_value=24, initial=2, label="Readers per item", help_text="who grade the same output"
    )
    readers = forms.IntegerField(min_value=1, max_value=24, initial=3, label="Readers in all")
    items_per_cluster = forms.IntegerField(
        min_value=1, max_value=10, initial=1, help_text="items of one case or picture"
    )
    seconds = forms.IntegerField(min_value=5, max_value=3600, initial=60, label="Seconds per output")
    width = forms.FloatField(
        min_value=0.001,
        max_value=100,
        required=False,
        label="Wished width",
        help_text="high minus low; may stay empty",
    )
    category = forms.CharField(
        max_length=60, required=False, label="Rare category", help_text="such as a severe flag"
    )
    share = forms.FloatField(
        min_value=0, max_value=100, required=False, label="Expected in % of outputs", help_text="of the rare category"
    )
    strata = forms.IntegerField(min_value=1, max_value=200, initial=1, help_text="compared on their own")
    item = forms.FloatField(min_value=0, required=False, label="Variance: item")
    system_item = forms.FloatField(min_value=0, required=False, label="Variance: system × item")
    reader = forms.FloatField(min_value=0, required=False, label="Variance: reader")
    residual = forms.FloatField(min_value=0, required=False, label="Variance: residual")
    low = forms.FloatField(required=False, label="Lowest grade")
    high = forms.FloatField(required=False, label="Highest grade")
    mean = forms.FloatField(required=False, label="Mean grade")

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("rubric") == OWN:
            for name in (*PARTS, *ENDS):
                if found.get(name) is None and name not in self.errors:
                    self.add_error(name, "Own variances need this number.")
        if (found.get("category") or "") and found.get("share") is None and "share" not in self.errors:
            self.add_error("share", "Say how often the rare category is expected.")
        per_item, readers = found.get("readings_per_item"), found.get("readers")
        if per_item and readers and per_item > readers:
            self.add_error(
                "readings_per_item", f"{per_item} readers per item need as many readers; there are {readers}."
            )
        return found


def defaults() -> dict[str, Any]:
    """What an empty query asks."""
    return {name: field.initial for name, field in PlanForm.base_fields.items() if field.initial is not None}
