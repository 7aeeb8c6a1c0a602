"""The overview and the ranking, read in one transaction each. Implements reporting's OverviewReader and RankingReader."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select, text, true
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from xorj.adapters.postgres.shown import (
    SEES_ALL,
    Tokens,
    decision_mints,
    decision_of,
    select_decisions,
    select_trades,
    trade_mints,
    trade_of,
)
from xorj.adapters.postgres.subscriptions import RUN_COMPLETED
from xorj.adapters.postgres.tables import (
    bot_controls,
    decisions,
    follows,
    intents,
    kill_switch,
    ledger,
    scoring_runs,
    trader_scores,
    vaults,
)
from xorj.adapters.postgres.transactions import transaction
from xorj.primitives.ids import Address, Mint, Slot, Wallet
from xorj.reporting.account import RankedTrader
from xorj.reporting.overview import (
    DECISIONS_MAX,
    HEARTBEAT_AGE_SECONDS_MAX,
    LEADERS_MAX,
    TRADES_MAX,
    VAULTS_MAX,
    Balance,
    Bot,
    BotState,
    Decision,
    Leader,
    Mode,
    Overview,
    ScoringRun,
    Totals,
    Trade,
    Vault,
)
from xorj.reporting.ports import Audience, Everyone, Nobody, Ranking

OPEN_STATES = ("new", "reserved", "in_flight", "quarantined")
DEAD_STATES = ("abandoned", "cancelled")


class PostgresOverview:
    """Implements OverviewReader."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # One statement, asked by every page every two seconds: three round trips become one.
        self._reading = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def overview(self, audience: Audience, mode: Mode) -> Overview:
        async with transaction(self._engine) as connection:
            await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
            return await _overview(connection, audience, mode)

    async def bot(self) -> Bot:
        async with transaction(self._reading) as connection:
            return await bot_of(connection)


class PostgresRankings:
    """Implements RankingReader."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def ranking(self, *, limit: int) -> Ranking:
        async with transaction(self._engine) as connection:
            run = await newest_run(connection)
            rows = await _ranked(connection, run, limit) if run else []
        return Ranking(run, [_ranked_trader(row) for row in rows])


async def bot_of(connection: AsyncConnection) -> Bot:
    """Whether anybody's trades are copied now. No row of the kill switch is a switch that nobody has moved."""
    count = select(func.count()).select_from(intents).where(intents.c.state.in_(OPEN_STATES)).scalar_subquery()
    one = select(func.now().label("now"), count.label("open_intents")).subquery("one")
    joined = one.outerjoin(kill_switch, true()).outerjoin(bot_controls, true())
    row: Any = (await connection.execute(select(one, *kill_switch.c, *_controls()).select_from(joined))).one()
    state, reason = _state(row)
    return Bot(
        state=state,
        reason=reason,
        since=row.changed_at,
        kill_switch_stopped=bool(row.stopped),
        open_intents=row.open_intents,
        heartbeat_at=row.heartbeat_at,
        gate_open=bool(row.gate_open),
        draining=bool(row.draining),
    )


def _controls() -> tuple[Any, ...]:
    return bot_controls.c.heartbeat_at, bot_controls.c.gate_open, bot_controls.c.draining


def _state(row: Any) -> tuple[BotState, str | None]:
    if row.stopped:
        return "stopped", row.reason
    if row.heartbeat_at is None or row.now - row.heartbeat_at > timedelta(seconds=HEARTBEAT_AGE_SECONDS_MAX):
        return "paused", "the trade-bot does not answer"
    if row.draining:
        return "paused", "settling what is open, planning nothing new"
    if not row.gate_open:
        return "paused", "comparing chain and ledger"
    return "active", None


