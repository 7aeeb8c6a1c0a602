"""One listing an owner: of wallets that are linked, the one that is known best. Pure; used by score_wallets before it ranks."""

from collections.abc import Iterable
from dataclasses import replace

from xorj.primitives.ids import Wallet
from xorj.trust.ranking import TraderScore

ELSEWHERE = "its owner is listed with another wallet"


def one_listing_each(scores: Iterable[TraderScore]) -> list[TraderScore]:
    """Excludes every eligible wallet that has a better known eligible one beside it: longer life, then more round trips, then the address.

    Never the better score: an owner of many wallets would be listed with his luckiest.
    """
    known = list(scores)
    eligible = {score.wallet: score for score in known if score.is_eligible}
    return [replace(score, exclusion=ELSEWHERE) if _is_outdone(score, eligible) else score for score in known]


def _is_outdone(score: TraderScore, eligible: dict[Wallet, TraderScore]) -> bool:
    others = (eligible[other] for other in score.copy.links.others if other in eligible)
    return score.is_eligible and any(_evidence(other) < _evidence(score) for other in others)


def _evidence(score: TraderScore) -> tuple[int, int, str]:
    """The smaller, the better known."""
    return -score.copy.evidence_days, -score.copy.round_trips, score.wallet
