"""Frames over HTTP: ranges, validators, and nothing that names the file."""

import pytest
from django.http.response import HttpResponseBase
from django.test import RequestFactory

from annotation.assets import serving, storage
from annotation.assets.models import Asset
from tests import factories

pytestmark = pytest.mark.django_db
BYTES = bytes(range(256)) * 40


@pytest.fixture
def asset(home) -> Asset:
    made = factories.asset("frames")
    storage.write_once(storage.frames_path(made), BYTES)
    storage.write_once(storage.thumbnail_path(made), b"\x89PNG thumbnail")
    return made


def fetch(asset: Asset, **headers: str) -> HttpResponseBase:
    request = RequestFactory().get("/anything", headers={name.replace("_", "-"): headers[name] for name in headers})
    return serving.frames_data_response(request, asset, etag_scope="reading-1")


def body(response: HttpResponseBase) -> bytes:
    return b"".join(response.streaming_content)


def test_without_a_range_the_whole_file_comes(asset):
    response = fetch(asset)

    assert (response.status_code, body(response)) == (200, BYTES)
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Length"] == str(len(BYTES))
    assert response["Accept-Ranges"] == "bytes"
    assert response["Cache-Control"].startswith("private")


@pytest.mark.parametrize(
    ("asked", "expected", "said"),
    [
        ("bytes=0-99", BYTES[:100], "bytes 0-99/10240"),
        ("bytes=10200-", BYTES[10200:], "bytes 10200-10239/10240"),
        ("bytes=-16", BYTES[-16:], "bytes 10224-10239/10240"),
        ("bytes=10000-99999", BYTES[10000:], "bytes 10000-10239/10240"),
        ("bytes=-99999", BYTES, "bytes 0-10239/10240"),
    ],
)
def test_one_range_is_answered_with_206(asset, asked, expected, said):
    response = fetch(asset, range=asked)

    assert (response.status_code, body(response)) == (206, expected)
    assert response["Content-Range"] == said
    assert response["Content-Length"] == str(len(expected))


@pytest.mark.parametrize("asked", ["bytes=10240-", "bytes=20000-30000", "bytes=-0", "bytes=9-3"])
def test_a_range_outside_is_416_with_the_size(asset, asked):
    response = fetch(asset, range=asked)

    assert response.status_code == 416
    assert response["Content-Range"] == "bytes */10240"


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "items=0-1", "bytes=-", "bytes=x-y", "bytes=" + "9" * 40 + "-"])
def test_what_is_not_one_range_gets_the_whole_file(asset, asked):
    response = fetch(asset, range=asked)

    assert (response.status_code, body(response)) == (200, BYTES)


def test_a_known_tag_is_304_and_another_scope_has_another_tag(asset):
    tag = fetch(asset)["ETag"]
    other = serving.frames_data_response(RequestFactory().get("/"), asset, etag_scope="reading-2")["ETag"]

    assert fetch(asset, if_none_match=tag).status_code == 304
    assert fetch(asset, if_none_match=f'W/{tag}, "x"').status_code == 304
    assert fetch(asset, if_none_match=other).status_code == 200
    assert tag != other


def test_a_range_of_an_older_version_gets_the_whole_file(asset):
    response = fetch(asset, range="bytes=0-9", if_range='"old"')

    assert (response.status_code, body(response)) == (200, BYTES)


def test_no_header_holds_the_checksum_or_a_file_name(asset):
    said = str(fetch(asset).headers) + str(serving.thumbnail_response(asset, etag_scope="s").headers)

    assert asset.sha256[:8] not in said
    assert "filename" not in said


def test_the_header_carries_the_address_of_the_data(asset):
    response = serving.frames_header_response(asset, data_url="/readings/1/panes/0/frames.bin", etag_scope="s")

    assert b'"data": "/readings/1/panes/0/frames.bin"' in response.content
    assert b'"rows": 64' in response.content
    assert asset.sha256.encode() not in response.content


def test_bytes_that_are_gone_are_a_plain_404(asset):
    storage.frames_path(asset).unlink()
    storage.thumbnail_path(asset).unlink()

    assert fetch(asset).status_code == 404
    assert serving.thumbnail_response(asset, etag_scope="s").status_code == 404


def test_bytes_that_are_cut_are_not_sent_as_if_they_were_whole(asset):
    asset.frames_header = asset.frames_header | {"offsets": [0, len(BYTES) + 1]}

    response = fetch(asset)

    assert response.status_code == 404
    assert not response.has_header("ETag") and "max-age" not in response.get("Cache-Control", "")
