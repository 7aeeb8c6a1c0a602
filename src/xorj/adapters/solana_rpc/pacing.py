"""How fast a service may be asked, and how long to wait before asking again. Used by history_pool.py."""

import asyncio
import time
from hashlib import sha256
from typing import Protocol

BACK_OFF_FIRST_S = 0.25
BACK_OFF_S_MAX = 10.0


class Timer(Protocol):
    """Seconds that only go forward, and waiting for them."""

    def now(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class SystemTimer:
    def now(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class TokenBucket:
    """Lets `per_s` requests through a second on average and `burst` of them at once; more than that wait, in the order they came."""

    def __init__(self, per_s: float, burst: float, timer: Timer) -> None:
        self._per_s, self._made_for, self._burst, self._timer = per_s, per_s, burst, timer
        self._tokens, self._at = burst, timer.now()
        self._paused_until = float("-inf")

    @property
    def is_paused(self) -> bool:
        return self._timer.now() < self._paused_until

    def limit(self, per_s: float) -> None:
        """No more than so many a second from now on, if that is less than it was made with."""
        self._per_s = min(self._made_for, per_s)
        self._burst = min(self._burst, max(1.0, self._per_s))

    def pause(self, seconds: float) -> None:
        """Nothing goes through before so many seconds have passed: the service said so."""
        self._paused_until = max(self._paused_until, self._timer.now() + seconds)

    async def take(self, requests: int) -> None:
        """Returns when `requests` more may be made. What is taken beyond the bucket is owed by those who come later."""
        now = self._timer.now()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_s) - requests
        self._at = now
        wait_s = max(0.0, -self._tokens / self._per_s, self._paused_until - now)
        if wait_s > 0:
            await self._timer.sleep(wait_s)


def back_off_s(turn: int, key: str) -> float:
    """Seconds to wait after the failed turn number `turn`: doubled each time up to the limit, spread over half of it by `key`."""
    longest = min(BACK_OFF_S_MAX, BACK_OFF_FIRST_S * 2.0 ** min(turn, 32))
    return longest * (0.5 + 0.5 * spread(f"{turn} {key}"))


def spread(text: str) -> float:
    """A number above 0 and below 1, always the same for a text and evenly spread over texts."""
    return (int.from_bytes(sha256(text.encode()).digest()[:6]) + 0.5) / 2**48
