"""Coverage against the slow and obvious: sets of slots, whole histories with a transaction taken out, nodes that page as they like."""

from contextlib import suppress
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.carried_over import carried_over
from tests.fakes.chain_history import ChainHistory
from tests.fakes.made_swaps import VENUE, wallet
from tests.fakes.made_transactions import Made, swap_transaction
from tests.fakes.swap_lake import MemoryLake

from xorj.chain.transactions import ChainTransaction, Commitment, SignatureInfo
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Address, Signature, Slot
from xorj.swaps.coverage import SlotRange, breaks, gaps, merged
from xorj.swaps.ingest_swaps import Sources, ingest_swaps

SLOTS = st.integers(0, 60)
ANA = wallet("ana")


@st.composite
def slot_range(draw: st.DrawFn) -> SlotRange:
    first, last = sorted((draw(SLOTS), draw(SLOTS)))
    return SlotRange(Slot(first), Slot(last))


def slots(ranges: tuple[SlotRange, ...] | list[SlotRange]) -> set[int]:
    return {slot for one in ranges for slot in range(one.first, one.last + 1)}


@given(st.lists(slot_range(), max_size=8), slot_range())
def test_known_and_unknown_slots_are_those_of_the_sets(ranges: list[SlotRange], within: SlotRange) -> None:
    found = merged(ranges)
    assert slots(found) == slots(ranges)
    assert all(one.last + 1 < other.first for one, other in pairwise(found))
    assert merged(found) == found
    assert slots(gaps(ranges, within)) == slots([within]) - slots(ranges)
    assert merged(gaps(ranges, within)) == gaps(ranges, within)


def history(changes: list[int]) -> list[ChainTransaction]:
    """ana's USDC after each change, which may close the account."""
    held, made = 0, []
    for slot, change in enumerate(changes, start=1):
        after = max(0, held + change)
        made.append(
            Made(payer="ana", slot=slot, fee=0).moves("ana", "USDC", str(held) if held else None, str(after) if after else None).done()
        )
        held = after
    return made


@given(st.lists(st.integers(-9, 9), min_size=3, max_size=12), st.data())
def test_a_transaction_taken_out_of_the_middle_shows_where_it_changed_a_balance(changes: list[int], data: st.DataObject) -> None:
    whole = history(changes)
    assert breaks(ANA, whole) == ()
    out = data.draw(st.integers(1, len(whole) - 2))
    found = [one for one in breaks(ANA, whole[:out] + whole[out + 1 :]) if one.mint is not None]
    balances = [0]
    for change in changes:
        balances.append(max(0, balances[-1] + change))
    changed = balances[out] != balances[out + 1]
    assert len(found) == changed
    if changed:
        assert (found[0].after, found[0].before) == (whole[out - 1].signature, whole[out + 1].signature)


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from(["ana", "ben"]), st.integers(0, 2)), min_size=1, max_size=25), st.integers(1, 6), st.integers(0, 25)
)
async def test_whatever_the_pages_the_history_is_whole_and_follows_on(steps: list[tuple[str, int]], page_rows: int, known: int) -> None:
    made, slot, index = [], 1, 0
    for who, ahead in steps:
        slot, index = slot + ahead, index + 1 if ahead == 0 else 0
        made.append(swap_transaction(who, "1 SOL", "9 USDC", slot=slot, index=index))
    # whole slots are finalized at a time
    split = next((at for at in range(known, len(made)) if at and made[at].slot != made[at - 1].slot), len(made))
    reader, lake = ChainHistory(made[:split]), MemoryLake()
    reader.page_rows_max = page_rows
    await ingest_swaps(Sources((VENUE,)), reader, lake)
    reader.add(*made[split:])
    ingested = await ingest_swaps(Sources((VENUE,)), reader, lake)
    assert not ingested.left_out
    assert sorted(one.signature for one in lake.kept) == sorted(one.signature for one in made)


class MoodyHistory(ChainHistory):
    """A node that answers each page as its moods say: well, with nothing, from its newest again, as of some time ago, or one row twice."""

    def __init__(self, transactions: list[ChainTransaction], moods: list[str]) -> None:
        super().__init__(transactions)
        self.moods = moods

    async def signatures(
        self,
        address: Address,
        *,
        limit: int = 1_000,
        before: Signature | None = None,
        until: Signature | None = None,
        commitment: Commitment = Commitment.FINALIZED,
    ) -> list[SignatureInfo]:
        mood = self.moods.pop() if self.moods else "well"
        self.repeats_the_newest_page = mood == "restarts"
        page = await super().signatures(address, limit=limit, before=before, until=until, commitment=commitment)
        if mood == "forgets":
            return []
        if mood == "behind" and before is None:
            return page[2:]
        return page[:1] + page if mood == "repeats" else page


MOODS = st.lists(st.sampled_from(["well", "well", "well", "forgets", "restarts", "behind", "repeats"]), max_size=30)


@settings(max_examples=60)
@given(st.lists(st.sampled_from(["ana", "ben"]), min_size=1, max_size=20), MOODS, st.integers(2, 6), st.integers(1, 5))
async def test_a_node_of_moods_may_delay_history_and_never_puts_a_hole_into_it(
    who: list[str], moods: list[str], page_rows: int, step: int
) -> None:
    made = [swap_transaction(one, "1 SOL", "9 USDC", slot=slot) for slot, one in enumerate(who, start=1)]
    reader, lake = MoodyHistory([], moods), MemoryLake()
    reader.page_rows_max = page_rows
    for end in range(step, len(made) + step, step):
        reader.add(*made[:end])
        with suppress(Unavailable):
            await ingest_swaps(Sources((VENUE,)), reader, lake)
        assert_a_prefix(lake, made)
    reader.moods.clear()
    await ingest_swaps(Sources((VENUE,)), reader, lake)
    assert sorted(one.slot for one in lake.kept) == list(range(1, len(made) + 1))


def assert_a_prefix(lake: MemoryLake, made: list[ChainTransaction]) -> None:
    for name in ("ana", "ben"):
        read = [one.signature for one in lake.kept if one.wallet == wallet(name)]
        assert read == [one.signature for one in made if one.account_keys[0] == wallet(name)][: len(read)]


@settings(max_examples=40)
@given(st.integers(3, 14), st.data())
async def test_what_either_of_two_sources_has_is_read_and_what_neither_has_is_a_hole(count: int, data: st.DataObject) -> None:
    """The sources may hide anything but her first and last transaction: those tell where to look."""
    made = carried_over([swap_transaction("ana", "1 SOL", "9 USDC", slot=slot) for slot in range(1, count + 1)])
    middle = st.sets(st.integers(2, count - 1), max_size=count - 2)
    hidden = [data.draw(middle), data.draw(middle)]
    first, second = (ChainHistory([one for one in made if one.slot not in some]) for some in hidden)
    lake, sources = MemoryLake(), Sources((), watched=frozenset({ANA}))
    await ingest_swaps(sources, first, lake, second=second)
    lost = hidden[0] & hidden[1]
    found = sorted(one.slot for one in lake.kept)
    assert found == [slot for slot in range(1, count + 1) if slot not in lost]
    holes = (await lake.open_holes()).get(ANA, ())
    assert {(hole.after, hole.before) for hole in holes} == {(before, after) for before, after in pairwise(found) if after - before > 1}
    assert bool(holes) == bool(lost)
