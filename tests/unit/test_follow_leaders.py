"""Reading a leader: nothing lost, nothing twice, whatever the node shows late, out of order or not at all."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from tests.fakes.copy_world import ANA, BONK, UNIT, CopyWorld

from xorj.copying.follow_leaders import OVERLAP_SLOTS, SIGNATURES_PER_LOOK, SIGNATURES_REMEMBERED_MAX, follow_leader
from xorj.copying.leader_trade import LeaderTrade
from xorj.prices.price import Price
from xorj.primitives.amounts import Usd
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import USDC, Mint, Signature, Slot
from xorj.swaps.quote_rank import Direction


class NoPrices:
    async def prices(self, mints: object) -> dict[Mint, object]:
        raise Unavailable("prices", "down")


async def trades(world: CopyWorld) -> list[LeaderTrade]:
    return await world.rows.stores.trades.undecided()


async def test_a_leader_whom_nobody_has_followed_is_not_read() -> None:
    world = CopyWorld()
    world.buys(BONK, 100)
    assert (await follow_leader(ANA, world.watch)).transactions == 0
    assert world.chain.history.pages_asked == 0


async def test_each_trade_carries_what_he_held_before_it() -> None:
    world = await CopyWorld.following()
    world.buys(BONK, 100)
    world.buys(BONK, 300)
    world.sells(BONK, 200)
    await world.sees()
    first, second, third = await trades(world)
    assert [each.equity_usd for each in (first, second, third)] == [Decimal(1_001)] * 3
    assert [each.input_balance_before_raw for each in (first, second, third)] == [1_000 * UNIT, 900 * UNIT, 400 * UNIT]
    assert [each.direction for each in (first, second, third)] == [Direction.OPEN, Direction.OPEN, Direction.CLOSE]
    assert third.share_of_position_sold == Decimal("0.5")


async def test_looking_again_finds_nothing_new_and_fetches_nothing_again() -> None:
    world = await CopyWorld.following()
    world.buys(BONK, 100)
    assert await world.sees() == 1
    fetched = len(world.chain.history.transactions_asked)
    assert await world.sees() == 0
    assert len(world.chain.history.transactions_asked) == fetched


async def test_a_transaction_that_is_listed_and_not_given_yet_holds_back_those_after_it() -> None:
    world = await CopyWorld.following()
    late = world.chain.trades(USDC, 100 * UNIT, BONK, 100 * UNIT)
    world.buys(BONK, 50)
    world.chain.history.withheld.add(late.signature)
    assert await world.sees() == 0
    world.chain.history.withheld.clear()
    assert await world.sees() == 2


async def test_a_transaction_that_turns_up_behind_the_cursor_is_still_seen() -> None:
    world = await CopyWorld.following()
    early = world.chain.trades(USDC, 100 * UNIT, BONK, 100 * UNIT)
    del world.chain.history.transactions_by_signature[early.signature]
    world.trading.chain.passes(OVERLAP_SLOTS // 2)
    world.buys(BONK, 50)
    assert await world.sees() == 1
    world.chain.history.add(early)
    assert await world.sees() == 1
    assert len(await trades(world)) == 2


async def test_more_than_a_page_is_read_to_its_end() -> None:
    world = await CopyWorld.following()
    for _ in range(SIGNATURES_PER_LOOK + 20):
        world.buys(BONK, 1)
    assert await world.sees() == SIGNATURES_PER_LOOK + 20


async def test_a_failed_transaction_moves_the_cursor_and_nothing_else() -> None:
    world = await CopyWorld.following()
    done = world.chain.trades(USDC, 100 * UNIT, BONK, 100 * UNIT)
    world.chain.history.add(replace(done, error='{"InstructionError":[0,{"Custom":1}]}'))
    assert await world.sees() == 0
    assert await world.rows.stores.trades.cursor(ANA) == done.slot


async def test_without_prices_an_entry_has_no_equity_but_quote_balances_and_an_exit_is_seen() -> None:
    world = await CopyWorld.following()
    world.buys(BONK, 100)
    world.sells(BONK, 100)
    watch = replace(world.watch, feed=NoPrices())  # type: ignore[arg-type]  # never answers
    assert len((await follow_leader(ANA, watch)).trades) == 2
    entry, out = await trades(world)
    assert entry.equity_usd == Decimal(1_000)
    assert out.share_of_position_sold == 1


async def test_memory_of_what_was_read_is_bounded_and_losing_it_costs_nothing_but_a_fetch() -> None:
    world = await CopyWorld.following()
    for _ in range(5):
        world.buys(BONK, 1)
    await world.sees()
    world.watch.remember([Signature(f"other {number}") for number in range(SIGNATURES_REMEMBERED_MAX)])
    assert len(world.watch.read) == SIGNATURES_REMEMBERED_MAX
    await world.sees()
    assert len(await trades(world)) == 5


class ThinUnpriced:
    """Sources that agree on dollars alone; one of them says what a thin token costs."""

    def __init__(self, highest_usd: str | None = None) -> None:
        self.highest_usd = highest_usd

    async def prices(self, mints: Sequence[Mint]) -> dict[Mint, Price]:
        usd = Decimal(self.highest_usd) if self.highest_usd is not None else None
        known = {USDC: Decimal(1)} if usd is None else {BONK: usd}
        return {mint: Price(mint, Usd(known[mint]), 6, Slot(1), "told") for mint in mints if mint in known}


async def test_what_the_sources_do_not_agree_on_counts_at_its_highest_in_his_equity_and_nowhere_else() -> None:
    world = await CopyWorld.following()
    world.watch = replace(world.watch, feed=ThinUnpriced(), highest=ThinUnpriced("3"))
    world.buys(BONK, 100)
    world.buys(BONK, 300)
    world.sells(BONK, 200)
    await world.sees()
    first, second, third = await trades(world)
    # 1,000 USDC; then 900 and 100 BONK at 3; then 600 and 400 BONK
    assert [each.equity_usd for each in (first, second, third)] == [Decimal(1_000), Decimal(1_200), Decimal(1_800)]
    assert [each.value_usd for each in (first, second, third)] == [Decimal(100), Decimal(300), Decimal(200)]


async def test_without_anybody_who_prices_it_a_bag_counts_nothing() -> None:
    world = await CopyWorld.following()
    world.watch = replace(world.watch, feed=ThinUnpriced(), highest=NoPrices())
    world.buys(BONK, 100)
    world.buys(BONK, 300)
    await world.sees()
    assert [each.equity_usd for each in await trades(world)] == [Decimal(1_000), Decimal(900)]
