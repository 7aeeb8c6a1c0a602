"""A transaction and its effects as a node reports them, for the decoder, the reconciler and the vault follower.

Account order is the chain's: message keys, then loaded writable, then loaded readonly addresses. What a transaction holds dozens of is a
struct, made at a sixth of a frozen dataclass's cost.
"""

from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from xorj.primitives.ids import Address, Mint, Signature, Slot, Wallet


class Commitment(StrEnum):
    """How sure the chain is. Only FINALIZED is never undone."""

    PROCESSED = "processed"
    CONFIRMED = "confirmed"
    FINALIZED = "finalized"

    @property
    def rank(self) -> int:
        return ("processed", "confirmed", "finalized").index(self.value)


@dataclass(frozen=True, slots=True)
class SignatureInfo:
    """One row of an address's history, newest first in a page. `error` is the chain's error as compact JSON, None on success.

    `source` names the provider that listed it; the same row from another is equal.
    """

    signature: Signature
    slot: Slot
    block_time: int | None
    error: str | None
    transaction_index: int | None
    source: str = field(default="", compare=False)


class TokenBalance(msgspec.Struct, frozen=True, gc=False):
    """The balance of one token account before or after a transaction."""

    account_index: int
    mint: Mint
    owner: Wallet | None
    program: Address | None
    amount_raw: int
    decimals: int


class ChainInstruction(msgspec.Struct, frozen=True, gc=False):
    """One executed instruction; `stack_height` 1 is top level, None where the node does not say."""

    program: Address
    accounts: tuple[Address, ...]
    data: bytes
    stack_height: int | None = None


class InnerInstructions(msgspec.Struct, frozen=True, gc=False):
    """The instructions that the top-level instruction `index` caused, in order."""

    index: int
    instructions: tuple[ChainInstruction, ...]


@dataclass(frozen=True, slots=True)
class ChainTransaction:
    """A landed transaction. `error` None means success; `version` is -1 for legacy, else 0 or 1.

    `signers_count` keys at the front of `account_keys` signed; the first of them paid `fee_lamports`.
    """

    signature: Signature
    slot: Slot
    transaction_index: int | None
    block_time: int | None
    version: int
    error: str | None
    fee_lamports: int
    signers_count: int
    account_keys: tuple[Address, ...]
    pre_balances: tuple[int, ...]
    post_balances: tuple[int, ...]
    pre_token_balances: tuple[TokenBalance, ...]
    post_token_balances: tuple[TokenBalance, ...]
    instructions: tuple[ChainInstruction, ...]
    inner_instructions: tuple[InnerInstructions, ...]
    logs: tuple[str, ...]
    compute_units: int | None = None


@dataclass(frozen=True, slots=True)
class SignatureStatus:
    """What one node knows of one signature. `error` as in SignatureInfo."""

    slot: Slot
    commitment: Commitment
    error: str | None


@dataclass(frozen=True, slots=True)
class Account:
    """One account at `slot`, the context slot of the answer."""

    address: Address
    owner: Address
    lamports: int
    data: bytes
    slot: Slot


@dataclass(frozen=True, slots=True)
class TokenHolding:
    """One token account and what it holds of its mint."""

    address: Address
    amount_raw: int


@dataclass(frozen=True, slots=True)
class Blockhash:
    """A recent blockhash, the last block height at which it is accepted, and the slot it was read at."""

    blockhash: str
    last_valid_block_height: int
    slot: Slot


@dataclass(frozen=True, slots=True)
class EpochInfo:
    """Slot and block height from one reply, so that the one can be checked against the other."""

    slot: Slot
    block_height: int


@dataclass(frozen=True, slots=True)
class Simulation:
    """The outcome of a simulated transaction; `accounts` are the asked-for accounts after it, None where missing."""

    error: str | None
    logs: tuple[str, ...]
    compute_units: int
    accounts: tuple[Account | None, ...]
    slot: Slot


@dataclass(frozen=True, slots=True)
class SendHint:
    """A node's answer to a send. Never a verdict: only settlement decides what happened."""

    accepted: bool
    detail: str
