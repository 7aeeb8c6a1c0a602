"""The process `gateway` on 8000: sign-in, sessions, limits and every /api path. The process `web` is the same with pages (services/web)."""

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit

from limits.aio.storage import Storage
from sqlalchemy.ext.asyncio import AsyncEngine

from xorj.adapters.engines.client import Engine
from xorj.adapters.engines.system import System
from xorj.adapters.jupiter.http import JupiterHttp
from xorj.adapters.postgres import engine as postgres
from xorj.adapters.postgres.account import PostgresAccounts, PostgresCopyOrders, PostgresSettings
from xorj.adapters.postgres.idempotency import PostgresIdempotency
from xorj.adapters.postgres.identity import PostgresChallenges, PostgresSessions, PostgresUsers
from xorj.adapters.postgres.kill_switch import PostgresKillSwitch
from xorj.adapters.postgres.rate_limits import PostgresRateLimits
from xorj.adapters.postgres.reporting import PostgresOverview, PostgresRankings
from xorj.adapters.postgres.stops import PostgresStops
from xorj.adapters.price_sources import open_prices
from xorj.adapters.rate_limits import FixedWindows
from xorj.adapters.redis import connection as redis
from xorj.adapters.redis.rate_limits import counts
from xorj.adapters.redis.sessions import RedisSessions
from xorj.adapters.solana_rpc.clock import NodeClock
from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.gateway import app as gateway
from xorj.gateway.parts import Parts, Place
from xorj.gateway.recent import RecentClock, RecentPrices
from xorj.identity.authenticate_wallet import Doorkeeper
from xorj.identity.challenge import Site
from xorj.identity.ports import SessionStore
from xorj.identity.session import SessionTokens
from xorj.observability import health, http
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Address, Wallet, parse_pubkey
from xorj.settings import GATEWAY_PORT, GatewaySettings

BODY_BYTES_MAX = 16_384
CHAIN_IDS = {"local": "localnet", "devnet": "devnet", "mainnet": "mainnet"}
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")


class SystemClock:
    """Implements WallClock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


async def serve(settings: GatewaySettings) -> None:
    """Runs until SIGTERM or SIGINT. Raises RefusedForSafety on another chain's database."""
    async with opened(settings, "gateway") as parts:
        app = http.create_app("gateway", checks=checks(parts), body_bytes_max=BODY_BYTES_MAX)
        gateway.install(app, parts)
        await http.serve(app, http.Address(settings.bind_host, GATEWAY_PORT + settings.port_offset))


@asynccontextmanager
async def opened(settings: GatewaySettings, process: str) -> AsyncIterator[Parts]:
    """Everything the edge is given; closed on leaving."""
    async with AsyncExitStack() as stack:
        engine = postgres.create(
            settings.require_database_url(),
            application=process,
            tls_required=settings.database_tls_required,
            connections_min=settings.database_connections_min,
            connections_max=settings.database_connections_max,
        )
        stack.push_async_callback(engine.dispose)
        await postgres.require_chain(engine, settings.genesis)
        node = await stack.enter_async_context(SolanaNode(settings.rpc_endpoints[0]))
        key = settings.jupiter_api_key
        jupiter = await stack.enter_async_context(JupiterHttp(settings.jupiter_endpoint, api_key=key.get_secret_value() if key else None))
        clock = RecentClock(NodeClock(node))
        token = settings.require_service_token()
        quant_engine = await stack.enter_async_context(Engine("quant-engine", settings.quant_engine_url, token))
        trade_bot = await stack.enter_async_context(Engine("trade-bot", settings.trade_bot_url, token))
        sessions, counts = _stores(settings, engine, stack)
        yield Parts(
            place=place(settings),
            doorkeeper=_doorkeeper(settings, engine, sessions),
            limiter=FixedWindows(counts),
            idempotency=PostgresIdempotency(engine),
            overviews=PostgresOverview(engine),
            rankings=PostgresRankings(engine),
            accounts=PostgresAccounts(engine),
            settings=PostgresSettings(engine),
            orders=PostgresCopyOrders(engine),
            kill_switch=PostgresKillSwitch(engine),
            stops=PostgresStops(engine),
            node=node,
            clock=clock,
            prices=RecentPrices(await open_prices(jupiter, clock, stack, settings)),
            engine=quant_engine,
            system=System(engine, [quant_engine, trade_bot]),
        )


def checks(parts: Parts) -> list[health.Check]:
    """Without its database the edge cannot work; without the chain or the engines it still shows what is known."""

    async def database() -> health.Health:
        return (await parts.system.services())["database"]

    async def chain() -> health.Health:
        try:
            await parts.clock.now()
        except Unavailable as error:
            return health.degraded(error.cause)
        return health.OK

    return [health.Check("database", database), health.Check("chain", chain)]


def place(settings: GatewaySettings) -> Place:
    """Raises InvalidInput for an origin or a bot's address that is none."""
    origin = Site.of_origin(settings.origin, CHAIN_IDS[settings.environment]).uri
    return Place(
        environment=settings.environment,
        genesis=settings.genesis,
        origin=origin,
        origins=_listed(settings.allowed_origins),
        hosts=(urlsplit(origin).hostname or "", *LOOPBACK_HOSTS, *_listed(settings.allowed_hosts)),
        service_token=settings.require_service_token(),
        bot=_bot(settings),
    )


def _doorkeeper(settings: GatewaySettings, engine: AsyncEngine, sessions: SessionStore) -> Doorkeeper:
    return Doorkeeper(
        site=Site.of_origin(settings.origin, CHAIN_IDS[settings.environment]),
        tokens=SessionTokens(hashlib.sha256(settings.require_session_key().encode()).digest()),
        challenges=PostgresChallenges(engine),
        sessions=sessions,
        users=PostgresUsers(engine),
        clock=SystemClock(),
        operators=frozenset(Wallet(parse_pubkey(wallet, "XORJ_OPERATORS")) for wallet in _listed(settings.operators)),
    )


def _stores(settings: GatewaySettings, engine: AsyncEngine, stack: AsyncExitStack) -> tuple[SessionStore, Storage]:
    """Sessions and counts: Redis where it is set, PostgreSQL otherwise."""
    if settings.redis_url is None:
        return PostgresSessions(engine), PostgresRateLimits(engine)
    client = redis.connect(settings.redis_url.get_secret_value(), tls_required=settings.database_tls_required)
    stack.push_async_callback(client.aclose)
    return RedisSessions(client), counts(client)


def _bot(settings: GatewaySettings) -> Address | None:
    """The configured bot; on a local chain, where the signer's key file lies beside us, the public key that stands in it."""
    if settings.bot_address:
        return Address(parse_pubkey(settings.bot_address, "XORJ_BOT_ADDRESS"))
    key_file = settings.data_dir / "keys" / "bot.json"
    if not settings.is_local or not key_file.exists():
        return None
    return Address(parse_pubkey(json.loads(key_file.read_text())["public_key"], str(key_file)))


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for part in map(str.strip, text.split(",")) if part)
