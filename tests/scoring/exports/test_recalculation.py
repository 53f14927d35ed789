"""LibreOffice computes *Systems* and gets the page's numbers, also after somebody changed a weight."""

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from openpyxl import load_workbook

from scoring.exports.systems_columns import ALL_FORMATS
from scoring.leaderboards.services import leaderboard
from tests import factories
from tests.scoring.exports.world import block, exported, recalculated, rich_world, weigh

OTHER = {
    "vqa rubric:TX:overall": 0.35,
    "vqa metric:token_f1|option_accuracy": 0.65,
    "image_editing rubric:TX:overall": 0.1,
    "image_editing metric:ssim": 0.55,
    "image_editing metric:psnr": 0.35,
}
pytestmark = [pytest.mark.django_db, pytest.mark.long]
NUMBERS = {"Composite": "composite", "Only scored": "of_scored"}


@dataclass
class Computed:
    """Boards of the page and sheets as LibreOffice computed them, by what was changed."""

    boards: dict[str, Any]
    sheets: dict[str, Any]


def bare(source: Path, target: Path) -> None:
    """The same file without the values stored beside the formulas, so that only a computation can give them."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.startswith("xl/worksheets/"):
                data = re.sub(rb"</f><v>[^<]*</v>", b"</f>", data)
            new.writestr(name, data)


def change(source: Path, target: Path, weights: dict[str, float], weighting: str) -> None:
    """What a person does: type into the yellow cells."""
    book = load_workbook(source)
    sheet = book["Systems"]
    for row in block(sheet, "Weights"):
        sheet.cell(row["row"], list(row).index("Weight") + 1).value = weights[f"{row['Format']} {row['Source']}"]
    sheet["B4"] = weighting
    book.save(target)


@pytest.fixture(scope="module")
def computed(django_db_setup, django_db_blocker, tmp_path_factory) -> Computed:
    folder = tmp_path_factory.mktemp("systems")
    boards = {}
    with django_db_blocker.unblock(), transaction.atomic():
        world = rich_world()
        actor = factories.person("declarer")
        sheet = exported(world.study, folder, banner="")
        boards["as exported"] = leaderboard(world.study)
        weigh(world.study, actor, OTHER, "macro_by_task")
        boards["other weights"] = leaderboard(world.study)
        weigh(world.study, actor, OTHER, "plain")
        boards["plain"] = leaderboard(world.study)
        transaction.set_rollback(True)
    names = {name: folder / f"{name.replace(' ', '-')}.xlsx" for name in boards}
    bare(sheet, names["as exported"])
    change(sheet, names["other weights"], OTHER, "macro_by_task")
    change(sheet, names["plain"], OTHER, "plain")
    found = recalculated(names.values(), folder)
    sheets = {name: load_workbook(path, data_only=True)["Systems"] for name, path in zip(names, found, strict=True)}
    return Computed(boards, sheets | {"stored": load_workbook(sheet, data_only=True)["Systems"]})


def expected(board: Any) -> dict[tuple[str, str], Any]:
    scopes = [(ALL_FORMATS, board["systems"])] + [(one["format"], one["systems"]) for one in board["formats"]]
    return {(scope, one["code"]): one for scope, systems in scopes for one in systems}


def same(value: Any, number: float | None) -> bool:
    if number is None:
        return value in (None, "")
    return isinstance(value, int | float) and abs(value - number) < 1e-9


@pytest.mark.parametrize("name", ["as exported", "other weights", "plain"])
def test_the_live_columns_are_the_page_s_numbers(computed, name):
    page = expected(computed.boards[name])
    rows = {(row["Scope"], row["System"]): row for row in block(computed.sheets[name], "Results")}

    assert set(rows) == set(page)
    assert len(rows) == 9
    for key, row in rows.items():
        for title, field in NUMBERS.items():
            assert same(row[f"{title}, live"], page[key][field]), (
                key,
                title,
                row[f"{title}, live"],
                page[key][field],
            )
        confirmed = (page[key]["pending"] or {}).get("confirmed")
        assert same(row["If confirmed, live"], confirmed), (key, row["If confirmed, live"], confirmed)
        assert row["Rank, live"] in (page[key]["rank"], "" if page[key]["rank"] is None else page[key]["rank"])


def test_the_case_has_every_difficulty(computed):
    """Failed outputs, pending flags, absent tiers, identical pictures: without them the sheet proves little."""
    board = computed.boards["as exported"]
    total = {key: sum(one[key] for one in board["systems"]) for key in ("n_failed", "n_missing", "n_pending")}
    outputs = block(computed.sheets["as exported"], "Outputs")

    assert all(n > 0 for n in total.values()), total
    assert sum(one["n_without_tier"] for one in board["systems"]) > 0
    assert any(row["pixel:psnr raw"] == "identical" for row in outputs)
    assert {row["In sample"] for row in outputs} == {0, 1}
    values = [computed.boards[name]["systems"][0]["composite"] for name in ("as exported", "other weights", "plain")]
    assert len(set(values)) == 3


def test_exported_and_live_differ_by_nothing_until_a_weight_changes(computed):
    untouched = block(computed.sheets["as exported"], "Results")
    changed = block(computed.sheets["other weights"], "Results")

    assert all(abs(row["Difference"]) < 1e-9 for row in untouched)
    assert all(abs(row["Only scored, difference"]) < 1e-9 for row in untouched)
    assert any(abs(row["Difference"]) > 1e-3 for row in changed)
    assert [row["Composite"] for row in changed] == [row["Composite"] for row in untouched]


def test_the_stored_values_are_what_libreoffice_computes(computed):
    for title in ("Weights", "Share of each format", "Results", "Mean of each task", "Outputs"):
        stored, fresh = block(computed.sheets["stored"], title), block(computed.sheets["as exported"], title)
        assert len(stored) == len(fresh) > 0
        for old, new in zip(stored, fresh, strict=True):
            for key, value in old.items():
                if isinstance(value, float | int):
                    assert same(new[key], value), (title, key, old["row"], value, new[key])
                else:
                    assert (new[key] or None) == (value or None), (title, key, old["row"])


def test_output_rows_add_up_to_the_page_s_counts(computed):
    outputs = block(computed.sheets["as exported"], "Outputs")
    for one in computed.boards["as exported"]["systems"]:
        own = [row for row in outputs if row["System"] == one["code"] and row["In sample"] == 1]
        assert len(own) == one["n_expected"]
        assert sum(row["Status"] == "missing" for row in own) == one["n_missing"]
        assert sum(row["Safety flag"] == "pending" for row in own) == one["n_pending"]
