"""Nineteen recorded mainnet transactions decode to what another project's accountants booked for them.

They leave network fee and rent inside a SOL leg, so SOL amounts are compared after adding ours back.
"""

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest
from tests.fakes.made_replies import result_of

from xorj.adapters.solana_rpc.transactions import parse_reply, parse_transaction
from xorj.chain.transactions import ChainTransaction
from xorj.primitives.amounts import LAMPORTS_PER_SOL
from xorj.primitives.ids import SOL, Wallet
from xorj.swaps.decoder import decode, traders
from xorj.swaps.decoders import jupiter_routes
from xorj.swaps.programs import SWAP_PROGRAMS
from xorj.swaps.reading import Reading
from xorj.swaps.swap import NotASwap, Swap

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
EXPECTED = DATA / "solana-transactions.expected.csv"

pytestmark = pytest.mark.skipif(not EXPECTED.exists(), reason=f"the recorded transactions are not at {DATA}")


def rows() -> list[dict[str, str]]:
    return list(csv.DictReader(EXPECTED.open())) if EXPECTED.exists() else []


def transaction_of(signature: str) -> ChainTransaction:
    return parse_transaction(json.loads((DATA / "solana-transactions" / f"{signature}.json").read_text())["result"])


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row['kind']} {row['signature'][:8]}")
def test_a_recorded_transaction_decodes_to_what_was_booked(row: dict[str, str]) -> None:
    transaction, wallet = transaction_of(row["signature"]), Wallet(row["wallet"])
    outcome = decode(transaction, wallet)
    if row["kind"] != "trade":
        assert isinstance(outcome, NotASwap)
        assert outcome.kind.value == row["kind"]
        return
    assert isinstance(outcome, tuple)
    (swap,) = outcome
    rent = 2_039_280 if row["signature"].startswith("5dk9") else 0
    cost = Decimal((swap.network_fee_lamports or 0) + rent) / LAMPORTS_PER_SOL
    sent = swap.input.ui + (cost if swap.input.mint == SOL else 0)
    received = swap.output.ui - (cost if swap.output.mint == SOL else 0)
    assert (sent, received) == (Decimal(row["sent_amount"]), Decimal(row["received_amount"]))


def test_a_keeper_who_fills_an_order_has_no_swap_of_its_own() -> None:
    transaction = transaction_of("4xqxLBqu1ju8eRKb2YiazZxDCdJbLQ8Eh4nEE1zE2WN7GLoyfCes4Cs4fHAcvpf6yNocNv77DfN6oEC7CyYrKAza")
    outcomes = {wallet: decode(transaction, wallet) for wallet in traders(transaction)}
    assert len(outcomes) == 2
    assert [type(one) for one in outcomes.values()] == [NotASwap, tuple]
    swaps = [one for outcome in outcomes.values() if isinstance(outcome, tuple) for one in outcome]
    assert all(isinstance(swap, Swap) and swap.network_fee_lamports == 0 for swap in swaps)


def test_a_fill_tells_what_the_keeper_took() -> None:
    """One in a thousand of what came, in each kind of order."""
    for row in rows():
        if row["kind"] == "trade" and row["wallet"] not in transaction_of(row["signature"]).account_keys[:1]:
            outcome = decode(transaction_of(row["signature"]), Wallet(row["wallet"]))
            assert isinstance(outcome, tuple)
            (swap,) = outcome
            fees = [fee for fee in swap.venue_fees if fee.mint == swap.output.mint]
            assert [0.0009 < fee.raw / (swap.output.raw + fee.raw) < 0.0011 for fee in fees] in ([True], [])
            assert fees or row["wallet"].startswith("7WZc")


@pytest.mark.parametrize("parsed", [False, True], ids=["json", "jsonParsed"])
def test_a_recorded_transaction_is_read_alike_from_either_encoding(parsed: bool) -> None:
    for row in rows():
        transaction = transaction_of(row["signature"])
        written = json.dumps({"jsonrpc": "2.0", "id": 1, "result": result_of(transaction, parsed=parsed)})
        again = parse_reply(written.encode())
        for wallet in {*traders(transaction), Wallet(row["wallet"])}:
            assert decode(again, wallet) == decode(transaction, wallet)


def test_a_recorded_route_asks_for_the_ends_of_its_hops() -> None:
    routes = 0
    for row in rows():
        transaction = transaction_of(row["signature"])
        reading = Reading(transaction, Wallet(transaction.account_keys[0]))
        for route in jupiter_routes.routes_of(reading):
            assert route.authority == reading.key
            assert (route.input_mint, route.output_mint) == (route.hops[0].input_mint, route.hops[-1].output_mint)
            assert all(hop.venue in SWAP_PROGRAMS for hop in route.hops)
            routes += 1
    assert routes == 13
