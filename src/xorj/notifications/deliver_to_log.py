"""The delivery where no receiver is set: one line in the process's log, so that the outbox always drains."""

from xorj.notifications.message import Delivered, Message
from xorj.observability import logging

log = logging.get("notifications")


class LogDelivery:
    """Implements Delivery."""

    async def deliver(self, message: Message) -> Delivered:
        log.info("message_delivered", topic=message.topic, key=message.key, id=message.identity, payload=dict(message.payload))
        return Delivered()
