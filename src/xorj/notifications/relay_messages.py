"""Takes the outbox's messages in order and delivers each at least once. Run by the trade-bot as one background task.

A message is marked after it was delivered: a process that dies in between delivers it again, under the same identity. One that cannot be
delivered holds up those behind it until it is delivered or given up, so that nobody hears of an end before its beginning.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from xorj.notifications.message import Delivered, GivenUp, Message, after_failure
from xorj.notifications.ports import MESSAGES_PER_BATCH_MAX, Delivery, Outbox
from xorj.observability import logging, metrics
from xorj.primitives.errors import Unavailable

log = logging.get("notifications")

LOOK_S = 1.0
PRUNE_EVERY_S = 600.0
KEPT_S = 30 * 24 * 3_600.0

# Called with each message between its delivery and its mark; does nothing, unless a test wants the process to die just there.
Checkpoint = Callable[[Message], Awaitable[None]]


async def pass_by(message: Message) -> None:
    """The checkpoint that lets everything go on."""


@dataclass(frozen=True, slots=True)
class Relayed:
    """What one batch came to."""

    sent: int = 0
    failed: int = 0
    given_up: int = 0

    @property
    def is_full(self) -> bool:
        return self.sent + self.given_up == MESSAGES_PER_BATCH_MAX


async def relay_due(outbox: Outbox, delivery: Delivery, checkpoint: Checkpoint = pass_by) -> Relayed:
    """One batch, ended by the first message that has to wait. Raises Unavailable."""
    sent = given_up = 0
    for message in await outbox.due():
        outcome = await delivery.deliver(message)
        await checkpoint(message)
        if isinstance(outcome, Delivered):
            await outbox.mark_sent(message)
            metrics.MESSAGES.labels("delivered").inc()
            sent += 1
            continue
        following = after_failure(message, outcome)
        await outbox.mark_failed(message, outcome.detail, following)
        if not isinstance(following, GivenUp):
            metrics.MESSAGES.labels("failed").inc()
            log.warning("message_not_delivered", id=message.identity, detail=outcome.detail, again_after_s=following.after_s)
            return Relayed(sent, 1, given_up)
        metrics.MESSAGES.labels("given_up").inc()
        log.error("message_given_up", id=message.identity, topic=message.topic, key=message.key, detail=outcome.detail)
        given_up += 1
    return Relayed(sent, 0, given_up)


async def relay_messages(outbox: Outbox, delivery: Delivery, may_relay: Callable[[], bool], checkpoint: Checkpoint = pass_by) -> None:
    """Runs until cancelled. `may_relay` is true in one process of many; two at once would deliver twice, never less than once."""
    pruned_at = float("-inf")
    while True:
        relayed = Relayed()
        try:
            if may_relay():
                relayed = await relay_due(outbox, delivery, checkpoint)
                if (now := asyncio.get_running_loop().time()) - pruned_at > PRUNE_EVERY_S:
                    pruned_at = now
                    await outbox.prune(older_than_s=KEPT_S)
            await _measure(outbox)
        except Unavailable as error:
            log.warning("messages_not_relayed", error=str(error))
        await asyncio.sleep(0 if relayed.is_full else LOOK_S)


async def _measure(outbox: Outbox) -> None:
    backlog = await outbox.backlog()
    metrics.OUTBOX_BACKLOG.set(backlog.count)
    metrics.OUTBOX_OLDEST_SECONDS.set(backlog.oldest_s)
