"""The stores of copying and portfolio: the same on memory, which the flows run on, and on PostgreSQL."""

from dataclasses import replace

import pytest
from tests.fakes.copy_rows import BOT, MemoryRows, PostgresRows, Rows, bought, observed, signature, sold, wallet

from xorj.copying.cause import Cause, CauseKind, intent_id
from xorj.copying.decision import ENTRY_LIFE_SLOTS, Copied, Decision, Leg, Side, Skipped
from xorj.copying.follow import Follow, FollowMode
from xorj.copying.follow_ranking import follow_ranking
from xorj.copying.leader_trade import LeaderTrade
from xorj.copying.ports import PlannedCopy
from xorj.portfolio.ledger import LedgerCause, LedgerEntry
from xorj.portfolio.observed_vault import ObservedVault
from xorj.portfolio.ports import Copying
from xorj.primitives.amounts import TokenAmount, Usd
from xorj.primitives.clock import ChainTime
from xorj.primitives.ids import USDC, Address, Mint, Signature, Slot
from xorj.swaps.quote_rank import Direction

ANA, EVE = wallet("ana"), wallet("eve")
BEN = wallet("ben")
BONK = Mint(wallet("bonk"))
VAULT = observed(BEN)


class At:
    """A clock that stands at a slot."""

    def __init__(self, slot: int) -> None:
        self.slot = slot

    async def now(self) -> ChainTime:
        return ChainTime(Slot(self.slot), self.slot, 1_000)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.database)])
def rows(request: pytest.FixtureRequest) -> Rows:
    return MemoryRows() if request.param == "memory" else PostgresRows(request.getfixturevalue("engine"))


async def following(rows: Rows, *leaders: str, slot: int = 100) -> str:
    """Ben's vault, with an order to follow these leaders; the order's id."""
    await rows.user(BEN)
    await rows.stores.vaults.observe(VAULT)
    order = await rows.order(VAULT.address)
    await rows.ranking([wallet(leader) for leader in leaders])
    await follow_ranking(rows.stores.subscriptions, At(slot))
    return order


def trade(name: str, *, slot: int = 150, direction: Direction = Direction.OPEN) -> LeaderTrade:
    given, got = TokenAmount(USDC, 100_000_000, 6), TokenAmount(BONK, 5_000, 5)
    if direction is Direction.CLOSE:
        given, got = got, given
    return LeaderTrade(
        ANA,
        Signature(signature(name)),
        0,
        Slot(slot),
        1_000,
        direction,
        given,
        got,
        Usd(Usd.__supertype__("100.5")),
        None,
        None,
        Slot(slot + 1),
    )


def buy(raw: int = 10_000_000) -> Copied:
    leg = Leg(0, Side.BUY, TokenAmount(USDC, raw, 6), BONK)
    return Copied((leg,), "share of equity", {"share": "0.1"})


def planned(follow: Follow, of: LeaderTrade, decision: Decision) -> PlannedCopy:
    return PlannedCopy(follow, decision, Cause(CauseKind.LEADER_TRADE, of.id), Slot(155))


async def copied(rows: Rows, name: str) -> str:
    """A leader trade that Ben copies; the intent's id."""
    seen = trade(name)
    await rows.stores.trades.record(ANA, [seen], read_to=seen.slot)
    (follow,) = await rows.stores.follows.undecided(seen)
    await rows.stores.decisions.record(seen, [planned(follow, seen, buy())], is_decided=True)
    return intent_id(VAULT.address, Cause(CauseKind.LEADER_TRADE, seen.id), 0)


# Follows from a ranking


async def test_an_order_follows_the_best_of_the_newest_ranking(rows: Rows) -> None:
    await following(rows, "ana", "eve")
    assert (await rows.seen()).open_follows == {(VAULT.address, ANA): "copy", (VAULT.address, EVE): "copy"}
    assert await rows.stores.follows.leaders() == sorted([ANA, EVE])


