"""The demo market: the same from the same seed, with leaders who are what they are called, and a past that was really executed."""

from collections import Counter
from pathlib import Path

import pytest

from xorj.demo.arbitrage import amount_to_ratio
from xorj.demo.history import execute_history, market_genesis, market_name
from xorj.demo.identities import EXCLUDED_WALLETS
from xorj.demo.leaders import VILLAINS, Kind, demo_leaders, villain_wallets
from xorj.demo.market import Cast, Market
from xorj.demo.past import Past, ensure_past, past_folder
from xorj.demo.plans import ALL_BPS, HISTORY, HISTORY_STEPS, Action, Season, live_season
from xorj.demo.prices import CHUNK_STEPS, STEPS_PER_DAY, PriceWalk, Spell
from xorj.demo.tokens import USDC_MINT, Temper, demo_tokens
from xorj.localnet.bank import Bank
from xorj.localnet.replay import replay
from xorj.market import local_amm
from xorj.primitives.errors import RefusedForSafety

SEED = 1
NOW = 1_790_000_000
SHORT = Season(0, 6 * STEPS_PER_DAY, live=False, number=0)


def executed(seed: int = SEED, season: Season = SHORT) -> tuple[Bank, Cast]:
    cast = Cast.of(seed)
    bank = Bank.open(None, market_genesis(cast, NOW, season))
    execute_history(bank, cast, season)
    return bank, cast


def bytes_of(bank: Bank) -> list[bytes]:
    return [stored.encode() for stored in bank.history.read_all()]


@pytest.fixture(scope="module")
def past() -> tuple[Bank, Cast]:
    return executed()


def test_one_seed_gives_the_same_history_to_the_byte(past: tuple[Bank, Cast]) -> None:
    assert bytes_of(past[0]) == bytes_of(executed()[0])


def test_another_seed_is_another_market(past: tuple[Bank, Cast]) -> None:
    tokens, others = (demo_tokens(seed) for seed in (SEED, SEED + 1))
    assert {token.mint for token in tokens[1:]}.isdisjoint(token.mint for token in others[1:])
    assert {leader.wallet for leader in demo_leaders(SEED)}.isdisjoint(leader.wallet for leader in demo_leaders(SEED + 1))
    assert market_name(SEED) != market_name(SEED + 1)


def test_every_stored_transaction_has_the_same_effects_on_a_fresh_chain(past: tuple[Bank, Cast]) -> None:
    bank, cast = past
    fresh = replay(bank)
    assert len(fresh.history) == len(bank.history) > 300
    before, after = (Market(each, cast) for each in (bank, fresh))
    mints = [USDC_MINT, *(token.mint for token in cast.tokens)]
    assert all(before.balance(leader, mint) == after.balance(leader, mint) for leader in cast.leaders for mint in mints)


def test_history_happens_at_its_own_block_times_and_ends_now(past: tuple[Bank, Cast]) -> None:
    bank, _ = past
    times = [bank.blocks.of_transaction(ordinal).unix_seconds for ordinal in range(len(bank.history))]
    assert times == sorted(times)
    assert times[0] < NOW - 5 * 86_400
    assert bank.unix_seconds == NOW


def test_pools_end_at_the_prices_of_the_walk(past: tuple[Bank, Cast]) -> None:
    bank, cast = past
    market = Market(bank, cast)
    for number, token in enumerate(cast.tokens):
        if token.temper is not Temper.THIN:
            worth = market.book.worth(token.mint)
            assert worth is not None
            assert float(worth.usd_per_raw * 10**token.decimals * 10**15) == pytest.approx(
                cast.walk.price(SHORT.last_step, number), rel=0.007
            )


def test_a_history_is_executed_once_and_found_again(tmp_path: Path) -> None:
    cast = Cast.of(SEED)

    def executes(new: Bank) -> Past:
        return execute_history(new, cast, SHORT)

    folder = past_folder(tmp_path, market_name(SEED))
    bank = Bank.open(folder, market_genesis(cast, NOW, SHORT))
    first = ensure_past(bank, folder, executes)
    bank.close()
    assert past_folder(tmp_path, market_name(SEED)) == folder
    again = Bank.open(folder, market_genesis(cast, NOW + 1_000, SHORT))
    assert ensure_past(again, folder, executes) == first
    assert bytes_of(again) == bytes_of(executed()[0])
    again.close()


