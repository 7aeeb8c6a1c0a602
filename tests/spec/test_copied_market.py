"""What recorded reserves tell the copy replay of price and depth, and which pools they say nothing of."""

import math
from dataclasses import replace

import pytest
from tests.fakes.made_swaps import FIRST_DAY_S, VENUE, mint, swap, wallet
from tests.fakes.spec_table import table

from xorj.primitives.clock import DAY_S
from xorj.primitives.ids import USDC, Mint
from xorj.swaps.pool_hops import Reserve, SwapFacts
from xorj.swaps.swap import Swap
from xorj.swaps.valuation import value_swaps
from xorj.trust.copied_market import left_in_pool, market_of, reserves_of
from xorj.trust.copy_replay import Terms, replay
from xorj.trust.score_copies import trades_by_wallet

WIF = mint("WIF")
AS_OF = FIRST_DAY_S + 5 * DAY_S


def facts(gave: Mint, got: Mint, reserves: str) -> SwapFacts:
    """`in before>in after, out before>out after` in whole tokens of 6 decimals; `?` is not known."""
    pairs = [[None if text.strip() == "?" else round(float(text) * 1e6) for text in side.split(">")] for side in reserves.split(",")]
    first, second = (Reserve(name, *pair) for name, pair in zip((gave, got), pairs, strict=True))
    return SwapFacts(VENUE, 1, VENUE, VENUE, first, second)


POOLS = table("""
    what                                   | gives    | gets      | reserves                        | price  | depth
    a purchase in a pool of 10,000         | 100 USDC | 99.01 WIF | 10000>10100, 10000>9900.990099  | 1.0201 | 10100
    with a fee that stays in the pool      | 100 USDC | 98.71 WIF | 10000>10100, 10000>9901.29      | 1.0201 | 10100
    a sale                                 | 100 WIF  | 99.01 USDC| 10000>10100, 10000>9900.990099  | 0.9803 | 9901
    concentrated: more than x * y = k      | 100 USDC | 99.9 WIF  | 10000>10100, 10000>9900.10      |        |
    somebody took far more than a fee      | 100 USDC | 80 WIF    | 10000>10100, 10000>9920         |        |
    a reserve that the node does not show  | 100 USDC | 99.01 WIF | 10000>10100, ?>?                |        |
    a pool that gave nothing               | 100 USDC | 0.01 WIF  | 10000>10100, 10000>10000        |        |
""")


@pytest.mark.parametrize("row", POOLS, ids=lambda row: row["what"])
def test_a_pool_of_constant_product_tells_price_and_depth_and_no_other_does(row: dict[str, str]) -> None:
    one = swap("ana", row["gives"], row["gets"], slot=1)
    known = facts(Mint(one.input.mint), Mint(one.output.mint), row["reserves"])
    (valued,) = value_swaps([one]).swaps
    price, depth = left_in_pool(valued, known)
    if not row["price"]:
        assert math.isnan(price)
        assert math.isnan(depth)
    else:
        assert price * 1e6 == pytest.approx(float(row["price"]), rel=2e-3)
        assert depth == pytest.approx(float(row["depth"]), rel=2e-3)


def test_two_tokens_without_a_quote_and_a_swap_without_facts_tell_nothing() -> None:
    one = swap("ana", "100 BONK", "100 WIF", slot=1)
    (valued,) = value_swaps([one]).swaps
    for known in (None, facts(mint("BONK"), WIF, "10000>10100, 10000>9900.990099")):
        assert all(math.isnan(value) for value in left_in_pool(valued, known))


def deep_and_shallow() -> tuple[list[Swap], list[tuple[Swap, SwapFacts]]]:
    """Ana buys and sells WIF, whose pool was recorded on the first day with 10,000 USDC, and on the third with 1,000."""
    swaps = [
        swap("eli", "100 USDC", "99.009901 WIF", slot=1),
        swap("ana", "100 USDC", "97 WIF", slot=2, day=1),
        swap("eli", "10 USDC", "9.90099 WIF", slot=3, day=2),
        swap("ana", "97 WIF", "90 USDC", slot=4, day=3),
    ]
    recorded = [
        (swaps[0], facts(USDC, WIF, "10000>10100, 10000>9900.990099")),
        (swaps[2], facts(USDC, WIF, "1000>1010, 1000>990.09901")),
    ]
    return swaps, recorded


def test_depth_is_that_of_the_last_recorded_moment_and_fitted_where_none_was() -> None:
    swaps, recorded = deep_and_shallow()
    trades = trades_by_wallet(value_swaps(swaps), AS_OF)
    market = market_of(trades.values(), AS_OF, reserves_of(recorded))
    assert market.prices.depth_usd(WIF, FIRST_DAY_S) == pytest.approx(10_100, rel=1e-3)
    assert market.prices.depth_usd(WIF, FIRST_DAY_S + DAY_S) is None, "Ana's own swap was not recorded"
    assert market.prices.depth_usd(WIF, FIRST_DAY_S + 2 * DAY_S) == pytest.approx(1_010, rel=1e-3)
    assert market.moved_share(WIF, 101, FIRST_DAY_S + 2 * DAY_S) == pytest.approx(1 / 11, rel=1e-3)
    fitted = market.impacts[WIF].cost_share(101)
    assert market.moved_share(WIF, 101, FIRST_DAY_S + DAY_S) == fitted


def test_a_copier_pays_what_the_recorded_pool_takes() -> None:
    swaps, recorded = deep_and_shallow()
    trades = trades_by_wallet(value_swaps(swaps), AS_OF)
    terms = replace(Terms(), order_usd=50, delay_s=0)
    shallower = [(one, replace(known, reserve_in=half(known.reserve_in), reserve_out=half(known.reserve_out))) for one, known in recorded]
    costs = [
        replay(trades[wallet("ana")], market_of(trades.values(), AS_OF, reserves_of(known)), terms).cost_share
        for known in (recorded, shallower)
    ]
    assert costs[0] is not None
    assert costs[1] is not None
    assert costs[1] >= costs[0]


def half(reserve: Reserve | None) -> Reserve | None:
    if reserve is None or reserve.before_raw is None or reserve.after_raw is None:
        return reserve
    moved = reserve.after_raw - reserve.before_raw
    return replace(reserve, before_raw=reserve.before_raw // 2, after_raw=reserve.before_raw // 2 + moved)
