"""However a node's reply is spoiled, it is either refused by the path of a field or decoded to a swap that the balances bear out."""

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.made_swaps import wallet
from tests.unit.test_history_commands import reply

from xorj.adapters.solana_rpc.transactions import parse_transaction
from xorj.chain.transactions import ChainTransaction
from xorj.primitives.errors import InvalidInput
from xorj.primitives.ids import SOL, Address, Wallet
from xorj.swaps.decoder import decode, traders
from xorj.swaps.swap import Swap

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=True),
    st.text(max_size=8),
    st.sampled_from(["5", "-5", "1e9", "legacy", "18446744073709551616", wallet("ana"), wallet("ben")]),
    st.lists(st.integers(0, 3), max_size=3),
    st.dictionaries(st.sampled_from(["amount", "pubkey", "err"]), st.integers(0, 9), max_size=2),
)


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(path for key, one in inner for path in paths(one, (*here, key)))]


@st.composite
def spoiled(draw: st.DrawFn) -> Any:
    whole: Any = {"reply": copy.deepcopy(reply())}
    for _ in range(draw(st.integers(1, 3))):
        known = [path for path in paths(whole) if path]
        path = draw(st.sampled_from(known))
        parent = whole
        for key in path[:-1]:
            parent = parent[key]
        if draw(st.booleans()) and len(path) > 1:
            del parent[path[-1]]
        else:
            parent[path[-1]] = draw(JUNK)
    return whole["reply"]


@given(spoiled())
@settings(max_examples=300, deadline=None)
def test_a_spoiled_reply_never_crashes_and_never_makes_up_a_swap(given_reply: Any) -> None:
    try:
        transaction = parse_transaction(given_reply)
    except InvalidInput:
        return
    for who in traders(transaction):
        outcome = decode(transaction, who)
        for swap in outcome if isinstance(outcome, tuple) else ():
            assert borne_out(transaction, swap)


def borne_out(transaction: ChainTransaction, swap: Swap) -> bool:
    told = {row.account_index: row.owner for row in (*transaction.pre_token_balances, *transaction.post_token_balances) if row.owner}
    for leg, sign in ((swap.input, -1), (swap.output, 1)):
        rows = ((-1, transaction.pre_token_balances), (1, transaction.post_token_balances))
        owned = ((side, row) for side, held in rows for row in held if (row.owner or told.get(row.account_index)) == swap.wallet)
        change = sum(side * row.amount_raw for side, row in owned if row.mint == leg.mint)
        if leg.mint == SOL:
            at = transaction.account_keys.index(Address(swap.wallet))
            lamports = transaction.post_balances[at] - transaction.pre_balances[at] + rent_of_opened(transaction, swap.wallet)
            change += lamports + (swap.network_fee_lamports or 0) + swap.tip_lamports
        if sign * leg.raw != change:
            return False
    return True


def rent_of_opened(transaction: ChainTransaction, owner: Wallet) -> int:
    """Lamports put into the owner's token accounts that were opened, less those of closed ones; neither has SOL in it here."""
    owned = {row.account_index for row in (*transaction.pre_token_balances, *transaction.post_token_balances) if row.owner == owner}
    ends = ((transaction.pre_balances[at], transaction.post_balances[at]) for at in owned)
    return sum(after - before for before, after in ends if (before == 0) != (after == 0))
