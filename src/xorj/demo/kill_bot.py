"""Killing the bot at the three moments that decide whether a copy can be lost or doubled. Used by run with --kill-bot.

The bot is told by its environment to stand still at the next moment; here it is seen from outside, in database and chain, that the
moment is real, and the process gets SIGKILL. The supervisor starts it anew, told to stand still at the moment after.
"""

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from xorj.chain.transactions import Commitment, SignatureStatus

HOLD = "XORJ_TRADE_BOT_HOLD"
POLL_S = 0.05


class KillState(StrEnum):
    """When the bot is killed, in this order; the values are what the bot calls these moments."""

    SIGNED = "signed"
    SENT = "sent"
    CONFIRMED = "confirmed"

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    KillState.SIGNED: "signature committed, not sent",
    KillState.SENT: "sent, not seen",
    KillState.CONFIRMED: "confirmed, not finalized",
}


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What database and chain say of the trade that the bot stands still in."""

    attempt_state: str
    seen_commitment: str | None
    status: SignatureStatus | None


# of an intent, by its id
Witness = Callable[[str], Awaitable[Witnessed]]


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill that was carried out at a moment that was witnessed."""

    state: KillState
    intent_id: str


def is_real(state: KillState, witnessed: Witnessed) -> bool:
    """Whether it is the moment that it is said to be, seen from outside."""
    if witnessed.attempt_state != "signed":
        return False
    if state is KillState.SIGNED:
        return witnessed.status is None
    if state is KillState.SENT:
        return witnessed.seen_commitment is None
    return witnessed.status is not None and witnessed.status.commitment is Commitment.CONFIRMED


@dataclass(slots=True)
class BotKiller:
    """`environment` is what the supervisor gives the bot at its next start; `marker` is the file in which the bot says where it stands."""

    marker: Path
    environment: MutableMapping[str, str]
    kills: list[Kill] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._tell()

    @property
    def is_done(self) -> bool:
        return len(self.kills) == len(KillState)

    async def run(self, witness: Witness) -> None:
        """Returns after the third kill."""
        while not self.is_done:
            await self.look(witness)
            await asyncio.sleep(POLL_S)

    async def look(self, witness: Witness) -> None:
        """Kills a bot that stands still. A moment that has passed by the time it is witnessed is waited for again."""
        try:
            held = json.loads(self.marker.read_text())
        except (FileNotFoundError, ValueError):
            return
        state = KillState(held["moment"])
        real = is_real(state, await witness(held["intent_id"]))
        if real and state is list(KillState)[len(self.kills)]:
            self.kills.append(Kill(state, held["intent_id"]))
        self._tell()
        self.marker.unlink()
        os.kill(held["pid"], signal.SIGKILL)

    def _tell(self) -> None:
        if self.is_done:
            self.environment.pop(HOLD, None)
        else:
            self.environment[HOLD] = list(KillState)[len(self.kills)]
