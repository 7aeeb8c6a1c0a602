"""What the edge refuses before anything is done, each with its own stable problem type. Raised by dependencies and routes."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response

from xorj.identity.rate_limit import Allowance
from xorj.observability.problems import problem
from xorj.primitives.errors import XorjError


class Refusal(XorjError):
    """An answer that is not the fault of the request's form: who asks, how often, or what is the case."""

    def __init__(self, kind: str, status: int, detail: str, *, headers: Mapping[str, str] | None = None, **facts: Any) -> None:
        self.kind, self.status, self.detail, self.headers, self.facts = kind, status, detail, dict(headers or {}), facts
        super().__init__(detail)


def unauthenticated(reason: str) -> Refusal:
    return Refusal("not-signed-in", 401, reason, headers={"www-authenticate": "Bearer"})


def forbidden(detail: str) -> Refusal:
    return Refusal("not-allowed", 403, detail)


def not_found(detail: str) -> Refusal:
    return Refusal("not-found", 404, detail)


def conflict(kind: str, detail: str, **facts: Any) -> Refusal:
    """What is asked cannot be done as things are."""
    return Refusal(kind, 409, detail, **facts)


def too_many(allowance: Allowance) -> Refusal:
    limit = allowance.limit
    detail = f"At most {limit.requests} {limit.name} in {limit.seconds} s; try again in {allowance.reset_seconds} s."
    return Refusal("too-many-requests", 429, detail, headers={"retry-after": str(max(1, allowance.reset_seconds))})


def install(app: FastAPI) -> None:
    app.add_exception_handler(Refusal, _answer)


async def _answer(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return problem(error.kind, error.status, error.detail, headers=error.headers, **error.facts)
