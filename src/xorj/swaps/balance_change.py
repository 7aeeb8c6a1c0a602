"""What one transaction did to one wallet's balances, to the base unit, apart from network fee, tip and rent. Used by the decoder.

The amounts come from the balances before and after, never from instruction arguments: a token may take a fee on every transfer. Native and
wrapped SOL are one asset. Rent is what opened accounts hold and closed ones held, never a constant: the chain has changed it.
"""

import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from xorj.chain.transactions import ChainInstruction, ChainTransaction, TokenBalance
from xorj.primitives.ids import SOL, Address, Mint, Wallet
from xorj.swaps.programs import ASSOCIATED_TOKEN_PROGRAM, SYSTEM_PROGRAM, TIP_ACCOUNTS, TOKEN_PROGRAMS

SOL_DECIMALS = 9
_CREATE_ACCOUNT, _TRANSFER, _CREATE_WITH_SEED = 0, 2, 3
_TOKEN_TRANSFER, _TOKEN_MINT, _TOKEN_BURN, _TOKEN_CLOSE, _TOKEN_TRANSFER_CHECKED, _TOKEN_MINT_CHECKED, _TOKEN_BURN_CHECKED = (
    3,
    7,
    8,
    9,
    12,
    14,
    15,
)


@dataclass(frozen=True, slots=True)
class BalanceChange:
    """Raw change by mint, zero ones left out; SOL without network fee, tip and rent. The fee is 0 for who did not pay it."""

    by_mint: dict[Mint, int]
    network_fee_lamports: int
    tip_lamports: int


@dataclass(frozen=True, slots=True)
class TokenFlow:
    """One token transfer between two token accounts; the amount that left the source."""

    instruction_index: int
    source: Address
    destination: Address
    amount_raw: int


def all_instructions(transaction: ChainTransaction) -> Iterator[tuple[int, ChainInstruction]]:
    """Every instruction in the order of execution, with the index of its top-level one."""
    inner = {group.index: group.instructions for group in transaction.inner_instructions}
    for index, instruction in enumerate(transaction.instructions):
        yield index, instruction
        for caused in inner.get(index, ()):
            yield index, caused


def change_of(transaction: ChainTransaction, wallet: Wallet) -> BalanceChange:
    """The wallet's change of balances. A wallet that is not an account of the transaction has token changes alone."""
    by_mint: defaultdict[Mint, int] = defaultdict(int)
    for sign, rows in ((-1, transaction.pre_token_balances), (1, transaction.post_token_balances)):
        for row in rows:
            if row.owner == wallet:
                by_mint[row.mint] += sign * row.amount_raw
    key = Address(wallet)
    fee = transaction.fee_lamports if transaction.account_keys[0] == key else 0
    tip = _tip(transaction, key)
    if key in transaction.account_keys:
        at = transaction.account_keys.index(key)
        by_mint[SOL] += transaction.post_balances[at] - transaction.pre_balances[at] + fee + tip + _rent_spent(transaction, key)
    return BalanceChange({mint: change for mint, change in by_mint.items() if change}, fee, tip)


def decimals_of(transaction: ChainTransaction) -> dict[Mint, int]:
    """Decimals of every token that the transaction names."""
    rows = (*transaction.pre_token_balances, *transaction.post_token_balances)
    return {row.mint: row.decimals for row in rows} | {SOL: SOL_DECIMALS}


def minted_and_burned(transaction: ChainTransaction) -> tuple[frozenset[Mint], frozenset[Mint]]:
    """The tokens whose supply grew, and those whose supply fell."""
    minted, burned = set(), set()
    for _, instruction in all_instructions(transaction):
        if instruction.program not in TOKEN_PROGRAMS or not instruction.data:
            continue
        kind = instruction.data[0]
        if kind in (_TOKEN_MINT, _TOKEN_MINT_CHECKED) and instruction.accounts:
            minted.add(Mint(instruction.accounts[0]))
        elif kind in (_TOKEN_BURN, _TOKEN_BURN_CHECKED) and len(instruction.accounts) > 1:
            burned.add(Mint(instruction.accounts[1]))
    return frozenset(minted), frozenset(burned)


def token_flows(transaction: ChainTransaction) -> Iterator[TokenFlow]:
    """Every token transfer, in order."""
    for index, instruction in all_instructions(transaction):
        if instruction.program not in TOKEN_PROGRAMS or len(instruction.data) < 9:
            continue
        kind, accounts = instruction.data[0], instruction.accounts
        if kind == _TOKEN_TRANSFER and len(accounts) >= 3:
            yield TokenFlow(index, accounts[0], accounts[1], _u64(instruction.data, 1))
        elif kind == _TOKEN_TRANSFER_CHECKED and len(accounts) >= 4:
            yield TokenFlow(index, accounts[0], accounts[2], _u64(instruction.data, 1))


