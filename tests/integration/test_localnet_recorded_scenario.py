"""The recorded scenario of a real validator, played on a fresh local chain: no reply may differ in shape, error code or message.

The recording lies beside the checkout (../shared/rpc-conformance, or XORJ_RPC_CONFORMANCE); the facts it holds are also tested one by
one in tests/contract, so that a checkout alone is covered.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.fakes.localnet_process import ROOT, LocalnetProcess

RECORDING = Path(os.environ.get("XORJ_RPC_CONFORMANCE", ROOT.parent / "shared" / "rpc-conformance"))

# the scenario imports httpx; its successor is what this project has installed
PLAY = """
import runpy, sys, httpx2
sys.modules["httpx"] = httpx2
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.skipif(not (RECORDING / "record.py").exists(), reason=f"NOT CHECKED: no recording of a validator at {RECORDING.name}")
def test_no_reply_differs_from_the_recorded_validator(tmp_path: Path) -> None:
    mine = tmp_path / "mine.jsonl"
    (recorded,) = RECORDING.glob("agave-*.jsonl")
    with LocalnetProcess(tmp_path / "chain", slot_ms=25) as chain:
        scenario = [sys.executable, "-c", PLAY, str(RECORDING / "record.py"), str(mine), chain.url, chain.websocket_url]
        subprocess.run(scenario, check=True, timeout=120)
    compared = subprocess.run(
        [sys.executable, str(RECORDING / "compare.py"), str(recorded), str(mine)], capture_output=True, text=True, check=False
    )
    assert compared.returncode == 0, compared.stdout
