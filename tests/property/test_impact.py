"""The fitted impact against a pool with x * y = k that is traded by hand: the fit must find the pool that made the executions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xorj.market.impact import DEPTH_USD_MAX, EXECUTIONS_MIN, Impact, fitted


def traded(depth_usd: float, fee: float, sizes: list[float]) -> tuple[list[float], list[float], list[float]]:
    """Average prices, signed sizes and marginal prices after, of trades in a pool that is brought back to its depth after each."""
    price, averages, after = 1.0, list[float](), list[float]()
    for size in sizes:
        kept = abs(size) * (1 - fee)
        # the quote side is `depth_usd` before every trade: somebody adds or takes liquidity in proportion
        base = depth_usd / price
        if size > 0:
            got = base * kept / (depth_usd + kept)
            averages.append(size / got)
            price = (depth_usd + kept) / (base - got)
        else:
            given_units = base * abs(size) / (depth_usd - abs(size)) / (1 - fee)
            averages.append(abs(size) / given_units)
            price = (depth_usd - abs(size)) / (base + given_units * (1 - fee))
        after.append(price)
    return averages, sizes, after


@given(depth=st.floats(1e4, 1e7), fee=st.floats(0, 0.01), seed=st.integers(0, 2**32 - 1))
def test_the_fit_finds_the_pools_depth_and_where_each_trade_left_it(depth: float, fee: float, seed: int) -> None:
    draw = np.random.default_rng(seed)
    sizes = (draw.uniform(0.001, 0.02, 60) * draw.choice([-1, 1], 60) * depth).tolist()
    averages, sizes, after = traded(depth, fee, sizes)
    impact = fitted(averages, sizes)
    assert impact.depth_usd == pytest.approx(depth, rel=0.05)
    assert impact.unexplained < 0.01
    found = [impact.price_after(average, size) for average, size in zip(averages, sizes, strict=True)]
    assert found == pytest.approx(after, rel=2e-3)


def test_prices_that_do_not_follow_the_trades_leave_the_movement_unexplained() -> None:
    draw = np.random.default_rng(7)
    impact = fitted(np.exp(draw.normal(0, 0.1, 500)).tolist(), draw.normal(0, 10, 500).tolist())
    assert impact.unexplained > 0.9


@given(seed=st.integers(0, 2**32 - 1), one_sided=st.booleans())
def test_the_fit_is_the_least_squares_fit(seed: int, one_sided: bool) -> None:
    draw = np.random.default_rng(seed)
    sizes = draw.lognormal(5, 1, 50) * (1 if one_sided else draw.choice([-1, 1], 50))
    prices = np.exp(np.cumsum(draw.normal(0, 0.01, 50)))
    traded, turned, moved = sizes[1:] + sizes[:-1], np.diff(np.sign(sizes)), np.diff(np.log(prices))
    impact = fitted(prices.tolist(), sizes.tolist())
    slopes = np.stack([traded, turned], axis=1)
    # of all planes the fit leaves the least: moving either coefficient leaves more
    best = impact.unexplained * float((moved**2).sum())
    for slope, fee in draw.normal(0, 0.01, (20, 2)) / [np.abs(sizes).max(), 1]:
        assert ((moved - slopes[:, 0] * slope - slopes[:, 1] * fee) ** 2).sum() >= best * (1 - 1e-9)


def test_too_few_executions_are_taken_for_a_shallow_pool() -> None:
    few = fitted([1.0] * (EXECUTIONS_MIN - 1), [30.0] * (EXECUTIONS_MIN - 1))
    assert (few.depth_usd, few.unexplained) == (600.0, 1.0)


@given(depth=st.floats(1, DEPTH_USD_MAX), value=st.floats(0, 1e9))
def test_a_larger_trade_loses_a_larger_share_and_never_more_than_all(depth: float, value: float) -> None:
    impact = Impact(depth, 0.0, 0.0, 100)
    assert 0 <= impact.cost_share(value) <= impact.cost_share(2 * value) <= 1
