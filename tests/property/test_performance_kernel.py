"""The kernel equals the exact books on any history, whatever the order of wallets, and compiled as interpreted."""

from fractions import Fraction
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.made_swaps import swap

from xorj.performance import fifo_kernel
from xorj.performance.kernel import performance_of
from xorj.performance.metrics import Performance
from xorj.performance.pnl import Account, account_of
from xorj.primitives.ids import Wallet
from xorj.swaps.swap import Swap
from xorj.swaps.valuation import Valuation, value_swaps

WHO = st.sampled_from(["ana", "ben"])
TOKENS = st.lists(st.sampled_from(["USDC", "USDT", "SOL", "BONK", "WIF"]), min_size=2, max_size=2, unique=True)
AMOUNTS = st.integers(1, 5_000_000).map(lambda units: units / 1_000)
MICRO_USD = 1e-6


@st.composite
def histories(draw: st.DrawFn) -> list[Swap]:
    rows = draw(st.lists(st.tuples(WHO, TOKENS, AMOUNTS, AMOUNTS), min_size=1, max_size=40))
    return [
        swap(who, f"{given_amount} {paid}", f"{got_amount} {bought}", slot=slot + 1, day=slot / 3)
        for slot, (who, (paid, bought), given_amount, got_amount) in enumerate(rows)
    ]


def reference(valuation: Valuation) -> dict[Wallet, Account]:
    wallets = {one.swap.wallet for one in valuation.swaps}
    return {wallet: account_of(one for one in valuation.swaps if one.swap.wallet == wallet) for wallet in wallets}


def compute(swaps: list[Swap]) -> tuple[Valuation, dict[Wallet, Performance], int]:
    valuation, as_of = value_swaps(swaps), max(one.block_time for one in swaps)
    return valuation, {one.wallet: one for one in performance_of(valuation, as_of)}, as_of


def close(value: float, exact: Fraction, events: int) -> bool:
    return abs(value - float(exact)) <= max(1e-9 * abs(float(exact)), MICRO_USD * events)


@given(histories())
@settings(max_examples=200, deadline=None)
def test_the_kernel_equals_the_exact_books(swaps: list[Swap]) -> None:
    valuation, found, as_of = compute(swaps)
    books = reference(valuation)
    assert found.keys() == books.keys()
    for wallet, account in books.items():
        one, count = found[wallet], len(swaps)
        assert close(one.realised_pnl_usd, account.realised, count)
        assert close(one.fees_usd, account.fees, count)
        assert close(one.unmatched_sold_usd, account.unmatched_sold, count)
        assert close(one.capital_usd, account.contributions, count)
        unrealised = account.unrealised(valuation, as_of)
        largest = max((abs(float(lots.cost)) for lots in account.lots.values()), default=0)
        assert abs(one.unrealised_pnl_usd - float(unrealised)) <= max(1e-9 * (abs(float(unrealised)) + largest), MICRO_USD * count)
        assert one.closing_trades == account.closing
        assert (one.win_rate or 0) * one.closing_trades == pytest.approx(account.wins, abs=0.01) or near_zero(swaps)


def near_zero(swaps: list[Swap]) -> bool:
    """Whether some closing earned so little that floats cannot tell a win from none."""
    books = value_swaps(swaps)
    gains = []
    for wallet in {one.swap.wallet for one in books.swaps}:
        own = [one for one in books.swaps if one.swap.wallet == wallet]
        before = [account_of(own[:at]).realised for at in range(len(own) + 1)]
        gains += [abs(float(after - earlier)) for earlier, after in pairwise(before)]
    return any(gain < MICRO_USD for gain in gains)


@given(histories(), st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_the_order_in_which_swaps_are_given_is_irrelevant(swaps: list[Swap], random: Random) -> None:
    shuffled = list(swaps)
    random.shuffle(shuffled)
    assert compute(shuffled)[1] == compute(swaps)[1]


@given(histories())
@settings(max_examples=50, deadline=None)
def test_a_wallet_earns_the_same_whoever_trades_beside_it_at_no_other_price(swaps: list[Swap]) -> None:
    valuation, found, as_of = compute(swaps)
    for wallet in found:
        alone = Valuation(tuple(one for one in valuation.swaps if one.swap.wallet == wallet), valuation.executions)
        assert performance_of(alone, as_of) == [found[wallet]]


def test_compiled_and_interpreted_matching_agree_to_the_bit() -> None:
    random = np.random.default_rng(7)
    count = 3_000
    starts = random.random(count) < 0.05
    starts[0] = True
    quantity = random.normal(size=count) * 1e9
    value = random.random(count) * 1e3
    compiled_out, rows = np.zeros((6, count)), [[0.0] * count for _ in range(6)]
    fifo_kernel.compiled()(starts, quantity, value, np.zeros(count), np.zeros(count), compiled_out)
    fifo_kernel.match_lots(starts.tolist(), quantity.tolist(), value.tolist(), [0.0] * count, [0.0] * count, rows)
    assert np.array_equal(compiled_out, np.array(rows))
