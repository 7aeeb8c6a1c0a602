"""A bot told to stand still does so at that moment of its next trade and ends by SIGKILL alone; never where funds have worth."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.fakes.eventually import eventually
from tests.fakes.localnet_process import ROOT

from xorj.adapters.kill_moments import hold_at
from xorj.execution.ports import Moment
from xorj.primitives.errors import RefusedForSafety
from xorj.primitives.ids import LOCAL_GENESIS
from xorj.settings import GENESIS

STANDS_STILL = """
import asyncio, sys
from pathlib import Path
from xorj.adapters.kill_moments import hold_at
from xorj.execution.ports import Moment
from xorj.primitives.ids import LOCAL_GENESIS

async def main():
    checkpoint = hold_at(Moment.SENT, Path(sys.argv[1]), LOCAL_GENESIS)
    for moment in Moment:
        await checkpoint(moment, "intent-1")
    print("went on")

asyncio.run(main())
"""


def test_it_stands_still_at_its_moment_until_it_is_killed(tmp_path: Path) -> None:
    marker = tmp_path / "run" / "trade-bot.held"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    process = subprocess.Popen([sys.executable, "-c", STANDS_STILL, str(marker)], env=environment, stdout=subprocess.PIPE)
    try:
        eventually(marker.exists, "the marker")
        assert json.loads(marker.read_text()) == {"moment": "sent", "intent_id": "intent-1", "pid": process.pid}
        assert process.poll() is None
    finally:
        process.kill()
        out, _ = process.communicate(timeout=10)
    assert (process.returncode, out) == (-signal.SIGKILL, b"")


def test_a_marker_of_an_earlier_life_is_removed(tmp_path: Path) -> None:
    marker = tmp_path / "trade-bot.held"
    marker.write_text("old")
    hold_at(Moment.SENT, marker, LOCAL_GENESIS)
    assert not marker.exists()


@pytest.mark.parametrize("chain", ["devnet", "mainnet"])
def test_no_bot_is_held_where_funds_have_worth(tmp_path: Path, chain: str) -> None:
    with pytest.raises(RefusedForSafety):
        hold_at(Moment.SENT, tmp_path / "marker", GENESIS[chain])
