"""Vaults as the chain shows them and the end of copying into them. Implements VaultStore of portfolio; the rest of the rows is others'."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from xorj.adapters.postgres.projections import job_of_intent
from xorj.adapters.postgres.tables import bot_subscriptions, follows, intents, outbox, users, vaults
from xorj.adapters.postgres.transactions import transaction
from xorj.portfolio.observed_vault import ObservedVault
from xorj.portfolio.ports import Copying
from xorj.primitives.ids import Address, Mint, Slot, Wallet

COPYING_ENDED = "copying_ended"
WALLETS_PER_READ_MAX = 1_000


class PostgresVaults:
    """Implements VaultStore."""

    def __init__(self, engine: AsyncEngine, genesis: str) -> None:
        self._engine, self._genesis = engine, genesis

    async def known(self) -> list[ObservedVault]:
        async with transaction(self._engine) as connection:
            rows = await connection.execute(select(vaults).where(~vaults.c.is_closed).order_by(vaults.c.address))
            return [_observed(row) for row in rows]

    async def wallets_without_vault(self) -> list[Wallet]:
        """The newest users first, so that whoever has just come is seen even where many never make a vault."""
        has_one = exists().where(vaults.c.owner == users.c.wallet_address, ~vaults.c.is_closed)
        query = select(users.c.wallet_address).where(users.c.closed_at.is_(None), ~has_one).order_by(users.c.created_at.desc())
        async with transaction(self._engine) as connection:
            return [Wallet(wallet) for wallet in (await connection.execute(query.limit(WALLETS_PER_READ_MAX))).scalars()]

    async def copying(self) -> dict[Address, Copying]:
        async with transaction(self._engine) as connection:
            ordered = await _ids_by_vault(connection, bot_subscriptions, bot_subscriptions.c.state == "active")
            followed = await _ids_by_vault(connection, follows, follows.c.valid_to_slot.is_(None))
        return {vault: Copying(ordered.get(vault, ()), followed.get(vault, ())) for vault in ordered | followed}

    async def observe(self, vault: ObservedVault) -> None:
        owner = select(users.c.id).where(users.c.wallet_address == vault.owner).scalar_subquery()
        values = {"genesis_hash": self._genesis, "user_id": owner, **_row(vault)}
        statement = insert(vaults).values(values)
        changes = {name: statement.excluded[name] for name in values if name not in ("address", "genesis_hash")}
        statement = statement.on_conflict_do_update(
            index_elements=["address"],
            set_={**changes, "updated_at": func.now()},
            where=vaults.c.as_of_slot <= statement.excluded.as_of_slot,
        )
        async with transaction(self._engine) as connection:
            await connection.execute(statement)

    async def end_copying(self, vault: Address, copying: Copying, reason: str, slot: Slot) -> None:
        async with transaction(self._engine) as connection:
            await end_subscriptions(connection, copying.subscriptions, reason)
            await end_follows(connection, copying.follows, reason, slot)
            await cancel_new_intents(connection, vault, reason)
            payload = {"vault": vault, "reason": reason, "slot": slot}
            await connection.execute(insert(outbox).values(topic=COPYING_ENDED, key=vault, payload=payload))


async def end_subscriptions(connection: AsyncConnection, ids: Sequence[str], reason: str) -> None:
    """Those of `ids` that are active."""
    ending = update(bot_subscriptions).where(bot_subscriptions.c.id.in_(ids), bot_subscriptions.c.state == "active")
    await connection.execute(ending.values(state="ended", reason=reason, ended_at=func.now(), updated_at=func.now()))


async def end_follows(connection: AsyncConnection, ids: Sequence[str], reason: str, slot: Slot) -> None:
    """Those of `ids` that are open, as of `slot` or of their beginning where that is later."""
    ending = update(follows).where(follows.c.id.in_(ids), follows.c.valid_to_slot.is_(None))
    until = func.greatest(follows.c.valid_from_slot, slot)
    await connection.execute(ending.values(valid_to_slot=until, end_reason=reason, updated_at=func.now()))


async def cancel_new_intents(connection: AsyncConnection, vault: Address, reason: str) -> None:
    """Only those that nobody has begun: from reserved on an intent is execution's, which asks the chain before it goes on."""
    ending = update(intents).where(intents.c.vault == vault, intents.c.state == "new")
    ended = ending.values(state="cancelled", reason=reason, version=intents.c.version + 1, updated_at=func.now()).returning(intents.c.id)
    for intent_id in (await connection.execute(ended)).scalars().all():
        await job_of_intent(connection, intent_id)


async def _ids_by_vault(connection: AsyncConnection, table: Any, condition: Any) -> dict[Address, tuple[str, ...]]:
    rows = await connection.execute(select(table.c.vault, func.array_agg(table.c.id)).where(condition).group_by(table.c.vault))
    return {Address(vault): tuple(ids) for vault, ids in rows}


def _row(vault: ObservedVault) -> dict[str, Any]:
    return {
        "address": vault.address,
        "owner": vault.owner,
        "base_mint": vault.base_mint,
        "total_deposited_raw": vault.total_deposited_raw,
        "bot_authority": vault.bot_authority,
        "bot_epoch": vault.bot_epoch,
        "bot_expires_at": vault.bot_expires_at,
        "is_active": vault.is_active,
        "is_paused": vault.is_paused,
        "is_closed": vault.is_closed,
        "as_of_slot": vault.slot,
    }


def _observed(row: Row[Any]) -> ObservedVault:
    return ObservedVault(
        address=Address(row.address),
        owner=Wallet(row.owner),
        base_mint=Mint(row.base_mint),
        total_deposited_raw=int(row.total_deposited_raw),
        bot_authority=None if row.bot_authority is None else Wallet(row.bot_authority),
        bot_epoch=row.bot_epoch,
        bot_expires_at=row.bot_expires_at or 0,
        is_active=row.is_active,
        is_paused=row.is_paused,
        is_closed=row.is_closed,
        slot=Slot(row.as_of_slot),
    )
