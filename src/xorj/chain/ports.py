"""The ports to a chain. Adapter: adapters/solana_rpc. Every method raises Unavailable when the node cannot answer.

A provider is one node or service; quorum over several providers is the business of execution/settlement, so each port speaks
for one provider and says which by `name`.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Protocol

from xorj.chain.transactions import (
    Account,
    Blockhash,
    ChainTransaction,
    Commitment,
    EpochInfo,
    SendHint,
    SignatureInfo,
    SignatureStatus,
    Simulation,
    TokenHolding,
)
from xorj.primitives.ids import Address, Mint, Signature, Slot, Wallet

SIGNATURES_PER_PAGE_MAX = 1_000
SIGNATURES_PER_STATUS_CALL_MAX = 256
ACCOUNTS_PER_CALL_MAX = 100


class HistoryReader(Protocol):
    """Transactions that have happened."""

    async def signatures(
        self,
        address: Address,
        *,
        limit: int = SIGNATURES_PER_PAGE_MAX,
        before: Signature | None = None,
        until: Signature | None = None,
        commitment: Commitment = Commitment.FINALIZED,
    ) -> list[SignatureInfo]:
        """One page, newest first."""

    async def transactions(
        self, signatures: Sequence[Signature], *, commitment: Commitment = Commitment.FINALIZED
    ) -> list[ChainTransaction | None]:
        """In the order asked; None where the node does not know the signature at that commitment."""


class AccountReader(Protocol):
    """The present state of accounts."""

    async def accounts(
        self, addresses: Sequence[Address], *, commitment: Commitment = Commitment.CONFIRMED, slot_min: Slot | None = None
    ) -> list[Account | None]:
        """In the order asked, all at one context slot; None where there is no account."""

    async def token_balances(self, owner: Wallet, *, commitment: Commitment = Commitment.CONFIRMED) -> tuple[Slot, dict[Mint, int]]:
        """Raw balances of every token account of `owner`, summed by mint, wrapped SOL under its mint; and the context slot."""

    async def lamports(self, address: Address, *, commitment: Commitment = Commitment.CONFIRMED) -> int:
        """The account's lamports, 0 when there is none."""


class TokenAccountReader(Protocol):
    async def token_accounts(self, owner: Address, mint: Mint, *, commitment: Commitment = Commitment.CONFIRMED) -> list[TokenHolding]:
        """Every token account of `owner` for that mint, associated or not, in the order of addresses."""


class StatusReader(Protocol):
    """What has become of signatures, and where the chain stands."""

    name: str

    async def statuses(self, signatures: Sequence[Signature]) -> tuple[Slot, list[SignatureStatus | None]]:
        """Statuses with history search, and the context slot of the answer."""

    async def epoch_info(self, *, commitment: Commitment = Commitment.FINALIZED) -> EpochInfo: ...

    async def is_blockhash_valid(self, blockhash: str, *, commitment: Commitment = Commitment.FINALIZED) -> tuple[Slot, bool]: ...

    async def first_available_block(self) -> Slot: ...

    async def genesis_hash(self) -> str: ...


class BlockhashSource(Protocol):
    async def latest_blockhash(self, *, commitment: Commitment = Commitment.CONFIRMED) -> Blockhash: ...

    async def recent_priority_fees(self, addresses: Sequence[Address]) -> list[int]:
        """Micro-lamports per compute unit of recent slots for these writable accounts."""


class TransactionSender(Protocol):
    async def send(self, transaction: bytes) -> SendHint:
        """Hands signed bytes to the network without preflight. The answer is a hint: only settlement decides what happened."""


class TransactionSimulator(Protocol):
    async def simulate(self, transaction: bytes, *, accounts: Sequence[Address] = ()) -> Simulation:
        """Executes without signature check against a fresh blockhash; `accounts` are returned as they would be afterwards."""


# Signatures of transactions that name an address, as they happen; None when some may have been missed. Hints of when to look, no more.
Mentions = Callable[[Address], AsyncGenerator[Signature | None]]
