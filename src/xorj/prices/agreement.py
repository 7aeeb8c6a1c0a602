"""One price out of what several sources say, or why there is none: staleness, confidence, disagreement. Used by prices/discover_prices.

A source that is stale or unsure has no say. Those that are left must agree; then the first of them, in the order given, is the price.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from xorj.prices.price import Price
from xorj.primitives.amounts import BPS_PER_ONE
from xorj.primitives.clock import ChainTime
from xorj.primitives.ids import SOL, USDC, USDT, Mint, Slot

# traded so much everywhere that one sound source is enough; every other mint is thin
DEEP_MINTS = frozenset({SOL, USDC, USDT})
# no step of the plans for shorter slots goes below this, so an age by it is never too young
SLOT_MS_MIN = 200


class NoPriceRule(StrEnum):
    UNKNOWN = "no source knows the mint"
    AGE_UNKNOWN = "the age is unknown"
    STALE = "the price is too old"
    UNSURE = "the source is not sure enough"
    DISAGREEMENT = "the sources disagree"
    ONE_SOURCE = "one source alone for a thin mint"


@dataclass(frozen=True, slots=True)
class NoPrice:
    """The rule that left the mint without a price, with its numbers."""

    mint: Mint
    rule: NoPriceRule
    what: str = ""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a price must keep. `ahead_s_max`: a source's clock may go before the chain's, whose block time lags."""

    age_slots_max: int = 300
    age_s_max: int = 60
    ahead_s_max: int = 60
    confidence_bps_max: int = 200
    disagreement_bps_max: int = 300


def agreed(mint: Mint, told: Sequence[Price], now: ChainTime, bounds: Bounds, *, is_local: bool) -> Price | NoPrice:
    """`told` holds each source's price of `mint`, most trusted first. On the local chain one source is enough for any mint.

    The price is as of the oldest slot among those that agree, so that whoever bounds its age again bounds all of them.
    """
    judged = [_usable(price, now, bounds) for price in told]
    usable = [one for one in judged if isinstance(one, Price)]
    if not usable:
        return next((one for one in judged if isinstance(one, NoPrice)), NoPrice(mint, NoPriceRule.UNKNOWN))
    low, high = min(one.usd for one in usable), max(one.usd for one in usable)
    if (high - low) * BPS_PER_ONE > low * bounds.disagreement_bps_max:
        said = ", ".join(f"{one.source} {one.usd}" for one in usable)
        return NoPrice(mint, NoPriceRule.DISAGREEMENT, f"{said}; {bounds.disagreement_bps_max} bps at most")
    if len({one.source for one in usable}) < 2 and mint not in DEEP_MINTS and not is_local:
        dropped = next((f"; {one.rule}: {one.what}" for one in judged if isinstance(one, NoPrice)), "")
        return NoPrice(mint, NoPriceRule.ONE_SOURCE, f"{usable[0].source}{dropped}")
    return replace(usable[0], slot=min(one.slot for one in usable if one.slot is not None))


def highest(told: Sequence[Price], now: ChainTime, bounds: Bounds) -> Price | None:
    """The highest of what usable sources say, whether they agree or not; for where too high a price is the safe side."""
    usable = [one for one in (_usable(price, now, bounds) for price in told) if isinstance(one, Price)]
    return max(usable, key=lambda one: one.usd, default=None)


def _usable(price: Price, now: ChainTime, bounds: Bounds) -> Price | NoPrice:
    """The price with a slot that is at most as new as it is, or why it has no say."""
    dated = _dated(price, now, bounds)
    if isinstance(dated, NoPrice):
        return dated
    confidence = dated.confidence_usd
    if confidence is not None and confidence * BPS_PER_ONE > dated.usd * bounds.confidence_bps_max:
        return NoPrice(price.mint, NoPriceRule.UNSURE, f"{price.usd} ± {confidence}; {bounds.confidence_bps_max} bps at most")
    return dated


def _dated(price: Price, now: ChainTime, bounds: Bounds) -> Price | NoPrice:
    age = price.age_slots(now.slot)
    if age is not None:
        stale = NoPrice(price.mint, NoPriceRule.STALE, f"{age} slots; {bounds.age_slots_max} at most")
        return stale if age > bounds.age_slots_max else price
    if price.published_at_s is None:
        return NoPrice(price.mint, NoPriceRule.AGE_UNKNOWN, price.source)
    seconds = now.unix_seconds - price.published_at_s
    if not -bounds.ahead_s_max <= seconds <= bounds.age_s_max:
        return NoPrice(price.mint, NoPriceRule.STALE, f"{seconds} s; {bounds.age_s_max} at most")
    return replace(price, slot=Slot(max(0, now.slot - max(0, seconds) * 1_000 // SLOT_MS_MIN)))
