"""What holds for every transaction: nothing is made or lost, order says nothing, and wrapped SOL is SOL."""

from dataclasses import replace
from random import Random

import orjson
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.fakes.made_replies import result_of
from tests.fakes.made_swaps import VENUE, mint, wallet
from tests.fakes.made_transactions import FEE, RENT, Made, opens

from xorj.adapters.solana_rpc.transactions import parse_reply
from xorj.chain.transactions import ChainTransaction
from xorj.primitives.ids import SOL
from xorj.swaps.balance_change import change_of
from xorj.swaps.decoder import decode
from xorj.swaps.swap import Swap

PEOPLE, TOKENS = ["ana", "ben", "pool"], ["USDC", "BONK", "SOL"]
UNITS = st.integers(0, 10**9)
ANA = wallet("ana")


@st.composite
def transactions(draw: st.DrawFn) -> ChainTransaction:
    """Tokens change hands among three, some accounts of the fee payer are opened or closed, lamports move too."""
    made = Made(payer="ana", also_sign=draw(st.sampled_from([[], ["ben"]])), slot=draw(st.integers(1, 100)))
    for token in TOKENS:
        for who in PEOPLE:
            before, after = (draw(st.one_of(st.none(), UNITS) if who == "ana" else UNITS) for _ in range(2))
            if before is None and after is None:
                continue
            scale = 10**9 if token == "SOL" else 10**6
            made.moves(who, token, *(None if raw is None else f"{raw / scale:.9f}" for raw in (before, after)))
    for who in ("ana", "ben"):
        made.gains_lamports(who, draw(st.integers(-(10**9), 10**9)))
    return made.runs(VENUE).done()


def rows(transaction: ChainTransaction, who: str, sign: int) -> dict[str, int]:
    balances = transaction.post_token_balances if sign > 0 else transaction.pre_token_balances
    return {row.mint: row.amount_raw for row in balances if row.owner == wallet(who)}


@given(transactions())
@settings(max_examples=200, deadline=None)
def test_a_swaps_legs_are_the_wallets_own_change_to_the_unit(transaction: ChainTransaction) -> None:
    outcome = decode(transaction, ANA)
    if not isinstance(outcome, tuple):
        return
    for swap in outcome:
        assert isinstance(swap, Swap)
        for leg, sign in ((swap.input, -1), (swap.output, 1)):
            if leg.mint != SOL:
                change = rows(transaction, "ana", 1).get(leg.mint, 0) - rows(transaction, "ana", -1).get(leg.mint, 0)
                assert sign * leg.raw == change


@given(transactions())
@settings(max_examples=200, deadline=None)
def test_all_lamports_of_a_wallet_are_price_rent_or_fee(transaction: ChainTransaction) -> None:
    change = change_of(transaction, ANA)
    held = [at for at, key in enumerate(transaction.account_keys) if at == 0 or key in owned(transaction)]
    total = sum(transaction.post_balances[at] - transaction.pre_balances[at] for at in held)
    stayed = sum(wrapped(transaction, sign) * sign for sign in (-1, 1))
    rent_held = sum(rent(transaction, at) for at in held[1:])
    assert change.by_mint.get(SOL, 0) == transaction.post_balances[0] - transaction.pre_balances[0] + FEE + stayed + rent_held
    assert total == change.by_mint.get(SOL, 0) - FEE


def owned(transaction: ChainTransaction) -> set[str]:
    every = (*transaction.pre_token_balances, *transaction.post_token_balances)
    return {transaction.account_keys[row.account_index] for row in every if row.owner == ANA}


def wrapped(transaction: ChainTransaction, sign: int) -> int:
    return rows(transaction, "ana", sign).get(SOL, 0)


def rent(transaction: ChainTransaction, at: int) -> int:
    before, after = transaction.pre_balances[at], transaction.post_balances[at]
    return RENT * ((after > 0) - (before > 0))


@given(transactions(), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_the_order_of_accounts_and_balance_rows_says_nothing(transaction: ChainTransaction, random: Random) -> None:
    assume(transaction.pre_token_balances and transaction.post_token_balances)
    pre, post = list(transaction.pre_token_balances), list(transaction.post_token_balances)
    random.shuffle(pre)
    random.shuffle(post)
    shuffled = replace(transaction, pre_token_balances=tuple(pre), post_token_balances=tuple(post))
    assert decode(shuffled, ANA) == decode(transaction, ANA)


@given(st.integers(1, 10**12), st.integers(1, 10**9))
@settings(max_examples=100, deadline=None)
def test_sol_is_sol_wherever_it_is_kept(lamports: int, units: int) -> None:
    got = f"{units / 10**6:.6f}"
    sol = f"{lamports / 10**9:.9f}"
    ways = [
        Made().moves("ana", "BONK", "0", got).gains_lamports("ana", -lamports),
        Made().moves("ana", "BONK", "0", got).moves("ana", "SOL", sol, "0"),
        Made().moves("ana", "BONK", None, got).gains_lamports("ana", -lamports - RENT),
        Made().moves("ana", "BONK", "0", got).moves("ana", "SOL", sol, None).gains_lamports("ana", RENT),
    ]
    for made in ways:
        outcome = decode(made.runs(VENUE, opens("ana", "ana", "BONK")).done(), ANA)
        assert isinstance(outcome, tuple), outcome
        (swap,) = outcome
        assert (swap.input.mint, swap.input.raw) == (SOL, lamports)
        assert (swap.output.mint, swap.output.raw) == (mint("BONK"), units)


@given(transactions())
@settings(max_examples=100, deadline=None)
def test_a_transaction_is_read_alike_from_either_encoding(transaction: ChainTransaction) -> None:
    for parsed in (False, True):
        read = parse_reply(orjson.dumps({"jsonrpc": "2.0", "id": 1, "result": result_of(transaction, parsed=parsed)}))
        assert read == parse_reply(orjson.dumps(result_of(transaction, parsed=parsed)))
        assert (read.pre_token_balances, read.post_token_balances) == (transaction.pre_token_balances, transaction.post_token_balances)
        for who in PEOPLE:
            assert decode(read, wallet(who)) == decode(transaction, wallet(who))
