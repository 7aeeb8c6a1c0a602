"""How leaders stand with their copiers: the same on memory, which the flows run on, and on PostgreSQL."""

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fakes import made_swaps
from tests.fakes.copy_rows import MODEL, MemoryRows, PostgresRows, Rows, bought, observed, signature, sold, wallet

from xorj.adapters.postgres.live_copies import PostgresLiveCopies
from xorj.adapters.postgres.trust import PostgresTrust
from xorj.copying.cause import Cause, CauseKind, intent_id
from xorj.copying.decision import Copied, Leg, Side
from xorj.copying.follow import Follow
from xorj.copying.follow_ranking import follow_ranking
from xorj.copying.leader_trade import LeaderTrade
from xorj.copying.ports import PlannedCopy
from xorj.copying.standing import Expectation, LeaderStanding, LiveDay, LiveLeader, Pause, SaleIntoCopies
from xorj.performance.compute_performance import PerformanceReport
from xorj.performance.kernel import performance_of
from xorj.primitives.amounts import TokenAmount, Usd
from xorj.primitives.clock import DAY_S, ChainTime
from xorj.primitives.ids import LOCAL_GENESIS, USDC, Mint, Signature, Slot
from xorj.swaps.quote_rank import Direction
from xorj.swaps.valuation import value_swaps
from xorj.trust.copy_verdict import CopyScore, LinkFacts
from xorj.trust.eligibility import Rules
from xorj.trust.ranking import Model
from xorj.trust.score_wallets import run_of

ANA, EVE, BEN, CAT = wallet("ana"), wallet("eve"), wallet("ben"), wallet("cat")
BONK = Mint(wallet("bonk"))
VAULT, OTHER = observed(BEN), observed(CAT, total_deposited_raw=250_000_000)
M = 1_000_000
PROMISE = Expectation(score=62.0, theta=0.1, theta_deviation=0.05, daily_deviation=0.02, as_of_day=20_000)


class At:
    async def now(self) -> ChainTime:
        return ChainTime(Slot(100), 100, 1_000)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.database)])
def rows(request: pytest.FixtureRequest) -> Rows:
    return MemoryRows() if request.param == "memory" else PostgresRows(request.getfixturevalue("engine"))


async def following(rows: Rows) -> None:
    """Ben's vault of 500 and Cat's of 250 USDC follow Ana, each with a fifth; of Eve nobody knows."""
    for vault in (VAULT, OTHER):
        await rows.user(vault.owner)
        await rows.stores.vaults.observe(vault)
        await rows.order(vault.address)
    await rows.ranking([ANA])
    await follow_ranking(rows.stores.subscriptions, At())


def trade(name: str, *, slot: int, usd: int, units: int, direction: Direction = Direction.OPEN, time: int = 1_000) -> LeaderTrade:
    given, got = TokenAmount(USDC, usd * M, 6), TokenAmount(BONK, units * 100_000, 5)
    if direction is Direction.CLOSE:
        given, got = got, given
    return LeaderTrade(
        ANA, Signature(signature(name)), 0, Slot(slot), time, direction, given, got, Usd(Decimal(usd)), None, None, Slot(slot)
    )


async def copied(rows: Rows, of: LeaderTrade, vault: int = 0) -> str:
    """The intent of a copy of 40 USDC."""
    follow: Follow = (await rows.stores.follows.undecided(of))[vault]
    leg = Leg(0, Side.BUY, TokenAmount(USDC, 40 * M, 6), BONK)
    made = PlannedCopy(follow, Copied((leg,), "share of equity"), Cause(CauseKind.LEADER_TRADE, of.id), Slot(of.slot + 5))
    await rows.stores.trades.record(ANA, [of], read_to=of.slot)
    await rows.stores.decisions.record(of, [made], is_decided=False)
    return intent_id(follow.vault, made.cause, 0)


async def test_nobody_who_was_never_copied_has_anything_at_stake(rows: Rows) -> None:
    assert await rows.stores.standings.standing(ANA, now_unix_seconds=5_000) == LeaderStanding(ANA)
    assert await rows.stores.live_copies.live() == []


