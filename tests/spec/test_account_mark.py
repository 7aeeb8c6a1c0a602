"""Who is no trader: accounts of programs, and wallets that make round trips."""

from dataclasses import replace

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tests.fakes.made_swaps import record, swapped

from xorj.primitives.ids import Wallet
from xorj.swaps.account_mark import AccountMark, account_mark
from xorj.swaps.record import Record
from xorj.swaps.swap import NotASwap, NotASwapKind

# one with a key, and one that nobody has a key of
OF_A_PERSON = Wallet(str(Keypair.from_seed(bytes(32)).pubkey()))
OF_A_PROGRAM = Wallet(str(Pubkey.find_program_address([b"vault"], Pubkey.default())[0]))


def history(swaps: int, round_trips: int, transfers: int) -> list[Record]:
    done = [swapped("ana", "9 USDC", "1 SOL", slot=slot) for slot in range(swaps)]
    done += [record("ana", NotASwap(NotASwapKind.ARBITRAGE), slot=100 + slot) for slot in range(round_trips)]
    done += [record("ana", slot=200 + slot) for slot in range(transfers)]
    return [replace(one, wallet=OF_A_PERSON) for one in done]


@pytest.mark.parametrize(
    ("swaps", "round_trips", "transfers", "mark"),
    [
        (3, 0, 9, None),
        (3, 3, 0, None),
        (3, 4, 0, AccountMark.ARBITRAGE),
        (0, 1, 9, AccountMark.ARBITRAGE),
        (0, 0, 1, None),
    ],
)
def test_more_round_trips_than_swaps_are_arbitrage(swaps: int, round_trips: int, transfers: int, mark: AccountMark | None) -> None:
    assert account_mark(history(swaps, round_trips, transfers)) == mark


def test_an_account_that_a_program_made_is_internal_whatever_it_does() -> None:
    assert account_mark([replace(one, wallet=OF_A_PROGRAM) for one in history(1, 9, 0)]) is AccountMark.INTERNAL


def test_of_nothing_nothing_is_said() -> None:
    with pytest.raises(ValueError, match="no records"):
        account_mark([])
