"""What each figure of a wallet's performance means, by examples to check on paper. Without fees, so that numbers are round."""

import pytest
from tests.fakes.made_swaps import DAY_S, FIRST_DAY_S, swap
from tests.fakes.spec_table import table

from xorj.performance.kernel import performance_of
from xorj.performance.metrics import Performance
from xorj.swaps.swap import Swap
from xorj.swaps.valuation import value_swaps

REALISED = table("""
    what                                        | swaps                                                | realised | capital | outside | win
    bought and sold higher                      | 100 USDC > 1 SOL; 1 SOL > 150 USDC                   | 50       | 100     | 0       | 1
    two lots, the first one closes first        | 100 USDC > 1 SOL; 200 USDC > 1 SOL; 1 SOL > 250 USDC | 150      | 300     | 0       | 1
    half of a lot                               | 100 USDC > 2 SOL; 1 SOL > 80 USDC                    | 30       | 100     | 0       | 1
    a loss                                      | 100 USDC > 1 SOL; 1 SOL > 60 USDC                    | -40      | 100     | 0       | 0
    break even is not a win                     | 100 USDC > 1 SOL; 1 SOL > 100 USDC                   | 0        | 100     | 0       | 0
    what was never bought makes no profit       | 1 SOL > 150 USDC                                     | 0        | 150     | 150     | none
    sold beyond what was bought, split pro rata | 100 USDC > 1 SOL; 3 SOL > 450 USDC                   | 50       | 400     | 300     | 1
    proceeds pay for the next buy               | 100 USDC > 1 SOL; 1 SOL > 150 USDC; 150 USDC > 1 SOL | 50       | 100     | 0       | 1
    only the shortfall is new money             | 100 USDC > 1 SOL; 1 SOL > 150 USDC; 200 USDC > 1 SOL | 50       | 150     | 0       | 1
    opening with SOL sells the SOL              | 100 USDC > 1 SOL; 1 SOL > 9 BONK                     | 0        | 100     | 0       | none
    without USDC: a sale and a buy at SOL price | 100 USDC > 1 SOL; 1 SOL > 9 BONK; 9 BONK > 2 SOL     | 100      | 100     | 0       | 1
    before any SOL price a SOL swap is left out | 1 SOL > 9 BONK                                       | 0        | 0       | 0       | none
    a trade of a few dollars makes no price     | 5 USDC > 1 SOL; 1 SOL > 9 BONK                       | 0        | 5       | 0       | none
""")


def performance(text: str, *, days: list[float] | None = None) -> Performance:
    swaps = [one.strip().split(" > ") for one in text.split(";")]
    made = [swap("ana", gives, gets, slot=at + 1, day=days[at] if days else at / 100, fee=0) for at, (gives, gets) in enumerate(swaps)]
    return performance_of(value_swaps(made), max(one.block_time for one in made))[0]


@pytest.mark.parametrize("row", REALISED, ids=lambda row: row["what"])
def test_realised_profit_capital_and_wins(row: dict[str, str]) -> None:
    found = performance(row["swaps"])
    assert found.realised_pnl_usd == pytest.approx(float(row["realised"]))
    assert found.capital_usd == pytest.approx(float(row["capital"]))
    assert found.unmatched_sold_usd == pytest.approx(float(row["outside"]))
    assert found.win_rate == (None if row["win"] == "none" else pytest.approx(float(row["win"])))


def test_what_is_held_is_marked_at_the_last_execution_of_its_token() -> None:
    found = performance("100 USDC > 2 SOL; 1 SOL > 80 USDC")
    assert (found.realised_pnl_usd, found.unrealised_pnl_usd, found.net_pnl_usd) == (30, 30, 60)
    assert found.roi == pytest.approx(0.6)


def test_a_token_that_was_never_traded_at_size_stands_at_its_cost() -> None:
    assert performance("5 USDC > 100 BONK").unrealised_pnl_usd == 0


def test_days_are_utc_days_and_each_has_a_return_on_what_was_there() -> None:
    found = performance("100 USDC > 1 SOL; 1 SOL > 110 USDC; 110 USDC > 1 SOL; 1 SOL > 55 USDC", days=[0, 1, 2, 3])
    assert found.days == 4
    assert found.daily_returns == pytest.approx((0, 0.1, 0, -0.5))
    assert found.max_drawdown == pytest.approx(0.5)


def test_new_money_on_a_day_is_part_of_that_days_base() -> None:
    found = performance("100 USDC > 1 SOL; 300 USDC > 1 SOL", days=[0, 1])
    assert found.daily_returns == pytest.approx((0, 200 / 400))


def test_a_wallet_that_rests_goes_on_being_marked_by_others_trades() -> None:
    rests = swap("ana", "100 USDC", "1 SOL", slot=1, day=0, fee=0)
    others = [swap("ben", "150 USDC", "1 SOL", slot=2, day=1, fee=0), swap("ben", "75 USDC", "1 SOL", slot=3, day=2, fee=0)]
    found = {one.wallet: one for one in performance_of(value_swaps([rests, *others]), FIRST_DAY_S + 2 * DAY_S)}[rests.wallet]
    assert found.daily_returns == pytest.approx((0, 0.5, -0.5))
    assert found.unrealised_pnl_usd == pytest.approx(-25)


def test_network_fees_are_at_the_price_of_sol_then() -> None:
    made = [swap("ana", "100 USDC", "1 SOL", slot=1, fee=0), swap("ana", "1 SOL", "200 USDC", slot=2, fee=10_000_000)]
    found = performance_of(value_swaps(made), made[-1].block_time)[0]
    assert found.fees_usd == pytest.approx(2)
    assert found.net_pnl_usd == pytest.approx(98)


def test_unknown_fees_are_said_to_be_unknown() -> None:
    made: list[Swap] = [swap("ana", "100 USDC", "1 SOL", slot=1, fee=None)]
    found = performance_of(value_swaps(made), made[-1].block_time)[0]
    assert (found.fees_usd, found.fees_known) == (0, False)


def test_a_short_or_flat_record_has_no_ratio() -> None:
    one_day = performance("100 USDC > 1 SOL; 1 SOL > 150 USDC")
    assert (one_day.sharpe, one_day.sortino, one_day.volatility, one_day.profit_factor) == (None, None, None, None)
    flat = performance("100 USDC > 1 SOL; 1 SOL > 100 USDC", days=[0, 3])
    assert (flat.sharpe, flat.sortino, flat.volatility, flat.max_drawdown) == (None, None, 0, 0)


def test_no_wallets_have_no_performance() -> None:
    assert performance_of(value_swaps([]), 0) == []
