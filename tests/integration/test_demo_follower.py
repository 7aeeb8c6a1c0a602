"""The demo's follower against a gateway that builds as ours does, on a chain in this process: every step once, none twice."""

import base64
from collections.abc import Mapping
from typing import Any

import httpx2
import orjson
import pytest
from solders.account import Account
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.client.api import XorjClient
from xorj.demo.follower import DEPOSIT_RAW, Follower
from xorj.demo.identities import FOLLOWER
from xorj.demo.stage import Stage, open_vault_program
from xorj.demo.tokens import USDC_MINT
from xorj.gateway import vault_building as building
from xorj.gateway.bodies import PolicyBody
from xorj.localnet.bank import Bank, Executed
from xorj.localnet.live import LiveChain
from xorj.localnet.rpc.context import Node
from xorj.localnet.rpc.dispatch import answer_bytes
from xorj.primitives.errors import RefusedForSafety
from xorj.primitives.ids import Wallet
from xorj.vault import instructions as vault
from xorj.vault.accounts import ANY_MINT, decode_policy, decode_vault, policy_address, vault_address

BOT = Keypair.from_seed(bytes([44]) * 32).pubkey()
OWNER = FOLLOWER.pubkey()
CONFIGURATION = {
    "vault": None,
    "leaders_max": 5,
    "allocation_bps": 2_000,
    "risk_profile": "BALANCED",
    "max_trade_amount_usd": None,
    "slippage_tolerance_percent": 1.0,
}
CHALLENGE = "localhost wants you to sign in"


class Transport(httpx2.AsyncBaseTransport):
    """A node's HTTP, answered by a chain in this process on which a block passes with every request."""

    def __init__(self, bank: Bank, genesis: str | None = None) -> None:
        self._chain = LiveChain(bank, slot_ms=200, block_seconds=lambda: bank.unix_seconds)
        self._node, self._genesis = Node(self._chain), genesis

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = await answer_bytes(self._node, await request.aread())
        self._chain.advance()
        if self._genesis is not None and b"getGenesisHash" in request.content:
            answer = answer.replace(b"XorjLoca1Chain11111111111111111111111111111", self._genesis.encode())
        return httpx2.Response(200, content=answer)


class Gateway(httpx2.AsyncBaseTransport):
    """The gateway's HTTP with its own building of transactions; refuses whatever is not signed in."""

    def __init__(self, bank: Bank, node: SolanaNode) -> None:
        self._bank, self._node = bank, node
        self.asked: list[str] = []
        self.enabled = self.evil = False
        self.conflicts = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        path, body = request.url.path.removeprefix("/api"), orjson.loads(await request.aread() or b"{}")
        self.asked.append(path)
        if path == "/auth/challenge":
            return httpx2.Response(200, json={"message": CHALLENGE})
        if path == "/auth/authenticate":
            assert Signature.from_string(body["signature"]).verify(OWNER, CHALLENGE.encode())
            return httpx2.Response(200, json={"session_token": "session", "expires_at": "2099-01-01T00:00:00+00:00"})
        assert request.headers["authorization"] == "Bearer session"
        if path == "/bot/enable" and self.conflicts:
            self.conflicts -= 1
            return httpx2.Response(409, json={"type": "no-vault", "title": "no vault yet"})
        return httpx2.Response(200, json=await self._done(path, body))

    async def _done(self, path: str, body: Mapping[str, Any]) -> Any:
        if path == "/bot/enable":
            self.enabled = True
            return {"message": "copying"}
        if path == "/bot/configuration":
            return CONFIGURATION | {"enabled": self.enabled}
        if path == "/vault/transactions":
            return {"signature": str(self._executed(base64.b64decode(body["transaction"])))}
        if path.startswith("/vault/transactions/"):
            return {"signature": path.rsplit("/", 1)[1], "state": "confirmed", "slot": 1, "error": None}
        return await self._built(path.removeprefix("/vault/"), body)

    async def _built(self, action: str, body: Mapping[str, Any]) -> Any:
        instructions = {
            "deploy": lambda: building.deploy(OWNER, USDC_MINT),
            "policy": lambda: building.policy(OWNER, PolicyBody(**body)),
            "deposit": lambda: building.deposit(OWNER, USDC_MINT, int(body["amount_raw"])),
            "grant": lambda: [vault.grant_bot_authority(OWNER, BOT)],
        }[action]()
        payer = Pubkey.default() if self.evil else OWNER
        built = building.transaction(payer, instructions, await self._node.latest_blockhash())
        return {"transaction": base64.b64encode(built.transaction).decode()}

    def _executed(self, raw: bytes) -> Signature:
        outcome = self._bank.execute(VersionedTransaction.from_bytes(raw))
        assert isinstance(outcome, Executed)
        assert outcome.succeeded, outcome.error
        self._bank.advance()
        return outcome.signature


async def _sign(message: bytes) -> bytes:
    return bytes(FOLLOWER.sign_message(message))


class World:
    def __init__(self, genesis: str | None = None) -> None:
        self.bank = Bank.open(None, Stage().genesis(1_790_000_000))
        self.bank.advance()
        open_vault_program(self.bank)
        self.bank.advance()
        self.node = SolanaNode("http://node", transport=Transport(self.bank, genesis))
        self.gateway = Gateway(self.bank, self.node)
        api = XorjClient("http://gateway", Wallet(str(OWNER)), _sign, transport=self.gateway)
        self.follower = Follower(OWNER, self.node, api)

    def account(self, address: Pubkey) -> Account:
        found = self.bank.runtime.account(address)
        assert found is not None
        return found


async def test_a_new_follower_goes_through_every_step() -> None:
    world = World()
    assert await world.follower.follow() == [
        "took funds from the faucet",
        "made the vault",
        "set the limits",
        "paid in",
        "let the bot trade",
        "filled the bot's float",
        "turned copying on",
    ]
    address = vault_address(OWNER)
    made = decode_vault(world.account(address).data)
    policy = decode_policy(world.account(policy_address(address)).data)
    assert (made.owner, made.total_deposited, made.bot_authority) == (OWNER, DEPOSIT_RAW, BOT)
    limits = policy.limits(world.bank.unix_seconds)
    assert (limits.mint_mode, limits.trade_cap(DEPOSIT_RAW), limits.day_cap(DEPOSIT_RAW)) == (ANY_MINT, 100_000_000, DEPOSIT_RAW)
    assert world.account(BOT).lamports > 10**9
    assert world.gateway.enabled


async def test_who_follows_already_does_nothing_new() -> None:
    world = World()
    await world.follower.follow()
    landed = len(world.bank.history)
    assert await world.follower.follow() == []
    assert len(world.bank.history) == landed


async def test_a_gateway_that_has_not_heard_of_the_vault_is_asked_again() -> None:
    world = World()
    world.gateway.conflicts = 1
    await world.follower.follow()
    assert world.gateway.asked.count("/bot/enable") == 2


async def test_a_transaction_that_is_not_ones_own_is_not_signed() -> None:
    world = World()
    world.gateway.evil = True
    with pytest.raises(RefusedForSafety, match="not this wallet's alone"):
        await world.follower.follow()


async def test_on_another_chain_the_public_key_does_nothing() -> None:
    world = World(genesis="5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d")
    with pytest.raises(RefusedForSafety, match="local chain only"):
        await world.follower.follow()
    assert world.gateway.asked == []
