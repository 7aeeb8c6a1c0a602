"""One transaction read in either encoding is one transaction to the decoder; and the clock's way around slots without a block."""

import httpx2
import orjson
import pytest
from tests.fakes.localnet_world import ANA, BEN, BEN_TOKENS, LocalnetWorld, lamports_to, tokens_to

from xorj.adapters.solana_rpc.clock import SLOTS_WITHOUT_TIME_MAX, NodeClock
from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.adapters.solana_rpc.transactions import parse_transaction
from xorj.primitives.clock import ChainTime
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Slot, Wallet
from xorj.swaps.balance_change import change_of
from xorj.swaps.decoder import decode, traders
from xorj.swaps.instruction_tree import token_flows


async def test_json_and_json_parsed_read_alike() -> None:
    world = LocalnetWorld()
    signature = await world.sends(world.signed(lamports_to(BEN.pubkey(), 7), tokens_to(BEN_TOKENS, 9)))
    world.slots_pass(2)
    plain, parsed = [parse_transaction(await world.transaction(signature, encoding=encoding)) for encoding in ("json", "jsonParsed")]
    assert (parsed.account_keys, parsed.pre_token_balances, parsed.post_balances) == (
        plain.account_keys,
        plain.pre_token_balances,
        plain.post_balances,
    )
    assert [(one.program, one.data, one.accounts) for one in parsed.instructions] == [
        (one.program, one.data, one.accounts) for one in plain.instructions
    ]
    assert list(token_flows(parsed)) == list(token_flows(plain))
    assert traders(parsed) == traders(plain)
    for who in (ANA, BEN):
        wallet = Wallet(str(who.pubkey()))
        assert change_of(parsed, wallet) == change_of(plain, wallet)
        assert decode(parsed, wallet) == decode(plain, wallet)


def clock(blocks: dict[int, dict[str, int | None] | None]) -> NodeClock:
    """A clock on a node at slot 100 with these blocks; a slot that is not among them was skipped."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked = orjson.loads(request.content)
        reply: dict[str, object] = {"jsonrpc": "2.0", "id": asked["id"]}
        if asked["method"] == "getSlot":
            return httpx2.Response(200, content=orjson.dumps(reply | {"result": 100}))
        slot = asked["params"][0]
        if slot in blocks:
            return httpx2.Response(200, content=orjson.dumps(reply | {"result": blocks[slot]}))
        return httpx2.Response(200, content=orjson.dumps(reply | {"error": {"code": -32007, "message": "skipped"}}))

    return NodeClock(SolanaNode("http://node.test", transport=httpx2.MockTransport(answer)))


async def test_the_clock_goes_back_to_the_newest_block_with_a_time() -> None:
    blocks: dict[int, dict[str, int | None] | None] = {99: {"blockHeight": 90, "blockTime": None}, 97: {"blockHeight": 88, "blockTime": 5}}
    assert await clock(blocks).now() == ChainTime(Slot(97), 88, 5)


async def test_a_chain_without_time_is_unavailable_and_no_time_is_made_up() -> None:
    with pytest.raises(Unavailable, match=f"in the {SLOTS_WITHOUT_TIME_MAX} slots up to 100"):
        await clock({}).now()
