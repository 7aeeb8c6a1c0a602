"""The tour "from a leader trade to its settlement" of ARCHITECTURE.md, step by step, on a chain and stores in memory."""

import pytest
from tests.fakes.copy_world import ANA, BEN_VAULT, BONK, UNIT, WIF, CopyWorld, later

from xorj.copying.decision import Copied, Refused, Resized, Side, Skipped
from xorj.execution.ports import TRADE_MOMENTS, Moment
from xorj.portfolio.ledger import Matches
from xorj.primitives.ids import USDC


async def test_a_leader_trade_becomes_a_settled_copy() -> None:
    world = await CopyWorld.following()

    # 1: the leader's swap at confirmed becomes a leader trade
    world.buys(BONK, 100)
    assert await world.sees() == 1
    (trade,) = await world.rows.stores.trades.undecided()
    assert (trade.leader, trade.opened_mint, trade.equity_usd) == (ANA, BONK, 1_000 + 1)

    # 2, 3: one decision per follower, and its intent with it
    (decision,) = await world.plans_copies()
    assert isinstance(decision, Copied)
    (leg,) = decision.legs
    assert decision.rule == "share of equity"
    assert (leg.side, leg.input.mint, leg.input.raw // UNIT) == (Side.BUY, USDC, 99)

    # 4, 5, 6: quoted, checked, built, signed, sent; 7, 8: settled by evidence
    await world.executes()
    assert len(world.trading.signer.signed) == 1
    assert await world.settles() == ["settled"]
    assert world.effects == 1
    assert world.holdings.position(ANA, BONK).units_raw == leg.input.raw
    assert isinstance(await world.compares(), Matches)


@pytest.mark.parametrize("moment", [each for each in TRADE_MOMENTS if each is not Moment.SEEN])
async def test_whenever_the_bot_dies_the_copy_is_settled_once(moment: Moment) -> None:
    world = await CopyWorld.following()
    world.buys(BONK, 100)
    await world.plans_copies()
    await world.dies_and_restarts(at=moment)
    assert await world.plans_copies() == []
    assert await world.settles() == ["settled"]
    assert world.effects == 1
    assert isinstance(await world.compares(), Matches)


async def test_a_copy_that_came_after_its_deadline_is_made_anew_once() -> None:
    world = await CopyWorld.following()
    world.buys(BONK, 100)
    await world.plans_copies()
    chain, deadline = world.trading.chain, world.trading.bounds.deadline_slots
    chain.fate = deadline + 1
    await world.executes()
    chain.passes(deadline + 2)
    (refused,) = chain.landed
    assert "6033" in str(refused.error)
    chain.fate = 1
    assert await world.settles() == ["settled"]
    assert world.effects == 1
    assert isinstance(await world.compares(), Matches)


async def test_what_was_seen_and_not_decided_is_decided_after_a_restart_and_nothing_is_decided_twice() -> None:
    world = await CopyWorld.following()
    world.buys(BONK, 100)
    await world.sees()
    world.is_restarted()
    assert len(await world.plans_copies()) == 1
    world.is_restarted()
    assert await world.plans_copies() == []
    assert await world.settles() == ["settled"]


async def test_what_nobody_saw_is_seen_after_a_restart() -> None:
    world = await CopyWorld.following()
    world.is_restarted()
    world.buys(BONK, 100)
    world.is_restarted()
    assert len(await world.plans_copies()) == 1


async def test_an_exit_sells_the_same_share_of_what_was_bought() -> None:
    world = await CopyWorld.following()
    world.buys(BONK, 100)
    await world.plans_copies()
    await world.settles()
    held = world.holdings.position(ANA, BONK).units_raw
    world.sells(BONK, 40)
    (part,) = await world.plans_copies()
    assert part.legs[0].input.raw == held * 40 // 100
    await world.settles()
    world.sells(BONK, 60)
    (rest,) = await world.plans_copies()
    assert await world.settles() == ["settled"] * 3
    assert rest.legs[0].side is Side.SELL
    assert world.holdings.open_positions() == []
    assert isinstance(await world.compares(), Matches)


async def test_an_exit_waits_until_what_it_closes_has_settled() -> None:
    world = await CopyWorld.following()
    world.buys(BONK, 100)
    await world.plans_copies()
    world.sells(BONK, 100)
    assert await world.plans_copies() == []
    # whatever follows on the same position waits behind it
    world.buys(BONK, 50)
    assert await world.plans_copies() == []
    await world.settles()
    out, again = await world.plans_copies()
    assert (out.legs[0].side, again.legs[0].side) == (Side.SELL, Side.BUY)
    assert await world.settles() == ["settled"] * 3


async def test_a_swap_of_one_token_for_another_closes_the_one_and_opens_the_other() -> None:
    world = await CopyWorld.following()
    world.buys(BONK, 100)
    await world.plans_copies()
    await world.settles()
    world.switches(BONK, WIF, 100)
    (both,) = await world.plans_copies()
    assert [leg.side for leg in both.legs] == [Side.SELL, Side.BUY]
    assert await world.settles() == ["settled"] * 3
    assert [position.mint for position in world.holdings.open_positions()] == [WIF]


async def test_a_late_entry_is_skipped_and_a_late_exit_is_still_made() -> None:
    world = await CopyWorld.following()
    world.buys(BONK, 100)
    await world.plans_copies()
    await world.settles()
    world.buys(WIF, 50)
    world.sells(BONK, 100)
    later(world, 200)
    stale, out = await world.plans_copies()
    assert isinstance(stale, Skipped)
    assert stale.rule == "stale leader trade"
    assert isinstance(out, Copied)
    assert [row.cause.kind for row in world.rows.memory.intents.values()] == ["leader_trade", "missed_exit"]
    assert await world.settles() == ["settled", "settled"]


async def test_a_stop_refuses_what_is_new_and_starts_nothing() -> None:
    world = await CopyWorld.following()
    world.buys(BONK, 100)
    await world.plans_copies()
    world.is_stopped("drill")
    await world.executes()
    assert world.trading.signer.signed == []
    world.buys(WIF, 100)
    (refused,) = await world.plans_copies()
    assert isinstance(refused, Refused)
    assert (refused.rule, refused.numbers["reason"]) == ("kill switch", "drill")


async def test_a_pause_by_the_owner_ends_copying() -> None:
    world = await CopyWorld.following()
    world.buys(BONK, 100)
    await world.plans_copies()
    world.trading.chain.paused = True
    (ended,) = await world.looks_at_vaults()
    assert (ended.vault, ended.reason) == (BEN_VAULT, "vault paused")
    seen = await world.rows.seen()
    assert list(seen.intents.values()) == [("cancelled", "vault paused")]
    assert seen.open_follows == {}
    assert await world.looks_at_vaults() == []
    world.buys(WIF, 100)
    assert await world.plans_copies() == []


async def test_a_second_copy_spends_what_the_first_has_left() -> None:
    world = await CopyWorld.following()
    world.buys(BONK, 900)
    (first,) = await world.plans_copies()
    world.buys(WIF, 100)
    (second,) = await world.plans_copies()
    assert isinstance(second, Copied | Resized)
    assert first.legs[0].input.raw + second.legs[0].input.raw <= 1_000 * UNIT
    assert await world.settles() == ["settled", "settled"]


async def test_trades_of_a_leader_nobody_follows_are_put_aside() -> None:
    world = await CopyWorld.following()
    (follow_id,) = world.rows.memory.follows
    world.buys(BONK, 100)
    await world.sees()
    world.rows.memory.follows.pop(follow_id)
    assert await world.plans_copies() == []
    assert await world.rows.stores.trades.undecided() == []


async def test_what_a_stop_refused_to_sell_is_sold_after_it() -> None:
    world = await CopyWorld.following()
    world.buys(BONK, 100)
    await world.plans_copies()
    await world.settles()
    world.is_stopped("drill")
    world.sells(BONK, 100)
    (refused,) = await world.plans_copies()
    assert refused.rule == "kill switch"
    assert await world.plans_missed_exits() == []
    world.goes_on()
    (copy,) = await world.plans_missed_exits()
    assert copy.decision.rule == "the leader holds nothing of it any more"
    assert await world.plans_missed_exits() == []
    assert await world.settles() == ["settled", "settled"]
    assert world.holdings.open_positions() == []
    assert await world.plans_missed_exits() == []


async def test_what_the_leader_still_holds_is_held() -> None:
    world = await CopyWorld.following()
    world.buys(BONK, 100)
    await world.plans_copies()
    await world.settles()
    world.sells(BONK, 50)
    await world.plans_copies()
    await world.settles()
    assert await world.plans_missed_exits() == []


async def test_what_the_chain_could_not_change_is_decided_without_asking_it() -> None:
    world = await CopyWorld.following()
    world.chain.held[BONK] = 100 * UNIT
    world.sells(BONK, 100)
    world.buys(WIF, 50)
    later(world, 200)
    await world.sees()
    asked = world.chain.accounts_asked
    assert [each.rule for each in await world.plans_copies()] == ["nothing held for this leader", "stale leader trade"]
    assert world.chain.accounts_asked == asked
