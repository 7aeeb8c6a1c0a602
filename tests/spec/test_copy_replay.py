"""What a follower would have had, in numbers to check by hand: the pool's fee is 1 %, a transaction costs 1 USD, the pool is deep."""

from dataclasses import replace

import numpy as np
import pytest
from tests.fakes.made_swaps import FIRST_DAY_S, mint, swap

from xorj.market.impact import Impact
from xorj.primitives.clock import DAY_S
from xorj.primitives.ids import Mint
from xorj.swaps.swap import Swap
from xorj.swaps.valuation import value_swaps
from xorj.trust.copy_replay import CopyRecord, Market, Path, Prices, Terms, replay, trades_of

WIF = mint("WIF")
# starts with 500 USD and puts at most a tenth of what it has into one entry
TERMS = Terms(order_usd=50, trade_share_max=0.1, delay_s=0, pool_fee=0.01, network_cost_usd=1)
DEEP = Impact(depth_usd=1e9, fee=0.0, unexplained=0.0, executions=100)
MINUTE = 1 / 1440


def market(*path: tuple[float, float], impact: Impact = DEEP, days: float = 2) -> Market:
    """WIF's price in USD for a whole one, by day."""
    times = np.array([FIRST_DAY_S + round(day * DAY_S) for day, _ in path], dtype=np.int64)
    prices = np.array([usd / 1e6 for _, usd in path])
    return Market(Prices({WIF: Path(times, prices)}), {WIF: impact}, FIRST_DAY_S + round(days * DAY_S) - 1)


def copied(swaps: list[Swap], where: Market, terms: Terms = TERMS) -> CopyRecord:
    return replay(trades_of(value_swaps(swaps).swaps), where, terms)


def equity(record: CopyRecord) -> list[float]:
    return [round(float(value), 2) for value in 500 * np.cumprod(1 + record.daily_returns)]


BUYS_ALL = swap("ana", "100 USDC", "100 WIF", slot=1)


def test_an_entry_is_the_leaders_share_up_to_the_limit_and_pays_fee_and_transaction() -> None:
    # 50 in, 1 for the transaction, 1 % of 49: 48.51 WIF; sold, they bring 48.51 * 0.99 - 1
    record = copied([BUYS_ALL], market((0, 1.0)))
    assert equity(record) == [round(450 + 48.51 * 0.99 - 1, 2)] * 2
    assert (record.entries, record.round_trips) == (1, 0)


def test_a_small_share_of_the_leaders_equity_is_a_small_order() -> None:
    # he gives 5 of the 100 that he has by then: 25 of 500
    swaps = [swap("ana", "100 USDC", "100 WIF", slot=1), swap("ana", "100 WIF", "100 USDC", slot=2, day=MINUTE)]
    small = swap("ana", "5 USDC", "5 WIF", slot=3, day=2 * MINUTE)
    before, after = copied(swaps, market((0, 1.0))), copied([*swaps, small], market((0, 1.0)))
    cash = float(equity(before)[0])
    spent = 0.05 * cash - 1
    assert equity(after)[0] == pytest.approx(0.95 * cash + spent * 0.99 * 0.99 - 1, abs=0.01)


def test_an_exit_sells_the_share_that_the_leader_sells() -> None:
    half = swap("ana", "50 WIF", "100 USDC", slot=2, day=1)
    record = copied([BUYS_ALL, half], market((0, 1.0), (1, 2.0)))
    # 24.255 WIF at 2 USD sold, 24.255 held and marked as if sold
    assert equity(record)[1] == pytest.approx(450 + 2 * (48.51 * 0.99 - 1), abs=0.01)
    assert record.round_trips == 1


def test_the_price_is_the_one_after_our_delay() -> None:
    leaps = market((0, 1.0), (2 / DAY_S, 2.0))
    fast, slow = (copied([BUYS_ALL], leaps, replace(TERMS, delay_s=delay)) for delay in (1, 3))
    assert equity(fast)[0] > equity(slow)[0]
    assert equity(slow)[0] == round(450 + 48.51 * 0.99 - 1, 2)


