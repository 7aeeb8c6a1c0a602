"""One recorded day of 907 real wallets: the kernel equals the exact books of every one, to the micro-dollar per closing swap."""

from itertools import groupby
from pathlib import Path

import pytest

from xorj.adapters.lake.swap_csv import read_swaps
from xorj.performance.kernel import performance_of
from xorj.performance.pnl import account_of
from xorj.swaps.valuation import value_swaps

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
DAY = DATA / "orca-whirlpool-swaps-2022-04-06.csv.gz"
MICRO_USD = 1e-6


@pytest.mark.skipif(not DAY.exists(), reason=f"the recorded day is not at {DATA}")
def test_every_wallet_of_the_recorded_day_has_the_books_it_must_have() -> None:
    swaps = [swap for record in read_swaps(DAY, {}) if isinstance(record.outcome, tuple) for swap in record.outcome]
    assert len(swaps) == 9_466
    valuation = value_swaps(swaps)
    assert all(one.value_usd is not None for one in valuation.swaps)
    found = performance_of(valuation, max(swap.block_time for swap in swaps))
    assert len(found) == 907
    for one, (wallet, own) in zip(found, groupby(valuation.swaps, key=lambda one: one.swap.wallet), strict=True):
        account = account_of(own)
        assert one.wallet == wallet
        assert one.closing_trades == account.closing
        for value, exact in (
            (one.realised_pnl_usd, account.realised),
            (one.capital_usd, account.contributions),
            (one.unmatched_sold_usd, account.unmatched_sold),
        ):
            assert abs(value - float(exact)) <= max(1e-9 * abs(float(exact)), MICRO_USD * max(1, account.closing))
