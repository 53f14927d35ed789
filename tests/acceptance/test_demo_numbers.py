"""Every number of the demo, computed again from stored rows and original files by other code than the product's."""

import itertools
import json
import math
import os
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import openpyxl
import pytest
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from PIL import Image
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu import sentence_bleu as sacre_bleu
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
from scipy import stats
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from tests.acceptance.demo_rows import DATA, Demo, answers, manage, pixels

pytestmark = pytest.mark.long

STUDY = "demo-reading"
PIXEL_METRICS = ("mae", "mae_relative", "psnr", "ssim")
WHY = {"missing": "missing_output", "unreadable": "missing_output", "error": "error_output", "declined": "refused"}
LEVELS = ("none", "low", "moderate", "severe")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The demo's rows, and what the commands say of it; MEDGEN_BROWSER_HOME names a home that holds it already."""
    folder = tmp_path_factory.mktemp("numbers")
    home = Path(os.environ.get("MEDGEN_BROWSER_HOME") or folder / "home")
    if not home.exists():
        manage(home, "demo", "--no-serve")

    def say(*words: str) -> Any:
        return json.loads(manage(home, *words, "--json"))

    workbook = folder / "sheet.xlsx"
    say("export_workbook", STUDY, str(workbook), "--blinded")
    return SimpleNamespace(
        demo=Demo(home),
        values=say("metric_values", "demo"),
        board=say("leaderboard", "demo"),
        agreement=say("agreement", STUDY),
        workbook=workbook,
    )


def stated(world, subject: str) -> dict[tuple[str, str], float | str]:
    """(output, metric) → the number or reason that the command prints."""
    return {
        (row["output"].replace("-", ""), row["metric"]): row["value"] if "value" in row else row["reason"]
        for row in world.values
        if row["subject"] == subject
    }


def compared(output: tuple[np.ndarray, float], reference: tuple[np.ndarray, float]) -> dict[str, float | str]:
    """The pixel metrics of two pictures by scikit-image."""
    (ours, span), (theirs, other) = output, reference
    if ours.shape[:2] != theirs.shape[:2]:
        return dict.fromkeys(PIXEL_METRICS, "geometry_mismatch")
    assert span == other
    if ours.ndim > theirs.ndim:
        ours = np.asarray(Image.fromarray(ours).convert("L"))
    if ours.ndim < theirs.ndim:
        ours = np.repeat(ours[..., None], 3, axis=2)
    mae = float(np.abs(ours.astype(float) - theirs).mean())
    channels = 2 if theirs.ndim == 3 else None
    return {
        "mae": mae,
        "mae_relative": mae / span,
        "psnr": peak_signal_noise_ratio(theirs, ours, data_range=span) if mae else "identical",
        "ssim": structural_similarity(theirs, ours, data_range=span, channel_axis=channels),
    }


def written(answer: str, reference: str) -> dict[str, float | str]:
    """The text metrics of two sentences by NLTK, sacreBLEU, rouge-score and counting."""
    ours, theirs = Counter(answer.casefold().split()), Counter(reference.casefold().split())
    smooth, words = SmoothingFunction().method1, reference.split()
    short, short_13a = len(words) < 4, len(Tokenizer13a()(reference).split()) < 4
    shared = set(words) & set(answer.split())
    return {
        "token_f1": 2 * (ours & theirs).total() / (ours.total() + theirs.total()),
        "exact_match": float(answer.strip().casefold() == reference.strip().casefold()),
        "rouge_l": RougeScorer(["rougeL"]).score(reference, answer)["rougeL"].fmeasure,
        "bleu_4": "not_applicable"
        if short
        else sentence_bleu([words], answer.split(), smoothing_function=smooth)
        if shared
        else 0.0,
        "bleu_4_13a": "not_applicable"
        if short_13a
        else sacre_bleu(answer, [reference], smooth_method="exp", tokenize="13a").score / 100,
    }


def test_every_picture_value_is_scikit_images_and_every_failure_has_its_reason(world):
    given, found, baseline = answers(), stated(world, "output"), stated(world, "no_op")
    n_numbers, unchanged = 0, {}
    for output in world.demo.outputs:
        item = world.demo.items[output.code]
        expected: dict[str, float | str] = dict.fromkeys(PIXEL_METRICS, "not_applicable")
        if output.format != "vqa":
            reference = pixels(item["folder"], item["ground_truth_image"][0])
            expected = dict.fromkeys(PIXEL_METRICS, WHY.get(output.status, ""))
            if output.status == "ok":
                answer = given[output.system, output.code]
                expected = compared(pixels(answer["folder"], answer["output_image"]), reference)
            name = item["input_image"][0]
            if name.endswith((".png", ".webp", ".jpg")):
                if output.item not in unchanged:
                    unchanged[output.item] = compared(pixels(item["folder"], name), reference)
                same = approximately(unchanged[output.item])
                assert {one: baseline[output.id, one] for one in PIXEL_METRICS} == same
        assert {one: found[output.id, one] for one in PIXEL_METRICS} == approximately(expected)
        n_numbers += sum(not isinstance(value, str) for value in expected.values())

    assert n_numbers > 200


