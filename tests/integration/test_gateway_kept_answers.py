"""Answers that are kept: nobody sees another's, nobody is let in by one, whoever wrote reads his own words, and repeats cost nothing."""

import asyncio
import gzip
from typing import Any

import pytest
from solders.keypair import Keypair
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fakes.eventually import becoming
from tests.fakes.gateway_world import MAINNET_GENESIS, ORIGIN, GatewayWorld, place

from xorj.adapters.postgres.account import PostgresSettings
from xorj.gateway import kept_answers
from xorj.gateway.limiting import READS
from xorj.primitives.ids import UserId
from xorj.reporting.account import UserSettings

pytestmark = pytest.mark.database
ANA, BEN = (Keypair.from_seed(bytes([seed]) * 32) for seed in (1, 2))
LONG_S = 600.0
SETTINGS = {"risk_profile": "CONSERVATIVE", "max_trade_amount_usd": 25, "slippage_tolerance_percent": 0.5}


class CountedSettings(PostgresSettings):
    asked = 0

    async def read(self, user: UserId) -> UserSettings:
        self.asked += 1
        return await super().read(user)


@pytest.fixture
def settings(engine: AsyncEngine) -> CountedSettings:
    return CountedSettings(engine)


@pytest.fixture
def world(engine: AsyncEngine, settings: CountedSettings) -> GatewayWorld:
    mainnet = place(environment="mainnet", genesis=MAINNET_GENESIS)
    return GatewayWorld(engine, at=mainnet, kept_seconds=LONG_S, settings=settings)


async def headers(world: GatewayWorld, key: Keypair) -> dict[str, str]:
    return {"authorization": f"Bearer {await world.token(key)}"}


async def get(world: GatewayWorld, path: str, sent: dict[str, str]) -> Any:
    async with world.browser() as browser:
        return await browser.get(path, headers=sent)


@pytest.mark.parametrize("path", sorted(kept_answers.OF_ONE_CALLER - {"/", "/api/overview", "/api/vault"}))
async def test_nobody_sees_what_was_kept_for_another(world: GatewayWorld, path: str) -> None:
    anas, bens = await headers(world, ANA), await headers(world, BEN)
    async with world.browser() as browser:
        await browser.put("/api/user/settings", headers=anas, json=SETTINGS)
        user = (await browser.get("/api/user/status", headers=anas)).json()["user_id"]
        first = await asyncio.gather(*(browser.get(path, headers=who) for who in (anas, bens, anas, bens)))
        again = await asyncio.gather(*(browser.get(path, headers=who) for who in (anas, bens)))
        without = await browser.get(path)
    assert [one.status_code for one in (*first, *again)] == [200] * 6
    assert without.status_code == 401
    assert (first[0].content, first[1].content) == (again[0].content, again[1].content)
    assert user not in again[1].text
    if "settings" in path or "configuration" in path:
        assert (again[0].json()["risk_profile"], again[1].json()["risk_profile"]) == ("CONSERVATIVE", "BALANCED")


async def test_a_session_that_has_ended_is_refused_at_once(world: GatewayWorld) -> None:
    sent = await headers(world, ANA)
    assert (await get(world, "/api/user/settings", sent)).status_code == 200
    async with world.engine.begin() as elsewhere:
        await elsewhere.execute(text("UPDATE sessions SET revoked_at = now()"))
    assert (await get(world, "/api/user/settings", sent)).status_code == 401


async def test_whoever_wrote_reads_his_own_words(world: GatewayWorld) -> None:
    sent = await headers(world, ANA)
    async with world.browser() as browser:
        for amount in (10, 20, 30):
            await browser.put("/api/user/settings", headers=sent, json=SETTINGS | {"max_trade_amount_usd": amount})
            assert (await browser.get("/api/user/settings", headers=sent)).json()["max_trade_amount_usd"] == amount
            assert (await browser.get("/api/bot/configuration", headers=sent)).json()["max_trade_amount_usd"] == amount