def test_a_history_that_was_broken_off_is_executed_anew(tmp_path: Path) -> None:
    folder = past_folder(tmp_path, market_name(SEED))
    folder.mkdir(parents=True)
    (folder / "half").touch()
    assert not past_folder(tmp_path, market_name(SEED)).exists()


def test_a_folder_that_another_market_was_lived_in_is_refused(tmp_path: Path) -> None:
    folder = past_folder(tmp_path, market_name(SEED))
    folder.mkdir(parents=True)
    (folder / "past.json").write_text("{}")
    with pytest.raises(RefusedForSafety, match="reset --yes"):
        past_folder(tmp_path, market_name(SEED + 1))


def test_there_are_leaders_of_every_kind_and_none_of_them_makes_the_market() -> None:
    leaders = demo_leaders(SEED)
    kinds = Counter(leader.kind for leader in leaders)
    assert len(leaders) >= 40
    assert set(kinds) == set(Kind)
    assert EXCLUDED_WALLETS.isdisjoint(leader.wallet for leader in leaders)
    assert villain_wallets(SEED) == {leader.wallet for leader in leaders if leader.kind in VILLAINS}


def test_the_walk_has_bull_bear_and_chop_spells_and_stays_within_reason() -> None:
    tokens = demo_tokens(SEED)
    walk = PriceWalk(SEED, tokens)
    assert {walk.spell(step) for step in range(HISTORY_STEPS)} == set(Spell)
    for number, token in enumerate(tokens):
        prices = [walk.price(step, number) for step in range(HISTORY_STEPS)]
        assert token.price_units / 50 < min(prices) < token.price_units < max(prices) < token.price_units * 10


def test_a_walk_can_be_entered_anywhere() -> None:
    walk, other = (PriceWalk(SEED, demo_tokens(SEED)) for _ in range(2))
    assert other.prices(3 * CHUNK_STEPS + 7) == [walk.prices(step) for step in range(3 * CHUNK_STEPS + 8)][-1]


def test_plans_depend_on_the_seed_alone_and_every_order_is_possible() -> None:
    orders = Cast.of(SEED).planner.orders(HISTORY)
    assert orders == Cast.of(SEED).planner.orders(HISTORY)
    assert orders == sorted(orders)
    assert all(0 < order.share_bps <= ALL_BPS for order in orders)
    assert len(orders) < 8_000


def test_live_leaders_trade_every_few_seconds_and_get_out_soon() -> None:
    season = live_season(HISTORY_STEPS)
    orders = Cast.of(SEED).planner.orders(season)
    seconds = 2 * CHUNK_STEPS
    skilled = {leader.number for leader in demo_leaders(SEED) if leader.kind is Kind.SKILLED}
    assert seconds / 3 < len(orders) < 2 * seconds
    exits = [order for order in orders if order.leader in skilled and order.action is Action.SELL]
    assert len(exits) > seconds / 6


def test_the_wash_pair_trades_with_itself_and_the_sniper_comes_before_the_price() -> None:
    cast = Cast.of(SEED)
    orders = cast.planner.orders(HISTORY)
    kinds = {order.leader: cast.leaders[order.leader].kind for order in orders}
    assert {order.action for order in orders if kinds[order.leader] is Kind.WASH_WINNER} == set(Action)
    sniped = [order for order in orders if kinds[order.leader] is Kind.SNIPER and order.action is Action.BUY]
    assert sniped
    assert all(order.early and cast.walk.rise_ppm(order.token, order.step - 1, order.step) > 100_000 for order in sniped)


@pytest.mark.parametrize(("reserve_in", "reserve_out", "ratio_in", "ratio_out"), [(10**12, 10**12, 2, 1), (5 * 10**9, 10**15, 1, 190_000)])
def test_the_arbitrage_account_moves_a_pool_to_the_price(reserve_in: int, reserve_out: int, ratio_in: int, ratio_out: int) -> None:
    amount = amount_to_ratio(reserve_in, reserve_out, ratio_in, ratio_out)
    left = reserve_out - local_amm.amount_out(reserve_in, reserve_out, amount)
    assert (reserve_in + amount) * ratio_out / (left * ratio_in) == pytest.approx(1, abs=0.001)


def test_a_pool_that_gives_less_already_is_left_alone() -> None:
    assert amount_to_ratio(10**12, 10**12, 1, 2) == 0
