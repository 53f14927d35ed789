"""Threats 2.4, W13: bodies that lie about their length, never end, or are packed. A real server, raw sockets."""

import contextlib
import gzip
import http.client
import json
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.browser.server import ROOT, environment, serving
from tests.hostile.measuring import held

pytestmark = pytest.mark.long

PASSWORD = "correct horse battery 7"
GIB = 1 << 30


@dataclass
class Site:
    """A served home, and the cookies of somebody signed in and of nobody."""

    base: str
    home: Path
    anyone: str = ""
    curator: str = ""
    token: str = ""

    @property
    def port(self) -> int:
        return int(self.base.rpartition(":")[2])


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("limits") / "home"
    home.mkdir()
    run = environment(home)
    for words, told in (
        (["migrate", "-v0"], ""),
        (["people", "add", "anna", "--curator", "--password-stdin"], PASSWORD),
    ):
        subprocess.run(
            [sys.executable, "manage.py", *words], cwd=ROOT, env=run, input=told, text=True, check=True,
            capture_output=True, timeout=240,
        )  # fmt: skip
    with serving(home) as base:
        made = Site(base, home)
        made.anyone, made.token = cookies(base)
        made.curator, made.token = signed_in(made)
        yield made


def cookies(base: str) -> tuple[str, str]:
    """The cookie of the sign-in page and the token that goes with it."""
    with urllib.request.urlopen(f"{base}/sign-in/", timeout=30) as answer:
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
        return cookie, re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', answer.read().decode())[1]


def signed_in(site: Site) -> tuple[str, str]:
    body = f"username=anna&password={PASSWORD.replace(' ', '+')}&csrfmiddlewaretoken={site.token}"
    line = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    line.request("POST", "/sign-in/", body, headers("application/x-www-form-urlencoded", site.anyone, site))
    answer = line.getresponse()
    assert answer.status == 302, answer.read()
    found = [value.partition(";")[0] for name, value in answer.getheaders() if name == "Set-Cookie"]
    token = next(cookie.partition("=")[2] for cookie in found if cookie.startswith("csrftoken"))
    return "; ".join(found), token


def headers(kind: str, cookie: str, site: Site) -> dict[str, str]:
    return {"Content-Type": kind, "Cookie": cookie, "X-CSRFToken": site.token, "Origin": site.base}


def server_memory(site: Site) -> int:
    """MiB held by all processes that serve this home."""
    total = 0
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if f"MEDGEN_HOME={site.home}\0".encode() in (folder / "environ").read_bytes():
                    total += held(int(folder.name))
            except OSError:
                continue
    return total


def raw(site: Site, head: str, body: bytes = b"", *, wait: float = 10) -> tuple[int, float, bytes]:
    """Send a request by hand; returns the status, how long it took and the whole answer."""
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", site.port), timeout=wait) as line:
        line.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        with contextlib.suppress(OSError):  # the server may have closed the line; its answer can still be read
            line.sendall(body)
        answer = b""
        with contextlib.suppress(OSError):
            while not complete(answer) and (part := line.recv(65536)):
                answer += part
    status = int(answer.split(b" ")[1]) if answer.startswith(b"HTTP/1.1 ") else 0
    return status, time.monotonic() - started, answer


def complete(answer: bytes) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return bool(found) and length is not None and len(body) >= int(length[1])


def post_head(site: Site, address: str, cookie: str, *lines: str) -> str:
    return "\n".join([
        f"POST {address} HTTP/1.1", f"Host: 127.0.0.1:{site.port}", f"Cookie: {cookie}", f"X-CSRFToken: {site.token}",
        f"Origin: {site.base}", "Connection: close", *lines,
    ])  # fmt: skip


@pytest.mark.parametrize("who", ["anyone", "curator"])
@pytest.mark.parametrize("address", ["/sign-in/", "/datasets/import/"])
def test_W13_a_body_of_4_gib_is_refused_before_it_is_sent(site, who, address):
    before = server_memory(site)
    head = post_head(
        site,
        address,
        getattr(site, who),
        f"Content-Length: {4 * GIB}",
        "Content-Type: multipart/form-data; boundary=x",
    )

    status, seconds, answer = raw(site, head, b"--x\r\n")

    assert 400 <= status < 500
    assert seconds < 5
    assert b"Traceback" not in answer
    assert server_memory(site) - before < 100


def test_W13_nobody_signed_in_uploads_more_than_a_form(site):
    head = post_head(
        site, "/sign-in/", site.anyone, f"Content-Length: {50 << 20}", "Content-Type: multipart/form-data; boundary=x"
    )

    status, seconds, _ = raw(site, head, b"--x\r\n")

    assert (400 <= status < 500, seconds < 5) == (True, True)


def test_W13_a_million_form_fields_are_refused(site):
    before = server_memory(site)
    for body in (b"&".join(b"a%d=" % number for number in range(1_000_000)), b"a=&" * 600_000):
        lines = (f"Content-Length: {len(body)}", "Content-Type: application/x-www-form-urlencoded")
        status, seconds, answer = raw(site, post_head(site, "/datasets/import/", site.curator, *lines), body)

        assert 400 <= status < 500
        assert (seconds < 10, b"Traceback" in answer) == (True, False)
    assert server_memory(site) - before < 200


@pytest.mark.parametrize("address", ["/datasets/import/", "/api/v1/datasets/", "/sign-in/"])
def test_W13_a_packed_body_is_not_unpacked(site, address):
    before = server_memory(site)
    body = gzip.compress(bytes(200 << 20))
    lines = (f"Content-Length: {len(body)}", "Content-Type: application/json", "Content-Encoding: gzip")

    status, seconds, answer = raw(site, post_head(site, address, site.curator, *lines), body)

    assert 400 <= status < 500 or (address, status) == ("/sign-in/", 302)  # signed in already, the body unread
    assert (seconds < 5, b"Traceback" in answer) == (True, False)
    assert server_memory(site) - before < 100


def test_W13_chunks_without_end_are_not_kept(site):
    before = server_memory(site)
    chunk = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
    lines = ("Transfer-Encoding: chunked", "Content-Type: application/x-www-form-urlencoded")

    status, _, answer = raw(site, post_head(site, "/sign-in/", site.anyone, *lines), chunk * 40 + b"0\r\n\r\n")

    assert status == 0 or 400 <= status < 500 or status == 200
    assert b"Traceback" not in answer
    assert server_memory(site) - before < 100


def test_W13_slow_bodies_do_not_keep_others_waiting(site):
    """Bodies that come a byte at a time hold one of eight threads each; a proxy in front takes any number of them."""
    with ExitStack() as stack:
        lines = []
        for _ in range(3):
            line = stack.enter_context(socket.create_connection(("127.0.0.1", site.port), timeout=10))
            kind = "Content-Type: application/x-www-form-urlencoded"
            head = post_head(site, "/sign-in/", site.anyone, "Content-Length: 100000", kind)
            line.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\nusername=")
            lines.append(line)
        waited = []
        for _ in range(8):
            for line in lines:
                line.sendall(b"a")
            started = time.monotonic()
            with urllib.request.urlopen(f"{site.base}/readyz", timeout=20) as answer:
                assert answer.status == 200
                json.loads(answer.read())
            waited.append(time.monotonic() - started)

    assert max(waited) < 10
    assert sorted(waited)[len(waited) // 2] < 3