def test_in_a_shallow_pool_the_order_itself_moves_the_price() -> None:
    # x * y = k: 49 USD into a pool that is 49 USD deep loses half
    shallow = replace(DEEP, depth_usd=49.0)
    record = copied([BUYS_ALL], market((0, 1.0), impact=shallow))
    units = 49 * (1 - 0.01 - 0.5)
    assert equity(record)[0] == pytest.approx(450 + units * (0.99 - units / (49 + units)) - 1, abs=0.01)


def test_what_nobody_trades_any_more_is_worth_nothing() -> None:
    record = copied([BUYS_ALL], market((0, 1.0), days=10))
    assert equity(record)[6] > 490
    assert equity(record)[7:] == [450.0] * 3


def test_what_he_never_bought_is_not_sold_for_a_follower() -> None:
    record = copied([swap("ana", "10 WIF", "20 USDC", slot=1)], market((0, 2.0)))
    assert equity(record) == [500.0, 500.0]
    assert record.round_trips == 0


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        (replace(TERMS, refused=frozenset({Mint(WIF)})), "token refused"),
        (replace(TERMS, network_cost_usd=50), "no cash left"),
    ],
)
def test_an_entry_that_we_would_not_make_is_counted_with_its_reason(terms: Terms, reason: str) -> None:
    record = copied([BUYS_ALL], market((0, 1.0)), terms)
    assert (record.entries, record.not_copied) == (0, {reason: 1})
    assert equity(record) == [500.0, 500.0]


def test_a_token_without_a_price_is_not_copied() -> None:
    assert copied([BUYS_ALL], market((1, 1.0))).not_copied == {"no price": 1}


def test_what_is_undone_in_its_own_slot_proves_nothing_and_counts_as_linked_volume() -> None:
    there_and_back = [swap("ana", "100 USDC", "100 WIF", slot=7), swap("ana", "100 WIF", "101 USDC", slot=7, index=1)]
    record = copied([*there_and_back, swap("ana", "201 USDC", "201 WIF", slot=8, day=MINUTE)], market((0, 1.0)))
    assert (record.entries, record.round_trips) == (1, 0)
    assert record.linked_share == pytest.approx(0.5, abs=0.01)


def test_switching_sells_one_and_buys_the_other() -> None:
    sol = market((0, 1.0))
    both = Market(sol.prices, {WIF: DEEP}, sol.as_of)
    record = copied([BUYS_ALL, swap("ana", "100 WIF", "50 BONK", slot=2, day=MINUTE)], both)
    assert record.round_trips == 1
    assert record.not_copied == {"no price": 1}


def test_days_without_trades_return_nothing_and_count() -> None:
    record = copied([BUYS_ALL], market((0, 1.0), days=5))
    assert len(record.daily_returns) == 5
    assert record.daily_returns[1:].tolist() == [0.0] * 4


def test_higher_costs_never_pay() -> None:
    swaps = [BUYS_ALL, swap("ana", "100 WIF", "150 USDC", slot=2, day=1)]
    where = market((0, 1.0), (1, 1.5))
    kept = [equity(copied(swaps, where, replace(TERMS, cost_scale=scale)))[-1] for scale in (0.5, 1.0, 2.0, 4.0)]
    assert kept == sorted(kept, reverse=True)


def test_a_trade_in_ten_parts_of_one_transaction_is_one_trade() -> None:
    whole = [BUYS_ALL, swap("ana", "100 WIF", "200 USDC", slot=2, day=1)]
    parts = [swap("ana", "10 USDC", "10 WIF", slot=1, instruction=part) for part in range(10)]
    parts += [swap("ana", "10 WIF", "20 USDC", slot=2, day=1, instruction=part) for part in range(10)]
    where = market((0, 1.0), (1, 2.0))
    one, ten = copied(whole, where), copied(parts, where)
    assert (ten.entries, ten.round_trips, equity(ten)) == (one.entries, one.round_trips, equity(one))


def test_selling_in_parts_makes_no_more_round_trips() -> None:
    sales = [swap("ana", "25 WIF", "25 USDC", slot=2 + part, day=0.1 * (part + 1)) for part in range(4)]
    assert copied([BUYS_ALL, *sales], market((0, 1.0))).round_trips == 1
