"""The process `trade-bot` on 8002: watches leaders, plans copies, executes and settles them, follows vaults.

Start-up is recovery: nothing is planned before execution has settled what was open and opened the gate. Every task that fails ends the
process, and the supervisor starts it anew.
"""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field

from solders.pubkey import Pubkey
from sqlalchemy.ext.asyncio import AsyncEngine

from xorj.adapters.jupiter.http import JupiterHttp
from xorj.adapters.jupiter.router import JupiterRouter
from xorj.adapters.kill_moments import MARKER, hold_at
from xorj.adapters.postgres import engine as postgres
from xorj.adapters.postgres.bot_controls import PostgresBotControls
from xorj.adapters.postgres.brakes import PostgresBrakes
from xorj.adapters.postgres.copying import PostgresDecisions, PostgresFollows, PostgresLeaderTrades
from xorj.adapters.postgres.execution import PostgresAttempts, PostgresIntents
from xorj.adapters.postgres.kill_switch import PostgresKillSwitch
from xorj.adapters.postgres.leases import PostgresLeases
from xorj.adapters.postgres.ledger import PostgresLedger, PostgresPortfolios
from xorj.adapters.postgres.live_copies import BASE_DECIMALS, PostgresLiveCopies
from xorj.adapters.postgres.migrate import require_head
from xorj.adapters.postgres.missed_exits import PostgresMissedExits
from xorj.adapters.postgres.outbox import PostgresOutbox
from xorj.adapters.postgres.projections import NEW_INTENTS
from xorj.adapters.postgres.readiness import database_check
from xorj.adapters.postgres.settlements import PostgresSettlements
from xorj.adapters.postgres.subscriptions import PostgresSubscriptions
from xorj.adapters.postgres.sweeps import PostgresSweeps
from xorj.adapters.postgres.vaults import PostgresVaults
from xorj.adapters.postgres.wakes import wake_on
from xorj.adapters.price_sources import open_prices
from xorj.adapters.signer.client import SignerClient
from xorj.adapters.signer.wire import SIGNING_SOCKET
from xorj.adapters.solana_rpc.clock import NodeClock
from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.adapters.solana_rpc.readiness import chain_check
from xorj.adapters.solana_rpc.subscriptions import Logged, Subscriptions
from xorj.adapters.webhook.delivery import WebhookDelivery
from xorj.copying import exposure
from xorj.copying.follow_leaders import Watch
from xorj.copying.follow_leaders_live import Bells, follow_leaders
from xorj.copying.follow_live_copies import Unpriced, follow_live_copies
from xorj.copying.follow_ranking import follow_ranking
from xorj.copying.plan_copies import Planning
from xorj.copying.plan_missed_exits import plan_missed_exits
from xorj.copying.plan_under_gate import plan_under_gate
from xorj.copying.situation import Stopped
from xorj.engine_api.trade_bot import BotStatus, trade_bot_routes
from xorj.execution.bounds import Bounds
from xorj.execution.desk import Desk, Stores
from xorj.execution.execute_under_lease import Gate, Wakes, execute_under_lease
from xorj.execution.ports import Checkpoint, Moment, Provider, pass_by
from xorj.notifications.deliver_to_log import LogDelivery
from xorj.notifications.ports import Delivery
from xorj.notifications.relay_messages import relay_messages
from xorj.observability import health, http, logging, metrics
from xorj.portfolio.follow_vaults_live import VaultWatch, follow_vaults_live
from xorj.portfolio.reconcile_ledger import Books, audit
from xorj.prices.discover_prices import AgreedPrices, HighestPrices
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import USDC, Address, Signature, Wallet
from xorj.settings import TRADE_BOT_PORT, TradeBotSettings
from xorj.supervisor.runtime_folder import runtime_folder
from xorj.trust.ranking import Model

RANKING_LOOK_S = 1.0
MISSED_EXITS_LOOK_S = 5.0
LIVE_COPIES_LOOK_S = 15.0
HEARTBEAT_S = 1.0

log = logging.get("trade-bot")


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything outside, opened; and what the tasks tell each other."""

    settings: TradeBotSettings
    engine: AsyncEngine
    node: SolanaNode
    providers: tuple[Provider, ...]
    subscriptions: Subscriptions
    jupiter: JupiterHttp
    prices: AgreedPrices
    clock: NodeClock
    signer: SignerClient
    delivery: Delivery
    bot: Pubkey
    gate: Gate = field(default_factory=Gate)
    wakes: Wakes = field(default_factory=Wakes)
    bells: Bells = field(default_factory=lambda: Bells(asyncio.Event(), asyncio.Event()))
    watched: set[Wallet] = field(default_factory=set)

    @property
    def genesis(self) -> str:
        return self.settings.genesis

    @property
    def controls(self) -> PostgresBotControls:
        return PostgresBotControls(self.engine)

    async def mentions(self, address: Address) -> AsyncGenerator[Signature | None]:
        """Implements chain.ports.Mentions."""
        async with aclosing(self.subscriptions.logs(address)) as told:
            async for each in told:
                yield each.signature if isinstance(each, Logged) else None


async def serve(settings: TradeBotSettings) -> None:
    """Runs until SIGTERM or SIGINT. Raises RefusedForSafety on another chain's database, and whatever ended a task."""
    async with _opened(settings) as parts:
        app = http.create_app("trade-bot", checks=_checks(parts))
        app.include_router(trade_bot_routes(settings.require_service_token(), lambda: _status(parts), parts.controls.drain))
        address = http.Address(settings.bind_host, TRADE_BOT_PORT + settings.port_offset)
        await http.serve(app, address, _tasks(parts))


