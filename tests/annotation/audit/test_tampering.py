"""Ways to tamper with grades or trail: each is refused by the database, or found by whoever checks."""

import zipfile

import pytest
from django.db import IntegrityError, connection, transaction

from annotation.audit.chain import KnownHead, head
from annotation.audit.errors import AppendOnlyError
from annotation.audit.models import ChainHead, Event
from annotation.grading.models import CriterionScore, Grade
from annotation.studies.models import ReadingOutput
from scoring.exports.services import export_workbook, known_heads
from tests.annotation.audit.world import (
    checked,
    exported,
    first_grade,
    found,
    key,
    rewrite_chain,
    tamper,
)

REFUSED = "never changed or removed"


def refused(statement: str, *values: object) -> None:
    with pytest.raises(IntegrityError, match=REFUSED), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_nothing_is_found_where_nobody_tampered(made):
    assert found() == []


def test_1_an_update_through_the_orm_is_refused(made):
    grade = first_grade()
    grade.safety = "severe"

    with pytest.raises(AppendOnlyError):
        grade.save()
    with pytest.raises(AppendOnlyError):
        Grade.objects.filter(pk=grade.pk).update(safety="severe")
    with pytest.raises(IntegrityError, match=REFUSED), transaction.atomic():
        Grade._base_manager.filter(pk=grade.pk).update(safety="severe")


def test_2_a_bulk_update_is_refused(made):
    scores = list(CriterionScore.objects.all())
    for score in scores:
        score.value = 5

    with pytest.raises(AppendOnlyError):
        CriterionScore.objects.bulk_update(scores, ["value"])
    with pytest.raises(IntegrityError, match=REFUSED), transaction.atomic():
        CriterionScore._base_manager.bulk_update(scores, ["value"])


def test_3_raw_update_and_delete_are_refused(made):
    refused("UPDATE annotation_grade SET safety = 'severe'")
    refused("UPDATE annotation_criterionscore SET value = 5")
    refused("UPDATE annotation_event SET actor = ''")
    refused("DELETE FROM annotation_errormark")
    refused("DELETE FROM annotation_event")


@pytest.mark.sqlite_only("REPLACE is a word of SQLite")
def test_4_replace_is_refused(made):
    columns = "id, chain, sequence, at, actor, verb, subject_type, subject_id, details, previous_hash, hash"

    refused(f"REPLACE INTO annotation_event ({columns}) SELECT {columns} FROM annotation_event")
    refused("UPDATE OR REPLACE annotation_event SET sequence = 1")


@pytest.mark.postgresql_only("TRUNCATE is a word of PostgreSQL")
def test_5_truncate_is_refused(made):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    refused("TRUNCATE annotation_event CASCADE")
    refused("TRUNCATE annotation_criterionscore")


def test_6_a_dropped_trigger_is_found(made):
    on = " ON annotation_criterionscore" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER annotation_criterionscore_no_update{on}")

    assert found() == [
        "database: the trigger annotation_criterionscore_no_update is missing: scores could be changed or removed"
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE annotation_criterionscore SET value = 5 WHERE grade_id = %s AND value IS NOT NULL",
        "UPDATE annotation_criterionscore SET value = NULL, na_reason = 'not visible' WHERE grade_id = %s",
        "DELETE FROM annotation_errormark WHERE grade_id = %s",
        "UPDATE annotation_grade SET safety = 'severe' WHERE id = %s",
        "UPDATE annotation_grade SET reference_wrong = NOT reference_wrong WHERE id = %s",
        "UPDATE annotation_grade SET version = 7, reason_for_change = 'because' WHERE id = %s",
        "UPDATE annotation_grade SET active_ms = 86400000 WHERE id = %s",
        "UPDATE annotation_grade SET submitted_at = '2020-01-01 00:00:00+00:00' WHERE id = %s",
        "UPDATE annotation_grade SET payload_hash = text_digest WHERE id = %s",
    ],
)
def test_6_what_was_altered_while_the_triggers_were_away_is_found(made, statement):
    grade = first_grade()

    assert tamper(statement, key(grade)) >= 1

    assert f"grade {grade.pk}: was altered: its seal does not fit what it says or what it is about" in found()


def test_6_altered_words_are_found(made):
    grade = first_grade()

    tamper("UPDATE annotation_grade SET rationale = 'All is well.' WHERE id = %s", key(grade))

    assert found() == [f"grade {grade.pk}: its words were altered"]


def test_6_words_emptied_without_an_event_are_found(made):
    grade = first_grade()

    tamper(
        "UPDATE annotation_grade SET rationale = '', text_salt = '', blanked_by_id = %s WHERE id = %s",
        Event.objects.first().pk,
        key(grade),
    )

    assert found() == [f"grade {grade.pk}: its words were emptied, and no event says why"]


def test_6_a_grade_moved_to_another_output_is_found(made):
    place = first_grade().reading_output
    other = ReadingOutput.objects.exclude(output=place.output).first().output

    ReadingOutput.objects.filter(pk=place.pk).update(output=other)

    assert any("its seal does not fit" in problem for problem in found())


def test_6_a_grade_sealed_anew_by_somebody_who_knows_how_is_found(made):
    from annotation.grading import seals

    grade = first_grade()
    tamper("UPDATE annotation_grade SET safety = 'severe' WHERE id = %s", key(grade))
    (stored,) = seals.stored(seals.LIVE, [grade.pk])
    tamper("UPDATE annotation_grade SET payload_hash = %s WHERE id = %s", stored.seal, key(grade))

    (problem,) = found()
    assert problem.startswith(f"grade {grade.pk}: was altered: link ") and "carries another seal" in problem


