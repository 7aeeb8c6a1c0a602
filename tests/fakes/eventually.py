"""Waiting for what happens in another process, with a deadline that fails the test and says what did not happen."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

PAUSE_S = 0.01
T = TypeVar("T")


def eventually(condition: Callable[[], T], what: str, *, within_s: float = 30.0) -> T:
    """The first true value of `condition`; AssertionError naming `what` after `within_s`."""
    deadline = time.monotonic() + within_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {within_s:.0f} s: {what}"
        time.sleep(PAUSE_S)  # another process is waited for; there is nothing to be woken by
    return value


async def becoming(condition: Callable[[], Awaitable[T]], what: str, *, within_s: float = 30.0) -> T:
    """As eventually, for a condition that must be awaited."""
    deadline = time.monotonic() + within_s
    while not (value := await condition()):
        assert time.monotonic() < deadline, f"not within {within_s:.0f} s: {what}"
        await asyncio.sleep(PAUSE_S)  # another process is waited for; there is nothing to be woken by
    return value
