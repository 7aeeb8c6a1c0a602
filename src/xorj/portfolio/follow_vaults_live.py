"""The vault follower's life: a look at all vaults whenever the vault program has run, and every while. A task of the trade-bot."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field

from xorj.chain.ports import AccountReader, HistoryReader, Mentions
from xorj.chain.transactions import Commitment
from xorj.observability import logging, metrics
from xorj.portfolio.follow_vaults import follow_vaults, vaults_in
from xorj.portfolio.ports import VaultStore
from xorj.primitives.clock import ChainClock
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Address, Signature, Wallet
from xorj.vault.interface import PROGRAM

log = logging.get("vaults")

LOOK_S = 1.0
HEARD_MAX = 1_000


@dataclass(frozen=True, slots=True)
class VaultWatch:
    """The ports of following vaults, and the key that our signer holds."""

    vaults: VaultStore
    accounts: AccountReader
    history: HistoryReader
    clock: ChainClock
    bot: Wallet


@dataclass(slots=True)
class _Heard:
    """Transactions of the vault program that nobody has looked at. When they are too many, the rest are found by looking at everything."""

    told: asyncio.Event = field(default_factory=asyncio.Event)
    signatures: list[Signature] = field(default_factory=list)

    def take(self) -> list[Signature]:
        self.told.clear()
        taken, self.signatures = self.signatures[:HEARD_MAX], []
        return taken


async def follow_vaults_live(watch: VaultWatch, mentions: Mentions, changed: asyncio.Event) -> None:
    """Runs until cancelled. Sets `changed` when copying into a vault has ended."""
    heard = _Heard()
    async with asyncio.TaskGroup() as group:
        group.create_task(_listen(mentions, heard))
        while True:
            try:
                await _look(watch, heard.take(), changed)
            except Unavailable as error:
                log.warning("vaults_not_read", error=str(error))
            await woken(heard.told, LOOK_S)


async def _look(watch: VaultWatch, signatures: list[Signature], changed: asyncio.Event) -> None:
    also = await _named(watch.history, signatures)
    for ended in await follow_vaults(watch.vaults, watch.accounts, watch.clock, bot=watch.bot, also=also):
        metrics.COPYING_ENDED.labels(ended.reason).inc()
        log.info("copying_ended", vault=ended.vault, reason=ended.reason)
        changed.set()


async def _named(history: HistoryReader, signatures: list[Signature]) -> list[Address]:
    """Vaults that these transactions have changed: how a vault of somebody who is no user yet becomes known."""
    found = await history.transactions(signatures, commitment=Commitment.CONFIRMED) if signatures else []
    return [vault for transaction in found if transaction is not None for vault in vaults_in(transaction)]


async def _listen(mentions: Mentions, heard: _Heard) -> None:
    async with aclosing(mentions(Address(PROGRAM))) as told:
        async for signature in told:
            if signature is not None:
                heard.signatures.append(signature)
            heard.told.set()


async def woken(event: asyncio.Event, seconds: float) -> None:
    """Returns when the event is set, or after `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
