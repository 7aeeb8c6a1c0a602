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
    best: dict[Wallet, TraderScore] = {}
    for score in known:
        owner = score.copy.links.owner
        if score.is_eligible and owner is not None and (owner not in best or _evidence(score) < _evidence(best[owner])):
            best[owner] = score
    return [replace(score, exclusion=ELSEWHERE) if _is_outdone(score, best) else score for score in known]


def _is_outdone(score: TraderScore, best: dict[Wallet, TraderScore]) -> bool:
    owner = score.copy.links.owner
    return score.is_eligible and owner is not None and best[owner].wallet != score.wallet


def _evidence(score: TraderScore) -> tuple[int, int, str]:
    """The smaller, the better known."""
    return -score.copy.evidence_days, -score.copy.round_trips, score.wallet
