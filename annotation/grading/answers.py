"""How the workstation's own requests are answered: in JSON, with a sentence when something is refused."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from annotation.grading.errors import (
    AlreadySubmittedError,
    GradingError,
    InvalidGradeError,
    StaleDraftError,
    StudyClosedError,
)
from annotation.grading.forms import BadRequestError
from annotation.grading.reading_json import grade_json
from annotation.studies.models import Reading

View = Callable[..., HttpResponseBase]
PERSON = "X-MedGEN-Person"
SIGNED_OUT = "You are signed out. Sign in again; nothing you entered is lost."
OTHER_PERSON = "Another person is signed in in this browser. What is entered stays here until its author signs in."


def workstation(view: View) -> View:
    """Answers in JSON: 401 for nobody and for another person than the page's, 404 for what is not the reader's,
    400, 409 and 422 with a sentence. The header X-MedGEN-Person says whose page asks.
    """

    @login_not_required
    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return JsonResponse({"error": SIGNED_OUT}, status=401)
        if request.headers.get(PERSON, str(request.user.pk)) != str(request.user.pk):
            return JsonResponse({"error": OTHER_PERSON, "other_person": True}, status=401)
        try:
            return view(request, *args, **kwargs)
        except Http404:
            return JsonResponse({"error": "There is no such reading for you."}, status=404)
        except PermissionDenied as problem:
            return JsonResponse({"error": str(problem)}, status=403)
        except BadRequestError as problem:
            return JsonResponse({"error": str(problem)}, status=400)
        except InvalidGradeError as problem:
            return JsonResponse({"errors": [each.as_json() for each in problem.problems]}, status=422)
        except GradingError as problem:
            return JsonResponse({"error": str(problem), **_both_versions(problem, kwargs.get("pk"))}, status=409)

    return answered


def _both_versions(problem: GradingError, reading: UUID | None) -> dict[str, Any]:
    """What the workstation shows beside the reader's own entry: the draft or grade that came first, or the state.

    The view has found the reading to be the asker's own.
    """
    if isinstance(problem, StaleDraftError):
        return {"current": problem.current}
    if isinstance(problem, AlreadySubmittedError):
        return {"current": None, "submitted": grade_json(Reading(pk=reading))}
    if isinstance(problem, StudyClosedError):
        return {"current": None, "closed": problem.state}
    return {"current": None}
