"""The overview and the ranking, each of one moment. Implements reporting's OverviewReader and RankingReader."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, ColumnElement, Integer, Select, Text, bindparam, cast, func, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncEngine

from xorj.adapters.postgres.reads import Read, one, reader
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
    trust_reports,
    vaults,
)
from xorj.adapters.postgres.together import Together
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
    TrustEvidence,
    Vault,
)
from xorj.reporting.ports import Audience, Everyone, Nobody, Ranking
from xorj.trust.live_windows import BandRate
from xorj.trust.reasons import Reason
from xorj.trust.words import past_in_words, reason_in_words

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


def _select_run() -> Select[Any]:
    run = _newest_run().subquery("run")
    return select(*[column.label(f"run_{column.name}") for column in run.c])


def _newest_run() -> Select[Any]:
    """The run whose ranking counts: the completed one of the highest slot."""
    newest = scoring_runs.c.as_of_slot.desc(), scoring_runs.c.created_at.desc()
    return select(scoring_runs).where(scoring_runs.c.status == RUN_COMPLETED).order_by(*newest).limit(1)


# What is shown and no more: the receipts are many times as large as all the rest.
_OF_SCORE = [
    trader_scores.c[name]
    for name in [
        "rank",
        "wallet_address",
        "xorj_trust_score",
        "score",
        "model",
        "is_eligible",
        "win_rate",
        "total_return",
        "max_drawdown",
        "trade_count",
        "classic_score",
        "copy_score",
        "edge",
        "band_low",
        "band_high",
        "evidence_days",
        "capacity_usd",
        "copy_cost_fraction",
        "expected_drawdown_fraction",
        "calibration",
        "reasons",
    ]
]


def _select_ranked() -> Select[Any]:
    """The newest run with each of its ranked wallets, best first; the run alone where it ranked nobody."""
    run = _newest_run().subquery("run")
    of_run = (trader_scores.c.run_id == run.c.id) & (trader_scores.c.model == run.c.model) & trader_scores.c.rank.is_not(None)
    columns = [column.label(f"run_{column.name}") for column in run.c]
    joined = select(*columns, *_OF_SCORE).select_from(run.outerjoin(trader_scores, of_run))
    return joined.order_by(trader_scores.c.rank).limit(bindparam("limit", type_=Integer))


def _select_bands() -> Select[Any]:
    """What the newest weekly report saw of each band of scores."""
    newest = select(trust_reports.c.report["measures"]["bands"].label("bands"))
    return newest.order_by(trust_reports.c.week.desc()).limit(1)


_BOT = Read(_select_bot())
_RUN = Read(_select_run())
_RANKED = Read(_select_ranked())
_BANDS = Read(_select_bands())


@dataclass(frozen=True, slots=True)
class General:
    """What everybody sees."""

    bot: Bot
    run: ScoringRun | None
    leaders: list[Leader]


class PostgresOverview:
    """Implements OverviewReader."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._reading, self._names = reading(engine), TokenNames()
        self._general = Together(self._read_general)
        # A run is written with all its scores and never changed, so its leaders are read once.
        self._ranked: tuple[ScoringRun | None, list[BandRate], list[Leader]] = (None, [], [])

    async def overview(self, audience: Audience, mode: Mode) -> Overview:
        """Somebody's own rows are of one snapshot, what everybody sees of another."""
        general = await self._general.answer(None)
        if isinstance(audience, Nobody):
            return Overview(mode, general.bot, general.run, general.leaders, [], [], [], Totals())
        asked, values = (_OF_ALL, {}) if isinstance(audience, Everyone) else (_OF_ONE, {"user": audience})
        async with reader(self._reading) as connection:
            sums, owned, trades, decided = await connection.at_one_moment(*(read.of(**values) for read in asked))
            mints = [*vault_mints(owned), *trade_mints(trades), *decision_mints(decided)]
            tokens = await self._names.read(connection, mints)
        numbers = one(sums)
        copied = set(numbers.followed)
        return Overview(
            mode=mode,
            bot=general.bot,
            scoring=general.run,
            leaders=[replace(leader, followed=True) if leader.wallet in copied else leader for leader in general.leaders],
            vaults=vaults_of(owned, tokens),
            trades=[trade_of(row, tokens) for row in trades],
            decisions=[decision_of(row, tokens) for row in decided],
            totals=_totals(numbers.counts or {}),
        )

    async def bot(self) -> Bot:
        async with reader(self._reading) as connection:
            return bot_of(await connection.rows(_BOT.of()))

    async def _read_general(self, askers: Sequence[None]) -> list[General]:
        """Read once for all who ask at the same time."""
        async with reader(self._reading) as connection:
            bot, runs, told = await connection.all(_BOT.of(), _RUN.of(), _BANDS.of())
            bands = _bands(told)
            if self._ranked[:2] != (_scoring_run(runs), bands):
                rows = await connection.rows(_RANKED.of(limit=LEADERS_MAX))
                self._ranked = _scoring_run(rows), bands, [_leader(row, bands) for row in _ranked(rows)]
        run, _, leaders = self._ranked
        return [General(bot_of(bot), run, leaders)] * len(askers)


