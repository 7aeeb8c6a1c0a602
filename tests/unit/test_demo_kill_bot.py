"""The gate between bot and chain kills at three real moments, each once, on the network's side of the bot."""

import asyncio
import base64
from typing import Any

import httpx2
import orjson
import pytest
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.transaction import VersionedTransaction

from xorj.demo.kill_bot import BotGate, Kill, KillState, sent_signature

PAYER = Keypair.from_seed(bytes([5]) * 32)


def transaction(number: int) -> tuple[str, bytes]:
    signed = VersionedTransaction(MessageV0.try_compile(PAYER.pubkey(), [], [], Hash(bytes([number]) * 32)), [PAYER])
    body = {"jsonrpc": "2.0", "id": 1, "method": "sendTransaction", "params": [base64.b64encode(bytes(signed)).decode(), {}]}
    return str(signed.signatures[0]), orjson.dumps(body)


class Chain:
    """A node that remembers what reached it; a sent transaction is at `status`."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.status: str | None = "processed"

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        read = orjson.loads(request.content)
        if read["method"] == "sendTransaction":
            self.sent.append(sent_signature(request.content) or "")
            return httpx2.Response(200, json={"result": self.sent[-1]})
        if read["method"] == "getSignatureStatuses":
            known = read["params"][0][0] in self.sent
            return httpx2.Response(200, json={"result": {"value": [{"confirmationStatus": self.status} if known else None]}})
        return httpx2.Response(200, json={"result": read["method"]})


class World:
    def __init__(self) -> None:
        self.chain, self.killed, self.committed = Chain(), 0, True
        client = httpx2.AsyncClient(transport=httpx2.MockTransport(self.chain))
        self.gate = BotGate("http://chain", self._kill, lambda _: self.committed, _client=client)

    def _kill(self) -> None:
        self.killed += 1

    async def asks(self, body: bytes) -> tuple[int, bytes]:
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.gate({"type": "http"}, receive, send)
        return sent[0]["status"], sent[1]["body"]


@pytest.fixture
def world() -> World:
    return World()


async def test_the_three_kills_happen_in_order_at_their_moments(world: World) -> None:
    (first, first_body), (second, second_body), (third, third_body) = (transaction(number) for number in (1, 2, 3))
    assert (await world.asks(first_body))[0] == 503
    assert (world.killed, world.chain.sent) == (1, [])
    assert (await world.asks(first_body))[0] == 200
    assert world.chain.sent == [first]
    assert (await world.asks(second_body))[0] == 503
    assert (world.killed, world.chain.sent) == (2, [first, second])
    world.chain.status = "confirmed"
    assert (await world.asks(third_body))[0] == 200
    await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()}, timeout=5)
    assert world.killed == 3
    assert world.gate.kills == [Kill(KillState.NOT_SENT, first), Kill(KillState.NOT_SEEN, second), Kill(KillState.NOT_FINAL, third)]


async def test_a_signature_that_is_not_committed_is_not_the_moment(world: World) -> None:
    world.committed = False
    signature, body = transaction(1)
    assert (await world.asks(body))[0] == 200
    assert (world.killed, world.chain.sent) == (0, [signature])


async def test_everything_else_passes(world: World) -> None:
    status, answer = await world.asks(orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": "getSlot", "params": []}))
    assert (status, orjson.loads(answer)) == (200, {"result": "getSlot"})
    assert world.killed == 0
