"""Everything below /api/: the interface for programs.

The interface is loaded by the first request that asks for it, so that the start of a web process does not pay for it.
Whatever is refused here is refused in JSON.
"""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt


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
