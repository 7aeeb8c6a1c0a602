"""One rule of decoding a test: what a transaction was for a wallet, told by balances before and after."""

from dataclasses import replace

import pytest
from tests.fakes.made_swaps import VENUE, amount, mint, wallet
from tests.fakes.made_transactions import (
    FEE,
    RENT,
    Made,
    account,
    burns,
    closes,
    creates,
    mints,
    opens,
    sends_lamports,
    swap_transaction,
    token_account,
    transfers,
)

from xorj.chain.transactions import ChainTransaction
from xorj.primitives.ids import SOL, Address
from xorj.swaps.decoder import decode, traders
from xorj.swaps.programs import JUPITER_V6, LENDING_PROGRAMS, STAKE_PROGRAMS
from xorj.swaps.swap import NotASwap, NotASwapKind, Swap, Undecodable
from xorj.swaps.tip_accounts import TIP_ACCOUNTS

ANA, BEN = wallet("ana"), wallet("ben")
TIP_ACCOUNT = sorted(TIP_ACCOUNTS)[0]


def one_swap(transaction: ChainTransaction, who: str = "ana") -> Swap:
    outcome = decode(transaction, wallet(who))
    assert isinstance(outcome, tuple), outcome
    (swap,) = outcome
    return swap


def legs(transaction: ChainTransaction, who: str = "ana") -> tuple[str, str]:
    swap = one_swap(transaction, who)
    return tuple(f"{leg.raw} {leg.mint}" for leg in (swap.input, swap.output))  # type: ignore[return-value]


def expected(gives: str, gets: str) -> tuple[str, str]:
    return tuple(f"{amount(text).raw} {amount(text).mint}" for text in (gives, gets))  # type: ignore[return-value]


def kind(transaction: ChainTransaction, who: str = "ana") -> NotASwapKind | str:
    outcome = decode(transaction, wallet(who))
    if isinstance(outcome, Undecodable):
        return outcome.reason
    assert isinstance(outcome, NotASwap), outcome
    return outcome.kind


def test_one_token_down_and_another_up_through_a_venue_is_a_swap() -> None:
    transaction = swap_transaction("ana", "100 USDC", "7 BONK", slot=5, index=3)
    swap = one_swap(transaction)
    assert legs(transaction) == expected("100 USDC", "7 BONK")
    assert (swap.order.slot, swap.order.transaction_index, swap.order.instruction_index) == (5, 3, 0)
    assert (swap.network_fee_lamports, swap.tip_lamports, swap.programs) == (FEE, 0, (VENUE,))


def test_without_a_swap_program_the_same_balances_are_a_transfer() -> None:
    assert kind(swap_transaction("ana", "100 USDC", "7 BONK", slot=5, venue=Address(mint("no venue")))) is NotASwapKind.TRANSFER


def test_a_failed_transaction_is_no_swap_whatever_it_cost() -> None:
    failed = replace(swap_transaction("ana", "100 USDC", "7 BONK", slot=5), error='{"InstructionError":[0,"Custom"]}')
    assert kind(failed) is NotASwapKind.FAILED


def test_the_taker_need_not_pay_the_fee() -> None:
    made = Made(payer="relayer", also_sign=["ana"]).moves("ana", "USDC", "100", "40").moves("ana", "BONK", "0", "5").runs(VENUE).done()
    assert legs(made) == expected("60 USDC", "5 BONK")
    assert one_swap(made).network_fee_lamports == 0
    assert kind(made, "relayer") is NotASwapKind.OTHER


def test_sol_through_an_account_that_lives_for_the_transaction_is_in_the_lamports() -> None:
    temporary = account("temporary")
    made = (
        Made(fee=6_000)
        .moves("ana", "USDC", "0", "4")
        .gains_lamports("ana", -2_000_000_000)
        .runs(VENUE, creates("ana", temporary), closes(temporary, "ana"))
        .done()
    )
    assert legs(made) == expected("2 SOL", "4 USDC")
    assert one_swap(made).network_fee_lamports == 6_000


@pytest.mark.parametrize(("before", "after"), [("5", "3"), ("5", "0")])
def test_wrapped_sol_that_stays_is_a_token_row(before: str, after: str) -> None:
    sold = float(before) - float(after)
    made = Made().moves("ana", "SOL", before, after).moves("ana", "USDC", "0", "9").runs(VENUE).done()
    assert legs(made) == expected(f"{sold} SOL", "9 USDC")


def test_wrapping_and_unwrapping_change_nothing_and_are_no_swap() -> None:
    made = Made().moves("ana", "SOL", None, "2").gains_lamports("ana", -2_000_000_000 - RENT).runs(VENUE, opens("ana", "ana", "SOL")).done()
    assert kind(made) is NotASwapKind.OTHER


def test_rent_of_an_opened_account_is_not_part_of_the_price() -> None:
    made = (
        Made().moves("ana", "BONK", None, "5").gains_lamports("ana", -1_000_000_000 - RENT).runs(VENUE, opens("ana", "ana", "BONK")).done()
    )
    assert legs(made) == expected("1 SOL", "5 BONK")


def test_rent_of_a_closed_account_is_not_part_of_the_proceeds() -> None:
    bonk = token_account("ana", "BONK")
    made = Made().moves("ana", "BONK", "5", None).gains_lamports("ana", 1_000_000_000 + RENT).runs(VENUE, closes(bonk, "ana")).done()
    assert legs(made) == expected("5 BONK", "1 SOL")


