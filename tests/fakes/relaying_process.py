"""A relay as a process of its own, that kills itself between a delivery and its mark when it is told to.

`python -m tests.fakes.relaying_process DATABASE_URL RECEIVER_URL SECRET dies|lives`; one batch, then it ends."""

import asyncio
import os
import signal
import sys

from xorj.adapters.postgres import engine as postgres
from xorj.adapters.postgres.outbox import PostgresOutbox
from xorj.adapters.webhook.delivery import WebhookDelivery
from xorj.notifications.message import Message
from xorj.notifications.relay_messages import pass_by, relay_due


async def die(message: Message) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def run(database_url: str, receiver_url: str, secret: str, fate: str) -> None:
    engine = postgres.create(database_url, application="relay", connections_min=1, connections_max=2)
    async with WebhookDelivery(receiver_url, secret) as delivery:
        await relay_due(PostgresOutbox(engine), delivery, die if fate == "dies" else pass_by)


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:5]))
