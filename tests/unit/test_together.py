"""Questions asked together: one statement for all who came meanwhile, everybody his own answer."""

import asyncio
from collections.abc import Sequence

import pytest

from xorj.adapters.postgres.together import Together
from xorj.primitives.errors import BrokenInvariant, Unavailable


class Source:
    """Answers each number with its square, when it is let."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun, self.let = asyncio.Event(), asyncio.Event()

    async def ask(self, keys: Sequence[int]) -> list[int]:
        self.batches.append(list(keys))
        self.begun.set()
        await self.let.wait()
        if -1 in keys:
            raise Unavailable("source", "down")
        return [key * key for key in keys]


async def test_what_comes_while_one_is_under_way_is_one_question() -> None:
    source = Source()
    together = Together(source.ask)
    first = asyncio.create_task(together.answer(3))
    await source.begun.wait()
    later = [asyncio.create_task(together.answer(key)) for key in (4, 5, 4)]
    await asyncio.sleep(0)
    source.let.set()
    assert [await first, *[await one for one in later]] == [9, 16, 25, 16]
    assert source.batches == [[3], [4, 5, 4]]


async def test_a_failure_is_everybodys_who_asked_with_it_and_nobody_elses() -> None:
    source = Source()
    source.let.set()
    together = Together(source.ask)
    answers = await asyncio.gather(together.answer(-1), together.answer(2), return_exceptions=True)
    assert [type(one) for one in answers] == [Unavailable, Unavailable]
    assert await together.answer(2) == 4


async def test_who_goes_away_is_not_asked_for() -> None:
    source = Source()
    together = Together(source.ask)
    first = asyncio.create_task(together.answer(1))
    await source.begun.wait()
    gone, stays = asyncio.create_task(together.answer(2)), asyncio.create_task(together.answer(3))
    await asyncio.sleep(0)
    gone.cancel()
    source.let.set()
    assert (await first, await stays) == (1, 9)
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert source.batches == [[1], [3]]


async def test_a_batch_has_a_largest_size() -> None:
    source = Source()
    source.let.set()
    together = Together(source.ask, questions_max=2)
    assert await asyncio.gather(*(together.answer(key) for key in range(5))) == [0, 1, 4, 9, 16]
    assert [len(batch) for batch in source.batches] == [2, 2, 1]


async def test_an_answer_too_few_or_too_many_is_a_failure_of_all() -> None:
    async def too_few(keys: Sequence[int]) -> list[int]:
        return list(keys)[1:]

    async def too_many(keys: Sequence[int]) -> list[int]:
        return [*keys, 0]

    for ask in (too_few, too_many):
        together = Together(ask)
        async with asyncio.timeout(5.0):
            answers = await asyncio.gather(together.answer(1), together.answer(2), return_exceptions=True)
        assert [type(one) for one in answers] == [BrokenInvariant, BrokenInvariant]