async def test_who_scores_too_little_is_ranked_and_not_followed(rows: Rows) -> None:
    await following(rows, "ana", "eve")
    await rows.ranking([ANA, EVE], scores={ANA: 50.0, EVE: 49.99})
    await follow_ranking(rows.stores.subscriptions, At(200))
    assert (await rows.seen()).open_follows == {(VAULT.address, ANA): "copy"}


async def test_following_the_same_ranking_again_changes_nothing(rows: Rows) -> None:
    await following(rows, "ana", "eve")
    assert await follow_ranking(rows.stores.subscriptions, At(101)) == []


async def test_a_leader_is_read_from_the_slot_at_which_somebody_first_followed_him(rows: Rows) -> None:
    assert await rows.stores.trades.cursor(ANA) is None
    await following(rows, "ana", slot=100)
    assert await rows.stores.trades.cursor(ANA) == 100


async def test_a_second_follower_does_not_move_a_leaders_cursor(rows: Rows) -> None:
    await following(rows, "ana", slot=100)
    await rows.user(EVE)
    await rows.stores.vaults.observe(observed(EVE))
    await rows.order(observed(EVE).address)
    await follow_ranking(rows.stores.subscriptions, At(130))
    assert await rows.stores.trades.cursor(ANA) == 100


async def test_a_leader_who_left_the_ranking_and_of_whom_nothing_is_held_is_no_longer_followed(rows: Rows) -> None:
    await following(rows, "ana")
    await rows.ranking([EVE])
    await follow_ranking(rows.stores.subscriptions, At(200))
    seen = await rows.seen()
    assert seen.open_follows == {(VAULT.address, EVE): "copy"}
    assert seen.ended_follows == {(VAULT.address, ANA): "left the ranking"}


async def test_a_leader_who_left_the_ranking_is_kept_for_exits_until_the_vault_holds_nothing_of_his(rows: Rows) -> None:
    await following(rows, "ana")
    intent = await copied(rows, "t1")
    await rows.ranking([EVE])
    await follow_ranking(rows.stores.subscriptions, At(200))
    assert (await rows.seen()).open_follows[VAULT.address, ANA] == "exit_only"
    await rows.fill(intent, bought(VAULT.address, ANA, BONK, 500, 10_000_000))
    assert await follow_ranking(rows.stores.subscriptions, At(201)) == []
    out = await copied_exit(rows)
    await rows.fill(out, sold(VAULT.address, ANA, BONK, 500, 11_000_000))
    await follow_ranking(rows.stores.subscriptions, At(202))
    assert (await rows.seen()).ended_follows == {(VAULT.address, ANA): "left the ranking"}


async def test_a_leader_who_comes_back_is_copied_again(rows: Rows) -> None:
    await following(rows, "ana")
    await copied(rows, "t1")
    await rows.ranking([EVE])
    await follow_ranking(rows.stores.subscriptions, At(200))
    await rows.ranking([ANA, EVE])
    await follow_ranking(rows.stores.subscriptions, At(201))
    assert (await rows.seen()).open_follows[VAULT.address, ANA] == "copy"


async def test_without_a_finished_run_nothing_changes(rows: Rows) -> None:
    await rows.user(BEN)
    await rows.stores.vaults.observe(VAULT)
    await rows.order(VAULT.address)
    assert await follow_ranking(rows.stores.subscriptions, At(100)) == []


async def copied_exit(rows: Rows) -> str:
    seen = trade("exit", slot=160, direction=Direction.CLOSE)
    await rows.stores.trades.record(ANA, [seen], read_to=seen.slot)
    (follow,) = await rows.stores.follows.undecided(seen)
    leg = Leg(0, Side.SELL, TokenAmount(BONK, 500, 5), USDC)
    await rows.stores.decisions.record(seen, [planned(follow, seen, Copied((leg,), "share of position"))], is_decided=True)
    return intent_id(VAULT.address, Cause(CauseKind.LEADER_TRADE, seen.id), 0)


