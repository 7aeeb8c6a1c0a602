"""A leader who turns on his copiers: what he can take of them stops where the documentation says, and somebody is told.

Ana drives up what her copiers buy after her. Here every copy costs a dollar a unit and is worth whatever the test says afterwards, down to
nothing: the worst there is. Without the caps Ben would give her all of his 1,000 USDC.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from tests.fakes.copy_rows import sold
from tests.fakes.copy_world import ANA, BEN_VAULT, BONK, UNIT, WIF, CopyWorld

from xorj.copying.decision import Decision, Refused, Side
from xorj.copying.exposure import LEADER_CAP, PAUSED, Bounds
from xorj.copying.follow_live_copies import UNPRICED_S_MAX, Looked, Unpriced, follow_live_copies
from xorj.copying.standing import SALES_MAX, SELLS_INTO_COPIES, UNEXPECTED_LOSS, Expectation, LiveDay
from xorj.prices.price import Price
from xorj.primitives.amounts import Usd
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import USDC, Mint, Slot

CAP = 250
# 2 % a day of all that is allotted, nothing promised: one day in a hundred loses more than 4.65 %
PROMISE = Expectation(score=70.0, theta=0.0, theta_deviation=0.0, daily_deviation=0.02, as_of_day=1)


@dataclass
class Worth:
    """A price feed: USDC is a dollar, everything else this much; what is worth nothing has no price."""

    usd: str
    usdc: str = "1"

    async def prices(self, mints: Sequence[Mint]) -> dict[Mint, Price]:
        worth = {mint: Decimal(self.usdc if mint == USDC else self.usd) for mint in mints}
        return {mint: Price(mint, Usd(usd), 6, Slot(1), "test") for mint, usd in worth.items() if usd > 0}


async def with_caps(*, floor: int) -> CopyWorld:
    world = await CopyWorld.following()
    world.bounds = Bounds(share_bps=500, floor_raw=floor * UNIT, ramp_days=30)
    world.is_restarted()
    await world.rows.promises(ANA, PROMISE)
    return world


async def looks(world: CopyWorld, usd: str, *, usdc: str = "1", unpriced: Unpriced | None = None) -> Looked:
    live = world.rows.live_copies
    return await follow_live_copies(live, live, Worth(usd, usdc), world.trading.nodes[0], USDC, 50.0, unpriced or Unpriced())


def spent(decisions: Sequence[Decision]) -> int:
    return sum(leg.input.raw for each in decisions for leg in each.legs if leg.side is Side.BUY)


async def test_whatever_she_buys_her_copiers_never_hold_more_than_the_cap_and_so_lose_no_more() -> None:
    world = await with_caps(floor=CAP)
    at_stake = 0
    for number in range(8):
        world.buys((BONK, WIF)[number % 2], 100)
        decisions = await world.plans_copies()
        await world.settles()
        at_stake = world.holdings.exposure_raw(ANA)
        assert at_stake <= CAP * UNIT
    assert at_stake == CAP * UNIT
    (last,) = decisions
    assert isinstance(last, Refused)
    assert last.rule == LEADER_CAP
    assert last.numbers["at_stake_raw"] == str(CAP * UNIT)
    # it is worth nothing now: the loss is the documented bound, and nobody is asked for more
    looked = await looks(world, "0", unpriced=Unpriced({BONK: 0, WIF: 0}))
    assert [pause.reason for pause in looked.begun] == [UNEXPECTED_LOSS]
    (live,) = await world.rows.live_copies.live()
    assert live.realised_raw - sum(cost for _, cost in live.held.values()) == -CAP * UNIT


async def test_round_after_round_costs_no_more_than_one_day_may_lose_and_one_cap() -> None:
    """Each round she sells what her copiers bought at a dollar when it is worth 60: what is lost frees the cap, so the pause counts."""
    world = await with_caps(floor=CAP)
    for _ in range(10):
        world.buys(BONK, 100)
        await world.plans_copies()
        await world.settles()
        await looks(world, "0.6")
        held = world.holdings.position(ANA, BONK).units_raw
        if held:
            world.rows.memory.fills.append(sold(BEN_VAULT, ANA, BONK, held, held * 6 // 10, slot=world.trading.chain.slot))
    (live,) = await world.rows.live_copies.live()
    allowed = -PROMISE.one_percent(1) * live.allotted_raw
    assert -live.realised_raw <= allowed + CAP * UNIT
    assert await world.rows.live_copies.paused()


async def test_a_price_that_is_missing_for_a_moment_pauses_nobody() -> None:
    world = await with_caps(floor=1_000)
    world.buys(BONK, 100)
    await world.plans_copies()
    await world.settles()
    # the token's source is silent: it counts at its cost, until it has been silent for too long
    now_s = (await world.trading.nodes[0].now()).unix_seconds
    unpriced = Unpriced()
    assert (await looks(world, "0", unpriced=unpriced)).begun == ()
    assert (await looks(world, "0", unpriced=Unpriced({BONK: now_s - UNPRICED_S_MAX + 1}))).begun == ()
    # the base mint's is: nobody is judged and no day is written
    days = dict(world.rows.live_copies.days)
    with pytest.raises(Unavailable):
        await looks(world, "0.50", usdc="0")
    assert world.rows.live_copies.days == days
    assert (await looks(world, "1", unpriced=unpriced)).begun == ()
    assert unpriced.since == {}
    (pause,) = (await looks(world, "0", unpriced=Unpriced({BONK: now_s - UNPRICED_S_MAX}))).begun
    assert pause.leader == ANA


async def test_her_first_day_of_unexpected_losses_is_the_last_one_that_is_copied() -> None:
    world = await with_caps(floor=1_000)
    world.buys(BONK, 100)
    first = spent(await world.plans_copies())
    await world.settles()
    assert (await looks(world, "0.96")).begun == ()
    (pause,) = (await looks(world, "0.50")).begun
    assert (pause.leader, pause.numbers["days"]) == (ANA, 1)
    assert world.rows.live_copies.told == [("leader_paused", f"{ANA}:{pause.slot}")]

    world.buys(WIF, 100)
    (refused,) = await world.plans_copies()
    assert isinstance(refused, Refused)
    assert (refused.rule, refused.numbers["because"]) == (PAUSED, UNEXPECTED_LOSS)
    # out is always possible, and a second look tells nothing twice
    world.sells(BONK, 100)
    (out,) = await world.plans_copies()
    assert [leg.side for leg in out.legs] == [Side.SELL]
    assert (await looks(world, "0.50")).begun == ()
    assert len(world.rows.live_copies.told) == 1
    assert first <= 100 * UNIT


async def test_a_pause_ends_a_week_later_by_a_score_that_knows_of_it() -> None:
    world = await with_caps(floor=1_000)
    world.buys(BONK, 100)
    await world.plans_copies()
    await world.settles()
    (pause,) = (await looks(world, "0.50")).begun
    live = world.rows.live_copies
    live.pauses[ANA] = replace(pause, day=pause.day - 7)
    assert (await looks(world, "0.50")).ended == ()
    await world.rows.promises(ANA, replace(PROMISE, score=49.0, as_of_day=pause.day))
    assert (await looks(world, "0.50")).ended == ()
    await world.rows.promises(ANA, replace(PROMISE, as_of_day=pause.day))
    # the loss still stands in a window: to end the pause now would be to begin it again
    assert (await looks(world, "0.50")).ended == ()
    for days_ago in (1, 30):
        live.days[ANA, pause.day - days_ago] = LiveDay(pause.day - days_ago, live.days[ANA, pause.day].result_raw, 1_000 * UNIT)
    assert (await looks(world, "0.50")).ended == (ANA,)
    assert (await looks(world, "0.50")).begun == ()
    world.buys(WIF, 10)
    assert spent(await world.plans_copies()) > 0


async def test_selling_into_what_copies_lifted_is_told_each_time_and_pauses_her_the_third_time() -> None:
    world = await with_caps(floor=1_000)
    for number in range(SALES_MAX):
        # she pays 95 cents a unit, her copiers a dollar, and gets 97 cents
        world.chain.trades(USDC, 95 * UNIT, BONK, 100 * UNIT)
        await world.plans_copies()
        await world.settles()
        world.chain.trades(BONK, 100 * UNIT, USDC, 97 * UNIT)
        await world.plans_copies()
        await world.settles()
        looked = await looks(world, "1")
        assert looked.told == 1
        assert [pause.reason for pause in looked.begun] == ([SELLS_INTO_COPIES] if number == SALES_MAX - 1 else [])
    world.chain.trades(USDC, 95 * UNIT, BONK, 100 * UNIT)
    (refused,) = await world.plans_copies()
    assert refused.rule == PAUSED


async def test_a_quick_trader_whose_copies_gain_with_him_is_not_warned_of() -> None:
    world = await with_caps(floor=1_000)
    world.chain.trades(USDC, 95 * UNIT, BONK, 100 * UNIT)
    await world.plans_copies()
    await world.settles()
    world.chain.trades(BONK, 100 * UNIT, USDC, 120 * UNIT)
    await world.plans_copies()
    looked = await looks(world, "1.2")
    assert (looked.told, looked.begun) == (0, ())
