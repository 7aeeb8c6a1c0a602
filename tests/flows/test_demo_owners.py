"""The demo market's owners of several wallets are found from its chain alone: executed, read by a node's RPC, decoded, tied together."""

import httpx2
from tests.fakes.swap_lake import MemoryLake

from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.demo.history import execute_history, market_genesis
from xorj.demo.identities import EXCLUDED_WALLETS
from xorj.demo.leaders import Kind
from xorj.demo.market import Cast
from xorj.demo.plans import Season
from xorj.demo.prices import STEPS_PER_DAY
from xorj.localnet.bank import Bank
from xorj.localnet.live import LiveChain
from xorj.localnet.rpc.context import Node
from xorj.localnet.rpc.dispatch import answer_bytes
from xorj.market.local_amm import PROGRAM_ID
from xorj.swaps.ingest_swaps import Sources, ingest_swaps
from xorj.swaps.valuation import value_swaps
from xorj.trust.copy_replay import Prices
from xorj.trust.links import links_of

NOW, FINALITY_SLOTS = 1_790_000_000, 40
SHORT = Season(0, 6 * STEPS_PER_DAY, live=False, number=0)


async def history_of(bank: Bank) -> MemoryLake:
    for _ in range(FINALITY_SLOTS):
        bank.advance(1, bank.unix_seconds + 1)
    node = Node(LiveChain(bank, slot_ms=200, block_seconds=lambda: bank.unix_seconds + 1))

    async def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=await answer_bytes(node, request.content))

    lake = MemoryLake()
    async with SolanaNode("http://localnet", transport=httpx2.MockTransport(answer)) as reader:
        await ingest_swaps(Sources(venues=(PROGRAM_ID,), excluded=EXCLUDED_WALLETS), reader, lake)
    return lake


async def test_clones_and_the_wash_pair_have_one_owner_each_and_nobody_else_is_tied() -> None:
    cast = Cast.of(1)
    bank = Bank.open(None, market_genesis(cast, NOW, SHORT))
    execute_history(bank, cast, SHORT)
    lake = await history_of(bank)
    links = links_of(value_swaps(await lake.swaps()).swaps, await lake.movements(), Prices({}))
    groups = {frozenset((wallet, *one.others)) for wallet, one in links.items() if one.others}
    owners = ({Kind.CLONE_OWNER, Kind.CLONE}, {Kind.WASH_WINNER, Kind.WASH_LOSER})
    assert groups == {frozenset(leader.wallet for leader in cast.leaders if leader.kind in kinds) for kinds in owners}
    assert sorted(len(group) for group in groups) == [2, 5]
