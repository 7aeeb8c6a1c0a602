"""The outbox in memory, by a clock that the test moves. Implements Outbox; the contract suite runs on it and on PostgreSQL."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from xorj.notifications.message import Again, GivenUp, Message
from xorj.notifications.ports import Backlog

BORN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Row:
    message: Message
    sent_at: datetime | None = None
    given_up_at: datetime | None = None
    next_try_at: datetime | None = None
    last_error: str | None = None

    @property
    def is_open(self) -> bool:
        return self.sent_at is None and self.given_up_at is None


@dataclass
class MemoryOutbox:
    now: datetime = BORN
    rows: dict[int, Row] = field(default_factory=dict)

    async def write(self, topic: str, key: str) -> None:
        number = max(self.rows, default=0) + 1
        self.rows[number] = Row(Message(number, topic, key, {"n": number}, self.now))

    async def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    async def due(self, *, limit: int = 100) -> list[Message]:
        found: list[Message] = []
        for row in [row for _, row in sorted(self.rows.items()) if row.is_open][:limit]:
            if row.next_try_at is not None and row.next_try_at > self.now:
                break
            found.append(row.message)
        return found

    async def mark_sent(self, message: Message) -> None:
        if (row := self.rows[message.id]).is_open:
            row.sent_at = self.now

    async def mark_failed(self, message: Message, detail: str, following: Again | GivenUp) -> None:
        if not (row := self.rows[message.id]).is_open:
            return
        row.message, row.last_error = replace(row.message, tries=message.tries + 1), detail
        if isinstance(following, Again):
            row.next_try_at = self.now + timedelta(seconds=following.after_s)
        else:
            row.given_up_at = self.now

    async def backlog(self) -> Backlog:
        made = [row.message.created_at for row in self.rows.values() if row.is_open]
        return Backlog(len(made), (self.now - min(made)).total_seconds() if made else 0.0)

    async def prune(self, *, older_than_s: float, limit: int = 1_000) -> int:
        before = self.now - timedelta(seconds=older_than_s)
        old = [number for number, row in sorted(self.rows.items()) if row.sent_at is not None and row.sent_at < before][:limit]
        for number in old:
            del self.rows[number]
        return len(old)