@asynccontextmanager
async def _opened(settings: TradeBotSettings) -> AsyncIterator[Parts]:
    async with AsyncExitStack() as stack:
        engine = postgres.create(
            settings.require_database_url(),
            application="trade-bot",
            tls_required=settings.database_tls_required,
            connections_min=settings.database_connections_min,
            connections_max=settings.database_connections_max,
        )
        stack.push_async_callback(engine.dispose)
        await postgres.require_chain(engine, settings.genesis)
        await require_head(engine)
        nodes = [await stack.enter_async_context(SolanaNode(url, name=f"provider {n}")) for n, url in enumerate(settings.rpc_endpoints, 1)]
        key = settings.jupiter_api_key
        jupiter = await stack.enter_async_context(JupiterHttp(settings.jupiter_endpoint, api_key=key.get_secret_value() if key else None))
        clock = NodeClock(nodes[0])
        signer = SignerClient(runtime_folder(settings.run_dir) / SIGNING_SOCKET)
        stack.push_async_callback(signer.close)
        yield Parts(
            settings=settings,
            engine=engine,
            node=nodes[0],
            providers=tuple(Provider(node.name, node, node, node, node) for node in nodes),
            subscriptions=Subscriptions(settings.websocket_endpoint, name=nodes[0].name),
            jupiter=jupiter,
            prices=await open_prices(jupiter, clock, stack, settings),
            clock=clock,
            signer=signer,
            delivery=await _delivery(settings, stack),
            bot=Pubkey.from_string(await signer.address()),
        )


async def _delivery(settings: TradeBotSettings, stack: AsyncExitStack) -> Delivery:
    """Where messages go: the operator's address, or the log. Raises InvalidInput for an address or secret that cannot be used."""
    if settings.webhook_url is None or settings.webhook_secret is None:
        return LogDelivery()
    return await stack.enter_async_context(
        WebhookDelivery(settings.webhook_url.get_secret_value(), settings.webhook_secret.get_secret_value())
    )


def _tasks(parts: Parts) -> list[http.Task]:
    bot = Wallet(str(parts.bot))
    vaults, ledger = PostgresVaults(parts.engine, parts.genesis), PostgresLedger(parts.engine, parts.genesis)
    books = Books(ledger, vaults, parts.node, parts.node)
    follows, trades = PostgresFollows(parts.engine), PostgresLeaderTrades(parts.engine, parts.genesis)
    watch = Watch(trades, parts.node, parts.node, parts.prices, parts.clock, HighestPrices(parts.prices))
    planning = Planning(
        trades=trades,
        follows=follows,
        portfolios=PostgresPortfolios(parts.engine),
        standings=PostgresLiveCopies(parts.engine, parts.genesis),
        decisions=PostgresDecisions(parts.engine, parts.genesis),
        chain=parts.node,
        feed=parts.prices,
        switch=PostgresKillSwitch(parts.engine),
        clock=parts.clock,
        bot=bot,
        base_mint=USDC,
        bounds=exposure.Bounds(
            share_bps=parts.settings.leader_exposure_bps,
            floor_raw=parts.settings.leader_exposure_floor_usd * 10**BASE_DECIMALS,
            ramp_days=parts.settings.leader_ramp_days,
        ),
    )
    vault_watch = VaultWatch(vaults, parts.node, parts.node, parts.clock, bot)
    holder = f"{socket.gethostname()}:{os.getpid()}"
    listening = postgres.conninfo(
        parts.settings.require_database_url(), application="trade-bot wakes", tls_required=parts.settings.database_tls_required
    )
    return [
        lambda: execute_under_lease(_desk(parts), PostgresLeases(parts.engine), holder, lambda: audit(books), parts.gate, parts.wakes),
        lambda: plan_under_gate(planning, lambda: _may_plan(parts), parts.bells.trades, parts.wakes.intents),
        lambda: follow_leaders(watch, follows, parts.mentions, parts.bells, parts.watched),
        lambda: follow_vaults_live(vault_watch, parts.mentions, parts.bells.follows),
        lambda: _follow_ranking(parts),
        lambda: _get_out(parts, planning),
        lambda: _watch_copies(parts),
        lambda: _beat(parts),
        # Whoever has the lease relays: one process of many, without a lease of its own.
        lambda: relay_messages(PostgresOutbox(parts.engine), parts.delivery, lambda: parts.gate.lease is not None),
        lambda: wake_on(listening, NEW_INTENTS, parts.wakes.intents),
    ]


