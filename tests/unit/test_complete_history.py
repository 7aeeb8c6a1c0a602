"""What a source left out of a wallet's history is found by the balances, or it is a hole that keeps the wallet from being ranked."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.carried_over import carried_over
from tests.fakes.chain_history import ChainHistory
from tests.fakes.made_swaps import VENUE, wallet
from tests.fakes.made_transactions import Made, swap_transaction
from tests.fakes.swap_lake import MemoryLake

from xorj.chain.transactions import ChainTransaction, SignatureInfo
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Address, Slot
from xorj.swaps import complete_history
from xorj.swaps import ingest_swaps as ingestion
from xorj.swaps.coverage import Hole, Learned, SlotRange, merged, open_holes
from xorj.swaps.extend_history import extend_history
from xorj.swaps.ingest_swaps import Memory, Sources, ingest_swaps
from xorj.swaps.mend_history import mend_history
from xorj.swaps.swap import NotASwap, NotASwapKind

ANA = wallet("ana")
WATCHED = Sources((), watched=frozenset({ANA}))


def swaps_of_ana(*slots: int, index: int | None = 0) -> list[ChainTransaction]:
    return [swap_transaction("ana", "1 SOL", "9 USDC", slot=slot, index=index) for slot in slots]


def received(slot: int, index: int | None = 0) -> ChainTransaction:
    """Somebody sends ana USDC: her token account is in it, she is not."""
    return Made(payer="somebody", slot=slot, index=index).moves("ana", "USDC", "0", "50").done()


def without(transactions: Sequence[ChainTransaction], *slots: int) -> list[ChainTransaction]:
    return [one for one in transactions if one.slot not in slots]


class Named(ChainHistory):
    """A source that says its name in every row."""

    def __init__(self, name: str, transactions: Sequence[ChainTransaction]) -> None:
        super().__init__(transactions)
        self.name, self.is_away = name, False

    async def signatures(self, address: Address, **asked: Any) -> list[SignatureInfo]:
        if self.is_away:
            raise Unavailable(self.name, "away")
        return [replace(row, source=self.name) for row in await super().signatures(address, **asked)]


def slots(lake: MemoryLake) -> list[int]:
    return sorted(record.slot for record in lake.kept)


async def test_what_others_sent_to_a_token_account_is_found_through_the_account() -> None:
    lake = MemoryLake()
    chain = ChainHistory(carried_over([*swaps_of_ana(10, 30), received(20)]))
    ingested = await ingest_swaps(WATCHED, chain, lake)
    assert (slots(lake), ingested.added, dict(ingested.breaks)) == ([10, 20, 30], 1, {})
    assert await lake.open_holes() == {}
    assert {record.slot: record.outcome for record in lake.kept}[20] == NotASwap(NotASwapKind.TRANSFER)


class Placeless(ChainHistory):
    """A node that does not tell a transaction's place in its slot."""

    async def signatures(self, address: Address, **asked: Any) -> list[SignatureInfo]:
        return [replace(row, transaction_index=None) for row in await super().signatures(address, **asked)]


@pytest.mark.parametrize("node", [ChainHistory, Placeless])
async def test_what_came_in_the_slot_that_the_cursor_has_passed_is_added_late(node: type[ChainHistory]) -> None:
    transactions = carried_over([*swaps_of_ana(10), received(10, 1), *swaps_of_ana(30)])
    chain, lake, memory = node(transactions[:2]), MemoryLake(), Memory()
    await ingest_swaps(WATCHED, chain, lake, memory=memory)
    assert slots(lake) == [10]
    chain.add(transactions[2])
    ingested = await ingest_swaps(WATCHED, chain, lake, memory=memory)
    assert (slots(lake), ingested.added, dict(ingested.breaks)) == ([10, 10, 30], 1, {})
    in_order = sorted(lake.kept, key=lambda one: (one.slot, one.transaction_index))
    assert [one.signature for one in in_order] == [one.signature for one in transactions]


def paid(slot: int) -> ChainTransaction:
    """Ana sends somebody lamports: no token account of hers is in it."""
    return Made(payer="ana", slot=slot, index=0).gains_lamports("somebody", 5).done()


