"""The store of `limits` over our own Redis client, so that its timeouts and its pool count here too. Given to adapters/rate_limits."""

from limits.aio.storage import RedisStorage
from redis.asyncio import Redis

from xorj.adapters.redis.connection import KEY_PREFIX


def counts(client: Redis) -> RedisStorage:
    """Counts requests where `client` is connected to. Raises StorageError when that does not answer."""
    pool: object = client.connection_pool
    return RedisStorage(
        "async+redis://",
        wrap_exceptions=True,
        implementation="redispy",
        key_prefix=f"{KEY_PREFIX}limits",
        connection_pool=pool,  # type: ignore[arg-type]  # the library types its options too narrowly
    )
