"""Stops the whole process dead at one moment of its next trade, to be killed there. For `./xorj demo --kill-bot` and crash tests.

Given to execution as its checkpoint by services/trade_bot when XORJ_TRADE_BOT_HOLD names a moment.
"""

import json
import os
import signal
from pathlib import Path

from xorj.execution.ports import Checkpoint, Moment
from xorj.primitives.errors import RefusedForSafety
from xorj.primitives.ids import LOCAL_GENESIS

MARKER = "trade-bot.held"


def hold_at(moment: Moment, marker: Path, genesis: str) -> Checkpoint:
    """At `moment` the file `marker` appears, holding moment, intent and process, and nothing of the process runs any more.

    Raises RefusedForSafety on any chain whose funds are worth something.
    """
    if genesis != LOCAL_GENESIS:
        raise RefusedForSafety("a bot is only held to be killed on the local chain")
    marker.unlink(missing_ok=True)

    async def checkpoint(reached: Moment, intent_id: str) -> None:
        if reached is moment:
            _note(marker, {"moment": reached.value, "intent_id": intent_id, "pid": os.getpid()})
            while True:
                # The event loop stands still with us: no lease is renewed, nothing is polled, no signal but SIGKILL ends it.
                signal.pause()

    return checkpoint


def _note(marker: Path, facts: dict[str, object]) -> None:
    """Appears whole or not at all."""
    marker.parent.mkdir(parents=True, exist_ok=True)
    fresh = marker.with_suffix(".new")
    with fresh.open("w") as file:
        file.write(json.dumps(facts) + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(marker)
