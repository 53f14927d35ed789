"""Schemathesis over every operation of the document, as one role: what is sent is made from the document, half of it
with addresses that exist, and every answer must be one that the document declares."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import schemathesis
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medgen.settings")


@contextmanager
def one_connection() -> Iterator[None]:
    """Requests leave the connection of the test open, as those of Django's own test client do."""
    moments = (signals.request_started, signals.request_finished)
    for moment in moments:
        moment.disconnect(close_old_connections)
    try:
        yield
    finally:
        for moment in moments:
            moment.connect(close_old_connections)


def operations() -> Iterator[Any]:
    """Every operation of the document as the running product sends it."""
    with one_connection():
        schema = schemathesis.openapi.from_wsgi("/api/v1/schema/", get_wsgi_application())
    for found in schema.get_all_operations():
        yield found.ok()


def violations(
    operation: Any,
    roles: dict[str, dict[str, str]],
    real: dict[str, dict[str, Any]],
    *,
    examples: int,
    start: int,
    seen: Counter[tuple[str, int]],
) -> list[str]:
    """What broke the document, for the first role and request that did; every request leaves the database as it was.

    Two of three requests go to addresses that exist. `seen` counts roles and answers.
    """
    wrong: list[str] = []
    numbers = count()

    @seed(start)
    @settings(
        max_examples=examples, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        if next(numbers) % 3 < 2 and operation.path in real:
            case.path_parameters = dict(real[operation.path])
        for role, headers in roles.items():
            with transaction.atomic():
                try:
                    answer = case.call_and_validate(headers=headers, checks=CHECKS)
                    seen[role, answer.status_code] += 1
                except Exception as problem:
                    wrong.append(f"{role}: {operation.method.upper()} {operation.path}: {str(problem)[:1500]}")
                    raise
                finally:
                    transaction.set_rollback(True)

    try:
        with one_connection():
            ask()
    except Exception as problem:  # noqa: BLE001  whatever it is, it is told
        if not wrong:
            wrong.append(f"{operation.method.upper()} {operation.path}: {type(problem).__name__}: {problem}")
    return wrong[:1]
