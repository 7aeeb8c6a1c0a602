"""What one user sees and sets of himself. Implements reporting's AccountReader, Settings and CopyOrders; built by gateway and web."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    ScalarSelect,
    Select,
    Table,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from xorj.adapters.postgres.reads import Asked, Read, one, reader
from xorj.adapters.postgres.reporting import DEAD_STATES, OF_USER, OPEN_STATES, select_vaults, vault_mints, vaults_of
from xorj.adapters.postgres.shown import (
    TokenNames,
    Tokens,
    before,
    cursor_after,
    decision_mints,
    decision_of,
    row_of,
    select_decisions,
    select_trades,
    trade_mints,
    trade_of,
)
from xorj.adapters.postgres.tables import (
    bot_subscriptions,
    decisions,
    fills,
    follows,
    intents,
    leader_trades,
    ledger,
    user_settings,
    users,
    vaults,
)
from xorj.adapters.postgres.transactions import reading, transaction
from xorj.adapters.postgres.vaults import cancel_new_intents, end_follows, end_subscriptions
from xorj.primitives.amounts import Usd
from xorj.primitives.errors import InvalidInput
from xorj.primitives.ids import Address, Mint, Signature, Slot, UserId, Wallet
from xorj.reporting.account import (
    ALLOCATION_BPS_DEFAULT,
    LEADERS_MAX_DEFAULT,
    BotConfiguration,
    CopyOrder,
    Movement,
    PerformanceMetrics,
    UserSettings,
    UserStatus,
)
from xorj.reporting.overview import BASE_DECIMALS, Vault
from xorj.reporting.ports import DecisionPage, MovementPage, TradePage

COPIED = ("copied", "resized")
SETTINGS_DEFAULT = UserSettings("BALANCED", None, 1.0)


LIMIT = bindparam("limit", type_=Integer)
LEDGER_ID_MAX = 2**63 - 1


class PostgresAccounts:
    """Implements AccountReader."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._reading, self._names = reading(engine), TokenNames()

    async def trades(self, user: UserId, *, limit: int, cursor: str | None) -> TradePage:
        async with reader(self._reading) as connection:
            rows = await connection.rows(_TRADES.of(user, limit, cursor))
            tokens = await self._names.read(connection, trade_mints(rows))
        shown = [trade_of(row, tokens) for row in rows[:limit]]
        return TradePage(shown, cursor_after(shown[-1].created_at, shown[-1].id) if len(rows) > limit else None)

    async def decisions(self, user: UserId, *, limit: int, cursor: str | None) -> DecisionPage:
        async with reader(self._reading) as connection:
            rows = await connection.rows(_DECISIONS.of(user, limit, cursor))
            tokens = await self._names.read(connection, decision_mints(rows))
        shown = [decision_of(row, tokens) for row in rows[:limit]]
        return DecisionPage(shown, cursor_after(shown[-1].created_at, shown[-1].id) if len(rows) > limit else None)

    async def movements(self, user: UserId, *, limit: int, cursor: str | None) -> MovementPage:
        async with reader(self._reading) as connection:
            rows = await connection.rows(_MOVEMENTS.of(user=user, limit=limit + 1, below=_id_of(cursor)))
            tokens = await self._names.read(connection, [row.mint for row in rows])
        shown = [_movement(row, tokens) for row in rows[:limit]]
        return MovementPage(shown, str(shown[-1].id) if len(rows) > limit else None)

    async def performance(self, user: UserId) -> PerformanceMetrics:
        async with reader(self._reading) as connection:
            return _performance(one(await connection.rows(_PERFORMANCE.of(user=user))))

    async def vaults(self, user: UserId) -> list[Vault]:
        async with reader(self._reading) as connection:
            owned = await connection.rows(_VAULTS.of(user=user))
            tokens = await self._names.read(connection, vault_mints(owned))
        return vaults_of(owned, tokens)

    async def status(self, user: UserId) -> UserStatus:
        async with reader(self._reading) as connection:
            row = one(await connection.rows(_STATUS.of(user=user)))
        return UserStatus(
            user_id=UserId(row.id),
            wallet_address=Wallet(row.wallet_address),
            created_at=row.created_at,
            vault=row.address,
            vault_is_active=bool(row.is_active),
            bot_granted=row.bot_authority is not None,
            bot_enabled=row.enabled,
        )


