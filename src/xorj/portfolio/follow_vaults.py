"""Keeps what we know of vaults equal to the chain, whatever client changed them, and ends copying where they end it. Run by the trade-bot.

State is read, never added up from events: an event or a tick of the clock only says when to look. So nothing is lost by a missed event.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from xorj.chain.ports import ACCOUNTS_PER_CALL_MAX, AccountReader
from xorj.chain.transactions import ChainTransaction
from xorj.portfolio.observed_vault import ObservedVault, address_of, addresses, closed, end_of_copying, observe
from xorj.portfolio.ports import VaultStore
from xorj.primitives.clock import ChainClock, ChainTime
from xorj.primitives.ids import Address, Wallet
from xorj.vault.events import parse_logs

VAULTS_PER_CALL_MAX = ACCOUNTS_PER_CALL_MAX // 2


@dataclass(frozen=True, slots=True)
class Ended:
    """Copying into this vault has ended."""

    vault: Address
    reason: str


async def follow_vaults(
    vaults: VaultStore, chain: AccountReader, clock: ChainClock, *, bot: Wallet, also: Sequence[Address] = ()
) -> list[Ended]:
    """Reads every known vault, those of users who have none yet, and `also`; stores what changed; ends copying where it cannot go on."""
    # What is to be copied is read before the chain: whoever turned copying on has seen his grant confirmed, so the chain shows it too.
    copying = await vaults.copying()
    known = {vault.address: vault for vault in await vaults.known()}
    hoped = [address_of(wallet) for wallet in await vaults.wallets_without_vault()]
    now = await clock.now()
    ended = []
    for vault in await _read(list(dict.fromkeys([*known, *hoped, *also])), known, chain, now):
        before = known.get(vault.address)
        if before is None or not vault.says_the_same(before):
            await vaults.observe(vault)
        reason = end_of_copying(vault, before, bot=bot, now_unix=now.unix_seconds)
        if reason is not None and vault.address in copying:
            await vaults.end_copying(vault.address, copying[vault.address], reason, vault.slot)
            ended.append(Ended(vault.address, reason))
    return ended


def vaults_in(transaction: ChainTransaction) -> list[Address]:
    """Vaults that a transaction of the vault program has changed, by its events."""
    return list(dict.fromkeys(Address(str(event.vault)) for event in parse_logs(transaction.logs)))


async def _read(
    wanted: Sequence[Address], known: dict[Address, ObservedVault], chain: AccountReader, now: ChainTime
) -> list[ObservedVault]:
    batches = [wanted[at : at + VAULTS_PER_CALL_MAX] for at in range(0, len(wanted), VAULTS_PER_CALL_MAX)]
    read = await asyncio.gather(*(chain.accounts([each for vault in batch for each in addresses(vault)]) for batch in batches))
    accounts = [account for found in read for account in found]
    seen = []
    for number, vault in enumerate(wanted):
        state = observe(vault, accounts[2 * number : 2 * number + 2], now_unix=now.unix_seconds)
        if isinstance(state, ObservedVault):
            seen.append(state)
        elif vault in known:
            seen.append(closed(known[vault], now.slot))
    return seen
