"""The WSGI application for a server of your own (`gunicorn medgen.wsgi`); `manage.py serve` starts the product's."""

import os

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.db import DatabaseError, connection

from medgen.schema import AHEAD, unknown_migrations

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medgen.settings")

application = get_wsgi_application()


def _refuse_unknown_schema() -> None:
    """A database of a newer program is not worked on; one that cannot be reached now is tried again per request."""
    from django.conf import settings

    try:
        unknown = unknown_migrations()
    except DatabaseError:
        return
    finally:
        connection.close()
    if unknown:
        raise ImproperlyConfigured(AHEAD.format(first=unknown[0], version=settings.MEDGEN_VERSION))


_refuse_unknown_schema()
