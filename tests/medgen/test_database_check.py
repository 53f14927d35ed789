"""What the start-up check says of PostgreSQL databases that would behave differently."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import postgres

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("made_with", "said"),
    [
        ("ENCODING 'UTF8' LOCALE 'C.UTF-8'", "no issues"),
        ("ENCODING 'UTF8' LOCALE 'C'", "medgen.W011"),
        ("ENCODING 'SQL_ASCII' LOCALE 'C'", "medgen.E012"),
    ],
)
def test_a_database_made_otherwise_is_named_with_what_to_do(tmp_path, made_with, said):
    name = "checked"
    postgres.tell(f"CREATE DATABASE {name} TEMPLATE template0 {made_with}")
    try:
        answer = subprocess.run(
            [sys.executable, "manage.py", "check"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
            env={"PATH": os.environ["PATH"], "MEDGEN_HOME": str(tmp_path), "DATABASE_URL": postgres.address(name)},
        )  # fmt: skip
    finally:
        postgres.tell(f"DROP DATABASE {name} WITH (FORCE)")

    assert said in answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr
    if said != "no issues":
        assert "createdb" in answer.stderr
