"""Log lines say what happened and where, never who, what was typed or what a row held."""

import json
import logging
import logging.config
import sys

import pytest
from django.http import Http404, HttpResponse
from django.test import RequestFactory

from medgen import logs


@pytest.fixture
def logged(capsys):
    """The lines that reach standard error under the product's configuration."""

    def lines(act, *, as_json=True):
        logging.config.dictConfig(logs.configuration(as_json=as_json, level="INFO", keep_messages=False))
        for handler in logging.getLogger("django").handlers + logging.getLogger().handlers:
            if type(handler) is logging.StreamHandler:
                handler.setStream(sys.stderr)
        act()
        return [line for line in capsys.readouterr().err.splitlines() if line]

    return lines


@pytest.fixture(autouse=True)
def logging_as_before(settings, monkeypatch):
    """`dictConfig` closes every handler there is, those with which pytest captures included; here it forgets them."""
    monkeypatch.setattr(logging.config, "_clearExistingHandlers", logging._handlers.clear)
    yield
    logging.config.dictConfig(settings.LOGGING)


@pytest.mark.django_db
def test_a_request_is_logged_by_its_route(logged, client):
    answer = []

    said = logged(lambda: answer.append(client.get("/studies/PATIENT-MEYER/?q=SECRET")))

    line = next(json.loads(line) for line in said if "medgen.request" in line)
    assert line["route"] == "studies/<slug:slug>/"
    assert (line["method"], line["status"]) == ("GET", 302)
    assert line["request_id"] == answer[0].headers["X-Request-ID"]
    assert "MEYER" not in "".join(said)
    assert "SECRET" not in "".join(said)


@pytest.mark.django_db
def test_an_unknown_address_is_logged_without_the_address(logged, sign_in, reader):
    client = sign_in(reader)

    said = "".join(logged(lambda: client.get("/nowhere/PATIENT-MEYER/")))

    assert "MEYER" not in said
    assert "404" in said


@pytest.mark.parametrize("as_json", [True, False])
def test_a_failure_is_logged_by_class_and_place(logged, as_json):
    def fail():
        try:
            raise ValueError("name=MEYER")
        except ValueError:
            logging.getLogger("annotation.test").exception("import failed")

    said = "".join(logged(fail, as_json=as_json))

    assert "MEYER" not in said
    assert "builtins.ValueError" in said
    assert "test_logs.py" in said
    assert "import failed" in said


def test_a_refused_host_is_logged_without_the_host(logged):
    def refuse():
        logging.getLogger("django.security.DisallowedHost").error("Invalid HTTP_HOST header: %r", "evil.example")

    assert "evil" not in "".join(logged(refuse))


def test_a_request_id_of_a_proxy_is_kept_only_when_it_is_a_uuid():
    given = "0b9b6e0e-7d0c-4d29-9f43-1f6f0e1c2a3b"
    answer = logs.log_requests(lambda request: HttpResponse())

    kept = answer(RequestFactory().get("/", headers={"X-Request-ID": given}))
    made = answer(RequestFactory().get("/", headers={"X-Request-ID": "MEYER"}))

    assert kept.headers["X-Request-ID"] == given
    assert "MEYER" not in made.headers["X-Request-ID"]


def test_a_request_that_raises_is_not_swallowed():
    def missing(request):
        raise Http404

    with pytest.raises(Http404):
        logs.log_requests(missing)(RequestFactory().get("/"))
