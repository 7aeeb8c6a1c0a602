"""The overview and the ranking, read in one transaction each. Implements reporting's OverviewReader and RankingReader."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, bindparam, func, select, true, union_all
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
from xorj.adapters.postgres.transactions import reading, transaction
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
    Leader,
    Mode,
    Overview,
    ScoringRun,
    Totals,
    Vault,
)
from xorj.reporting.ports import Audience, Everyone, Nobody, Ranking

OPEN_STATES = ("new", "reserved", "in_flight", "quarantined")
DEAD_STATES = ("abandoned", "cancelled")


def _select_bot() -> Select[Any]:
    # Written out, because the index of open intents is used for the very condition that it was made with and for no parameter.
    is_open = intents.c.state.in_(bindparam("open_states", OPEN_STATES, expanding=True, literal_execute=True))
    count = select(func.count()).select_from(intents).where(is_open).scalar_subquery()
    one = select(func.now().label("now"), count.label("open_intents")).subquery("one")
    joined = one.outerjoin(kill_switch, true()).outerjoin(bot_controls, true())
    controls = bot_controls.c.heartbeat_at, bot_controls.c.gate_open, bot_controls.c.draining
    return select(one, *kill_switch.c, *controls).select_from(joined)


_BOT = _select_bot()


class PostgresOverview:
    """Implements OverviewReader."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._reading = reading(engine)

    async def overview(self, audience: Audience, mode: Mode) -> Overview:
        async with transaction(self._engine) as connection:
            return await _overview(connection, audience, mode)

    async def bot(self) -> Bot:
        async with transaction(self._reading) as connection:
            return await bot_of(connection)


class PostgresRankings:
    """Implements RankingReader."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = reading(engine)

    async def ranking(self, *, limit: int) -> Ranking:
        async with transaction(self._engine) as connection:
            run = await newest_run(connection)
            rows = await _ranked(connection, run, limit) if run else []
        return Ranking(run, [_ranked_trader(row) for row in rows])


async def bot_of(connection: AsyncConnection) -> Bot:
    """Whether anybody's trades are copied now. No row of the kill switch is a switch that nobody has moved."""
    row: Any = (await connection.execute(_BOT)).one()
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


@dataclass(frozen=True, slots=True)
class VaultRows:
    """Vaults as stored, and the sums of the ledger for each vault and mint: what it holds, and what its owner put in less what he took."""

    rows: Sequence[Any]
    sums: Sequence[Any]

    @property
    def mints(self) -> list[str]:
        return [row.mint for row in self.sums]

    def shown(self, tokens: Tokens) -> list[Vault]:
        return [_vault(row, [one for one in self.sums if one.vault == row.address], tokens) for row in self.rows]


async def read_vaults(connection: AsyncConnection, where: ColumnElement[bool]) -> VaultRows:
    """Vaults that are not closed, largest deposits first."""
    query = select(vaults).where(where, ~vaults.c.is_closed).order_by(vaults.c.total_deposited_raw.desc(), vaults.c.address)
    rows = (await connection.execute(query.limit(VAULTS_MAX))).all()
    by_owner = ledger.c.cause.in_(("deposit", "withdrawal"))
    held = func.sum(ledger.c.delta_raw).label("amount_raw")
    put_in = func.sum(ledger.c.delta_raw).filter(by_owner).label("net_deposited_raw")
    sums = select(ledger.c.vault, ledger.c.mint, held, put_in).where(ledger.c.vault.in_([row.address for row in rows]))
    found: Sequence[Any] = (await connection.execute(sums.group_by(ledger.c.vault, ledger.c.mint))).all() if rows else []
    return VaultRows(rows, found)


async def vaults_of(connection: AsyncConnection, where: ColumnElement[bool]) -> list[Vault]:
    """As read_vaults, with the names of what they hold."""
    found = await read_vaults(connection, where)
    return found.shown(await Tokens.read(connection, found.mints))


def _vault(row: Any, sums: Sequence[Any], tokens: Tokens) -> Vault:
    # The base mint leads, the others follow by name, so that rows do not jump when prices move.
    held = [one for one in sums if one.amount_raw]
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
        net_deposited_raw=sum(int(one.net_deposited_raw or 0) for one in sums if one.mint == row.base_mint),
        value_usd=None,
        pnl_usd=None,
        as_of_slot=Slot(row.as_of_slot),
        balances=[_balance(one, tokens) for one in ordered],
    )


def _balance(one: Any, tokens: Tokens) -> Balance:
    return Balance(Mint(one.mint), tokens.symbol(one.mint), tokens.decimals(one.mint), int(one.amount_raw), None)


async def _overview(connection: AsyncConnection, audience: Audience, mode: Mode) -> Overview:
    """Rows first, then the names of every token in them at once."""
    run = await newest_run(connection)
    owned = VaultRows([], [])
    trades: Sequence[Row[Any]] = []
    decided: Sequence[Row[Any]] = []
    if not isinstance(audience, Nobody):
        owned = await read_vaults(connection, _seen(audience, vaults.c.user_id))
        asked, given = (_ASKED_OF_ALL, {}) if isinstance(audience, Everyone) else (_ASKED_OF_ONE, {"user": audience})
        trades, decided = [(await connection.execute(query, given)).all() for query in asked]
    tokens = await Tokens.read(connection, [*owned.mints, *trade_mints(trades), *decision_mints(decided)])
    return Overview(
        mode=mode,
        bot=await bot_of(connection),
        scoring=run,
        leaders=await _leaders(connection, run, audience),
        vaults=owned.shown(tokens),
        trades=[trade_of(row, tokens) for row in trades],
        decisions=[decision_of(row, tokens) for row in decided],
        totals=await _totals(connection, audience),
    )


def _seen(audience: Audience, owner: ColumnElement[Any]) -> ColumnElement[bool]:
    """The rows that this audience may see, by the column that says whose they are."""
    if isinstance(audience, Everyone):
        return SEES_ALL
    return ~true() if isinstance(audience, Nobody) else owner == audience


def _newest(trades_of: ColumnElement[bool], decisions_of: ColumnElement[bool]) -> tuple[Select[Any], Select[Any]]:
    return select_trades(trades_of, limit=TRADES_MAX), select_decisions(decisions_of, limit=DECISIONS_MAX)


# Made once: putting a statement of this many columns together costs more than running it.
_ASKED_OF_ALL = _newest(SEES_ALL, SEES_ALL)
_ASKED_OF_ONE = _newest(intents.c.user_id == bindparam("user"), decisions.c.user_id == bindparam("user"))


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


async def _totals(connection: AsyncConnection, audience: Audience) -> Totals:
    if isinstance(audience, Nobody):
        return Totals()
    states = select(intents.c.state.label("what"), func.count().label("number")).where(_seen(audience, intents.c.user_id))
    outcomes = select(decisions.c.outcome, func.count()).where(_seen(audience, decisions.c.user_id))
    # No outcome of a decision is also a state of an intent.
    both = union_all(states.group_by(intents.c.state), outcomes.group_by(decisions.c.outcome))
    counts = {row.what: row.number for row in await connection.execute(both)}
    return Totals(
        settled=counts.get("settled", 0),
        reverted=counts.get("reverted", 0),
        dead=sum(counts.get(state, 0) for state in DEAD_STATES),
        unsettled=sum(counts.get(state, 0) for state in OPEN_STATES),
        **{outcome: counts.get(outcome, 0) for outcome in ("copied", "resized", "skipped", "refused")},
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
