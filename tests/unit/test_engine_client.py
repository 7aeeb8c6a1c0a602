"""An engine that does not answer is not waited for: after a few failures it is left alone for a while; moments keep what was just asked."""

import asyncio
from collections.abc import Callable, Sequence

import httpx2
import pytest

from xorj.adapters.engines.client import FAILURES_MAX, Engine
from xorj.gateway.recent import Recent, RecentClock, RecentPrices
from xorj.observability.health import OK, State
from xorj.prices.price import Price
from xorj.primitives.clock import ChainTime
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Mint, Slot

RANKED = [
    {
        "wallet_address": "w",
        "xorj_trust_score": 37.0,
        "rank": 1,
        "performance_metrics": {"win_rate": 80, "total_return": None, "max_drawdown": 10, "trade_count": 100},
    }
]


def engine(answer: Callable[[httpx2.Request], httpx2.Response]) -> Engine:
    return Engine("quant-engine", "http://127.0.0.1:1", "secret", transport=httpx2.MockTransport(answer))


async def test_rankings_are_read_as_they_are_sent_with_the_token() -> None:
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200, json=RANKED)

    async with engine(answer) as quant:
        (first,) = await quant.rankings(limit=7)
    assert (first.rank, first.xorj_trust_score, first.performance_metrics.total_return) == (1, 37.0, None)
    assert (asked[0].headers["authorization"], asked[0].url.params["limit"]) == ("Bearer secret", "7")


@pytest.mark.parametrize(
    "response",
    [
        httpx2.Response(500),
        httpx2.Response(401, json={}),
        httpx2.Response(200, content=b"not json"),
        httpx2.Response(200, json={}),
        httpx2.Response(200, json=[{}]),
        httpx2.Response(200, json=[7]),
        httpx2.Response(200, json=[RANKED[0] | {"rank": "first"}]),
    ],
)
async def test_any_other_answer_is_unavailable(response: httpx2.Response) -> None:
    async with engine(lambda _: response) as quant:
        with pytest.raises(Unavailable):
            await quant.rankings(limit=1)


async def test_after_failures_it_is_not_asked_for_a_while() -> None:
    asked = 0

    def answer(_request: httpx2.Request) -> httpx2.Response:
        nonlocal asked
        asked += 1
        raise httpx2.ConnectError("refused")

    async with engine(answer) as quant:
        for _ in range(FAILURES_MAX + 5):
            with pytest.raises(Unavailable):
                await quant.rankings(limit=1)
    assert asked == FAILURES_MAX


@pytest.mark.parametrize(
    ("response", "state"),
    [
        (httpx2.Response(200, json={"checks": {"a": {"status": "ok", "detail": ""}}}), State.OK),
        (httpx2.Response(200, json={"checks": {"gate": {"status": "degraded", "detail": "settling"}}}), State.DEGRADED),
        (httpx2.Response(503, json={"checks": {"chain": {"status": "failed", "detail": "gone"}}}), State.FAILED),
        (httpx2.Response(200, json={"checks": 7}), State.FAILED),
        (httpx2.Response(200, content=b"<html>"), State.FAILED),
    ],
)
async def test_its_health_is_what_its_readyz_says(response: httpx2.Response, state: State) -> None:
    async with engine(lambda _: response) as quant:
        found = await quant.health()
    assert found.state is state
    assert found == OK or found.detail


class TestMoments:
    async def test_many_askers_at_once_are_one_question(self) -> None:
        asked = 0

        async def ask(key: str) -> str:
            nonlocal asked
            asked += 1
            await asyncio.sleep(0)
            return key.upper()

        recent: Recent[str, str] = Recent(ask, 60)
        assert await asyncio.gather(*(recent.get("a") for _ in range(20))) == ["A"] * 20
        assert (await recent.get("b"), asked) == ("B", 2)

    async def test_after_the_moment_it_is_asked_again(self) -> None:
        answers = iter([1, 2])

        async def ask(_key: None) -> int:
            return next(answers)

        recent: Recent[None, int] = Recent(ask, -1)
        assert (await recent.get(None), await recent.get(None)) == (1, 2)

    async def test_a_failure_is_kept_as_well(self) -> None:
        asked = 0

        async def ask(_key: None) -> int:
            nonlocal asked
            asked += 1
            raise Unavailable("x", "gone")

        recent: Recent[None, int] = Recent(ask, 60)
        for _ in range(3):
            with pytest.raises(Unavailable):
                await recent.get(None)
        assert asked == 1

    async def test_an_asker_who_leaves_takes_nobodys_answer_with_him(self) -> None:
        begun, go = asyncio.Event(), asyncio.Event()

        async def ask(_key: None) -> int:
            begun.set()
            await go.wait()
            return 7

        recent: Recent[None, int] = Recent(ask, 60)
        leaving, staying = asyncio.create_task(recent.get(None)), asyncio.create_task(recent.get(None))
        await begun.wait()
        leaving.cancel()
        go.set()
        assert await staying == 7

    async def test_clock_and_prices_are_asked_once_a_moment(self) -> None:
        asked: list[object] = []

        class Chain:
            async def now(self) -> ChainTime:
                asked.append("time")
                return ChainTime(Slot(1), 1, 1)

            async def prices(self, mints: Sequence[Mint]) -> dict[Mint, Price]:
                asked.append(tuple(mints))
                return {}

        clock, prices = RecentClock(Chain()), RecentPrices(Chain())
        await clock.now()
        await clock.now()
        await prices.prices([Mint("b"), Mint("a")])
        await prices.prices([Mint("a"), Mint("b"), Mint("a")])
        assert await prices.prices([]) == {}
        assert asked == ["time", ("a", "b")]
