"""The viewer shows true values: windows in the unit of the data, slices, links, comparison."""

import io
import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Picture
from playwright.sync_api import Locator, Page

from annotation.imaging.reading import read_image
from tests.browser.readings import EDIT, GENERATION, VQA, Readings
from tests.browser.visitor import settle

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
WINDOW = re.compile(r"W (-?[\d.]+)  L (-?[\d.]+) ([^·\n]+)")
PROBE = re.compile(r"(\S+)\s+(\d+), (\d+)\s+(-?[\d.]+) ?(\S*)")
CT = 1  # the pane that the tests on Hounsfield units use
CORE = 60  # half the side of the square that is compared, in screen pixels


class Viewer:
    """One reading in a window, drawn with the table or the graphics card's renderer."""

    def __init__(self, page: Page, reading: dict[str, Any], draw: str = "table") -> None:
        self.page = page
        self.reading = reading
        page.goto(f"{reading['urls']['page']}?draw={draw}")
        settle(page)
        if draw == "gl":
            assert page.evaluate("() => Boolean(new OffscreenCanvas(8, 8).getContext('webgl2'))"), "no WebGL2 here"
        self.rest()

    def pane(self, number: int) -> Locator:
        return self.page.locator(".pane").nth(number)

    def corner(self, number: int, place: str) -> str:
        return self.pane(number).locator(f".corner.{place}").inner_text()

    def window(self, number: int) -> tuple[float, float, str]:
        found = WINDOW.search(self.corner(number, "bl"))
        assert found, self.corner(number, "bl")
        return float(found[1]), float(found[2]), found[3].strip()

    def middle(self, number: int) -> tuple[float, float]:
        box = self.pane(number).bounding_box()
        assert box
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def click(self, number: int) -> None:
        self.page.mouse.click(*self.middle(number))
        self.rest()

    def rest(self) -> None:
        """Two display frames: what was asked for is drawn."""
        self.page.evaluate("() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))")

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.rest()

    def drag(self, number: int, dx: int, dy: int, *, button: Any = "left") -> None:
        x, y = self.middle(number)
        self.page.mouse.move(x, y)
        self.page.mouse.down(button=button)
        self.page.mouse.move(x + dx, y + dy, steps=6)
        self.page.mouse.up(button=button)
        self.rest()

    def probe(self, x: float, y: float) -> tuple[int, int, float, str] | None:
        self.page.mouse.move(x, y)
        self.rest()
        found = PROBE.search(self.page.locator("#probe").inner_text())
        return (int(found[2]), int(found[3]), float(found[4]), found[5]) if found else None

    def core(self, number: int, half: int = CORE) -> np.ndarray:
        """The pixels on the screen around the middle of a pane."""
        x, y = self.middle(number)
        clip = {"x": round(x) - half, "y": round(y) - half, "width": 2 * half, "height": 2 * half}
        shot = self.page.screenshot(clip=clip)
        return np.asarray(Picture.open(io.BytesIO(shot)).convert("RGB")).astype(int)


def apart(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).mean())


@pytest.fixture
def view(enter: Callable[..., Page], readings: Readings) -> Callable[..., Viewer]:
    def opened(format_code: str, task: str = "", modality: str = "", draw: str = "table") -> Viewer:
        return Viewer(enter("reader3"), readings.find(format_code, task=task, modality=modality), draw)

    return opened


@pytest.mark.parametrize("draw", ("table", "gl"))
def test_a_drag_changes_pixels_and_the_printed_window_in_hounsfield_units(view, draw: str):
    viewer = view(VQA, "blank-filling", "ct", draw)
    width, level, unit = viewer.window(CT)
    before = viewer.core(CT)

    viewer.drag(CT, 80, -50)
    wider, higher, same_unit = viewer.window(CT)

    assert (unit, same_unit) == ("HU", "HU")
    assert wider > width
    assert higher > level
    assert apart(before, viewer.core(CT)) > 4
    assert viewer.window(0) == viewer.window(CT), "panes of one unit share the window"


@pytest.mark.parametrize("draw", ("table", "gl"))
def test_the_gray_on_the_screen_is_the_window_of_the_true_value(view, draw: str):
    viewer = view(VQA, "blank-filling", "ct", draw)
    viewer.click(CT)
    viewer.press("1")
    width, level, _ = viewer.window(CT)
    x, y = viewer.middle(CT)
    viewer.page.locator("[data-tool=smooth]").click()
    viewer.page.mouse.move(x, y)
    viewer.page.keyboard.down("Control")
    for _ in range(24):
        viewer.page.mouse.wheel(0, -100)
    viewer.page.keyboard.up("Control")
    viewer.rest()
    wrong, grays = [], set()
    for step in range(-100, 101, 40):
        probed = viewer.probe(x + step, y + step / 2)
        assert probed
        value = probed[2]
        clip = {"x": round(x + step), "y": round(y + step / 2), "width": 1, "height": 1}
        shown = Picture.open(io.BytesIO(viewer.page.screenshot(clip=clip))).convert("L").getpixel((0, 0))
        expected = np.clip((value - (level - width / 2)) / width * 255, 0, 255)
        grays.add(shown)
        if abs(shown - expected) > 3:
            wrong.append(f"{probed}: {shown} on the screen, {expected:.1f} expected")

    assert (width, level) == (400, 40)
    assert wrong == []
    assert len(grays) > 1, "the points tried are all the same gray"


