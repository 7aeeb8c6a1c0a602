"""`GET /rankings` of the quant engine on the real tables, and our own fills as the copy replay reads them."""

import httpx2
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fakes import shown_rows as rows

from xorj.adapters.postgres.own_fills import PostgresOwnFills
from xorj.adapters.postgres.reporting import PostgresRankings
from xorj.adapters.postgres.tables import fills
from xorj.engine_api.rankings import VERSION, ranking_routes
from xorj.observability.http import create_app
from xorj.primitives.ids import LOCAL_GENESIS, USDC
from xorj.trust.own_fills import OwnFill

pytestmark = pytest.mark.database
TOKEN = "for-this-test-alone"


async def answer(engine: AsyncEngine, path: str = "/rankings", token: str = TOKEN) -> httpx2.Response:
    app = create_app("quant-engine")
    app.include_router(ranking_routes(TOKEN, PostgresRankings(engine)))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://engine", headers={"authorization": f"Bearer {token}"}) as client:
        return await client.get(path)


async def test_a_ranking_has_the_specified_shape_and_what_stands_behind_each_score(engine: AsyncEngine) -> None:
    await rows.plant_ranking(engine)
    found = (await answer(engine)).json()
    assert {name: found[name] for name in ("version", "run_id", "model", "as_of_slot")} == {
        "version": VERSION,
        "run_id": "run",
        "model": "v1",
        "as_of_slot": 80,
    }
    first, second = found["traders"]
    metrics = {"win_rate": 80.0, "total_return": 90.0, "max_drawdown": 10.0, "trade_count": 100}
    assert first["performance_metrics"] == metrics
    assert (first["wallet_address"], first["rank"], first["xorj_trust_score"]) == (rows.LEADER, 1, 37.01)
    assert second["rank"] == 2
    assert (first["evidence"]["evidence_days"], first["evidence"]["trust_score"], first["evidence"]["past"]) == (120, None, None)


async def test_before_the_first_run_there_is_nobody_and_strangers_get_nothing(engine: AsyncEngine) -> None:
    assert (await answer(engine)).json() == {"version": VERSION, "run_id": None, "model": None, "as_of_slot": None, "traders": []}
    assert (await answer(engine, token="guessed")).status_code == 401
    assert (await answer(engine, "/rankings?limit=0")).status_code == 422


async def test_a_settled_copy_is_one_of_our_own_fills_with_its_delay(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await rows.plant_user(connection, "u", "owner", vault="vault", bot=None)
        for number, state in enumerate(("settled", "reverted")):
            await rows.plant_copy(connection, "u", "vault", number, state=state)
    ours = PostgresOwnFills(engine, LOCAL_GENESIS)
    assert await ours.newest() == [], "without a block time it cannot be held against the market"
    async with engine.begin() as connection:
        await connection.execute(update(fills).values(block_time=1_700_000_000))
    assert await ours.newest() == [OwnFill(1_700_000_000, USDC, 100_000_000, rows.BONK, 10_000_000, pytest.approx(1.2))]
    assert await PostgresOwnFills(engine, "another chain").newest() == []
