"""What subscribers of the local chain hear, and when; and that both ports tell it over a real WebSocket."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.fakes.localnet_process import LocalnetProcess
from tests.fakes.localnet_world import ANA, BEN, BEN_LAMPORTS, BEN_TOKENS, LocalnetWorld, lamports_to, tokens_to
from websockets.asyncio.client import connect

from xorj.localnet.genesis import TOKEN_PROGRAM
from xorj.localnet.pubsub import Subscriber

UNKNOWN = "5" * 87


class Ear:
    """One connection and everything it was told."""

    def __init__(self, world: LocalnetWorld) -> None:
        self.told: list[Any] = []
        self._subscriber = Subscriber(world.node, lambda message: self.told.append(orjson.loads(message)))
        world.chain.listeners.append(self._subscriber)

    async def asks(self, method: str, *params: Any) -> Any:
        await self._subscriber.receive(orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
        return self.told.pop()

    def results(self, kind: str) -> list[Any]:
        return [one["params"]["result"] for one in self.told if one.get("method") == f"{kind}Notification"]


@pytest.fixture
def world() -> LocalnetWorld:
    return LocalnetWorld()


@pytest.fixture
def ear(world: LocalnetWorld) -> Ear:
    return Ear(world)


async def test_a_slot_names_its_parent_and_the_root(world: LocalnetWorld, ear: Ear) -> None:
    world.becomes_final()
    await ear.asks("slotSubscribe")
    world.slots_pass(2)
    assert ear.results("slot") == [{"slot": slot, "parent": slot - 1, "root": slot - 31} for slot in (world.bank.slot - 1, world.bank.slot)]


async def test_a_signature_is_told_once_at_its_commitment(world: LocalnetWorld, ear: Ear) -> None:
    transaction = world.signed(lamports_to(BEN.pubkey(), 10**15))
    await ear.asks("signatureSubscribe", str(transaction.signatures[0]), {"commitment": "confirmed"})
    slot = world.bank.slot
    await world.sends(transaction, skipPreflight=True)
    assert ear.results("signature") == []
    world.slots_pass(3)
    assert ear.results("signature") == [{"context": {"slot": slot}, "value": {"err": {"InstructionError": [0, {"Custom": 1}]}}}]


async def test_a_signature_that_is_there_already_is_told_at_once(world: LocalnetWorld, ear: Ear) -> None:
    signature = await world.sends(world.signed(lamports_to(BEN.pubkey(), 1)))
    world.slots_pass()
    request = {"jsonrpc": "2.0", "id": 1, "method": "signatureSubscribe", "params": [signature, {"commitment": "confirmed"}]}
    await ear._subscriber.receive(orjson.dumps(request))
    assert [one.get("method") for one in ear.told] == [None, "signatureNotification"]


async def test_logs_of_those_that_mention_an_address(world: LocalnetWorld, ear: Ear) -> None:
    await ear.asks("logsSubscribe", {"mentions": [str(BEN.pubkey())]}, {"commitment": "confirmed"})
    signature = await world.sends(world.signed(lamports_to(BEN.pubkey(), 1)))
    await world.sends(world.signed(tokens_to(BEN_TOKENS, 1)))
    world.slots_pass()
    assert [one["value"]["signature"] for one in ear.results("logs")] == [signature]
    assert ear.results("logs")[0]["value"]["err"] is None


async def test_all_logs_leave_out_the_nodes_own_mark(world: LocalnetWorld, ear: Ear) -> None:
    await ear.asks("logsSubscribe", "all", {"commitment": "processed"})
    signature = await world.sends(world.signed(lamports_to(BEN.pubkey(), 1)))
    assert [one["value"]["signature"] for one in ear.results("logs")] == [signature]
    everything = Ear(world)
    await everything.asks("logsSubscribe", "allWithVotes", {"commitment": "processed"})
    world.slots_pass()
    await world.sends(world.signed(lamports_to(BEN.pubkey(), 2)))
    assert len(everything.results("logs")) == 2


async def test_an_account_is_told_as_of_the_block_that_changed_it(world: LocalnetWorld, ear: Ear) -> None:
    await ear.asks("accountSubscribe", str(BEN.pubkey()), {"encoding": "base64", "commitment": "confirmed"})
    for lamports in (5, 7):
        await world.sends(world.signed(lamports_to(BEN.pubkey(), lamports)))
        world.slots_pass()
    world.slots_pass()
    assert [one["value"]["lamports"] for one in ear.results("account")] == [BEN_LAMPORTS + 5, BEN_LAMPORTS + 12]
    assert ear.results("account")[0]["value"]["data"] == ["", "base64"]


async def test_finalized_accounts_are_told_when_their_block_is_final(world: LocalnetWorld, ear: Ear) -> None:
    await ear.asks("accountSubscribe", str(BEN.pubkey()), {"encoding": "base64"})
    await world.sends(world.signed(lamports_to(BEN.pubkey(), 5)))
    world.slots_pass(30)
    await world.sends(world.signed(lamports_to(BEN.pubkey(), 7)))
    assert ear.results("account") == []
    world.slots_pass()
    assert [one["value"]["lamports"] for one in ear.results("account")] == [BEN_LAMPORTS + 5]


async def test_a_programs_accounts_pass_the_filters(world: LocalnetWorld, ear: Ear) -> None:
    owned_by_ben = {"memcmp": {"offset": 32, "bytes": str(BEN.pubkey())}}
    options = {"encoding": "base64", "commitment": "confirmed", "filters": [{"dataSize": 165}, owned_by_ben]}
    await ear.asks("programSubscribe", str(TOKEN_PROGRAM), options)
    await world.sends(world.signed(tokens_to(BEN_TOKENS, 250)))
    world.slots_pass()
    (told,) = ear.results("program")
    assert told["value"]["pubkey"] == str(BEN_TOKENS)
    assert int.from_bytes(base64.b64decode(told["value"]["account"]["data"][0])[64:72], "little") == 250


async def test_unsubscribing_ends_it_and_an_unknown_number_is_refused(world: LocalnetWorld, ear: Ear) -> None:
    number = (await ear.asks("slotSubscribe"))["result"]
    assert (await ear.asks("slotUnsubscribe", number))["result"] is True
    world.slots_pass()
    assert ear.results("slot") == []
    assert (await ear.asks("signatureUnsubscribe", 424242))["error"] == {"code": -32602, "message": "Invalid subscription id."}


@pytest.mark.parametrize(
    ("method", "params", "code", "message"),
    [
        ("logsSubscribe", ["bad"], -32602, "Invalid params: unknown variant `bad`, expected one of `all`, `allWithVotes`, `mentions`."),
        ("logsSubscribe", [{"mentions": [UNKNOWN, UNKNOWN]}], -32602, "Invalid Request: Only 1 address supported"),
        ("nothingSubscribe", [], -32601, "Method not found"),
        ("accountSubscribe", ["zz"], -32602, "Invalid param: WrongSize"),
    ],
)
async def test_bad_subscriptions_are_refused(ear: Ear, method: str, params: list[Any], code: int, message: str) -> None:
    assert (await ear.asks(method, *params))["error"] == {"code": code, "message": message}


async def test_what_happens_on_the_bank_directly_is_told_too(world: LocalnetWorld, ear: Ear) -> None:
    await ear.asks("logsSubscribe", {"mentions": [str(ANA.pubkey())]}, {"commitment": "confirmed"})
    world.bank.execute(world.signed(lamports_to(BEN.pubkey(), 1)))
    world.bank.advance()
    world.slots_pass()
    assert len(ear.results("logs")) == 1


async def test_both_ports_speak_websocket(tmp_path: Path) -> None:
    with LocalnetProcess(tmp_path, slot_ms=20) as chain:
        for port in (chain.rpc_port, chain.websocket_port):
            async with connect(f"ws://127.0.0.1:{port}") as socket, asyncio.timeout(10):
                await socket.send(orjson.dumps({"jsonrpc": "2.0", "id": 7, "method": "slotSubscribe", "params": []}).decode())
                assert orjson.loads(await socket.recv())["id"] == 7
                assert orjson.loads(await socket.recv())["method"] == "slotNotification"
