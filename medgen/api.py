"""Everything below /api/: the interface for programs.

The interface is loaded by the first request that asks for it, so that the start of a web process does not pay for it.
Whatever is refused here is refused in JSON.
"""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.defaults import bad_request


class Anything:
    """The rest of an address, whatever it is."""

    regex = r"[\s\S]*"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


@csrf_exempt
@login_not_required
def gate(request: HttpRequest, address: str) -> HttpResponseBase:
    """The endpoints ask who it is and check for forged requests themselves, keys and sessions alike."""
    from medgen import api_routes

    return api_routes.answer(request)


def answer_bad(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What no address saw, like a host that is not ours: in JSON for programs, else the page."""
    if not request.path_info.startswith("/api/"):
        return bad_request(request, exception)
    from annotation.rest.problems import problem_response

    return problem_response(400, "The request cannot be read.")