async def test_balances_are_carried_over_a_restart_also_of_accounts_that_the_cursors_transaction_does_not_touch() -> None:
    transactions = carried_over([*swaps_of_ana(10), paid(15), *swaps_of_ana(20, 30)])
    lake = MemoryLake()
    await ingest_swaps(WATCHED, ChainHistory(transactions[:2]), lake)
    ingested = await ingest_swaps(WATCHED, ChainHistory(without(transactions, 20)), lake)
    assert dict(ingested.breaks) == {"lamports": 1, "tokens": 2}
    assert ingested.gapped == {ANA}


async def test_after_a_lake_that_kept_no_balances_they_are_those_that_the_cursors_transaction_shows_and_kept_from_then_on() -> None:
    transactions = carried_over([*swaps_of_ana(10), paid(15), *swaps_of_ana(30, 40)])
    lake = MemoryLake()
    await ingest_swaps(WATCHED, ChainHistory(transactions[:1]), lake)
    lake.all_learned = [replace(one, left={}) for one in lake.all_learned]
    await ingest_swaps(WATCHED, ChainHistory(transactions[:2]), lake)
    ingested = await ingest_swaps(WATCHED, ChainHistory(without(transactions, 30)), lake)
    assert dict(ingested.breaks) == {"lamports": 1, "tokens": 2}


@given(st.lists(st.sampled_from([10, 15, 20, 25, 30, 35, 40, 45]), unique=True), st.booleans())
async def test_the_holes_are_those_of_the_history_wherever_passes_end(ends: list[int], is_remembered: bool) -> None:
    made = carried_over(
        [*swaps_of_ana(10), paid(15), *swaps_of_ana(20), received(25), paid(30), *swaps_of_ana(35), paid(40), *swaps_of_ana(45)]
    )
    listed, found = without(made, 20, 40), []
    for looks in ([], sorted(ends)):
        lake, memory = MemoryLake(), Memory()
        for end in (*looks, 45):
            shown = ChainHistory([one for one in listed if one.slot <= end])
            await ingest_swaps(WATCHED, shown, lake, memory=memory if is_remembered else None)
        found.append(await lake.open_holes())
    assert found[0] == found[1]
    assert len(found[0][ANA]) > 1


async def test_what_was_read_from_where_another_ingester_has_been_since_is_not_committed() -> None:
    lake, transactions = MemoryLake(), carried_over(swaps_of_ana(10, 20))

    class Overtaken(ChainHistory):
        async def transactions(self, signatures: Sequence[Any], **asked: Any) -> Any:
            await ingest_swaps(WATCHED, ChainHistory(transactions), lake)
            return await super().transactions(signatures, **asked)

    with pytest.raises(Unavailable, match="another commit came first"):
        await ingest_swaps(WATCHED, Overtaken(transactions[:1]), lake)
    assert (slots(lake), len(lake.all_learned)) == ([10, 20], 1)


async def test_what_one_source_hides_a_second_tells() -> None:
    transactions = carried_over(swaps_of_ana(10, 20, 30))
    lake, first, second = MemoryLake(), Named("first", without(transactions, 20)), Named("second", transactions)
    ingested = await ingest_swaps(WATCHED, first, lake, second=second)
    assert (slots(lake), ingested.added, ingested.denied) == ([10, 20, 30], 1, 0)
    assert lake.all_learned == [Learned(ANA, SlotRange(Slot(10), Slot(30)), ("first", "second"))]


async def test_what_no_source_explains_is_a_hole() -> None:
    transactions = carried_over(swaps_of_ana(10, 20, 30))
    lake, known = MemoryLake(), without(transactions, 20)
    ingested = await ingest_swaps(WATCHED, Named("first", known), lake, second=Named("second", known))
    (holes,) = (await lake.open_holes()).values()
    assert {(one.mint is None, one.after, one.before) for one in holes} == {(True, 10, 30), (False, 10, 30)}
    assert ingested.gapped == {ANA}


