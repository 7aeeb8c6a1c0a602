"""What a leader held before each of his transactions, counted back from what he holds now. Used by follow_leaders; pure."""

from collections.abc import Mapping, Sequence

from xorj.chain.transactions import ChainTransaction
from xorj.primitives.ids import SOL, Address, Mint, Wallet
from xorj.swaps.balance_change import change_of

Balances = Mapping[Mint, int]


def before_each(leader: Wallet, transactions: Sequence[ChainTransaction], now: Balances) -> list[dict[Mint, int]]:
    """`transactions` oldest first, `now` what is held after the last of them. Native and wrapped SOL are one.

    What a transaction itself shows of its beginning outranks what was counted back: `now` may have been read a moment too late.
    """
    found: list[dict[Mint, int]] = []
    held = dict(now)
    for transaction in reversed(transactions):
        for mint, change in change_of(transaction, leader).by_mint.items():
            held[mint] = max(0, held.get(mint, 0) - change)
        held |= shown_before(leader, transaction)
        found.append(dict(held))
    return found[::-1]


def shown_before(leader: Wallet, transaction: ChainTransaction) -> dict[Mint, int]:
    """The leader's balances that the transaction names, as they were before it."""
    shown: dict[Mint, int] = {}
    for row in transaction.pre_token_balances:
        if row.owner == leader:
            shown[row.mint] = shown.get(row.mint, 0) + row.amount_raw
    if Address(leader) in transaction.account_keys:
        shown[SOL] = shown.get(SOL, 0) + transaction.pre_balances[transaction.account_keys.index(Address(leader))]
    return shown
