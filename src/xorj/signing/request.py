"""A message taken apart, and refused unless it has the one shape we sign: compute budget, token accounts, one instruction of the vault.

Pure; the first half of the signer's policy. `message_policy` judges what is read here against the vault's state.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from solders.instruction import AccountMeta, CompiledInstruction, Instruction
from solders.message import Message, MessageV0, MessageV1, from_bytes_versioned, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.transaction import SanitizeError

from xorj.vault.accounts import ASSOCIATED_TOKEN_PROGRAM, PROGRAM_ID, TOKEN_PROGRAM, token_account_address

MESSAGE_BYTES_MAX = 4_096
CREATIONS_MAX = 6
COMPUTE_BUDGET = Pubkey.from_string("ComputeBudget111111111111111111111111111111")
SYSTEM_PROGRAM = Pubkey.default()
COMPUTE_UNITS_MAX = 1_400_000
DEFAULT_UNITS_PER_INSTRUCTION = 200_000
MICRO_PER_LAMPORT = 1_000_000
_SET_LIMIT, _SET_PRICE = 2, 3
CREATE_IDEMPOTENT = b"\x01"


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a message is not signed: the rule, and what was found."""

    rule: str
    detail: str


@dataclass(frozen=True, slots=True)
class Creation:
    """An associated token account that the message makes, at the bot's cost."""

    owner: Pubkey
    mint: Pubkey


@dataclass(frozen=True, slots=True)
class Request:
    """What a message asks for. `priority_fee_lamports` is the most it can cost above the base fee."""

    bot: Pubkey
    creations: tuple[Creation, ...]
    vault_instruction: Instruction
    priority_fee_lamports: int


def read(message: bytes, bot: Pubkey) -> Request | Refused:
    """Legacy, v0 and v1 messages. One signer, who is the bot and pays; no lookup tables, whose contents nobody signs."""
    parsed = _parsed(message)
    if isinstance(parsed, Refused):
        return parsed
    keys = list(parsed.account_keys)
    if parsed.header.num_required_signatures != 1 or parsed.header.num_readonly_signed_accounts != 0:
        return Refused("signers", "exactly one writable signer is allowed")
    if keys[:1] != [bot]:
        return Refused("fee_payer", f"{keys[:1]} is not the bot")
    if len(set(keys)) != len(keys):
        return Refused("accounts", "an account is listed twice")
    if isinstance(parsed, MessageV0) and parsed.address_table_lookups:
        return Refused("lookup_tables", "what a table holds is not part of what is signed")
    instructions = _instructions(parsed, keys)
    return instructions if isinstance(instructions, Refused) else _sorted(parsed, instructions, bot)


def _parsed(message: bytes) -> Message | MessageV0 | MessageV1 | Refused:
    if len(message) > MESSAGE_BYTES_MAX:
        return Refused("size", f"{len(message)} bytes")
    try:
        parsed = from_bytes_versioned(message)
        if not isinstance(parsed, Message):
            parsed.sanitize()
    except (ValueError, SanitizeError) as error:
        return Refused("malformed", str(error)[:200])
    # Bytes that a lenient parser skips would be signed without having been read.
    if to_bytes_versioned(parsed) != message:
        return Refused("malformed", "not the one encoding of this message")
    return parsed


def _instructions(parsed: Message | MessageV0 | MessageV1, keys: Sequence[Pubkey]) -> list[Instruction] | Refused:
    found = []
    for compiled in parsed.instructions:
        indexes = bytes(compiled.accounts)
        if compiled.program_id_index >= len(keys) or any(index >= len(keys) for index in indexes):
            return Refused("malformed", "an instruction names an account that is not there")
        found.append(_instruction(parsed, compiled, keys))
    return found


def _instruction(parsed: Message | MessageV0 | MessageV1, compiled: CompiledInstruction, keys: Sequence[Pubkey]) -> Instruction:
    writable_end = len(keys) - parsed.header.num_readonly_unsigned_accounts
    metas = [AccountMeta(keys[index], index == 0, index < writable_end) for index in bytes(compiled.accounts)]
    return Instruction(keys[compiled.program_id_index], bytes(compiled.data), metas)


def _sorted(parsed: Message | MessageV0 | MessageV1, instructions: list[Instruction], bot: Pubkey) -> Request | Refused:
    """Each instruction to its kind; an unknown program ends it."""
    budget = [one for one in instructions if one.program_id == COMPUTE_BUDGET]
    vault = [one for one in instructions if one.program_id == PROGRAM_ID]
    creating = [one for one in instructions if one.program_id == ASSOCIATED_TOKEN_PROGRAM]
    strangers = {one.program_id for one in instructions} - {COMPUTE_BUDGET, PROGRAM_ID, ASSOCIATED_TOKEN_PROGRAM}
    if strangers:
        return Refused("program", f"{sorted(map(str, strangers))} may not be called")
    if len(vault) != 1:
        return Refused("vault_instruction", f"{len(vault)} instructions of the vault program, exactly one is allowed")
    if len(creating) > CREATIONS_MAX:
        return Refused("creations", f"{len(creating)} token accounts, {CREATIONS_MAX} are allowed")
    fee = _priority_fee(parsed, budget, len(instructions))
    if isinstance(fee, Refused):
        return fee
    creations = [_creation(one, bot) for one in creating]
    refused = next((one for one in creations if isinstance(one, Refused)), None)
    if refused is not None:
        return refused
    made = tuple(one for one in creations if isinstance(one, Creation))
    return Request(bot, made, vault[0], fee)


def _priority_fee(parsed: Message | MessageV0 | MessageV1, budget: list[Instruction], instructions_count: int) -> int | Refused:
    """The most it can cost: the fee a v1 message names, or price times limit, rounded up."""
    if isinstance(parsed, MessageV1):
        if budget:
            return Refused("compute_budget", "a v1 message carries its budget in its configuration")
        units = parsed.config.compute_unit_limit
        if units is not None and units > COMPUTE_UNITS_MAX:
            return Refused("compute_budget", f"{units} compute units")
        return parsed.config.priority_fee or 0
    values: dict[int, int] = {}
    for one in budget:
        data = bytes(one.data)
        kind = data[0] if data else -1
        size = {_SET_LIMIT: 5, _SET_PRICE: 9}.get(kind)
        if size != len(data) or kind in values or one.accounts:
            return Refused("compute_budget", f"{data[:16].hex()} is not one limit or one price")
        values[kind] = int.from_bytes(data[1:], "little")
    units = values.get(_SET_LIMIT, min(COMPUTE_UNITS_MAX, DEFAULT_UNITS_PER_INSTRUCTION * instructions_count))
    if units > COMPUTE_UNITS_MAX:
        return Refused("compute_budget", f"{units} compute units")
    return -(-values.get(_SET_PRICE, 0) * units // MICRO_PER_LAMPORT)


def _creation(instruction: Instruction, bot: Pubkey) -> Creation | Refused:
    """The idempotent form alone, of the classic token program, paid by the bot, at the derived address."""
    keys = [meta.pubkey for meta in instruction.accounts]
    if bytes(instruction.data) != CREATE_IDEMPOTENT or len(keys) != 6:
        return Refused("creation", "only the idempotent creation is allowed")
    payer, account, owner, mint, system, program = keys
    if payer != bot or system != SYSTEM_PROGRAM or program != TOKEN_PROGRAM or account != token_account_address(owner, mint):
        return Refused("creation", f"{account} is not the associated account of {owner}")
    return Creation(owner, mint)
