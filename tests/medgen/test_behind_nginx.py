"""The operator's guide as written: nginx with the documented file in front of the product, HTTPS, one address."""

import os
import shutil
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from tests.browser.server import ROOT, environment, free_port

pytestmark = pytest.mark.long

OPERATOR = ROOT / "docs" / "guide" / "operator"
HOST = "medgen.example.org"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[tuple[int, Path]]:
    """The product on a fresh home behind nginx; gives nginx's port for HTTPS and the home."""
    folder = tmp_path_factory.mktemp("nginx")
    home = folder / "home"
    web, http, https = free_port(), free_port(), free_port()
    settings = {
        name: value
        for name, value in (
            line.split("=", 1)
            for line in (OPERATOR / "medgen.env").read_text().splitlines()
            if not line.startswith("#")
        )
        if name not in {"MEDGEN_HOME", "DATABASE_URL"}
    }
    settings["MEDGEN_TRUSTED_ORIGINS"] = f"https://{HOST}:{https}"
    run = environment(home) | settings
    subprocess.run([sys.executable, "manage.py", "migrate"], cwd=ROOT, env=run, check=True, capture_output=True)
    subprocess.run(
        [sys.executable, "manage.py", "people", "add", "anna", "--operator", "--password-stdin"],
        cwd=ROOT, env=run, input="correct horse 77", text=True, capture_output=True, check=False,
    )  # fmt: skip
    _certificate(folder)
    config = _nginx(folder, web=web, http=http, https=https)
    log = (folder / "product.log").open("wb")
    product = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--host", "127.0.0.1", "--port", str(web)],
        cwd=ROOT, env=run, stdout=log, stderr=log,
    )  # fmt: skip
    proxy = subprocess.Popen(
        [shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(config), "-e", str(folder / "e.log")]
    )
    try:
        _wait(f"http://127.0.0.1:{web}/readyz")
        yield https, folder
    finally:
        for process in (proxy, product):
            process.terminate()
            process.wait(timeout=40)
        log.close()


def _certificate(folder: Path) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={HOST}",
         "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", "privkey.pem", "-out", "fullchain.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip


def _nginx(folder: Path, *, web: int, http: int, https: int) -> Path:
    """The documented file, with this machine's ports and certificate, inside the frame Debian gives it."""
    site = (OPERATOR / "nginx.conf").read_text()
    for old, new in (
        ("127.0.0.1:8000", f"127.0.0.1:{web}"), ("listen 80;", f"listen 127.0.0.1:{http};"),
        ("listen 443 ssl;", f"listen 127.0.0.1:{https} ssl;"), ("/etc/ssl/medgen", str(folder)),
        ("proxy_set_header Host $host;", "proxy_set_header Host $http_host;"),
    ):  # fmt: skip
        assert old in site, f"the documented file no longer says {old}"
        site = site.replace(old, new)
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/e.log;\nevents {{}}\n"
        f"http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;\n{site}\n}}\n"
    )
    return config


def _wait(url: str) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"{url} did not answer")


def _opened(
    site: tuple[int, Path], path: str, data: bytes | None = None, jar: CookieJar | None = None, **headers: str
):
    """An HTTPS request to nginx that checks the certificate against the documented name."""
    port, folder = site
    context = ssl.create_default_context(cafile=folder / "fullchain.pem")
    context.check_hostname = False
    opener = urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=context), urllib.request.HTTPCookieProcessor(jar or CookieJar())
    )
    asked = urllib.request.Request(
        f"https://127.0.0.1:{port}{path}", data=data, headers={"Host": f"{HOST}:{port}"} | headers
    )
    try:
        return opener.open(asked, timeout=30)
    except urllib.error.HTTPError as answer:
        return answer


def test_the_site_answers_over_https_with_secure_cookies(site):
    answer = _opened(site, "/sign-in/")

    assert answer.status == 200
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    assert "nginx/" not in answer.headers["Server"]
    assert _opened(site, "/readyz").status == 200


def test_another_host_name_is_refused(site):
    assert _opened(site, "/sign-in/", Host="evil.example").status == 400


def test_a_body_over_the_limit_is_refused_by_the_proxy(site):
    answer = _opened(site, "/sign-in/", data=b"x", **{"Content-Length": str(3 * 1024**3)})

    assert answer.status == 413


def test_the_log_is_json_by_route_and_names_no_address(site):
    import json

    _opened(site, "/studies/PATIENT-MEYER/")
    lines = (site[1] / "product.log").read_text().splitlines()
    said = [json.loads(line) for line in lines if line.startswith("{")]

    assert any(line.get("route") == "studies/<slug:slug>/" for line in said)
    assert "MEYER" not in "".join(lines)


def test_the_units_for_systemd_are_well_formed(tmp_path):
    analyze = shutil.which("systemd-analyze")
    assert analyze, "systemd-analyze is missing: apt-get install systemd"
    for unit in ("medgen.service", "medgen-backup.service", "medgen-backup.timer"):
        text = (OPERATOR / unit).read_text().replace("/opt/medgen/.venv/bin/python", "/bin/true")
        (tmp_path / unit).write_text(text.replace("/opt/medgen", "/tmp"))
    checked = subprocess.run(
        [analyze, "verify", *(str(tmp_path / unit) for unit in ("medgen.service", "medgen-backup.timer"))],
        capture_output=True, text=True, check=False, env=os.environ | {"SYSTEMD_LOG_LEVEL": "warning"},
    )  # fmt: skip
    complaints = [line for line in checked.stderr.splitlines() if "medgen" in line]
    assert complaints == []
