"""The edge with a real database behind it, in the words of its users. Chain, prices and engine are what a test sets them to."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx2
from fastapi import FastAPI
from solders.keypair import Keypair
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fakes.identity_memory import SetClock

from xorj.adapters.engines.system import System
from xorj.adapters.postgres.account import PostgresAccounts, PostgresCopyOrders, PostgresSettings
from xorj.adapters.postgres.idempotency import PostgresIdempotency
from xorj.adapters.postgres.identity import PostgresChallenges, PostgresSessions, PostgresUsers
from xorj.adapters.postgres.kill_switch import PostgresKillSwitch
from xorj.adapters.postgres.rate_limits import PostgresRateLimits
from xorj.adapters.postgres.reporting import PostgresOverview, PostgresRankings
from xorj.adapters.postgres.stops import PostgresStops
from xorj.adapters.rate_limits import FixedWindows
from xorj.chain.transactions import Account, Blockhash, SendHint, SignatureStatus, Simulation, TokenHolding
from xorj.client.api import XorjClient
from xorj.gateway import app as gateway
from xorj.gateway.parts import SPECIFIED_ORIGINS, Parts, Place
from xorj.identity.authenticate_wallet import Doorkeeper
from xorj.identity.challenge import Site
from xorj.identity.session import SessionTokens
from xorj.observability import http
from xorj.prices.price import Price
from xorj.primitives.clock import ChainTime
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import LOCAL_GENESIS, Address, Mint, Signature, Slot, Wallet
from xorj.reporting.account import TraderRanking

ORIGIN = "http://127.0.0.1:3000"
SERVICE_TOKEN = "the token of our own processes"
BOT = Keypair.from_seed(bytes([77]) * 32).pubkey()
MAINNET_GENESIS = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"


class WallClock(SetClock):
    """The system's own time: the database compares with its own."""

    def __init__(self) -> None:
        super().__init__(datetime.now(UTC))


@dataclass
class QuietChain:
    """A node on which nothing is and everything works; what a test wants to be there it puts in."""

    found: dict[Address, Account] = field(default_factory=dict)
    sent: list[bytes] = field(default_factory=list)
    landed: dict[Signature, SignatureStatus] = field(default_factory=dict)
    simulation: Simulation = field(default_factory=lambda: Simulation(None, (), 1_000, (), Slot(100)))
    hint: SendHint = field(default_factory=lambda: SendHint(True, ""))
    name: str = "quiet"

    async def accounts(self, addresses: Sequence[Address], **_how: Any) -> list[Account | None]:
        return [self.found.get(address) for address in addresses]

    async def token_accounts(self, owner: Address, mint: Mint, **_how: Any) -> list[TokenHolding]:
        return []

    async def latest_blockhash(self, **_how: Any) -> Blockhash:
        return Blockhash("11111111111111111111111111111111", 250, Slot(100))

    async def simulate(self, transaction: bytes, **_how: Any) -> Simulation:
        return self.simulation

    async def send(self, transaction: bytes) -> SendHint:
        self.sent.append(transaction)
        return self.hint

    async def statuses(self, signatures: Sequence[Signature]) -> tuple[Slot, list[SignatureStatus | None]]:
        return Slot(100), [self.landed.get(signature) for signature in signatures]

    async def now(self) -> ChainTime:
        return ChainTime(Slot(100), 90, 1_767_000_000)


@dataclass
class Prices:
    known: dict[Mint, Price] = field(default_factory=dict)

    async def prices(self, mints: Sequence[Mint]) -> dict[Mint, Price]:
        return {mint: self.known[mint] for mint in mints if mint in self.known}


@dataclass
class Ranking:
    """The quant-engine: answers what it is given, or does not answer."""

    answer: list[TraderRanking] | None = None

    async def rankings(self, *, limit: int) -> list[TraderRanking]:
        if self.answer is None:
            raise Unavailable("quant-engine", "not running")
        return self.answer[:limit]


def place(**changes: Any) -> Place:
    usual = Place("local", LOCAL_GENESIS, ORIGIN, SPECIFIED_ORIGINS, ("127.0.0.1", "localhost"), SERVICE_TOKEN, Address(str(BOT)))
    return replace(usual, **changes)


class GatewayWorld:
    """One edge. `changes` replace parts; `clock` is the wall's, `chain` the node. No answer is kept unless a test asks for it."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        at: Place | None = None,
        operators: Sequence[Keypair] = (),
        kept_seconds: float = 0.0,
        **changes: Any,
    ) -> None:
        self.chain, self.prices, self.ranking, self.clock = QuietChain(), Prices(), Ranking(), WallClock()
        self.place, self.engine = at or place(), engine
        doorkeeper = Doorkeeper(
            site=Site.of_origin(ORIGIN, "localnet"),
            tokens=SessionTokens(bytes(32)),
            challenges=PostgresChallenges(engine),
            sessions=PostgresSessions(engine),
            users=PostgresUsers(engine),
            clock=self.clock,
            operators=frozenset(Wallet(str(key.pubkey())) for key in operators),
        )
        usual: dict[str, Any] = {
            "place": self.place,
            "doorkeeper": doorkeeper,
            "limiter": FixedWindows(PostgresRateLimits(engine)),
            "idempotency": PostgresIdempotency(engine),
            "overviews": PostgresOverview(engine),
            "rankings": PostgresRankings(engine),
            "accounts": PostgresAccounts(engine),
            "settings": PostgresSettings(engine),
            "orders": PostgresCopyOrders(engine),
            "kill_switch": PostgresKillSwitch(engine),
            "stops": PostgresStops(engine),
            "node": self.chain,
            "clock": self.chain,
            "prices": self.prices,
            "engine": self.ranking,
            "system": System(engine, []),
        }
        self.parts = Parts(**usual | changes)
        self.app: FastAPI = http.create_app("gateway", body_bytes_max=16_384)
        gateway.install(self.app, self.parts, kept_seconds=kept_seconds)
        self.transport = httpx2.ASGITransport(self.app)

    def browser(self, **how: Any) -> httpx2.AsyncClient:
        """Somebody without a wallet."""
        return httpx2.AsyncClient(transport=self.transport, base_url=ORIGIN, **how)

    def wallet(self, key: Keypair) -> XorjClient:
        """A program that holds this key."""

        async def sign(message: bytes) -> bytes:
            return bytes(key.sign_message(message))

        return XorjClient(ORIGIN, Wallet(str(key.pubkey())), sign, transport=self.transport)

    async def token(self, key: Keypair) -> str:
        """What an authorization header needs."""
        wallet = str(key.pubkey())
        async with self.browser() as browser:
            asked = (await browser.post("/auth/challenge", json={"wallet_address": wallet})).json()
            signature = str(key.sign_message(asked["message"].encode()))
            answer = await browser.post(
                "/auth/authenticate", json={"wallet_address": wallet, "signature": signature, "message": asked["message"]}
            )
            return str(answer.json()["session_token"])
