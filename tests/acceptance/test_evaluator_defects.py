"""The official evaluator's defects, end to end: from files on disk to what the product reports.

Each test is one row of the list of defects and bears its number.
"""

import json
import subprocess
import sys

import numpy as np
import pytest

from annotation.assets.services import load_image
from annotation.datasets.models import Dataset, ImportJob, Item, ItemImage
from annotation.systems.coverage import coverage, missing_codes, total
from annotation.systems.models import Output, OutputPart
from scoring.runs.models import MetricValue
from tests import images
from tests.acceptance import readers
from tests.acceptance.bench import (
    DB_10,
    DB_13_79,
    Bench,
    answered,
    command,
    edit,
    pair_of,
    question,
    save,
    statuses,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def bench(tmp_path) -> Bench:
    return Bench(tmp_path / "bench")


def with_pictures(bench: Bench, name: str, reference: np.ndarray, given: np.ndarray | None = None) -> dict:
    """An editing record whose input and reference pictures lie in the package."""
    save(bench.items / f"images/{name}.png", reference // 2 if given is None else given)
    save(bench.items / f"images/{name}_ref.png", reference)
    return edit(name)


def output_picture(bench: Bench, system: str, name: str, pixels: np.ndarray) -> str:
    return save(bench.outputs_of(system) / f"out/{name}.png", pixels)


def row_of(page: str, metric: str) -> str:
    """The row of one metric on the page of a submission's metrics."""
    rows = [row for row in page.split("<tr>") if f">{metric} ·" in row]
    assert len(rows) == 1, f"{metric}: {len(rows)} rows"
    return " ".join(rows[0].split())


def metrics_page(bench: Bench, system: str, client) -> str:
    answer = client.get(f"/submissions/{bench.submission(system).pk}/metrics/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_d01_each_output_gets_its_own_score_when_one_picture_is_missing(bench, curator, sign_in):
    reference, noisy = pair_of(DB_13_79)
    records = [with_pictures(bench, name, reference + place) for place, name in enumerate(("s0", "s1", "s2"))]
    bench.import_items(*records)
    bench.release()
    output_picture(bench, "aurora", "s1", noisy + 1)
    output_picture(bench, "aurora", "s2", reference + 2)

    imported = bench.import_outputs("aurora", *(answered(r, image=f"out/s{n}.png") for n, r in enumerate(records)))
    measured = bench.measure()

    assert (imported.code, measured.code) == (0, 0)
    values = bench.values("SU-0001")
    assert values["s0", "psnr"] == "missing_output"
    assert values["s1", "psnr"] == pytest.approx(13.79, abs=0.005)
    assert values["s2", "psnr"] == "identical"
    row = row_of(metrics_page(bench, "aurora", sign_in(curator)), "psnr")
    assert '<td class="num">3</td><td class="num">1</td><td class="num">13.789' in row
    assert "1 identical to the reference" in row and "1 without an output" in row


def test_d02_a_missing_reference_costs_only_its_own_item(bench):
    reference, noisy = pair_of(DB_13_79)
    records = [with_pictures(bench, name, reference + place) for place, name in enumerate(("whole", "bare", "lost"))]
    records[1]["ground_truth_image"] = []
    (bench.items / "images/lost_ref.png").unlink()
    imported = bench.import_items(*records)
    bench.release()
    for place, name in enumerate(("whole", "bare")):
        output_picture(bench, "aurora", name, noisy + place)
    outputs = [answered(record, image=f"out/{record['sample_id'][2:]}.png") for record in records[:2]]

    said = bench.import_outputs("aurora", *outputs)
    measured = bench.measure()

    assert imported.code == 1
    assert "data.jsonl:3: ground_truth_image: images/lost_ref.png: image not found" in imported.err
    assert (said.code, measured.code) == (0, 0)
    values = bench.values()
    for metric in ("psnr", "ssim", "mae"):
        assert values["bare", metric] == "missing_reference"
    assert values["whole", "psnr"] == pytest.approx(13.79, abs=0.005)
    assert statuses("aurora") == {"IT-000001": "ok", "IT-000002": "ok"}
    assert measured.data["n_undefined"] >= 1


def test_d03_equal_records_with_their_own_ids_are_never_merged(bench, tmp_path):
    save(bench.items / "images/q.png", np.arange(256, dtype=np.uint8).reshape(16, 16))
    same = {"instruction": "Which modality is this?", "input_image": ["images/q.png"]}
    modalities = ("CT", "MRI", "Ultrasound")
    records = [question(str(n), modality=modality, **same) for n, modality in enumerate(modalities)]

    first = bench.import_items(*records)
    again = command("import_items", bench.items / "data.jsonl", "--dataset", "bench", "--json")

    assert [first.data[verdict] for verdict in ("new", "changed", "unchanged", "refused")] == [3, 0, 0, 0]
    assert [again.data[verdict] for verdict in ("new", "changed", "unchanged", "refused")] == [0, 0, 3, 0]
    assert Item.objects.count() == 3
    bench.release()
    results = [answered(record, response) for record, response in zip(records, "ABB", strict=True)]
    for expected_new in (3, 0):
        said = bench.import_outputs("aurora", *results)
        bench.measure()
        values = bench.values()
        scores = [values[str(n), "option_accuracy"] for n in range(3)]
        assert said.data["new"] == expected_new
        assert scores == [1.0, 0.0, 0.0]
        assert sum(scores) / 3 == pytest.approx(1 / 3)
    assert Output.objects.count() == 3
    bench.measure("--force")
    assert bench.values() == values


@pytest.mark.parametrize(
    "modalities",
    [
        ("CT", "CT", "CT"),
        ("CT", "MRI", "Ultrasound"),
    ],
)
def test_d03_equal_content_is_said_to_the_curator(bench, curator, sign_in, modalities):
    save(bench.items / "images/q.png", np.arange(256, dtype=np.uint8).reshape(16, 16))
    same = {"instruction": "Which modality is this?", "input_image": ["images/q.png"]}

    said = bench.import_items(*(question(str(n), modality=name, **same) for n, name in enumerate(modalities)))

    page = sign_in(curator).get(f"/imports/{said.data['job']}/").content.decode()
    assert said.code == 0
    assert said.err.count("kept as an item of its own") == 2
    assert page.count("kept as an item of its own") == 2


def test_d05_a_replaced_output_file_is_a_new_version_and_its_old_values_are_left_out(bench):
    reference, noisy = pair_of(DB_13_79)
    records = [with_pictures(bench, "e", reference)]
    bench.import_items(*records)
    bench.release()
    output_picture(bench, "aurora", "e", noisy)
    bench.import_outputs("aurora", answered(records[0], image="out/e.png"))
    bench.measure()
    old = Output.objects.get()
    before = bench.values()["e", "psnr"]

    output_picture(bench, "aurora", "e", 255 - reference)
    said = bench.import_outputs("aurora", answered(records[0], image="out/e.png"))

    assert [said.data[verdict] for verdict in ("new", "changed", "unchanged", "refused")] == [0, 1, 0, 0]
    assert ("e", "psnr") not in bench.values(), "a value of the old pixels is still reported"
    bench.measure()
    old.refresh_from_db()
    new = Output.objects.current().get()
    assert (old.version, old.superseded_by, new.version) == (1, new, 2)
    error = (reference.astype(float) - (255 - reference)) ** 2
    assert before == pytest.approx(13.79, abs=0.005)
    assert bench.values()["e", "psnr"] == pytest.approx(10 * np.log10(255**2 / error.mean()), abs=1e-9)
    assert MetricValue.objects.filter(output=old).exists(), "what was measured is kept"


def test_d09_a_blank_line_is_skipped_and_a_bad_line_is_named(bench):
    good = [question(str(number)) for number in range(6)]
    said = bench.import_items(*good[:2], "", *good[2:5], '{"sample_id": "t:9", "instruction": ', good[5])

    assert said.code == 1
    assert "data.jsonl:7: " in said.err and "Traceback" not in said.err
    assert [said.data[verdict] for verdict in ("new", "refused")] == [6, 1]
    assert [problem["line"] for problem in said.data["problems"] if problem["refused"]] == [7]


def test_d09_a_missing_file_is_a_message_and_no_run(bench):
    said = command("import_items", bench.folder / "nowhere.jsonl", "--dataset", "bench")

    assert said.code == 2
    assert "nowhere.jsonl" in said.err
    assert not ImportJob.objects.exists() and not Dataset.objects.exists()


def test_d20_identical_is_never_a_number(bench, curator, sign_in):
    reference, ten = pair_of(DB_10)
    records = [with_pictures(bench, "same", reference), with_pictures(bench, "ten", reference + 1)]
    bench.import_items(*records)
    bench.release()
    output_picture(bench, "aurora", "same", reference)
    output_picture(bench, "aurora", "ten", ten + 1)

    bench.import_outputs("aurora", *(answered(r, image=f"out/{r['sample_id'][2:]}.png") for r in records))
    bench.measure()

    values = bench.values()
    assert values["same", "psnr"] == "identical"
    assert values["ten", "psnr"] == pytest.approx(10.0, abs=0.001)
    row = row_of(metrics_page(bench, "aurora", sign_in(curator)), "psnr")
    assert '<td class="num">2</td><td class="num">1</td><td class="num">10.00' in row
    assert "1 identical" in row


def test_d21_sixteen_bits_keep_all_levels_in_their_declared_range(bench):
    ramp, flat = np.arange(4096, dtype=np.uint16).reshape(64, 64), np.full((64, 64), 3000, np.uint16)
    png = with_pictures(bench, "png", ramp, given=flat)
    for name, pixels in (("twelve_ref", ramp), ("twelve", flat)):
        images.save_dicom(bench.items / f"images/{name}.dcm", images.dicom(pixels, BitsStored=12, HighBit=11))
    twelve = edit("twelve", input_image=["images/twelve.dcm"], ground_truth_image=["images/twelve_ref.dcm"])
    said = bench.import_items(png, twelve)
    assert said.code == 0, said.err
    bench.release()
    output_picture(bench, "aurora", "png", flat)
    images.save_dicom(
        bench.outputs_of("aurora") / "out/twelve.dcm",
        images.dicom(flat, BitsStored=12, HighBit=11, SOPInstanceUID="1.2.3.9"),
    )

    bench.import_outputs("aurora", answered(png, image="out/png.png"), answered(twelve, image="out/twelve.dcm"))
    bench.measure()

    values = bench.values()
    assert values["png", "psnr"] == pytest.approx(32.702, abs=0.0005)
    assert values["twelve", "psnr"] == pytest.approx(8.618, abs=0.0005)
    for reference in ItemImage.objects.filter(role="reference").select_related("asset"):
        assert np.unique(load_image(reference.asset).pixels).size == 4096


@pytest.mark.parametrize(("data_range", "expected"), [("4095", 8.618), ("65535", 32.702)])
def test_d21_the_command_echoes_the_range_it_was_given(tmp_path, data_range, expected):
    save(tmp_path / "p/ramp.png", np.arange(4096, dtype=np.uint16).reshape(64, 64))
    save(tmp_path / "p/flat.png", np.full((64, 64), 3000, np.uint16))

    done = subprocess.run(
        [sys.executable, "-m", "scoring.metrics", "p/flat.png", "p/ramp.png", "--json", "--data-range", data_range,
         "--metrics", "psnr"],
        cwd=tmp_path, env={"PYTHONPATH": ":".join(sys.path), "PATH": ""}, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    (cell,) = (metrics["psnr"] for metrics in json.loads(done.stdout).values())
    assert cell["value"] == pytest.approx(expected, abs=0.0005)
    assert cell["settings"]["data_range"] == float(data_range)


def test_d22_pictures_of_five_by_five_lose_only_ssim(bench):
    reference = (np.arange(25) * 9).reshape(5, 5).astype(np.uint8)
    record = with_pictures(bench, "tiny", reference)
    bench.import_items(record)
    bench.release()
    output_picture(bench, "aurora", "tiny", reference + 5)

    bench.import_outputs("aurora", answered(record, image="out/tiny.png"))
    measured = bench.measure()

    values = bench.values()
    assert measured.code == 0
    assert values["tiny", "ssim"] == "smaller_than_window"
    assert values["tiny", "mae"] == 5.0
    assert values["tiny", "psnr"] == pytest.approx(20 * np.log10(255 / 5))
    message = MetricValue.objects.get(settings__metric="ssim", subject="output").message
    assert "7" in message and "5" in message


def test_d23_another_size_is_refused_with_both_sizes(bench):
    rng = np.random.default_rng(3)
    record = with_pictures(bench, "wide", rng.integers(0, 256, (64, 64), dtype=np.uint8))
    bench.import_items(record)
    bench.release()
    output_picture(bench, "aurora", "wide", rng.integers(0, 256, (64, 128), dtype=np.uint8))

    bench.import_outputs("aurora", answered(record, image="out/wide.png"))
    bench.measure()

    values = bench.values()
    assert {values["wide", metric] for metric in ("psnr", "ssim", "mae")} == {"geometry_mismatch"}
    value = MetricValue.objects.get(settings__metric="psnr", subject="output")
    assert "64" in value.message and "128" in value.message
    assert value.settings.parameters["pairing"] == "pair/1"


def test_d24_the_unchanged_input_gains_nothing_and_is_flagged(bench, curator, sign_in):
    given = np.random.default_rng(4).integers(0, 250, (64, 64), dtype=np.uint8)
    reference = np.round(given * 0.98 + 3).astype(np.uint8)
    record = with_pictures(bench, "mild", reference, given=given)
    bench.import_items(record)
    bench.release()
    output_picture(bench, "aurora", "mild", given)

    bench.import_outputs("aurora", answered(record, image="out/mild.png"))
    bench.measure()

    made, no_op = bench.values(), bench.values(subject="no_op")
    assert made["mild", "psnr"] > 40, "looks excellent"
    for metric in ("psnr", "ssim", "mae"):
        assert made["mild", metric] - no_op["mild", metric] == 0
        assert "unchanged_input" in MetricValue.objects.get(settings__metric=metric, subject="output").flags
    row = row_of(metrics_page(bench, "aurora", sign_in(curator)), "psnr")
    assert '<td class="num">0.0000</td>' in row
    assert "1 returned the input unchanged" in row


@pytest.fixture
def two_systems(bench, coordinator, reader, other_reader, sign_in, tmp_path):
    """Five questions answered by two systems in files without ids, read and graded by two readers."""
    records = [question(str(number)) for number in range(5)]
    bench.import_items(*records)
    bench.release()
    nameless = [{key: value for key, value in record.items() if key != "sample_id"} for record in records]
    said = [
        bench.import_outputs("aurora", *(answered(record, "A") for record in nameless)),
        bench.import_outputs("borealis", *(answered(record, "B") for record in reversed(nameless))),
    ]
    assert [one.code for one in said] == [0, 0], said
    bench.measure()
    study = readers.make_study(
        bench, tmp_path, readers=["reader", "other_reader"], coordinator="coordinator",
        submissions=["aurora", "borealis"],
    )  # fmt: skip
    for person in (reader, other_reader):
        assert readers.grade_all(sign_in(person), study, 4) == 10
    return study


def test_d29_two_systems_without_ids_are_paired_by_item(bench, two_systems):
    board = command("leaderboard", "bench@1.0", "--json").data

    assert {status for system in ("aurora", "borealis") for status in statuses(system).values()} == {"ok"}
    values = {system: bench.values(bench.submission(system).code) for system in ("aurora", "borealis")}
    assert [values["aurora"][str(n), "option_accuracy"] for n in range(5)] == [1.0] * 5
    assert [values["borealis"][str(n), "option_accuracy"] for n in range(5)] == [0.0] * 5
    (comparison,) = board["comparisons"]
    assert comparison["n_items"] == 5
    assert comparison["p"] is not None or comparison["reason"]


def test_d31_the_spread_divides_by_n_minus_one(bench, curator, sign_in):
    reference, _ = pair_of(DB_10)
    records = [with_pictures(bench, f"e{by}", reference + by) for by in (1, 2, 3)]
    bench.import_items(*records)
    bench.release()
    for by in (1, 2, 3):
        output_picture(bench, "aurora", f"e{by}", reference + 2 * by)

    bench.import_outputs("aurora", *(answered(r, image=f"out/{r['sample_id'][2:]}.png") for r in records))
    bench.measure()

    values = bench.values()
    assert [values[f"e{by}", "mae"] for by in (1, 2, 3)] == [1.0, 2.0, 3.0]
    row = row_of(metrics_page(bench, "aurora", sign_in(curator)), "mae")
    assert '<td class="num">2.0000</td><td class="num">1.0000</td>' in row


def test_d31_a_share_of_the_scored_and_a_share_of_the_expected_stand_side_by_side(
    bench, coordinator, reader, other_reader, sign_in, tmp_path
):
    records = [question(str(number)) for number in range(5)]
    bench.import_items(*records)
    bench.release()
    bench.import_outputs("aurora", *(answered(record, "AAAB"[n]) for n, record in enumerate(records[:4])))
    bench.import_outputs("borealis", *(answered(record, "A") for record in records))
    bench.measure()
    study = readers.make_study(
        bench, tmp_path, readers=["reader", "other_reader"], coordinator="coordinator",
        submissions=["aurora", "borealis"],
    )  # fmt: skip
    for person in (reader, other_reader):
        readers.grade_all(sign_in(person), study, 5)
    letter = study.study_systems.get(submission__system_version__system__slug="aurora").letter

    board = command("leaderboard", "bench@1.0", "--json").data
    row = next(row for row in board["systems"] if row["code"] == letter)
    (semantic,) = (one for one in board["formats"][0]["components"] if one["tier"] == "semantic")
    page = sign_in(coordinator).get(f"/studies/{study.slug}/leaderboard/").content.decode()

    assert (row["n_expected"], row["n_scored"], row["n_missing"]) == (5, 4, 1)
    accuracy = semantic["systems"][letter]
    assert (accuracy["mean"], accuracy["n"]) == (0.75, 4)
    assert row["of_scored"] * 4 == pytest.approx(row["composite"] * 5)
    assert '<td class="num">4<span class="sub">of 5</span></td>' in page


FAILURES = {
    "VLM Error: connection reset": "error",
    "Parsing Error: Expecting value: line 1 column 1": "error",
    "VLM Error: declined by the safety policy": "declined",
}


def test_x01_a_failure_written_into_the_answer_is_never_scored_or_shown_as_one(
    bench, coordinator, reader, other_reader, sign_in, tmp_path
):
    reference, noisy = pair_of(DB_10)
    texts = [question(str(number)) for number in range(4)]
    pictures = [with_pictures(bench, name, reference + n) for n, name in enumerate(("gen", "ed", "ok"))]
    bench.import_items(*texts, *pictures)
    bench.release()
    output_picture(bench, "aurora", "ok", noisy)
    outputs = [answered(record, said) for record, said in zip(texts, FAILURES, strict=False)]
    outputs += [answered(texts[3], "A")]
    outputs += [answered(pictures[0], image="Generation Error: CUDA out of memory")]
    outputs += [
        answered(pictures[1], image="Edit Error: no image returned"),
        answered(pictures[2], image="out/ok.png"),
    ]

    bench.import_outputs("aurora", *outputs)
    bench.import_outputs("borealis", *(answered(record, "B") for record in texts))
    bench.measure()
    study = readers.make_study(
        bench, tmp_path, readers=["reader", "other_reader"], coordinator="coordinator",
        submissions=["aurora", "borealis"],
    )  # fmt: skip

    assert list(statuses("aurora").values()) == [*FAILURES.values(), "ok", "error", "error", "ok"]
    by_status = total(coverage(bench.submission("aurora"))).by_status
    assert by_status == {"ok": 2, "error": 4, "declined": 1}
    assert not OutputPart.objects.filter(text__contains="Error:").exists()
    values = bench.values(bench.submission("aurora").code)
    assert [values[str(n), "option_accuracy"] for n in range(3)] == ["error_output", "error_output", "refused"]
    assert {values[name, "psnr"] for name in ("gen", "ed")} == {"error_output"}
    seen = b""
    client, url = sign_in(reader), readers.first_reading(sign_in(reader), study)
    while url:
        answer = client.get(url)
        seen, url = seen + answer.content, answer.json()["urls"]["next"]
        readers.post(client, answer.json()["urls"]["submit"], readers.body_of(readers.payload_of(answer.json(), 4)))
    assert seen and b"Error:" not in seen


def test_x02_items_that_a_file_leaves_out_are_listed_by_id(bench, curator, sign_in):
    records = [question(str(number)) for number in range(4)]
    bench.import_items(*records)
    bench.release()

    said = bench.import_outputs("aurora", answered(records[0], "A"), answered(records[2], "B"))

    submission = bench.submission("aurora")
    assert said.data["coverage"] == {"expected": 4, "ok": 2, "missing": 2}
    assert missing_codes(submission) == ["IT-000002", "IT-000004"]
    bench.measure()
    assert {bench.values()[str(n), "option_accuracy"] for n in (1, 3)} == {"missing_output"}
    page = sign_in(curator).get(f"/submissions/{submission.pk}/")
    assert page.status_code == 200
    for code in ("IT-000002", "IT-000004"):
        assert code in page.content.decode()
