"""A user's bot: how it does, switching it on and off, its settings and trades; and the stop that is everybody's."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from xorj.copying.situation import Stopped
from xorj.gateway.access import AccountReading, BotControlling, Caller, Operating, audience
from xorj.gateway.bodies import CopyOrderBody, DisableBody, EmergencyBody
from xorj.gateway.idempotency import IdempotencyKey, once
from xorj.gateway.limiting import read_limit, write_limit
from xorj.gateway.parts import Parts, PartsOf
from xorj.gateway.refusals import conflict
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Slot, UserId
from xorj.reporting.account import (
    PAGE_ITEMS_DEFAULT,
    PAGE_ITEMS_MAX,
    BotConfiguration,
    BotStatus,
    CircuitBreakerStatus,
    CopyOrder,
    PerformanceMetrics,
)
from xorj.reporting.overview import HEARTBEAT_AGE_SECONDS_MAX, Bot, Vault, worth
from xorj.reporting.ports import Audience, DecisionPage, Everyone, TradePage
from xorj.reporting.stops import StopReport, VaultStop

router = APIRouter(prefix="/bot", tags=["bot"])

# How long a stop's answer waits for what the bot does, and how often it looks.
BRAKES_AWAITED_S = 5.0
BRAKES_LOOK_S = 0.1

PageLimit = Annotated[int, Query(ge=1, le=PAGE_ITEMS_MAX)]
Cursor = Annotated[str | None, Query(max_length=200, description="The next_cursor of an earlier answer.")]


class BotControlResponse(BaseModel):
    success: bool
    message: str
    enabled: bool


class EmergencyResponse(BaseModel):
    """`stopped` is what the switch says now, for everybody; `vaults` is what the bot has done in each so far. Until `complete` more is to
    come: GET /api/bot/emergency tells it."""

    success: bool
    message: str
    stopped: bool
    complete: bool
    vaults: list[VaultStop]
    vaults_count: int


@router.get("/status", dependencies=[read_limit])
async def status(session: AccountReading, parts: PartsOf) -> BotStatus:
    """State, configuration, performance and breakers of this user's bot."""
    configuration = await parts.orders.configuration(session.user_id)
    vaults = await parts.accounts.vaults(session.user_id)
    bot = await parts.overviews.bot()
    performance = await measured(parts, session.user_id, vaults)
    breakers = _breakers(bot, vaults)
    closed = [getattr(breakers, name) == "closed" for name in ("kill_switch", "reconciliation_gate", "heartbeat", "vault")]
    held_back = configuration.enabled and not all(closed)
    return BotStatus(
        user_id=session.user_id,
        status="stopped" if not configuration.enabled or bot.kill_switch_stopped else "paused" if held_back else "active",
        health_score=100.0 * sum(closed) / len(closed),
        configuration=configuration,
        performance=performance,
        circuit_breakers=breakers,
        last_execution=performance.last_trade_at,
        reason=bot.reason if configuration.enabled else "the bot is not enabled",
    )


