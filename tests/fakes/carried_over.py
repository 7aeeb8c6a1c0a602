"""Made transactions as one chain would have them: every balance begins where the transaction before left it."""

from collections.abc import Sequence
from dataclasses import replace

from xorj.chain.transactions import ChainTransaction, TokenBalance
from xorj.primitives.ids import Address


def carried_over(transactions: Sequence[ChainTransaction]) -> list[ChainTransaction]:
    """In the chain's order, with the same changes. An account begins as its first transaction says, which must be enough for all."""
    held: dict[Address, int] = {}
    tokens: dict[Address, int] = {}
    return [_after(held, tokens, one) for one in sorted(transactions, key=lambda one: (one.slot, one.transaction_index or 0))]


def _after(held: dict[Address, int], tokens: dict[Address, int], one: ChainTransaction) -> ChainTransaction:
    keys = one.account_keys
    pre = tuple(held.get(key, raw) for key, raw in zip(keys, one.pre_balances, strict=True))
    post = tuple(was + after - before for was, before, after in zip(pre, one.pre_balances, one.post_balances, strict=True))
    held |= dict(zip(keys, post, strict=True))
    before = {keys[row.account_index]: row for row in one.pre_token_balances}
    after = {keys[row.account_index]: row for row in one.post_token_balances}
    began, ended = list[TokenBalance](), list[TokenBalance]()
    for key in dict.fromkeys((*before, *after)):
        row = before.get(key) or after[key]
        raw_before, raw_after = (rows[key].amount_raw if key in rows else 0 for rows in (before, after))
        was = tokens.get(key, raw_before)
        began.append(_with(row, was))
        ended.append(_with(row, was + raw_after - raw_before))
        tokens[key] = was + raw_after - raw_before
    return replace(one, pre_balances=pre, post_balances=post, pre_token_balances=tuple(began), post_token_balances=tuple(ended))


def _with(row: TokenBalance, raw: int) -> TokenBalance:
    if raw < 0:
        raise ValueError("more is given than is held: let the first transaction hold more")
    return TokenBalance(row.account_index, row.mint, row.owner, row.program, raw, row.decimals)
