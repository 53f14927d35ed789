"""Warm start: from nothing to the first answered page, against a bare Django app, alternating in one run.

python -m benchmarks.start [--runs 9]
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

OURS = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "medgen.settings"
from medgen.wsgi import application
from django.test import Client
assert Client().get("/sign-in/", HTTP_HOST="localhost").status_code == 200
"""

BARE = """
from django.conf import settings
settings.configure(
    SECRET_KEY="x", ALLOWED_HOSTS=["*"], ROOT_URLCONF="__main__", USE_TZ=True,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
                    "django.contrib.messages"],
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware",
                "django.contrib.sessions.middleware.SessionMiddleware",
                "django.middleware.csrf.CsrfViewMiddleware",
                "django.contrib.auth.middleware.AuthenticationMiddleware",
                "django.contrib.messages.middleware.MessageMiddleware"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {"loaders": [
        ("django.template.loaders.locmem.Loader", {"page.html": "<form>{% csrf_token %}{{ form }}</form>"})]}}],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
from django.core.wsgi import get_wsgi_application
from django.urls import path
application = get_wsgi_application()
from django.contrib.auth.views import LoginView
urlpatterns = [path("sign-in/", LoginView.as_view(template_name="page.html"))]
from django.test import Client
assert Client().get("/sign-in/").status_code == 200
"""


def timed(code: str, environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"MEDGEN_HOME": home}
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, env=environment, check=True
        )
        timed(OURS, environment), timed(BARE, environment)
        ours, bare = [], []
        for _ in range(runs):
            ours.append(timed(OURS, environment))
            bare.append(timed(BARE, environment))
    mine, theirs = statistics.median(ours), statistics.median(bare)
    print(f"MedGEN {mine:.2f} s, bare Django {theirs:.2f} s, ratio {mine / theirs:.2f} (median of {runs})")


if __name__ == "__main__":
    main()