async def test_what_is_open_and_what_is_held_is_at_stake_over_all_vaults(rows: Rows) -> None:
    await following(rows)
    first = trade("one", slot=150, usd=100, units=100)
    deposits = sum(vault.total_deposited_raw for vault in (VAULT, OTHER))
    intents = [await copied(rows, first), await copied(rows, first)]
    standing = await rows.stores.standings.standing(ANA, now_unix_seconds=5_000)
    assert standing == LeaderStanding(ANA, 80 * M, 80 * M, deposits)

    vaults = sorted((VAULT.address, OTHER.address))
    await rows.fill(intents[0], bought(vaults[0], ANA, BONK, 4_000, 30 * M, block_time=2_000))
    await rows.set_state(intents[1], "abandoned")
    standing = await rows.stores.standings.standing(ANA, now_unix_seconds=2_000 + 3 * DAY_S)
    assert (standing.leader_raw, standing.live_days) == (30 * M, 3)
    assert await rows.stores.live_copies.live() == [
        LiveLeader(ANA, 0, {BONK: (4_000, 30 * M)}, allotted_raw=sum(vault.total_deposited_raw // 5 for vault in (VAULT, OTHER)))
    ]


async def test_what_was_sold_is_a_result_and_no_longer_at_stake(rows: Rows) -> None:
    await following(rows)
    first, second = trade("one", slot=150, usd=100, units=100), trade("two", slot=160, usd=100, units=100)
    (vault, _) = sorted((VAULT.address, OTHER.address))
    await rows.fill(await copied(rows, first), bought(vault, ANA, BONK, 4_000, 40 * M))
    await rows.fill(await copied(rows, second), sold(vault, ANA, BONK, 3_000, 21 * M))
    assert (await rows.stores.standings.standing(ANA, now_unix_seconds=5_000)).leader_raw == 10 * M
    (live,) = await rows.stores.live_copies.live()
    assert (live.realised_raw, live.held) == (-9 * M, {BONK: (1_000, 10 * M)})


async def test_an_owners_wallets_are_at_stake_together(rows: Rows) -> None:
    await following(rows)
    await rows.promises(ANA, PROMISE, others=[EVE])
    await copied(rows, trade("one", slot=150, usd=100, units=100))
    standing = await rows.stores.standings.standing(ANA, now_unix_seconds=5_000)
    assert (standing.leader_raw, standing.owner_raw, standing.others) == (40 * M, 40 * M, (EVE,))
    of_eve = await rows.stores.standings.standing(EVE, now_unix_seconds=5_000)
    assert (of_eve.leader_raw, of_eve.owner_raw) == (0, 0)


async def test_the_newest_score_is_what_is_promised(rows: Rows) -> None:
    await following(rows)
    assert await rows.stores.standings.expected([ANA, EVE]) == {}
    await rows.promises(ANA, PROMISE)
    (found,) = (await rows.stores.standings.expected([ANA, EVE])).values()
    assert found == replace(PROMISE, theta_deviation=pytest.approx(PROMISE.theta_deviation))


async def test_days_are_kept_with_one_before_the_longest_window(rows: Rows) -> None:
    store = rows.stores.live_copies
    for day, result in ((10, 1), (11, 2), (30, 3), (31, 4)):
        await store.looked(ANA, LiveDay(day, result * M, 100 * M))
    await store.looked(EVE, LiveDay(31, 9, 9))
    assert await store.looked(ANA, LiveDay(31, 5 * M, 100 * M)) == [
        LiveDay(11, 2 * M, 100 * M),
        LiveDay(30, 3 * M, 100 * M),
        LiveDay(31, 5 * M, 100 * M),
    ]


async def test_a_pause_lasts_until_it_is_ended_and_is_there_once(rows: Rows) -> None:
    store = rows.stores.live_copies
    pause = Pause(ANA, "because", {"days": 1}, Slot(500), 20_000)
    await store.change([pause], [], [], Slot(500))
    await store.change([replace(pause, reason="another", slot=Slot(600))], [], [], Slot(600))
    assert await store.paused() == {ANA: pause}
    assert (await rows.stores.standings.standing(ANA, now_unix_seconds=5_000)).pause == pause
    await store.change([], [ANA, EVE], [], Slot(700))
    assert await store.paused() == {}
    await store.change([pause], [], [], Slot(800))
    assert await store.paused() == {ANA: pause}


async def test_a_sale_soon_after_copies_stands_beside_what_he_and_they_paid(rows: Rows) -> None:
    await following(rows)
    entry, out = trade("in", slot=150, usd=100, units=100), trade("out", slot=400, usd=110, units=100, direction=Direction.CLOSE)
    (vault, _) = sorted((VAULT.address, OTHER.address))
    await rows.fill(await copied(rows, entry), bought(vault, ANA, BONK, 30 * 100_000, 36 * M))
    await rows.stores.trades.record(ANA, [out], read_to=out.slot)
    (sale,) = await rows.stores.live_copies.sales(since_unix_seconds=0)
    assert sale == SaleIntoCopies(ANA, out.id, BONK, Slot(400), Decimal(1), Decimal("1.1"), Decimal("1.2"))
    assert sale.is_one
    assert await rows.stores.live_copies.sales(since_unix_seconds=1_001) == []
    assert await rows.stores.live_copies.change([], [], [sale], Slot(401)) == 1
    assert await rows.stores.live_copies.change([], [], [sale], Slot(402)) == 0


@pytest.mark.parametrize("usd", [100, 120], ids=["for no more than he paid", "for no less than they paid"])
async def test_a_sale_that_takes_nothing_from_his_copiers_is_none(rows: Rows, usd: int) -> None:
    await following(rows)
    entry, out = trade("in", slot=150, usd=100, units=100), trade("out", slot=400, usd=usd, units=100, direction=Direction.CLOSE)
    (vault, _) = sorted((VAULT.address, OTHER.address))
    await rows.fill(await copied(rows, entry), bought(vault, ANA, BONK, 30 * 100_000, 36 * M))
    await rows.stores.trades.record(ANA, [out], read_to=out.slot)
    assert await rows.stores.live_copies.sales(since_unix_seconds=0) == []


async def test_a_sale_long_after_copies_is_none_of_their_business(rows: Rows) -> None:
    await following(rows)
    entry, out = trade("in", slot=150, usd=100, units=100), trade("out", slot=2_000, usd=110, units=100, direction=Direction.CLOSE)
    (vault, _) = sorted((VAULT.address, OTHER.address))
    await rows.fill(await copied(rows, entry), bought(vault, ANA, BONK, 30 * 100_000, 36 * M))
    await rows.stores.trades.record(ANA, [out], read_to=out.slot)
    assert await rows.stores.live_copies.sales(since_unix_seconds=0) == []


@pytest.mark.database
async def test_a_run_as_it_is_stored_says_what_a_score_promises_and_whose_wallets_are_his(engine: AsyncEngine) -> None:
    """The receipt's own shape: what scoring writes is what copying reads."""
    leader, other = made_swaps.wallet("ana"), made_swaps.wallet("eve")
    swaps = [made_swaps.swap("ana", "100 USDC", "1 SOL", slot=1), made_swaps.swap("ana", "1 SOL", "150 USDC", slot=2)]
    made = performance_of(value_swaps(swaps), swaps[-1].block_time)
    report = PerformanceReport(Slot(2), 20_000 * DAY_S + 5, "inputs", {leader: "hash"}, tuple(made))
    links = LinkFacts((other,), 2, (), 0.1, {"some rule": 3})
    score = CopyScore(leader, 61.5, 0.9, 0.2, 0.1, 0.3, 90, 40, 44, 0.05, 0.12, None, 0.003, "prior", daily_deviation=0.04, links=links)
    await PostgresTrust(engine, LOCAL_GENESIS).store(run_of(report, {leader: score}, Rules(), Model(MODEL)))
    store = PostgresLiveCopies(engine, LOCAL_GENESIS)
    found = (await store.expected([leader]))[leader]
    assert (found.score, found.theta, found.daily_deviation, found.as_of_day) == (61.5, 0.2, 0.04, 20_000)
    assert found.theta_deviation == pytest.approx(0.2 / 2 / 1.2815515655446004)
    assert (await store.standing(leader, now_unix_seconds=0)).others == (other,)
