"""Handing out: whole or not at all, remembered, blinded until the lock, only to those who may see numbers."""

import hashlib
import io
import json
import re
from datetime import datetime

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from annotation.audit.models import Event
from annotation.datasets.models import ItemRevision
from annotation.studies.models import ReadingOutput, Study, StudyItem
from annotation.systems.models import Output
from scoring.composites.inputs import output_rows
from scoring.composites.services import declaration_of, present_composite
from scoring.exports import package, services
from scoring.exports.errors import ExportError
from scoring.exports.models import ExportJob
from scoring.exports.services import board_over, export_workbook
from scoring.leaderboards.services import leaderboard
from tests import factories
from tests.scoring.exports.world import exported, rows_of, unblind, unzipped
from tests.scoring.world import World, build, grade_all, measure

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    made = build(items=3)
    grade_all(made, {0: 5, 1: 2})
    for output in [*made.outputs(0), *made.outputs(1)]:
        measure(output, "token_f1", 0.5)
    return made


def names(world: World) -> list[str]:
    """Whatever gives a system away, in small letters."""
    found = []
    for submission in world.submissions:
        system = submission.system_version.system
        found += [system.name, system.slug, submission.code, str(submission.pk), submission.pk.hex]
    return [name.lower() for name in found]


def test_a_blinded_file_holds_no_name_in_any_byte(tmp_path, world):
    failed = world.outputs(0)[2]
    Output.objects.filter(pk=failed.pk).update(status="error", error_text="Traceback in aurora/run.py of SU-0001")
    reading = world.readers[0].readings.first().reading_outputs.get()
    factories.grade(reading, version=2, reason_for_change="this is surely AURORA 1.0", rationale="like Borealis")
    ItemRevision.objects.update(source="made by borealis-data", instruction="As Aurora says?")
    Study.objects.filter(pk=world.study.pk).update(name="Aurora against Borealis")
    world.study.refresh_from_db()

    path = exported(world.study, tmp_path)

    data = unzipped(path).lower()
    assert [name for name in names(world) if name.encode() in data] == []
    facts = {row["What"]: row["Value"] for row in rows_of(path, "Provenance")}
    assert facts["names withheld"] > 5
    assert any(row["Reason for change"] == "this is surely [name withheld]" for row in rows_of(path, "Grades"))


def test_an_unblinded_study_has_names_beside_letters(tmp_path, world):
    unblind(world.study)

    path = exported(world.study, tmp_path)

    pairs = {(row["System"], row["System name"]) for row in rows_of(path, "Grades")}
    assert pairs == {("A", "Aurora 1.0"), ("B", "Borealis 1.0")}
    assert {("A", "Aurora 1.0"), ("B", "Borealis 1.0")} == {
        (row["System"], row["System name"]) for row in rows_of(path, "Metrics")
    }
    assert b"SU-0001" in unzipped(path)
    assert not ExportJob.objects.get().blinded


def test_an_unblinded_study_can_be_exported_blinded(tmp_path, world):
    unblind(world.study)

    path = exported(world.study, tmp_path, blinded=True)

    assert [name for name in names(world) if name.encode() in unzipped(path).lower()] == []


@pytest.mark.parametrize("state", ["running", "locked"])
def test_names_before_unblinding_are_refused(tmp_path, world, state):
    world.study.state = state
    with pytest.raises(ExportError, match=f"is {state}: names stay withheld until two people unblind it"):
        export_workbook(study=world.study, out=tmp_path / "x.xlsx", actor=None, blinded=False)

    assert list(tmp_path.glob("*.xlsx")) == []


def test_rows_of_an_item_stand_in_the_order_of_letters_not_of_submissions(tmp_path, world):
    first, second = world.study.study_systems.order_by("letter")
    first.letter = "Z"
    first.save()
    second.letter = "A"
    second.save()
    first.letter = "B"
    first.save()

    path = exported(world.study, tmp_path)

    assert list(dict.fromkeys(row["System"] for row in rows_of(path, "Matrix"))) == ["A", "B"]
    assert [row["System"] for row in rows_of(path, "Metrics")][:2] == ["A", "B"]


