"""How leaders stand with their copiers. Implements copying's StandingReader and LiveCopyStore; built by the trade-bot.

Positions are folded from fills and movements as everywhere else. The owner's other wallets and what a score promises are read from the
receipts of the newest finished scoring run.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, Select, and_, case, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from xorj.adapters.postgres.ledger import UNENDED, holdings_of
from xorj.adapters.postgres.tables import (
    fills,
    follows,
    intents,
    leader_days,
    leader_pauses,
    leader_trades,
    outbox,
    scoring_runs,
    trader_scores,
    vaults,
)
from xorj.adapters.postgres.transactions import transaction
from xorj.copying.decision import Side
from xorj.copying.standing import (
    BAND_DEVIATIONS,
    SALE_SLOTS,
    WINDOWS_DAYS,
    Expectation,
    LeaderStanding,
    LiveDay,
    LiveLeader,
    Pause,
    SaleIntoCopies,
)
from xorj.primitives.amounts import BPS_PER_ONE
from xorj.primitives.clock import DAY_S
from xorj.primitives.ids import USDC, Address, Mint, Slot, Wallet

RUN_COMPLETED = "completed"
BASE_DECIMALS = 6
BASE_UNIT = Decimal(1).scaleb(-BASE_DECIMALS)
# the newest of each leader: three in 30 days already pause him
SALES_PER_LEADER_MAX = 100
# where a receipt says it
COPY, OTHERS, AS_OF = ("copy",), ("copy", "links", "others"), ("as_of_block_time",)
LEADER_PAUSED, LEADER_RESUMED, SOLD_INTO_COPIES = "leader_paused", "leader_resumed", "leader_sold_into_copies"


class PostgresLiveCopies:
    def __init__(self, engine: AsyncEngine, genesis: str) -> None:
        self._engine, self._genesis = engine, genesis

    async def standing(self, leader: Wallet, *, now_unix_seconds: int) -> LeaderStanding:
        first = select(func.min(fills.c.block_time)).where(fills.c.leader == leader).scalar_subquery()
        others = self._newest(leader).with_only_columns(trader_scores.c.receipt[OTHERS]).scalar_subquery()
        said = select(_deposits().scalar_subquery().label("deposits"), first.label("first"), others.label("others"))
        async with transaction(self._engine) as connection:
            row = (await connection.execute(said)).one()
            pause = (await connection.execute(_pauses().where(leader_pauses.c.leader == leader))).first()
            known = tuple(Wallet(each) for each in row.others or ())
            stakes = await _at_stake(connection, (leader, *known))
        return LeaderStanding(
            leader=leader,
            leader_raw=stakes.get(leader, 0),
            owner_raw=sum(stakes.values()),
            deposits_raw=int(row.deposits),
            live_days=0 if row.first is None else max(0, now_unix_seconds - row.first) // DAY_S,
            others=known,
            pause=None if pause is None else _pause(pause),
        )

    async def live(self) -> list[LiveLeader]:
        async with transaction(self._engine) as connection:
            pairs = (await connection.execute(select(fills.c.leader, fills.c.vault).where(fills.c.leader.is_not(None)).distinct())).all()
            holdings = await holdings_of(connection, sorted({Address(row.vault) for row in pairs}))
            allotted = await _allotted(connection)
        realised: defaultdict[Wallet, int] = defaultdict(int)
        held: defaultdict[Wallet, dict[Mint, tuple[int, int]]] = defaultdict(dict)
        for each in holdings.values():
            for (leader, mint), position in each.positions.items():
                if leader is not None:
                    realised[leader] += position.realised_raw
                    units, cost = held[leader].get(mint, (0, 0))
                    held[leader][mint] = units + position.units_raw, cost + position.base_cost_raw
        return [
            LiveLeader(leader, realised[leader], {mint: both for mint, both in held[leader].items() if both[0]}, allotted.get(leader, 0))
            for leader in sorted(realised)
        ]

    async def expected(self, leaders: Sequence[Wallet]) -> Mapping[Wallet, Expectation]:
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(self._newest(*leaders))).all()
        return {Wallet(row.wallet_address): expectation for row in rows if (expectation := _expectation(row)) is not None}

    async def looked(self, leader: Wallet, today: LiveDay) -> list[LiveDay]:
        values = {"leader": leader, "day": today.day, "genesis_hash": self._genesis}
        figures = {"result_raw": today.result_raw, "allotted_raw": today.allotted_raw}
        statement = insert(leader_days).values(**values, **figures)
        statement = statement.on_conflict_do_update(index_elements=["leader", "day"], set_={**figures, "updated_at": func.now()})
        since = today.day - max(WINDOWS_DAYS)
        # the newest row before the windows says what had been made when they began
        base = select(func.max(leader_days.c.day)).where(leader_days.c.leader == leader, leader_days.c.day <= since).scalar_subquery()
        kept = select(leader_days).where(leader_days.c.leader == leader, leader_days.c.day >= func.coalesce(base, since))
        async with transaction(self._engine) as connection:
            await connection.execute(statement)
            rows = await connection.execute(kept.where(leader_days.c.day <= today.day).order_by(leader_days.c.day))
            return [LiveDay(row.day, int(row.result_raw), int(row.allotted_raw)) for row in rows]

    async def sales(self, *, since_unix_seconds: int) -> list[SaleIntoCopies]:
        async with transaction(self._engine) as connection:
            return [_sale(row) for row in await connection.execute(_sales(since_unix_seconds))]

    async def change(self, begun: Sequence[Pause], ended: Sequence[Wallet], sales: Sequence[SaleIntoCopies], slot: Slot) -> int:
        async with transaction(self._engine) as connection:
            for pause in begun:
                await self._begin(connection, pause)
            for leader in ended:
                open_one = and_(leader_pauses.c.leader == leader, leader_pauses.c.ended_slot.is_(None))
                made = await connection.execute(update(leader_pauses).where(open_one).values(ended_slot=slot).returning(leader_pauses.c.id))
                if made.first() is not None:
                    await _tell(connection, LEADER_RESUMED, leader, {"leader": leader, "slot": slot})
            return await _tell_of_sales(connection, sales)

    async def paused(self) -> Mapping[Wallet, Pause]:
        async with transaction(self._engine) as connection:
            return {Wallet(row.leader): _pause(row) for row in (await connection.execute(_pauses())).all()}

    async def _begin(self, connection: AsyncConnection, pause: Pause) -> None:
        row = {
            "genesis_hash": self._genesis,
            "leader": pause.leader,
            "reason": pause.reason,
            "numbers": dict(pause.numbers),
            "began_slot": pause.slot,
            "began_day": pause.day,
        }
        made = await connection.execute(insert(leader_pauses).values(row).on_conflict_do_nothing().returning(leader_pauses.c.id))
        if made.first() is not None:
            payload = {"leader": pause.leader, "reason": pause.reason, "slot": pause.slot, **pause.numbers}
            await _tell(connection, LEADER_PAUSED, f"{pause.leader}:{pause.slot}", payload)

    def _newest(self, *leaders: Wallet) -> Select[Any]:
        """What the newest finished run's receipts say of copying them; a receipt of before says nothing of it."""
        newest = (
            select(scoring_runs.c.id)
            .where(scoring_runs.c.status == RUN_COMPLETED, scoring_runs.c.genesis_hash == self._genesis)
            .order_by(scoring_runs.c.as_of_slot.desc(), scoring_runs.c.created_at.desc())
            .limit(1)
            .scalar_subquery()
        )
        receipt = trader_scores.c.receipt
        columns = (trader_scores.c.wallet_address, trader_scores.c.copy_score, receipt[COPY].label("copy"), receipt[AS_OF].label("as_of"))
        return select(*columns).where(trader_scores.c.run_id == newest, trader_scores.c.wallet_address.in_(leaders))


