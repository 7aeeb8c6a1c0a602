"""How a leader stands with those who copy him live: what is at stake, how it went, whether he is paused. Pure; read by exposure and by
follow_live_copies.

A leader is paused where the return of his live copies over one of WINDOWS_DAYS leaves the 1 % quantile of what his score promised:

    return over n days ~ normal(n theta sigma, sigma^2 (n + n^2 tau^2))      theta, tau mean and deviation of his posterior,
                                                                             sigma the deviation of his copier's daily return
and where he sold into his copiers' purchases SALES_MAX times within SALES_DAYS. Held against it at a day's end alone, somebody would be
paused wrongly once in 100 days a window; looking all day long tends to twice that, and days wilder than a normal one make it more
often. A pause ends by rule alone, and not while what began it still stands.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from statistics import NormalDist

from xorj.copying.decision import Numbers
from xorj.primitives.ids import Mint, Slot, Wallet

WINDOWS_DAYS = (1, 5, 20)
# of the standard normal: one in a hundred lies below
ONE_PERCENT = NormalDist().inv_cdf(0.01)
# between the ends of the middle 80 % of a normal, in deviations
BAND_DEVIATIONS = 2 * NormalDist().inv_cdf(0.9)
PAUSE_DAYS = 7
# he sold so soon after a purchase of ours that it was still what held the price
SALE_SLOTS = 750
SALES_MAX, SALES_DAYS = 3, 30
UNEXPECTED_LOSS, SELLS_INTO_COPIES = "his live copies lost more than his score allows for", "he sold into his copiers' purchases"


@dataclass(frozen=True, slots=True)
class Pause:
    """No purchase is copied while it lasts. `day` is the UTC day it began on."""

    leader: Wallet
    reason: str
    numbers: Numbers
    slot: Slot
    day: int


@dataclass(frozen=True, slots=True)
class LeaderStanding:
    """Over all followers, in raw units of the base mint: what positions held for him have cost and open purchases will, the same with his
    owner's `others`, what all who follow anybody have deposited. `live_days`: whole days since he was first copied."""

    leader: Wallet
    leader_raw: int = 0
    owner_raw: int = 0
    deposits_raw: int = 0
    live_days: int = 0
    others: tuple[Wallet, ...] = ()
    pause: Pause | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the newest score promised his copiers: theta and its deviation, in daily utility-Sharpe, and sigma, a fraction a day."""

    score: float
    theta: float
    theta_deviation: float
    daily_deviation: float
    as_of_day: int

    def one_percent(self, days: int) -> float:
        """The return over so many days that one in a hundred falls below."""
        spread = self.daily_deviation * math.sqrt(days + days * days * self.theta_deviation * self.theta_deviation)
        return days * self.theta * self.daily_deviation + ONE_PERCENT * spread


@dataclass(frozen=True, slots=True)
class LiveDay:
    """At the last look of a UTC day: what all his copies ever made or lost, and what his followers have allotted to him, both raw."""

    day: int
    result_raw: int
    allotted_raw: int


@dataclass(frozen=True, slots=True)
class LiveLeader:
    """All copies of one leader now: `realised_raw` of what is sold, `held` as (units, cost) raw by mint."""

    leader: Wallet
    realised_raw: int
    held: Mapping[Mint, tuple[int, int]] = field(default_factory=dict)
    allotted_raw: int = 0


@dataclass(frozen=True, slots=True)
class SaleIntoCopies:
    """He bought, his copiers bought dearer, he sold at more than he paid and less than they did. Prices in USD a whole token."""

    leader: Wallet
    trade_id: str
    mint: Mint
    slot: Slot
    paid_usd: Decimal
    sold_usd: Decimal
    copies_paid_usd: Decimal

    @property
    def is_one(self) -> bool:
        return self.paid_usd < self.sold_usd < self.copies_paid_usd


def unexpected_loss(days: Sequence[LiveDay], expected: Expectation) -> Numbers | None:
    """The numbers of the first window whose return is below its 1 % quantile, None where all are within. `days` oldest first."""
    if not days:
        return None
    now = days[-1]
    for window in WINDOWS_DAYS:
        before = next((each for each in reversed(days) if each.day <= now.day - window), None)
        # days without a look lie within: what was lost in them may be held against no fewer days than they are
        lasted = window if before is None else now.day - before.day
        allotted = max(each.allotted_raw for each in days if each.day > now.day - lasted)
        if allotted <= 0:
            continue
        made = (now.result_raw - (0 if before is None else before.result_raw)) / allotted
        least = expected.one_percent(lasted)
        if made < least:
            return {"days": lasted, "return": f"{made:.6f}", "one_percent_quantile": f"{least:.6f}", "allotted_raw": str(allotted)}
    return None


def may_resume(pause: Pause, today: int, expected: Expectation | None, score_min: float) -> bool:
    """After PAUSE_DAYS, when a score of those days, which knows how it went, is still high enough to be copied."""
    if expected is None or today < pause.day + PAUSE_DAYS:
        return False
    return expected.as_of_day > pause.day and expected.score >= score_min
