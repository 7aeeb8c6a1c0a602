"""A bot that stands still is killed at three moments, each seen from outside before it counts."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from xorj.chain.transactions import Commitment, SignatureStatus
from xorj.demo.kill_bot import HOLD, BotKiller, Kill, KillState, Witnessed, is_real
from xorj.primitives.ids import Slot


def status(commitment: Commitment) -> SignatureStatus:
    return SignatureStatus(Slot(7), commitment, None)


NOT_SENT = Witnessed("signed", None, None)
CONFIRMED = Witnessed("signed", "confirmed", status(Commitment.CONFIRMED))


@pytest.mark.parametrize(
    ("state", "witnessed", "real"),
    [
        (KillState.SIGNED, NOT_SENT, True),
        (KillState.SIGNED, Witnessed("built", None, None), False),
        (KillState.SIGNED, Witnessed("signed", None, status(Commitment.PROCESSED)), False),
        (KillState.SENT, Witnessed("signed", None, status(Commitment.PROCESSED)), True),
        (KillState.SENT, NOT_SENT, True),
        (KillState.SENT, CONFIRMED, False),
        (KillState.CONFIRMED, CONFIRMED, True),
        (KillState.CONFIRMED, Witnessed("signed", "confirmed", status(Commitment.FINALIZED)), False),
        (KillState.CONFIRMED, NOT_SENT, False),
        (KillState.CONFIRMED, Witnessed("final_ok", "finalized", status(Commitment.FINALIZED)), False),
    ],
)
def test_a_moment_counts_only_when_database_and_chain_show_it(state: KillState, witnessed: Witnessed, real: bool) -> None:
    assert is_real(state, witnessed) == real


class Bot:
    """A real process that waits to be killed, and what it says of where it stands."""

    def __init__(self, folder: Path) -> None:
        self.marker, self.environment = folder / "held", dict[str, str]()
        self.killer = BotKiller(self.marker, self.environment)

    def stands(self, moment: str, intent: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
        self.marker.write_text(json.dumps({"moment": moment, "intent_id": intent, "pid": process.pid}))
        return process

    async def is_killed_at(self, moment: str, intent: str, witnessed: Witnessed) -> bool:
        process = self.stands(moment, intent)

        async def witness(_intent: str) -> Witnessed:
            return witnessed

        await self.killer.look(witness)
        return await asyncio.to_thread(process.wait) == -signal.SIGKILL and not self.marker.exists()


async def test_three_kills_in_order_and_then_the_bot_is_left_alone(tmp_path: Path) -> None:
    bot = Bot(tmp_path)
    assert bot.environment == {HOLD: "signed"}
    assert await bot.is_killed_at("signed", "one", NOT_SENT)
    assert bot.environment == {HOLD: "sent"}
    assert await bot.is_killed_at("sent", "two", NOT_SENT)
    assert await bot.is_killed_at("confirmed", "three", CONFIRMED)
    assert bot.killer.kills == [Kill(KillState.SIGNED, "one"), Kill(KillState.SENT, "two"), Kill(KillState.CONFIRMED, "three")]
    assert bot.killer.is_done
    assert bot.environment == {}


async def test_a_moment_that_has_passed_is_waited_for_again(tmp_path: Path) -> None:
    bot = Bot(tmp_path)
    assert await bot.is_killed_at("signed", "one", CONFIRMED)
    assert bot.killer.kills == []
    assert bot.environment == {HOLD: "signed"}


async def test_a_bot_that_does_not_stand_still_is_not_killed(tmp_path: Path) -> None:
    async def witness(_intent: str) -> Witnessed:
        raise AssertionError("nobody stands still")

    await Bot(tmp_path).killer.look(witness)
