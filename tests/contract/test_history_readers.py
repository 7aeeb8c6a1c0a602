"""What every source of history does: the one in memory, a plain node, one with full histories, and a pool of them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from tests.fakes.carried_over import carried_over
from tests.fakes.chain_history import ChainHistory
from tests.fakes.history_provider import HistoryProvider
from tests.fakes.made_swaps import VENUE, signature, wallet
from tests.fakes.made_transactions import Made, swap_transaction
from tests.fakes.swap_lake import MemoryLake

from xorj.adapters.solana_rpc import full_history
from xorj.adapters.solana_rpc.full_history import FullHistoryNode, offers_full_history
from xorj.adapters.solana_rpc.history_pool import Allowance, HistoryPool
from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.adapters.solana_rpc.open_history import full_numbers, open_history
from xorj.chain.ports import HistoryReader
from xorj.chain.transactions import ChainTransaction, Commitment
from xorj.primitives.errors import InvalidInput, Unavailable
from xorj.primitives.ids import LOCAL_GENESIS, Address
from xorj.swaps.ingest_swaps import Sources, ingest_swaps

URL = "http://provider.test"
ANA = Address(wallet("ana"))
UNLIMITED = Allowance(requests_per_s=1e9)

Opened = Callable[[ChainHistory], Any]


@asynccontextmanager
async def in_memory(history: ChainHistory) -> AsyncIterator[HistoryReader]:
    yield history


@asynccontextmanager
async def plain_node(history: ChainHistory) -> AsyncIterator[HistoryReader]:
    async with SolanaNode(URL, name="plain", transport=HistoryProvider(history).transport()) as node:
        yield node


@asynccontextmanager
async def full_node(history: ChainHistory) -> AsyncIterator[HistoryReader]:
    async with FullHistoryNode(URL, name="full", transport=HistoryProvider(history).transport()) as node:
        yield node


@asynccontextmanager
async def pool(history: ChainHistory) -> AsyncIterator[HistoryReader]:
    plain, full = (kind(URL, name=kind.__name__, transport=HistoryProvider(history).transport()) for kind in (SolanaNode, FullHistoryNode))
    async with plain, full:
        yield HistoryPool([(plain, UNLIMITED), (full, UNLIMITED)], LOCAL_GENESIS)


@pytest.fixture(params=[in_memory, plain_node, full_node, pool], ids=lambda one: one.__name__)
def opened(request: pytest.FixtureRequest) -> Opened:
    made: Opened = request.param
    return made


def swaps(count: int, who: str = "ana") -> list[ChainTransaction]:
    return carried_over([swap_transaction(who, "1 SOL", "9 USDC", slot=10 + turn // 2, index=turn % 2) for turn in range(count)])


async def test_pages_go_from_the_newest_backwards_until_nothing_is_left(opened: Opened) -> None:
    made, seen = swaps(250), list[str]()
    async with opened(ChainHistory(made)) as reader:
        while page := await reader.signatures(ANA, limit=60, before=seen[-1] if seen else None):
            assert len(page) <= 60
            seen += [row.signature for row in page]
    assert seen == [one.signature for one in reversed(made)]


async def test_a_page_ends_before_the_signature_that_is_known(opened: Opened) -> None:
    made = swaps(9)
    async with opened(ChainHistory(made)) as reader:
        page = await reader.signatures(ANA, until=made[3].signature, before=made[7].signature)
    assert [row.signature for row in page] == [one.signature for one in reversed(made[4:7])]


async def test_rows_say_when_where_and_whether_it_failed(opened: Opened) -> None:
    (one,) = swaps(1)
    async with opened(ChainHistory([one])) as reader:
        (row,) = await reader.signatures(ANA)
    assert (row.signature, row.slot, row.block_time, row.error, row.transaction_index) == (one.signature, 10, one.block_time, None, 0)


async def test_nobody_has_no_history(opened: Opened) -> None:
    async with opened(ChainHistory(swaps(3))) as reader:
        assert await reader.signatures(Address(wallet("nobody"))) == []
        assert await reader.transactions([]) == []


async def test_transactions_come_in_the_order_asked_with_none_for_the_unknown(opened: Opened) -> None:
    made, strange = swaps(120), signature(999_999)
    async with opened(ChainHistory(made)) as reader:
        await reader.signatures(ANA)
        asked = [made[7].signature, strange, *(one.signature for one in made)]
        read = await reader.transactions(asked)
        again = await reader.transactions(asked)
    assert [None if one is None else one.signature for one in read] == [asked[0], None, *asked[2:]]
    assert [None if one is None else one.post_token_balances for one in read] == [
        None if one is None else one.post_token_balances for one in again
    ]


async def test_ingestion_makes_the_same_history_of_each(opened: Opened) -> None:
    made = carried_over([*swaps(30), Made(payer="somebody", slot=17, index=5).moves("ana", "USDC", "0", "50").done()])
    lake = MemoryLake()
    async with opened(ChainHistory(made)) as reader:
        ingested = await ingest_swaps(Sources((VENUE,)), reader, lake)
    assert (len(lake.kept), dict(ingested.breaks)) == (31, {})
    assert sorted(record.signature for record in lake.kept) == sorted(one.signature for one in made)


# what the provider of full histories does beside that


def methods(provider: HistoryProvider) -> list[str]:
    return [method for method, _ in provider.asked]


async def test_transfers_to_token_accounts_are_listed_and_whole_transactions_come_with_the_page() -> None:
    made = carried_over([*swaps(4), Made(payer="somebody", slot=17).moves("ana", "USDC", "0", "50").done()])
    provider = HistoryProvider(ChainHistory(made))
    async with FullHistoryNode(URL, name="full", transport=provider.transport()) as node:
        rows = await node.signatures(ANA)
        read = await node.transactions([row.signature for row in rows])
        await node.transactions([rows[0].signature])
    assert ({row.source for row in rows}, [row.slot for row in rows]) == ({"full"}, [17, 11, 11, 10, 10])
    assert [one and one.signature for one in read] == [row.signature for row in rows]
    assert methods(provider) == ["getTransactionsForAddress", "getTransaction"]
    options = provider.asked[0][1][1]
    assert options["filters"] == {"status": "any", "tokenAccounts": "balanceChanged"}
    assert (options["maxSupportedTransactionVersion"], options["sortOrder"], options["commitment"]) == (1, "desc", "finalized")


async def test_the_next_page_goes_by_the_token_and_after_a_restart_by_the_signature() -> None:
    provider = HistoryProvider(ChainHistory(swaps(8)))
    async with FullHistoryNode(URL, transport=provider.transport()) as node:
        first = await node.signatures(ANA, limit=3)
        second = await node.signatures(ANA, limit=3, before=first[-1].signature)
    async with FullHistoryNode(URL, transport=provider.transport()) as node:
        assert await node.signatures(ANA, limit=3, before=first[-1].signature) == second
    (_, began), (_, by_token), (_, by_signature) = provider.asked
    assert "paginationToken" not in began[1]
    assert by_token[1]["paginationToken"] == f"{first[-1].slot}:{first[-1].transaction_index}"
    assert by_signature[1]["filters"]["signature"] == {"lt": first[-1].signature}


async def test_a_long_walk_goes_on_with_signatures_when_no_more_can_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full_history, "TRANSACTIONS_KEPT_MAX", 150)
    made = swaps(400)
    provider = HistoryProvider(ChainHistory(made))
    async with FullHistoryNode(URL, transport=provider.transport()) as node:
        seen = list(await node.signatures(ANA))
        while page := await node.signatures(ANA, before=seen[-1].signature):
            seen += page
    assert [row.signature for row in seen] == [one.signature for one in reversed(made)]
    details = [options["transactionDetails"] for _, (_, options) in provider.asked]
    assert details == ["full", "signatures", "signatures"]


async def test_what_was_seen_confirmed_is_asked_for_again_when_it_must_be_final() -> None:
    provider = HistoryProvider(ChainHistory(swaps(1)))
    async with FullHistoryNode(URL, transport=provider.transport()) as node:
        (row,) = await node.signatures(ANA, commitment=Commitment.CONFIRMED)
        await node.transactions([row.signature], commitment=Commitment.FINALIZED)
        await node.transactions([row.signature], commitment=Commitment.CONFIRMED)
    assert methods(provider) == ["getTransactionsForAddress", "getTransaction"]


@pytest.mark.parametrize(
    "result",
    [None, [], {}, {"data": None}, {"data": [5]}, {"data": [{"slot": 1}]}, {"data": [], "paginationToken": 7}],
    ids=str,
)
async def test_a_page_of_another_shape_is_a_fault(result: Any) -> None:
    class Odd(HistoryProvider):
        async def _result(self, method: str, params: list[Any]) -> Any:
            return result

    async with FullHistoryNode(URL, transport=Odd(ChainHistory()).transport(), read_attempts=1) as node:
        with pytest.raises(Unavailable, match="malformed"):
            await node.signatures(ANA)


def test_a_provider_is_known_by_its_host() -> None:
    assert [offers_full_history(host) for host in ("mainnet.helius-rpc.com", "helius-rpc.com", "nothelius-rpc.com", "localhost")] == [
        True,
        True,
        False,
        False,
    ]


async def test_all_providers_are_opened_by_their_settings() -> None:
    urls = ["http://one.test", "https://mainnet.helius-rpc.com/?api-key=key", "http://three.test"]
    async with AsyncExitStack() as stack:
        opened = await open_history(urls, LOCAL_GENESIS, stack, allowed="3:50")
        assert [type(node).__name__ for node in opened.nodes] == ["SolanaNode", "FullHistoryNode", "SolanaNode"]
        assert opened.second is not None
        alone = await open_history(urls[:1], LOCAL_GENESIS, stack, full="1")
        assert ([type(node).__name__ for node in alone.nodes], alone.second) == (["FullHistoryNode"], None)
    for wrong in ("0", "4", "one", "1;2"):
        with pytest.raises(InvalidInput, match="full histories"):
            full_numbers(wrong, urls)