async def test_a_second_source_that_is_away_is_done_without() -> None:
    transactions = carried_over(swaps_of_ana(10, 20, 30))
    lake, second = MemoryLake(), Named("second", transactions)
    second.is_away = True
    await ingest_swaps(WATCHED, Named("first", without(transactions, 20)), lake, second=second)
    assert ANA in await lake.open_holes()
    assert lake.all_learned[0].sources == ("first",)


async def test_a_sample_is_held_against_the_second_source_though_nothing_seems_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(complete_history, "SAMPLED_ONE_IN", 1)
    transactions = carried_over(swaps_of_ana(10, 20, 30))
    lake = MemoryLake()
    ingested = await ingest_swaps(WATCHED, Named("first", transactions), lake, second=Named("second", without(transactions, 30)))
    assert (ingested.denied, ingested.added, slots(lake)) == (1, 0, [10, 20, 30])
    assert lake.all_learned[0].sources == ("first", "second")


def test_one_in_some_is_sampled_and_always_the_same() -> None:
    drawn = [complete_history.is_sampled(wallet(f"w{number}"), SlotRange(Slot(0), Slot(1))) for number in range(2_000)]
    assert 60 <= sum(drawn) <= 140
    assert drawn == [complete_history.is_sampled(wallet(f"w{number}"), SlotRange(Slot(0), Slot(9))) for number in range(2_000)]


async def test_a_cursor_at_a_transaction_that_not_every_source_lists_is_gone_on_from() -> None:
    class ListsTokenAccounts(ChainHistory):
        async def signatures(self, address: Address, **asked: Any) -> list[SignatureInfo]:
            rows = sorted(self.transactions_by_signature.values(), key=lambda one: -one.slot)
            later = [one for one in rows if asked.get("before") is None or one.slot < self.transactions_by_signature[asked["before"]].slot]
            return [SignatureInfo(one.signature, one.slot, one.block_time, None, one.transaction_index) for one in later]

    transactions = carried_over([*swaps_of_ana(10), received(20), *swaps_of_ana(30)])
    lake = MemoryLake()
    await ingest_swaps(WATCHED, ListsTokenAccounts(transactions[:2]), lake)
    assert slots(lake) == [10, 20]
    ingested = await ingest_swaps(WATCHED, ChainHistory(transactions), lake)
    assert (slots(lake), ingested.left_out) == ([10, 20, 30], {})


async def test_a_wallet_and_a_venue_are_read_from_a_date_and_what_is_known_says_so() -> None:
    made = [swap_transaction(who, "1 SOL", "9 USDC", slot=slot) for slot, who in enumerate(["ana", "ben", "ana", "ana", "ben"], start=1)]
    times = {one.slot: one.block_time or 0 for one in made}
    chain = ChainHistory(carried_over(made))
    lake = MemoryLake()
    await ingest_swaps(Sources((VENUE,), since=times[3], venues_since=times[4]), chain, lake)
    assert sorted((record.slot, record.wallet) for record in lake.kept) == [(3, ANA), (4, ANA), (5, wallet("ben"))]
    assert {one.wallet: one.slots for one in lake.all_learned} == {
        ANA: SlotRange(Slot(2), Slot(4)),
        wallet("ben"): SlotRange(Slot(3), Slot(5)),
    }


@pytest.mark.parametrize(("held_before", "known_from"), [(0, 0), (10**9, 10)], ids=["it began with nothing", "it held something before"])
async def test_a_history_is_known_from_the_first_slot_on_only_where_the_wallet_begins_with_nothing(
    held_before: int, known_from: int
) -> None:
    funded = Made(payer="somebody", slot=10).gains_lamports("ana", 10**9).done()
    at = funded.account_keys.index(ANA)
    pre, post = list(funded.pre_balances), list(funded.post_balances)
    pre[at], post[at] = held_before, held_before + 10**9
    lake = MemoryLake()
    chain = ChainHistory(carried_over([replace(funded, pre_balances=tuple(pre), post_balances=tuple(post)), *swaps_of_ana(20)]))
    await ingest_swaps(WATCHED, chain, lake)
    assert [one.slots for one in lake.all_learned] == [SlotRange(Slot(known_from), Slot(20))]
    assert await lake.open_holes() == {}


