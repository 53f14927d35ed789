"""What programs send and get: declared fields only, an unknown one is refused by name."""

from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework import serializers

from annotation.rest.problems import FieldError, ProblemError, shown

LIMIT_TEXT = 20_000


class Sent(serializers.Serializer[Any]):
    """A body. Fields that are not declared are refused, whatever they are called."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = [str(name) for name in data if name not in self.fields]
            if unknown:
                raise unknown_names(unknown, self.fields, kind="unknown-field", noun="a field", of=data)
        return super().to_internal_value(data)


class Asked(serializers.Serializer[Any]):
    """The query of an address."""


class Told(serializers.Serializer[Any]):
    """An answer."""


def unknown_names(
    unknown: Iterable[str], known: Iterable[str], *, kind: str, noun: str, of: Mapping[Any, Any]
) -> ProblemError:
    listed = ", ".join(known) or "none"
    errors = [
        FieldError(shown(name), _value(of.get(name)), f"is not {noun} here; known: {listed}") for name in unknown
    ]
    return ProblemError(400, f"{errors[0].field}: {errors[0].rule}.", kind=kind, errors=errors)


def _value(value: Any) -> str:
    return "" if isinstance(value, dict | list) else shown(value)


class ProblemFieldTold(Told):
    field = serializers.CharField(allow_blank=True)
    value = serializers.CharField(allow_blank=True)
    rule = serializers.CharField()


class ProblemTold(Told):
    """A refusal (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = ProblemFieldTold(many=True)  # type: ignore[assignment]


class PageAsked(Asked):
    page = serializers.IntegerField(min_value=1, max_value=1_000_000, default=1)
    page_size = serializers.IntegerField(min_value=1, max_value=200, default=50)


class LabeledTold(Told):
    code = serializers.CharField(allow_blank=True)
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]


_paged: dict[type[serializers.BaseSerializer[Any]], type[Told]] = {}


def paged(of: type[serializers.BaseSerializer[Any]]) -> type[Told]:
    """A page of a list: how many there are in all, where the neighbors are, and the rows."""
    if of not in _paged:
        fields = {
            "count": serializers.IntegerField(min_value=0),
            "page": serializers.IntegerField(min_value=1),
            "page_size": serializers.IntegerField(min_value=1, max_value=200),
            "next": serializers.CharField(allow_null=True),
            "previous": serializers.CharField(allow_null=True),
            "results": of(many=True),
            "__doc__": f"A page of {of.__name__.removesuffix('Told')}.",
        }
        _paged[of] = type(f"{of.__name__.removesuffix('Told')}PageTold", (Told,), fields)
    return _paged[of]