def _desk(parts: Parts) -> Desk:
    return Desk(
        bot=parts.bot,
        genesis=parts.genesis,
        bounds=Bounds(),
        providers=parts.providers,
        blockhashes=parts.node,
        simulator=parts.node,
        clock=parts.clock,
        router=JupiterRouter(parts.jupiter),
        prices=parts.prices,
        signer=parts.signer,
        kill_switch=PostgresKillSwitch(parts.engine),
        stop_switch=PostgresKillSwitch(parts.engine),
        stores=Stores(
            PostgresIntents(parts.engine),
            PostgresAttempts(parts.engine, parts.genesis),
            PostgresSettlements(parts.engine, parts.genesis),
            PostgresSweeps(parts.engine, parts.genesis),
            PostgresBrakes(parts.engine, parts.genesis),
            PostgresBrakes(parts.engine, parts.genesis),
        ),
        checkpoint=_checkpoint(parts.settings),
    )


def _checkpoint(settings: TradeBotSettings) -> Checkpoint:
    if settings.trade_bot_hold is None:
        return pass_by
    return hold_at(Moment(settings.trade_bot_hold), settings.run_dir / MARKER, settings.genesis)


async def _may_plan(parts: Parts) -> bool:
    """Only the holder of the lease plans, after everything old is settled, and not while draining."""
    return parts.gate.is_open and not (await parts.controls.read()).draining


async def _follow_ranking(parts: Parts) -> None:
    model = Model(parts.settings.trust_model)
    # the classic score never gates anything
    score_min = parts.settings.copy_score_min if model is Model.TRUST else 0.0
    subscriptions = PostgresSubscriptions(parts.engine, parts.genesis, model=model, score_min=score_min)
    while True:
        try:
            for subscription, change in await follow_ranking(subscriptions, parts.clock) if parts.gate.is_open else ():
                log.info("follows_changed", vault=subscription.vault, opened=change.opened, ended=change.ended, exit_only=change.exit_only)
                parts.bells.follows.set()
        except Unavailable as error:
            log.warning("ranking_not_followed", error=str(error))
        await asyncio.sleep(RANKING_LOOK_S)


async def _get_out(parts: Parts, planning: Planning) -> None:
    exits = PostgresMissedExits(parts.engine, parts.genesis)
    while True:
        await asyncio.sleep(MISSED_EXITS_LOOK_S)
        try:
            for copy in await plan_missed_exits(planning, exits) if await _may_plan(parts) else ():
                log.info("missed_exit_planned", vault=copy.follow.vault, leader=copy.follow.leader, rule=copy.decision.rule)
                parts.wakes.intents.set()
        except Unavailable as error:
            log.warning("missed_exits_not_planned", error=str(error))


async def _watch_copies(parts: Parts) -> None:
    store, feed, unpriced = PostgresLiveCopies(parts.engine, parts.genesis), parts.prices, Unpriced()
    while True:
        await asyncio.sleep(LIVE_COPIES_LOOK_S)
        if not parts.gate.is_open:
            continue
        try:
            looked = await follow_live_copies(store, store, feed, parts.clock, USDC, parts.settings.copy_score_min, unpriced)
        except Unavailable as error:
            log.warning("live_copies_not_followed", error=str(error))
            continue
        metrics.LEADERS_PAUSED.set(looked.paused)
        for what, count in (("paused", len(looked.begun)), ("resumed", len(looked.ended)), ("sold into copies", looked.told)):
            metrics.LEADER_ALERTS.labels(what).inc(count)
        for pause in looked.begun:
            log.warning("leader_paused", leader=pause.leader, reason=pause.reason, **pause.numbers)
        for leader in looked.ended:
            log.info("leader_resumed", leader=leader)


async def _beat(parts: Parts) -> None:
    while True:
        try:
            await parts.controls.beat(await parts.node.slot(), gate_open=parts.gate.is_open)
        except Unavailable as error:
            log.warning("heartbeat_missed", error=str(error))
        await asyncio.sleep(HEARTBEAT_S)


def _checks(parts: Parts) -> list[health.Check]:
    async def signer() -> health.Health:
        await parts.signer.address()
        return health.OK

    async def gate() -> health.Health:
        return health.OK if parts.gate.is_open else health.degraded("settling what is open before anything new")

    return [database_check(parts.engine), chain_check(parts.node), health.Check("signer", signer), health.Check("gate", gate)]


async def _status(parts: Parts) -> BotStatus:
    controls, switch = await parts.controls.read(), await PostgresKillSwitch(parts.engine).state()
    stopped = switch.reason if isinstance(switch, Stopped) else None
    return BotStatus(
        state="stopped" if stopped else "draining" if controls.draining else "trading" if parts.gate.is_open else "starting",
        stopped_reason=stopped,
        gate_open=parts.gate.is_open,
        draining=controls.draining,
        lease_epoch=parts.gate.lease.epoch if parts.gate.lease else None,
        heartbeat_slot=controls.heartbeat_slot,
        open_intents=await parts.controls.intents_by_state(),
        open_attempts=parts.gate.open_attempts,
        in_doubt=parts.gate.in_doubt,
        halted={str(vault): difference for vault, difference in parts.gate.halted.items()},
        watched_leaders=len(parts.watched),
    )
