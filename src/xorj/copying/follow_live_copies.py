"""How the copies of each leader go, and what follows: a pause, its end, a warning. Run by the trade-bot every while.

Nothing here trades. A pause keeps plan_copies from opening anything more for the leader; what is held for him is sold when he sells.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xorj.copying.ports import LiveCopyStore, StandingReader
from xorj.copying.standing import (
    SALES_DAYS,
    SALES_MAX,
    SELLS_INTO_COPIES,
    UNEXPECTED_LOSS,
    Expectation,
    LiveDay,
    LiveLeader,
    Pause,
    SaleIntoCopies,
    may_resume,
    unexpected_loss,
)
from xorj.prices.ports import PriceFeed
from xorj.prices.price import Price
from xorj.primitives.amounts import Usd
from xorj.primitives.clock import ChainClock, ChainTime
from xorj.primitives.ids import Mint, Wallet

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look changed, how many sales into copies were told for the first time, and how many leaders are paused after it."""

    begun: tuple[Pause, ...] = ()
    ended: tuple[Wallet, ...] = ()
    told: int = 0
    paused: int = 0


async def follow_live_copies(
    store: LiveCopyStore, standings: StandingReader, feed: PriceFeed, clock: ChainClock, base_mint: Mint, score_min: float
) -> Looked:
    """One look at every leader. Repeating it changes nothing more. Raises Unavailable; then nothing is judged."""
    now = await clock.now()
    live = await store.live()
    if not live:
        return Looked()
    leaders = [each.leader for each in live]
    prices = await feed.prices(sorted({base_mint, *(mint for each in live for mint in each.held)}))
    expected, paused = await standings.expected(leaders), await store.paused()
    sales = [sale for sale in await store.sales(since_unix_seconds=now.unix_seconds - SALES_DAYS * DAY_S) if sale.is_one]
    today = now.unix_seconds // DAY_S
    begun, ended = list[Pause](), list[Wallet]()
    for each in live:
        days = await store.looked(each.leader, LiveDay(today, result_raw(each, prices, base_mint), each.allotted_raw))
        pause, promise = paused.get(each.leader), expected.get(each.leader)
        if pause is not None:
            ended += [each.leader] if may_resume(pause, today, promise, score_min) else []
        elif (found := _pause(each.leader, days, promise, sales, now)) is not None:
            begun.append(found)
    told = await store.change(begun, ended, sales, now.slot)
    return Looked(tuple(begun), tuple(ended), told, len(paused) + len(begun) - len(ended))


def result_raw(live: LiveLeader, prices: Mapping[Mint, Price], base_mint: Mint) -> int:
    """What all copies of a leader have made so far, in the base mint: what has no price can be sold for nothing."""
    base = prices.get(base_mint)
    result = live.realised_raw
    for mint, (units, cost) in live.held.items():
        price = prices.get(mint)
        worth = Usd(price.value(units) / base.usd) if price is not None and base is not None else None
        result += (0 if worth is None or base is None else int(worth.scaleb(base.decimals))) - cost
    return result


def _pause(
    leader: Wallet, days: Sequence[LiveDay], expected: Expectation | None, sales: Sequence[SaleIntoCopies], now: ChainTime
) -> Pause | None:
    """Whoever has no score that promises anything is not copied by rule, so that there is nothing to hold him to but his sales."""
    today = now.unix_seconds // DAY_S
    numbers = None if expected is None else unexpected_loss(days, expected)
    if numbers is not None:
        return Pause(leader, UNEXPECTED_LOSS, numbers, now.slot, today)
    his = [sale for sale in sales if sale.leader == leader]
    if len(his) >= SALES_MAX:
        return Pause(leader, SELLS_INTO_COPIES, {"times": len(his), "days": SALES_DAYS, "last_trade": his[-1].trade_id}, now.slot, today)
    return None
