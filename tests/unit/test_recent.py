"""Answers with a grace: an old one rather than a queue. What a moment's keeping is without it stands in test_engine_client."""

import asyncio
from dataclasses import dataclass, field

import pytest

from xorj.gateway import recent
from xorj.gateway.recent import KEYS_MAX, Recent
from xorj.primitives.errors import Unavailable


@dataclass
class Source:
    """Answers with the number of the question, when it is let."""

    asked: int = 0
    fails: bool = False
    let: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.let.set()

    async def answer(self, key: str) -> int:
        self.asked += 1
        number = self.asked
        await self.let.wait()
        if self.fails:
            raise Unavailable("source", "down")
        return number


async def test_a_failure_is_kept_for_as_long_as_an_answer() -> None:
    source = Source(fails=True)
    kept = Recent(source.answer, 60.0, grace_seconds=60.0)
    for _ in range(3):
        with pytest.raises(Unavailable):
            await kept.get("a")
    assert source.asked == 1


async def test_with_grace_a_quick_source_is_never_behind() -> None:
    source = Source()
    kept = Recent(source.answer, 0.0, grace_seconds=60.0)
    assert [await kept.get("a") for _ in range(3)] == [1, 2, 3]


async def test_with_grace_a_slow_source_holds_up_nobody_and_is_asked_once() -> None:
    source = Source()
    kept = Recent(source.answer, 0.0, grace_seconds=60.0)
    assert await kept.get("a") == 1
    source.let.clear()
    assert await asyncio.gather(*(kept.get("a") for _ in range(20))) == [1] * 20
    assert source.asked == 2
    source.let.set()
    assert await kept.get("a") == 2, "the one under way is waited for"


async def test_while_enough_newer_answers_are_asked_for_the_old_ones_do() -> None:
    source = Source()
    kept = Recent(source.answer, 0.0, grace_seconds=60.0)
    keys = [str(number) for number in range(recent.RENEWALS_AT_ONCE_MAX + 10)]
    first = [await kept.get(key) for key in keys]
    source.let.clear()
    assert await asyncio.gather(*(kept.get(key) for key in keys)) == first
    assert source.asked == len(keys) + recent.RENEWALS_AT_ONCE_MAX
    source.let.set()


async def test_a_failed_renewal_leaves_the_old_answer_for_its_grace() -> None:
    source = Source()
    kept = Recent(source.answer, 0.0, grace_seconds=60.0)
    assert await kept.get("a") == 1
    source.fails = True
    assert await kept.get("a") == 1
    past_grace = Recent(source.answer, 0.0)
    with pytest.raises(Unavailable):
        await past_grace.get("a")


async def test_the_number_of_keys_is_bounded() -> None:
    source = Source()
    kept = Recent(source.answer, 60.0)
    for number in range(KEYS_MAX + 1):
        await kept.get(str(number))
    assert await kept.get("0") == KEYS_MAX + 2, "the oldest made room"