class PostgresSettings:
    """Implements Settings: rows of user_settings; whoever has none has the defaults."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine, self._reading = engine, reading(engine)

    async def read(self, user: UserId) -> UserSettings:
        async with reader(self._reading) as connection:
            return _settings(await connection.rows(_SETTINGS.of(user=user)))

    async def save(self, user: UserId, settings: UserSettings) -> None:
        values = {
            "risk_profile": settings.risk_profile,
            "max_trade_amount": settings.max_trade_amount_usd,
            "slippage_tolerance": settings.slippage_tolerance_percent,
        }
        statement = insert(user_settings).values(user_id=user, **values)
        changed = statement.on_conflict_do_update(index_elements=["user_id"], set_={**values, "updated_at": func.now()})
        async with transaction(self._engine) as connection:
            await connection.execute(changed)


class PostgresCopyOrders:
    """Implements CopyOrders."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine, self._reading = engine, reading(engine)

    async def configuration(self, user: UserId) -> BotConfiguration:
        async with reader(self._reading) as connection:
            subscriptions, set_by_user = await connection.all(_LAST_SUBSCRIPTION.of(user=user), _SETTINGS.of(user=user))
        settings = _settings(set_by_user)
        last: Any = subscriptions[0] if subscriptions else None
        enabled = last is not None and last.state == "active"
        return BotConfiguration(
            enabled=enabled,
            vault=Address(last.vault) if enabled else None,
            leaders_max=last.leaders_max if last else LEADERS_MAX_DEFAULT,
            allocation_bps=last.allocation_bps if last else ALLOCATION_BPS_DEFAULT,
            risk_profile=settings.risk_profile,
            max_trade_amount_usd=settings.max_trade_amount_usd,
            slippage_tolerance_percent=settings.slippage_tolerance_percent,
        )

    async def enable(self, user: UserId, vault: Address, order: CopyOrder) -> None:
        values = {"leaders_max": order.leaders_max, "allocation_bps": order.allocation_bps}
        opened = insert(bot_subscriptions).values(id=uuid4().hex, user_id=user, vault=vault, state="active", **values)
        active = bot_subscriptions.c.state == "active"
        async with transaction(self._engine) as connection:
            new = opened.on_conflict_do_nothing(index_elements=["vault"], index_where=active).returning(bot_subscriptions.c.id)
            if (await connection.execute(new)).first() is None:
                await _change(connection, user, order)

    async def change(self, user: UserId, order: CopyOrder) -> bool:
        async with transaction(self._engine) as connection:
            return await _change(connection, user, order)

    async def disable(self, user: UserId, reason: str, slot: Slot) -> bool:
        own = bot_subscriptions.c.user_id == user
        query = select(bot_subscriptions.c.id, bot_subscriptions.c.vault).where(own, bot_subscriptions.c.state == "active")
        async with transaction(self._engine) as connection:
            ending = (await connection.execute(query.with_for_update())).all()
            await end_subscriptions(connection, [row.id for row in ending], reason)
            following = select(follows.c.id).where(follows.c.user_id == user, follows.c.valid_to_slot.is_(None))
            await end_follows(connection, (await connection.execute(following)).scalars().all(), reason, slot)
            for row in ending:
                await cancel_new_intents(connection, Address(row.vault), reason)
        return bool(ending)


async def _change(connection: AsyncConnection, user: UserId, order: CopyOrder) -> bool:
    mine = update(bot_subscriptions).where(bot_subscriptions.c.user_id == user, bot_subscriptions.c.state == "active")
    values = {"leaders_max": order.leaders_max, "allocation_bps": order.allocation_bps, "updated_at": func.now()}
    changed = (await connection.execute(mine.values(values).returning(bot_subscriptions.c.id))).scalars().all()
    following = update(follows).where(follows.c.subscription_id.in_(changed), follows.c.valid_to_slot.is_(None))
    await connection.execute(following.values(allocation_bps=order.allocation_bps, updated_at=func.now()))
    return bool(changed)


def _settings(rows: Sequence[Any]) -> UserSettings:
    if not rows:
        return SETTINGS_DEFAULT
    row = one(rows)
    return UserSettings(row.risk_profile, row.max_trade_amount, float(row.slippage_tolerance))


def _performance(row: Any) -> PerformanceMetrics:
    counts, decided = row.states or {}, row.outcomes or {}
    return PerformanceMetrics(
        deposited_usd=Usd((row.deposited or 0) / 10**BASE_DECIMALS),
        withdrawn_usd=Usd((row.withdrawn or 0) / 10**BASE_DECIMALS),
        value_usd=None,
        pnl_usd=None,
        return_percent=None,
        trades_settled=counts.get("settled", 0),
        trades_reverted=counts.get("reverted", 0),
        trades_dead=sum(counts.get(state, 0) for state in DEAD_STATES),
        trades_open=sum(counts.get(state, 0) for state in OPEN_STATES),
        decisions_copied=decided.get("copied", 0),
        decisions_not_copied=decided.get("not copied", 0),
        delay_slots_median=row.delay,
        last_trade_at=row.last,
    )


def _id_of(cursor: str | None) -> int:
    """The ledger row that the cursor names, above all others where there is none: their ids only grow. Raises InvalidInput."""
    if cursor is None:
        return LEDGER_ID_MAX
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:
        raise InvalidInput("cursor", given=cursor, rule="the next_cursor of an earlier answer")
    return int(cursor)