@router.post("/enable", response_model=BotControlResponse, dependencies=[write_limit])
async def enable(
    request: Request,
    session: BotControlling,
    parts: PartsOf,
    body: CopyOrderBody | None = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Begins copying the ranked leaders into this user's vault, which must have granted the bot."""

    async def act() -> BotControlResponse:
        vault = await _vault_for_copying(parts, session.user_id)
        order = _order(await parts.orders.configuration(session.user_id), body or CopyOrderBody())
        await parts.orders.enable(session.user_id, vault.address, order)
        return BotControlResponse(success=True, message=f"copying up to {order.leaders_max} leaders", enabled=True)

    return await once(request, parts, session, idempotency_key, act)


@router.post("/disable", response_model=BotControlResponse, dependencies=[write_limit])
async def disable(
    request: Request,
    session: BotControlling,
    parts: PartsOf,
    body: DisableBody | None = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ends copying. What is in flight is cancelled where it has not landed; what the vault holds stays, its owner alone can take it out."""

    async def act() -> BotControlResponse:
        now = await parts.clock.now()
        ended = await parts.orders.disable(session.user_id, (body or DisableBody()).reason, Slot(now.slot))
        return BotControlResponse(success=True, message="copying has ended" if ended else "copying was not on", enabled=False)

    return await once(request, parts, session, idempotency_key, act)


@router.get("/configuration", dependencies=[read_limit])
async def configuration(session: AccountReading, parts: PartsOf) -> BotConfiguration:
    """How the bot copies for this user, or how it would begin."""
    return await parts.orders.configuration(session.user_id)


@router.put("/configuration", dependencies=[write_limit])
async def configure(session: BotControlling, parts: PartsOf, body: CopyOrderBody) -> BotConfiguration:
    """Changes the running order; it counts from the next leader trade on."""
    current = await parts.orders.configuration(session.user_id)
    if not await parts.orders.change(session.user_id, _order(current, body)):
        raise conflict("not-enabled", "The bot is not enabled; POST /api/bot/enable takes these settings too.")
    return await parts.orders.configuration(session.user_id)


@router.get("/trades", dependencies=[read_limit])
async def trades(session: AccountReading, parts: PartsOf, limit: PageLimit = PAGE_ITEMS_DEFAULT, cursor: Cursor = None) -> TradePage:
    """This user's vault trades, newest first, each beside the leader's trade that it copies."""
    return await parts.accounts.trades(session.user_id, limit=limit, cursor=cursor)


@router.get("/decisions", dependencies=[read_limit])
async def decisions(session: AccountReading, parts: PartsOf, limit: PageLimit = PAGE_ITEMS_DEFAULT, cursor: Cursor = None) -> DecisionPage:
    """What was decided about each leader trade and why, newest first."""
    return await parts.accounts.decisions(session.user_id, limit=limit, cursor=cursor)


@router.post("/emergency", response_model=EmergencyResponse, dependencies=[write_limit])
async def emergency(
    request: Request,
    session: Operating,
    parts: PartsOf,
    body: EmergencyBody,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Stops everybody's trading: no new trade, every vault paused on chain, trades in doubt cancelled. Or lets trades start again; each
    paused vault then waits for its owner to resume it."""

    async def act() -> EmergencyResponse:
        actor = session.wallet or "visitor of the page"
        if body.action == "stop":
            await parts.kill_switch.stop(body.reason, actor=actor)
        else:
            await parts.kill_switch.release(body.reason, actor=actor)
        stopped = isinstance(await parts.kill_switch.state(), Stopped)
        if stopped != (body.action == "stop"):
            raise Unavailable("kill switch", "it does not say what was just written")
        # who stops everybody is told of everybody's vaults
        report = await _braked(parts, Everyone()) if stopped else await parts.stops.report(Everyone())
        message = "no new trade will start" if stopped else "trades may start again, in each vault once its owner resumes it"
        return _emergency(report, message)

    return await once(request, parts, session, idempotency_key, act)


@router.get("/emergency", dependencies=[read_limit])
async def stopping(asking: Caller, parts: PartsOf) -> EmergencyResponse:
    """Whether trading is stopped, and what the bot has done for it in the vaults that the caller may see."""
    report = await parts.stops.report(audience(parts, asking))
    return _emergency(report, report.reason or "nobody has ever stopped it")


async def _braked(parts: Parts, shown: Audience) -> StopReport:
    """Waits a little for a bot that works: it sees the stop within a second and needs finality to be sure."""
    deadline = asyncio.get_running_loop().time() + BRAKES_AWAITED_S
    while True:
        report = await parts.stops.report(shown)
        if report.complete or not _is_beating(await parts.overviews.bot()) or asyncio.get_running_loop().time() > deadline:
            return report
        await asyncio.sleep(BRAKES_LOOK_S)


def _emergency(report: StopReport, message: str) -> EmergencyResponse:
    return EmergencyResponse(
        success=True,
        message=message,
        stopped=report.stopped,
        complete=report.complete,
        vaults=report.vaults,
        vaults_count=report.vaults_count,
    )


async def measured(parts: Parts, user: UserId, vaults: Sequence[Vault]) -> PerformanceMetrics:
    """Performance with what his vaults are worth now, where everything they hold has a price."""
    performance = await parts.accounts.performance(user)
    try:
        prices = await parts.prices.prices(sorted({balance.mint for vault in vaults for balance in vault.balances}))
    except Unavailable:
        return performance
    return performance.valued(worth(vaults, prices))


async def _vault_for_copying(parts: Parts, user: UserId) -> Vault:
    """Raises the 409 that says what is missing."""
    if parts.place.bot is None:
        raise conflict("no-bot", "No bot is configured here, so there is nothing to enable.")
    found = await parts.accounts.vaults(user)
    if not found:
        raise conflict("no-vault", "This wallet has no vault yet: POST /api/vault/deploy, sign and send it.")
    vault = found[0]
    if not vault.is_active or vault.paused:
        raise conflict("vault-not-active", "The vault is deactivated or paused.", vault=vault.address)
    if vault.bot_authority != parts.place.bot:
        raise conflict(
            "bot-not-granted", "The vault has not granted this bot: POST /api/vault/grant, sign and send it.", vault=vault.address
        )
    return vault


def _order(current: BotConfiguration, body: CopyOrderBody) -> CopyOrder:
    return CopyOrder(body.leaders_max or current.leaders_max, body.allocation_bps or current.allocation_bps)


def _breakers(bot: Bot, vaults: Sequence[Vault]) -> CircuitBreakerStatus:
    tradable = any(vault.is_active and not vault.paused and vault.bot_authority is not None for vault in vaults)
    return CircuitBreakerStatus(
        kill_switch="open" if bot.kill_switch_stopped else "closed",
        reconciliation_gate="closed" if bot.gate_open and not bot.draining else "open",
        heartbeat="closed" if _is_beating(bot) else "open",
        vault="closed" if tradable else "open",
    )


def _is_beating(bot: Bot) -> bool:
    age = None if bot.heartbeat_at is None else (datetime.now(UTC) - bot.heartbeat_at).total_seconds()
    return age is not None and age <= HEARTBEAT_AGE_SECONDS_MAX
