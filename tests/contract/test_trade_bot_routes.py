"""The trade-bot's routes: who may ask, what they answer, and what they refuse."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from xorj.engine_api.trade_bot import BotStatus, trade_bot_routes
from xorj.observability.http import create_app

TOKEN = "for-this-test-alone"
STATUS = BotStatus(
    state="trading",
    stopped_reason=None,
    gate_open=True,
    draining=False,
    lease_epoch=3,
    heartbeat_slot=1_234,
    open_intents={"in_flight": 1},
    open_attempts=1,
    in_doubt=0,
    halted={},
    watched_leaders=5,
)


class Bot:
    def __init__(self) -> None:
        self.draining = False

    async def status(self) -> BotStatus:
        return STATUS.model_copy(update={"draining": self.draining, "state": "draining" if self.draining else "trading"})

    async def drain(self, draining: bool) -> None:
        self.draining = draining


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    bot = Bot()
    app = create_app("trade-bot")
    app.include_router(trade_bot_routes(TOKEN, bot.status, bot.drain))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://bot", headers={"authorization": f"Bearer {TOKEN}"}) as made:
        yield made


async def test_the_status_says_what_the_bot_is_doing(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/internal/status")
    assert (answer.status_code, answer.json()) == (200, STATUS.model_dump())


async def test_draining_is_told_and_taken_back(client: httpx2.AsyncClient) -> None:
    assert (await client.post("/internal/drain", json={"drain": True})).json()["state"] == "draining"
    assert (await client.post("/internal/drain", json={"drain": False})).json()["state"] == "trading"


@pytest.mark.parametrize("shown", ["", "Bearer", "Bearer wrong", TOKEN, f"bearer {TOKEN}", f"Bearer {TOKEN} "])
@pytest.mark.parametrize(("method", "path"), [("GET", "/internal/status"), ("POST", "/internal/drain")])
async def test_without_the_token_nothing_is_answered(client: httpx2.AsyncClient, method: str, path: str, shown: str) -> None:
    answer = await client.request(method, path, headers={"authorization": shown}, json={"drain": True})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"drain": "yes"}', b'{"drain": 1}', b'{"drain": true, "more": 1}', b"{", b"\xff"])
async def test_a_body_of_another_shape_is_refused(client: httpx2.AsyncClient, body: bytes) -> None:
    answer = await client.post("/internal/drain", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
