"""100,000 mutated inputs over all parsers: no exception, no 5xx, at most 10 s and 1 GiB each, the parent alive.

`MEDGEN_FUZZ_SEED` and `MEDGEN_FUZZ_INPUTS` change the seed and the number; the same seed gives the same inputs. Every
finding is kept as a file in `tests/malformed` (or in `MEDGEN_FUZZ_FINDINGS`) and fails the run.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.hostile.fuzzing import LAYOUTS, SYNTAXES, Target, fuzz, line, parser_targets
from tests.hostile.web_fuzzing import WEB

pytestmark = pytest.mark.soak

SEED = int(os.environ.get("MEDGEN_FUZZ_SEED", "20261125"))
INPUTS = int(os.environ.get("MEDGEN_FUZZ_INPUTS", "100000"))
PARSERS = len(SYNTAXES) + 2 + 4 + len(LAYOUTS) + 2


@pytest.fixture(scope="module")
def targets() -> Iterator[list[Target]]:
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        yield parser_targets(stack, Path(folder))


def checked(target: Target, capsys: pytest.CaptureFixture[str]) -> None:
    report = fuzz(target, seed=SEED, count=INPUTS * target.share // 1000)
    with capsys.disabled():
        print(f"\nseed {SEED}: {line(target.name, report)}", flush=True)
    assert report.findings == []


@pytest.mark.parametrize("number", range(PARSERS))
def test_mutated_files_are_answered(targets, number, capsys):
    checked(targets[number], capsys)


@pytest.mark.django_db
@pytest.mark.parametrize("name", WEB)
def test_mutated_requests_are_answered(name, tmp_path, capsys):
    checked(WEB[name](tmp_path), capsys)


@pytest.mark.django_db
def test_the_shares_make_the_whole(targets, tmp_path):
    shares = [target.share for target in targets]
    assert len(shares) == PARSERS
    assert sum(shares) + sum((35, 35, 15, 15)) == 1000