def test_7_a_removed_grade_is_found(made):
    grade = first_grade()
    for table in ("criterionscore", "errormark"):
        tamper(f"DELETE FROM annotation_{table} WHERE grade_id = %s", key(grade))
    tamper("DELETE FROM annotation_grade WHERE id = %s", key(grade))

    assert found() == [f"grade {grade.pk}: was removed; link 1 of chain {made.chain} speaks of it"]


def test_7_a_removed_event_is_found(made):
    event = Event.objects.get(chain=made.chain, sequence=2)

    tamper("DELETE FROM annotation_event WHERE id = %s", event.pk)

    assert f"chain {made.chain}: link 2 is missing: removed" in found()


def test_7_a_removed_last_event_is_found_by_the_head(made):
    last, _ = head(made.chain)

    tamper("DELETE FROM annotation_event WHERE chain = %s AND sequence = %s", made.chain, last)

    assert any(f"ends with link {last - 1}, its head says link {last}" in problem for problem in found())


def test_7_a_tail_removed_together_with_the_head_is_found_by_a_score_sheet(made, tmp_path):
    export_workbook(study=made.study, out=tmp_path / "sheet.xlsx", actor=None)
    kept = list(known_heads())
    tail = Event.objects.filter(chain=made.chain, sequence__gte=4)
    for event in tail:
        tamper("DELETE FROM annotation_event WHERE id = %s", event.pk)
    third = Event.objects.get(chain=made.chain, sequence=3)
    ChainHead.objects.filter(pk=made.chain).update(sequence=3, hash=third.hash)

    assert any("which the score sheet of" in problem and "was removed" in problem for problem in found(kept))


def test_7_a_chain_written_anew_is_found_by_a_head_kept_elsewhere(made):
    sequence, checksum = head(made.chain)
    kept = [KnownHead(made.chain, sequence, checksum, "the backup of Monday")]
    tamper("UPDATE annotation_event SET actor = '1' WHERE chain = %s AND sequence = 2", made.chain)
    rewrite_chain(made.chain)

    assert found() == []
    assert found(kept) == [
        f"chain {made.chain}: link {sequence} is not the one that the backup of Monday knows: the chain was rewritten"
    ]


def test_7_a_grade_added_past_the_program_is_found(made):
    grade = first_grade()
    added = Grade.objects.create(
        reading_output=grade.reading_output, version=9, author=made.reader, submit_key=grade.pk, reason_for_change="x"
    )

    problems = found()

    assert f"grade {added.pk}: was added past the program: no event speaks of it" in problems


def test_7_an_event_added_past_the_program_is_found(made):
    Event.objects.create(verb="nothing", actor="")

    assert any("stands outside of the chain: it was added past the program" in problem for problem in found())


def test_8_reordered_events_are_found(made):
    for before, after in ((2, 1002), (3, 2), (1002, 3)):
        tamper(
            "UPDATE annotation_event SET sequence = %s WHERE chain = %s AND sequence = %s", after, made.chain, before
        )

    problems = "\n".join(found())

    assert "link 2 does not follow link 1" in problems and "link 2 (grade submitted" in problems


def test_8_an_event_moved_to_another_chain_is_found(made):
    tamper("UPDATE annotation_event SET chain = 'site', sequence = 99 WHERE chain = %s AND sequence = 2", made.chain)

    problems = "\n".join(found())

    assert f"chain {made.chain}: link 2 is missing: removed" in problems
    assert "link 99 (grade submitted" in problems


def test_an_altered_event_is_found(made):
    tamper("UPDATE annotation_event SET details = '{}' WHERE chain = %s AND sequence = 2", made.chain)

    assert any("link 2 (grade submitted" in problem and "was altered" in problem for problem in found())


def test_an_altered_review_is_found(made):
    tamper("UPDATE annotation_review SET verdict = 'reject'")

    assert any(problem.startswith("review ") and "was altered" in problem for problem in found())


def test_a_removed_review_is_found(made):
    for table in ("reviewanswer", "reviewreason", "review"):
        tamper(f"DELETE FROM annotation_{table}")

    assert any(problem.startswith("review ") and "was removed; link " in problem for problem in found())


def test_9_an_export_that_nobody_touched_passes(made, tmp_path, capsys):
    sheet = tmp_path / "sheet.xlsx"
    export_workbook(study=made.study, out=sheet, actor=None)

    code, words = checked(capsys, exported(made, tmp_path), sheet)

    assert code == 0, words
    assert "45 rows of grades compared; 0 found" in words


def test_9_an_edited_export_is_found(made, tmp_path, capsys):
    sheet = tmp_path / "sheet.xlsx"
    export_workbook(study=made.study, out=sheet, actor=None)
    trail, touched = exported(made, tmp_path), tmp_path / "edited.xlsx"
    with zipfile.ZipFile(sheet) as old, zipfile.ZipFile(touched, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data.replace(b"Far too small", b"Not too small"))

    code, words = checked(capsys, trail, touched)

    assert code == 1
    assert "Rationale is 'Not too small a liver, Jürgen.', submitted was 'Far too small a liver, Jürgen.'" in words
    assert "the file is not as it was handed out" in words
