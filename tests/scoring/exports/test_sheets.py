"""The sheets hold exactly what was entered and measured; what is missing is typed, counted and listed."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from openpyxl import load_workbook

from annotation.datasets.models import ItemAlias
from annotation.grading.models import CriterionScore
from annotation.studies.models import Reading, ReadingOutput
from scoring.agreement.services import agreement
from scoring.exports.systems_columns import BLOCKS
from scoring.exports.workbook import SHEETS
from scoring.runs.models import MetricValue
from tests.scoring.exports.world import exported, grades, rich_world, rows_of

pytestmark = pytest.mark.django_db
TITLES = [title for title, _ in SHEETS]


@dataclass
class Made:
    """A file and what the database said when it was made."""

    path: Path
    again: Path
    entered: dict[tuple[Any, ...], tuple[Any, ...]]
    reasons: Counter[tuple[str, str]]
    agreement: dict[str, Any]
    metrics: dict[tuple[Any, ...], tuple[Any, ...]]
    n_items: int
    first_item: Any


def entered(study: Any) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Every score with its grade, asked from the models one by one."""
    found = {}
    for grade in grades(study):
        shown = grade.reading_output
        newest = max(other.version for other in shown.grades.all())
        for score in grade.scores.all():
            key = (
                shown.reading.enrollment.reader_code,
                shown.reading.study_item.revision.item.code,
                study.study_systems.get(submission=shown.output.submission).letter,
                score.criterion.code,
                grade.version,
            )
            found[key] = (
                score.value,
                score.na_reason or None,
                grade.safety,
                grade.rationale or None,
                "; ".join(mark.error_code_id for mark in grade.error_marks.all()) or None,
                "yes" if grade.version == newest else "no",
                grade.reason_for_change or None,
                grade.submitted_at.replace(tzinfo=None),
                grade.active_ms / 1000,
            )
    return found


def absent(study: Any) -> Counter[tuple[str, str]]:
    """What is missing, counted from the models."""
    found: Counter[tuple[str, str]] = Counter()
    for shown in ReadingOutput.objects.filter(reading__study=study).select_related("reading"):
        if shown.reading.status == Reading.Status.SKIPPED:
            found["skipped", shown.reading.skip_reason] += 1
        elif shown.reading.status != Reading.Status.SUBMITTED:
            found["not graded", shown.reading.status.replace("_", " ")] += 1
    for score in CriterionScore.objects.filter(grade__in=grades(study), value=None):
        found["no value", score.na_reason] += 1
    for submission in (row.submission for row in study.study_systems.all()):
        for output in submission.outputs.exclude(status="ok"):
            found["no output", output.status] += 1
        for value in MetricValue.objects.filter(output__submission=submission, value=None):
            found["undefined metric", value.reason] += 1
    return found


@pytest.fixture(scope="module")
def made(django_db_setup, django_db_blocker, tmp_path_factory) -> Made:
    folder = tmp_path_factory.mktemp("sheets")
    with django_db_blocker.unblock(), transaction.atomic():
        study = rich_world().study
        item = study.study_items.first().revision.item
        for scheme, value in (("file", "Q-1"), ("bench", "b/7")):
            ItemAlias.objects.create(dataset=item.dataset, item=item, scheme=scheme, value=value)
        path = exported(study, folder, banner="")
        again = exported(study, tmp_path_factory.mktemp("again"), banner="Demo & invented")
        letters = {row.submission_id: row.letter for row in study.study_systems.all()}
        values = MetricValue.objects.filter(output__submission__in=letters).select_related("settings")
        found = Made(
            path,
            again,
            entered(study),
            absent(study),
            agreement(study),
            {
                (v.output.revision.item.code, letters[v.output.submission_id], v.settings.metric, v.subject): (
                    v.value,
                    v.reason or None,
                    v.settings.settings_hash,
                )
                for v in values
            },
            study.study_items.count(),
            item.code,
        )
        transaction.set_rollback(True)
    return found


def test_the_sheets_stand_in_their_order_with_frozen_headers_and_filters(made):
    book = load_workbook(made.path)

    assert book.sheetnames == TITLES
    for sheet in book:
        assert sheet.freeze_panes == ("A3" if sheet.title == "Systems" else "A2")
        assert sheet.auto_filter.ref
        assert all(column.width > 5 for column in sheet.column_dimensions.values())


def test_grades_hold_exactly_what_was_entered(made):
    rows = rows_of(made.path, "Grades")
    read = {
        (row["Reader"], row["Item"], row["System"], row["Criterion"], row["Version"]): (
            row["Value"],
            row["No value because"],
            row["Safety"],
            row["Rationale"],
            row["Errors"],
            row["Latest"],
            row["Reason for change"],
            row["Submitted at"],
            row["Active s"],
        )
        for row in rows
    }

    assert len(rows) == len(read) == len(made.entered)
    assert read.keys() == made.entered.keys()
    for key, values in made.entered.items():
        *others, at, active = values
        *others_read, at_read, active_read = read[key]
        assert (others_read, active_read) == (others, active), key
        assert abs((at_read - at).total_seconds()) <= 0.001, key
    assert {row["Rubric"] for row in rows} == {"TX@1.0"}
    assert any(row["Errors"] == "invented; omitted" for row in rows)
    assert {row["Latest"] for row in rows if row["Version"] == 1} == {"yes", "no"}


def test_values_are_numbers_and_moments_are_dates(made):
    sheet = load_workbook(made.path)["Grades"]
    head = [cell.value for cell in sheet[1]]
    value, at = head.index("Value"), head.index("Submitted at")
    rows = list(sheet.iter_rows(min_row=2))

    assert {row[value].data_type for row in rows if row[value].value is not None} == {"n"}
    assert all(row[at].is_date for row in rows)


