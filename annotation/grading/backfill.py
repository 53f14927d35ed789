"""Sealing grades that were submitted before seals existed, for the upgrade of a used home."""

import secrets
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from django.apps.registry import Apps

from annotation.audit.backfill import Chains, event_row
from annotation.audit.chain import batched
from annotation.grading import seals


def seal_grades(apps: Apps, chains: Chains) -> None:
    """One event for each reading with grades that no event carries the seal of."""
    tables = seals.Tables(
        *(apps.get_model("annotation", name) for name in ("Grade", "CriterionScore", "ErrorMark", "StudySystem"))
    )
    manager = tables.grade._base_manager
    readings = list(
        manager.filter(payload_hash="").values_list("reading_output__reading", flat=True).distinct().order_by()
    )
    for keys in batched(sorted(readings)):
        unsealed = manager.filter(reading_output__reading__in=keys, payload_hash="")
        rows = list(unsealed)
        for row in rows:
            _give_salt(row)
        manager.bulk_update(rows, ["text_salt", "text_digest"])
        sealed = list(seals.stored(tables, [row.pk for row in rows]))
        by_key: dict[Any, Any] = {row.pk: row for row in rows}
        for one in sealed:
            by_key[one.row["id"]].payload_hash = one.seal
        manager.bulk_update(rows, ["payload_hash"])
        chains.append(_events(sealed))


def _give_salt(row: Any) -> None:
    row.text_salt = secrets.token_hex(16)
    row.text_digest = seals.text_digest(row.text_salt, row.rationale, row.reason_for_change)


def _events(sealed: list[seals.Sealed]) -> Iterator[dict[str, Any]]:
    by_reading = sorted(
        sealed, key=lambda one: (str(one.row["shown_reading"]), one.row["version"], one.facts["label"])
    )
    for reading, group in groupby(by_reading, key=lambda one: one.row["shown_reading"]):
        found = list(group)
        yield event_row(
            seals.SEALED_LATER,
            "reading",
            reading,
            f"study:{found[0].row['shown_study']}",
            {"grades": {str(one.row["id"]): one.seal for one in found}},
        )