def test_the_job_remembers_checksum_inputs_and_actor(tmp_path, world, analyst):
    path = exported(world.study, tmp_path, actor=analyst)

    job = ExportJob.objects.get()
    event = Event.objects.get(verb="score sheet exported")
    assert job.file_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (job.requested_by, job.blinded, job.format) == (analyst, True, "xlsx")
    assert (event.actor, event.subject_id) == (str(analyst.pk), str(job.pk))
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["sheet.xlsx"]


def test_the_inputs_hash_changes_with_a_grade_and_only_then(tmp_path, world):
    exported(world.study, tmp_path)
    exported(world.study, tmp_path)
    shown = world.readers[0].readings.first().reading_outputs.get()
    factories.grade(shown, version=2, reason_for_change="looked again", scores={"overall": 1})
    exported(world.study, tmp_path)

    latest, second, first = ExportJob.objects.order_by("-created_at").values_list("inputs_hash", flat=True)
    assert first == second != latest


def test_a_grade_that_arrives_meanwhile_makes_the_file_start_again(tmp_path, world, monkeypatch):
    shown = world.readers[0].readings.first().reading_outputs.get()
    real, calls = services.write_workbook, []

    def interrupted(*args):
        calls.append(1)
        if len(calls) == 1:
            factories.grade(shown, version=2, reason_for_change="meanwhile", scores={"overall": 1})
        return real(*args)

    monkeypatch.setattr(services, "write_workbook", interrupted)
    path = exported(world.study, tmp_path)

    assert len(calls) == 2
    systems = load_workbook(path)["Systems"]
    assert any(row["Reason for change"] == "meanwhile" for row in rows_of(path, "Grades"))
    board = leaderboard(world.study)
    exported_numbers = {row[1]: row[3] for row in systems.iter_rows(values_only=True) if row[0] == "all formats"}
    assert exported_numbers == {one["code"]: one["composite"] for one in board["systems"]}


def test_a_failed_export_leaves_nothing_behind(tmp_path, world, monkeypatch):
    target = tmp_path / "sheet.xlsx"
    target.write_bytes(b"the old one")
    monkeypatch.setattr(package, "MAX_ROWS", 4)

    with pytest.raises(ExportError, match="more than 4 rows"):
        export_workbook(study=world.study, out=target, actor=None)

    assert target.read_bytes() == b"the old one"
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["sheet.xlsx"]
    assert not ExportJob.objects.exists()


def test_too_many_rows_are_refused_before_a_byte_is_written(tmp_path, world, monkeypatch):
    monkeypatch.setattr(services, "MAX_ROWS", 10)
    monkeypatch.setattr(services, "write_workbook", lambda *args: pytest.fail("it began to write"))

    with pytest.raises(ExportError, match=r"sheet Grades would need 12 rows; a sheet holds 9 under its header"):
        export_workbook(study=world.study, out=tmp_path / "x.xlsx", actor=None)


