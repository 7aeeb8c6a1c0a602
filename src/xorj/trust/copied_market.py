"""The market that copies are replayed in: each token's price path, the depth of its pools, and the impact that was fitted. Pure.

Where the lake has what a pool held before and after a swap, and the swap obeyed x * y = k on it, the pool's own price and depth are taken;
everywhere else the price that the fitted impact leaves behind. Called by score_copies.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from xorj.market.impact import Impact, fitted
from xorj.primitives.ids import USDC, Mint, Wallet
from xorj.swaps.pool_hops import SwapFacts
from xorj.swaps.quote_rank import UNQUOTED_RANK, quote_rank
from xorj.swaps.swap import OrderKey, Swap
from xorj.swaps.valuation import EXECUTION_USD_MIN, ValuedSwap, chain_order
from xorj.trust.copy_replay import Market, Path, Prices, Trades

Reserves = Mapping[tuple[Wallet, OrderKey], SwapFacts]
NO_RESERVES: Reserves = {}
# what a pool keeps of a trade: beyond it, or with more given than x * y = k allows, the pool is of another kind
POOL_FEE_MAX, ROUNDING_MAX = 0.05, 0.001


class _Execution(NamedTuple):
    time: int
    price_usd: float
    signed_usd: float
    left_usd: float
    depth_usd: float


def market_of(histories: Iterable[Trades], as_of: int, reserves: Reserves = NO_RESERVES) -> Market:
    """Each token's impact and price path, from executions of EXECUTION_USD_MIN or more until as_of, in the chain's order.

    What a wallet undid in the same slot told nobody a price.
    """
    made = [one for trades in histories for one in trades.made if one.swap.order not in trades.undone]
    found: dict[Mint, list[_Execution]] = {}
    for one in sorted(made, key=lambda one: chain_order(one.swap)):
        if one.value_usd is None or one.value_usd < EXECUTION_USD_MIN or one.swap.block_time > as_of:
            continue
        left, depth = left_in_pool(one, reserves.get((one.swap.wallet, one.swap.order)))
        for sign, amount in ((-1, one.swap.input), (1, one.swap.output)):
            if amount.mint != USDC and amount.raw:
                is_token = quote_rank(Mint(amount.mint)) == UNQUOTED_RANK
                price, size = float(one.value_usd / amount.raw), sign * float(one.value_usd)
                row = _Execution(one.swap.block_time, price, size, *((left, depth) if is_token else (np.nan, np.nan)))
                found.setdefault(Mint(amount.mint), []).append(row)
    impacts = {mint: fitted([row.price_usd for row in rows], [row.signed_usd for row in rows]) for mint, rows in found.items()}
    return Market(Prices({mint: _path(rows, impacts[mint]) for mint, rows in found.items()}), impacts, as_of)


def reserves_of(facts: Iterable[tuple[Swap, SwapFacts]]) -> Reserves:
    """Of the swaps whose one pool's reserves are known."""
    return {(swap.wallet, swap.order): one for swap, one in facts if one.reserve_in is not None and one.reserve_out is not None}


def left_in_pool(one: ValuedSwap, facts: SwapFacts | None) -> tuple[float, float]:
    """What a base unit of the token costs in the one pool after the swap, and what that pool's quote side is worth, both in USD; NaN where
    reserves were not recorded, neither side is a quote, or the pool is not one of x * y = k."""
    swap, unknown = one.swap, (float("nan"), float("nan"))
    if facts is None or facts.reserve_in is None or facts.reserve_out is None or one.value_usd is None:
        return unknown
    held = facts.reserve_in.before_raw, facts.reserve_in.after_raw, facts.reserve_out.before_raw, facts.reserve_out.after_raw
    if not _is_constant_product(*(float(raw or 0) for raw in held)):
        return unknown
    gives_quote, gets_quote = (quote_rank(Mint(side.mint)) < UNQUOTED_RANK for side in (swap.input, swap.output))
    if gives_quote == gets_quote:
        return unknown
    quote, token = (facts.reserve_in, facts.reserve_out) if gives_quote else (facts.reserve_out, facts.reserve_in)
    paid = swap.input if gives_quote else swap.output
    if not paid.raw:
        return unknown
    depth = float(one.value_usd / paid.raw) * (quote.after_raw or 0)
    return depth / (token.after_raw or 1), depth


def _is_constant_product(in_before: float, in_after: float, out_before: float, out_after: float) -> bool:
    """Whether out_before (in_after - in_before) / in_after was given, less a fee."""
    taken, given = in_after - in_before, out_before - out_after
    if min(in_before, out_after, taken, given) <= 0:
        return False
    return 1 - POOL_FEE_MAX <= given * in_after / (taken * out_before) <= 1 + ROUNDING_MAX


def _path(rows: list[_Execution], impact: Impact) -> Path:
    fitted_prices = np.array([impact.price_after(row.price_usd, row.signed_usd) for row in rows])
    left, depths = np.array([row.left_usd for row in rows]), np.array([row.depth_usd for row in rows])
    times = np.maximum.accumulate(np.array([row.time for row in rows], dtype=np.int64))
    return Path(times, np.where(np.isfinite(left), left, fitted_prices), depths)
