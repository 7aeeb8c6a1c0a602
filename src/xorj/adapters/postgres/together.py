"""Questions of many callers asked as one statement: what comes while one is under way waits for the next. Used by identity and rate_limits.

A lone caller is asked for at once, and every question is asked after its caller came, so an answer is never older than the request.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from xorj.primitives.errors import BrokenInvariant

K = TypeVar("K")
V = TypeVar("V")

QUESTIONS_MAX = 500


class Together(Generic[K, V]):
    """`ask` answers every key of a batch in its order, or fails for all of them."""

    def __init__(self, ask: Callable[[Sequence[K]], Awaitable[Sequence[V]]], *, questions_max: int = QUESTIONS_MAX) -> None:
        self._ask, self._questions_max = ask, questions_max
        self._waiting: list[tuple[K, asyncio.Future[V]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def answer(self, key: K) -> V:
        """Raises what `ask` raises."""
        waiting: asyncio.Future[V] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, waiting))
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_all())
        return await waiting

    async def _ask_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._questions_max], self._waiting[self._questions_max :]
            await self._ask_batch([one for one in batch if not one[1].done()])

    async def _ask_batch(self, batch: Sequence[tuple[K, "asyncio.Future[V]"]]) -> None:
        try:
            answers = await self._ask([key for key, _ in batch]) if batch else []
            if len(answers) != len(batch):
                raise BrokenInvariant(f"{len(batch)} questions were asked together, and {len(answers)} answers came")
        except asyncio.CancelledError:
            for _, waiting in batch:
                waiting.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - it is the callers' to handle, each gets it
            for _, waiting in batch:
                if not waiting.done():
                    waiting.set_exception(error)
            return
        for (_, waiting), answer in zip(batch, answers, strict=True):
            if not waiting.done():
                waiting.set_result(answer)
