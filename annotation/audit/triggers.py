"""Triggers that keep written rows as they are, on SQLite and on PostgreSQL.

They consult no setting and no variable: whoever uses the database meets them. UPDATE, DELETE, TRUNCATE and every form
of REPLACE are refused. One change is let through: emptying the words of a grade, by an event that says why.

Rebuilding a table on SQLite (which Django does for most changes of a table) loses its triggers: a migration that
changes a table of `GUARDED` starts with `remove` and ends with `install`. A test finds one that forgot.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from annotation.audit.errors import REFUSED

BLANKED_VERB = "grade texts blanked"
BLANKED = "[blanked]"
WORDS = ("rationale", "reason_for_change", "text_salt", "blanked_by_id")
GRADES = "annotation_grade"
GUARDED = {
    "annotation_event": "events",
    GRADES: "grades",
    "annotation_criterionscore": "scores",
    "annotation_errormark": "error marks",
    "annotation_review": "reviews",
    "annotation_reviewanswer": "answers of a review",
    "annotation_reviewreason": "reasons of a review",
    "annotation_consentform": "consent forms",
    "annotation_consent": "consents",
    "annotation_systemguess": "guesses",
    "annotation_pixelverdict": "verdicts on pictures",
    "annotation_adjudication": "adjudications",
    "annotation_preference": "preferences",
    "annotation_preferencechoice": "choices of a preference",
    "annotation_preferenceflag": "flags of a preference",
    "annotation_preferenceerror": "errors of a preference",
    "scoring_judge": "judges",
    "scoring_judgmentimport": "imports of judgments",
    "scoring_judgment": "judgments",
    "scoring_statedlimit": "stated limits",
}

_PG_REFUSE = f"""
CREATE OR REPLACE FUNCTION medgen_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $medgen$
BEGIN
    RAISE EXCEPTION '% are {REFUSED}', TG_ARGV[0] USING ERRCODE = 'restrict_violation';
END
$medgen$"""
_PG_BLANK = f"""
CREATE OR REPLACE FUNCTION medgen_only_blank_words() RETURNS trigger LANGUAGE plpgsql AS $medgen$
BEGIN
    IF OLD.blanked_by_id IS NULL AND NEW.rationale = '' AND NEW.text_salt = ''
        AND NEW.reason_for_change = (CASE WHEN OLD.reason_for_change = '' THEN '' ELSE '{BLANKED}' END)
        AND to_jsonb(NEW) - ARRAY{list(WORDS)} = to_jsonb(OLD) - ARRAY{list(WORDS)}
        AND EXISTS (SELECT 1 FROM annotation_event WHERE id = NEW.blanked_by_id AND verb = '{BLANKED_VERB}'
            AND subject_type = 'grade' AND subject_id = NEW.id::text)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% are {REFUSED}', TG_ARGV[0] USING ERRCODE = 'restrict_violation';
