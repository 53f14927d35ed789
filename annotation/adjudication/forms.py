"""What is entered about a case: a decision, a reason, or a request for one."""

from typing import Any

from django import forms

from annotation.adjudication.models import Adjudication
from annotation.adjudication.queue import Case
from annotation.adjudication.services import TEXT_LIMIT, Decision
from annotation.adjudication.showing import scale_of
from annotation.studies.models import Criterion, Enrollment, Study

SEEN_LENGTH = 24
HARM = [
    ("severe", "Severe harm confirmed: the output counts 0"),
    ("moderate", "Moderate harm, not severe: its clinical part is capped"),
    ("refuted", "Refuted: the number stands"),
]
WRONG = [("confirmed", "The reference is wrong"), ("refuted", "The reference stands")]


def _words(label: str, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label, max_length=TEXT_LIMIT, widget=forms.Textarea(attrs={"rows": 4}), help_text=help_text
    )


class DecisionForm(forms.Form):
    decision = forms.ChoiceField(widget=forms.RadioSelect)
    cause = forms.ChoiceField(
        label="Why readers said what they said",
        choices=[("", "Choose a cause"), *Adjudication.Cause.choices],
    )
    rationale = _words("Rationale", "Kept and shown with the decision. Name no patient.")
    seen = forms.CharField(max_length=SEEN_LENGTH, widget=forms.HiddenInput)

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", "auto_id": "decide-%s"} | kwargs)
        self.case = case
        self.fields["seen"].initial = case.seen
        self.fields["decision"] = self._decision(case)

    def _decision(self, case: Case) -> forms.Field:
        if case.criterion is None:
            choices = HARM if case.subject == Adjudication.Subject.SAFETY else WRONG
            return forms.ChoiceField(choices=choices, widget=forms.RadioSelect)
        scale = scale_of(case.criterion)
        if not scale:
            rubric = case.criterion.rubric
            return forms.FloatField(min_value=rubric.scale_min, max_value=rubric.scale_max)
        choices = [(value, f"{value} {words}".strip()) for value, words in scale]
        return forms.ChoiceField(choices=choices, widget=forms.RadioSelect)

    def entered(self) -> Decision:
        """What a valid form says."""
        data = self.cleaned_data
        facts: dict[str, Any] = {"cause": data["cause"], "rationale": data["rationale"], "seen": data["seen"]}
        if self.case.criterion is not None:
            return Decision(value=float(data["decision"]), **facts)
        if data["decision"] in Adjudication.Level.values:
            return Decision(verdict=Adjudication.Verdict.CONFIRMED, level=data["decision"], **facts)
        return Decision(verdict=data["decision"], **facts)


class ReopenForm(forms.Form):
    reason = _words("Why it is taken up again")
    seen = forms.CharField(max_length=SEEN_LENGTH, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", "auto_id": "reopen-%s"} | kwargs)


class RequestForm(forms.Form):
    """An output is named as a reader met it, so that nobody has to know its system."""

    reader = forms.ChoiceField(label="Reader")
    reading = forms.IntegerField(label="Reading", min_value=1, max_value=1_000_000)
    label = forms.CharField(label="Output", max_length=4, initial="A")
    about = forms.ChoiceField(label="About")
    reason = forms.CharField(label="Reason", max_length=TEXT_LIMIT)

    def __init__(self, *args: Any, study: Study, criteria: list[Criterion], **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", "auto_id": "request-%s"} | kwargs)
        readers = study.enrollments.filter(role=Enrollment.Role.READER).order_by("reader_code")
        codes = [(str(code), str(code)) for code in readers.values_list("reader_code", flat=True)]
        reader, about = self.fields["reader"], self.fields["about"]
        assert isinstance(reader, forms.ChoiceField) and isinstance(about, forms.ChoiceField)
        reader.choices = codes
        about.choices = [
            ("safety", "harm if believed"),
            ("reference", "the reference"),
            *((str(one.pk), f"{one.rubric.code}: {one.label}") for one in criteria),
        ]
