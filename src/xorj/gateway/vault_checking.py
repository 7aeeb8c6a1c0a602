"""What an owner may send through us: his own transaction, signed by him alone, that touches his vault and nothing strange.

Compared is what it does, not its bytes: a wallet may set compute limits or add assertions of its own before signing.
"""

import base64
import binascii
from dataclasses import dataclass

from solders.message import Message, MessageV0, MessageV1, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.transaction import SanitizeError, VersionedTransaction

from xorj.gateway.bodies import TRANSACTION_BYTES_MAX
from xorj.primitives.errors import InvalidInput
from xorj.primitives.ids import Signature, Wallet
from xorj.vault import borsh
from xorj.vault import instructions as vault
from xorj.vault.accounts import ASSOCIATED_TOKEN_PROGRAM, PROGRAM_ID, TOKEN_2022_PROGRAM, TOKEN_PROGRAM

COMPUTE_BUDGET = Pubkey.from_string("ComputeBudget111111111111111111111111111111")
# Assertions that Phantom puts into what it signs; they can only make a transaction fail.
LIGHTHOUSE = Pubkey.from_string("L2TExMFKdjpN9kozasaurPirfHy9P8sbXoAN1qA3S95")
ALLOWED_PROGRAMS = {
    PROGRAM_ID: "the vault program",
    ASSOCIATED_TOKEN_PROGRAM: "associated accounts",
    TOKEN_PROGRAM: "tokens",
    TOKEN_2022_PROGRAM: "tokens",
    vault.SYSTEM_PROGRAM: "system",
    COMPUTE_BUDGET: "compute budget",
    LIGHTHOUSE: "assertions",
}
# Instructions that the bot or the operator sends, never an owner through this door.
NOT_THE_OWNERS = frozenset({"bot_trade", "initialize_config", "update_config", "accept_admin"})


@dataclass(frozen=True, slots=True)
class Checked:
    """`actions` are the vault program's instructions in it, by name."""

    raw: bytes
    signature: Signature
    actions: tuple[str, ...]


def check(text: str, owner: Wallet) -> Checked:
    """Raises InvalidInput naming `transaction` and the rule that it breaks."""
    transaction = _parsed(text)
    message = transaction.message
    keys = message.account_keys
    _require(message.header.num_required_signatures == 1, "a transaction that its owner alone signs")
    _require(str(keys[0]) == owner, f"a transaction whose fee payer is {owner}")
    _require(not getattr(message, "address_table_lookups", []), "a transaction without lookup tables")
    _require(transaction.signatures[0].verify(keys[0], to_bytes_versioned(message)), "a transaction that its owner has signed")
    actions = tuple(name for name in (_action(message, index, owner) for index in range(len(message.instructions))) if name)
    _require(bool(actions), "a transaction with an instruction of the vault program")
    return Checked(bytes(transaction), Signature(str(transaction.signatures[0])), actions)


def _action(message: Message | MessageV0 | MessageV1, index: int, owner: Wallet) -> str | None:
    """The vault instruction at `index`, None for one of another allowed program."""
    instruction, keys = message.instructions[index], message.account_keys
    program = keys[instruction.program_id_index]
    _require(program in ALLOWED_PROGRAMS, f"programs of {', '.join(sorted(set(ALLOWED_PROGRAMS.values())))} alone, not {program}")
    if program != PROGRAM_ID:
        return None
    try:
        read = vault.decode(bytes(instruction.data), [keys[account] for account in instruction.accounts])
    except (borsh.Malformed, IndexError) as error:
        raise InvalidInput("transaction", given=f"instruction {index}", rule=f"an instruction of the vault program: {error}") from error
    _require(read.name not in NOT_THE_OWNERS, f"an owner's instruction, not {read.name}")
    signer = read.accounts.get("owner") or read.accounts.get("authority")
    _require(str(signer) == owner, f"the vault of {owner}")
    return read.name


def _parsed(text: str) -> VersionedTransaction:
    try:
        raw = base64.b64decode(text, validate=True)
        transaction = VersionedTransaction.from_bytes(raw)
        transaction.sanitize()
    except (ValueError, binascii.Error, SanitizeError) as error:
        raise InvalidInput("transaction", given=text, rule="a signed transaction in base64") from error
    _require(
        bytes(transaction) == raw and len(raw) <= TRANSACTION_BYTES_MAX, f"at most {TRANSACTION_BYTES_MAX} bytes and nothing after them"
    )
    return transaction


def _require(held: bool, rule: str) -> None:
    if not held:
        raise InvalidInput("transaction", given="what was sent", rule=rule)