async def test_a_read_that_a_write_overtook_is_not_kept(engine: AsyncEngine) -> None:
    reading, may_answer = asyncio.Event(), asyncio.Event()

    class Slow(PostgresSettings):
        async def read(self, user: UserId) -> UserSettings:
            found = await super().read(user)
            reading.set()
            await may_answer.wait()
            return found

    world = GatewayWorld(engine, kept_seconds=LONG_S, settings=Slow(engine))
    sent = await headers(world, ANA)
    async with world.browser() as browser:
        before = asyncio.create_task(browser.get("/api/user/settings", headers=sent))
        await reading.wait()
        writing = asyncio.create_task(browser.put("/api/user/settings", headers=sent, json=SETTINGS))
        await becoming(lambda: is_saved(engine), "the settings are saved")
        may_answer.set()
        assert (await before).json()["risk_profile"] == "BALANCED"
        await writing
        assert (await browser.get("/api/user/settings", headers=sent)).json()["risk_profile"] == "CONSERVATIVE"


async def is_saved(engine: AsyncEngine) -> bool:
    async with engine.connect() as connection:
        return bool((await connection.execute(text("SELECT count(*) FROM user_settings"))).scalar_one())


async def test_many_who_ask_the_same_at_once_are_one_question(world: GatewayWorld, settings: CountedSettings) -> None:
    sent = await headers(world, ANA)
    async with world.browser() as browser:
        answers = await asyncio.gather(*(browser.get("/api/user/settings", headers=sent) for _ in range(20)))
    assert {one.status_code for one in answers} == {200}
    assert settings.asked == 1


async def test_what_another_process_wrote_is_seen_after_a_moment(engine: AsyncEngine) -> None:
    world = GatewayWorld(engine, kept_seconds=0.05)
    sent = await headers(world, ANA)
    user = UserId((await get(world, "/api/user/status", sent)).json()["user_id"])
    assert (await get(world, "/api/user/settings", sent)).json()["risk_profile"] == "BALANCED"
    await PostgresSettings(engine).save(user, UserSettings("AGGRESSIVE", None, 1.0))

    async def seen() -> bool:
        return bool((await get(world, "/api/user/settings", sent)).json()["risk_profile"] == "AGGRESSIVE")

    await becoming(seen, "the other process's words")


async def test_a_repeat_is_counted_like_any_read(world: GatewayWorld) -> None:
    sent = await headers(world, ANA)
    left = [int((await get(world, "/api/user/settings", sent)).headers["ratelimit-remaining"]) for _ in range(3)]
    assert left == [READS.requests - 1, READS.requests - 2, READS.requests - 3]


async def test_a_visitor_whose_session_ends_soon_gets_a_new_one_whatever_is_kept(engine: AsyncEngine) -> None:
    world = GatewayWorld(engine, kept_seconds=LONG_S)
    async with world.browser() as browser:
        assert (await browser.get("/api/overview")).status_code == 200
    async with world.browser(cookies={"xorj_session": "ended long ago"}) as browser:
        assert "xorj_session" in (await browser.get("/api/overview")).headers["set-cookie"]
    async with world.browser() as browser:
        assert "set-cookie" not in (await browser.get("/api/overview")).headers


async def test_who_has_the_answer_is_told_so_and_who_reads_gzip_gets_it(world: GatewayWorld) -> None:
    sent = await headers(world, ANA)
    plain = await get(world, "/api/overview", sent | {"accept-encoding": "identity"})
    assert (await get(world, "/api/overview", sent | {"if-none-match": plain.headers["etag"]})).status_code == 304
    async with world.browser() as browser, browser.stream("GET", "/api/overview", headers=sent | {"accept-encoding": "gzip"}) as squeezed:
        raw = b"".join([chunk async for chunk in squeezed.aiter_raw()])
    if len(plain.content) >= kept_answers.GZIP_BYTES_MIN:
        assert gzip.decompress(raw) == plain.content
    else:
        assert raw == plain.content
    assert plain.headers["cache-control"] == "no-store"
    assert "authorization" in plain.headers["vary"].lower()


async def test_an_answer_to_another_site_is_kept_for_nobody_else(world: GatewayWorld) -> None:
    sent = await headers(world, ANA)
    own = await get(world, "/api/user/settings", sent | {"origin": ORIGIN})
    evil = await get(world, "/api/user/settings", sent | {"origin": "https://evil.example"})
    assert own.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-origin" not in evil.headers
