"""What relaying messages needs of the outside. Adapters: adapters/postgres/outbox (the store), adapters/webhook (a delivery)."""

from dataclasses import dataclass
from typing import Protocol

from xorj.notifications.message import Again, GivenUp, Message, Outcome

MESSAGES_PER_BATCH_MAX = 100
PRUNED_PER_PASS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Backlog:
    """Messages that are still to be delivered, and the age of the oldest by the database's clock."""

    count: int
    oldest_s: float


class Outbox(Protocol):
    """Every method raises Unavailable. Repeating one whose answer was lost is always right."""

    async def due(self, *, limit: int = MESSAGES_PER_BATCH_MAX) -> list[Message]:
        """Undelivered messages in the order of their making, up to the first one that has to wait for its next try."""

    async def mark_sent(self, message: Message) -> None: ...

    async def mark_failed(self, message: Message, detail: str, following: Again | GivenUp) -> None: ...

    async def backlog(self) -> Backlog: ...

    async def prune(self, *, older_than_s: float, limit: int = PRUNED_PER_PASS_MAX) -> int:
        """Deletes delivered messages; how many."""


class Delivery(Protocol):
    async def deliver(self, message: Message) -> Outcome:
        """Hands one message over. Never raises for a receiver's fault; takes no longer than a named limit of its own."""
