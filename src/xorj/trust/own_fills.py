"""What our own fills say of the replay's assumptions: how late we are, and what copying costs beside what was computed. Pure.

The delay is the 90th percentile of our own; the costs are scaled by what the fills cost in all over what the replay computes for the same
trades. Until there are FILLS_MIN of them, both are assumptions, and named as such. Called by score_copies.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from xorj.primitives.ids import USDC, Mint
from xorj.trust.copy_replay import USD_PER_USDC_UNIT, Market, Terms

FILLS_MIN = 20
DELAY_QUANTILE = 0.9
# fills of a bad day, or a price that was wrong, must not decide alone what every wallet's copies cost
SCALE_MIN, SCALE_MAX = 0.25, 4.0


@dataclass(frozen=True, slots=True)
class OwnFill:
    """A settled copy: its block time in unix seconds, what went in and out in base units, how long after the leader's trade."""

    block_time: int
    input_mint: Mint
    input_raw: int
    output_mint: Mint
    output_raw: int
    delay_s: float


def measured_terms(terms: Terms, fills: Sequence[OwnFill], market: Market) -> Terms:
    """The terms with what was measured, as of the market's moment; as they are while there are too few fills."""
    known = [fill for fill in fills if fill.block_time <= market.as_of]
    if len(known) < FILLS_MIN:
        return terms
    delay = float(np.quantile(np.array([fill.delay_s for fill in known]), DELAY_QUANTILE))
    costs = [found for fill in known if (found := _costs_usd(fill, terms, market)) is not None]
    realised, replayed = (sum(one[side] for one in costs) for side in (0, 1))
    scale = terms.cost_scale if len(costs) < FILLS_MIN or replayed <= 0 else min(max(realised / replayed, SCALE_MIN), SCALE_MAX)
    return replace(terms, delay_s=max(delay, 0.0), cost_scale=scale, fills_measured=len(known))


def _costs_usd(fill: OwnFill, terms: Terms, market: Market) -> tuple[float, float] | None:
    """What the fill cost, and what the replay computes for it; None where neither side is USDC or the market had no price."""
    buys = fill.input_mint == USDC
    if buys == (fill.output_mint == USDC):
        return None
    mint, before = (fill.output_mint if buys else fill.input_mint), fill.block_time - 1
    price = market.prices.at(mint, before)
    if not price:
        return None
    quote = USD_PER_USDC_UNIT * (fill.input_raw if buys else fill.output_raw)
    worth = price * (fill.output_raw if buys else fill.input_raw)
    given = quote if buys else worth
    replayed = given * (terms.pool_fee + terms.platform_fee + market.moved_share(mint, given, before)) + terms.network_cost_usd
    return (quote - worth if buys else worth - quote) + terms.network_cost_usd, replayed
