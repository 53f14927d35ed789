"""What a person types to freeze a release."""

from django import forms


class FreezeForm(forms.Form):
    version = forms.CharField(
        max_length=40, help_text="For example 1.0. A release never changes; a later one gets its own version."
    )
    validated_elsewhere = forms.CharField(
        max_length=300,
        required=False,
        label="Validated elsewhere",
        help_text=(
            "Leave empty to release what two people accepted here. Say who validated it, and every page and sheet "
            "will read “not reviewed here; validated elsewhere, as stated by …”."
        ),
    )
