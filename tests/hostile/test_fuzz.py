"""The quick form of `tests/soak/test_fuzz.py`, and every file that once broke a parser."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from annotation.datasets.errors import UploadError
from annotation.datasets.unpacking import unpack_zip
from annotation.imaging.image import ImageError
from annotation.imaging.limits import Limits
from annotation.imaging.sandbox import Decoder
from tests import images
from tests.hostile.fuzzing import MALFORMED, fuzz, parser_targets
from tests.hostile.measuring import measured
from tests.hostile.mutating import draw_of, mutated, mutated_value
from tests.hostile.web_fuzzing import WEB

SEED = 7


def test_D16_ten_mutated_inputs_of_every_parser_are_answered(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDGEN_FUZZ_FINDINGS", str(tmp_path / "findings"))
    findings, outcomes = [], set()
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        for target in parser_targets(stack, Path(folder)):
            report = fuzz(target, seed=SEED, count=10)
            findings += report.findings
            outcomes |= set(report.outcomes)

    assert findings == []
    assert {"accepted", "corrupt", "truncated", "refused whole", "lines refused", "unpacked"} <= outcomes


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "outcome"), zip(WEB, ["HTTP 200", "HTTP 200", "exit 0", "HTTP 302"], strict=True))
def test_a_request_that_is_not_mutated_is_taken(name, outcome, tmp_path):
    target = WEB[name](tmp_path)

    assert [target.run(seed) for seed in target.seeds] == [outcome]


def test_files_that_are_not_mutated_are_taken():
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        outcomes = {t.name: {t.run(seed) for seed in t.seeds} for t in parser_targets(stack, Path(folder))}

    taken = {"accepted", "all lines read", "rows read", "unpacked"}
    assert {name: found for name, found in outcomes.items() if not found <= taken} == {}


@pytest.mark.django_db
@pytest.mark.parametrize("name", WEB)
def test_ten_mutated_requests_are_answered(name, monkeypatch, tmp_path):
    monkeypatch.setenv("MEDGEN_FUZZ_FINDINGS", str(tmp_path / "findings"))

    report = fuzz(WEB[name](tmp_path), seed=SEED, count=10)

    assert report.findings == []
    assert sum(report.outcomes.values()) == 10


def test_the_same_seed_gives_the_same_inputs():
    first, again = (
        [mutated(bytes(range(200)), b"other", draw_of(3, number)) for number in range(50)] for _ in range(2)
    )
    values, same = ([repr(mutated_value({"a": [1, {"b": "c"}]}, draw_of(3, n))) for n in range(50)] for _ in range(2))

    assert first == again and values == same
    assert len(set(first)) > 40


def test_a_finding_is_kept_as_a_file(monkeypatch, tmp_path):
    from tests.hostile.fuzzing import Target

    def broken(data: bytes) -> str:
        raise KeyError("a defect")

    monkeypatch.setenv("MEDGEN_FUZZ_FINDINGS", str(tmp_path))

    report = fuzz(Target("broken", [b"seed"], broken, 1), seed=1, count=3)

    assert len(report.findings) == 3 and "KeyError" in report.findings[0]
    assert 1 <= len(list(tmp_path.glob("found-*"))) <= 3


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("entry-without-a-name.zip", "an entry has no name"),
        ("entry-that-is-the-folder.zip", "names no file"),
        ("entries-of-one-path.zip", "names the same file as"),
    ],
)
def test_an_archive_that_once_broke_the_unpacking_is_refused(name, words, tmp_path):
    with pytest.raises(UploadError, match=words):
        unpack_zip(MALFORMED / name, tmp_path)


def test_a_jpeg_ls_stream_that_keeps_its_decoder_busy_costs_its_file_only(tmp_path):
    """480 pixels in 1,292 bytes, on which the decoder works for many seconds before it gives up."""
    good = images.save_png(tmp_path / "a.png", images.photograph())
    with Decoder(limits=Limits(seconds=1.0)) as decoder:
        decoder.prepare(good, key=b"a secret")
        with measured() as cost, pytest.raises(ImageError) as caught:
            decoder.prepare(MALFORMED / "jpeg-ls-that-keeps-its-decoder-busy.dcm", key=b"a secret")
        assert decoder.prepare(good, key=b"a secret").width == 64

    assert caught.value.reason in {"timeout", "corrupt"}
    assert cost.seconds < 5