# Leader trades and decisions


async def test_a_leader_trade_is_kept_once_and_reads_back_as_it_was(rows: Rows) -> None:
    await following(rows, "ana")
    seen = trade("t1")
    await rows.stores.trades.record(ANA, [seen], read_to=Slot(150))
    await rows.stores.trades.record(ANA, [replace(seen, seen_slot=Slot(999))], read_to=Slot(140))
    assert await rows.stores.trades.undecided() == [seen]
    assert await rows.stores.trades.cursor(ANA) == 150


async def test_trades_without_a_decision_come_oldest_first_and_no_more_than_asked(rows: Rows) -> None:
    await following(rows, "ana")
    later, earlier = trade("t2", slot=160), trade("t1", slot=150)
    await rows.stores.trades.record(ANA, [later, earlier], read_to=Slot(160))
    assert await rows.stores.trades.undecided() == [earlier, later]
    assert await rows.stores.trades.undecided(limit=1) == [earlier]


async def test_a_follower_decides_about_what_his_leader_did_while_he_followed_him(rows: Rows) -> None:
    await following(rows, "ana", slot=100)
    before, during = trade("t1", slot=99), trade("t2", slot=100)
    assert await rows.stores.follows.undecided(before) == []
    (follow,) = await rows.stores.follows.undecided(during)
    assert (follow.vault, follow.owner, follow.leader, follow.mode) == (VAULT.address, BEN, ANA, FollowMode.COPY)
    assert (follow.allocation_bps, follow.slippage_bps) == (2_000, 100)
    assert await rows.stores.follows.undecided(replace(during, leader=EVE)) == []


async def test_a_decision_is_made_once_and_its_intents_with_it(rows: Rows) -> None:
    await following(rows, "ana")
    intent = await copied(rows, "t1")
    seen = trade("t1")
    assert await rows.stores.follows.undecided(seen) == []
    assert await rows.stores.trades.undecided() == []
    (follow,) = await rows.stores.follows.undecided(trade("another"))
    await rows.stores.decisions.record(seen, [planned(follow, seen, Skipped("too late"))], is_decided=True)
    await rows.stores.decisions.record(seen, [planned(follow, seen, buy(99_000_000))], is_decided=True)
    assert (await rows.seen()).intents == {intent: ("new", None)}
    portfolio = (await rows.stores.portfolios.portfolios([VAULT.address], since_unix_seconds=0))[VAULT.address]
    assert [(each.amount_in_raw, each.mint) for each in portfolio.open_intents] == [(10_000_000, BONK)]
    assert ENTRY_LIFE_SLOTS == 75


async def test_a_trade_that_somebody_waits_with_is_looked_at_again(rows: Rows) -> None:
    await following(rows, "ana")
    seen = trade("t1")
    await rows.stores.trades.record(ANA, [seen], read_to=seen.slot)
    await rows.stores.decisions.record(seen, [], is_decided=False)
    assert await rows.stores.trades.undecided() == [seen]


# Portfolios


async def test_a_portfolio_is_what_fills_and_transfers_have_made_of_a_vault(rows: Rows) -> None:
    await following(rows, "ana")
    await rows.fill(await copied(rows, "t1"), bought(VAULT.address, ANA, BONK, 500, 10_000_000, slot=200, block_time=1_000))
    moved = LedgerEntry(VAULT.address, BONK, -200, LedgerCause.WITHDRAWAL, Signature(signature("w")), Slot(210), 1_100)
    await rows.stores.ledger.book([moved])
    portfolio = (await rows.stores.portfolios.portfolios([VAULT.address], since_unix_seconds=900))[VAULT.address]
    position = portfolio.holdings.position(ANA, BONK)
    assert (position.units_raw, position.base_cost_raw) == (300, 6_000_000)
    assert portfolio.bought_today_raw == {ANA: 10_000_000}
    assert list(portfolio.open_intents) == []
    later = (await rows.stores.portfolios.portfolios([VAULT.address], since_unix_seconds=1_001))[VAULT.address]
    assert later.bought_today_raw == {}


