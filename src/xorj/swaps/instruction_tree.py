"""What the instructions of one transaction did, read once: token transfers, payments in lamports, accounts opened and closed. Pure.

Used by the decoder and whatever stands beside it. Balances say how much; this says through which accounts and by which program.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from solders.pubkey import Pubkey
from solders.token.associated import get_associated_token_address

from xorj.chain.transactions import ChainInstruction, ChainTransaction, TokenBalance
from xorj.primitives.ids import Address, Mint, Wallet
from xorj.swaps.programs import ASSOCIATED_TOKEN_PROGRAM, SYSTEM_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM, TOKEN_PROGRAMS

_CREATE, _TRANSFER, _CREATE_WITH_SEED, _ALLOCATE, _CREATE_ON_TOP = 0, 2, 3, 8, 13
_INITIALIZE, _TOKEN_TRANSFER, _MINT_TO, _BURN, _CLOSE = 1, 3, 7, 8, 9
_TRANSFER_CHECKED, _MINT_TO_CHECKED, _BURN_CHECKED, _INITIALIZE_2, _INITIALIZE_3 = 12, 14, 15, 16, 18
_TRANSFER_WITH_FEE = b"\x1a\x01"
_BATCH = b"\xff"
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class TokenFlow:
    """One transfer between two token accounts: what left the source, and what came, less the token's fee where the instruction tells it."""

    instruction_index: int
    source: Address
    destination: Address
    amount_raw: int
    received_raw: int


@dataclass(frozen=True, slots=True)
class Payment:
    """Lamports sent by the system program; `is_top_level` when the transaction itself says so and no program that it calls."""

    instruction_index: int
    source: Address
    destination: Address
    lamports: int
    is_top_level: bool


@dataclass(frozen=True, slots=True)
class Holding:
    """Whose a token account is and of which token; None where nothing tells."""

    owner: Wallet | None
    mint: Mint | None


@dataclass(slots=True)
class InstructionTree:
    """`paid_in` are lamports put into an account when it was made, by who paid; `minted_to` and `burned_from` name token accounts.

    `associated` were made by the associated account program, `made` held lamports before they were, and `closed_to` says where a closed
    token account's lamports went.
    """

    flows: list[TokenFlow] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    paid_in: dict[Address, dict[Address, int]] = field(default_factory=dict)
    funders: dict[Address, Address] = field(default_factory=dict)
    associated: set[Address] = field(default_factory=set)
    made: set[Address] = field(default_factory=set)
    closed_to: dict[Address, Address] = field(default_factory=dict)
    minted_to: dict[Address, Mint] = field(default_factory=dict)
    burned_from: dict[Address, Mint] = field(default_factory=dict)
    authorities: dict[Address, Wallet] = field(default_factory=dict)
    holdings: dict[Address, Holding] = field(default_factory=dict)

    def holding(self, account: Address) -> Holding:
        return self.holdings.get(account, _UNKNOWN)

    def is_of(self, account: Address, owner: Wallet) -> bool:
        return self.holding(account).owner == owner

    def lamports_paid_in(self, account: Address, payer: Address) -> int:
        return self.paid_in.get(account, {}).get(payer, 0)


_UNKNOWN = Holding(None, None)


def all_instructions(transaction: ChainTransaction) -> Iterator[tuple[int, ChainInstruction]]:
    """Every instruction in the order of execution, with the index of its top-level one; a batch of token instructions as its parts."""
    inner: dict[int, list[ChainInstruction]] = {}
    for group in transaction.inner_instructions:
        inner.setdefault(group.index, []).extend(group.instructions)
    for index, instruction in enumerate(transaction.instructions):
        for one in (instruction, *inner.get(index, ())):
            if one.program == TOKEN_PROGRAM and one.data.startswith(_BATCH):
                yield from ((index, part) for part in _parts(one))
            else:
                yield index, one


def _parts(batch: ChainInstruction) -> Iterator[ChainInstruction]:
    """Each part is told by two bytes, how many of the accounts and how many bytes of data are its own, and then its data."""
    data, accounts = batch.data[len(_BATCH) :], batch.accounts
    while len(data) >= 2:
        account_count, size = data[0], data[1]
        yield ChainInstruction(batch.program, accounts[:account_count], data[2 : 2 + size], batch.stack_height)
        data, accounts = data[2 + size :], accounts[account_count:]


def read_tree(transaction: ChainTransaction) -> InstructionTree:
    """One pass over every instruction, then over the balance rows, which know best whose an account is."""
    tops = set(map(id, transaction.instructions))
    tree = _read((index, one, id(one) in tops) for index, one in all_instructions(transaction))
    _read_rows(tree, transaction)
    return tree


def read_part(index: int, instructions: Iterable[ChainInstruction]) -> InstructionTree:
    """Only what these instructions under one top-level instruction did; whose accounts are is for the whole tree to tell."""
    return _read((index, one, False) for one in instructions)


def _read(instructions: Iterable[tuple[int, ChainInstruction, bool]]) -> InstructionTree:
    tree = InstructionTree()
    for index, instruction, is_top_level in instructions:
        if instruction.program in TOKEN_PROGRAMS:
            _read_token(tree, index, instruction)
        elif instruction.program == SYSTEM_PROGRAM:
            _read_system(tree, index, instruction, is_top_level)
        elif instruction.program == ASSOCIATED_TOKEN_PROGRAM and len(instruction.accounts) >= 4:
            _read_associated(tree, instruction.accounts)
    return tree


def token_flows(transaction: ChainTransaction) -> Iterator[TokenFlow]:
    """Every token transfer, in order."""
    return iter(read_tree(transaction).flows)