def test_every_text_value_is_that_of_nltk_sacrebleu_and_rouge_score(world):
    given, found, n_numbers = answers(), stated(world, "output"), 0
    for output in world.demo.outputs:
        if output.status != "ok" or output.format == "image_editing":
            continue
        for metric, expected in written(given[output.system, output.code]["response"], output.reference).items():
            value = found[output.id, metric]
            if value != "not_applicable" or isinstance(expected, str):
                assert value == approximately(expected), (output.system, output.code, metric)
                n_numbers += not isinstance(expected, str)

    assert n_numbers > 150


def approximately(expected: Any) -> Any:
    """Equal within 1e-9; reasons equal as they are."""
    if isinstance(expected, dict):
        return {key: approximately(value) for key, value in expected.items()}
    return expected if isinstance(expected, str) else pytest.approx(expected, abs=1e-9)


def scored(world) -> list[dict[str, Any]]:
    """Every output of the graded sample with its value if severe flags are refuted and if they are confirmed."""
    demo, values = world.demo, world.demo.values()
    overall, severe = defaultdict(list), set()
    for row in demo.scores():
        if row["criterion"] == "T1:overall" and row["value"] is not None:
            overall[row["output_id"]].append((row["value"] - 1) / 4)
        if row["safety"] == "severe":
            severe.add(row["output_id"])
    read = {row[0] for row in demo.rows("select study_item_id from annotation_reading where status = 'submitted'")}
    found = []
    for output in demo.outputs:
        if output.study_item not in read:
            continue
        value = 0.0 if output.status != "ok" else combined(output, overall.get(output.id), values)
        held = 0.0 if output.id in severe else value
        found.append({"of": output, "refuted": value, "confirmed": held, "pending": output.id in severe})
    return found


def combined(output: Any, overall: list[float] | None, values: dict[Any, Any]) -> float | None:
    """0.6 clinical, 0.2 semantic, 0.2 pixel (half SSIM, half PSNR from 10 to 40 dB), over the parts of the format."""
    words = values[output.id, "token_f1"]
    words = words if words[1] != "not_applicable" else values[output.id, "option_accuracy"]
    ssim, psnr = values[output.id, "ssim"][0], values[output.id, "psnr"][0]
    decibels = None if psnr is None else min(1.0, max(0.0, (psnr - 10) / 30))
    parts = [(0.6, np.mean(overall) if overall else None)]
    parts += [] if output.format == "image_editing" else [(0.2, words[0])]
    parts += [] if output.format == "vqa" else [(0.1, ssim), (0.1, decibels)]
    if any(value is None for _, value in parts):
        return None
    return sum(weight * value for weight, value in parts) / sum(weight for weight, _ in parts)


def by_task(rows: Iterable[dict[str, Any]], key: str) -> float:
    """Mean over formats of the mean over tasks of the mean over outputs."""
    tasks: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row[key] is not None:
            tasks[row["of"].format][row["of"].task].append(row[key])
    return float(np.mean([np.mean([np.mean(one) for one in found.values()]) for found in tasks.values()]))


def scopes(board: dict[str, Any]) -> list[tuple[str | None, list[dict[str, Any]], list[dict[str, Any]]]]:
    per_format = [(one["format"], one["systems"], one["comparisons"]) for one in board["formats"]]
    return [(None, board["systems"], board["comparisons"]), *per_format]


def test_the_composites_bounds_and_counts_follow_from_the_rows(world):
    rows = scored(world)
    for scope, systems, _ in scopes(world.board):
        for said in systems:
            own = [row for row in rows if row["of"].letter == said["code"] and scope in (None, row["of"].format)]
            entering = [row for row in own if row["refuted"] is not None]
            delivered = [row for row in entering if row["of"].status == "ok"]
            assert said["composite"] == pytest.approx(by_task(own, "refuted"), abs=1e-12)
            assert said["of_scored"] == pytest.approx(by_task(delivered, "refuted"), abs=1e-12)
            if any(row["pending"] for row in own):
                assert said["pending"]["confirmed"] == pytest.approx(by_task(own, "confirmed"), abs=1e-12)
            statuses = Counter(row["of"].status for row in own)
            failed = len(own) - statuses["ok"] - statuses["missing"]
            assert (said["n_expected"], said["n_scored"], said["n_failed"], said["n_missing"]) == (
                len(own), len(delivered), failed, statuses["missing"],
            )  # fmt: skip
            assert said["n_without_tier"] == len(own) - len(entering)
            assert said["n_pending"] == sum(row["pending"] for row in own)
            assert said["n_clusters"] == len({row["of"].cluster for row in entering})
            assert (said["low"] is None) == (said["n_clusters"] < 10)


