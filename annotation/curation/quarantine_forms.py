"""What a curator decides about a picture: a verdict, a reason, and the rectangles that are masked."""

import json

from django import forms

from annotation.imaging.masking import Rectangle, rectangle_problems

CLEAR, HELD, MASK, TAKE = "clear", "held", "mask", "take"
ACTS = [
    (CLEAR, "no identifying text"),
    (HELD, "keep in quarantine"),
    (MASK, "mask"),
    (TAKE, "show the masked image instead"),
]


class VerdictForm(forms.Form):
    act = forms.ChoiceField(choices=ACTS, widget=forms.HiddenInput)
    seen = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    reason = forms.CharField(
        label="Why",
        min_length=3,
        max_length=1000,
        help_text="What you saw, in words that name nobody. It stays with the verdict.",
        widget=forms.TextInput(attrs={"list": "reasons", "autocomplete": "off"}),
    )
    rectangles = forms.CharField(required=False, max_length=20_000, widget=forms.HiddenInput)

    def clean_rectangles(self) -> list[Rectangle]:
        """Rectangles as whole pixels; whether they lie in the picture is asked when it is known."""
        text = self.cleaned_data["rectangles"].strip()
        if not text:
            return []
        try:
            given = json.loads(text)
        except (ValueError, RecursionError) as problem:
            raise forms.ValidationError("The rectangles are not JSON.") from problem
        if not isinstance(given, list) or not all(isinstance(one, list) for one in given):
            raise forms.ValidationError("Give rectangles as lists of left, top, width and height.")
        problems = rectangle_problems(given, rows=1 << 31, columns=1 << 31) if given else []
        if problems:
            raise forms.ValidationError(problems)
        return [(one[0], one[1], one[2], one[3]) for one in given]
