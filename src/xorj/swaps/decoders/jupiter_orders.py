"""Jupiter's limit orders and DCA: a keeper trades what the wallet left in escrow, so the wallet signs nothing and gives nothing itself.

The wallet's input is what its order's escrow account lost; its output is its own change of balance. Used by the decoder, before it
looks at the wallet's balances alone. Layouts: accounts of the fill instructions as seen in landed transactions.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from xorj.chain.transactions import ChainInstruction, ChainTransaction
from xorj.primitives.ids import SOL, Address, Mint, Wallet
from xorj.swaps.balance_change import all_instructions, rows_by_account, token_flows
from xorj.swaps.programs import JUPITER_DCA, JUPITER_LIMIT_V1, JUPITER_LIMIT_V2
from xorj.swaps.swap import NotASwapKind

_OPEN = bytes.fromhex("856e4aaf709ff59f")
_CANCEL = bytes.fromhex("5f81edf00831df84")
_LIMIT_FILL = bytes.fromhex("fc681286a44e128c")
_DCA_FILL = bytes.fromhex("7340e24e21d369a2")
_DCA_PAY = bytes.fromhex("a334c8e78c0345ba")
_LIMIT_PROGRAMS = (JUPITER_LIMIT_V1, JUPITER_LIMIT_V2)


@dataclass(frozen=True, slots=True)
class Fill:
    """What a fill took from the wallet's escrow. `released_lamports` came back to the wallet because order accounts were closed.

    `output` stands where the wallet asked about is the escrow itself: what the fill paid into it before fees.
    """

    input_mint: Mint
    input_raw: int
    released_lamports: int
    output: tuple[Mint, int] | None = None


def order_kind(transaction: ChainTransaction, wallet: Wallet) -> NotASwapKind | None:
    """Whether the wallet opened or cancelled a limit order here, None for neither."""
    for instruction in _of(transaction, _LIMIT_PROGRAMS):
        if Address(wallet) in instruction.accounts[:2]:
            if instruction.data[:8] == _OPEN:
                return NotASwapKind.ORDER_OPEN
            if instruction.data[:8] == _CANCEL:
                return NotASwapKind.ORDER_CANCEL
    return None


def fill_of(transaction: ChainTransaction, wallet: Wallet) -> Fill | None:
    """The fill of the wallet's order in this transaction, None when there is none."""
    for instruction in _of(transaction, (*_LIMIT_PROGRAMS, JUPITER_DCA)):
        kind, accounts = instruction.data[:8], instruction.accounts
        if kind == _LIMIT_FILL and len(accounts) >= 4:
            v1 = instruction.program == JUPITER_LIMIT_V1
            maker, order, escrow = (accounts[2], accounts[0], accounts[1]) if v1 else (accounts[1], accounts[2], accounts[3])
            if maker == Address(wallet):
                return _limit_fill(transaction, order, escrow)
        elif kind == _DCA_FILL and len(accounts) >= 7 and _dca_user(transaction, accounts[1], Address(wallet)):
            return _dca_fill(transaction, Address(wallet), accounts)
    return None


def _limit_fill(transaction: ChainTransaction, order: Address, escrow: Address) -> Fill | None:
    lost = _lost(transaction, escrow)
    if lost is None:
        return None
    released = sum(_released(transaction, account) for account in (order, escrow))
    return Fill(lost[0], lost[1], released)


def _dca_fill(transaction: ChainTransaction, wallet: Address, accounts: tuple[Address, ...]) -> Fill | None:
    escrow_in, escrow_out = accounts[5], accounts[6]
    lost = _lost(transaction, escrow_in)
    if lost is None:
        return None
    if wallet != accounts[1]:
        return Fill(lost[0], lost[1], _released(transaction, escrow_in))
    paid = sum(flow.amount_raw for flow in token_flows(transaction) if flow.destination == escrow_out)
    return Fill(lost[0], lost[1], 0, (Mint(accounts[3]), paid))


def _dca_user(transaction: ChainTransaction, order: Address, wallet: Address) -> bool:
    """Whether the wallet is the order itself, or the user that the order pays in this transaction."""
    if wallet == order:
        return True
    pays = (one for one in _of(transaction, (JUPITER_DCA,)) if one.data[:8] == _DCA_PAY and len(one.accounts) >= 3)
    return any(one.accounts[1] == order and one.accounts[2] == wallet for one in pays)


def _lost(transaction: ChainTransaction, escrow: Address) -> tuple[Mint, int] | None:
    row = rows_by_account(transaction).get(escrow)
    if row is None:
        return None
    before = sum(one.amount_raw for one in transaction.pre_token_balances if one.account_index == row.account_index)
    after = sum(one.amount_raw for one in transaction.post_token_balances if one.account_index == row.account_index)
    return (row.mint, before - after) if before > after else None


def _released(transaction: ChainTransaction, account: Address) -> int:
    """Lamports of an account that is closed by the end, without wrapped SOL."""
    if account not in transaction.account_keys:
        return 0
    at = transaction.account_keys.index(account)
    if transaction.post_balances[at] > 0:
        return 0
    wrapped = sum(row.amount_raw for row in transaction.pre_token_balances if row.account_index == at and row.mint == SOL)
    return max(0, transaction.pre_balances[at] - wrapped)


def _of(transaction: ChainTransaction, programs: tuple[Address, ...]) -> Iterator[ChainInstruction]:
    return (instruction for _, instruction in all_instructions(transaction) if instruction.program in programs)