END
$medgen$"""  # noqa: S608 (own names)
_PG_FUNCTIONS = {"medgen_refuse_change": _PG_REFUSE, "medgen_only_blank_words": _PG_BLANK}


def install(connection: BaseDatabaseWrapper, only: Collection[str] = tuple(GUARDED)) -> None:
    """Set every trigger anew, on the guarded tables that exist (or only on these)."""
    with connection.cursor() as cursor:
        tables = _present(connection, cursor, only)
        if connection.vendor == "postgresql":
            for function in _PG_FUNCTIONS.values():
                cursor.execute(function)
        for table in tables:
            for name, statement in _wanted(connection, cursor, table).items():
                _drop(connection, cursor, table, name)
                cursor.execute(statement)
                if connection.vendor == "postgresql":
                    cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


def remove(connection: BaseDatabaseWrapper, only: Collection[str] = tuple(GUARDED)) -> None:
    """Take every trigger away: for migrations that rebuild a guarded table, and for tests that empty the tables."""
    with connection.cursor() as cursor:
        for table in _present(connection, cursor, only):
            for name in _wanted(connection, cursor, table):
                _drop(connection, cursor, table, name)


@contextmanager
def lifted(connection: BaseDatabaseWrapper, only: Collection[str] = tuple(GUARDED)) -> Iterator[None]:
    """Without triggers inside; the product itself never does this."""
    remove(connection, only)
    try:
        yield
    finally:
        install(connection, only)


def problems(connection: BaseDatabaseWrapper) -> list[str]:
    """Which triggers are missing, switched off or not ours; empty when all stand."""
    found = []
    with connection.cursor() as cursor:
        present = _present(connection, cursor, GUARDED)
        found += [f"the table {table} is missing" for table in GUARDED if table not in present]
        for table in present:
            stored = _stored(connection, cursor, table)
            for name, statement in _wanted(connection, cursor, table).items():
                if name not in stored:
                    found.append(f"the trigger {name} is missing: {GUARDED[table]} could be changed or removed")
                elif stored[name] != _comparable(connection, statement):
                    found.append(f"the trigger {name} is switched off or not the one this program sets")
        found += _wrong_functions(connection, cursor)
    return found


def _present(connection: BaseDatabaseWrapper, cursor: Any, only: Collection[str]) -> list[str]:
    names = set(connection.introspection.table_names(cursor))
    return [table for table in only if table in names]


def _drop(connection: BaseDatabaseWrapper, cursor: Any, table: str, name: str) -> None:
    on = f" ON {table}" if connection.vendor == "postgresql" else ""
    cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


def _wanted(connection: BaseDatabaseWrapper, cursor: Any, table: str) -> dict[str, str]:
    """Name → statement of every trigger of a table."""
    if connection.vendor == "postgresql":
        return _of_postgresql(table)
    if connection.vendor == "sqlite":
        return _of_sqlite(connection, cursor, table)
    raise NotImplementedError(f"{connection.vendor}: MedGEN runs on SQLite and PostgreSQL")


def _of_postgresql(table: str) -> dict[str, str]:
    call = f"EXECUTE FUNCTION medgen_refuse_change('{GUARDED[table]}')"
    update = f"EXECUTE FUNCTION medgen_only_blank_words('{GUARDED[table]}')" if table == GRADES else call
    return {
        f"{table}_no_update": f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW {update}",
        f"{table}_no_delete": f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW {call}",
        f"{table}_no_truncate": (
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {call}"
        ),
    }


def _of_sqlite(connection: BaseDatabaseWrapper, cursor: Any, table: str) -> dict[str, str]:
    """The guard of INSERT holds without the pragma `recursive_triggers`, for every unique key that REPLACE obeys."""
    refuse = f"BEGIN SELECT RAISE(ABORT, '{GUARDED[table]} are {REFUSED}'); END"
    keys = _unique_keys(connection, cursor, table)
    taken = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} WHERE {' AND '.join(f'{column} = NEW.{column}' for column in key)})"  # noqa: S608 (own names)
        for key in keys
    )
    unless = f" WHEN NOT ({_only_blanked(connection, cursor)})" if table == GRADES else ""
    return {
        f"{table}_no_update": f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}{unless} {refuse}",
        f"{table}_no_delete": f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}",
        f"{table}_no_replace": f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {taken} {refuse}",
    }


def _unique_keys(connection: BaseDatabaseWrapper, cursor: Any, table: str) -> list[tuple[str, ...]]:
    found = connection.introspection.get_constraints(cursor, table).values()
    keys = {tuple(one["columns"]) for one in found if one["unique"] or one["primary_key"]}
    return sorted(keys)


def _only_blanked(connection: BaseDatabaseWrapper, cursor: Any) -> str:
    """An update that empties the words of a grade and does nothing else."""
    columns = [column.name for column in connection.introspection.get_table_description(cursor, GRADES)]
    same = [f"NEW.{column} IS OLD.{column}" for column in columns if column not in WORDS]
    event = (
        f"EXISTS (SELECT 1 FROM annotation_event WHERE id = NEW.blanked_by_id AND verb = '{BLANKED_VERB}'"  # noqa: S608
        " AND subject_type = 'grade' AND replace(subject_id, '-', '') = NEW.id)"
    )
    emptied = [
        "OLD.blanked_by_id IS NULL",
        "NEW.rationale = ''",
        "NEW.text_salt = ''",
        f"NEW.reason_for_change = CASE WHEN OLD.reason_for_change = '' THEN '' ELSE '{BLANKED}' END",
    ]
    return " AND ".join([*emptied, event, *same])


def _stored(connection: BaseDatabaseWrapper, cursor: Any, table: str) -> dict[str, str]:
    """Name → comparable statement of the triggers that stand and are switched on."""
    if connection.vendor == "postgresql":
        cursor.execute(
            "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger "
            "WHERE tgrelid = to_regclass(%s) AND NOT tgisinternal AND tgenabled = 'A'",
            [table],
        )
    else:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [table])
    return {name: _comparable(connection, statement) for name, statement in cursor.fetchall()}


def _comparable(connection: BaseDatabaseWrapper, statement: str) -> str:
    """PostgreSQL names the schema of table and function; nothing else differs."""
    if connection.vendor != "postgresql":
        return statement
    words = " ".join(statement.split())
    before, _, after = words.partition(" ON ")
    table, _, rest = after.partition(" ")
    return f"{before} ON {table.rpartition('.')[2]} {rest}"


def _wrong_functions(connection: BaseDatabaseWrapper, cursor: Any) -> list[str]:
    if connection.vendor != "postgresql":
        return []
    cursor.execute("SELECT proname, prosrc FROM pg_proc WHERE proname = ANY(%s)", [list(_PG_FUNCTIONS)])
    stored = dict(cursor.fetchall())
    return [
        f"the function {name} of the triggers is missing or not the one this program sets"
        for name, statement in _PG_FUNCTIONS.items()
        if stored.get(name, "").strip() != statement.split("$medgen$")[1].strip()
    ]
