"""The connection to Redis, with its timeouts and what its failures are called here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.exceptions import RedisError

from xorj.primitives.errors import InvalidInput, RefusedForSafety, Unavailable

TIMEOUT_SECONDS = 2.0
CONNECTIONS_MAX = 50
KEY_PREFIX = "xorj:"


def connect(url: str, *, tls_required: bool = False) -> Redis:
    """A client that connects with its first command. Raises InvalidInput, and RefusedForSafety where TLS is required and missing."""
    scheme = urlsplit(url).scheme
    if scheme not in {"redis", "rediss", "unix"}:
        raise InvalidInput("REDIS_URL", given=f"{scheme}://…", rule="redis://, rediss:// or unix://")
    if tls_required and scheme == "redis":
        raise RefusedForSafety("REDIS_URL does not encrypt; production needs rediss:// or a unix socket")
    return Redis.from_url(url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS, max_connections=CONNECTIONS_MAX)


@asynccontextmanager
async def answering() -> AsyncIterator[None]:
    """Turns the client's errors into Unavailable."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise Unavailable("Redis", f"{type(error).__name__}: {error}") from error
