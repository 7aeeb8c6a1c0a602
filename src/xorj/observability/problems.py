"""Every error that leaves a process by HTTP: RFC 9457 problem+json with a stable type, the request's id, and nothing of our insides.

Installed on an application by http.py; routes only raise.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from xorj.observability import logging
from xorj.primitives.errors import InvalidInput, RefusedForSafety, Unavailable

TYPE_PREFIX = "urn:xorj:problem:"
RETRY_AFTER_S = 5
FIELD_ERRORS_MAX = 20

# What the limits of the server raise while a body is read has no words of ours.
_PHRASES = {413: "Body too large"}

log = logging.get("http")


def problem(
    kind: str,
    status: int,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    errors: list[dict[str, str]] | None = None,
    **facts: object,
) -> Response:
    """One problem document. `kind` is the stable name that clients compare, `errors` has one {field, rule} for each field."""
    document: dict[str, object] = {
        "type": TYPE_PREFIX + kind,
        "title": kind.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
        "request_id": structlog.contextvars.get_contextvars().get("request_id", ""),
        **facts,
    }
    if errors:
        document["errors"] = errors[:FIELD_ERRORS_MAX]
    return Response(orjson.dumps(document), status, dict(headers or {}), "application/problem+json")


def install(app: FastAPI) -> None:
    """Adds the handlers. What has no handler here is a fault of ours and is answered by the outermost middleware."""
    app.add_exception_handler(InvalidInput, _invalid_input)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(RefusedForSafety, _refused)
    app.add_exception_handler(Unavailable, _unavailable)
    app.add_exception_handler(HTTPException, _http)


def internal() -> Response:
    """The answer to a fault of ours: the request's id, by which the log has the rest."""
    return problem("internal-error", 500, "The server failed. Its log has the cause under this request id.")


def too_large(bytes_max: int) -> Response:
    return problem("body-too-large", 413, f"The body may have at most {bytes_max} bytes.", headers={"connection": "close"})


async def _invalid_input(_request: Request, error: Exception) -> Response:
    assert isinstance(error, InvalidInput)
    return problem("invalid-input", 422, str(error), errors=[{"field": error.field, "rule": error.rule}])


async def _invalid_request(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if any(one["type"] == "json_invalid" for one in error.errors()):
        return problem("malformed-json", 400, "The body is not valid JSON.")
    errors = [{"field": _field(one["loc"]), "rule": str(one["msg"])} for one in error.errors()]
    return problem("invalid-input", 422, "; ".join(f"{one['field']}: {one['rule']}" for one in errors[:FIELD_ERRORS_MAX]), errors=errors)


async def _refused(request: Request, error: Exception) -> Response:
    log.warning("request_refused_for_safety", path=request.url.path, reason=str(error))
    return problem("refused-for-safety", 409, str(error))


async def _unavailable(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Unavailable)
    log.warning("outside_system_unavailable", system=error.system, cause=error.cause)
    detail = f"{error.system} did not answer. Try again later."
    return problem("unavailable", 503, detail, headers={"retry-after": str(RETRY_AFTER_S)}, system=error.system)


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    phrase = _PHRASES.get(error.status_code) or HTTPStatus(error.status_code).phrase
    kind = phrase.lower().replace(" ", "-")
    return problem(kind, error.status_code, str(error.detail or phrase), headers=error.headers)


def _field(location: Any) -> str:
    """`body.limits.0.bps` for ("body", "limits", 0, "bps"); the place alone when the whole of it is wrong."""
    return ".".join(str(part) for part in location)
