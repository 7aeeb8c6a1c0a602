"""Fixed windows of the library `limits`, over whichever store it is given: adapters/postgres/rate_limits, or the library's own for Redis.

Implements identity's RateLimiter.
"""

import time
from collections import OrderedDict
from math import ceil

from limits.aio.storage import Storage
from limits.errors import StorageError
from limits.limits import RateLimitItemPerSecond

from xorj.identity.rate_limit import Allowance, RateLimit
from xorj.primitives.errors import Unavailable

WINDOWS_KNOWN_MAX = 10_000


class FixedWindows:
    """`store` must raise StorageError when it cannot answer (wrap_exceptions). One call to it counts a request."""

    def __init__(self, store: Storage) -> None:
        self._store = store
        # When each caller's window ends, asked once a window: a fixed window's end does not move.
        self._ends: OrderedDict[str, float] = OrderedDict()

    async def hit(self, limit: RateLimit, key: str) -> Allowance:
        item = RateLimitItemPerSecond(limit.requests, limit.seconds, namespace=limit.name).key_for(key)
        try:
            hits = await self._store.incr(item, limit.seconds)
            ends = await self._end(item, hits)
        except StorageError as error:
            raise Unavailable("rate limits", type(error.storage_error).__name__) from error
        left = max(0, min(limit.seconds, ceil(ends - time.time())))
        return Allowance(hits <= limit.requests, limit, max(0, limit.requests - hits), left)

    async def _end(self, item: str, hits: int) -> float:
        if hits == 1 or self._ends.get(item, 0) <= time.time():
            self._ends[item] = await self._store.get_expiry(item)
            self._ends.move_to_end(item)
            while len(self._ends) > WINDOWS_KNOWN_MAX:
                self._ends.popitem(last=False)
        return self._ends[item]
