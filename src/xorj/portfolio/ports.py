"""What following vaults and keeping the ledger need of the outside. Adapters: adapters/postgres. A method raises Unavailable."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from xorj.portfolio.ledger import LedgerEntry
from xorj.portfolio.observed_vault import ObservedVault
from xorj.primitives.ids import Address, Mint, Signature, Slot, Wallet


@dataclass(frozen=True, slots=True)
class Copying:
    """What makes a vault copy: an order to follow the ranking and the follows that are open. Both are named, so that ending them ends
    nothing that was begun meanwhile."""

    subscriptions: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()


class VaultStore(Protocol):
    """Vaults as last read, and what they copy."""

    async def known(self) -> list[ObservedVault]:
        """Every vault that is not closed."""

    async def wallets_without_vault(self) -> list[Wallet]:
        """Wallets of users who may have made a vault with any client since we last looked."""

    async def copying(self) -> dict[Address, Copying]:
        """By vault, what is to be copied into it at present."""

    async def observe(self, vault: ObservedVault) -> None:
        """Makes or changes the vault's row, unless that is of a later slot already. Ties it to the user whose wallet owns it."""

    async def end_copying(self, vault: Address, copying: Copying, reason: str, slot: Slot) -> None:
        """Ends subscriptions and follows and cancels the vault's new intents, in one transaction with its outbox row."""


class LedgerStore(Protocol):
    async def book(self, entries: Sequence[LedgerEntry]) -> int:
        """How many were new. An entry of the same vault, transaction and mint stands."""

    async def balances(self, vault: Address, *, at: Slot) -> dict[Mint, int]:
        """Sums of the entries up to this slot, by mint."""

    async def mints_under_way(self, vault: Address) -> frozenset[Mint]:
        """Mints of trades that may have landed and are not settled."""

    async def cursor(self, vault: Address) -> Signature | None:
        """The last finalized transaction of the vault that has been booked."""

    async def move_cursor(self, vault: Address, signature: Signature, slot: Slot) -> None:
        """Never back."""
