"""May a wallet be ranked and copied, and why not. Used by score_wallets; every unranked wallet has its reason in the run."""

from dataclasses import dataclass

from xorj.performance.metrics import Performance
from xorj.primitives.clock import DAY_S
from xorj.primitives.ids import Wallet

TRADES_MIN = 10
ACTIVE_DAYS_MIN = 7
CLOSING_TRADES_MIN = 3
IDLE_DAYS_MAX = 30
# a machine's pace: before one of its trades is copied, the next ones have undone it
TRADES_A_DAY_MAX = 500
# beyond this share of its volume, so much came from outside that the record is not of trading
UNMATCHED_SHARE_MAX = 0.5


@dataclass(frozen=True, slots=True)
class Rules:
    """What is asked of a wallet; the defaults are those of the constants above. `gapped` are wallets with an unexplained gap in what was
    read of them (swaps.ports.SwapReader.open_holes): what happened in it may be anything."""

    trades_min: int = TRADES_MIN
    active_days_min: int = ACTIVE_DAYS_MIN
    closing_trades_min: int = CLOSING_TRADES_MIN
    idle_days_max: int = IDLE_DAYS_MAX
    trades_a_day_max: int = TRADES_A_DAY_MAX
    unmatched_share_max: float = UNMATCHED_SHARE_MAX
    excluded: frozenset[Wallet] = frozenset()
    gapped: frozenset[Wallet] = frozenset()


def exclusion_of(performance: Performance, rules: Rules, *, as_of_block_time: int) -> str | None:
    """The first rule that the wallet breaks, in words that stand beside it; None for an eligible one."""
    idle_days = (as_of_block_time - performance.last_trade) / DAY_S
    broken = {
        "not a trader of this market": performance.wallet in rules.excluded,
        "a part of its history is missing": performance.wallet in rules.gapped,
        "no priced trade to measure by": performance.roi is None,
        f"fewer than {rules.trades_min} trades": performance.trades < rules.trades_min,
        f"a record of less than {rules.active_days_min} days": performance.days < rules.active_days_min,
        f"fewer than {rules.closing_trades_min} closed trades": performance.closing_trades < rules.closing_trades_min,
        f"no trade in the last {rules.idle_days_max} days": idle_days > rules.idle_days_max,
        f"more than {rules.trades_a_day_max} trades a day": performance.trades > rules.trades_a_day_max * max(1, performance.days),
        "most of what was sold was never bought": performance.unmatched_sold_usd > rules.unmatched_share_max * performance.volume_usd,
    }
    return next((rule for rule, is_broken in broken.items() if is_broken), None)