def rows_by_account(transaction: ChainTransaction) -> dict[Address, TokenBalance]:
    """Any balance row of each token account: its owner and mint do not change inside a transaction we read."""
    rows = (*transaction.pre_token_balances, *transaction.post_token_balances)
    return {transaction.account_keys[row.account_index]: row for row in rows}


def _tip(transaction: ChainTransaction, wallet: Address) -> int:
    total = 0
    for _, instruction in all_instructions(transaction):
        sent = _system_transfer(instruction)
        if sent is not None and sent[0] == wallet and sent[1] in TIP_ACCOUNTS:
            total += sent[2]
    return total


def _system_transfer(instruction: ChainInstruction) -> tuple[Address, Address, int] | None:
    data, accounts = instruction.data, instruction.accounts
    if instruction.program != SYSTEM_PROGRAM or len(data) != 12 or len(accounts) < 2 or _u32(data) != _TRANSFER:
        return None
    return accounts[0], accounts[1], _u64(data, 4)


def _rent_spent(transaction: ChainTransaction, wallet: Address) -> int:
    """Lamports that the wallet put into accounts it opened, less those it got back from accounts that were closed to it."""
    funders, created_lamports = _creations(transaction)
    destinations = _closings(transaction)
    rows = rows_by_account(transaction)
    wrapped = {sign: _wrapped_by_account(transaction, sign) for sign in (-1, 1)}
    spent = 0
    for at, key in enumerate(transaction.account_keys):
        before, after = transaction.pre_balances[at], transaction.post_balances[at]
        if before == 0 and after > 0:
            funder = funders.get(key, transaction.account_keys[0] if key in rows else None)
            spent += after - wrapped[1].get(key, 0) if funder == wallet else 0
        elif before > 0 and after == 0 and key in rows:
            destination = destinations.get(key, Address(rows[key].owner or ""))
            spent -= before - wrapped[-1].get(key, 0) if destination == wallet else 0
        elif before == after == 0 and destinations.get(key) == wallet and funders.get(key, wallet) != wallet:
            spent -= created_lamports.get(key, 0)
    return spent


def _creations(transaction: ChainTransaction) -> tuple[dict[Address, Address], dict[Address, int]]:
    """Who paid for each account created, and with how many lamports it was created."""
    funders: dict[Address, Address] = {}
    lamports: dict[Address, int] = {}
    for _, instruction in all_instructions(transaction):
        data, accounts = instruction.data, instruction.accounts
        if len(accounts) < 2:
            continue
        if instruction.program == ASSOCIATED_TOKEN_PROGRAM:
            funders.setdefault(accounts[1], accounts[0])
        elif instruction.program == SYSTEM_PROGRAM and len(data) >= 12 and _u32(data) in (_CREATE_ACCOUNT, _CREATE_WITH_SEED):
            funders[accounts[1]] = accounts[0]
            lamports[accounts[1]] = _created_with(data)
    return funders, lamports


def _created_with(data: bytes) -> int:
    if _u32(data) == _CREATE_ACCOUNT:
        return _u64(data, 4)
    # base key, then a text with its length in 8 bytes, then the lamports
    seed_length = _u64(data, 36) if len(data) >= 44 else 0
    return _u64(data, 44 + seed_length) if len(data) >= 52 + seed_length else 0


def _closings(transaction: ChainTransaction) -> dict[Address, Address]:
    """Where the lamports of each closed token account went."""
    closed = (one for _, one in all_instructions(transaction) if one.program in TOKEN_PROGRAMS and one.data[:1] == bytes([_TOKEN_CLOSE]))
    return {one.accounts[0]: one.accounts[1] for one in closed if len(one.accounts) >= 2}


def _wrapped_by_account(transaction: ChainTransaction, sign: int) -> dict[Address, int]:
    rows = transaction.pre_token_balances if sign < 0 else transaction.post_token_balances
    return {transaction.account_keys[row.account_index]: row.amount_raw for row in rows if row.mint == SOL}


def _u32(data: bytes) -> int:
    return int(struct.unpack_from("<I", data)[0])


def _u64(data: bytes, at: int) -> int:
    return int(struct.unpack_from("<Q", data, at)[0])