class PostgresRankings:
    """Implements RankingReader."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._reading = reading(engine)

    async def ranking(self, *, limit: int) -> Ranking:
        async with reader(self._reading) as connection:
            rows, told = await connection.all(_RANKED.of(limit=limit), _BANDS.of())
        bands = _bands(told)
        return Ranking(_scoring_run(rows), [_ranked_trader(row, bands) for row in _ranked(rows)])


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


def _ranked(rows: Sequence[Any]) -> list[Any]:
    return [row for row in rows if row.rank is not None]


def _scoring_run(rows: Sequence[Any]) -> ScoringRun | None:
    if not rows:
        return None
    row = rows[0]
    return ScoringRun(
        run_id=row.run_id,
        model=row.run_model,
        as_of_slot=Slot(row.run_as_of_slot),
        status=row.run_status,
        traders_analyzed=row.run_traders_analyzed or 0,
        traders_ranked=row.run_traders_ranked or 0,
        completed_at=row.run_completed_at,
    )


class Held(NamedTuple):
    """The ledger's sum for one mint of a vault: what it holds, and what its owner put in less what he took."""

    mint: str
    amount_raw: int
    net_deposited_raw: int


def select_vaults(seen: ColumnElement[bool]) -> Select[Any]:
    """Vaults that are not closed, largest deposits first, each with its sums as `held`."""
    shown = select(vaults).where(seen, ~vaults.c.is_closed).order_by(vaults.c.total_deposited_raw.desc(), vaults.c.address)
    shown_ones = shown.limit(VAULTS_MAX).cte("shown")
    amount = func.sum(ledger.c.delta_raw).label("amount_raw")
    put_in = func.sum(ledger.c.delta_raw).filter(ledger.c.cause.in_(("deposit", "withdrawal"))).label("net_deposited_raw")
    of_shown = select(ledger.c.vault, ledger.c.mint, amount, put_in).where(ledger.c.vault.in_(select(shown_ones.c.address)))
    sums = of_shown.group_by(ledger.c.vault, ledger.c.mint).cte("sums")
    # As texts: a JSON number may come out as a float.
    each = func.jsonb_build_array(sums.c.mint, cast(sums.c.amount_raw, Text), cast(sums.c.net_deposited_raw, Text))
    held = select(sums.c.vault, func.jsonb_agg(each).label("held")).group_by(sums.c.vault).cte("held")
    joined = select(shown_ones, held.c.held).select_from(shown_ones.outerjoin(held, held.c.vault == shown_ones.c.address))
    return joined.order_by(shown_ones.c.total_deposited_raw.desc(), shown_ones.c.address)


def vault_mints(rows: Sequence[Any]) -> list[str]:
    return [mint for row in rows for mint, _, _ in row.held or ()]


def vaults_of(rows: Sequence[Any], tokens: Tokens) -> list[Vault]:
    return [_vault(row, [Held(mint, int(amount), int(put_in or 0)) for mint, amount, put_in in row.held or ()], tokens) for row in rows]