def test_later_knowledge_closes_only_holes_that_it_spans() -> None:
    hole = Hole(Address(ANA), None, Slot(10), Slot(30), 5, 6)
    of = [Learned(ANA, SlotRange(Slot(0), Slot(40)), (), (hole,))]
    assert open_holes(of) == (hole,)
    assert open_holes([*of, Learned(ANA, SlotRange(Slot(11), Slot(50)), ())]) == (hole,)
    assert open_holes([*of, Learned(ANA, SlotRange(Slot(10), Slot(30)), ())]) == ()


@pytest.mark.parametrize("part", [1_000, 2], ids=["at once", "in parts"])
async def test_a_wallet_known_from_a_date_is_read_further_back_and_joined(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingestion, "TRANSACTIONS_PER_SLICE_MAX", part)
    transactions = carried_over([*swaps_of_ana(*range(10, 90, 10)), received(15), received(65)])
    times = {one.slot: one.block_time or 0 for one in transactions}
    chain, lake = ChainHistory(transactions), MemoryLake()
    await ingest_swaps(replace(WATCHED, since=times[60]), chain, lake)
    assert slots(lake) == [60, 65, 70, 80]
    ingested = await extend_history(ANA, chain, lake, since=times[40])
    assert (ingested.records, slots(lake)) == (2, [40, 50, 60, 65, 70, 80])
    ingested = await extend_history(ANA, chain, lake)
    assert (ingested.records, dict(ingested.breaks)) == (4, {})
    assert slots(lake) == sorted(one.slot for one in transactions)
    assert merged(one.slots for one in lake.all_learned) == (SlotRange(Slot(10), Slot(80)),)
    assert await lake.open_holes() == {}
    assert (await lake.cursors())[ANA].slot == 80
    assert (await extend_history(ANA, chain, lake)).records == 0
    assert (await extend_history(wallet("nobody"), chain, lake)).records == 0


async def test_where_the_older_part_does_not_fit_the_newer_there_is_a_hole() -> None:
    transactions = carried_over(swaps_of_ana(10, 20, 30, 40))
    lake = MemoryLake()
    await ingest_swaps(replace(WATCHED, since=transactions[2].block_time), ChainHistory(transactions), lake)
    await extend_history(ANA, ChainHistory(without(transactions, 20)), lake)
    assert {(one.after, one.before) for one in (await lake.open_holes())[ANA]} == {(10, 30)}


async def test_a_hole_is_mended_once_a_source_has_what_was_missing() -> None:
    transactions = carried_over([*swaps_of_ana(10, 20, 30, 40), received(25)])
    lake, chain = MemoryLake(), ChainHistory(without(transactions, 20))
    await ingest_swaps(WATCHED, chain, lake)
    assert (slots(lake), ANA in await lake.open_holes()) == ([10, 25, 30, 40], True)
    assert (await mend_history(ANA, chain, lake)).gapped == {ANA}
    chain.add(*transactions)
    mended = await mend_history(ANA, chain, lake)
    assert (mended.records, mended.gapped, slots(lake)) == (1, set(), [10, 20, 25, 30, 40])
    assert await lake.open_holes() == {}
    assert (await mend_history(ANA, chain, lake)).pages == 0


async def test_a_source_that_lists_less_than_before_mends_nothing() -> None:
    transactions = carried_over(swaps_of_ana(10, 20, 30, 40))
    lake, chain = MemoryLake(), ChainHistory(without(transactions, 20))
    await ingest_swaps(WATCHED, chain, lake)

    class Forgetful(ChainHistory):
        async def signatures(self, address: Address, **asked: Any) -> list[SignatureInfo]:
            return [row for row in await super().signatures(address, **asked) if row.slot > 30]

    assert (await mend_history(ANA, Forgetful(without(transactions, 20)), lake)).gapped == {ANA}
    assert ANA in await lake.open_holes()


async def test_a_hole_is_mended_from_the_second_source() -> None:
    transactions = carried_over(swaps_of_ana(10, 20, 30))
    lake, first = MemoryLake(), Named("first", without(transactions, 20))
    await ingest_swaps(WATCHED, first, lake)
    assert (await mend_history(ANA, first, lake, second=Named("second", transactions))).records == 1
    assert await lake.open_holes() == {}