def _movement(row: Any, tokens: Tokens) -> Movement:
    return Movement(
        id=row.id,
        vault=Address(row.vault),
        cause=row.cause,
        mint=Mint(row.mint),
        symbol=tokens.symbol(row.mint),
        decimals=tokens.decimals(row.mint),
        delta_raw=int(row.delta_raw),
        signature=Signature(row.signature),
        slot=Slot(row.slot),
        block_time=row.block_time,
        intent_id=row.intent_id,
    )


class _Pages:
    """Pages of one user's rows, the first and those after a cursor."""

    def __init__(self, select_page: Callable[..., Select[Any]], table: Table) -> None:
        own = table.c.user_id == OF_USER
        self._first = Read(select_page(own, limit=LIMIT))
        self._later = Read(select_page(own & before(table), limit=LIMIT))

    def of(self, user: UserId, limit: int, cursor: str | None) -> Asked:
        """One row more than `limit`, which says whether there is another page. Raises InvalidInput."""
        if cursor is None:
            return self._first.of(user=user, limit=limit + 1)
        return self._later.of(user=user, limit=limit + 1, **row_of(cursor))


def _select_movements() -> Select[Any]:
    own = select(ledger).join(vaults, vaults.c.address == ledger.c.vault).where(vaults.c.user_id == OF_USER)
    return own.where(ledger.c.id < bindparam("below", type_=BigInteger)).order_by(ledger.c.id.desc()).limit(LIMIT)


def _select_status() -> Select[Any]:
    joined = users.outerjoin(vaults, (vaults.c.user_id == users.c.id) & ~vaults.c.is_closed)
    enabled = select(bot_subscriptions.c.id).where(bot_subscriptions.c.user_id == OF_USER, bot_subscriptions.c.state == "active").exists()
    of_vault = vaults.c.address, vaults.c.is_active, vaults.c.bot_authority
    query = select(users.c.id, users.c.wallet_address, users.c.created_at, *of_vault, enabled.label("enabled"))
    return query.select_from(joined).where(users.c.id == OF_USER)


def _select_moved() -> Select[Any]:
    """What the owner put in and took out of the base mint, in its raw units."""
    own = ledger.join(vaults, vaults.c.address == ledger.c.vault)
    deposited = func.sum(ledger.c.delta_raw).filter(ledger.c.cause == "deposit").label("deposited")
    withdrawn = func.sum(-ledger.c.delta_raw).filter(ledger.c.cause == "withdrawal").label("withdrawn")
    return select(deposited, withdrawn).select_from(own).where(vaults.c.user_id == OF_USER, ledger.c.mint == vaults.c.base_mint)


def _counted(what: ColumnElement[Any], where: ColumnElement[bool]) -> ScalarSelect[Any]:
    """How many rows there are of each, as one JSON object."""
    counts = select(what.label("what"), func.count().label("number")).where(where).group_by(literal_column("1")).subquery()
    return select(func.jsonb_object_agg(counts.c.what, counts.c.number)).scalar_subquery()


def _select_timing() -> Select[Any]:
    """Slots from the leader's trade to ours, and when the last of ours was written down."""
    joined = fills.join(intents, intents.c.id == fills.c.intent_id).outerjoin(decisions, decisions.c.id == intents.c.decision_id)
    joined = joined.outerjoin(leader_trades, leader_trades.c.id == decisions.c.leader_trade_id)
    delay = func.percentile_cont(0.5).within_group(fills.c.slot - leader_trades.c.slot).label("delay")
    return select(delay, func.max(fills.c.created_at).label("last")).select_from(joined).where(intents.c.user_id == OF_USER)


def _select_performance() -> Select[Any]:
    moved, timing = _select_moved().subquery("moved"), _select_timing().subquery("timing")
    outcome = case((decisions.c.outcome.in_(COPIED), literal("copied")), else_=literal("not copied"))
    states, outcomes = _counted(intents.c.state, intents.c.user_id == OF_USER), _counted(outcome, decisions.c.user_id == OF_USER)
    return select(*moved.c, *timing.c, states.label("states"), outcomes.label("outcomes")).select_from(moved.join(timing, true()))


_TRADES = _Pages(select_trades, intents)
_DECISIONS = _Pages(select_decisions, decisions)
_MOVEMENTS = Read(_select_movements())
_VAULTS = Read(select_vaults(vaults.c.user_id == OF_USER))
_STATUS = Read(_select_status())
_SETTINGS = Read(select(user_settings).where(user_settings.c.user_id == OF_USER))
_LAST_SUBSCRIPTION = Read(
    select(bot_subscriptions).where(bot_subscriptions.c.user_id == OF_USER).order_by(bot_subscriptions.c.created_at.desc()).limit(1)
)
_PERFORMANCE = Read(_select_performance())
