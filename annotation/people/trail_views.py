"""The operator's page of the trail: who did what, when. No names of systems, no grades, no texts."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotation.audit.models import Event
from annotation.people.models import User
from annotation.people.views import operators_only

PAGE = 100
# Only of these the details are shown: what happened to a study or to outputs is for those who may see them.
TOLD_SUBJECTS = {"", "user", "apitoken", "dataset"}
NOBODY = "nobody"


class TrailFilter(forms.Form):
    """Only declared filters; a value that is not offered is an error of its field."""

    who = forms.CharField(required=False, max_length=150, label="Who", help_text=f"a user name, or {NOBODY}")
    verb = forms.ChoiceField(required=False, label="What")
    since = forms.DateField(required=False, label="Since", widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": ""} | kwargs)
        field = self.fields["verb"]
        assert isinstance(field, forms.ChoiceField)
        verbs = Event.objects.order_by("verb").values_list("verb", flat=True).distinct()
        field.choices = [("", "anything"), *((verb, verb) for verb in verbs)]

    def clean_who(self) -> str:
        typed = str(self.cleaned_data["who"]).strip()
        if typed in {"", NOBODY}:
            return typed
        person = User.objects.filter(username=User.normalize_username(typed)).first()
        if person is None:
            raise forms.ValidationError("There is no such person.")
        return str(person.pk)

    def events(self) -> QuerySet[Event]:
        wanted, events = self.cleaned_data, Event.objects.order_by("-id")
        if wanted["who"]:
            events = events.filter(actor="" if wanted["who"] == NOBODY else wanted["who"])
        if wanted["verb"]:
            events = events.filter(verb=wanted["verb"])
        if wanted["since"]:
            events = events.filter(at__date__gte=wanted["since"])
        return events


@dataclass(frozen=True)
class TrailRow:
    """One event in words."""

    event: Event
    actor: User | None
    subject: str
    person: User | None
    details: list[tuple[str, str]]


@operators_only
@require_safe
def list_events(request: HttpRequest) -> HttpResponse:
    unknown = sorted(set(request.GET) - {*TrailFilter.base_fields, "page"})
    if unknown:
        raise BadRequest(f"{unknown[0][:40]}: unknown filter")
    form = TrailFilter(request.GET)
    valid = form.is_valid()
    page = Paginator(form.events() if valid else Event.objects.none(), PAGE).get_page(request.GET.get("page"))
    context = {"form": form, "page_obj": page, "rows": _in_words(page.object_list), "told": any(request.GET.values())}
    return render(request, "annotation/people/event_list.html", context, status=200 if valid else 422)


def _in_words(events: Iterable[Event]) -> list[TrailRow]:
    """Events with the names of people: one query, whatever their number."""
    events = list(events)
    keys = {event.actor for event in events}
    keys |= {event.subject_id for event in events if event.subject_type == "user"}
    keys |= {str(event.details.get("person", "")) for event in events if isinstance(event.details, dict)}
    people = {str(user.pk): user for user in User.objects.filter(pk__in=[key for key in keys if _is_key(key)])}
    return [
        TrailRow(
            event=event,
            actor=people.get(event.actor),
            subject="" if event.subject_type == "user" else f"{event.subject_type} {event.subject_id[:8]}".strip(),
            person=people.get(event.subject_id) or people.get(str(event.details.get("person", ""))),
            details=_told(event),
        )
        for event in events
    ]


def _is_key(key: str) -> bool:
    try:
        UUID(key)
    except ValueError:
        return False
    return True


def _told(event: Event) -> list[tuple[str, str]]:
    if event.subject_type not in TOLD_SUBJECTS:
        return []
    return [(name, _text(value)) for name, value in event.details.items() if name != "person"]


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
