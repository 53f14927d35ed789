"""A used home from before chains: its events are linked, its grades and reviews sealed, then its tables closed."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from annotation.audit import triggers
from annotation.audit.models import ChainHead, Event
from annotation.audit.record import record
from annotation.grading.models import Grade
from tests.annotation.audit.world import Graded, found, submit
from tests.annotation.grading import world

BEFORE, AFTER = [("annotation", "0004_trust")], [("annotation", "0006_triggers")]


@pytest.fixture
def old(made) -> Graded:
    """The graded study as a program of the time before would have left it."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    triggers.remove(connection)
    for event in Event.objects.all():
        event.details.pop("grades", None)
        event.details.pop("seal", None)
        event.details.pop("review", None)
        Event._base_manager.filter(pk=event.pk).update(
            details=event.details, chain="site", sequence=None, previous_hash="", hash=""
        )
    ChainHead.objects.all().delete()
    Grade._base_manager.update(text_salt="", text_digest="", payload_hash="")
    return made


def upgrade() -> None:
    """What the two migrations do, on the tables as they are."""
    from importlib import import_module

    executor = MigrationExecutor(connection)
    state = executor.loader.project_state(BEFORE).apps
    import_module("annotation.migrations.0005_append_only").begin_chains(state, None)
    triggers.install(connection)


def test_everything_old_is_linked_and_sealed(old):
    n_events = Event.objects.count()

    upgrade()

    assert found() == []
    assert Event.objects.filter(chain=old.chain).count() == n_events - 2 + 4  # one seal for each graded reading
    assert Event.objects.filter(verb="review sealed", chain="site").count() == 1
    assert not Grade.objects.filter(payload_hash="").exists()
    assert Event.objects.get(verb="grade sealed", subject_id=str(old.readings[0].pk)).actor == ""


def test_doing_it_again_changes_nothing(old):
    upgrade()
    before = list(Event.objects.values_list("pk", "chain", "sequence", "hash"))
    with triggers.lifted(connection):
        upgrade()

    assert list(Event.objects.values_list("pk", "chain", "sequence", "hash")) == before


def test_work_goes_on_after_the_upgrade(old, reader):
    upgrade()

    submit(old.readings[1], reader, world.entry(5), reason="Looked again.")
    record("tried", actor=None)

    assert found() == []


def test_tampering_from_before_the_upgrade_cannot_be_seen_and_later_one_is(old):
    upgrade()
    with triggers.lifted(connection):
        Grade._base_manager.filter(version=2).update(safety="severe")

    assert len(found()) == 1