async def newest_run(connection: AsyncConnection) -> ScoringRun | None:
    """The run whose ranking counts: the completed one of the highest slot."""
    newest = scoring_runs.c.as_of_slot.desc(), scoring_runs.c.created_at.desc()
    query = select(scoring_runs).where(scoring_runs.c.status == RUN_COMPLETED).order_by(*newest).limit(1)
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    return ScoringRun(
        run_id=row.id,
        model=row.model,
        as_of_slot=Slot(row.as_of_slot),
        status=row.status,
        traders_analyzed=row.traders_analyzed or 0,
        traders_ranked=row.traders_ranked or 0,
        completed_at=row.completed_at,
    )


async def vaults_of(connection: AsyncConnection, where: ColumnElement[bool]) -> list[Vault]:
    """Vaults that are not closed, largest deposits first, each with what the ledger says it holds."""
    query = select(vaults).where(where, ~vaults.c.is_closed).order_by(vaults.c.total_deposited_raw.desc(), vaults.c.address)
    rows = (await connection.execute(query.limit(VAULTS_MAX))).all()
    addresses = [row.address for row in rows]
    held = func.sum(ledger.c.delta_raw).label("amount_raw")
    sums = select(ledger.c.vault, ledger.c.mint, held).where(ledger.c.vault.in_(addresses)).group_by(ledger.c.vault, ledger.c.mint)
    balances = (await connection.execute(sums.having(func.sum(ledger.c.delta_raw) != 0))).all()
    put_in = await _net_deposits(connection, addresses)
    tokens = await Tokens.read(connection, [row.mint for row in balances])
    return [_vault(row, [one for one in balances if one.vault == row.address], put_in.get(row.address, 0), tokens) for row in rows]


async def _net_deposits(connection: AsyncConnection, addresses: Sequence[str]) -> dict[str, int]:
    """What owners put into their vaults less what they took out, in the base mint."""
    own = ledger.join(vaults, (vaults.c.address == ledger.c.vault) & (vaults.c.base_mint == ledger.c.mint))
    by_owner = ledger.c.cause.in_(("deposit", "withdrawal"))
    query = select(ledger.c.vault, func.sum(ledger.c.delta_raw)).select_from(own).where(ledger.c.vault.in_(addresses), by_owner)
    return {vault: int(total) for vault, total in await connection.execute(query.group_by(ledger.c.vault))}


def _vault(row: Any, held: Sequence[Any], net_deposited_raw: int, tokens: Tokens) -> Vault:
    # The base mint leads, the others follow by name, so that rows do not jump when prices move.
    ordered = sorted(held, key=lambda one: (one.mint != row.base_mint, tokens.symbol(one.mint).lower(), one.mint))
    return Vault(
        address=Address(row.address),
        owner=Wallet(row.owner),
        is_active=row.is_active,
        paused=row.is_paused,
        bot_authority=row.bot_authority,
        bot_expires_at=row.bot_expires_at,
        base_mint=Mint(row.base_mint),
        total_deposited_raw=int(row.total_deposited_raw),
        net_deposited_raw=net_deposited_raw,
        value_usd=None,
        pnl_usd=None,
        as_of_slot=Slot(row.as_of_slot),
        balances=[
            Balance(Mint(one.mint), tokens.symbol(one.mint), tokens.decimals(one.mint), int(one.amount_raw), None) for one in ordered
        ],
    )


def _balance(one: Any, tokens: Tokens) -> Balance:
    return Balance(Mint(one.mint), tokens.symbol(one.mint), tokens.decimals(one.mint), int(one.amount_raw), None)


async def _overview(connection: AsyncConnection, audience: Audience, mode: Mode) -> Overview:
    run = await newest_run(connection)
    return Overview(
        mode=mode,
        bot=await bot_of(connection),
        scoring=run,
        leaders=await _leaders(connection, run, audience),
        vaults=await vaults_of(connection, _seen(audience, vaults.c.user_id)) if audience != Nobody() else [],
        trades=await _trades(connection, audience),
        decisions=await _decisions(connection, audience),
        totals=await _totals(connection, audience),
    )


