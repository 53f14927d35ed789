"""Words of readers in a study, for whoever may empty them: finding them.

A coordinator sees all of them once own readings are submitted. An operator, who sees no grades, finds a text by the
words that must go, and sees no more of it than what stands around them.
"""

import re
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

from annotation.audit.triggers import BLANKED
from annotation.grading.models import Grade
from annotation.people.models import User
from annotation.studies.models import Study
from annotation.studies.views import study_with_open_flags

ASKED_AT_LEAST, ASKED_AT_MOST = 3, 100
AROUND = 60
FIELDS = {"rationale": "rationale", "reason_for_change": "reason for change"}


@dataclass(frozen=True)
class Passage:
    """A text, or what an operator sees of it."""

    field: str
    words: str


def study_of_texts(user: User, slug: str) -> Study:
    """The study whose texts this person may empty; 404 for strangers, 403 while own readings on its items wait."""
    if not user.is_operator or Study.objects.run_by(user).filter(slug=slug).exists():
        return study_with_open_flags(user, slug)
    study = get_object_or_404(Study.objects.exclude(state=Study.State.DRAFT).select_related("release"), slug=slug)
    if not Study.objects.flags_open_to(user).filter(pk=study.pk).exists():
        raise PermissionDenied("You read here yourself: others' words open when all your readings are submitted.")
    return study


def sees_all(user: User, study: Study) -> bool:
    """Whether texts are shown whole: to coordinators."""
    return Study.objects.run_by(user).filter(pk=study.pk).exists()


def texts_of(study: Study, asked: str = "") -> QuerySet[Grade]:
    """Versions of grades that hold words, or held them, newest first, with these words in them if any are asked."""
    grades = Grade.objects.filter(reading_output__reading__study=study)
    if asked:
        literal = re.escape(asked)  # a pattern, since SQLite's own comparison knows the case of ASCII letters only
        grades = grades.filter(Q(rationale__iregex=literal) | Q(reason_for_change__iregex=literal))
    else:
        grades = grades.filter(~Q(rationale="", reason_for_change="") | Q(blanked_by__isnull=False))
    shown = "reading_output__reading__"
    related = grades.select_related(
        "blanked_by", "reading_output", f"{shown}enrollment", f"{shown}study_item__revision__item"
    )
    return related.order_by("-submitted_at", "pk")


def found_texts(user: User, study: Study, asked: str) -> QuerySet[Grade]:
    """What this person sees of them: an operator nothing without words to look for."""
    if not asked and not sees_all(user, study):
        return Grade.objects.none()
    return texts_of(study, asked)


def text_to_blank(user: User, pk: UUID) -> Grade:
    """One version whose words this person may empty; 404 for strangers, 403 while own readings wait."""
    slug = Grade.objects.filter(pk=pk).values_list("reading_output__reading__study__slug", flat=True).first()
    if slug is None:
        raise Http404("no such grade")
    return get_object_or_404(texts_of(study_of_texts(user, slug)), pk=pk)


def passages(grade: Grade, asked: str, *, whole: bool) -> list[Passage]:
    """The words of a grade; unless `whole`, what stands around those that are looked for."""
    found = []
    for name, label in FIELDS.items():
        text = getattr(grade, name)
        if not text or text == BLANKED:
            continue
        if whole:
            found.append(Passage(label, text))
        elif asked and (at := text.casefold().find(asked.casefold())) >= 0:
            start, end = max(0, at - AROUND), at + len(asked) + AROUND
            before, after = "…" if start else "", "…" if end < len(text) else ""
            found.append(Passage(label, f"{before}{text[start:end]}{after}"))
        else:
            found.append(Passage(label, f"({len(text):,} characters)"))
    return found
