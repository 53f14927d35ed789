"""Is the process up, and can it reach what it needs?"""

import shutil

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from annotation.assets import bucket
from medgen.schema import schema_problem

LEAST_FREE_BYTES = 200 * 1024**2


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
    else:
        problem = schema_problem()
        if problem:
            problems.append(problem.splitlines()[0])
    if not settings.MEDGEN_HOME.is_dir():
        problems.append("home folder missing")
    elif shutil.disk_usage(settings.MEDGEN_HOME).free < LEAST_FREE_BYTES:
        problems.append(f"less than {LEAST_FREE_BYTES // 1024**2} MiB free where the home lies")
    if bucket.address() is not None and (said := bucket.problem()):
        problems.append(said)
    return JsonResponse(
        {"status": "unready" if problems else "ok", "problems": problems}, status=503 if problems else 200
    )
