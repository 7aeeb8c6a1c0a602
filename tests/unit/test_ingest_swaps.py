"""Ingestion on a history in memory: whole, once, in order, and never silently short."""

from dataclasses import replace
from typing import Any

import pytest
from tests.fakes.chain_history import ChainHistory
from tests.fakes.made_swaps import VENUE, wallet
from tests.fakes.made_transactions import Made, swap_transaction
from tests.fakes.swap_lake import MemoryLake

from xorj.chain.transactions import ChainTransaction, SignatureInfo
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Address, Slot
from xorj.swaps import ingest_swaps as ingestion
from xorj.swaps.ingest_swaps import Progress, Sources, ingest_swaps
from xorj.swaps.record import Cursor

SOURCES = Sources(venues=(VENUE,))
ANA, BEN, CEM = wallet("ana"), wallet("ben"), wallet("cem")


def history_of(*names: str, swaps: int = 3) -> list[ChainTransaction]:
    """Each name swaps `swaps` times, one slot apart, all interleaved."""
    return [
        swap_transaction(name, "1 SOL", "9 USDC", slot=10 + turn * 10 + place, index=place)
        for turn in range(swaps)
        for place, name in enumerate(names)
    ]


def slots(lake: MemoryLake, who: str) -> list[int]:
    return [record.slot for record in lake.kept if record.wallet == wallet(who)]


async def test_everybody_who_swapped_at_the_venue_is_read_once_and_in_order() -> None:
    reader, lake = ChainHistory(history_of("ana", "ben")), MemoryLake()
    ingested = await ingest_swaps(SOURCES, reader, lake)
    assert (slots(lake, "ana"), slots(lake, "ben")) == ([10, 20, 30], [11, 21, 31])
    assert (ingested.records, ingested.outcomes["swap"], ingested.up_to_slot) == (6, 6, 31)
    assert await lake.venue_cursor(VENUE) == 31
    assert len(set(reader.transactions_asked)) == len(reader.transactions_asked)


async def test_a_second_pass_adds_only_what_is_new() -> None:
    reader, lake = ChainHistory(history_of("ana")), MemoryLake()
    await ingest_swaps(SOURCES, reader, lake)
    reader.transactions_asked.clear()
    assert (await ingest_swaps(SOURCES, reader, lake)).records == 0
    assert reader.transactions_asked == []
    reader.add(swap_transaction("ana", "1 SOL", "9 USDC", slot=99))
    assert (await ingest_swaps(SOURCES, reader, lake)).records == 1
    assert slots(lake, "ana") == [10, 20, 30, 99]


async def test_a_wallet_is_read_from_its_first_transaction_on_not_from_its_first_swap() -> None:
    transfer = Made(payer="ana", slot=5).gains_lamports("ben", 5).done()
    lake = MemoryLake()
    ingested = await ingest_swaps(SOURCES, ChainHistory([transfer, *history_of("ana")]), lake)
    assert slots(lake, "ana") == [5, 10, 20, 30]
    assert ingested.outcomes == {"swap": 3, "not_a_swap": 1}


async def test_the_excluded_are_never_read() -> None:
    lake = MemoryLake()
    await ingest_swaps(Sources((VENUE,), excluded=frozenset({BEN})), ChainHistory(history_of("ana", "ben")), lake)
    assert slots(lake, "ben") == []
    assert await lake.venue_cursor(VENUE) == 31


async def test_who_only_signed_or_failed_there_is_no_swapper() -> None:
    nothing = Made(payer="cem", slot=12).runs(VENUE).done()
    failed = replace(swap_transaction("ben", "1 SOL", "9 USDC", slot=13), error='"AccountInUse"')
    lake = MemoryLake()
    await ingest_swaps(SOURCES, ChainHistory([*history_of("ana"), nothing, failed]), lake)
    assert (await lake.cursors()).keys() == {ANA}


async def test_a_watched_wallet_is_read_though_it_never_came_to_the_venue() -> None:
    lake = MemoryLake()
    transfer = Made(payer="cem", slot=500).gains_lamports("ben", 5).done()
    await ingest_swaps(Sources((VENUE,), watched=frozenset({CEM})), ChainHistory([*history_of("ana"), transfer]), lake)
    assert (slots(lake, "cem"), slots(lake, "ana")) == ([500], [10, 20, 30])


@pytest.mark.parametrize("rows", [1, 2, 7])
async def test_pages_cut_short_by_the_node_hide_nothing(rows: int) -> None:
    reader, lake = ChainHistory(history_of("ana", "ben", swaps=10)), MemoryLake()
    reader.page_rows_max = rows
    await ingest_swaps(SOURCES, reader, lake)
    assert len(lake.kept) == 20


async def test_a_page_that_begins_again_is_refused() -> None:
    reader, lake = ChainHistory(history_of("ana", swaps=10)), MemoryLake()
    reader.page_rows_max, reader.repeats_the_newest_page = 3, True
    with pytest.raises(Unavailable, match="page"):
        await ingest_swaps(SOURCES, reader, lake)
    assert lake.kept == []


