"""What the edge does to the outside beside reading: the kill switch, and an owner's own transactions."""

from typing import Protocol

from xorj.chain.ports import (
    AccountReader,
    BlockhashSource,
    StatusReader,
    TokenAccountReader,
    TransactionSender,
    TransactionSimulator,
)
from xorj.copying.situation import Switch


class KillSwitchControl(Protocol):
    """Adapter: adapters/postgres/kill_switch."""

    async def state(self) -> Switch: ...

    async def stop(self, reason: str, *, actor: str) -> None: ...

    async def release(self, reason: str, *, actor: str) -> None: ...


class Node(AccountReader, BlockhashSource, StatusReader, TokenAccountReader, TransactionSender, TransactionSimulator, Protocol):
    """The chain, as far as an owner's own transactions need it. Adapter: adapters/solana_rpc."""