def test_hostile_rows_of_every_table_stay_text(tmp_path, world):
    hostile = "=cmd|'/c calc'!A0"
    ItemRevision.objects.update(instruction=hostile, source="@SUM(1)", license="+1", reference_text="x" * 40_000)
    shown = world.readers[0].readings.first().reading_outputs.get()
    factories.grade(
        shown, version=2, reason_for_change="-1+1", rationale=f"{hostile}\x0b\r\n_x000D_\ufffe", scores={"overall": 1}
    )
    StudyItem.objects.update(stratum="=1")

    path = exported(world.study, tmp_path)

    book = load_workbook(path)
    for sheet in book:
        live = [cell.coordinate for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
        assert bool(live) == (sheet.title == "Systems"), (sheet.title, live[:3])
    amended = next(row for row in rows_of(path, "Grades") if row["Version"] == 2)
    assert amended["Rationale"] == f"{hostile}\u240b\r\n_x000D_\ufffd"
    pieces = [row for row in rows_of(path, "Long texts") if row["Key"] == "L0001"]
    assert "".join(row["Text"] for row in pieces) == "x" * 40_000
    facts = {row["What"]: row["Value"] for row in rows_of(path, "Provenance")}
    assert (facts["texts cut"], facts["characters replaced"]) == (3, 2)


def test_an_empty_study_gives_every_sheet_and_says_so(tmp_path):
    study = factories.study(factories.release())

    path = exported(study, tmp_path)

    book = load_workbook(path)
    assert len(book.sheetnames) == 15
    assert rows_of(path, "Grades") == rows_of(path, "Items") == rows_of(path, "Missing") == []
    words = [row["Text"] for row in rows_of(path, "Read me")]
    assert any("cannot be computed yet" in str(word) for word in words)


def test_a_study_without_grades_has_no_number_and_no_difference(tmp_path):
    study = build(items=2).study

    path = exported(study, tmp_path)

    rows = [row for row in load_workbook(path, data_only=True)["Systems"].iter_rows(values_only=True)]
    results = [row for row in rows if row[0] == "all formats"]
    assert [row[3:6] for row in results] == [(None, None, None)] * 2
    assert {row["Kind"] for row in rows_of(path, "Missing")} == {"not graded", "not measured"}


def test_the_demo_home_puts_its_banner_on_the_file(tmp_path, home, world):
    (home / "demo.txt").write_text("demo")

    path = exported(world.study, tmp_path)

    assert "invented" in load_workbook(path)["Read me"]["B2"].value


def test_the_stored_board_is_the_page_s(world):
    declaration = declaration_of(present_composite(world.study))
    rows = output_rows(world.study, declaration)
    leaderboard(world.study)
    page = leaderboard(world.study)

    found = board_over(world.study, declaration, rows)

    assert found == {key: page[key] for key in found}
    assert {"systems", "formats", "composite_version", "inputs_hash", "weighting", "seed", "draws"} <= set(found)


def test_the_queries_do_not_grow_with_the_grades(tmp_path, world):
    counts = []
    for version in (2, 3):
        for shown in ReadingOutput.objects.filter(reading__study=world.study):
            for more in range(1 if version == 2 else 3):
                factories.grade(shown, version=version + more, reason_for_change="looked again")
        leaderboard(world.study)
        exported(world.study, tmp_path)
        with CaptureQueriesContext(connection) as queries:
            exported(world.study, tmp_path)
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert counts[0] < 130


def test_an_analyst_downloads_the_file(sign_in, analyst, world):
    factories.enroll(world.study, analyst, "analyst")

    answer = sign_in(analyst).get(reverse("scoring:workbook-download", args=[world.study.slug]))

    data = b"".join(answer.streaming_content)
    assert answer["Content-Disposition"] == 'attachment; filename="round-1-score-sheet.xlsx"'
    assert answer["Content-Type"] == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert load_workbook(io.BytesIO(data)).sheetnames[0] == "Read me"
    assert ExportJob.objects.get().file_sha256 == hashlib.sha256(data).hexdigest()


def test_the_name_of_the_download_gives_no_system_away(sign_in, analyst, world):
    Study.objects.filter(pk=world.study.pk).update(slug="aurora-or-borealis")
    factories.enroll(world.study, analyst, "analyst")

    answer = sign_in(analyst).get(reverse("scoring:workbook-download", args=["aurora-or-borealis"]))

    assert re.fullmatch(r'attachment; filename="study-[0-9a-f]{8}-score-sheet\.xlsx"', answer["Content-Disposition"])


@pytest.mark.parametrize("name", ["scoring:workbook-download", "scoring:export-list"])
def test_only_those_who_may_see_numbers_get_it(sign_in, world, analyst, coordinator, stranger, curator, client, name):
    url = reverse(name, args=[world.study.slug])
    factories.enroll(world.study, analyst, "analyst")
    factories.enroll(world.study, coordinator, "coordinator")
    reader = world.readers[0].user
    factories.enroll(world.study, reader, "analyst")

    seen = {
        user.username: sign_in(user).get(url).status_code
        for user in (analyst, coordinator, stranger, curator, reader)
    }

    assert seen == {"analyst": 200, "coordinator": 200, "stranger": 404, "curator": 404, reader.username: 404}
    assert client.get(url).status_code == 302


def test_a_refused_download_says_why(sign_in, analyst, world, monkeypatch):
    factories.enroll(world.study, analyst, "analyst")
    monkeypatch.setattr(services, "MAX_ROWS", 10)

    answer = sign_in(analyst).get(reverse("scoring:workbook-download", args=[world.study.slug]))

    assert answer.status_code == 409
    assert b"sheet Grades would need 12 rows" in answer.content


def test_the_page_lists_sheets_and_past_exports(sign_in, analyst, world, tmp_path):
    factories.enroll(world.study, analyst, "analyst")
    client, url = sign_in(analyst), reverse("scoring:export-list", args=[world.study.slug])

    before = client.get(url).content.decode()
    exported(world.study, tmp_path, actor=analyst)
    after = client.get(url).content.decode()

    assert "No score sheet yet" in before
    assert "Letters only" in before
    assert ExportJob.objects.get().file_sha256 in after
    assert "Aurora" not in after


def test_the_command_writes_the_file(tmp_path, world):
    out = io.StringIO()

    call_command("export_workbook", "round-1", str(tmp_path / "s.xlsx"), "--json", stdout=out)

    said = json.loads(out.getvalue())
    assert said["sha256"] == hashlib.sha256((tmp_path / "s.xlsx").read_bytes()).hexdigest()
    assert (said["study"], said["blinded"], said["preview"]) == ("round-1", True, True)


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (["nowhere", "s.xlsx"], "'nowhere': no such study", 2),
        (["round-1", "s.csv"], "must end in .xlsx", 2),
        (["round-1", "no/such/s.xlsx"], "does not exist", 2),
        (["round-1", "old.xlsx"], "exists; say --force to replace it", 2),
        (["round-1", "folder.xlsx"], "is a folder", 2),
    ],
)
def test_the_command_says_what_is_wrong(tmp_path, world, arguments, words, code):
    (tmp_path / "old.xlsx").write_bytes(b"old")
    (tmp_path / "folder.xlsx").mkdir()
    slug, name = arguments

    with pytest.raises(CommandError, match=re.escape(words)) as caught:
        call_command("export_workbook", slug, str(tmp_path / name))

    assert caught.value.returncode == code
    assert (tmp_path / "old.xlsx").read_bytes() == b"old"


def test_the_command_replaces_a_file_only_by_force(tmp_path, world):
    out = tmp_path / "old.xlsx"
    out.write_bytes(b"old")

    call_command("export_workbook", "round-1", str(out), "--force", stdout=io.StringIO())

    assert load_workbook(out).sheetnames[0] == "Read me"


def test_a_failure_of_the_command_is_exit_code_one(tmp_path, world, monkeypatch):
    monkeypatch.setattr(services, "MAX_ROWS", 10)

    with pytest.raises(CommandError, match="would need 12 rows") as caught:
        call_command("export_workbook", "round-1", str(tmp_path / "s.xlsx"))

    assert caught.value.returncode == 1


def test_times_in_the_file_are_utc(tmp_path, world):
    path = exported(world.study, tmp_path)

    made = next(row["Value"] for row in rows_of(path, "Provenance") if row["What"] == "made at (UTC)")
    assert isinstance(made, datetime)
    assert abs((made - ExportJob.objects.get().created_at.replace(tzinfo=None)).total_seconds()) < 60
