"""What copying needs of the outside. Adapters: adapters/postgres. A method raises Unavailable when it cannot answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from xorj.copying.cause import Cause
from xorj.copying.decision import Decision
from xorj.copying.follow import Follow
from xorj.copying.leader_trade import LeaderTrade
from xorj.copying.situation import Portfolio, Switch
from xorj.copying.standing import Expectation, LeaderStanding, LiveDay, LiveLeader, Pause, SaleIntoCopies
from xorj.copying.subscription import FollowChanges, Ranked, Subscription
from xorj.portfolio.position import Position
from xorj.primitives.ids import Address, Slot, Wallet

UNDECIDED_TRADES_PER_ROUND_MAX = 500


class KillSwitch(Protocol):
    async def state(self) -> Switch:
        """Whether anybody may trade. Never raises: what cannot be read is Stopped."""


class FollowStore(Protocol):
    """Follows as they stand."""

    async def undecided(self, trade: LeaderTrade) -> list[Follow]:
        """The follows of this leader that were valid at the trade's slot and whose vault has no decision about it yet."""

    async def leaders(self) -> list[Wallet]:
        """Every leader whom at least one vault follows now."""


class PortfolioReader(Protocol):
    async def portfolios(self, vaults: Sequence[Address], *, since_unix_seconds: int) -> dict[Address, Portfolio]:
        """One for each vault asked; buys from `since_unix_seconds` on count as bought today."""


@dataclass(frozen=True, slots=True)
class PlannedCopy:
    """One decision, made at `slot`, and what its intents exist for."""

    follow: Follow
    decision: Decision
    cause: Cause
    slot: Slot


class DecisionStore(Protocol):
    async def record(self, trade: LeaderTrade, copies: Sequence[PlannedCopy], *, is_decided: bool) -> None:
        """Decisions, intents in state new, their projections and outbox rows, in one transaction. What is there already stays as it is.

        `is_decided`: no follower is left waiting, so the trade need not be looked at again.
        """


class StandingReader(Protocol):
    async def standing(self, leader: Wallet, *, now_unix_seconds: int) -> LeaderStanding:
        """What all followers have at stake with this leader now."""

    async def expected(self, leaders: Sequence[Wallet]) -> Mapping[Wallet, Expectation]:
        """What the newest finished scoring run promises of them; nothing of those without evidence."""


class LiveCopyStore(Protocol):
    """How live copies go, by leader, and who is paused."""

    async def live(self) -> list[LiveLeader]:
        """Every leader of whom anything was ever copied."""

    async def looked(self, leader: Wallet, today: LiveDay) -> list[LiveDay]:
        """Keeps today's figures and returns all of the last WINDOWS_DAYS, oldest first, today's last."""

    async def sales(self, *, since_unix_seconds: int) -> list[SaleIntoCopies]:
        """Sales of leaders within SALE_SLOTS after copies of theirs had bought the same token that are `is_one`; oldest first, and of a
        leader with more than a hundred the newest."""

    async def change(self, begun: Sequence[Pause], ended: Sequence[Wallet], sales: Sequence[SaleIntoCopies], slot: Slot) -> int:
        """Begins and ends pauses and tells of both and of the sales, in one transaction. Returns how many sales were not told before."""

    async def paused(self) -> Mapping[Wallet, Pause]:
        """The pauses that last."""


class LeaderTradeStore(Protocol):
    async def cursor(self, leader: Wallet) -> Slot | None:
        """Up to which slot this leader's history has been read; None before the first follow of him."""

    async def record(self, leader: Wallet, trades: Sequence[LeaderTrade], *, read_to: Slot) -> None:
        """Trades and cursor in one transaction. A trade that is there already stays as it is, the cursor never goes back."""

    async def undecided(self, limit: int = UNDECIDED_TRADES_PER_ROUND_MAX) -> list[LeaderTrade]:
        """Trades about which some follower has no decision yet, oldest first."""


class SubscriptionStore(Protocol):
    """Standing orders to follow the ranking, and the follows made from them."""

    async def newest_ranking(self) -> Sequence[Ranked] | None:
        """Eligible wallets of the newest finished scoring run, best first; None when no run has finished."""

    async def active(self) -> list[Subscription]:
        """Active subscriptions with their open follows and the leaders whose positions their vaults hold."""

    async def apply(self, subscription: Subscription, changes: FollowChanges, *, slot: Slot) -> None:
        """Opens, restores, limits to exits and ends follows in one transaction. A leader nobody followed gets his cursor at `slot`."""


@dataclass(frozen=True, slots=True)
class IdlePosition:
    """A position of an open follow on which no intent is open. `exits_tried` counts the missed exits planned for it so far, the last of
    them at `tried_slot`."""

    follow: Follow
    position: Position
    exits_tried: int = 0
    tried_slot: Slot | None = None


class MissedExitStore(Protocol):
    async def idle_positions(self) -> list[IdlePosition]:
        """Those in a mint that the leader sold when he last traded it, where none of his trades is undecided."""

    async def record(self, copies: Sequence[PlannedCopy]) -> None:
        """Intents without a decision, unique by their cause, with projections and outbox rows, in one transaction."""
