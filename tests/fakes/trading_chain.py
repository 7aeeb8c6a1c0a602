"""A local chain on which a vault can trade: BONK against USDC, Ana's vault with 500 USDC, a granted bot. As a process, to be left running
while bots are killed: `python -m tests.fakes.trading_chain FOLDER RPC_PORT WEBSOCKET_PORT JUPITER_PORT SLOT_MS`."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import httpx2
from solders.pubkey import Pubkey
from tests.fakes.localnet_process import ROOT, START_S_MAX, free_port

from xorj.demo.stage import Stage, execute, open_vault_program
from xorj.demo.tokens import USDC_MINT
from xorj.localnet.bank import Bank
from xorj.localnet.jupiter.api import jupiter_app
from xorj.localnet.jupiter.tokens import ListedToken
from xorj.localnet.keys import local_keypair
from xorj.localnet.run import Extras, Ports, run_chain
from xorj.vault import accounts, instructions

OWNER, BOT = local_keypair("trading chain: owner"), local_keypair("trading chain: bot")
BONK: Pubkey = local_keypair("trading chain: bonk").pubkey()
VAULT = accounts.vault_address(OWNER.pubkey())
TRADE = accounts.trade_authority_address(VAULT)
USDC_RAW = 1_000_000
DEPOSIT_RAW = 500 * USDC_RAW
CAP_RAW = 1_000 * USDC_RAW


def genesis_stage() -> Stage:
    """Reserves so deep that a trade of 10 USDC moves nothing."""
    stage = Stage()
    for person in (OWNER, BOT):
        stage.wallet(person.pubkey())
    stage.mint(BONK, 5, 10**18)
    stage.hold(OWNER.pubkey(), USDC_MINT, 10_000 * USDC_RAW)
    stage.pool(USDC_MINT, 10**6 * USDC_RAW, BONK, 10**6 * 10**5)
    return stage


def open_vault(bank: Bank) -> None:
    """Config, vault, deposit, policy, grant: what an owner does before copying."""
    if bank.runtime.account(VAULT) is not None:
        return
    bank.advance(1, bank.unix_seconds + 1)
    open_vault_program(bank)
    owner = OWNER.pubkey()
    execute(
        bank,
        [
            instructions.initialize_vault(owner),
            instructions.create_token_account(owner, VAULT, USDC_MINT),
            instructions.deposit(owner, USDC_MINT, DEPOSIT_RAW),
            instructions.set_policy(
                owner,
                spend_per_trade=CAP_RAW,
                spend_per_day=CAP_RAW,
                loss_per_day=CAP_RAW,
                spend_per_trade_bps=10_000,
                spend_per_day_bps=10_000,
                loss_per_day_bps=10_000,
                mint_mode=accounts.ANY_MINT,
            ),
            instructions.grant_bot_authority(owner, BOT.pubkey()),
        ],
        owner,
        [OWNER],
    )
    bank.advance(1, bank.unix_seconds + 1)


class TradingChain:
    """Started on entering, killed on leaving."""

    module = "tests.fakes.trading_chain"

    def __init__(self, folder: Path, *, slot_ms: int = 100) -> None:
        self._folder, self._slot_ms = folder, slot_ms
        self.rpc_port, self.websocket_port, self.jupiter_port = free_port(), free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def rpc_url(self) -> str:
        return f"http://127.0.0.1:{self.rpc_port}"

    @property
    def jupiter_url(self) -> str:
        return f"http://127.0.0.1:{self.jupiter_port}"

    def __enter__(self) -> Self:
        ports = [str(one) for one in (self.rpc_port, self.websocket_port, self.jupiter_port, self._slot_ms)]
        command = [sys.executable, "-m", self.module, str(self._folder), *ports]
        self._process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT / "src")})
        deadline = time.monotonic() + START_S_MAX
        while not self._answers():
            assert self._process.poll() is None, "the chain ended"
            assert time.monotonic() < deadline, "the chain did not start in time"
            time.sleep(0.02)  # a new process says that it listens by listening; nothing else can be waited for
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(timeout=20)

    def _answers(self) -> bool:
        try:
            return httpx2.get(f"{self.jupiter_url}/readyz").status_code == 200
        except httpx2.TransportError:
            return False


def main(folder: str, rpc_port: str, websocket_port: str, jupiter_port: str, slot_ms: str) -> None:
    tokens = [ListedToken(USDC_MINT, "USDC", "USD Coin", 6), ListedToken(BONK, "BONK", "Bonk", 5)]
    extras = Extras(prepare=open_vault, apps=((int(jupiter_port), lambda chain: jupiter_app(chain, tokens)),))
    ports = Ports(rpc=int(rpc_port), websocket=int(websocket_port))
    genesis = genesis_stage().genesis(int(time.time()))
    asyncio.run(run_chain(Path(folder), genesis, ports, extras, slot_ms=int(slot_ms)))


if __name__ == "__main__":
    main(*sys.argv[1:6])
