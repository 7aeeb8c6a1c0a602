"""The watcher's life: a look at each followed leader whenever something names him, and every while. A task of the trade-bot."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass

from xorj.chain.ports import Mentions
from xorj.copying.follow_leaders import Watch, follow_leader
from xorj.copying.ports import FollowStore
from xorj.observability import logging, metrics
from xorj.portfolio.follow_vaults_live import woken
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Address, Wallet

log = logging.get("watcher")

# Without any notification, a leader is looked at and the list of leaders is read this often.
LOOK_S = 1.0
# A node may tell of a transaction before its own history shows it.
LOOK_AGAIN_S = 0.05
LOOKS_AFTER_TOLD = 20


@dataclass(frozen=True, slots=True)
class Bells:
    """`follows` is rung when the followed leaders may have changed; the watcher rings `trades` when it has stored some."""

    follows: asyncio.Event
    trades: asyncio.Event


async def follow_leaders(watch: Watch, follows: FollowStore, mentions: Mentions, bells: Bells, watched: set[Wallet]) -> None:
    """Runs until cancelled; keeps one task for each leader whom anybody follows, named in `watched`."""
    tasks: dict[Wallet, asyncio.Task[None]] = {}
    async with asyncio.TaskGroup() as group:
        while True:
            bells.follows.clear()
            try:
                followed = set(await follows.leaders())
            except Unavailable as error:
                log.warning("leaders_not_read", error=str(error))
                followed = set(tasks)
            for leader in followed - tasks.keys():
                tasks[leader] = group.create_task(_follow_one(leader, watch, mentions, bells), name=f"leader {leader}")
                log.info("leader_watched", leader=leader)
            for leader in tasks.keys() - followed:
                tasks.pop(leader).cancel()
                log.info("leader_left", leader=leader)
            watched.clear()
            watched.update(tasks)
            await woken(bells.follows, LOOK_S)


async def _follow_one(leader: Wallet, watch: Watch, mentions: Mentions, bells: Bells) -> None:
    told = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(_listen(leader, mentions, told))
        while True:
            looks = LOOKS_AFTER_TOLD if told.is_set() else 1
            told.clear()
            for _ in range(looks):
                if await _look(leader, watch, bells):
                    break
                await woken(told, LOOK_AGAIN_S if looks > 1 else LOOK_S)


async def _listen(leader: Wallet, mentions: Mentions, told: asyncio.Event) -> None:
    async with aclosing(mentions(Address(leader))) as heard:
        async for _ in heard:
            told.set()


async def _look(leader: Wallet, watch: Watch, bells: Bells) -> bool:
    """Whether there was anything new."""
    try:
        read = await follow_leader(leader, watch)
    except Unavailable as error:
        log.warning("leader_not_read", leader=leader, error=str(error))
        return False
    for trade in read.trades:
        metrics.LEADER_TRADES.labels(trade.direction).inc()
        log.info(
            "leader_trade_seen",
            leader_trade_id=trade.id,
            leader=leader,
            signature=trade.signature,
            direction=trade.direction,
            slot=trade.slot,
            seen_slot=trade.seen_slot,
        )
    if read.trades:
        bells.trades.set()
    return read.transactions > 0