def test_digits_are_presets_in_the_viewer_and_scores_in_the_rubric(view):
    viewer = view(VQA, "blank-filling", "ct")
    page = viewer.page

    viewer.click(CT)
    viewer.press("2")
    assert viewer.window(CT) == (1500, -600, "HU")
    assert "Lung" in viewer.corner(CT, "bl")
    assert "presets" in page.locator("#digits").inner_text()
    assert page.locator(".criterion input:checked").count() == 0

    viewer.press("F6")
    assert "score" in page.locator("#digits").inner_text()
    viewer.press("4")
    assert page.locator(".criterion input:checked").input_value() == "4"
    assert viewer.window(CT) == (1500, -600, "HU")

    viewer.press("Alt+4")
    assert viewer.window(CT) == (2000, 500, "HU"), "Alt and a digit is a preset everywhere"
    assert page.locator(".criterion input:checked").count() == 1


def test_an_eight_bit_output_takes_no_hounsfield_preset(view):
    viewer = view(EDIT, "style-transfer", "ct")
    viewer.click(2)
    options = viewer.page.get_by_label("Window preset").locator("option").all_inner_texts()

    viewer.press("2")

    width, level, unit = viewer.window(2)
    assert not any("Lung" in option or "/" in option for option in options)
    assert (width, level) != (1500, -600)
    assert width <= 255
    assert unit == "gray 0–255"
    assert "not HU" in viewer.corner(2, "tl")


def test_a_window_travels_to_another_unit_by_percentile(view):
    viewer = view(GENERATION, "3d-to-2d-projection", "mri")
    before = viewer.window(1)

    viewer.drag(0, 60, -40)

    assert viewer.window(0)[2] == "signal"
    assert viewer.window(1)[2] == "gray 0–255"
    assert viewer.window(1) != before
    assert viewer.window(1)[:2] != viewer.window(0)[:2]


def test_slices_go_by_wheel_and_keys_and_stop_at_the_ends(view):
    viewer = view(GENERATION, "3d-to-2d-projection", "mri")
    count = int(viewer.corner(0, "tr").split("/")[1].split()[0])

    def at() -> int:
        return int(viewer.corner(0, "tr").split("/")[0])

    viewer.click(0)
    start, picture = at(), viewer.core(0)
    viewer.page.mouse.wheel(0, 100)
    viewer.rest()
    assert at() == start + 1
    assert apart(picture, viewer.core(0)) > 1
    viewer.press("ArrowUp")
    assert at() == start
    assert apart(picture, viewer.core(0)) == 0
    for key, place in (("End", count), ("ArrowDown", count), ("Home", 1), ("ArrowUp", 1), ("PageDown", 2)):
        viewer.press(key)
        assert at() == place, key


def test_zoom_and_pan_are_linked_until_unlinked(view):
    viewer = view(EDIT, "noise-reconstruction", "mri")
    (x0, y0), (x2, y2) = viewer.middle(0), viewer.middle(2)

    viewer.page.mouse.move(x0 + 20, y0 + 10)
    viewer.page.keyboard.down("Control")
    viewer.page.mouse.wheel(0, -300)
    viewer.page.mouse.wheel(0, -300)
    viewer.page.keyboard.up("Control")
    viewer.drag(0, 35, 20, button="middle")
    zooms = [viewer.corner(number, "bl").splitlines()[1] for number in range(3)]
    here, there = viewer.probe(x0 + 15, y0), viewer.probe(x2 + 15, y2)
    assert len(set(zooms)) == 1
    assert here and there
    assert abs(here[0] - there[0]) <= 1
    assert abs(here[1] - there[1]) <= 1

    viewer.press("l")
    viewer.page.mouse.move(x0, y0)
    viewer.page.keyboard.down("Control")
    viewer.page.mouse.wheel(0, -300)
    viewer.page.keyboard.up("Control")
    viewer.rest()
    assert viewer.corner(0, "bl").splitlines()[1] != zooms[0]
    assert viewer.corner(2, "bl").splitlines()[1] == zooms[2]


def test_blink_shows_the_reference_only_while_b_is_held(view):
    viewer = view(EDIT, "noise-reconstruction", "mri")
    reference, output = viewer.core(1), viewer.core(2)

    viewer.page.keyboard.down("b")
    viewer.rest()
    held, note = viewer.core(2), viewer.corner(2, "tl")
    viewer.page.keyboard.up("b")
    viewer.rest()

    assert "showing reference" in note
    assert apart(reference, output) > 1, "this pair cannot show the difference"
    assert apart(held, reference) < apart(held, output) / 4
    assert apart(viewer.core(2), output) == 0


