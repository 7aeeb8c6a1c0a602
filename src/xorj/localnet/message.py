"""A transaction taken apart once: keys, who may write, lookups, instructions. Pure; used by the bank and by rendering."""

from collections.abc import Sequence
from dataclasses import dataclass

from solders.hash import Hash
from solders.instruction import CompiledInstruction
from solders.message import Message, MessageHeader, MessageV0, MessageV1
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

LEGACY = -1

MEMO_PROGRAMS = frozenset(
    Pubkey.from_string(text) for text in ("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr", "Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo")
)
COMPUTE_BUDGET = Pubkey.from_string("ComputeBudget111111111111111111111111111111")
_SET_COMPUTE_UNIT_LIMIT, _SET_COMPUTE_UNIT_PRICE = b"\x02", b"\x03"
COMPUTE_UNITS_PER_INSTRUCTION, COMPUTE_UNITS_MAX = 200_000, 1_400_000
MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Lookup:
    """One address table of a v0 message with the positions it loads."""

    table: Pubkey
    writable: bytes
    readonly: bytes


@dataclass(frozen=True, slots=True)
class DecodedTransaction:
    """`version` is LEGACY, 0 or 1. `keys` are the message's own; loaded addresses come after them."""

    raw: bytes
    transaction: VersionedTransaction
    signature: Signature
    version: int
    header: MessageHeader
    keys: list[Pubkey]
    blockhash: Hash
    instructions: list[CompiledInstruction]
    lookups: list[Lookup]

    @staticmethod
    def of(transaction: VersionedTransaction | bytes) -> "DecodedTransaction":
        """Raises ValueError when the bytes are not one whole transaction."""
        whole = VersionedTransaction.from_bytes(transaction) if isinstance(transaction, bytes) else transaction
        message = whole.message
        return DecodedTransaction(
            raw=bytes(whole),
            transaction=whole,
            signature=whole.signatures[0],
            version=_version(message),
            header=message.header,
            keys=message.account_keys,
            blockhash=message.recent_blockhash,
            instructions=message.instructions,
            lookups=_lookups(message),
        )

    def is_signer(self, index: int) -> bool:
        return index < self.header.num_required_signatures

    def is_writable(self, index: int, loaded_writable: int) -> bool:
        """Whether the message asks to write account `index`, with `loaded_writable` addresses loaded as writable."""
        signers, keys = self.header.num_required_signatures, len(self.keys)
        if index < signers:
            return index < signers - self.header.num_readonly_signed_accounts
        if index < keys:
            return index < keys - self.header.num_readonly_unsigned_accounts
        return index < keys + loaded_writable

    def memo(self, keys: Sequence[Pubkey]) -> str | None:
        """The memos as getSignaturesForAddress shows them: length in brackets, then the text."""
        texts = [bytes(one.data) for one in self.instructions if keys[one.program_id_index] in MEMO_PROGRAMS]
        return "; ".join(f"[{len(text)}] {text.decode(errors='replace')}" for text in texts) or None

    def priority_fee_lamports(self) -> int:
        """The whole priority fee that a v1 message names in its configuration, 0 in older versions."""
        message = self.transaction.message
        return (message.config.priority_fee or 0) if isinstance(message, MessageV1) else 0


def _version(message: Message | MessageV0 | MessageV1) -> int:
    if isinstance(message, Message):
        return LEGACY
    return 0 if isinstance(message, MessageV0) else 1


def _lookups(message: Message | MessageV0 | MessageV1) -> list[Lookup]:
    if not isinstance(message, MessageV0):
        return []
    return [Lookup(one.account_key, bytes(one.writable_indexes), bytes(one.readonly_indexes)) for one in message.address_table_lookups]


def price_micro_lamports(message: Message | MessageV0 | MessageV1) -> tuple[int, int]:
    """What a message pays for each compute unit, and for how many at most."""
    if isinstance(message, MessageV1):
        units = message.config.compute_unit_limit or COMPUTE_UNITS_MAX
        return (message.config.priority_fee or 0) * MICRO // units, units
    keys = message.account_keys
    price, others = 0, 0
    limit: int | None = None
    for one in message.instructions:
        data = bytes(one.data)
        if keys[one.program_id_index] != COMPUTE_BUDGET:
            others += 1
        elif data[:1] == _SET_COMPUTE_UNIT_PRICE:
            price = int.from_bytes(data[1:9], "little")
        elif data[:1] == _SET_COMPUTE_UNIT_LIMIT:
            limit = int.from_bytes(data[1:5], "little")
    return price, min(COMPUTE_UNITS_PER_INSTRUCTION * others if limit is None else limit, COMPUTE_UNITS_MAX)
