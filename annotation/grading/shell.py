"""What a browser keeps of the program itself, so that the workstation opens without a network: nobody's page, and a
script that shows it. Neither holds anything of a person or a study.
"""

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AnonymousUser
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.http import require_safe

FOLDERS = ("css", "img", "js")
SCRIPT = "js/service_worker.js"


@lru_cache(maxsize=1)
def program() -> tuple[str, tuple[str, ...]]:
    """A checksum and the names of the files that the workstation is made of; read once."""
    root = Path(str(finders.find("js"))).parent
    paths = sorted(path for folder in FOLDERS for path in (root / folder).rglob("*") if path.is_file())
    digest = hashlib.sha256(settings.MEDGEN_VERSION.encode())
    for path in [*paths, *sorted((settings.BASE_DIR / "templates/annotation/grading").glob("reading_detail.html"))]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16], tuple(path.relative_to(root).as_posix() for path in paths)


@login_not_required
@require_safe
def send_service_worker(request: HttpRequest) -> HttpResponse:
    """The script, with the list of what it keeps in front; a new version of the program is another script."""
    version, files = program()
    shell = {
        "version": version,
        "page": reverse("annotation:offline-shell"),
        "files": [static(name) for name in files if name != SCRIPT],
        "prefix": static(""),
    }
    script = Path(str(finders.find(SCRIPT))).read_text(encoding="utf-8")
    response = HttpResponse(f"const SHELL = {json.dumps(shell)};\n{script}", content_type="text/javascript")
    response["Cache-Control"] = "no-cache"
    return response


@login_not_required
@require_safe
def show_shell(request: HttpRequest) -> HttpResponse:
    """The workstation without a reading and without a person, whoever asks."""
    context = {"reading": "", "study": None, "is_preview": False, "user": AnonymousUser()}
    return render(request, "annotation/grading/reading_detail.html", context)
