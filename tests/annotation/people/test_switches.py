"""The switches of a second factor and of an identity provider: off is nothing, on is tried in its own process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.urls import NoReverseMatch, reverse

from medgen import sign_in
from tests.browser.server import free_port

ROOT = Path(__file__).resolve().parents[3]
SWITCHED = Path(__file__).parent / "switched"


def run(*arguments: str, **switches: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MEDGEN_", "PYTEST_"))}
    options = {"cwd": ROOT, "env": kept | switches, "capture_output": True, "text": True, "timeout": 240}
    return subprocess.run([sys.executable, *arguments], check=False, **options)


def provider(port: int = 9) -> dict[str, str]:
    return {
        "MEDGEN_OIDC_ISSUER": f"http://127.0.0.1:{port}",
        "MEDGEN_OIDC_CLIENT_ID": "medgen",
        "MEDGEN_OIDC_CLIENT_SECRET": "a shared secret",
        "MEDGEN_OIDC_NAME": "Hospital login",
    }


def pytest_of(name: str, **switches: str) -> None:
    done = run("-m", "pytest", "-q", "-p", "no:xdist", str(SWITCHED / name), **switches)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


@pytest.mark.long
def test_signing_in_with_a_second_factor():
    pytest_of("with_mfa.py", MEDGEN_MFA="on", MEDGEN_MFA_REQUIRED="operator")


@pytest.mark.long
def test_signing_in_through_a_provider():
    pytest_of("with_provider.py", **provider(free_port()))


def test_off_nothing_of_it_exists():
    for name in ("mfa_index", "mfa_authenticate", "account_login", "person-factor-reset"):
        with pytest.raises(NoReverseMatch):
            reverse(name)
    code = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'medgen.settings'; django.setup()\n"
        "from django.urls import get_resolver\n"
        "[p.url_patterns for p in get_resolver().url_patterns if hasattr(p, 'url_patterns')]\n"
        "print(sorted({'allauth', 'fido2', 'jwt', 'qrcode'} & {name.split('.')[0] for name in sys.modules}))"
    )

    assert run("-c", code).stdout.strip() == "[]"


@pytest.mark.parametrize(
    "switches",
    [{"MEDGEN_MFA": "on"}, provider(), {"MEDGEN_MFA": "on", **provider()}],
    ids=["mfa", "provider", "both"],
)
def test_on_the_start_up_checks_and_migrations_are_fine(switches, tmp_path):
    checked = run("manage.py", "check", "--fail-level", "WARNING", MEDGEN_HOME=str(tmp_path), **switches)

    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    ("switches", "words"),
    [
        ({"MEDGEN_OIDC_ISSUER": "http://login.example.org"}, "must begin with https://"),
        ({"MEDGEN_OIDC_ISSUER": "https://login.example.org"}, "MEDGEN_OIDC_CLIENT_ID: is needed"),
        ({"MEDGEN_MFA_REQUIRED": "emperor"}, "'emperor' is not one of operator"),
    ],
)
def test_a_switch_that_cannot_work_is_said_at_the_start(switches, words, tmp_path):
    done = run("manage.py", "check", MEDGEN_HOME=str(tmp_path), **switches)

    assert done.returncode != 0
    assert words in done.stderr


def test_the_name_of_the_provider_is_one_word_of_both_files():
    from_settings = sign_in.PROVIDER

    assert f'PROVIDER = "{from_settings}"' in (ROOT / "annotation" / "people" / "outside.py").read_text()