def test_the_matrix_holds_latest_values_and_typed_words(made):
    rows = rows_of(made.path, "Matrix")
    latest = {
        (reader, item, letter, criterion): value if value is not None else reason
        for (reader, item, letter, criterion, _), (value, reason, *_, is_latest, _, _, _) in made.entered.items()
        if is_latest == "yes"
    }

    cells = {
        (code, row["Item"], row["System"], row["Criterion"]): row[code] for row in rows for code in ("R01", "R02")
    }

    assert latest.items() <= cells.items()
    others = {value for key, value in cells.items() if key not in latest}
    assert others == {"queued", "skipped: image problem"}
    for row in rows:
        numbers = [row[code] for code in ("R01", "R02") if isinstance(row[code], int | float)]
        assert row["n"] == len(numbers)
        assert row["Mean"] == (sum(numbers) / len(numbers) if numbers else None)


def test_agreement_repeats_every_coefficient_with_interval_and_n(made):
    rows = {(row["Criterion"], row["Coefficient"], row["Of"]): row for row in rows_of(made.path, "Agreement")}

    for one in made.agreement["criteria"]:
        alpha = rows[one["code"], "Krippendorff alpha (ordinal)", "all readers"]
        assert (alpha["Value"], alpha["Low"], alpha["High"], alpha["n"]) == (
            one["alpha"]["value"],
            one["alpha"]["low"],
            one["alpha"]["high"],
            one["n_shared"],
        )
        for pair in one["pairs"]:
            row = rows[one["code"], "Cohen kappa, quadratic", f"{pair['first']} – {pair['second']}"]
            assert (row["Value"], row["n"]) == (pair["quadratic_kappa"], pair["n_shared"])
        for reader in one["severity"]:
            assert rows[one["code"], "mean of the reader", reader["reader"]]["Value"] == reader["mean"]
    for row in rows.values():
        assert row["Value"] is not None or row["No value because"]


def test_metrics_hold_every_value_or_its_reason(made):
    read = {
        (row["Item"], row["System"], row["Metric"], row["Subject"]): (row["Value"], row["Reason"], row["Settings"])
        for row in rows_of(made.path, "Metrics")
    }

    assert read == made.metrics
    assert {reason for _, reason, _ in read.values()} == {None, "identical", "geometry_mismatch"}


def test_missing_counts_and_lists_everything_that_is_not_there(made):
    rows = rows_of(made.path, "Missing")
    totals = {(row["Kind"], row["Reason"]): row["Count"] for row in rows if row["Row"] == "total"}
    listed = Counter((row["Kind"], row["Reason"]) for row in rows if row["Row"] == "one")

    known = {key: n for key, n in totals.items() if key[0] != "not measured"}
    assert known == dict(made.reasons)
    assert totals == dict(listed)
    assert {kind for kind, _ in known} == {"skipped", "not graded", "no value", "no output", "undefined metric"}


def test_items_carry_aliases_and_clusters(made):
    rows = {row["Item"]: row for row in rows_of(made.path, "Items")}

    assert len(rows) == made.n_items
    assert rows[made.first_item]["Aliases"] == "bench:b/7; file:Q-1"
    assert all(row["Cluster"] and row["License"] and row["Instruction"] for row in rows.values())
    assert {row["Reference images"] for row in rows.values()} == {0, 1}


def test_the_codebook_explains_every_column_of_every_sheet(made):
    book = load_workbook(made.path)
    codes = rows_of(made.path, "Codebook")
    explained = {(row["Where"], row["Code"]) for row in codes if row["Kind"] == "column" and row["Meaning"]}

    for sheet in book:
        if sheet.title != "Systems":
            assert {(sheet.title, cell.value) for cell in sheet[1]} <= explained, sheet.title
    for name, columns in BLOCKS.items():
        assert {(f"Systems: {name}", column.title) for column in columns} <= explained
    assert {"overall", "anatomical_accuracy"} <= {row["Code"] for row in codes if row["Kind"] == "criterion"}
    assert all(row["Source"] for row in codes if row["Kind"] == "metric")
    used = {row["Metric"] for row in rows_of(made.path, "Metrics")}
    assert used <= {row["Code"] for row in codes if row["Kind"] == "metric"}


def test_provenance_names_versions_seeds_and_hashes(made):
    facts = {row["What"]: row["Value"] for row in rows_of(made.path, "Provenance")}

    assert facts["composite version"] == 1
    assert facts["agreement: inputs hash"] == made.agreement["inputs_hash"]
    assert len(facts["hash of all inputs"]) == 64
    assert len(facts["metric settings: psnr"]) == 64
    assert (facts["made by"], facts["systems"], facts["texts cut"]) == ("a command", "letters only", 0)
    assert facts["seed"] == 1


def test_the_same_study_gives_the_same_rows(made):
    own = ("Items", "Grades", "Matrix", "Agreement", "Metrics", "Missing", "Codebook")

    for title in own:
        first, second = rows_of(made.path, title), rows_of(made.again, title)
        for row in second:
            row.pop("Demo & invented")
        assert first == second, title


def test_the_banner_is_on_every_sheet(made):
    book = load_workbook(made.again)

    for sheet in book:
        assert "Demo & invented" in [cell.value for cell in sheet[1]], sheet.title
        assert sheet.sheet_properties.tabColor is not None
    assert book["Read me"]["B2"].value == "Demo & invented"
