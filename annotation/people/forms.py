"""What a person types about people."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password

from annotation.people.models import User


class PersonForm(forms.Form):
    username = forms.CharField(max_length=150, label="User name", help_text="Letters, digits and @ . + - _")
    name = forms.CharField(max_length=150, label="Name", help_text="Shown only to those who run a study with them.")
    email = forms.EmailField(
        required=False, label="E-mail", help_text="Only for signing in through an identity provider; no mail is sent."
    )
    is_operator = forms.BooleanField(
        required=False, label="Operator", help_text="Keeps people and roles; sees no items, systems or grades."
    )
    is_curator = forms.BooleanField(required=False, label="Curator", help_text="Imports, reviews and releases items.")
    may_create_studies = forms.BooleanField(
        required=False, label="Study creator", help_text="Imports outputs of systems and makes reader studies."
    )


class RolesForm(forms.Form):
    operator = forms.BooleanField(required=False, label="Operator")
    curator = forms.BooleanField(required=False, label="Curator")
    study_creator = forms.BooleanField(required=False, label="Study creator")

    def roles(self) -> dict[str, bool]:
        return {
            "operator": self.cleaned_data["operator"],
            "curator": self.cleaned_data["curator"],
            "study-creator": self.cleaned_data["study_creator"],
        }


STRENGTH_HELP = "At least 10 characters, not only digits, not a common password."


class NewPasswordForm(forms.Form):
    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=STRENGTH_HELP,
    )
    again = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), label="Password again"
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        password, again = data.get("password"), data.get("again")
        if password and again and password != again:
            self.add_error("again", "The two passwords differ.")
        elif password:
            try:
                validate_password(password, self.user)
            except forms.ValidationError as problem:
                self.add_error("password", problem)
        return data
