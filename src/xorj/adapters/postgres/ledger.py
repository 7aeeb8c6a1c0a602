"""The ledger and what follows from it and from fills: holdings and portfolios. Implements LedgerStore and copying's PortfolioReader."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from xorj.adapters.postgres.tables import fills, intents, ledger, vaults
from xorj.adapters.postgres.transactions import reading, transaction
from xorj.copying.cause import CauseKind
from xorj.copying.decision import Side
from xorj.copying.situation import OpenIntent, Portfolio
from xorj.portfolio.attribution import Bought, Change, Holdings, Moved, Sold, attribute
from xorj.portfolio.ledger import LedgerCause, LedgerEntry
from xorj.primitives.ids import Address, Mint, Signature, Slot, Wallet

UNENDED = ("new", "reserved", "in_flight", "quarantined")
MAY_HAVE_LANDED = ("in_flight", "quarantined")


class PostgresLedger:
    """Implements LedgerStore."""

    def __init__(self, engine: AsyncEngine, genesis: str) -> None:
        self._engine, self._reading, self._genesis = engine, reading(engine), genesis

    async def book(self, entries: Sequence[LedgerEntry]) -> int:
        if not entries:
            return 0
        async with transaction(self._engine) as connection:
            rows = [{"genesis_hash": self._genesis, **_entry_row(entry)} for entry in entries]
            statement = insert(ledger).values(rows).on_conflict_do_nothing().returning(ledger.c.id)
            return len((await connection.execute(statement)).all())

    async def balances(self, vault: Address, *, at: Slot) -> dict[Mint, int]:
        query = select(ledger.c.mint, func.sum(ledger.c.delta_raw)).where(ledger.c.vault == vault, ledger.c.slot <= at)
        async with transaction(self._reading) as connection:
            return {Mint(mint): int(total) for mint, total in await connection.execute(query.group_by(ledger.c.mint))}

    async def mints_under_way(self, vault: Address) -> frozenset[Mint]:
        query = select(intents.c.input_mint, intents.c.output_mint).where(intents.c.vault == vault, intents.c.state.in_(MAY_HAVE_LANDED))
        async with transaction(self._reading) as connection:
            return frozenset(Mint(mint) for pair in await connection.execute(query) for mint in pair)

    async def cursor(self, vault: Address) -> Signature | None:
        async with transaction(self._reading) as connection:
            query = select(vaults.c.cursor_signature).where(vaults.c.address == vault)
            signature = (await connection.execute(query)).scalar_one_or_none()
            return None if signature is None else Signature(signature)

    async def move_cursor(self, vault: Address, signature: Signature, slot: Slot) -> None:
        moving = update(vaults).where(vaults.c.address == vault, func.coalesce(vaults.c.cursor_slot, 0) <= slot)
        async with transaction(self._engine) as connection:
            await connection.execute(moving.values(cursor_signature=signature, cursor_slot=slot))


class PostgresPortfolios:
    """Implements PortfolioReader."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._reading = reading(engine)

    async def portfolios(self, vaults: Sequence[Address], *, since_unix_seconds: int) -> dict[Address, Portfolio]:
        async with transaction(self._reading) as connection:
            held = await holdings_of(connection, vaults)
            opened = await _open_intents(connection, vaults)
            bought = await _bought(connection, vaults, since_unix_seconds)
        return {vault: Portfolio(held[vault], tuple(opened[vault]), dict(bought[vault])) for vault in vaults}


async def holdings_of(connection: AsyncConnection, wanted: Sequence[Address]) -> dict[Address, Holdings]:
    """One for each vault asked, folded from its fills and from what moved without a trade."""
    changes: defaultdict[Address, list[Change]] = defaultdict(list)
    for row in await connection.execute(select(fills).where(fills.c.vault.in_(wanted))):
        changes[Address(row.vault)].append(_trade(row))
    moved = select(ledger.c.vault, ledger.c.slot, ledger.c.mint, ledger.c.delta_raw).join(vaults, vaults.c.address == ledger.c.vault)
    moved = moved.where(ledger.c.vault.in_(wanted), ledger.c.cause != LedgerCause.TRADE, ledger.c.mint != vaults.c.base_mint)
    for row in await connection.execute(moved):
        changes[Address(row.vault)].append(Moved(Slot(row.slot), Mint(row.mint), int(row.delta_raw)))
    return {vault: attribute(vault, sorted(changes[vault], key=lambda change: change.slot)) for vault in wanted}


async def _open_intents(connection: AsyncConnection, wanted: Sequence[Address]) -> dict[Address, list[OpenIntent]]:
    found: defaultdict[Address, list[OpenIntent]] = defaultdict(list)
    for row in await connection.execute(select(intents).where(intents.c.vault.in_(wanted), intents.c.state.in_(UNENDED))):
        found[Address(row.vault)].append(
            OpenIntent(
                side=Side(row.side),
                leader=None if row.leader is None else Wallet(row.leader),
                input_mint=Mint(row.input_mint),
                output_mint=Mint(row.output_mint),
                amount_in_raw=int(row.amount_in_raw),
                cause_kind=CauseKind(row.cause_kind),
                is_in_doubt=row.state == "quarantined",
            )
        )
    return found


async def _bought(connection: AsyncConnection, wanted: Sequence[Address], since: int) -> dict[Address, dict[Wallet, int]]:
    query = select(fills.c.vault, fills.c.leader, func.sum(fills.c.input_raw)).where(
        fills.c.vault.in_(wanted), fills.c.side == Side.BUY, fills.c.block_time >= since, fills.c.leader.is_not(None)
    )
    found: defaultdict[Address, dict[Wallet, int]] = defaultdict(dict)
    for vault, leader, total in await connection.execute(query.group_by(fills.c.vault, fills.c.leader)):
        found[Address(vault)][Wallet(leader)] = int(total)
    return found


def _trade(row: Row[Any]) -> Bought | Sold:
    leader = None if row.leader is None else Wallet(row.leader)
    if row.side == Side.BUY:
        return Bought(Slot(row.slot), leader, Mint(row.output_mint), int(row.output_raw), int(row.input_raw))
    return Sold(Slot(row.slot), leader, Mint(row.input_mint), int(row.input_raw), int(row.output_raw))


def _entry_row(entry: LedgerEntry) -> dict[str, Any]:
    return {
        "vault": entry.vault,
        "mint": entry.mint,
        "delta_raw": entry.delta_raw,
        "cause": entry.cause,
        "signature": entry.signature,
        "slot": entry.slot,
        "block_time": entry.block_time,
    }
