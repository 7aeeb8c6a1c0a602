"""Scores to a ranking: eligible wallets by score, ties broken the same way every time. Pure; used by score_wallets."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from xorj.performance.metrics import Performance
from xorj.primitives.ids import Slot, Wallet
from xorj.trust.classic_score import ClassicScore
from xorj.trust.eligibility import Rules


@dataclass(frozen=True, slots=True)
class TraderScore:
    """One wallet in a run. `rank` 1 is the best, None where `exclusion` says why it is not ranked."""

    wallet: Wallet
    score: ClassicScore
    performance: Performance
    input_hash: str
    exclusion: str | None
    rank: int | None = None

    @property
    def is_eligible(self) -> bool:
        return self.exclusion is None


@dataclass(frozen=True, slots=True)
class ScoringRun:
    """One ranking of all wallets as of one slot. `input_hash` is that of the swaps it was computed from, `rules` who could be ranked."""

    id: str
    model: str
    as_of_slot: Slot
    as_of_block_time: int
    input_hash: str
    rules: Rules
    scores: tuple[TraderScore, ...]

    @property
    def ranked(self) -> tuple[TraderScore, ...]:
        return tuple(score for score in self.scores if score.rank is not None)


def ranked(scores: Iterable[TraderScore]) -> tuple[TraderScore, ...]:
    """Ranked wallets best first, then the others by wallet.

    Equal scores: the higher ROI, then more trades, then the address, so that a ranking never depends on the order it was computed in.
    """
    found = sorted(scores, key=_order)
    ranks = iter(range(1, len(found) + 1))
    return tuple(replace(score, rank=next(ranks)) if score.is_eligible else replace(score, rank=None) for score in found)


def _order(score: TraderScore) -> tuple[bool, float, float, int, str]:
    if not score.is_eligible:
        return True, 0.0, 0.0, 0, score.wallet
    return False, -score.score.score, -(score.performance.roi or 0.0), -score.performance.trades, score.wallet
