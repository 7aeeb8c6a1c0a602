"""The kernel equals the exact books on any history, whatever the order of wallets and tokens, and compiled as interpreted."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.made_swaps import FIRST_DAY_S, amount, swap, wallet

from xorj.performance import columns as c
from xorj.performance import kernel
from xorj.performance.kernel import performance_of
from xorj.performance.lots import Lots, buy, sell
from xorj.performance.metrics import Performance
from xorj.performance.pnl import account_of, days_of
from xorj.performance.transfer import TransferOut
from xorj.primitives.amounts import TokenAmount
from xorj.primitives.clock import DAY_S
from xorj.primitives.ids import USDC, Mint, Slot, Wallet
from xorj.swaps.swap import OrderKey, Swap
from xorj.swaps.valuation import Valuation, ValuedSwap, value_swaps

WHO = st.sampled_from(["ana", "ben"])
NAMES = ["USDC", "USDT", "SOL", "BONK", "WIF"]
TOKENS = st.lists(st.sampled_from(NAMES), min_size=2, max_size=2, unique=True)
AMOUNTS = st.integers(1, 5_000_000).map(lambda units: units / 1_000)
MICRO_USD = 1e-6


@st.composite
def histories(draw: st.DrawFn) -> list[Swap]:
    rows = draw(st.lists(st.tuples(WHO, TOKENS, AMOUNTS, AMOUNTS), min_size=1, max_size=40))
    return [
        swap(who, f"{given_amount} {paid}", f"{got_amount} {bought}", slot=slot + 1, day=slot / 3)
        for slot, (who, (paid, bought), given_amount, got_amount) in enumerate(rows)
    ]


@st.composite
def departures(draw: st.DrawFn) -> list[TransferOut]:
    rows = draw(st.lists(st.tuples(WHO, st.sampled_from(NAMES), AMOUNTS, st.integers(1, 40)), max_size=6))
    return [
        TransferOut(wallet(who), OrderKey(Slot(slot), 1, at), FIRST_DAY_S + round((slot - 1) / 3 * DAY_S), amount(f"{much} {token}"))
        for at, (who, token, much, slot) in enumerate(rows)
    ]


def compute(swaps: Sequence[Swap], transfers: Sequence[TransferOut] = ()) -> tuple[Valuation, dict[Wallet, Performance], int]:
    valuation = value_swaps(swaps)
    as_of = max(one.block_time for one in (*swaps, *transfers))
    return valuation, {one.wallet: one for one in performance_of(valuation, as_of, transfers)}, as_of


def events_of(valuation: Valuation, transfers: Sequence[TransferOut], who: Wallet) -> list[ValuedSwap | TransferOut]:
    own = [one for one in valuation.swaps if one.swap.wallet == who]
    moved = [one for one in transfers if one.wallet == who and own and one.order > own[0].swap.order]
    return sorted([*own, *moved], key=lambda one: one.swap.order if isinstance(one, ValuedSwap) else one.order)


def close(value: float | None, exact: Fraction | None, turned_over: float, events: int = 1) -> bool:
    """1e-9 of what was turned over to make it, or a micro-dollar per event."""
    if value is None or exact is None:
        return value is None and exact is None
    return abs(value - float(exact)) <= max(1e-9 * max(abs(float(exact)), turned_over), MICRO_USD * events)


@given(histories(), departures())
@settings(max_examples=100, deadline=None)
def test_the_kernel_equals_the_exact_books(swaps: list[Swap], transfers: list[TransferOut]) -> None:
    valuation, found, as_of = compute(swaps, transfers)
    assert found.keys() == {one.wallet for one in swaps}
    for who, one in found.items():
        events = events_of(valuation, transfers, who)
        account, count = account_of(events), len(events)
        for value, exact in (
            (one.realised_pnl_usd, account.realised),
            (one.fees_usd, account.fees),
            (one.unmatched_sold_usd, account.unmatched_sold),
            (one.capital_usd, account.contributions),
            (one.volume_usd, account.volume),
        ):
            assert close(value, exact, 0, count)
        assert (one.trades, one.closing_trades) == (account.trades, account.closing)
        assert (one.win_rate or 0) * one.closing_trades == pytest.approx(account.wins)
        largest = max((float(lots.cost) for lots in account.lots.values()), default=0)
        assert close(one.unrealised_pnl_usd, account.unrealised(valuation.executions, as_of), largest, count)
        assert close(one.holding_time_s, account.holding_time_s(), 1)
        assert one.concentration == pytest.approx(account.concentration() and float(account.concentration()))
        assert one.profit_factor == pytest.approx(float(account.gains / account.losses) if account.losses else None)


@given(histories(), departures())
@settings(max_examples=100, deadline=None)
def test_the_kernels_days_equal_the_exact_days(swaps: list[Swap], transfers: list[TransferOut]) -> None:
    valuation, found, as_of = compute(swaps, transfers)
    for who, one in found.items():
        days = days_of(events_of(valuation, transfers, who), valuation.executions, as_of)
        assert len(days) == one.days == len(one.daily_returns)
        turned_over = float(max(day.contributions for day in days)) + max(abs(float(day.equity)) for day in days)
        for day, equity, day_return in zip(days, one.daily_equity_usd, one.daily_returns, strict=True):
            assert close(equity, day.equity, turned_over, len(swaps))
            # a return on next to nothing is no number to compare
            assert day_return == pytest.approx(float(day.day_return), abs=1e-6) or turned_over > 1e4 * abs(float(day.equity))


@given(histories(), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_the_order_in_which_swaps_are_given_is_irrelevant(swaps: list[Swap], random: Random) -> None:
    shuffled = list(swaps)
    random.shuffle(shuffled)
    assert compute(shuffled)[1] == compute(swaps)[1]


@given(histories())
@settings(max_examples=30, deadline=None)
def test_the_order_of_tokens_is_irrelevant(swaps: list[Swap]) -> None:
    renamed = {"BONK": amount("1 WIF").mint, "WIF": amount("1 BONK").mint}
    other = {amount(f"1 {name}").mint: mint for name, mint in renamed.items()}

    def exchanged(one: TokenAmount) -> TokenAmount:
        return replace(one, mint=Mint(other.get(Mint(one.mint), Mint(one.mint))))

    mirrored = [replace(one, input=exchanged(one.input), output=exchanged(one.output)) for one in swaps]
    assert all(realised(compute(mirrored)[1][who]) == realised(one) for who, one in compute(swaps)[1].items())


def realised(one: Performance) -> tuple[float, ...]:
    return one.realised_pnl_usd, one.capital_usd, one.unmatched_sold_usd, one.volume_usd


@given(histories())
@settings(max_examples=30, deadline=None)
def test_a_wallet_earns_the_same_whoever_trades_beside_it_at_no_other_price(swaps: list[Swap]) -> None:
    valuation, found, as_of = compute(swaps)
    for who in found:
        alone = Valuation(tuple(one for one in valuation.swaps if one.swap.wallet == who), valuation.executions)
        assert realised(performance_of(alone, as_of)[0]) == realised(found[who])


@given(histories(), st.integers(2, 5))
@settings(max_examples=30, deadline=None)
def test_splitting_a_fill_changes_nothing_that_was_earned(swaps: list[Swap], parts: int) -> None:
    whole = [replace(one, input=times(one.input, parts), output=times(one.output, parts)) for one in swaps]
    split = [
        replace(one, order=replace(one.order, instruction_index=part), network_fee_lamports=0) for one in swaps for part in range(parts)
    ]
    unsplit = [replace(one, network_fee_lamports=0) for one in whole]
    # who sells his first part sets the price that the others are valued at: only one price table makes them comparable
    prices = value_swaps(unsplit)
    of_part = {one.swap.signature: one for one in prices.swaps}
    values = tuple(replace(of_part[one.signature], swap=one, value_usd=share(of_part[one.signature], parts)) for one in by_wallet(split))
    as_of = max(one.block_time for one in swaps)
    one_by_one = performance_of(Valuation(values, prices.executions), as_of)
    for together, apart in zip(performance_of(prices, as_of), one_by_one, strict=True):
        assert realised(apart) == pytest.approx(realised(together), rel=1e-9, abs=MICRO_USD)
        assert apart.unrealised_pnl_usd == pytest.approx(together.unrealised_pnl_usd, rel=1e-9, abs=1e-9 * together.volume_usd + MICRO_USD)


def times(one: TokenAmount, factor: int) -> TokenAmount:
    return replace(one, raw=one.raw * factor)


def share(one: ValuedSwap, parts: int) -> Fraction | None:
    return None if one.value_usd is None else one.value_usd / parts


def by_wallet(swaps: Sequence[Swap]) -> list[Swap]:
    return sorted(swaps, key=lambda one: (one.wallet, one.order))


@given(histories(), st.integers(1, 1_000))
@settings(max_examples=30, deadline=None)
def test_a_deposit_changes_no_return(swaps: list[Swap], usdc: int) -> None:
    """More is paid for a token on a day and the same is got back at once: money comes in, nothing is earned, and no later day moves."""
    dollars = [one for one in swaps if USDC in (one.input.mint, one.output.mint)] or [swap("ana", "100 USDC", "1 SOL", slot=1)]
    as_of = max(one.block_time for one in dollars) + DAY_S
    deposit = swap(
        "ana", f"{usdc} USDC", f"{usdc} DULL", slot=1 + max(one.order.slot for one in dollars), day=(as_of - FIRST_DAY_S) / DAY_S, fee=0
    )
    before = {one.wallet: one for one in performance_of(value_swaps(dollars), as_of)}
    after = {one.wallet: one for one in performance_of(value_swaps([*dollars, deposit]), as_of)}
    for who, one in before.items():
        assert after[who].daily_returns == pytest.approx(one.daily_returns, rel=1e-9, abs=1e-9)
        assert after[who].max_drawdown == pytest.approx(one.max_drawdown)


LOT_EVENTS = st.lists(st.tuples(st.booleans(), st.integers(1, 1_000), st.integers(0, 1_000)), max_size=60)


@given(LOT_EVENTS)
def test_lots_conserve_quantity_and_cost(events: list[tuple[bool, int, int]]) -> None:
    lots, bought, paid, sold, cost = Lots(), 0, Fraction(0), 0, Fraction(0)
    for is_buy, quantity, value in events:
        if is_buy:
            lots, bought, paid = buy(lots, quantity, Fraction(value)), bought + quantity, paid + value
        else:
            lots, closed = sell(lots, quantity, Fraction(value))
            sold, cost = sold + quantity - closed.unmatched_raw, cost + closed.cost
        assert lots.quantity_raw == bought - sold
        assert lots.cost == paid - cost
        assert all(lot.quantity_raw > 0 for lot in lots.open)


def made_legs(count: int, seed: int) -> tuple[c.Legs, c.Marks, int]:
    """Legs of a few wallets without any history behind them, in columns: purchases, sales and sales of too much."""
    random = np.random.default_rng(seed)
    wallet_of, token = np.sort(random.integers(0, 9, count)), random.integers(0, 7, count)
    starts = np.searchsorted(wallet_of, wallet_of)
    at = np.arange(count) - starts
    time = FIRST_DAY_S + at * (90 * DAY_S // count)
    quantity = np.round(random.normal(size=count) * 1e9)
    flags = np.where(quantity > 0, c.FIRST | c.CASH | c.PAID, c.FIRST | c.CASH | c.CLOSES)
    columns = (wallet_of, token, at, time, quantity, random.random(count) * 1e3, random.random(count), flags)
    order = np.lexsort((at, token, wallet_of))
    legs = c.Legs(*(one[order] for one in columns))
    first, days = FIRST_DAY_S // DAY_S, 100
    marks = c.Marks(np.full(7, first), np.arange(7) * days, random.random(7 * days) / 1e6)
    return legs, marks, FIRST_DAY_S + (days - 1) * DAY_S


def test_compiled_and_interpreted_kernels_agree_to_the_bit() -> None:
    legs, marks, as_of = made_legs(4_000, seed=7)
    interpreted = kernel.figures_of(legs, marks, as_of, with_series=True)
    compiled = kernel.figures_of(legs, marks, as_of, with_series=True, compile_legs_min=0)
    for name in ("wallets", "totals", "statistics", "returns", "equity_usd"):
        assert np.array_equal(getattr(interpreted, name), getattr(compiled, name), equal_nan=True), name
