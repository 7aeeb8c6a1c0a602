"""A few thousand replies of `bench fuzz_decode`, and that what it calls wrong is wrong."""

from dataclasses import replace
from random import Random

from bench.fuzz_decode import fault_of, fuzz, seeds, spoil
from tests.fakes.made_swaps import wallet
from tests.fakes.made_transactions import routes

from xorj.chain.transactions import ChainTransaction, TokenBalance
from xorj.primitives.amounts import TokenAmount
from xorj.swaps.decoder import decode
from xorj.swaps.swap import Swap

CASES, SEED = 5_000, 20_261_124


def swap_of(transaction: ChainTransaction) -> Swap:
    outcome = decode(transaction, wallet("ana"))
    assert isinstance(outcome, tuple)
    return outcome[0]


def test_spoiled_replies_crash_nothing_and_make_no_wrong_swap() -> None:
    found = fuzz(CASES, SEED)
    assert (found.crashes, found.wrong) == ([], [])
    assert found.cases == CASES
    # a run in which nearly everything is refused, or nothing is a swap, shows nothing
    assert 0.2 * CASES < found.refused < 0.8 * CASES
    assert min(found.outcomes["swap"], found.outcomes["undecodable"], found.outcomes["not_a_swap"]) > 100


def test_the_same_seed_spoils_alike() -> None:
    reply = seeds()[0][0]
    assert [spoil(reply, Random(5)) for _ in range(2)] == [spoil(reply, Random(5))] * 2
    assert spoil(reply, Random(5)) != spoil(reply, Random(6))


def test_a_swap_that_the_balances_do_not_bear_out_is_called_wrong() -> None:
    (transaction,) = routes(1)
    swap = swap_of(transaction)
    assert fault_of(transaction, (swap,)) is None
    more = TokenAmount(swap.output.mint, swap.output.raw + 1, swap.output.decimals)
    assert "not what changed" in str(fault_of(transaction, (replace(swap, output=more),)))


def test_a_swap_of_tokens_from_nowhere_is_called_wrong() -> None:
    (transaction,) = routes(1)
    row = transaction.post_token_balances[-1]
    minted = TokenBalance(row.account_index, row.mint, row.owner, row.program, row.amount_raw + 1, row.decimals)
    made_up = replace(transaction, post_token_balances=(*transaction.post_token_balances[:-1], minted))
    assert "out of nothing" in str(fault_of(made_up, (swap_of(transaction),)))
