"""How far a trade moves a token's price, fitted from a token's executions where no reserves are recorded. Pure; used by the copy replay.

In a pool with x * y = k whose quote side is worth R, a trade of signed worth s (positive buys) executes on average at p (1 + s / R) and
leaves the price at p (1 + s / R)^2. So between two executions in a row

    log(price_i / price_i-1) = (s_i + s_i-1) / R + fee (sign_i - sign_i-1) + news

and 1 / R is the slope of a least-squares fit, fee the other coefficient. R is taken as it is on the average.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xorj.primitives import elementary

Floats = NDArray[np.float64]

EXECUTIONS_MIN = 20
FEE_MAX = 0.02
# a slope that is not there would promise a pool without bottom
DEPTH_USD_MAX = 1e9
# too few executions to fit: the pool is taken to be so many of its median trades deep
DEPTH_IN_TRADES_ASSUMED = 20
# one minus the squared cosine of the two columns: below it they cannot be told apart in 53 bits
COLLINEAR_BELOW = 1e-10


@dataclass(frozen=True, slots=True)
class Impact:
    """Worth of the quote side in USD, and the pools' fee as a share; `unexplained` is what the fit leaves of all price movement, 0 to 1."""

    depth_usd: float
    fee: float
    unexplained: float
    executions: int

    def cost_share(self, value_usd: float) -> float:
        """What of its worth a trade loses by moving the price, 0 to 1: v / (R + v)."""
        return value_usd / (self.depth_usd + value_usd)

    def price_after(self, price: float, signed_usd: float) -> float:
        """Where a trade that executed on average at `price` left the pool: price (1 + s / R), without the fee that it paid."""
        fee = self.fee if signed_usd > 0 else -self.fee
        return price * max(1 + signed_usd / self.depth_usd, 0.0) * (1 - fee)


def fitted(prices: Sequence[float], signed_usd: Sequence[float]) -> Impact:
    """From a token's executions in order: prices in one unit, worth in USD, negative for sales. Raises ValueError for unequal lengths."""
    price, size = np.asarray(prices, np.float64), np.asarray(signed_usd, np.float64)
    if price.shape != size.shape or price.ndim != 1:
        raise ValueError("prices and sizes must be of one length")
    if len(price) < EXECUTIONS_MIN:
        return Impact(max(DEPTH_IN_TRADES_ASSUMED * float(np.median(np.abs(size))) if len(size) else 0.0, 1.0), 0.0, 1.0, len(price))
    moved = np.diff(elementary.log(price))
    traded, turned = size[1:] + size[:-1], np.diff(np.sign(size))
    slope, fee = _least_squares(traded, turned, moved)
    depth = min(1 / slope, DEPTH_USD_MAX) if slope > 1 / DEPTH_USD_MAX else DEPTH_USD_MAX
    total, left = _product(moved, moved), moved - slope * traded - fee * turned
    return Impact(depth, min(max(fee, 0.0), FEE_MAX), _product(left, left) / total if total else 0.0, len(price))


def _least_squares(first: Floats, second: Floats, wanted: Floats) -> tuple[float, float]:
    """The two coefficients by the normal equations of columns brought to length 1; columns that say the same leave all to the first.

    Written out, because a linear algebra library's result depends on the processor, and on what ran in the process before: some
    of its routines use the old floating-point stack, which other native code may leave in disorder.
    """
    length = math.sqrt(_product(first, first)), math.sqrt(_product(second, second))
    if not length[0] or not length[1]:
        alone = [_product(column, wanted) / (size * size) if size else 0.0 for column, size in zip((first, second), length, strict=True)]
        return alone[0], alone[1]
    one, other = first / length[0], second / length[1]
    shared, by_one, by_other = _product(one, other), _product(one, wanted), _product(other, wanted)
    apart = 1 - shared * shared
    if apart < COLLINEAR_BELOW:
        return by_one / length[0], 0.0
    return (by_one - shared * by_other) / apart / length[0], (by_other - shared * by_one) / apart / length[1]


def _product(one: Floats, other: Floats) -> float:
    return float((one * other).sum())
