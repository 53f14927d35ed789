"""Is the process up, and can it reach what it needs?"""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse


@login_not_required
def alive(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@login_not_required
def ready(request: HttpRequest) -> JsonResponse:
    problems = []
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        problems.append("database unreachable")
    if not settings.MEDGEN_HOME.is_dir():
        problems.append("home folder missing")
    return JsonResponse(
        {"status": "unready" if problems else "ok", "problems": problems}, status=503 if problems else 200
    )
