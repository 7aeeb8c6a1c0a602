"""What the trust score says about one wallet, or that it says nothing. Made by score_copies; ranked, stored, explained."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from xorj.primitives.ids import Wallet
from xorj.trust.reasons import Reason


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """What was found of a wallet's owner: his other wallets, how many records he had to choose from, whose record this one goes on with,
    the share of volume with himself (0 to 1), how many entries were not copied, by reason, and the wallet that stands for him, None where
    nobody looked."""

    others: tuple[Wallet, ...] = ()
    cluster_size: int = 1
    predecessors: tuple[Wallet, ...] = ()
    linked_share: float = 0.0
    not_copied: Mapping[str, int] = field(default_factory=dict)
    owner: Wallet | None = None


NO_LINKS = LinkFacts()


@dataclass(frozen=True, slots=True)
class CopyScore:
    """What copying one wallet promises. score 0..100, edge 0..1, theta in daily utility-Sharpe, drawdowns 0..1 within 90 days, USD.

    `capacity_usd` is the order at which the posterior mean halves, None where it is not above zero; as large as the largest order that was
    replayed where it does not halve until there. `calibration` names the prior; `daily_deviation` is that of the copier's daily return;
    `reasons` are the largest.
    """

    wallet: Wallet
    score: float
    edge: float
    posterior_mean: float
    band_low: float
    band_high: float
    evidence_days: int
    round_trips: int
    entries: int
    drawdown_median: float
    drawdown_worst_tenth: float
    capacity_usd: float | None
    cost_share: float | None
    calibration: str
    daily_deviation: float = 0.0
    links: LinkFacts = NO_LINKS
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class NotEnoughEvidence:
    """Fewer than 2 round trips, fewer than 3 days, or a record that never moves."""

    wallet: Wallet
    evidence_days: int
    round_trips: int
    links: LinkFacts = NO_LINKS


CopyVerdict = CopyScore | NotEnoughEvidence