def _expectation(score: Row[Any]) -> Expectation | None:
    said = score.copy or {}
    if score.copy_score is None or "daily_deviation" not in said:
        return None
    spread = (said["band_high"] - said["band_low"]) / BAND_DEVIATIONS
    return Expectation(score.copy_score, said["posterior_mean"], spread, said["daily_deviation"], score.as_of // DAY_S)


def _deposits() -> Select[Any]:
    """Of every vault that follows somebody."""
    following = select(follows.c.vault).where(follows.c.valid_to_slot.is_(None))
    total = func.coalesce(func.sum(vaults.c.total_deposited_raw), 0)
    return select(total).where(vaults.c.address.in_(following), ~vaults.c.is_closed)


async def _at_stake(connection: AsyncConnection, leaders: Sequence[Wallet]) -> dict[Wallet, int]:
    """What open positions for them have cost in all vaults, and what open purchases will."""
    holding = (await connection.execute(select(fills.c.vault).where(fills.c.leader.in_(leaders)).distinct())).scalars()
    holdings = await holdings_of(connection, [Address(vault) for vault in holding])
    found: defaultdict[Wallet, int] = defaultdict(int)
    for each in holdings.values():
        for leader in leaders:
            found[leader] += each.exposure_raw(leader)
    opening = select(intents.c.leader, func.sum(intents.c.amount_in_raw)).where(
        intents.c.leader.in_(leaders), intents.c.state.in_(UNENDED), intents.c.side == Side.BUY
    )
    for leader, total in await connection.execute(opening.group_by(intents.c.leader)):
        found[Wallet(leader)] += int(total)
    return dict(found)


async def _allotted(connection: AsyncConnection) -> dict[Wallet, int]:
    """By leader: the part of his followers' deposits that he may steer."""
    part = func.sum(func.div(vaults.c.total_deposited_raw * follows.c.allocation_bps, BPS_PER_ONE))
    query = select(follows.c.leader, part).join(vaults, vaults.c.address == follows.c.vault)
    rows = await connection.execute(query.where(follows.c.valid_to_slot.is_(None), ~vaults.c.is_closed).group_by(follows.c.leader))
    return {Wallet(leader): int(total) for leader, total in rows}


def _sales(since: int) -> Select[Any]:
    """Oldest first, the newest SALES_PER_LEADER_MAX of each leader: his sales at more than he paid and less than his copiers did, each
    beside his last purchase of the token before the first of the copies that bought it within SALE_SLOTS before the sale."""
    sale = leader_trades.alias("sale")
    bought = and_(
        fills.c.leader == sale.c.leader,
        fills.c.side == Side.BUY,
        fills.c.output_mint == sale.c.input_mint,
        fills.c.slot.between(sale.c.slot - SALE_SLOTS, sale.c.slot),
    )
    copies = (
        select(
            func.sum(fills.c.input_raw).label("base_raw"),
            func.sum(fills.c.output_raw).label("units_raw"),
            func.min(fills.c.slot).label("first"),
        )
        .where(bought)
        .lateral("copies")
    )
    entry = leader_trades.alias("entry")
    entries = (
        select(entry.c.value_usd, entry.c.output_raw)
        .where(
            entry.c.leader == sale.c.leader,
            entry.c.output_mint == sale.c.input_mint,
            entry.c.slot <= copies.c.first,
            entry.c.value_usd.is_not(None),
            entry.c.output_raw > 0,
        )
        .order_by(entry.c.slot.desc(), entry.c.signature.desc(), entry.c.swap_index.desc())
        .limit(1)
        .lateral("entries")
    )
    columns = (sale.c.leader, sale.c.id, sale.c.input_mint, sale.c.input_raw, sale.c.input_decimals, sale.c.slot)
    # what it brought, rather than what it was worth at a price that it moved
    sold_usd = case((sale.c.output_mint == USDC, sale.c.output_raw * BASE_UNIT), else_=sale.c.value_usd)
    beside = (copies.c.base_raw, copies.c.units_raw, entries.c.value_usd.label("entry_usd"), entries.c.output_raw.label("entry_raw"))
    joined = sale.join(copies, literal(True)).join(entries, literal(True))
    wanted = and_(
        or_(sale.c.direction == "close", sale.c.direction == "switch"),
        sale.c.block_time >= since,
        sold_usd.is_not(None),
        sale.c.input_raw > 0,
        copies.c.units_raw > 0,
        # SaleIntoCopies.is_one without a division
        entries.c.value_usd * sale.c.input_raw < sold_usd * entries.c.output_raw,
        sold_usd * copies.c.units_raw < copies.c.base_raw * BASE_UNIT * sale.c.input_raw,
    )
    place = func.row_number().over(partition_by=sale.c.leader, order_by=(sale.c.slot.desc(), sale.c.id.desc())).label("place")
    found = select(*columns, sold_usd.label("sold_usd"), *beside, place).select_from(joined).where(wanted).subquery()
    return select(found).where(found.c.place <= SALES_PER_LEADER_MAX).order_by(found.c.slot, found.c.id)


def _sale(row: Row[Any]) -> SaleIntoCopies:
    decimals = row.input_decimals
    return SaleIntoCopies(
        leader=Wallet(row.leader),
        trade_id=row.id,
        mint=Mint(row.input_mint),
        slot=Slot(row.slot),
        paid_usd=_price(row.entry_usd, row.entry_raw, decimals),
        sold_usd=_price(row.sold_usd, row.input_raw, decimals),
        copies_paid_usd=_price(Decimal(row.base_raw) * BASE_UNIT, row.units_raw, decimals),
    )


def _price(usd: Decimal, raw: Decimal, decimals: int) -> Decimal:
    """Of a whole token."""
    return Decimal(usd) / Decimal(raw).scaleb(-decimals)


def _pauses() -> Select[Any]:
    return select(leader_pauses).where(leader_pauses.c.ended_slot.is_(None)).order_by(leader_pauses.c.leader)


def _pause(row: Row[Any]) -> Pause:
    return Pause(Wallet(row.leader), row.reason, row.numbers, Slot(row.began_slot), row.began_day)


async def _tell_of_sales(connection: AsyncConnection, sales: Sequence[SaleIntoCopies]) -> int:
    """How many were not told before."""
    asked = select(outbox.c.key).where(outbox.c.topic == SOLD_INTO_COPIES, outbox.c.key.in_([sale.trade_id for sale in sales]))
    told = set((await connection.execute(asked)).scalars()) if sales else set()
    new = [sale for sale in sales if sale.trade_id not in told]
    for sale in new:
        prices = {"paid_usd": str(sale.paid_usd), "sold_usd": str(sale.sold_usd), "copies_paid_usd": str(sale.copies_paid_usd)}
        payload = {"leader": sale.leader, "leader_trade_id": sale.trade_id, "mint": sale.mint, "slot": sale.slot, **prices}
        await _tell(connection, SOLD_INTO_COPIES, sale.trade_id, payload)
    return len(new)


async def _tell(connection: AsyncConnection, topic: str, key: str, payload: Mapping[str, object]) -> None:
    await connection.execute(insert(outbox).values(topic=topic, key=key, payload=dict(payload)))
