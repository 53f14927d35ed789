"""Every address of the interface for programs, found in its router, filled with the rows of a world."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
HEADS = {
    "people": "person", "items": "item", "imports": "import", "submissions": "submission", "outputs": "output",
    "readings": "reading", "jobs": "job", "uploads": "submission", "exports": "export",
    "grades": "grade",
}  # fmt: skip
SLUGS = {"datasets": "dataset", "systems": "system", "studies": "study"}


@dataclass(frozen=True)
class Address:
    """A route, its name, and the methods it takes with their handlers."""

    name: str
    route: str
    methods: dict[str, str]

    def parameters(self, world: dict[str, Any]) -> dict[str, Any]:
        return {name: self._value(name, world) for name in PARAMETER.findall(self.route)}

    def _value(self, name: str, world: dict[str, Any]) -> Any:
        head = self.route.split("/")[2]
        known = {"index": 1 if head == "outputs" else 0, "number": 0, "pane": 0, "letter": "A", "code": "T1"}
        if name in known:
            return 1 if name == "number" and "preview" in self.route else known[name]
        if name == "version":
            return "1.0"
        if name == "pk" and head == "datasets":
            return world["item"].current_revision.images.first().asset_id
        if name in {"key", "row"}:
            return world["case" if name == "key" else "spot"]
        if name == "slug":
            return world[SLUGS[head]].slug
        if self.name == "pause":
            return 1
        if self.name == "member":
            return world["person"].pk
        if head == "studies":
            return world["export"].pk if "exports" in self.route else world["spare"].pk
        return world[HEADS[head]].pk

    def filled(self, world: dict[str, Any]) -> str:
        values = self.parameters(world)
        return "/" + PARAMETER.sub(lambda match: str(values[match[1]]), self.route)


def api_addresses(patterns: Any = None, prefix: str = "") -> Iterator[Address]:
    for pattern in get_resolver("medgen.api_routes").url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from api_addresses(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            methods = {method: act for method, act in pattern.callback.actions.items() if method != "head"}
            yield Address(str(pattern.name), route, methods)


def real_parameters(world: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Path of the document → parameters that lead to the world's rows."""
    found = {}
    for address in api_addresses():
        values = address.parameters(world)
        if values:
            path = "/" + PARAMETER.sub(lambda match: "{" + match[1] + "}", address.route)
            renamed = path.replace("{pk}", "{id}")
            found[renamed] = {("id" if name == "pk" else name): str(value) for name, value in values.items()}
    return found