async def test_a_node_that_no_longer_knows_where_the_last_page_ended_is_refused() -> None:
    reader, lake = ChainHistory(history_of("ana", swaps=10)), MemoryLake()
    reader.page_rows_max, reader.pages_known = 3, 2
    with pytest.raises(Unavailable, match="before unknown"):
        await ingest_swaps(SOURCES, reader, lake)
    assert lake.kept == []


async def test_a_wallet_whose_cursor_is_gone_stays_where_it_is_and_the_others_go_on() -> None:
    reader, lake = ChainHistory(history_of("ana", "ben")), MemoryLake()
    await ingest_swaps(SOURCES, reader, lake)
    reader.transactions_by_signature = {
        key: one for key, one in reader.transactions_by_signature.items() if one.slot < 20 or one.account_keys[0] != ANA
    }
    reader.add(swap_transaction("ana", "1 SOL", "9 USDC", slot=40), swap_transaction("ben", "1 SOL", "9 USDC", slot=41))
    ingested = await ingest_swaps(SOURCES, reader, lake)
    assert ingested.left_out.keys() == {ANA}
    assert (slots(lake, "ana"), slots(lake, "ben")) == ([10, 20, 30], [11, 21, 31, 41])


async def test_a_wallet_that_does_not_list_what_it_did_at_the_venue_is_refused() -> None:
    class Silent(ChainHistory):
        async def signatures(self, address: Address, **asked: Any) -> list[SignatureInfo]:
            return [row for row in await super().signatures(address, **asked) if address == VENUE or row.slot < 30]

    lake = MemoryLake()
    with pytest.raises(Unavailable, match="does not list"):
        await ingest_swaps(SOURCES, Silent(history_of("ana")), lake)
    assert lake.kept == []


async def test_a_node_behind_what_was_read_is_refused() -> None:
    reader, lake = ChainHistory(history_of("ana")), MemoryLake()
    await ingest_swaps(Sources((), watched=frozenset({ANA})), reader, lake)
    behind = ChainHistory([one for one in reader.transactions_by_signature.values() if one.slot < 30])
    with pytest.raises(Unavailable, match="behind"):
        await ingest_swaps(Sources((), watched=frozenset({ANA})), behind, lake)


async def test_balances_that_do_not_carry_over_are_counted() -> None:
    transactions = [Made(payer="ana", slot=slot, fee=0).moves("ana", "USDC", *held).done() for slot, held in ((1, "57"), (2, "94"))]
    ingested = await ingest_swaps(Sources((), watched=frozenset({ANA})), ChainHistory(transactions), MemoryLake())
    assert ingested.breaks == {"tokens": 1}


async def test_what_is_listed_and_cannot_be_read_stops_the_pass_and_not_the_history() -> None:
    transactions = history_of("ana", swaps=4)
    reader, lake = ChainHistory(transactions), MemoryLake()
    reader.withheld = {transactions[2].signature}
    with pytest.raises(Unavailable, match="cannot be read"):
        await ingest_swaps(SOURCES, reader, lake)
    assert lake.kept == []
    reader.withheld = set()
    await ingest_swaps(SOURCES, reader, lake)
    assert slots(lake, "ana") == [10, 20, 30, 40]


async def test_a_pass_that_breaks_off_keeps_what_it_committed_and_the_next_goes_on_there() -> None:
    swaps = ingestion.TRANSACTIONS_PER_SLICE_MAX * 2 + 10
    reader, lake = ChainHistory(history_of("ana", "ben", swaps=swaps // 2)), MemoryLake()
    reader.dies_after_transactions = ingestion.TRANSACTIONS_PER_SLICE_MAX + 5
    with pytest.raises(Unavailable):
        await ingest_swaps(SOURCES, reader, lake)
    first = len(lake.kept)
    assert 0 < first < swaps
    reader.dies_after_transactions = None
    await ingest_swaps(SOURCES, reader, lake)
    assert len(lake.kept) == swaps == len({(record.wallet, record.signature) for record in lake.kept})
    assert lake.commits == 3
    assert slots(lake, "ana") == sorted(slots(lake, "ana"))


async def test_transactions_of_one_slot_keep_the_nodes_order_where_it_gives_no_index() -> None:
    early = swap_transaction("ana", "1 SOL", "9 USDC", slot=10, index=0)
    late = swap_transaction("ana", "2 SOL", "9 USDC", slot=10, index=1)
    reader, lake = ChainHistory([replace(late, transaction_index=None), replace(early, transaction_index=None)]), MemoryLake()
    await ingest_swaps(SOURCES, reader, lake)
    swaps = await lake.swaps()
    assert [swap.signature for swap in swaps] == [early.signature, late.signature]
    assert [swap.order.transaction_index for swap in swaps] == [0, 1]


async def test_progress_is_told_until_the_end() -> None:
    told: list[Progress] = []
    await ingest_swaps(SOURCES, ChainHistory(history_of("ana")), MemoryLake(), tell=told.append)
    assert (told[-1].pages, told[-1].read, told[-1].to_read) == (4, 3, 3)
    assert [one.read for one in told] == sorted(one.read for one in told)


async def test_cursors_stand_at_the_newest_transaction_of_each_wallet() -> None:
    lake, transactions = MemoryLake(), history_of("ana")
    await ingest_swaps(SOURCES, ChainHistory(transactions), lake)
    assert await lake.cursors() == {ANA: Cursor(Slot(30), transactions[-1].signature)}
