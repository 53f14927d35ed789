"""The least a Django view can do with a posted grade: read the JSON, insert one row, answer. No person, no rules.

Served like the product, by gunicorn with two processes of four threads, on the same kind of database with the same
settings.

DATABASE_URL=… python -m benchmarks.floor PORT FOLDER
"""

import json
import sys
from pathlib import Path
from typing import Any

from django.conf import settings

from medgen import databases, env

if __name__ == "__main__":
    PORT, FOLDER = int(sys.argv[1]), Path(sys.argv[2])
    settings.configure(
        SECRET_KEY="x" * 50, ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, USE_TZ=True, INSTALLED_APPS=[],
        MIDDLEWARE=[], DATABASES={"default": databases.database(env.text("DATABASE_URL"), home=FOLDER)},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )  # fmt: skip

import django

django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from gunicorn.app.base import BaseApplication  # noqa: E402


class FloorGrade(models.Model):
    key = models.UUIDField(unique=True)
    payload = models.JSONField()

    class Meta:
        app_label = "floor"


def submit(request: HttpRequest) -> JsonResponse:
    data = json.loads(request.body)
    with transaction.atomic():
        FloorGrade.objects.create(key=data["submit_key"], payload=data["payload"])
    return JsonResponse({"version": 1})


urlpatterns = [path("submit/", submit)]
application = get_wsgi_application()


class Server(BaseApplication):
    def load_config(self) -> None:
        asked = {"bind": f"127.0.0.1:{PORT}", "workers": 2, "threads": 4, "worker_class": "gthread", "keepalive": 75}
        for name, value in (asked | {"preload_app": True, "loglevel": "warning"}).items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return application


def main() -> None:
    with connection.schema_editor() as editor:
        editor.create_model(FloorGrade)
    connection.close()
    Server().run()


if __name__ == "__main__":
    main()
