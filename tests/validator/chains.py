"""Two chains to run the same life on: our own local chain, and a real solana-test-validator where one is on the PATH."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import httpx2
from tests.fakes.localnet_process import LocalnetProcess, free_port

from xorj.localnet.keys import UPGRADE_AUTHORITY
from xorj.market import local_amm
from xorj.router import jupiter_v6
from xorj.vault.accounts import PROGRAM_ID

VALIDATOR = "solana-test-validator"
START_S_MAX = 60.0
STOP_S_MAX = 20.0
PROGRAMS = {PROGRAM_ID: "xorj_vault", jupiter_v6.PROGRAM: "local_router", local_amm.PROGRAM: "local_amm"}


@contextmanager
def local_chain(folder: Path) -> Iterator[str]:
    """The URL of our own chain, as its own process. It carries the committed program files from genesis on."""
    with LocalnetProcess(folder, slot_ms=100) as chain:
        yield chain.url


@contextmanager
def validator(folder: Path) -> Iterator[str]:
    """The URL of a fresh validator with the committed program files, upgradeable by the local chain's own upgrade authority."""
    program = shutil.which(VALIDATOR)
    assert program, f"{VALIDATOR} is not on the PATH"
    port, faucet, gossip = free_port(), free_port(), free_port()
    command = [program, "--reset", "--quiet", "--ledger", str(folder / "ledger"), "--bind-address", "127.0.0.1"]
    command += ["--rpc-port", str(port), "--faucet-port", str(faucet), "--gossip-port", str(gossip)]
    for address, name in PROGRAMS.items():
        elf = files("xorj.localnet") / "programs" / f"{name}.so"
        command += ["--upgradeable-program", str(address), str(elf), str(UPGRADE_AUTHORITY.pubkey())]
    with (folder / "validator.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"RUST_LOG": "error"})
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_for_health(url, process, folder / "validator.log")
            yield url
        finally:
            process.terminate()
            try:
                process.wait(STOP_S_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for_health(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Healthy, and past the first slots, in which a fresh validator charges no fee and knows no blockhash."""
    deadline = time.monotonic() + START_S_MAX
    while time.monotonic() < deadline and process.poll() is None:
        try:
            reply = httpx2.post(url, json={"jsonrpc": "2.0", "id": 1, "method": "getSlot", "params": [{"commitment": "finalized"}]})
            if reply.json().get("result", 0) > 0:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.2)  # a process that starts tells nobody when it listens
    raise AssertionError(f"the validator did not start:\n{log.read_text(errors='replace')[-2_000:]}")
