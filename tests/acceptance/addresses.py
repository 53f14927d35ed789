"""Every address of the product, filled in with the rows of a world: new addresses are found by themselves."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import URLPattern, URLResolver, get_resolver

from annotation.adjudication import queue
from annotation.studies.models import Study
from scoring.calibration.radar import row_key

PARAMETER = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")
HEADS = {"items": "item", "readings": "reading", "submissions": "submission", "outputs": "output", "imports": "job"}
SLUGS = {"datasets": "dataset", "systems": "system", "studies": "study"}


@dataclass(frozen=True)
class Address:
    """A route with its name and the parameters in it."""

    name: str
    route: str

    @property
    def parameters(self) -> list[tuple[str, str]]:
        return [(match["kind"] or "str", match["name"]) for match in PARAMETER.finditer(self.route)]

    def filled(self, values: dict[str, Any]) -> str:
        return "/" + PARAMETER.sub(lambda match: str(values[match["name"]]), self.route)

    def real(self, world: dict[str, Any]) -> dict[str, Any]:
        """The parameters that lead to the world's own rows."""
        return {name: self._value(kind, name, world) for kind, name in self.parameters}

    def _value(self, kind: str, name: str, world: dict[str, Any]) -> Any:
        head = self.route.split("/")[0]
        if (head, name) == ("studies", "key"):
            return world["case"]
        if (head, name) == ("studies", "row"):
            return spot_of(world["study"])
        if kind == "uuid":
            return world[HEADS.get(head, "person")].pk
        if kind == "slug" and name == "slug":
            return world[SLUGS[head]].slug
        if kind == "int" and name == "pk":
            return world["enrollment"].pk
        if kind == "int":
            return 1 if (head, name) == ("studies", "number") else 0
        if head == "rubrics":
            return {"code": "T1", "version": "1.0"}[name]
        known = {"address": "v1/", "version": "1.0", "letter": world["letter"], "uid": "QQ", "token": "x-y"}
        return known[name]


def spot_of(study: Study) -> UUID:
    """The key of an output on the radar: graded, and read by nobody any more; of any output where there is none."""
    graded = sorted(set(queue.newest_grades(study)) - queue.waiting_outputs(study)) or [UUID(int=0)]
    return row_key(study, graded[0])


def addresses(patterns: Any = None, namespace: str = "", prefix: str = "") -> Iterator[Address]:
    """All addresses with their full routes."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from addresses(pattern.url_patterns, inner, route)
        elif isinstance(pattern, URLPattern):
            yield Address(f"{namespace}{pattern.name}", route)


ALL = sorted(addresses(), key=lambda address: (address.name, address.route))
