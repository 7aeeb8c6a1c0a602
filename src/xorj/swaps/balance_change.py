"""What one transaction did to one wallet's balances, to the base unit, apart from network fee, tip and rent. Used by the decoder.

The amounts come from the balances before and after, never from instruction arguments: a token may take a fee on every transfer. Native and
wrapped SOL are one asset. Rent is what opened accounts hold and closed ones held, never a constant: the chain has changed it.
"""

from collections import defaultdict
from dataclasses import dataclass

from xorj.chain.transactions import ChainTransaction
from xorj.primitives.ids import SOL, Address, Mint, Wallet
from xorj.swaps.instruction_tree import InstructionTree, read_tree
from xorj.swaps.programs import TOKEN_PROGRAM
from xorj.swaps.tip_accounts import TIP_ACCOUNTS

SOL_DECIMALS = 9


@dataclass(frozen=True, slots=True)
class BalanceChange:
    """Raw change by mint, zero ones left out; SOL without network fee, tip and rent. The fee is 0 for who did not pay it.

    `rent_lamports` went into accounts the wallet opened, less what came back from closed ones.
    """

    by_mint: dict[Mint, int]
    network_fee_lamports: int
    tip_lamports: int
    rent_lamports: int = 0


def change_of(transaction: ChainTransaction, wallet: Wallet, tree: InstructionTree | None = None) -> BalanceChange:
    """The wallet's change of balances. A wallet that is not an account of the transaction has token changes alone."""
    tree = tree or read_tree(transaction)
    by_mint: defaultdict[Mint, int] = defaultdict(int)
    for sign, rows in ((-1, transaction.pre_token_balances), (1, transaction.post_token_balances)):
        for row in rows:
            # a token account may be given away inside the transaction, so that each side has its own owner
            if (row.owner or tree.holding(transaction.account_keys[row.account_index]).owner) == wallet:
                by_mint[row.mint] += sign * row.amount_raw
    key = Address(wallet)
    fee = transaction.fee_lamports if transaction.account_keys[0] == key else 0
    tip = sum(paid.lamports for paid in tree.payments if paid.source == key and paid.destination in TIP_ACCOUNTS)
    rent = 0
    if key in transaction.account_keys:
        at = transaction.account_keys.index(key)
        rent = _rent_spent(transaction, key, tree)
        by_mint[SOL] += transaction.post_balances[at] - transaction.pre_balances[at] + fee + tip + rent
    return BalanceChange({mint: change for mint, change in by_mint.items() if change}, fee, tip, rent)


def decimals_of(transaction: ChainTransaction) -> dict[Mint, int]:
    """Decimals of every token that the transaction names."""
    rows = (*transaction.pre_token_balances, *transaction.post_token_balances)
    return {row.mint: row.decimals for row in rows} | {SOL: SOL_DECIMALS}


def _rent_spent(transaction: ChainTransaction, wallet: Address, tree: InstructionTree) -> int:
    """Lamports that the wallet put into accounts it opened, less those it got back from accounts that were closed to it."""
    wrapped_before, wrapped_after = (_wrapped_by_account(transaction, sign) for sign in (-1, 1))
    tokens = {transaction.account_keys[row.account_index] for row in (*transaction.pre_token_balances, *transaction.post_token_balances)}
    spent = 0
    for at, key in enumerate(transaction.account_keys):
        before, after = transaction.pre_balances[at], transaction.post_balances[at]
        if key == wallet:
            continue
        if before == 0 and after > 0:
            spent += _opened(transaction, key, wallet, tree, after - wrapped_after.get(key, 0) if key in tokens else None)
        elif before > 0 and after == 0 and key in tokens:
            destination = tree.closed_to.get(key, Address(tree.holding(key).owner or ""))
            spent -= before - wrapped_before.get(key, 0) if destination == wallet else 0
        elif before == after == 0 and key in tree.closed_to:
            spent += _passing(transaction, key, wallet, tree)
        elif before > 0 and key in tree.made:
            spent += tree.lamports_paid_in(key, wallet)
    return spent


def _opened(transaction: ChainTransaction, key: Address, wallet: Address, tree: InstructionTree, held: int | None) -> int:
    """What the wallet put into an account that is new: a token account's all but wrapped SOL, another's what it was made with."""
    if held is not None:
        # a node may keep the inner instructions to itself; a token account is then taken as opened by who paid the fee
        funder = tree.funders.get(key, None if key in tree.paid_in else transaction.account_keys[0])
        return held if funder == wallet else min(held, tree.lamports_paid_in(key, wallet))
    return min(tree.lamports_paid_in(key, wallet), transaction.post_balances[transaction.account_keys.index(key)])


def _passing(transaction: ChainTransaction, key: Address, wallet: Address, tree: InstructionTree) -> int:
    """Rent of a token account opened and closed in the transaction: spent when it went to somebody else, income when it came from one."""
    paid = sum(tree.paid_in.get(key, {}).values())
    # one made by hand for wrapped SOL is made with its rent and its SOL at once
    rent = paid if key in tree.associated or tree.holding(key).mint != SOL else min(paid, _token_rent(transaction))
    is_funder, is_heir = tree.funders.get(key) == wallet, tree.closed_to[key] == wallet
    return rent * (is_funder - is_heir)


def _token_rent(transaction: ChainTransaction) -> int:
    """Lamports of a token account that holds no SOL, from this very transaction; 0 where there is none."""
    rows = [*transaction.pre_token_balances, *transaction.post_token_balances]
    plain = {row.account_index for row in rows if row.mint != SOL and row.program in (None, TOKEN_PROGRAM)}
    held = [balance for at in plain for balance in (transaction.pre_balances[at], transaction.post_balances[at]) if balance]
    return min(held, default=0)


def _wrapped_by_account(transaction: ChainTransaction, sign: int) -> dict[Address, int]:
    rows = transaction.pre_token_balances if sign < 0 else transaction.post_token_balances
    return {transaction.account_keys[row.account_index]: row.amount_raw for row in rows if row.mint == SOL}