def _seen(audience: Audience, owner: ColumnElement[Any]) -> ColumnElement[bool]:
    """The rows that this audience may see, by the column that says whose they are."""
    if isinstance(audience, Everyone):
        return SEES_ALL
    return ~true() if isinstance(audience, Nobody) else owner == audience


async def _leaders(connection: AsyncConnection, run: ScoringRun | None, audience: Audience) -> list[Leader]:
    if run is None:
        return []
    query = select(follows.c.leader).where(follows.c.valid_to_slot.is_(None), _seen(audience, follows.c.user_id))
    followed = set((await connection.execute(query)).scalars())
    rows = await _ranked(connection, run, LEADERS_MAX)
    return [
        Leader(
            rank=row.rank,
            wallet=Wallet(row.wallet_address),
            score=row.score,
            model=row.model,
            eligible=row.is_eligible,
            trade_count=row.trade_count,
            win_rate_percent=_number(row.win_rate),
            total_return_percent=_number(row.total_return),
            max_drawdown_percent=_number(row.max_drawdown),
            followed=row.wallet_address in followed,
        )
        for row in rows
    ]


async def _ranked(connection: AsyncConnection, run: ScoringRun, limit: int) -> Sequence[Row[Any]]:
    of_run = trader_scores.c.run_id == run.run_id, trader_scores.c.model == run.model, trader_scores.c.rank.is_not(None)
    # Without the receipts, which are many times as large as all the rest.
    shown = [column for column in trader_scores.c if column is not trader_scores.c.receipt]
    return (await connection.execute(select(*shown).where(*of_run).order_by(trader_scores.c.rank).limit(limit))).all()


def _ranked_trader(row: Row[Any]) -> RankedTrader:
    return RankedTrader(
        wallet_address=Wallet(row.wallet_address),
        xorj_trust_score=float(row.xorj_trust_score),
        rank=row.rank,
        score=row.score,
        model=row.model,
        is_eligible=row.is_eligible,
        win_rate=_number(row.win_rate),
        total_return=_number(row.total_return),
        max_drawdown=_number(row.max_drawdown),
        trade_count=row.trade_count,
    )


async def _trades(connection: AsyncConnection, audience: Audience) -> list[Trade]:
    if isinstance(audience, Nobody):
        return []
    rows = (await connection.execute(select_trades(_seen(audience, intents.c.user_id), limit=TRADES_MAX))).all()
    tokens = await Tokens.read(connection, trade_mints(rows))
    return [trade_of(row, tokens) for row in rows]


async def _decisions(connection: AsyncConnection, audience: Audience) -> list[Decision]:
    if isinstance(audience, Nobody):
        return []
    rows = (await connection.execute(select_decisions(_seen(audience, decisions.c.user_id), limit=DECISIONS_MAX))).all()
    tokens = await Tokens.read(connection, decision_mints(rows))
    return [decision_of(row, tokens) for row in rows]


async def _totals(connection: AsyncConnection, audience: Audience) -> Totals:
    if isinstance(audience, Nobody):
        return Totals()
    by_state = select(intents.c.state, func.count().label("number")).where(_seen(audience, intents.c.user_id)).group_by(intents.c.state)
    by_outcome = (
        select(decisions.c.outcome, func.count().label("number")).where(_seen(audience, decisions.c.user_id)).group_by(decisions.c.outcome)
    )
    states = {row.state: row.number for row in await connection.execute(by_state)}
    outcomes = {row.outcome: row.number for row in await connection.execute(by_outcome)}
    return Totals(
        settled=states.get("settled", 0),
        reverted=states.get("reverted", 0),
        dead=sum(states.get(state, 0) for state in DEAD_STATES),
        unsettled=sum(states.get(state, 0) for state in OPEN_STATES),
        **{outcome: outcomes.get(outcome, 0) for outcome in ("copied", "resized", "skipped", "refused")},
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