def shares(rows: Sequence[dict[str, Any]]) -> np.ndarray:
    """Weight of each row in `by_task`."""
    tasks = Counter((row["of"].format, row["of"].task) for row in rows)
    formats = Counter(name for name, _ in tasks)
    return np.array(
        [1 / (len(formats) * formats[row["of"].format] * tasks[row["of"].format, row["of"].task]) for row in rows]
    )


def resampled(rows: Sequence[dict[str, Any]], draws: int = 1000) -> tuple[float, float]:
    """Expanded percentile limits (Hesterberg 2015) over clusters drawn anew, each format with its share."""
    weights, names = shares(rows), sorted({row["of"].cluster for row in rows})
    member = np.array([[row["of"].cluster == name for name in names] for row in rows], dtype=float)
    kinds = sorted({row["of"].format for row in rows})
    generator, found = np.random.default_rng(77), []
    for _ in range(draws):
        drawn = np.bincount(generator.integers(0, len(names), len(names)), minlength=len(names))
        counts = member @ drawn * weights
        sides = [(counts * [row["of"].format == kind for row in rows]) for kind in kinds]
        if all(side.sum() > 0 for side in sides):
            values = np.array([row["value"] for row in rows])
            found.append(np.mean([side @ values / side.sum() for side in sides]))
    n = len(names)
    tail = stats.norm.cdf(stats.t.ppf(0.025, n - 1) * np.sqrt(n / (n - 1)))
    low, high = np.quantile(found, [tail, 1 - tail])
    return float(low), float(high)


def test_intervals_and_tests_belong_to_the_numbers_beside_them(world):
    rows = [row | {"value": row["refuted"]} for row in scored(world) if row["refuted"] is not None]
    for scope, systems, comparisons in scopes(world.board):
        by_letter = {
            said["code"]: [r for r in rows if r["of"].letter == said["code"] and scope in (None, r["of"].format)]
            for said in systems
        }
        for said in systems:
            if said["low"] is not None:
                assert (said["low"], said["high"]) == pytest.approx(resampled(by_letter[said["code"]]), abs=0.03)
        raw = []
        for pair in comparisons:
            other = {row["of"].item: row["value"] for row in by_letter[pair["second"]]}
            both = [row for row in by_letter[pair["first"]] if row["of"].item in other]
            gaps = [row | {"value": row["value"] - other[row["of"].item]} for row in both]
            sums: dict[str, float] = defaultdict(float)
            for row, weight in zip(gaps, shares(gaps), strict=True):
                sums[row["of"].cluster] += weight * row["value"]
            by_cluster = np.array(list(sums.values()))
            flips = np.array(list(itertools.product((1, -1), repeat=len(by_cluster))), dtype=np.int8)
            p = float(np.mean(np.abs(flips @ by_cluster) >= abs(by_cluster.sum()) - 1e-12))
            assert pair["difference"] == pytest.approx(by_cluster.sum(), abs=1e-12)
            assert pair["p"] == pytest.approx(p, abs=1e-12 if pair["exact"] else 2e-3)
            if pair["low"] is not None:
                assert (pair["low"], pair["high"]) == pytest.approx(resampled(gaps), abs=0.03)
            raw.append(pair["p"])
        assert [pair["p_holm"] for pair in comparisons] == pytest.approx(stepped_down(raw))


def stepped_down(raw: list[float]) -> list[float]:
    """Holm's adjustment by its definition: the largest of (m − rank) p over all that are at most as large."""
    order = sorted(raw)
    return [min(1.0, max((len(raw) - n) * q for n, q in enumerate(order) if q <= p)) for p in raw]


def coincidence_alpha(table: np.ndarray) -> float:
    """Krippendorff's ordinal alpha from its coincidence matrix."""
    levels = np.unique(table[~np.isnan(table)])
    seen = np.zeros((levels.size, levels.size))
    for column in table.T:
        present = np.searchsorted(levels, column[~np.isnan(column)])
        for first, second in itertools.permutations(range(present.size), 2):
            seen[present[first], present[second]] += 1 / (present.size - 1)
    totals = seen.sum(axis=1)
    gap = np.zeros_like(seen)
    for low, high in itertools.combinations(range(levels.size), 2):
        gap[low, high] = gap[high, low] = (totals[low : high + 1].sum() - (totals[low] + totals[high]) / 2) ** 2
    return float(1 - (totals.sum() - 1) * (seen * gap).sum() / (np.outer(totals, totals) * gap).sum())


