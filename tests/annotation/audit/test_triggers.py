"""The database itself refuses what would change or remove a written row, on either engine."""

import uuid

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from annotation.audit import triggers
from annotation.audit.errors import AppendOnlyError
from annotation.audit.models import Event
from annotation.audit.record import record
from annotation.grading import services
from annotation.grading.models import CriterionScore, ErrorMark, Grade
from tests.annotation.grading import world

REFUSED = "never changed or removed"


@pytest.fixture
def made(db, reader):
    """A study with a grade that has scores and an error mark."""
    made = world.small_study(reader)
    low = world.entry(2, rationale="Far too small a liver.", errors=[{"code": "measurement"}])
    entry = services.Entry(payload=world.payload(A=low), submit_key=uuid.uuid4())
    services.submit_reading(reading=made.readings[0], actor=reader, entry=entry)
    return made


def refused(statement: str, *values: object) -> None:
    with pytest.raises(IntegrityError, match=REFUSED), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.mark.parametrize("table", triggers.GUARDED)
def test_every_guarded_table_has_its_triggers(db, table):
    with connection.cursor() as cursor:
        stored = set(triggers._stored(connection, cursor, table))

    third = "replace" if connection.vendor == "sqlite" else "truncate"
    assert stored == {f"{table}_no_{act}" for act in ("update", "delete", third)}


def test_after_all_migrations_no_trigger_is_missing_or_differs(db):
    assert triggers.problems(connection) == []


@pytest.mark.parametrize("model", [Event, Grade, CriterionScore, ErrorMark])
def test_raw_update_and_delete_are_refused(made, model):
    table = model._meta.db_table
    column = model._meta.pk.column

    refused(f"UPDATE {table} SET {column} = {column}")
    refused(f"DELETE FROM {table}")

    assert model.objects.exists()


def test_update_through_the_base_manager_is_refused(made):
    with pytest.raises(IntegrityError, match=REFUSED), transaction.atomic():
        Grade._base_manager.update(safety="none", rationale="better")
    with pytest.raises(IntegrityError, match=REFUSED), transaction.atomic():
        CriterionScore._base_manager.update(value=5)
    with pytest.raises(IntegrityError, match=REFUSED), transaction.atomic():
        Grade._base_manager.all().delete()


def test_an_instance_can_neither_be_saved_again_nor_deleted(made):
    for row in (Grade.objects.get(), CriterionScore.objects.first(), ErrorMark.objects.get(), Event.objects.first()):
        with pytest.raises(AppendOnlyError):
            row.save()
        with pytest.raises(AppendOnlyError):
            row.delete()


def test_a_bulk_upsert_is_refused(made):
    score = CriterionScore.objects.first()
    again = CriterionScore(grade_id=score.grade_id, criterion_id=score.criterion_id, value=1)

    with pytest.raises(IntegrityError), transaction.atomic():
        CriterionScore._base_manager.bulk_create(
            [again], update_conflicts=True, unique_fields=["grade", "criterion"], update_fields=["value"]
        )

    assert CriterionScore.objects.get(pk=score.pk).value == score.value


@pytest.mark.sqlite_only("REPLACE is a word of SQLite")
@pytest.mark.parametrize("pragma", ["ON", "OFF"])
@pytest.mark.parametrize("key", ["id", "grade_id, criterion_id"])
def test_replace_is_refused_with_and_without_the_pragma(made, pragma, key):
    score = CriterionScore.objects.first()
    own = score.pk if key == "id" else score.pk + 1000

    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA recursive_triggers={pragma}")
    refused(
        "INSERT OR REPLACE INTO annotation_criterionscore (id, grade_id, criterion_id, value, na_reason)"
        " SELECT %s, grade_id, criterion_id, 1, '' FROM annotation_criterionscore WHERE id = %s",
        own,
        score.pk,
    )
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA recursive_triggers=ON")

    assert CriterionScore.objects.get(pk=score.pk).value == score.value


@pytest.mark.postgresql_only("TRUNCATE is a word of PostgreSQL")
def test_truncate_is_refused_also_by_cascade_and_for_replicas(made):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    refused("TRUNCATE annotation_event CASCADE")
    refused("TRUNCATE annotation_grade CASCADE")
    refused("TRUNCATE annotation_study CASCADE")
    refused("SET LOCAL session_replication_role = replica; DELETE FROM annotation_errormark")


def test_a_trigger_that_was_dropped_is_found(made):
    on = " ON annotation_grade" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER annotation_grade_no_update{on}")

    assert triggers.problems(connection) == [
        "the trigger annotation_grade_no_update is missing: grades could be changed or removed"
    ]


@pytest.mark.postgresql_only("SQLite has no functions of triggers")
def test_a_function_that_lets_everything_through_is_found(made):
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION medgen_refuse_change() RETURNS trigger LANGUAGE plpgsql"
            " AS 'BEGIN RETURN NEW; END'"
        )
        cursor.execute("ALTER TABLE annotation_event DISABLE TRIGGER annotation_event_no_update")

    found = "\n".join(triggers.problems(connection))
    assert "the function medgen_refuse_change of the triggers is missing or not the one" in found
    assert "annotation_event_no_update is missing" in found


@pytest.mark.sqlite_only("PostgreSQL finds it by its function")
def test_a_trigger_that_lets_everything_through_is_found(made):
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER annotation_event_no_delete")
        cursor.execute(
            "CREATE TRIGGER annotation_event_no_delete BEFORE DELETE ON annotation_event BEGIN SELECT 1; END"
        )

    assert (
        "annotation_event_no_delete is switched off or not the one this program sets"
        in triggers.problems(connection)[0]
    )


def test_flush_is_refused_outside_of_tests(made):
    with pytest.raises(Exception, match=r"flush|never changed"), transaction.atomic():
        call_command("flush", interactive=False, verbosity=0)

    assert Grade.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_transactional_test_writes_events_that_its_clean_up_may_remove():
    record("tried", actor=None)

    assert triggers.problems(connection) == []
    with pytest.raises(IntegrityError, match=REFUSED):
        Event._base_manager.all().delete()


@pytest.mark.django_db(transaction=True)
def test_the_next_transactional_test_finds_empty_tables_and_standing_triggers():
    assert not Event.objects.exists()
    assert triggers.problems(connection) == []