async def test_an_intent_in_doubt_keeps_its_funds_reserved_and_nobody_waiting(rows: Rows) -> None:
    await following(rows, "ana")
    await rows.set_state(await copied(rows, "t1"), "quarantined")
    portfolio = (await rows.stores.portfolios.portfolios([VAULT.address], since_unix_seconds=0))[VAULT.address]
    assert portfolio.reserved_raw(USDC) == 10_000_000
    assert not portfolio.is_busy(ANA, BONK)


# Vaults


async def test_a_vault_is_known_as_last_read_and_an_older_reading_changes_nothing(rows: Rows) -> None:
    await rows.user(BEN)
    await rows.stores.vaults.observe(VAULT)
    paused = replace(VAULT, is_paused=True, bot_authority=None, slot=Slot(120))
    await rows.stores.vaults.observe(paused)
    await rows.stores.vaults.observe(replace(VAULT, slot=Slot(110)))
    assert await rows.stores.vaults.known() == [paused]


async def test_a_closed_vault_is_not_followed_and_its_owner_may_make_another(rows: Rows) -> None:
    await rows.user(BEN)
    assert await rows.stores.vaults.wallets_without_vault() == [BEN]
    await rows.stores.vaults.observe(VAULT)
    assert await rows.stores.vaults.wallets_without_vault() == []
    await rows.stores.vaults.observe(replace(VAULT, is_closed=True, slot=Slot(130)))
    assert await rows.stores.vaults.known() == []
    assert await rows.stores.vaults.wallets_without_vault() == [BEN]


async def test_a_vault_of_nobody_we_know_is_kept_and_copies_nothing(rows: Rows) -> None:
    await rows.stores.vaults.observe(VAULT)
    assert await rows.stores.vaults.known() == [VAULT]
    assert await rows.stores.vaults.copying() == {}


async def test_ending_copying_ends_order_follows_and_what_nobody_has_begun(rows: Rows) -> None:
    order = await following(rows, "ana")
    begun, untouched = await copied(rows, "t1"), await copied(rows, "t2")
    await rows.set_state(begun, "reserved")
    copying = (await rows.stores.vaults.copying())[VAULT.address]
    assert len(copying.follows) == 1
    assert copying.subscriptions == (order,)
    await rows.stores.vaults.end_copying(VAULT.address, copying, "vault paused", Slot(170))
    seen = await rows.seen()
    assert seen.subscriptions == {order: ("ended", "vault paused")}
    assert seen.ended_follows == {(VAULT.address, ANA): "vault paused"}
    assert seen.intents == {begun: ("reserved", None), untouched: ("cancelled", "vault paused")}
    assert await rows.stores.vaults.copying() == {}


async def test_what_was_begun_after_it_was_asked_is_not_ended(rows: Rows) -> None:
    order = await following(rows, "ana")
    await rows.stores.vaults.end_copying(VAULT.address, Copying(), "vault paused", Slot(170))
    assert (await rows.seen()).subscriptions == {order: ("active", None)}


# The ledger


def entry(name: str, raw: int, *, slot: int, mint: Mint = USDC, vault: ObservedVault = VAULT) -> LedgerEntry:
    return LedgerEntry(vault.address, mint, raw, LedgerCause.DEPOSIT, Signature(signature(name)), Slot(slot), 1_000)


async def test_one_transaction_changes_one_balance_once(rows: Rows) -> None:
    await rows.stores.vaults.observe(VAULT)
    assert await rows.stores.ledger.book([entry("d1", 500, slot=10), entry("d1", 7, slot=10, mint=BONK)]) == 2
    assert await rows.stores.ledger.book([entry("d1", 500, slot=10), entry("d2", -200, slot=12)]) == 1
    assert await rows.stores.ledger.book([]) == 0
    assert await rows.stores.ledger.balances(VAULT.address, at=Slot(11)) == {USDC: 500, BONK: 7}
    assert await rows.stores.ledger.balances(VAULT.address, at=Slot(12)) == {USDC: 300, BONK: 7}


