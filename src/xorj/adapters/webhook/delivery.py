"""Messages to an HTTPS address, signed as the Standard Webhooks specification says (standardwebhooks.com). Implements Delivery.

`webhook-id` is the message's identity, the same at every try: the receiver's idempotency key. `webhook-signature` is HMAC-SHA256 over
`id.timestamp.body` with a secret that both sides know. A redirect is not followed: what was meant for one receiver reaches no other.
"""

import base64
import binascii
import hmac
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx2
import orjson

from xorj.notifications.message import Delivered, Message, Outcome, Refused, Unreachable
from xorj.primitives.errors import InvalidInput

TIMEOUT_S = 5.0
STANDARD_START = "whsec_"
SECRET_BYTES_MIN, SECRET_BYTES_MAX = 24, 64
LOOPBACK = ("127.0.0.1", "::1", "localhost")
# Whoever answers these has not judged the message: too early, too much, in conflict with a try under way.
NOT_JUDGED = (408, 409, 425, 429)


def secret_of(text: str) -> bytes:
    """`whsec_` and 24 to 64 bytes in base64. Raises InvalidInput, which never shows what was given."""
    wrong = InvalidInput("XORJ_WEBHOOK_SECRET", given="(not shown)", rule="whsec_ and the base64 of 24 to 64 random bytes")
    if not text.startswith(STANDARD_START):
        raise wrong
    try:
        secret = base64.b64decode(text.removeprefix(STANDARD_START), validate=True)
    except binascii.Error as error:
        raise wrong from error
    if not SECRET_BYTES_MIN <= len(secret) <= SECRET_BYTES_MAX:
        raise wrong
    return secret


def require_receiver(url: str) -> str:
    """The address, when messages may be sent there. Raises InvalidInput for anything but https, or http to this machine."""
    parts = urlsplit(url)
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)):
        raise InvalidInput("XORJ_WEBHOOK_URL", given=f"{parts.scheme}://…", rule="https://host/path; http on this machine alone")
    return url


def signature(secret: bytes, identity: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`."""
    signed = f"{identity}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()


def body_of(message: Message) -> bytes:
    """The same bytes at every try."""
    told = {"type": message.topic, "timestamp": message.created_at, "data": {"key": message.key, **message.payload}}
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS)


class WebhookDelivery:
    """An async context manager over one connection. Raises InvalidInput for an address or a secret that cannot be used."""

    def __init__(self, url: str, secret: str, *, now: Callable[[], float] = time.time) -> None:
        self._url, self._secret, self._now = require_receiver(url), secret_of(secret), now
        self._client = httpx2.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False, limits=httpx2.Limits(max_connections=1))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._client.aclose()

    async def deliver(self, message: Message) -> Outcome:
        body, timestamp = body_of(message), int(self._now())
        headers = {
            "content-type": "application/json",
            "webhook-id": message.identity,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(self._secret, message.identity, timestamp, body),
        }
        try:
            # The answer's body is nothing to us and is never read: it may have no end.
            async with self._client.stream("POST", self._url, content=body, headers=headers) as response:
                status = response.status_code
        except httpx2.TransportError as error:
            return Unreachable(type(error).__name__)
        if 200 <= status < 300:
            return Delivered()
        return Unreachable(f"HTTP {status}") if status >= 500 or status in NOT_JUDGED else Refused(f"HTTP {status}")
