"""JSON request bodies: a strict parser, and pydantic models of what each contract expects."""

import json
import re
from collections.abc import Mapping

from pydantic import BaseModel, ValidationError

from profile_media.domain.errors import RequestInvalid
from profile_media.http.request import Request

MAX_BYTES = 16 * 1024
"""Maximum bytes of a body. The bodies of all contracts are much smaller."""

MAX_DEPTH = 8
"""Levels of objects and arrays. The deepest body of any contract has two."""

_SURROGATE = re.compile("[\ud800-\udfff]")


def parse_body[Body: BaseModel](request: Request, model: type[Body]) -> Body:
    """Parse the body. Raise RequestInvalid with one message per wrong field, which never repeats what was sent."""
    try:
        return model.model_validate(parse_object(request))
    except ValidationError as error:
        raise RequestInvalid(messages(error)) from None


def messages(error: ValidationError) -> tuple[str, ...]:
    """Return `field: message` for every field that is wrong."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    return tuple(f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}" for problem in problems)


def parse_object(request: Request) -> Mapping[str, object]:
    """Parse the body as a JSON object, strictly and within bounds. Raise RequestInvalid for anything else.

    Repeated names are refused, because two parsers can read different values. NaN and Infinity are not JSON.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise RequestInvalid(("Content-Type must be application/json",))
    if len(request.body) > MAX_BYTES:
        raise RequestInvalid((f"the body must be at most {MAX_BYTES} bytes",))
    try:
        value = json.loads(request.body.decode(), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise RequestInvalid(("the body must be one JSON object without duplicate keys",)) from None
    if not isinstance(value, dict) or not _is_plain(value, MAX_DEPTH):
        raise RequestInvalid((f"the body must be a JSON object of at most {MAX_DEPTH} levels, with Unicode strings",))
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate keys")
    return members


def _is_plain(value: object, levels: int) -> bool:
    """Return whether the value is not nested too deeply and no string has half of a surrogate pair.

    JSON can escape a lone surrogate, but UTF-8 cannot encode it, so no store could keep it.
    """
    if isinstance(value, str):
        return not _SURROGATE.search(value)
    if not isinstance(value, dict | list):
        return True
    members = [*value, *value.values()] if isinstance(value, dict) else value
    return levels > 0 and all(_is_plain(member, levels - 1) for member in members)


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
