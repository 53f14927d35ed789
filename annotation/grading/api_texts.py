"""Words of readers for programs of coordinators and operators: finding them, and emptying those that must go."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request

from annotation.grading import texts
from annotation.grading.blanking import REASON_LIMIT, BlankingError, blank_texts, blanked_note
from annotation.grading.models import Grade
from annotation.grading.rules import REASON_AT_LEAST
from annotation.rest.endpoint import Endpoint, operation, route
from annotation.rest.idempotency import HEADER
from annotation.rest.problems import ProblemError
from annotation.rest.serializers import Sent, Told

MOST_FOUND = 50


class PassageTold(Told):
    field = serializers.ChoiceField(choices=list(texts.FIELDS.values()))
    words = serializers.CharField()


class TextTold(Told):
    grade = serializers.UUIDField()
    version = serializers.IntegerField()
    item = serializers.CharField()
    reader_code = serializers.CharField(allow_null=True)
    position = serializers.IntegerField(help_text="of the reading in the reader's list")
    label = serializers.CharField()  # type: ignore[assignment]
    submitted_at = serializers.DateTimeField()
    passages = PassageTold(many=True)
    blanked = serializers.CharField(allow_null=True, help_text="when and why the words were emptied")


class SearchSent(Sent):
    q = serializers.CharField(
        min_length=texts.ASKED_AT_LEAST, max_length=texts.ASKED_AT_MOST, help_text="words that must go"
    )


class FoundTold(Told):
    count = serializers.IntegerField()
    results = TextTold(many=True, help_text=f"the newest {MOST_FOUND}")


class BlankingSent(Sent):
    reason = serializers.CharField(
        min_length=REASON_AT_LEAST,
        max_length=REASON_LIMIT,
        help_text="completes “blanked because …”; it is shown and kept: do not repeat what must go",
    )


def _told(grade: Grade, asked: str, *, whole: bool) -> dict[str, Any]:
    place = grade.reading_output
    reading = place.reading
    return {
        "grade": grade.pk,
        "version": grade.version,
        "item": reading.study_item.revision.item.code,
        "reader_code": reading.enrollment.reader_code,
        "position": reading.position,
        "label": place.label,
        "submitted_at": grade.submitted_at,
        "passages": texts.passages(grade, asked, whole=whole),
        "blanked": blanked_note(grade.blanked_by) or None,
    }


class Texts(Endpoint):
    noun = "texts"
    tag = "studies"
    scopes = ("study", "people")
    own_scope_only = True

    @operation(tells=TextTold, many=True)
    def list(self, request: Request, slug: str) -> "Rows":
        """Words that readers wrote, newest first, for coordinators with nothing left to read; operators search."""
        study = texts.study_of_texts(self.person, slug)
        return Rows(texts.found_texts(self.person, study, ""), "", whole=texts.sees_all(self.person, study))

    @operation(tells=FoundTold, takes=SearchSent)
    def search(self, request: Request, slug: str) -> dict[str, Any]:
        """Texts that hold words which must go; an operator sees only what stands around them.

        The words are posted since they may name a patient and belong in no address; no answer is kept for repeats.
        """
        if HEADER in request.headers:
            raise ProblemError(400, f"{HEADER}: a search keeps no answer; send it without.", kind="invalid")
        study, asked = texts.study_of_texts(self.person, slug), self.body["q"]
        rows = Rows(texts.texts_of(study, asked), asked, whole=texts.sees_all(self.person, study))
        return {"count": len(rows), "results": rows[:MOST_FOUND]}

    @operation(tells=TextTold, takes=BlankingSent, refuses={BlankingError: 422})
    def blank(self, request: Request, pk: UUID) -> dict[str, Any]:
        """Empty the words of one version of a grade for good; scores stay, and the trail says why."""
        grade = texts.text_to_blank(self.person, pk)
        study = grade.reading_output.reading.study
        blank_texts(grade=grade, actor=self.person, reason=self.body["reason"])
        return _told(texts.texts_of(study).get(pk=pk), "", whole=texts.sees_all(self.person, study))


class Rows:
    """Texts, told page by page."""

    def __init__(self, grades: Any, asked: str, *, whole: bool) -> None:
        self._grades, self._asked, self._whole = grades, asked, whole

    def __len__(self) -> int:
        return int(self._grades.count())

    def __getitem__(self, part: slice) -> list[dict[str, Any]]:
        return [_told(grade, self._asked, whole=self._whole) for grade in self._grades[part]]


routes = [
    route("studies/<slug:slug>/texts/", Texts, {"get": "list"}, "texts"),
    route("studies/<slug:slug>/texts/search/", Texts, {"post": "search"}, "text-search"),
    route("grades/<uuid:pk>/blanking/", Texts, {"post": "blank"}, "grade-blanking"),
]
