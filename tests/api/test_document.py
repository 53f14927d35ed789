"""The OpenAPI document: valid, complete, and about nothing that is stored."""

import json

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema

from medgen.api_schema import document
from tests.api.addresses import api_addresses

pytestmark = [pytest.mark.django_db, pytest.mark.walks]


@pytest.fixture(scope="module")
def told() -> dict:
    document.cache_clear()
    with GENERATOR_STATS.silence():
        made = json.loads(document("json"))
    return made


def test_the_document_is_valid_and_made_without_a_warning(told):
    validate_schema(told)

    assert not GENERATOR_STATS


def test_it_lists_every_address_and_method_of_the_router(told):
    listed = sum(len(methods) for methods in told["paths"].values())

    assert listed == sum(len(address.methods) for address in api_addresses())


def test_every_operation_says_in_words_what_it_does_which_scope_it_needs_and_how_it_can_end(told):
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"].endswith((".", "?")), (path, method)
            assert {"400", "401", "403", "404", "429", "503"} <= set(operation["responses"]), (path, method)
            if method != "get":
                assert {"409", "413", "415", "422"} <= set(operation["responses"]), (path, method)
                assert "scope" in operation["description"], (path, method)


def test_bodies_are_closed(told):
    for path, methods in told["paths"].items():
        for operation in methods.values():
            for body in operation.get("requestBody", {}).get("content", {}).values():
                name = body["schema"]["$ref"].rsplit("/", maxsplit=1)[-1]
                assert told["components"]["schemas"][name]["additionalProperties"] is False, path


def test_it_is_open_to_everybody_in_both_forms(client):
    as_json = client.get("/api/v1/schema/")
    as_yaml = client.get("/api/v1/schema/?format=yaml")

    assert as_json.headers["Content-Type"] == "application/vnd.oai.openapi+json"
    assert as_json.json()["openapi"].startswith("3.")
    assert as_yaml.content.startswith(b"openapi: 3.")
    assert client.get("/api/v1/schema/?format=html").status_code == 400


def test_a_web_process_starts_without_the_framework():
    import subprocess
    import sys

    code = (
        "import os, sys\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'medgen.settings'\n"
        "from medgen.wsgi import application\n"
        "from django.urls import reverse\n"
        "reverse('home')\n"
        "print(sorted(name for name in sys.modules if name in {'rest_framework', 'drf_spectacular'}))\n"
    )

    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "[]"
