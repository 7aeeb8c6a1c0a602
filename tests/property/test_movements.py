"""Whatever a transaction was, its movements are the wallet's whole change of balance, fee, tip and rent included, to the unit."""

from collections import Counter

import pytest
from hypothesis import given, settings
from tests.fakes.made_swaps import VENUE, wallet
from tests.fakes.made_transactions import Made, account, routes, sends_lamports, token_account, transfers
from tests.property.test_swap_decoder import transactions
from tests.spec.test_swap_decoder_recorded import DATA, EXPECTED, rows, transaction_of

from xorj.chain.transactions import ChainTransaction
from xorj.primitives.ids import SOL, Address, Mint, Wallet
from xorj.swaps.decoder import decode, traders
from xorj.swaps.movement import MovementKind, movements
from xorj.swaps.pool_hops import facts_of, pool_hops
from xorj.swaps.programs import discriminator

PUMP = Address("6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P")


def whole_change(transaction: ChainTransaction, who: Wallet) -> dict[Mint, int]:
    """Straight from the balances: nothing is left out."""
    change: Counter[Mint] = Counter()
    for sign, held in ((-1, transaction.pre_token_balances), (1, transaction.post_token_balances)):
        for row in held:
            if row.owner == who:
                change[row.mint] += sign * row.amount_raw
    if Address(who) in transaction.account_keys:
        at = transaction.account_keys.index(Address(who))
        change[SOL] += transaction.post_balances[at] - transaction.pre_balances[at]
    return {mint: raw for mint, raw in change.items() if raw}


def moved(transaction: ChainTransaction, who: Wallet) -> dict[Mint, int]:
    total: Counter[Mint] = Counter()
    for one in movements(transaction, who, decode(transaction, who)):
        total[one.mint] += one.raw
    return {mint: raw for mint, raw in total.items() if raw}


@given(transactions())
@settings(max_examples=200, deadline=None)
def test_movements_add_up_to_the_change_of_balance(transaction: ChainTransaction) -> None:
    for name in ("ana", "ben", "pool"):
        assert moved(transaction, wallet(name)) == whole_change(transaction, wallet(name))


@pytest.mark.skipif(not EXPECTED.exists(), reason=f"the recorded transactions are not at {DATA}")
def test_recorded_transactions_add_up_for_whoever_took_part() -> None:
    for row in rows():
        transaction = transaction_of(row["signature"])
        owners = {row.owner for row in (*transaction.pre_token_balances, *transaction.post_token_balances) if row.owner}
        for who in {*owners, *traders(transaction), Wallet(row["wallet"])}:
            assert moved(transaction, who) == whole_change(transaction, who)


@pytest.mark.skipif(not EXPECTED.exists(), reason=f"the recorded transactions are not at {DATA}")
def test_a_recorded_pool_took_what_its_reserve_gained() -> None:
    """Every hop of the recorded transactions through a pool that is called once; a pool keeps its own fee in its reserve."""
    hops = 0
    for row in rows():
        transaction, who = transaction_of(row["signature"]), Wallet(row["wallet"])
        for hop in pool_hops(transaction, who):
            into, out_of = hop.reserve_in, hop.reserve_out
            assert None not in (into.before_raw, into.after_raw, out_of.before_raw, out_of.after_raw)
            assert (into.after_raw or 0) - (into.before_raw or 0) == hop.taken_raw
            assert (out_of.before_raw or 0) - (out_of.after_raw or 0) == hop.given_raw
            hops += 1
    assert hops >= 25


def test_a_swap_over_one_pool_has_its_reserves_and_over_several_none() -> None:
    direct, over_two = routes(2)
    for transaction, hops in ((direct, 1), (over_two, 2)):
        outcome = decode(transaction, wallet("ana"))
        assert isinstance(outcome, tuple)
        facts = facts_of(transaction, outcome[0])
        assert (facts.hops, facts.fee_payer) == (hops, Address(wallet("ana")))
        if hops == 1:
            assert facts.reserve_in is not None
            assert (facts.reserve_in.before_raw, facts.reserve_in.after_raw) == (900_000_000, 905_000_000)
        else:
            assert facts.pool is facts.reserve_in is facts.reserve_out is None


def test_what_a_venue_sends_to_others_is_its_fee() -> None:
    """A pool takes 5 USDC and another account 0.05 for it; a curve takes one SOL and its makers a hundredth."""
    flows = (
        transfers(token_account("ana", "USDC"), token_account("pool", "USDC"), 5_000_000, "ana"),
        transfers(token_account("ana", "USDC"), token_account("fees", "USDC"), 50_000, "ana"),
        transfers(token_account("pool", "BONK"), token_account("ana", "BONK"), 7_000_000),
    )
    held = Made().moves("pool", "USDC", "9", "14").moves("pool", "BONK", "9", "2")
    pooled = held.moves("ana", "USDC", "5.05", "0").moves("ana", "BONK", "0", "7").runs(VENUE, *flows).done()
    (hop,) = pool_hops(pooled, wallet("ana"))
    assert (hop.taken_raw, hop.fee_in_raw, hop.given_raw, hop.fee_out_raw) == (5_000_000, 50_000, 7_000_000, 0)

    curve, sol = account("curve"), 10**9
    bought = (sends_lamports("ana", curve, sol), sends_lamports("ana", account("makers"), sol // 100))
    paid = (
        Made()
        .moves("ana", "BONK", "0", "7")
        .moves("curve", "BONK", "9", "2")
        .gains_lamports("ana", -sol - sol // 100)
        .has(curve, 5, sol + 5)
    )
    token = transfers(token_account("curve", "BONK"), token_account("ana", "BONK"), 7_000_000)
    accounts = [account("global"), account("fees"), account("mint"), curve]
    (hop,) = pool_hops(paid.runs(PUMP, *bought, token, accounts=accounts, data=discriminator("buy")).done(), wallet("ana"))
    assert (hop.pool, hop.taken_raw, hop.fee_in_raw, hop.given_raw) == (curve, sol, sol // 100, 7_000_000)
    assert (hop.reserve_in.before_raw, hop.reserve_in.after_raw) == (5, sol + 5)


def test_a_transfer_names_the_other_side() -> None:
    sent = Made().gains_lamports("ana", -7).gains_lamports("ben", 7).runs(account("note"), sends_lamports("ana", "ben", 7)).done()
    told = {name: movements(sent, wallet(name), decode(sent, wallet(name))) for name in ("ana", "ben")}
    assert [(one.kind, one.raw, one.counterparty) for one in told["ana"]] == [
        (MovementKind.NETWORK_FEE, -5_000, None),
        (MovementKind.TRANSFER, -7, account("ben")),
    ]
    assert [(one.kind, one.raw, one.counterparty) for one in told["ben"]] == [(MovementKind.TRANSFER, 7, account("ana"))]
