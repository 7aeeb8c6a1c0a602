"""Answers that are kept for a moment: failures too, and a bounded number. More of it stands in test_engine_client."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from xorj.gateway.recent import KEYS_MAX, PRICES_KNOWN_MAX, Recent, RecentPrices
from xorj.prices.price import Price
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Mint


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
    kept = Recent(source.answer, 60.0)
    for _ in range(3):
        with pytest.raises(Unavailable):
            await kept.get("a")
    assert source.asked == 1


async def test_the_number_of_keys_is_bounded() -> None:
    source = Source()
    kept = Recent(source.answer, 60.0)
    for number in range(KEYS_MAX + 1):
        await kept.get(str(number))
    assert await kept.get("0") == KEYS_MAX + 2, "the oldest made room"


async def test_what_makes_room_is_never_what_is_asked_for() -> None:
    class Unknown:
        async def prices(self, mints: Sequence[Mint]) -> dict[Mint, Price]:
            return {}

    prices, oldest = RecentPrices(Unknown()), Mint("the oldest")
    await prices.prices([oldest])
    await prices.prices([Mint(str(number)) for number in range(PRICES_KNOWN_MAX - 1)])
    assert await prices.prices([oldest, Mint("one more than are known")]) == {}
