"""`python -m scoring.metrics`: files, folders, JSONL, exit codes, and no Django."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scoring.metrics.__main__ import main
from tests.scoring.metrics.recipes import SENTENCES, p2, p3, p4, waves

ROOT = Path(__file__).resolve().parents[3]


class _Anything:
    """Equal to whatever is not empty."""

    def __eq__(self, other: object) -> bool:
        return bool(other)

    __hash__ = None


def write_png(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def write_lines(path: Path, *records: object) -> Path:
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) for r in records))
    return path


def scored(capsys, *words: object) -> dict:
    code = main([*map(str, words), "--json"])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    return json.loads(captured.out)


def test_two_files_are_scored_with_their_settings(tmp_path, capsys):
    reference, output = p2()
    ours, theirs = write_png(tmp_path / "o" / "scan.png", output), write_png(tmp_path / "r" / "scan.png", reference)

    found = scored(capsys, ours, theirs)

    assert list(found) == ["scan"]
    assert found["scan"]["psnr"]["value"] == pytest.approx(29.54692785, abs=5e-9)
    assert found["scan"]["ssim"]["value"] == pytest.approx(0.9827231161, abs=5e-11)
    assert found["scan"]["ssim"]["settings"]["data_range"] == 255.0
    assert found["scan"]["ssim"]["settings"]["pairing"] == "pair/1"


@pytest.mark.parametrize(
    ("extra", "data_range", "psnr"), [([], 65535.0, 32.7020832499), (["--data-range", "4095"], 4095.0, 8.6176952965)]
)
def test_d21_sixteen_bit_files_keep_their_levels(tmp_path, capsys, extra, data_range, psnr):
    reference, output = p4()
    files = write_png(tmp_path / "o.png", output), write_png(tmp_path / "r.png", reference)

    found = scored(capsys, *files, "--metrics", "psnr", *extra)["o"]["psnr"]

    assert found["settings"]["data_range"] == data_range
    assert found["value"] == pytest.approx(psnr, abs=5e-11)


def test_the_official_profile_repeats_the_official_numbers(tmp_path, capsys):
    reference, output = p3()
    files = write_png(tmp_path / "o.png", output), write_png(tmp_path / "r.png", reference)
    deep = write_png(tmp_path / "o16.png", p4()[1]), write_png(tmp_path / "r16.png", p4()[0])

    found = scored(capsys, *files, "--profile", "official")["o"]
    clipped = scored(capsys, *deep, "--profile", "official")["o16"]

    assert set(found) == {"psnr", "ssim"}
    assert found["ssim"]["value"] == pytest.approx(0.9532988712, abs=5e-11)
    assert found["ssim"]["settings"]["color"] == "luminance"
    assert clipped["psnr"]["value"] == pytest.approx(16.8, abs=0.05)


@pytest.mark.parametrize("suffix", ["jpg", "tif", "png"])
def test_common_picture_files_are_read(tmp_path, capsys, suffix):
    path = write_png(tmp_path / f"x.{suffix}", waves(32, 32))

    assert scored(capsys, path, path, "--metrics", "mae,psnr")["x"] == {
        "mae": {"value": 0.0, "settings": _Anything()},
        "psnr": {"reason": "identical", "message": _Anything(), "settings": _Anything()},
    }


def test_dicom_is_read_by_the_imaging_room(tmp_path, capsys):
    from pydicom.data import get_testdata_file

    path = tmp_path / "ct.dcm"
    path.write_bytes(Path(get_testdata_file("CT_small.dcm")).read_bytes())

    found = scored(capsys, path, path, "--metrics", "ssim,mae")["ct"]

    assert (found["ssim"]["value"], found["mae"]["value"]) == (1.0, 0.0)
    assert found["ssim"]["settings"]["data_range"] > 255


def test_folders_are_paired_by_stem_and_a_missing_side_is_typed(tmp_path, capsys):
    for name in ("a", "b"):
        write_png(tmp_path / "r" / f"{name}.png", waves(32, 32))
    write_png(tmp_path / "o" / "a.tif", waves(32, 32) + 1)
    write_png(tmp_path / "o" / "c.png", waves(32, 32))
    (tmp_path / "r" / "a.txt").write_text("No effusion is seen today.")
    (tmp_path / "o" / "a.txt").write_text("An effusion is seen today.")

    found = scored(capsys, tmp_path / "o", tmp_path / "r", "--metrics", "mae,token_f1")

    assert found["a"]["mae"]["value"] == 1.0
    assert found["a"]["token_f1"]["value"] == pytest.approx(0.8)
    assert found["b"]["mae"]["reason"] == "missing_output"
    assert found["c"]["mae"]["reason"] == "missing_reference"


def test_lines_are_paired_by_id_with_text_and_options(tmp_path, capsys):
    output = write_lines(
        tmp_path / "o.jsonl",
        {"id": "t1", "text": SENTENCES["T1"][0]},
        "",
        {"id": "q", "text": "(A)"},
        {"sample_id": "extra", "response": "x"},
    )
    reference = write_lines(
        tmp_path / "r.jsonl",
        {"id": "t1", "text": SENTENCES["T1"][1]},
        {"id": "q", "answer": 0, "choice": ["A. CT", "B. MRI"], "format": "vqa", "task": "multiple-choice"},
        {"id": "lost", "text": "No effusion."},
    )

    found = scored(capsys, output, reference)

    assert list(found) == ["t1", "q", "lost", "extra"]
    assert found["t1"]["bleu_4"]["value"] == pytest.approx(0.1544787888, abs=5e-11)
    assert found["t1"]["bleu_4_13a"]["value"] == pytest.approx(0.4277327777, abs=5e-11)
    assert found["q"]["option_accuracy"]["value"] == 1.0
    assert found["q"]["rouge_l"]["reason"] == "not_applicable"
    assert found["lost"]["token_f1"]["reason"] == "missing_output"
    assert found["extra"]["token_f1"]["reason"] == "missing_reference"


def test_d9_a_bad_line_is_named_and_the_others_are_scored(tmp_path, capsys):
    output = write_lines(
        tmp_path / "o.jsonl", {"id": 1, "text": "a"}, "{broken", {"text": "no id"}, {"id": 1, "text": "again"},
        {"id": 2, "text": {"nested": 1}}, [1], {"id": 3, "text": "x", "options": "A"},
        {"id": 4, "text": "x", "task": 5},
    )  # fmt: skip
    reference = write_lines(tmp_path / "r.jsonl", {"id": 1, "text": "a"})

    code = main([str(output), str(reference), "--metrics", "exact_match", "--json"])
    captured = capsys.readouterr()

    assert code == 1
    assert json.loads(captured.out)["1"]["exact_match"]["value"] == 1.0
    for number in range(2, 9):
        assert f"o.jsonl:{number}: " in captured.err
    assert "Traceback" not in captured.err


def test_an_unreadable_picture_is_refused_and_the_others_are_scored(tmp_path, capsys):
    for name in ("a", "b"):
        write_png(tmp_path / "r" / f"{name}.png", waves(16, 16))
    write_png(tmp_path / "o" / "a.png", waves(16, 16))
    (tmp_path / "o" / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (tmp_path / "o" / "notes.csv").write_text("x")
    write_png(tmp_path / "o" / "a.jpg", waves(16, 16))

    for profile in ("recommended", "official"):
        code = main([str(tmp_path / "o"), str(tmp_path / "r"), "--json", "--profile", profile, "--metrics", "mae"])
        captured = capsys.readouterr()

        assert code == 1
        found = json.loads(captured.out)
        assert found["b"]["mae"]["reason"] == "failed"
        assert "b.png: picture:" in captured.err
        assert "notes.csv" in captured.err
        assert "second file for this id" in captured.err


def test_transparency_and_several_pages_are_reasons(tmp_path, capsys):
    clear = np.zeros((16, 16, 4), np.uint8)
    write_png(tmp_path / "o" / "a.png", clear)
    write_png(tmp_path / "r" / "a.png", waves(16, 16))
    write_png(tmp_path / "r" / "b.png", waves(16, 16))
    page = Image.fromarray(waves(16, 16))
    page.save(tmp_path / "o" / "b.tif", save_all=True, append_images=[page])

    found = scored(capsys, tmp_path / "o", tmp_path / "r", "--metrics", "mae")

    assert found["a"]["mae"]["reason"] == "alpha"
    assert found["b"]["mae"]["reason"] == "unsupported_pixels"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["o.png", "absent.png"], "no such file"),
        (["o.png", "."], "one is a folder"),
        (["o.png", "r.jsonl"], "one is JSONL"),
        (["o.png", "r.txt"], "one is a text"),
        (["o.png", "r.png", "--metrics", "pnsr"], "nearest: psnr"),
        (["o.png", "r.png", "--metrics", ","], "names no metric"),
    ],
)
def test_wrong_usage_exits_with_two_and_says_why(tmp_path, capsys, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    write_png(tmp_path / "o.png", waves(8, 8))
    write_png(tmp_path / "r.png", waves(8, 8))
    (tmp_path / "r.jsonl").write_text("")
    (tmp_path / "r.txt").write_text("")

    assert main(words) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["o.png"], ["o.png", "r.png", "--data-range", "-3"], ["o", "r", "--profile", "best"]]
)
def test_wrong_arguments_exit_with_two(words, capsys):
    with pytest.raises(SystemExit) as caught:
        main(words)

    assert caught.value.code == 2


def test_people_get_one_line_per_value_and_a_mean_with_counts(tmp_path, capsys):
    write_lines(tmp_path / "o.jsonl", {"id": 1, "text": "a"}, {"id": 2, "text": ""})
    write_lines(tmp_path / "r.jsonl", {"id": 1, "text": "a"}, {"id": 2, "text": "b"}, {"id": 3, "text": "c"})

    code = main([str(tmp_path / "o.jsonl"), str(tmp_path / "r.jsonl"), "--metrics", "exact_match"])
    captured = capsys.readouterr()

    assert code == 0
    assert "mean\texact_match\t0.5\tscored 2 of 3; missing_output 1" in captured.out
    assert "2\texact_match\t0\t[empty]" in captured.out
    assert "1 of 3 values are undefined" in captured.err


def test_the_command_runs_without_django_or_heavy_modules(tmp_path):
    write_png(tmp_path / "x.png", waves(16, 16))
    script = (
        "import sys\n"
        "from scoring.metrics.__main__ import main\n"
        f"code = main([{str(tmp_path / 'x.png')!r}, {str(tmp_path / 'x.png')!r}, '--json'])\n"
        "heavy = {'django', 'scipy', 'skimage', 'torch', 'pyarrow'} & set(sys.modules)\n"
        "sys.stderr.write(','.join(sorted(heavy)))\n"
        "sys.exit(code or bool(heavy))\n"
    )

    finished = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)

    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)["x"]["psnr"]["reason"] == "identical"


def test_the_module_is_a_command():
    finished = subprocess.run(
        [sys.executable, "-m", "scoring.metrics", "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert finished.returncode == 0
    assert "--profile" in finished.stdout
