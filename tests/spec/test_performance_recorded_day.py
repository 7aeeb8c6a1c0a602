"""One recorded day of 907 real wallets: the kernel equals the exact books and an independent computation in SQL, wallet by wallet."""

import random
from itertools import groupby
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from tests.fakes.fifo_in_sql import realised_and_unmatched
from tests.fakes.made_swaps import swap

from xorj.adapters.lake.swap_csv import read_swaps
from xorj.performance.kernel import performance_of
from xorj.performance.pnl import account_of, days_of
from xorj.swaps.swap import Swap
from xorj.swaps.valuation import value_swaps

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
DAY = DATA / "orca-whirlpool-swaps-2022-04-06.csv.gz"
RECORDED = pytest.mark.skipif(not DAY.exists(), reason=f"the recorded day is not at {DATA}")
MICRO_USD = 1e-6


def close(value: float, exact: float, closings: int) -> bool:
    return abs(value - exact) <= max(1e-9 * abs(exact), MICRO_USD * max(1, closings))


@pytest.fixture(scope="module")
def recorded() -> list[Swap]:
    return [swap for record in read_swaps(DAY, {}) if isinstance(record.outcome, tuple) for swap in record.outcome]


@RECORDED
def test_every_wallet_of_the_recorded_day_has_the_books_it_must_have(recorded: list[Swap]) -> None:
    assert len(recorded) == 9_466
    valuation, as_of = value_swaps(recorded), max(swap.block_time for swap in recorded)
    assert all(one.value_usd is not None for one in valuation.swaps)
    found = performance_of(valuation, as_of)
    assert len(found) == 907
    for one, (wallet, own) in zip(found, groupby(valuation.swaps, key=lambda one: one.swap.wallet), strict=True):
        events = list(own)
        account, day = account_of(events), days_of(events, valuation.executions, as_of)[-1]
        assert one.wallet == wallet
        assert (one.trades, one.closing_trades) == (account.trades, account.closing)
        assert (one.win_rate or 0) * one.closing_trades == pytest.approx(account.wins)
        for value, exact in (
            (one.realised_pnl_usd, account.realised),
            (one.capital_usd, account.contributions),
            (one.unmatched_sold_usd, account.unmatched_sold),
            (one.volume_usd, account.volume),
            (one.net_pnl_usd, day.net_pnl),
        ):
            assert close(value, float(exact), account.closing)


@RECORDED
def test_realised_profit_of_the_recorded_day_is_what_sql_makes_of_the_file(recorded: list[Swap]) -> None:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"create view raw_swaps as select * from read_csv('{DAY}')")
        by_sql = realised_and_unmatched(connection)
    found = performance_of(value_swaps(recorded), max(swap.block_time for swap in recorded))
    assert len(by_sql) == len(found) == 907
    for one in found:
        realised, unmatched = by_sql[one.wallet]
        assert close(one.realised_pnl_usd, realised, one.closing_trades)
        assert close(one.unmatched_sold_usd, unmatched, one.closing_trades)


def test_realised_profit_of_generated_histories_is_what_sql_makes_of_them() -> None:
    swaps = generated(wallets=40, swaps=3_000)
    with duckdb.connect() as connection:
        connection.register("raw_swaps", columns_of(swaps))
        by_sql = realised_and_unmatched(connection)
    found = performance_of(value_swaps(swaps), max(one.block_time for one in swaps))
    assert len(by_sql) == len(found) == 40
    for one in found:
        realised, unmatched = by_sql[one.wallet]
        assert close(one.realised_pnl_usd, realised, one.trades)
        assert close(one.unmatched_sold_usd, unmatched, one.trades)


def generated(wallets: int, swaps: int) -> list[Swap]:
    """Swaps between any two of five tokens, many of them sales of what was never bought."""
    dice = random.Random(20220406)
    made = [swap("nobody", "100 USDC", "1 SOL", slot=1), swap("nobody", "50 USDC", "50 USDT", slot=2)]
    for at in range(swaps):
        gives, gets = dice.sample(["USDC", "USDC", "USDT", "SOL", "BONK", "WIF"], 2)
        if gives != gets:
            amounts = (round(dice.lognormvariate(2, 2), 6) + 1e-6 for _ in range(2))
            who = f"wallet {dice.randrange(wallets - 1)}"
            made.append(swap(who, f"{next(amounts):.6f} {gives}", f"{next(amounts):.6f} {gets}", slot=at + 3, day=at / 300))
    return made


def columns_of(swaps: list[Swap]) -> pa.Table:
    return pa.table(
        {
            "slot": [one.order.slot for one in swaps],
            "tx_index": [one.order.transaction_index for one in swaps],
            "ix_index": [one.order.instruction_index for one in swaps],
            "wallet": [one.wallet for one in swaps],
            "input_mint": [one.input.mint for one in swaps],
            "output_mint": [one.output.mint for one in swaps],
            "amount_in": [one.input.raw for one in swaps],
            "amount_out": [one.output.raw for one in swaps],
        }
    )
