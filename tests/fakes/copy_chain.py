"""A local chain on which Ana trades and Ben follows: pools of USDC with BONK, WIF and SOL, wallets with funds, no vault yet. As a process:
`python -m tests.fakes.copy_chain FOLDER RPC_PORT WEBSOCKET_PORT JUPITER_PORT SLOT_MS`. `Wallet` sends transactions as any client would."""

import asyncio
import sys
import time
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2
import orjson
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.token.associated import get_associated_token_address
from solders.transaction import VersionedTransaction
from tests.fakes.eventually import eventually
from tests.fakes.trading_chain import TradingChain

from xorj.demo.stage import Stage, open_vault_program
from xorj.demo.tokens import SOL_MINT, USDC_MINT
from xorj.localnet.bank import Bank
from xorj.localnet.jupiter.api import jupiter_app
from xorj.localnet.jupiter.tokens import ListedToken
from xorj.localnet.keys import local_keypair
from xorj.localnet.run import Extras, Ports, run_chain
from xorj.market import local_amm
from xorj.vault import accounts, instructions
from xorj.vault.accounts import config_address, vault_address

ANA, BEN = local_keypair("copy chain: ana"), local_keypair("copy chain: ben")
BONK, WIF = (local_keypair(f"copy chain: {name}").pubkey() for name in ("bonk", "wif"))
USDC = 1_000_000
START_USDC_RAW = 10_000 * USDC
VAULT = vault_address(BEN.pubkey())
DEEP = 10**6


def genesis_stage() -> Stage:
    """Pools so deep that no trade of a test moves a price."""
    stage = Stage()
    for person in (ANA, BEN):
        stage.wallet(person.pubkey())
        stage.hold(person.pubkey(), USDC_MINT, START_USDC_RAW)
        for mint in (BONK, WIF):
            stage.hold(person.pubkey(), mint, 0)
    for mint in (BONK, WIF):
        stage.mint(mint, 5, 10**18)
        stage.pool(USDC_MINT, DEEP * USDC, mint, DEEP * 10**5)
    stage.pool(BONK, DEEP * 10**5, WIF, DEEP * 10**5)
    stage.pool(USDC_MINT, DEEP * 100 * USDC, SOL_MINT, DEEP * 10**9)
    return stage


class CopyChain(TradingChain):
    module = "tests.fakes.copy_chain"

    @property
    def websocket_url(self) -> str:
        return f"ws://127.0.0.1:{self.websocket_port}"


class Wallet:
    """A person with a key and some client or other."""

    def __init__(self, chain: TradingChain, key: Keypair) -> None:
        self.key, self.address = key, key.pubkey()
        self._client = httpx2.Client(base_url=chain.rpc_url, timeout=10)

    def sends(self, *wanted: Instruction) -> str:
        """Returns the signature once the transaction is confirmed; AssertionError when it fails."""
        blockhash = self.call("getLatestBlockhash")["value"]["blockhash"]
        message = MessageV0.try_compile(self.address, list(wanted), [], Hash.from_string(blockhash))
        transaction = VersionedTransaction(message, [self.key])
        options = {"encoding": "base64", "skipPreflight": True}
        signature = self.call("sendTransaction", b64encode(bytes(transaction)).decode(), options)
        status = eventually(lambda: self._confirmed(signature), f"{signature} confirmed")
        assert status["err"] is None, (status, self.call("getTransaction", signature, {"maxSupportedTransactionVersion": 0}))
        return str(signature)

    def call(self, method: str, *params: Any) -> Any:
        body = orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        reply = orjson.loads(self._client.post("/", content=body).content)
        assert "result" in reply, reply
        return reply["result"]

    def holds(self, mint: Pubkey, owner: Pubkey | None = None) -> int:
        account = get_associated_token_address(owner or self.address, mint)
        found = self.call("getAccountInfo", str(account), {"encoding": "jsonParsed"})["value"]
        return int(found["data"]["parsed"]["info"]["tokenAmount"]["amount"]) if found else 0

    def swaps(self, given: Pubkey, got: Pubkey, raw: int) -> str:
        source, destination = (get_associated_token_address(self.address, mint) for mint in (given, got))
        pool = local_amm.pool_of(given, got)
        return self.sends(
            local_amm.swap(
                pool,
                owner=self.address,
                source=source,
                destination=destination,
                input_mint=given,
                amount_in=raw,
                amount_out_min=1,
            )
        )

    def _confirmed(self, signature: str) -> Any:
        (status,) = self.call("getSignatureStatuses", [signature])["value"]
        return status if status and status["confirmationStatus"] in ("confirmed", "finalized") else None


def opens_vault(bot: Pubkey, deposit_raw: int = 500 * USDC) -> list[Instruction]:
    """What an owner does before the bot may copy into his vault."""
    owner = BEN.pubkey()
    return [
        instructions.initialize_vault(owner),
        instructions.create_token_account(owner, VAULT, USDC_MINT),
        instructions.deposit(owner, USDC_MINT, deposit_raw),
        instructions.set_policy(
            owner,
            spend_per_trade=1_000 * USDC,
            spend_per_day=1_000 * USDC,
            loss_per_day=1_000 * USDC,
            spend_per_trade_bps=10_000,
            spend_per_day_bps=10_000,
            loss_per_day_bps=10_000,
            mint_mode=accounts.ANY_MINT,
        ),
        instructions.grant_bot_authority(owner, bot),
    ]


def prepare(bank: Bank) -> None:
    if bank.runtime.account(config_address()) is None:
        bank.advance(1, bank.unix_seconds + 1)
        open_vault_program(bank)
        bank.advance(1, bank.unix_seconds + 1)


def tokens() -> Sequence[ListedToken]:
    return [
        ListedToken(USDC_MINT, "USDC", "USD Coin", 6),
        ListedToken(SOL_MINT, "SOL", "Wrapped SOL", 9),
        ListedToken(BONK, "BONK", "Bonk", 5),
        ListedToken(WIF, "WIF", "Wif", 5),
    ]


def main(folder: str, rpc_port: str, websocket_port: str, jupiter_port: str, slot_ms: str) -> None:
    extras = Extras(prepare=prepare, apps=((int(jupiter_port), lambda chain: jupiter_app(chain, tokens())),))
    ports = Ports(rpc=int(rpc_port), websocket=int(websocket_port))
    genesis = genesis_stage().genesis(int(time.time()))
    asyncio.run(run_chain(Path(folder), genesis, ports, extras, slot_ms=int(slot_ms)))


if __name__ == "__main__":
    main(*sys.argv[1:6])
