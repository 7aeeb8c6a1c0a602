"""Scores to a ranking: eligible wallets by score, ties broken the same way every time. Pure; used by score_wallets."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from xorj.performance.metrics import Performance
from xorj.primitives.ids import Slot, Wallet
from xorj.trust import classic_score, copy_score
from xorj.trust.classic_score import ClassicScore
from xorj.trust.copy_replay import Terms
from xorj.trust.copy_verdict import CopyScore, CopyVerdict
from xorj.trust.eligibility import Rules
from xorj.trust.live_calibration import LiveCalibration


class Model(StrEnum):
    """Which of the two scores ranks; both are always computed and shown."""

    CLASSIC = classic_score.MODEL
    TRUST = copy_score.MODEL


@dataclass(frozen=True, slots=True)
class TraderScore:
    """One wallet in a run. `rank` 1 is the best, None where `exclusion` says why it is not ranked."""

    wallet: Wallet
    classic: ClassicScore
    copy: CopyVerdict
    performance: Performance
    input_hash: str
    exclusion: str | None
    rank: int | None = None

    @property
    def is_eligible(self) -> bool:
        return self.exclusion is None

    def value(self, model: Model) -> float | None:
        """The score that counts under the model; None where there is not enough evidence: 0 would be a judgement."""
        if model is Model.CLASSIC:
            return self.classic.score
        return self.copy.score if isinstance(self.copy, CopyScore) else None


@dataclass(frozen=True, slots=True)
class ScoringRun:
    """One ranking of all wallets as of one slot.

    `lake_version` is the commit that it was read at, `input_hash` that of the swaps it was computed from, `movement_hash` that of what else
    moved, `parameter_hash` that of `rules`, who could be ranked, `terms`, how a copier trades, and `live`, what closed windows taught.
    """

    id: str
    model: Model
    as_of_slot: Slot
    as_of_block_time: int
    lake_version: int
    input_hash: str
    movement_hash: str
    parameter_hash: str
    rules: Rules
    terms: Terms
    live: LiveCalibration | None
    scores: tuple[TraderScore, ...]

    @property
    def ranked(self) -> tuple[TraderScore, ...]:
        return tuple(score for score in self.scores if score.rank is not None)


def ranked(scores: Iterable[TraderScore], model: Model) -> tuple[TraderScore, ...]:
    """Ranked wallets best first, then the others by wallet.

    Of equal trust scores the higher posterior mean is first; then, as of equal classic ones, the higher ROI, more trades, the address: a
    ranking never depends on the order it was computed in.
    """
    found = sorted(scores, key=lambda score: _order(score, model))
    ranks = iter(range(1, len(found) + 1))
    return tuple(replace(score, rank=next(ranks)) if score.is_eligible else replace(score, rank=None) for score in found)


def _order(score: TraderScore, model: Model) -> tuple[bool, float, float, float, int, str]:
    if not score.is_eligible:
        return True, 0.0, 0.0, 0.0, 0, score.wallet
    mean = score.copy.posterior_mean if model is Model.TRUST and isinstance(score.copy, CopyScore) else 0.0
    return False, -(score.value(model) or 0.0), -mean, -(score.performance.roi or 0.0), -score.performance.trades, score.wallet
