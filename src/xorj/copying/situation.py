"""Everything that a decision about one follower may look at, loaded at one moment by plan_copies for sizing and limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from xorj.copying.cause import CauseKind
from xorj.copying.decision import Side
from xorj.copying.follow import Follow
from xorj.copying.vault_state import VaultState
from xorj.market.token_screen import ClassicToken, UnfitToken
from xorj.portfolio.attribution import Holdings
from xorj.prices.price import Price
from xorj.primitives.clock import ChainTime
from xorj.primitives.ids import Mint, Wallet
from xorj.vault.open_vault import NoVault


@dataclass(frozen=True, slots=True)
class Running:
    """Trading is allowed."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """Nobody may start a trade. An unreadable switch is this too."""

    reason: str


Switch = Running | Stopped


@dataclass(frozen=True, slots=True)
class OpenIntent:
    """An intent of the vault that has not come to its end: what it will take out of the vault is spoken for.

    `is_in_doubt`: quarantined. Its funds stay reserved, but nobody waits for it.
    """

    side: Side
    leader: Wallet | None
    input_mint: Mint
    output_mint: Mint
    amount_in_raw: int
    cause_kind: CauseKind
    is_in_doubt: bool = False

    @property
    def mint(self) -> Mint:
        return self.output_mint if self.side is Side.BUY else self.input_mint


@dataclass(frozen=True, slots=True)
class Portfolio:
    """What our own records say of one vault: holdings by leader, open intents, and what this follow's buys of the last day have cost."""

    holdings: Holdings
    open_intents: Sequence[OpenIntent] = ()
    bought_today_raw: Mapping[Wallet, int] = field(default_factory=dict)

    def reserved_raw(self, mint: Mint) -> int:
        """Units of `mint` that open intents will take."""
        return sum(each.amount_in_raw for each in self.open_intents if each.input_mint == mint)

    def opening_raw(self, leader: Wallet) -> int:
        """What open buys for this leader will spend."""
        return sum(each.amount_in_raw for each in self.open_intents if each.side is Side.BUY and each.leader == leader)

    def is_busy(self, leader: Wallet, mint: Mint) -> bool:
        """Whether a trade on this leader's position in `mint` is under way, so that its size is not known yet."""
        return any(each.leader == leader and each.mint == mint and not each.is_in_doubt for each in self.open_intents)


@dataclass(frozen=True, slots=True)
class Situation:
    """`bot` is the key that our signer holds; `tokens` are the screened mints of the trade; `prices` by mint, unpriced ones left out."""

    now: ChainTime
    switch: Switch
    bot: Wallet
    follow: Follow
    vault: VaultState | NoVault
    portfolio: Portfolio
    tokens: Mapping[Mint, ClassicToken | UnfitToken]
    prices: Mapping[Mint, Price]
