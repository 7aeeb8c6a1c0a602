"""What one transaction changed: balances, inner instructions, cost. Turns LiteSVM's outcome into a Meta; used by the bank."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import orjson
from solders.account import Account
from solders.pubkey import Pubkey
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata

from xorj.localnet.genesis import TOKEN_PROGRAM, UPGRADEABLE_LOADER
from xorj.localnet.message import DecodedTransaction
from xorj.localnet.records import InnerRow, Json, Meta, TokenBalanceRow
from xorj.localnet.runtime import program_data_address
from xorj.primitives.base58 import encode

TOKEN_2022_PROGRAM = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
TOKEN_PROGRAMS = frozenset((TOKEN_PROGRAM, TOKEN_2022_PROGRAM))
TOKEN_ACCOUNT_BYTES = 165
LAMPORTS_PER_SIGNATURE = 5_000
_STATE_AT, _TYPE_AT, _TYPE_ACCOUNT = 108, 165, 2

ReadAccount = Callable[[Pubkey], Account | None]

# Agave's cost model: what a block's space costs in compute units
_SIGNATURE_COST, _WRITE_LOCK_COST, _DATA_BYTES_PER_UNIT = 720, 300, 4
_PAGE_BYTES, _PAGE_COST = 32 * 1024, 8
_ACCOUNT_BASE_BYTES = 64


@dataclass(frozen=True, slots=True)
class Balances:
    """Lamports of every account of a transaction, and of its token accounts their token balance."""

    lamports: list[int]
    tokens: list[TokenBalanceRow]


@dataclass(frozen=True, slots=True)
class Resolved:
    """A transaction with its lookups loaded: all account keys in order and which of them it may write."""

    decoded: DecodedTransaction
    keys: list[Pubkey]
    loaded_writable: list[Pubkey]
    loaded_readonly: list[Pubkey]

    @property
    def writable(self) -> list[Pubkey]:
        """The keys this transaction may change, the fee payer first."""
        count = len(self.loaded_writable)
        return [key for index, key in enumerate(self.keys) if self.decoded.is_writable(index, count)]


def is_token_account(account: Account, data: bytes) -> bool:
    """Whether this is an initialised SPL token account of either token program."""
    if account.owner not in TOKEN_PROGRAMS or len(data) < TOKEN_ACCOUNT_BYTES or not data[_STATE_AT]:
        return False
    return len(data) == TOKEN_ACCOUNT_BYTES or data[_TYPE_AT] == _TYPE_ACCOUNT


def balances(keys: Sequence[Pubkey], accounts: Sequence[Account | None], decimals_of: Callable[[bytes], int | None]) -> Balances:
    """Balances of `accounts`, in the order of `keys`. Like a node it looks for token accounts only beside a token program."""
    lamports = [account.lamports if account is not None else 0 for account in accounts]
    if TOKEN_PROGRAMS.isdisjoint(keys):
        return Balances(lamports, [])
    tokens = []
    for index, account in enumerate(accounts):
        if account is None or account.owner not in TOKEN_PROGRAMS:
            continue
        data = account.data
        decimals = decimals_of(data[:32]) if is_token_account(account, data) else None
        if decimals is not None:
            amount = int.from_bytes(data[64:72], "little")
            tokens.append(TokenBalanceRow(index, _text(data[:32]), _text(data[32:64]), str(account.owner), amount, decimals))
    return Balances(lamports, tokens)


def error_of(outcome: object) -> Json:
    """The transaction error in Agave's JSON form, None on success."""
    return orjson.loads(outcome.to_json())["err"] if isinstance(outcome, FailedTransactionMetadata) else None


def inner_instructions(outcome: TransactionMetadata) -> list[tuple[int, list[InnerRow]]]:
    """The inner instructions by top-level instruction, those without any left out."""
    groups = []
    for index, group in enumerate(outcome.inner_instructions()):
        if group:
            rows = []
            for one in group:
                instruction = one.instruction()
                height = one.stack_height() or 1
                rows.append(InnerRow(instruction.program_id_index, list(instruction.accounts), encode(bytes(instruction.data)), height))
            groups.append((index, rows))
    return groups


def return_data(outcome: TransactionMetadata) -> tuple[str, str] | None:
    """Program and base58 data that the transaction returned, None without."""
    returned = outcome.return_data()
    data = bytes(returned.data)
    return (str(returned.program_id), encode(data)) if data else None


def loaded_bytes(keys: Sequence[Pubkey], read: ReadAccount) -> int:
    """The size of all accounts that were loaded, as the runtime's limit counts them: programs bring their ELF file along."""
    total = 0
    for key in keys:
        account = read(key)
        if account is None:
            total += _ACCOUNT_BASE_BYTES
            continue
        total += _ACCOUNT_BASE_BYTES + len(account.data)
        if account.executable and account.owner == UPGRADEABLE_LOADER:
            elf = read(_program_data_address(key))
            total += _ACCOUNT_BASE_BYTES + (len(elf.data) if elf is not None else 0)
    return total


def cost_units(resolved: Resolved, compute_units: int, loaded: int) -> int:
    """What the transaction takes of a block's space."""
    header = resolved.decoded.header
    data_bytes = sum(len(one.data) for one in resolved.decoded.instructions)
    pages = -(-loaded // _PAGE_BYTES)
    locks = _SIGNATURE_COST * header.num_required_signatures + _WRITE_LOCK_COST * len(resolved.writable)
    return locks + data_bytes // _DATA_BYTES_PER_UNIT + pages * _PAGE_COST + compute_units


def meta_of(
    resolved: Resolved,
    outcome: TransactionMetadata | FailedTransactionMetadata,
    before: Balances,
    after: Balances,
    *,
    fee: int,
    loaded: int,
) -> Meta:
    """Everything a node reports of a landed transaction."""
    details = outcome.meta() if isinstance(outcome, FailedTransactionMetadata) else outcome
    units = details.compute_units_consumed()
    return Meta(
        error=error_of(outcome),
        fee_lamports=fee,
        pre_balances=before.lamports,
        post_balances=after.lamports,
        pre_token_balances=before.tokens,
        post_token_balances=after.tokens,
        inner_instructions=inner_instructions(details),
        logs=details.logs(),
        loaded_writable=[str(key) for key in resolved.loaded_writable],
        loaded_readonly=[str(key) for key in resolved.loaded_readonly],
        compute_units=units,
        cost_units=cost_units(resolved, units, loaded),
        return_data=return_data(details),
        memo=resolved.decoded.memo(resolved.keys),
    )


@lru_cache(maxsize=65_536)
def _text(key: bytes) -> str:
    return str(Pubkey.from_bytes(key))


_program_data_address = lru_cache(maxsize=1_024)(program_data_address)
