"""Standing orders to follow the ranking and the follows made from them. Implements SubscriptionStore of copying; built by the trade-bot."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from xorj.adapters.postgres.copying import caps_of, follow_of, move_cursor, select_follows
from xorj.adapters.postgres.ledger import UNENDED, holdings_of
from xorj.adapters.postgres.tables import bot_subscriptions, follows, intents, scoring_runs, trader_scores, vaults
from xorj.adapters.postgres.transactions import transaction
from xorj.adapters.postgres.vaults import end_follows
from xorj.copying.cause import derived_id
from xorj.copying.follow import FollowMode
from xorj.copying.subscription import FollowChanges, Ranked, Subscription
from xorj.primitives.ids import Address, Slot, UserId, Wallet

RUN_COMPLETED = "completed"
LEFT_THE_RANKING = "left the ranking"


class PostgresSubscriptions:
    """Implements SubscriptionStore for rankings of `model`; whoever scores less than `score_min` is not followed."""

    def __init__(self, engine: AsyncEngine, genesis: str, *, model: str, score_min: float) -> None:
        self._engine, self._genesis, self._model, self._score_min = engine, genesis, model, score_min

    async def newest_ranking(self) -> Sequence[Ranked] | None:
        newest = (
            select(scoring_runs.c.id)
            .where(scoring_runs.c.status == RUN_COMPLETED, scoring_runs.c.genesis_hash == self._genesis)
            .order_by(scoring_runs.c.as_of_slot.desc(), scoring_runs.c.created_at.desc())
            .limit(1)
        )
        async with transaction(self._engine) as connection:
            run = (await connection.execute(newest)).scalar_one_or_none()
            if run is None:
                return None
            query = select(trader_scores.c.rank, trader_scores.c.wallet_address).where(
                trader_scores.c.run_id == run,
                trader_scores.c.model == self._model,
                trader_scores.c.is_eligible,
                trader_scores.c.rank.is_not(None),
                trader_scores.c.score >= self._score_min,
            )
            return [Ranked(rank, Wallet(wallet)) for rank, wallet in await connection.execute(query.order_by(trader_scores.c.rank))]

    async def active(self) -> list[Subscription]:
        query = select(*bot_subscriptions.c, vaults.c.owner).join(vaults, vaults.c.address == bot_subscriptions.c.vault)
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(query.where(bot_subscriptions.c.state == "active"))).all()
            wanted = [Address(row.vault) for row in rows]
            opened = (
                await connection.execute(select_follows().where(follows.c.vault.in_(wanted), follows.c.valid_to_slot.is_(None)))
            ).all()
            held = await _held_leaders(connection, wanted)
        return [_subscription(row, [each for each in opened if each.vault == row.vault], held[Address(row.vault)]) for row in rows]

    async def apply(self, subscription: Subscription, changes: FollowChanges, *, slot: Slot) -> None:
        followed = {follow.leader: follow.id for follow in subscription.follows}
        async with transaction(self._engine) as connection:
            state = select(bot_subscriptions.c.state).where(bot_subscriptions.c.id == subscription.id).with_for_update()
            if (await connection.execute(state)).scalar_one() != "active":
                return
            await end_follows(connection, [followed[leader] for leader in changes.ended], LEFT_THE_RANKING, slot)
            await _set_mode(connection, [followed[leader] for leader in changes.restored], FollowMode.COPY)
            await _set_mode(connection, [followed[leader] for leader in changes.exit_only if leader in followed], FollowMode.EXIT_ONLY)
            new = {leader: FollowMode.EXIT_ONLY for leader in changes.exit_only if leader not in followed}
            for leader, mode in (dict.fromkeys(changes.opened, FollowMode.COPY) | new).items():
                await self._open(connection, subscription, leader, mode, slot)

    async def _open(self, connection: AsyncConnection, subscription: Subscription, leader: Wallet, mode: FollowMode, slot: Slot) -> None:
        # A leader whom nobody follows at present is read from now on; what he did while nobody looked concerns no one.
        watched = await connection.execute(
            select(follows.c.id).where(follows.c.leader == leader, follows.c.valid_to_slot.is_(None)).limit(1)
        )
        if watched.first() is None:
            await move_cursor(connection, leader, slot, self._genesis)
        row = {
            "id": derived_id("follow", subscription.id, leader, str(slot)),
            "genesis_hash": self._genesis,
            "user_id": subscription.user_id,
            "vault": subscription.vault,
            "subscription_id": subscription.id,
            "leader": leader,
            "allocation_bps": subscription.allocation_bps,
            "mode": mode,
            "caps": select(bot_subscriptions.c.caps).where(bot_subscriptions.c.id == subscription.id).scalar_subquery(),
            "valid_from_slot": slot,
        }
        await connection.execute(insert(follows).values(row).on_conflict_do_nothing())


async def _set_mode(connection: AsyncConnection, ids: Sequence[str], mode: FollowMode) -> None:
    await connection.execute(update(follows).where(follows.c.id.in_(ids)).values(mode=mode, updated_at=func.now()))


async def _held_leaders(connection: AsyncConnection, wanted: Sequence[Address]) -> dict[Address, frozenset[Wallet]]:
    """By vault: leaders for whom it holds a position or has an open intent."""
    holdings = await holdings_of(connection, wanted)
    held = {vault: {each.leader for each in holdings[vault].open_positions() if each.leader} for vault in wanted}
    query = select(intents.c.vault, intents.c.leader).where(
        intents.c.vault.in_(wanted), intents.c.state.in_(UNENDED), intents.c.leader.is_not(None)
    )
    for vault, leader in await connection.execute(query):
        held[Address(vault)].add(Wallet(leader))
    return {vault: frozenset(leaders) for vault, leaders in held.items()}


def _subscription(row: Any, opened: Sequence[Row[Any]], held: frozenset[Wallet]) -> Subscription:
    return Subscription(
        id=row.id,
        user_id=UserId(row.user_id),
        owner=Wallet(row.owner),
        vault=Address(row.vault),
        leaders_max=row.leaders_max,
        allocation_bps=row.allocation_bps,
        caps=caps_of(row.caps),
        follows=tuple(follow_of(each) for each in opened),
        held=held,
    )
