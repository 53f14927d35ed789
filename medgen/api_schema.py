"""The index of the interface, and the OpenAPI document made from its endpoints."""

import json
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from annotation.rest.addresses import api_address
from annotation.rest.endpoint import Endpoint, operation
from annotation.rest.serializers import Asked, Told

JSON_TYPE, YAML_TYPE = "application/vnd.oai.openapi+json", "application/vnd.oai.openapi"


class IndexTold(Told):
    name = serializers.CharField()
    version = serializers.CharField()
    schema = serializers.CharField()
    me = serializers.CharField()


class SchemaAsked(Asked):
    format = serializers.ChoiceField(choices=["json", "yaml"], default="json")


class Index(Endpoint):
    noun = "index"
    tag = "document"

    @operation(tells=IndexTold)
    def show(self, request: Request) -> dict[str, Any]:
        """Where to begin."""
        return {
            "name": "MedGEN",
            "version": settings.MEDGEN_VERSION,
            "schema": api_address("schema"),
            "me": api_address("me"),
        }


class Schema(Endpoint):
    noun = "schema"
    tag = "document"
    authentication_classes = []
    permission_classes = []

    @operation(query=SchemaAsked, media=(JSON_TYPE, YAML_TYPE))
    def show(self, request: Request) -> HttpResponse:
        """This document, as JSON or YAML; open to everybody, as it says nothing about what is stored."""
        kind = self.asked["format"]
        return HttpResponse(document(kind), content_type=JSON_TYPE if kind == "json" else YAML_TYPE)


@lru_cache(maxsize=2)
def document(kind: str) -> bytes:
    """The OpenAPI 3 document; made once in a process."""
    from drf_spectacular.generators import SchemaGenerator
    from drf_spectacular.renderers import OpenApiYamlRenderer

    generator: Any = SchemaGenerator
    made = generator(urlconf=settings.MEDGEN_API_URLCONF).get_schema(request=None, public=True)
    if kind == "yaml":
        yaml: Any = OpenApiYamlRenderer()
        return bytes(yaml.render(made, renderer_context={}))
    return json.dumps(made, ensure_ascii=False, indent=1).encode()