def quadratic_kappa(first: np.ndarray, second: np.ndarray) -> float:
    """1 − mean squared gap ÷ mean squared gap of all pairs of the two readers' grades."""
    return float(1 - np.mean((first - second) ** 2) / np.mean((first[:, None] - second[None, :]) ** 2))


def two_way(table: np.ndarray) -> tuple[float, float]:
    """ICC(A,1) and ICC(A,k) by Shrout and Fleiss' formulas (2,1) and (2,k)."""
    k, n = table.shape
    rows = k * table.mean(axis=0).var(ddof=1)
    columns = n * table.mean(axis=1).var(ddof=1)
    rest = table - table.mean(axis=0) - table.mean(axis=1)[:, None] + table.mean()
    error = (rest**2).sum() / ((n - 1) * (k - 1))
    return (
        (rows - error) / (rows + (k - 1) * error + k * (columns - error) / n),
        (rows - error) / (rows + (columns - error) / n),
    )


def test_the_coefficients_follow_from_the_first_grades(world):
    grades: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
    for row in world.demo.scores():
        place = (row["reader_code"], row["output_id"])
        grades["safety"][place] = LEVELS.index(row["safety"])
        if row["value"] is not None:
            grades[row["criterion"]][place] = row["value"]
    assert {said["code"] for said in world.agreement["criteria"]} == set(grades)
    for said in world.agreement["criteria"]:
        found = grades[said["code"]]
        units = sorted({unit for _, unit in found})
        readers = sorted({reader for reader, _ in found})
        table = np.array([[found.get((reader, unit), math.nan) for unit in units] for reader in readers])
        assert said["n_values"] == len(found)
        assert said["alpha"]["value"] == pytest.approx(coincidence_alpha(table), abs=1e-9)
        assert (said["icc_a1"]["value"], said["icc_ak"]["value"]) == pytest.approx(two_way(table), abs=1e-9)
        assert said["percent"]["value"] == pytest.approx(float(np.mean(table[0] == table[1])), abs=1e-12)
        pair = next(one for one in said["pairs"] if one["n_shared"])
        assert pair["quadratic_kappa"] == pytest.approx(quadratic_kappa(table[0], table[1]), abs=1e-9)
        for name in ("alpha", "icc_a1", "icc_ak"):
            assert (said[name]["low"] is None) == (said["n_clusters"] < 10)


def test_the_workbook_holds_the_grades_that_were_entered_and_no_name_of_a_system(world):
    entered = json.loads((DATA / "grades.json").read_text(encoding="utf-8"))["readers"]
    systems = {output.letter: output.system for output in world.demo.outputs}
    codes = {f"IT-{output.item:06d}": output.code[-3:] for output in world.demo.outputs}
    sheet = openpyxl.load_workbook(world.workbook, read_only=True)["Grades"].iter_rows(values_only=True)
    header = next(sheet)
    n_rows = 0
    for line in sheet:
        row = dict(zip(header, line, strict=False))
        reader = f"reader{int(row['Reader'][1:])}"
        grade = entered[reader][codes[row["Item"]]][systems[row["System"]]]
        assert row["Value"] == grade["scores"].get(row["Criterion"])
        assert (row["Safety"], row["Rationale"] or "") == (grade["safety"], grade["rationale"])
        n_rows += 1
    scores = world.demo.rows("select count(*) from annotation_criterionscore")[0][0]
    with zipfile.ZipFile(world.workbook) as archive:
        content = b"".join(archive.read(name) for name in archive.namelist()).lower()

    assert n_rows == scores
    assert not [name for name in (b"aurora", b"borealis", b"cygnus", b"su-0") if name in content]


def test_every_reader_meets_every_output_once_and_no_item_again_too_soon(world):
    gradable = {output.id for output in world.demo.outputs if output.status == "ok"}
    met: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for row in world.demo.rows("""
        select e.reader_code, r.position, r.study_item_id, ro.output_id from annotation_readingoutput ro
        join annotation_reading r on r.id = ro.reading_id
        join annotation_enrollment e on e.id = r.enrollment_id order by r.position"""):
        met[row["reader_code"]].append((row["position"], row["study_item_id"], row["output_id"]))
    for readings in met.values():
        assert sorted(output for *_, output in readings) == sorted(gradable)
        assert [position for position, *_ in readings] == list(range(1, len(gradable) + 1))
        last: dict[int, int] = {}
        for position, item, _ in readings:
            assert position - last.get(item, -20) >= 20
            last[item] = position

    assert len(met) == 4
    assert len({tuple(output for *_, output in readings) for readings in met.values()}) == 4