def _read_token(tree: InstructionTree, index: int, instruction: ChainInstruction) -> None:
    data, accounts = instruction.data, instruction.accounts
    kind, count = data[0] if data else -1, len(accounts)
    if kind == _TOKEN_TRANSFER and count >= 3 and len(data) >= 9:
        _flow(tree, TokenFlow(index, accounts[0], accounts[1], u64(data, 1), u64(data, 1)), accounts[2])
    elif kind == _TRANSFER_CHECKED and count >= 4 and len(data) >= 9:
        _flow(tree, TokenFlow(index, accounts[0], accounts[2], u64(data, 1), u64(data, 1)), accounts[3], Mint(accounts[1]))
    elif data.startswith(_TRANSFER_WITH_FEE) and count >= 4 and len(data) >= 19:
        sent, fee = u64(data, 2), u64(data, 11)
        _flow(tree, TokenFlow(index, accounts[0], accounts[2], sent, max(0, sent - fee)), accounts[3], Mint(accounts[1]))
    elif kind in (_MINT_TO, _MINT_TO_CHECKED) and count >= 2:
        tree.minted_to[accounts[1]] = Mint(accounts[0])
    elif kind in (_BURN, _BURN_CHECKED) and count >= 2:
        tree.burned_from[accounts[0]] = Mint(accounts[1])
    elif kind == _CLOSE and count >= 2:
        tree.closed_to[accounts[0]] = accounts[1]
    elif kind == _INITIALIZE and count >= 3:
        tree.holdings[accounts[0]] = Holding(Wallet(accounts[2]), Mint(accounts[1]))
    elif kind in (_INITIALIZE_2, _INITIALIZE_3) and count >= 2 and len(data) >= 1 + _KEY_BYTES:
        owner = Wallet(str(Pubkey.from_bytes(data[1 : 1 + _KEY_BYTES])))
        tree.holdings[accounts[0]] = Holding(owner, Mint(accounts[1]))


def _flow(tree: InstructionTree, flow: TokenFlow, authority: Address, mint: Mint | None = None) -> None:
    tree.flows.append(flow)
    tree.authorities.setdefault(flow.source, Wallet(authority))
    for account in (flow.source, flow.destination) if mint is not None else ():
        tree.holdings.setdefault(account, Holding(None, mint))


def _read_system(tree: InstructionTree, index: int, instruction: ChainInstruction, is_top_level: bool) -> None:
    data, accounts = instruction.data, instruction.accounts
    kind = u32(data) if len(data) >= 4 else -1
    if kind == _TRANSFER and len(data) == 12 and len(accounts) >= 2:
        tree.payments.append(Payment(index, accounts[0], accounts[1], u64(data, 4), is_top_level))
    elif kind in (_CREATE, _CREATE_WITH_SEED) and len(data) >= 12 and len(accounts) >= 2:
        tree.funders[accounts[1]] = accounts[0]
        _pay_in(tree, accounts[1], accounts[0], _created_with(data))
    elif kind == _CREATE_ON_TOP and len(data) >= 12 and len(accounts) >= 2:
        # of an account that may hold lamports already; who tops it up stands second
        tree.funders[accounts[0]] = accounts[1]
        tree.made.add(accounts[0])
        _pay_in(tree, accounts[0], accounts[1], u64(data, 4))
    elif kind == _ALLOCATE and accounts and accounts[0] not in tree.made:
        # an account that already held something is made by a payment up to its rent, then this; later payments are not rent
        tree.made.add(accounts[0])
        for payment in tree.payments:
            if payment.destination == accounts[0]:
                _pay_in(tree, payment.destination, payment.source, payment.lamports)


def _read_associated(tree: InstructionTree, accounts: tuple[Address, ...]) -> None:
    tree.funders.setdefault(accounts[1], accounts[0])
    tree.associated.add(accounts[1])
    tree.holdings.setdefault(accounts[1], Holding(Wallet(accounts[2]), Mint(accounts[3])))


def _pay_in(tree: InstructionTree, account: Address, payer: Address, lamports: int) -> None:
    paid = tree.paid_in.setdefault(account, {})
    paid[payer] = paid.get(payer, 0) + lamports


def _created_with(data: bytes) -> int:
    if u32(data) == _CREATE:
        return u64(data, 4)
    # base key, then a text with its length in 8 bytes, then the lamports
    seed_length = u64(data, 36) if len(data) >= 44 else 0
    return u64(data, 44 + seed_length) if len(data) >= 52 + seed_length else 0


def _read_rows(tree: InstructionTree, transaction: ChainTransaction) -> None:
    """Rows of old slots do not tell the owner: then it is whoever's associated account it is, or who could move its tokens."""
    for row in (*transaction.pre_token_balances, *transaction.post_token_balances):
        account = transaction.account_keys[row.account_index]
        owner = row.owner or tree.holding(account).owner or _derived_owner(transaction, account, row) or tree.authorities.get(account)
        tree.holdings[account] = Holding(owner, row.mint)


def _derived_owner(transaction: ChainTransaction, account: Address, row: TokenBalance) -> Wallet | None:
    programs = (row.program,) if row.program is not None else (TOKEN_PROGRAM, TOKEN_2022_PROGRAM)
    for signer in transaction.account_keys[: transaction.signers_count]:
        for program in programs:
            derived = get_associated_token_address(Pubkey.from_string(signer), Pubkey.from_string(row.mint), Pubkey.from_string(program))
            if str(derived) == account:
                return Wallet(signer)
    return None


def u32(data: bytes) -> int:
    return int(struct.unpack_from("<I", data)[0])


def u64(data: bytes, at: int) -> int:
    return int(struct.unpack_from("<Q", data, at)[0])