def _vault(row: Any, sums: Sequence[Held], tokens: Tokens) -> Vault:
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
        net_deposited_raw=sum(one.net_deposited_raw for one in sums if one.mint == row.base_mint),
        value_usd=None,
        pnl_usd=None,
        as_of_slot=Slot(row.as_of_slot),
        balances=[_balance(one, tokens) for one in ordered],
    )


def _balance(one: Held, tokens: Tokens) -> Balance:
    return Balance(Mint(one.mint), tokens.symbol(one.mint), tokens.decimals(one.mint), one.amount_raw, None)


OF_USER = bindparam("user", type_=Text)


def _own(
    *, follows_of: ColumnElement[bool], vaults_seen: ColumnElement[bool], intents_of: ColumnElement[bool], decisions_of: ColumnElement[bool]
) -> tuple[Read, ...]:
    """What is shown of somebody: whom he follows, his vaults, trades, decisions, and how many of each there are."""
    followed = select(follows.c.leader).where(follows.c.valid_to_slot.is_(None), follows_of).distinct()
    states = select(intents.c.state.label("what"), func.count().label("number")).where(intents_of)
    outcomes = select(decisions.c.outcome, func.count()).where(decisions_of)
    # No outcome of a decision is also a state of an intent.
    counts = union_all(states.group_by(intents.c.state), outcomes.group_by(decisions.c.outcome)).subquery()
    counted = select(func.jsonb_object_agg(counts.c.what, counts.c.number)).scalar_subquery()
    sums = select(func.array(followed.scalar_subquery(), type_=ARRAY(Text)).label("followed"), counted.label("counts"))
    newest = select_trades(intents_of, limit=TRADES_MAX), select_decisions(decisions_of, limit=DECISIONS_MAX)
    return tuple(Read(statement) for statement in (sums, select_vaults(vaults_seen), *newest))


_OF_ALL = _own(follows_of=SEES_ALL, vaults_seen=SEES_ALL, intents_of=SEES_ALL, decisions_of=SEES_ALL)
_OF_ONE = _own(
    follows_of=follows.c.user_id == OF_USER,
    vaults_seen=vaults.c.user_id == OF_USER,
    intents_of=intents.c.user_id == OF_USER,
    decisions_of=decisions.c.user_id == OF_USER,
)


def _bands(rows: Sequence[Any]) -> list[BandRate]:
    return [] if not rows else [BandRate(**band) for band in one(rows).bands]


def _evidence(row: Any, bands: Sequence[BandRate]) -> TrustEvidence:
    return TrustEvidence(
        classic_score=row.classic_score,
        trust_score=row.copy_score,
        edge_percent=_percent(row.edge),
        band_low=row.band_low,
        band_high=row.band_high,
        evidence_days=row.evidence_days,
        capacity_usd=row.capacity_usd,
        copy_cost_percent=_percent(row.copy_cost_fraction),
        expected_drawdown_percent=_percent(row.expected_drawdown_fraction),
        calibration=row.calibration,
        reasons=[reason_in_words(Reason(one["text"], one["points"])) for one in row.reasons or ()],
        past=None if row.copy_score is None else past_in_words(row.copy_score, bands),
    )


def _percent(fraction: float | None) -> float | None:
    return None if fraction is None else 100 * fraction


def _leader(row: Any, bands: Sequence[BandRate]) -> Leader:
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
        followed=False,
        evidence=_evidence(row, bands),
    )


def _ranked_trader(row: Any, bands: Sequence[BandRate]) -> RankedTrader:
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
        evidence=_evidence(row, bands),
    )


def _totals(counts: Mapping[str, int]) -> Totals:
    return Totals(
        settled=counts.get("settled", 0),
        reverted=counts.get("reverted", 0),
        dead=sum(counts.get(state, 0) for state in DEAD_STATES),
        unsettled=sum(counts.get(state, 0) for state in OPEN_STATES),
        **{outcome: counts.get(outcome, 0) for outcome in ("copied", "resized", "skipped", "refused")},
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
