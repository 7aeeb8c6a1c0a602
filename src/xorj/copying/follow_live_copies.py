"""How the copies of each leader go, and what follows: a pause, its end, a warning. Run by the trade-bot every while.

Nothing here trades. A pause keeps plan_copies from opening anything more for the leader; what is held for him is sold when he sells.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

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
from xorj.primitives.clock import DAY_S, ChainClock, ChainTime
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Mint, Wallet

# sources fail for minutes; a token nobody prices for longer can be sold for nothing
UNPRICED_S_MAX = 600


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look changed, how many sales into copies were told for the first time, and how many leaders are paused after it."""

    begun: tuple[Pause, ...] = ()
    ended: tuple[Wallet, ...] = ()
    told: int = 0
    paused: int = 0


@dataclass(slots=True)
class Unpriced:
    """Since when held tokens have had no price, in unix seconds of the chain. Begins anew with the process."""

    since: dict[Mint, int] = field(default_factory=dict)

    def lost(self, held: Iterable[Mint], prices: Mapping[Mint, Price], now_s: int) -> frozenset[Mint]:
        """Which of the held have had no price for UNPRICED_S_MAX; forgets what has one again or is held no more."""
        self.since = {mint: self.since.get(mint, now_s) for mint in held if mint not in prices}
        return frozenset(mint for mint, since in self.since.items() if now_s - since >= UNPRICED_S_MAX)


async def follow_live_copies(
    store: LiveCopyStore,
    standings: StandingReader,
    feed: PriceFeed,
    clock: ChainClock,
    base_mint: Mint,
    score_min: float,
    unpriced: Unpriced,
) -> Looked:
    """One look at every leader. Repeating it changes nothing more. Raises Unavailable, also when the base mint has no price; then
    nothing is judged and nothing written."""
    now = await clock.now()
    live = await store.live()
    if not live:
        return Looked()
    leaders = [each.leader for each in live]
    held = sorted({mint for each in live for mint in each.held})
    prices = await feed.prices(sorted({base_mint, *held}))
    if base_mint not in prices:
        raise Unavailable("prices", f"the base mint {base_mint} has none")
    lost = unpriced.lost(held, prices, now.unix_seconds)
    expected, paused = await standings.expected(leaders), await store.paused()
    sales = await store.sales(since_unix_seconds=now.unix_seconds - SALES_DAYS * DAY_S)
    today = now.unix_seconds // DAY_S
    begun, ended = list[Pause](), list[Wallet]()
    for each in live:
        days = await store.looked(each.leader, LiveDay(today, result_raw(each, prices, base_mint, lost), each.allotted_raw))
        pause, promise = paused.get(each.leader), expected.get(each.leader)
        found = _pause(each.leader, days, promise, sales, now)
        if pause is None:
            begun += [] if found is None else [found]
        elif found is None and may_resume(pause, today, promise, score_min):
            ended.append(each.leader)
    told = await store.change(begun, ended, sales, now.slot)
    return Looked(tuple(begun), tuple(ended), told, len(paused) + len(begun) - len(ended))


def result_raw(live: LiveLeader, prices: Mapping[Mint, Price], base_mint: Mint, lost: Collection[Mint]) -> int:
    """What all copies of a leader have made so far, in the base mint: what is lost counts nothing, what has no price yet its cost."""
    base = prices[base_mint]
    result = live.realised_raw
    for mint, (units, cost) in live.held.items():
        if (price := prices.get(mint)) is not None:
            result += int(Usd(price.value(units) / base.usd).scaleb(base.decimals)) - cost
        elif mint in lost:
            result -= cost
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