async def test_the_ledgers_cursor_never_goes_back(rows: Rows) -> None:
    await rows.stores.vaults.observe(VAULT)
    assert await rows.stores.ledger.cursor(VAULT.address) is None
    await rows.stores.ledger.move_cursor(VAULT.address, Signature(signature("b")), Slot(20))
    await rows.stores.ledger.move_cursor(VAULT.address, Signature(signature("a")), Slot(10))
    assert await rows.stores.ledger.cursor(VAULT.address) == signature("b")


@pytest.mark.parametrize(("state", "is_under_way"), [("new", False), ("in_flight", True), ("quarantined", True), ("settled", False)])
async def test_a_trade_is_under_way_from_its_first_signature_to_its_end(rows: Rows, state: str, is_under_way: bool) -> None:
    await following(rows, "ana")
    await rows.set_state(await copied(rows, "t1"), state)
    found = await rows.stores.ledger.mints_under_way(Address(VAULT.address))
    assert found == (frozenset({USDC, BONK}) if is_under_way else frozenset())


async def test_the_bot_of_a_vault_is_kept(rows: Rows) -> None:
    await rows.stores.vaults.observe(VAULT)
    assert [vault.bot_authority for vault in await rows.stores.vaults.known()] == [BOT]


# Missed exits


async def held_and_sold(rows: Rows) -> str:
    """Ben holds 500 BONK for Ana, who has sold hers; what was to copy her sale was cancelled. The exit's intent."""
    await following(rows, "ana")
    await rows.fill(await copied(rows, "t1"), bought(VAULT.address, ANA, BONK, 500, 10_000_000))
    out = await copied_exit(rows)
    await rows.set_state(out, "cancelled")
    return out


async def test_a_position_whose_exit_came_to_nothing_is_idle(rows: Rows) -> None:
    await held_and_sold(rows)
    (idle,) = await rows.stores.exits.idle_positions()
    assert (idle.follow.leader, idle.position.mint, idle.position.units_raw) == (ANA, BONK, 500)
    assert (idle.exits_tried, idle.tried_slot) == (0, None)


async def test_a_position_is_not_idle_while_its_exit_is_open_or_another_trade_of_the_leader_undecided(rows: Rows) -> None:
    out = await held_and_sold(rows)
    await rows.set_state(out, "new")
    assert await rows.stores.exits.idle_positions() == []
    await rows.set_state(out, "abandoned")
    seen = trade("t9", slot=170)
    await rows.stores.trades.record(ANA, [seen], read_to=seen.slot)
    assert await rows.stores.exits.idle_positions() == []


async def test_a_position_whose_leader_has_not_sold_is_not_idle(rows: Rows) -> None:
    await following(rows, "ana")
    await rows.fill(await copied(rows, "t1"), bought(VAULT.address, ANA, BONK, 500, 10_000_000))
    assert await rows.stores.exits.idle_positions() == []


async def test_a_missed_exit_is_planned_once_and_counted(rows: Rows) -> None:
    await held_and_sold(rows)
    (idle,) = await rows.stores.exits.idle_positions()
    leg = Leg(0, Side.SELL, TokenAmount(BONK, 500, 5), USDC)
    copy = PlannedCopy(idle.follow, Copied((leg,), "all of it"), Cause(CauseKind.MISSED_EXIT, "first"), Slot(180))
    await rows.stores.exits.record([copy])
    await rows.stores.exits.record([copy])
    intent = intent_id(VAULT.address, copy.cause, 0)
    assert (await rows.seen()).intents[intent] == ("new", None)
    await rows.set_state(intent, "reverted")
    (idle,) = await rows.stores.exits.idle_positions()
    assert (idle.exits_tried, idle.tried_slot) == (1, 180)