def test_the_signed_difference_is_orange_above_and_blue_below_and_says_so(view):
    viewer = view(EDIT, "noise-reconstruction", "mri")
    plain = viewer.core(2)

    viewer.press("d")
    shown, note = viewer.core(2), viewer.corner(2, "tl")
    viewer.press("d")

    assert "minus reference" in note
    assert "×2" in note
    warmth = shown[..., 0] - shown[..., 2]
    assert warmth.max() > 20
    assert warmth.min() < -20
    assert apart(viewer.core(2), plain) == 0


def test_the_swipe_shows_the_reference_left_of_a_line_that_can_be_moved(view):
    viewer = view(EDIT, "noise-reconstruction", "mri")
    reference, output = viewer.core(1), viewer.core(2)
    viewer.press("s")
    x, y = viewer.middle(2)

    swiped = viewer.core(2)
    assert "left of line: reference" in viewer.corner(2, "tl")
    left, right = np.s_[:, : CORE - 6], np.s_[:, CORE + 6 :]
    assert apart(swiped[right], output[right]) == 0
    assert apart(swiped[left], reference[left]) < apart(swiped[left], output[left]) / 2

    viewer.page.mouse.move(x, y)
    viewer.page.mouse.down()
    viewer.page.mouse.move(x - CORE - 20, y, steps=4)
    viewer.page.mouse.up()
    viewer.rest()
    assert apart(viewer.core(2)[left], output[left]) == 0


def test_two_inputs_are_shown_equally_large(view):
    viewer = view(VQA, "blank-filling", "ct")
    boxes = [viewer.pane(number).bounding_box() for number in range(2)]

    heights = [box["height"] for box in boxes if box]
    assert len(heights) == 2
    assert max(heights) <= 1.2 * min(heights)


def test_color_pictures_say_that_they_have_no_window(view):
    viewer = view(EDIT, "style-transfer", "path")
    viewer.click(0)
    before = viewer.core(0)
    select = viewer.page.get_by_label("Window preset")

    viewer.drag(0, 80, -50)
    viewer.press("2")

    assert "color: no window" in viewer.corner(0, "bl")
    assert select.is_disabled()
    assert "No window" in select.locator("option").first.inner_text()
    assert apart(before, viewer.core(0)) == 0
    assert (np.ptp(before, axis=2) > 20).any(), "the picture has no color"


@pytest.mark.parametrize(
    ("task", "modality", "unit"),
    (
        ("blank-filling", "ct", "HU"),
        ("report-generation", "mri", "signal"),
        ("report-generation", "xr", "signal"),
        ("question-answering", "mri", "signal"),
    ),
)
def test_the_probe_reads_the_values_of_the_stored_file(view, site_home: Path, task: str, modality: str, unit: str):
    viewer = view(VQA, task, modality)
    pane = viewer.page.locator(".pane").count() - 1
    image = read_image(stored_input(site_home, VQA, task, modality, pane))
    middle = (image.pixels.shape[0] - 1) // 2
    x, y = viewer.middle(pane)
    box = viewer.pane(pane).bounding_box()
    assert box
    reach = 0.3 * min(box["width"], box["height"])
    wrong, values = [], set()
    for step in np.linspace(-1, 1, 9):
        probed = viewer.probe(x + step * reach, y + step * reach * 0.8)
        assert probed, step
        column, row, value, shown_unit = probed
        true = float(image.pixels[middle, row, column])
        values.add(true)
        if abs(value - true) > 0.051 or shown_unit != unit:
            wrong.append(f"at {column}, {row}: {value} {shown_unit}, stored {true} {image.unit}")

    assert wrong == []
    assert len(values) > 3, "the points tried have too few values"


def stored_input(home: Path, format_code: str, task: str, modality: str, number: int) -> Path:
    """The file of one input image of the item, found in the database of the home."""
    query = """
        SELECT asset.sha256, asset.suffix FROM annotation_itemimage AS image
        JOIN annotation_asset AS asset ON asset.id = image.asset_id
        JOIN annotation_itemrevision AS revision ON revision.id = image.revision_id
        WHERE revision.format = ? AND revision.task = ? AND revision.modality = ? AND image.role = 'input'
        ORDER BY image.position LIMIT 1 OFFSET ?"""
    with sqlite3.connect(f"file:{home / 'medgen.sqlite3'}?mode=ro", uri=True) as database:
        row = database.execute(query, (format_code, task, modality, number)).fetchone()
    assert row, json.dumps([format_code, task, modality])
    checksum, suffix = row
    return home / "assets" / checksum[:2] / checksum[2:4] / f"{checksum}{suffix}"
