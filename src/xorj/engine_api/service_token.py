"""Lets only our own processes in: a secret that they share stands in each request's Authorization header. Used by both engines' routes."""

from collections.abc import Awaitable, Callable
from hmac import compare_digest

from fastapi import HTTPException, Request


def require_token(token: str) -> Callable[[Request], Awaitable[None]]:
    """A dependency that answers 401 to whoever does not show `token`. The comparison takes the same time wherever it fails."""
    expected = f"Bearer {token}".encode()

    async def check(request: Request) -> None:
        given = request.headers.get("authorization", "").encode()
        if not compare_digest(given, expected):
            raise HTTPException(401, "this route is for the system's own processes", headers={"www-authenticate": "Bearer"})

    return check