def test_rent_that_somebody_else_paid_is_no_income() -> None:
    made = (
        Made(payer="relayer", also_sign=["ana"])
        .moves("ana", "BONK", None, "5")
        .gains_lamports("relayer", -RENT)
        .gains_lamports("ana", -1_000_000_000)
        .runs(VENUE, opens("relayer", "ana", "BONK"))
        .done()
    )
    assert legs(made) == expected("1 SOL", "5 BONK")


def test_a_tip_is_counted_apart_from_the_price() -> None:
    made = (
        Made()
        .moves("ana", "BONK", "0", "5")
        .gains_lamports("ana", -1_000_000_000 - 21_000)
        .runs(VENUE, sends_lamports("ana", TIP_ACCOUNT, 21_000))
        .done()
    )
    assert legs(made) == expected("1 SOL", "5 BONK")
    assert one_swap(made).tip_lamports == 21_000


def test_a_little_sol_beside_two_other_tokens_is_cost_and_much_is_not_understood() -> None:
    def made(lamports: int) -> ChainTransaction:
        tokens = Made().moves("ana", "USDC", "9", "4").moves("ana", "BONK", "0", "5")
        return tokens.gains_lamports("ana", -lamports).runs(VENUE).done()

    assert legs(made(900_000)) == expected("5 USDC", "5 BONK")
    assert kind(made(900_000_000)) == "2 tokens given and 1 received"


def test_what_passes_through_the_wallet_is_a_hop_and_its_leftover_dust() -> None:
    hop = token_account("ana", "WIF")
    flows = (transfers(account("pool"), hop, 7_000_000), transfers(hop, account("pool"), 6_999_999))
    made = Made().moves("ana", "USDC", "9", "4").moves("ana", "BONK", "0", "5").moves("ana", "WIF", "1", "1.000001").runs(VENUE, *flows)
    assert legs(made.done()) == expected("5 USDC", "5 BONK")


def test_one_token_out_and_in_again_is_arbitrage() -> None:
    usdc = token_account("ana", "USDC")
    flows = (transfers(usdc, account("pool"), 5_000_000), transfers(account("pool"), usdc, 5_010_000))
    assert kind(Made().moves("ana", "USDC", "9", "9.01").runs(VENUE, *flows).done()) is NotASwapKind.ARBITRAGE


def test_a_token_that_the_pool_minted_for_the_deposit_is_liquidity() -> None:
    share = token_account("ana", "SHARE")
    made = Made().moves("ana", "USDC", "9", "4").moves("ana", "SHARE", "0", "2").runs(VENUE, mints("SHARE", share, 2_000_000))
    assert kind(made.done()) is NotASwapKind.LIQUIDITY


def test_a_share_burned_for_two_tokens_is_liquidity() -> None:
    share = token_account("ana", "SHARE")
    made = Made().moves("ana", "USDC", "4", "9").moves("ana", "BONK", "0", "2").moves("ana", "SHARE", "2", "0")
    assert kind(made.runs(VENUE, burns("SHARE", share, 2_000_000)).done()) is NotASwapKind.LIQUIDITY


def test_a_token_minted_on_a_routers_way_is_a_swap() -> None:
    staked = token_account("ana", "LST")
    made = Made().moves("ana", "USDC", "9", "4").moves("ana", "LST", "0", "2")
    assert legs(made.runs(JUPITER_V6, mints("LST", staked, 2_000_000)).runs(VENUE).done()) == expected("5 USDC", "2 LST")


@pytest.mark.parametrize(
    ("program", "named"),
    [(sorted(STAKE_PROGRAMS)[0], NotASwapKind.STAKE), (sorted(LENDING_PROGRAMS)[0], NotASwapKind.LEND)],
    ids=["stake", "lend"],
)
def test_staking_and_lending_never_become_swaps(program: Address, named: NotASwapKind) -> None:
    receipt = token_account("ana", "RECEIPT")
    made = Made().moves("ana", "USDC", "9", "4").moves("ana", "RECEIPT", "0", "5").runs(program, mints("RECEIPT", receipt, 5_000_000))
    assert kind(made.done()) is named


def test_two_tokens_for_two_is_not_guessed() -> None:
    made = Made().moves("ana", "USDC", "9", "4").moves("ana", "USDT", "9", "4").moves("ana", "BONK", "0", "5").moves("ana", "WIF", "0", "5")
    assert kind(made.runs(VENUE).done()) == "2 tokens given and 2 received"


def test_who_only_receives_from_anothers_swap_made_none() -> None:
    made = Made(payer="ana").moves("ana", "USDC", "9", "4").moves("ben", "BONK", "0", "5").runs(VENUE).done()
    assert kind(made, "ben") is NotASwapKind.TRANSFER


def test_without_a_time_nothing_is_placed_in_a_day() -> None:
    assert kind(replace(swap_transaction("ana", "1 SOL", "9 USDC", slot=1), block_time=None)) == "the node gives no block time"


def test_traders_are_signers_and_those_on_the_curve_whose_balances_changed_like_a_trade() -> None:
    made = Made(payer="relayer", also_sign=["ana"]).moves("ana", "USDC", "9", "4").moves("ana", "BONK", "0", "5").runs(VENUE).done()
    assert traders(made) == (wallet("relayer"), ANA)
    assert SOL not in {wallet("relayer"), ANA, BEN}
