"""Messages over a real socket to a real receiver; and a relay that is killed between delivery and mark."""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import signal
import sys
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fakes.localnet_process import ROOT
from tests.fakes.receiver import Receiver

from xorj.adapters.postgres.tables import outbox
from xorj.adapters.webhook.delivery import WebhookDelivery, require_receiver, secret_of
from xorj.notifications.message import Delivered, Message, Outcome, Refused, Unreachable
from xorj.primitives.errors import InvalidInput

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
MESSAGE = Message(7, "intent_settled", "intent-1", {"slot": 12}, datetime(2026, 1, 1, tzinfo=UTC))
WITHIN_S = 30.0


async def test_a_receiver_can_check_what_it_hears() -> None:
    with Receiver() as receiver:
        async with WebhookDelivery(receiver.url, SECRET, now=lambda: 1_767_225_600.9) as delivery:
            assert await delivery.deliver(MESSAGE) == Delivered()
    (heard,) = receiver.heard
    assert json.loads(heard.body) == {
        "type": "intent_settled",
        "timestamp": "2026-01-01T00:00:00+00:00",
        "data": {"key": "intent-1", "slot": 12},
    }
    assert (heard.identity, heard.headers["webhook-timestamp"]) == (MESSAGE.identity, "1767225600")
    # As the specification words it, by nothing of ours.
    signed = f"{heard.identity}.{heard.headers['webhook-timestamp']}.".encode() + heard.body
    expected = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert heard.headers["webhook-signature"] == f"v1,{expected}"


ANSWERS: list[tuple[int, Outcome]] = [
    (200, Delivered()),
    (204, Delivered()),
    (302, Refused("HTTP 302")),
    (400, Refused("HTTP 400")),
    (404, Refused("HTTP 404")),
    (429, Unreachable("HTTP 429")),
    (500, Unreachable("HTTP 500")),
    (503, Unreachable("HTTP 503")),
]


@pytest.mark.parametrize(("status", "expected"), ANSWERS)
async def test_what_an_answer_means(status: int, expected: Outcome) -> None:
    with Receiver(answers=status) as receiver:
        async with WebhookDelivery(receiver.url, SECRET) as delivery:
            assert await delivery.deliver(MESSAGE) == expected
    assert len(receiver.heard) == 1, "no redirect is followed"


async def test_nobody_there_is_unreachable() -> None:
    with Receiver() as receiver:
        url = receiver.url
    async with WebhookDelivery(url, SECRET) as delivery:
        assert await delivery.deliver(MESSAGE) == Unreachable("ConnectError")


@pytest.mark.parametrize("url", ["http://example.com/hook", "ftp://example.com", "https://", "example.com", "http://127.0.0.1.example.com"])
def test_messages_leave_this_machine_encrypted_or_not_at_all(url: str) -> None:
    with pytest.raises(InvalidInput, match="XORJ_WEBHOOK_URL"):
        require_receiver(url)
    assert require_receiver("https://example.com/hook?key=1") == "https://example.com/hook?key=1"


@pytest.mark.parametrize(
    "text", ["", "secret", "whsec_", "whsec_AAAA", "whsec_not base64", "whsec_" + base64.b64encode(bytes(65)).decode()]
)
def test_a_weak_secret_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        secret_of(text)
    given = text.removeprefix("whsec_")
    assert not given or given not in str(refused.value)


@pytest.mark.database
async def test_a_relay_killed_between_delivery_and_mark_delivers_again_under_the_same_key(engine: AsyncEngine, database_url: str) -> None:
    async with engine.begin() as connection:
        for number in (1, 2):
            await connection.execute(insert(outbox).values(topic="intent_settled", key=f"intent-{number}", payload={}))
    with Receiver() as receiver:
        assert await relay(database_url, receiver.url, "dies") == -signal.SIGKILL
        assert len(receiver.heard) == 1
        assert await relay(database_url, receiver.url, "lives") == 0
    first, again, second = receiver.heard
    assert first.identity == again.identity != second.identity
    assert first.body == again.body
    async with engine.begin() as connection:
        assert None not in [row.sent_at for row in await connection.execute(select(outbox))]


async def relay(database_url: str, receiver_url: str, fate: str) -> int:
    command = [sys.executable, "-m", "tests.fakes.relaying_process", database_url, receiver_url, SECRET, fate]
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment)
    async with asyncio.timeout(WITHIN_S):
        return await process.wait()
