"""The OpenAPI document, made from the operations' declarations; loaded when the document is asked for."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from annotation.rest.access import scopes_for
from annotation.rest.endpoint import Endpoint, Operation
from annotation.rest.idempotency import HEADER, LONGEST
from annotation.rest.problems import MEDIA_TYPE
from annotation.rest.serializers import Asked, PageAsked, ProblemTold, Sent

ALWAYS = (400, 401, 403, 404, 429, 500, 503)
WITH_ACT = (409, 413, 415, 422, 507)


class EndpointSchema(AutoSchema):
    view: Endpoint  # type: ignore[override]

    @property
    def declared(self) -> Operation:
        declared = self.view.operation
        assert declared is not None, f"{self.path}: an operation that declares nothing"
        return declared

    def get_operation_id(self) -> str:
        return f"{self.view.noun}_{self.view.action}"

    def get_tags(self) -> list[str]:
        return [self.view.tag or self.view.noun]

    def get_summary(self) -> str:
        return self._said()[0]

    def get_description(self) -> str:  # type: ignore[override]
        needed = sorted(scopes_for(self.view, self.method))
        scope = f"A key needs the scope {' or '.join(f'`{name}`' for name in needed)}." if needed else ""
        return "\n\n".join(part for part in (*self._said()[1:], scope) if part)

    def _said(self) -> list[str]:
        words = (getattr(self.view, self.view.action).__doc__ or "").strip()
        assert words, f"{self.path}: an operation without words"
        first, _, rest = words.partition("\n\n")
        return [" ".join(first.split()), " ".join(rest.split())]

    def get_auth(self) -> list[dict[str, list[str]]]:
        return [] if not self.view.permission_classes else [{"key": []}, {"session": []}]

    def get_override_parameters(self) -> list[Any]:
        forms: list[Any] = [
            form() for form in (self.declared.query, PageAsked if self.declared.many else None) if form
        ]
        if self.method not in {"GET", "HEAD"}:
            schema = {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": "^[ -~]+$"}
            words = "The same key and body again get the same answer, for 24 hours."
            forms.append(OpenApiParameter(HEADER, schema, OpenApiParameter.HEADER, description=words))
        return forms

    def get_request_serializer(self) -> Any:
        return self.declared.takes

    def get_response_serializers(self) -> Any:
        declared = self.declared
        answers: dict[Any, Any] = {}
        if declared.media:
            answers[declared.status, *declared.media] = OpenApiTypes.BINARY
        else:
            answers[declared.status] = declared.answer or None
        for status, told in (declared.also or {}).items():
            if isinstance(told, str):
                answers[status, told] = OpenApiTypes.BINARY
            else:
                answers[status] = told
        for status in (*ALWAYS, *(() if self.method == "GET" else WITH_ACT)):
            if status not in (declared.also or {}):
                answers[status, MEDIA_TYPE] = ProblemTold
        return answers

    def _is_list_view(self, serializer: Any = None) -> bool:
        return False

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        schema = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if isinstance(serializer, Sent | Asked):
            schema["additionalProperties"] = False
        return schema
