"""Reading what programs send: strict JSON of limited size, and uploads as multipart forms."""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request

from annotation.formats.lines import LineError, check_texts, strict_json
from annotation.rest.problems import FieldError, ProblemError, shown

BODY_LIMIT = 2 * 1024**2


class StrictJSONParser(BaseParser):
    """UTF-8 JSON without duplicate keys, NaN, NUL, lone surrogates or bottomless nesting."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        raw = stream.read(BODY_LIMIT + 1)
        if len(raw) > BODY_LIMIT:
            raise ProblemError(413, f"The body is longer than {BODY_LIMIT // 1024**2} MiB.")
        try:
            return strict_json(raw.decode("utf-8-sig"))
        except UnicodeDecodeError as problem:
            raise ProblemError(400, "The body is not UTF-8.", kind="unreadable") from problem
        except LineError as problem:
            error = FieldError("" if problem.field == "line" else problem.field, shown(problem.value), str(problem))
            raise ProblemError(400, f"The body cannot be read: {problem}.", kind="unreadable", errors=[error]) from (
                problem
            )


class UploadParser(MultiPartParser):
    """A form with a file; its texts are judged like those of JSON."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        parsed: Any = super().parse(stream, media_type, parser_context)
        for name, values in [*parsed.data.lists(), *parsed.files.lists()]:
            if len(values) > 1:
                raise ProblemError(400, f"{shown(name)}: is sent more than once.", kind="invalid")
        try:
            check_texts(dict(parsed.data.items()))
        except LineError as problem:
            raise ProblemError(400, f"{shown(problem.field)}: {problem}.", kind="unreadable") from problem
        return parsed


def refuse_packed(request: Request, body_limit: int) -> None:
    """A packed body is not unpacked, and a body that declares more than the limit is not read."""
    packed = request.headers.get("Content-Encoding", "identity").strip().casefold()
    if packed not in {"", "identity"}:
        raise ProblemError(415, f"Content-Encoding {shown(packed)}: send the body as it is.")
    kind = (request.content_type or "").partition(";")[0].strip().casefold()
    limit = settings.MEDGEN_UPLOAD_BYTES if kind == UploadParser.media_type else body_limit
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    if not length.isdecimal() or int(length) > limit:
        raise ProblemError(413, f"The body is longer than {limit // 1024:,} KiB.")
