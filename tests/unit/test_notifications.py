"""Relaying messages: in order, at least once, with waits that double and an end to trying."""

from dataclasses import dataclass, field

import pytest
from tests.fakes.memory_outbox import BORN, MemoryOutbox

from xorj.notifications.deliver_to_log import LogDelivery
from xorj.notifications.message import (
    FIRST_WAIT_S,
    REFUSALS_MAX,
    TRIES_MAX,
    WAIT_S_MAX,
    Again,
    Delivered,
    GivenUp,
    Message,
    Outcome,
    Refused,
    Unreachable,
    after_failure,
)
from xorj.notifications.relay_messages import Relayed, relay_due


@dataclass
class Listener:
    """Implements Delivery; answers by key, otherwise that it has it."""

    answers: dict[str, Outcome] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    identities: list[str] = field(default_factory=list)

    async def deliver(self, message: Message) -> Outcome:
        self.heard.append(message.key)
        self.identities.append(message.identity)
        return self.answers.get(message.key, Delivered())


async def outbox_of(*keys: str) -> MemoryOutbox:
    outbox = MemoryOutbox()
    for key in keys:
        await outbox.write("topic", key)
    return outbox


async def test_everything_is_delivered_in_order_once() -> None:
    outbox, listener = await outbox_of("a", "b", "c"), Listener()
    assert await relay_due(outbox, listener) == Relayed(sent=3)
    assert await relay_due(outbox, listener) == Relayed()
    assert listener.heard == ["a", "b", "c"]


async def test_a_receiver_that_is_away_hears_everything_later_in_order() -> None:
    outbox, listener = await outbox_of("a", "b", "c"), Listener({"b": Unreachable("HTTP 503")})
    assert await relay_due(outbox, listener) == Relayed(sent=1, failed=1)
    assert await relay_due(outbox, listener) == Relayed(), "it waits"
    listener.answers.clear()
    await outbox.passes(FIRST_WAIT_S + 0.1)
    assert await relay_due(outbox, listener) == Relayed(sent=2)
    assert listener.heard == ["a", "b", "b", "c"]
    assert listener.identities[1] == listener.identities[2], "a repeat can be told"
    assert outbox.rows[2].last_error == "HTTP 503"


async def test_a_message_that_is_refused_is_given_up_and_holds_up_nobody_for_ever() -> None:
    outbox, listener = await outbox_of("a", "b"), Listener({"a": Refused("HTTP 400")})
    for _ in range(REFUSALS_MAX):
        await relay_due(outbox, listener)
        await outbox.passes(WAIT_S_MAX + 1)
    assert listener.heard == ["a"] * REFUSALS_MAX + ["b"]
    assert outbox.rows[1].given_up_at is not None
    assert (await outbox.backlog()).count == 0


async def test_what_dies_before_the_mark_is_delivered_again_under_the_same_identity() -> None:
    outbox, listener = await outbox_of("a"), Listener()

    async def dies(message: Message) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await relay_due(outbox, listener, dies)
    await relay_due(outbox, listener)
    assert listener.heard == ["a", "a"]
    assert len(set(listener.identities)) == 1


async def test_without_a_receiver_the_outbox_drains_into_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    outbox = await outbox_of("a", "b")
    assert await relay_due(outbox, LogDelivery()) == Relayed(sent=2)


WAITS = [(0, 1.0), (1, 2.0), (2, 4.0), (8, 256.0), (9, 300.0), (1_000, 300.0)]


@pytest.mark.parametrize(("tries", "seconds"), WAITS)
def test_waits_double_up_to_five_minutes(tries: int, seconds: float) -> None:
    assert after_failure(message(tries), Unreachable("")) == Again(seconds)


def test_tries_have_an_end() -> None:
    assert after_failure(message(REFUSALS_MAX - 2), Refused("")) == Again(8.0)
    assert after_failure(message(REFUSALS_MAX - 1), Refused("")) == GivenUp()
    assert after_failure(message(TRIES_MAX - 1), Unreachable("")) == GivenUp()


def message(tries: int) -> Message:
    return Message(1, "topic", "key", {}, BORN, tries)


def test_an_identity_tells_rows_and_databases_apart_and_nothing_else() -> None:
    assert message(0).identity == message(7).identity
    others = [Message(2, "topic", "key", {}, BORN), Message(1, "other", "key", {}, BORN), Message(1, "topic", "other", {}, BORN)]
    assert len({one.identity for one in (message(0), *others)}) == 4
