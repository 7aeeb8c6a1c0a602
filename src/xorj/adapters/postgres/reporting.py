"""The overview and the ranking, each of one moment. Implements reporting's OverviewReader and RankingReader."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, Text, bindparam, func, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncEngine

from xorj.adapters.postgres.reads import Asked, Read, one, reader
from xorj.adapters.postgres.shown import (
    SEES_ALL,
    TokenNames,
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
from xorj.adapters.postgres.transactions import reading
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


def _newest_run() -> Select[Any]:
    """The run whose ranking counts: the completed one of the highest slot."""
    newest = scoring_runs.c.as_of_slot.desc(), scoring_runs.c.created_at.desc()
    return select(scoring_runs).where(scoring_runs.c.status == RUN_COMPLETED).order_by(*newest).limit(1)


def _select_ranked() -> Select[Any]:
    run = _newest_run().subquery("run")
    of_run = trader_scores.c.run_id == run.c.id, trader_scores.c.model == run.c.model, trader_scores.c.rank.is_not(None)
    # Without the receipts, which are many times as large as all the rest.
    shown = [column for column in trader_scores.c if column is not trader_scores.c.receipt]
    joined = select(*shown).select_from(trader_scores.join(run, trader_scores.c.run_id == run.c.id))
    return joined.where(*of_run).order_by(trader_scores.c.rank).limit(bindparam("limit", type_=Integer))


BOT = Read(_select_bot())
_RUN = Read(_newest_run())
_RANKED = Read(_select_ranked())


class PostgresOverview:
    """Implements OverviewReader."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._reading, self._names = reading(engine), TokenNames()

    async def overview(self, audience: Audience, mode: Mode) -> Overview:
        """All rows of one snapshot, then the names of the tokens in them."""
        general = (BOT.of(), _RUN.of(), _RANKED.of(limit=LEADERS_MAX))
        own, values = (_OF_ALL, {}) if isinstance(audience, Everyone) else (_OF_ONE, {"user": audience})
        of_somebody = () if isinstance(audience, Nobody) else tuple(read.of(**values) for read in own)
        async with reader(self._reading) as connection:
            bot, run, ranked, *rest = await connection.at_one_moment(*general, *of_somebody)
            followed, owned, sums, trades, decided, counts = rest or [[], [], [], [], [], []]
            mints = [*(row.mint for row in sums), *trade_mints(trades), *decision_mints(decided)]
            tokens = await self._names.read(connection, mints)
        copied = {row.leader for row in followed}
        return Overview(
            mode=mode,
            bot=bot_of(bot),
            scoring=_scoring_run(run),
            leaders=[_leader(row, followed=row.wallet_address in copied) for row in ranked],
            vaults=vaults_of(owned, sums, tokens),
            trades=[trade_of(row, tokens) for row in trades],
            decisions=[decision_of(row, tokens) for row in decided],
            totals=_totals(counts),
        )

    async def bot(self) -> Bot:
        async with reader(self._reading) as connection:
            return bot_of(await connection.rows(BOT.of()))


class PostgresRankings:
    """Implements RankingReader."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._reading = reading(engine)

    async def ranking(self, *, limit: int) -> Ranking:
        async with reader(self._reading) as connection:
            run, ranked = await connection.at_one_moment(_RUN.of(), _RANKED.of(limit=limit))
        return Ranking(_scoring_run(run), [_ranked_trader(row) for row in ranked])


def bot_of(rows: Sequence[Any]) -> Bot:
    """Whether anybody's trades are copied now. No row of the kill switch is a switch that nobody has moved."""
    row = one(rows)
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


def _scoring_run(rows: Sequence[Any]) -> ScoringRun | None:
    if not rows:
        return None
    row = one(rows)
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
class VaultReads:
    """Vaults that are not closed, largest deposits first; and the sums of the ledger for each of them and each mint: what it holds, and
    what its owner put in less what he took."""

    vaults: Read
    sums: Read

    @classmethod
    def where(cls, seen: ColumnElement[bool]) -> "VaultReads":
        shown = select(vaults).where(seen, ~vaults.c.is_closed).order_by(vaults.c.total_deposited_raw.desc(), vaults.c.address)
        shown = shown.limit(VAULTS_MAX)
        by_owner = ledger.c.cause.in_(("deposit", "withdrawal"))
        held = func.sum(ledger.c.delta_raw).label("amount_raw")
        put_in = func.sum(ledger.c.delta_raw).filter(by_owner).label("net_deposited_raw")
        sums = select(ledger.c.vault, ledger.c.mint, held, put_in).where(ledger.c.vault.in_(shown.with_only_columns(vaults.c.address)))
        return cls(Read(shown), Read(sums.group_by(ledger.c.vault, ledger.c.mint)))

    def of(self, **values: Any) -> tuple[Asked, Asked]:
        return self.vaults.of(**values), self.sums.of(**values)


def vaults_of(rows: Sequence[Any], sums: Sequence[Any], tokens: Tokens) -> list[Vault]:
    return [_vault(row, [one for one in sums if one.vault == row.address], tokens) for row in rows]


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


OF_USER = bindparam("user", type_=Text)


def _own(
    *, follows_of: ColumnElement[bool], vaults_seen: ColumnElement[bool], intents_of: ColumnElement[bool], decisions_of: ColumnElement[bool]
) -> tuple[Read, ...]:
    """What is shown of somebody: whom he follows, his vaults and their sums, trades, decisions, and how many of each there are."""
    followed = select(follows.c.leader).where(follows.c.valid_to_slot.is_(None), follows_of)
    states = select(intents.c.state.label("what"), func.count().label("number")).where(intents_of)
    outcomes = select(decisions.c.outcome, func.count()).where(decisions_of)
    # No outcome of a decision is also a state of an intent.
    counts = union_all(states.group_by(intents.c.state), outcomes.group_by(decisions.c.outcome))
    held = VaultReads.where(vaults_seen)
    newest = Read(select_trades(intents_of, limit=TRADES_MAX)), Read(select_decisions(decisions_of, limit=DECISIONS_MAX))
    return Read(followed), held.vaults, held.sums, *newest, Read(counts)


_OF_ALL = _own(follows_of=SEES_ALL, vaults_seen=SEES_ALL, intents_of=SEES_ALL, decisions_of=SEES_ALL)
_OF_ONE = _own(
    follows_of=follows.c.user_id == OF_USER,
    vaults_seen=vaults.c.user_id == OF_USER,
    intents_of=intents.c.user_id == OF_USER,
    decisions_of=decisions.c.user_id == OF_USER,
)


def _leader(row: Any, *, followed: bool) -> Leader:
    return Leader(
        rank=row.rank,
        wallet=Wallet(row.wallet_address),
        score=row.score,
        model=row.model,
        eligible=row.is_eligible,
        trade_count=row.trade_count,
        win_rate_percent=_number(row.win_rate),
        total_return_percent=_number(row.total_return),
        max_drawdown_percent=_number(row.max_drawdown),
        followed=followed,
    )


def _ranked_trader(row: Any) -> RankedTrader:
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


def _totals(rows: Sequence[Any]) -> Totals:
    counts = {row.what: row.number for row in rows}
    return Totals(
        settled=counts.get("settled", 0),
        reverted=counts.get("reverted", 0),
        dead=sum(counts.get(state, 0) for state in DEAD_STATES),
        unsettled=sum(counts.get(state, 0) for state in OPEN_STATES),
        **{outcome: counts.get(outcome, 0) for outcome in ("copied", "resized", "skipped", "refused")},
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
