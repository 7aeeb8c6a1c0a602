"""The eleven rules of reading a swap from a transaction, each with transactions that break a decoder without it.

`VENUE` is a pool. Names stand for addresses; `pool's X` is the pool's reserve of X.
"""

import struct
from dataclasses import replace

import pytest
from solders.pubkey import Pubkey
from solders.token.associated import get_associated_token_address
from tests.fakes.made_orders import dca_filled, routed, value_average_filled
from tests.fakes.made_swaps import VENUE, amount, mint, wallet
from tests.fakes.made_transactions import (
    FEE,
    RENT,
    Made,
    account,
    allocates,
    burns,
    closes,
    creates,
    initializes,
    mints,
    opens,
    sends_lamports,
    token_account,
    transfers,
    transfers_less_fee,
)

from xorj.chain.transactions import ChainInstruction, ChainTransaction, InnerInstructions, TokenBalance
from xorj.primitives.ids import Address
from xorj.swaps.decoder import decode, traders
from xorj.swaps.programs import (
    JUPITER_DCA,
    JUPITER_LIMIT_V2,
    JUPITER_V6,
    JUPITER_VALUE_AVERAGE,
    LENDING_PROGRAMS,
    LIQUIDITY_PROGRAMS,
    SANCTUM_ROUTER,
    STAKE_PROGRAMS,
    SWAP_PROGRAMS,
    SYSTEM_PROGRAM,
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
    discriminator,
)
from xorj.swaps.swap import NotASwap, Swap, Undecodable
from xorj.swaps.tip_accounts import TIP_ACCOUNTS

WHIRLPOOL = Address("whirLbMiicVdio4qvUfM5KAg6Ct8VwpYzGff3uctyCc")
PUMP = Address("6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P")
ORDER_ENGINE = Address("61DFfeTKM7trxYcPQCM78bJ794ddZprZpAwAnLiwTpYH")
SWAP, DEPOSIT = discriminator("swap"), discriminator("increase_liquidity")
JITO = "DfXygSm4jCyNCybVYYK6DwvWqjKee8pbDmJGcLWNDXjh"
STAKE_POOL = Address("SPoo1Ku8WFXoNDMHPsrGSTSG1Y47rzgn41SLUNakuHy")
SOL_1 = 1_000_000_000


def told(transaction: ChainTransaction, who: str = "ana") -> str:
    """`5 USDC > 7 BONK` in raw units for each swap, else the kind, else the reason."""
    outcome = decode(transaction, wallet(who))
    if isinstance(outcome, NotASwap):
        return outcome.kind.value
    if isinstance(outcome, Undecodable):
        return outcome.reason
    return ", ".join(f"{swap.input.raw} {named(swap.input.mint)} > {swap.output.raw} {named(swap.output.mint)}" for swap in outcome)


def named(address: str) -> str:
    return next(name for name in ("USDC", "USDT", "SOL", "BONK", "WIF", "LST", "SHARE", "RECEIPT", "NFT") if mint(name) == address)


def swap_of(transaction: ChainTransaction, who: str = "ana") -> Swap:
    outcome = decode(transaction, wallet(who))
    assert isinstance(outcome, tuple), outcome
    return outcome[0]


def between(source: tuple[str, str], destination: tuple[str, str], text: str) -> ChainInstruction:
    return transfers(token_account(*source), token_account(*destination), amount(text).raw, source[0])


def hop(who: str, gives: str, gets: str) -> tuple[ChainInstruction, ...]:
    """The two transfers of a swap against the pool."""
    paid, bought = gives.split()[1], gets.split()[1]
    return between((who, paid), ("pool", paid), gives), between(("pool", bought), (who, bought), gets)


def usdc_for_bonk(made: Made, gives: str = "5", gets: str = "7", who: str = "ana") -> Made:
    return made.moves(who, "USDC", gives, "0").moves(who, "BONK", "0", gets)


# 1. The fee payer is not always the trader.


def test_rule_1_a_maker_pays_the_fee_and_the_taker_signs_second() -> None:
    made = (
        Made(payer="maker", also_sign=["ana"])
        .moves("ana", "USDC", "5", "0")
        .moves("ana", "SOL", "0", "0")
        .moves("maker", "USDC", "0", "5")
        .gains_lamports("maker", -SOL_1)
        .gains_lamports("ana", SOL_1)
        .runs(ORDER_ENGINE, sends_lamports("maker", "ana", SOL_1), data=discriminator("fill"), accounts=[account("ana"), account("maker")])
        .done()
    )
    assert (told(made, "ana"), told(made, "maker")) == ("5000000 USDC > 1000000000 SOL", "1000000000 SOL > 5000000 USDC")
    assert (swap_of(made, "ana").network_fee_lamports, swap_of(made, "maker").network_fee_lamports) == (0, FEE)
    assert traders(made) == (wallet("maker"), wallet("ana"))


def test_rule_1_a_relayer_who_only_pays_has_no_swap() -> None:
    made = usdc_for_bonk(Made(payer="relayer", also_sign=["ana"])).runs(VENUE).done()
    assert (told(made, "ana"), told(made, "relayer")) == ("5000000 USDC > 7000000 BONK", "other")


# 2. Rent is what the accounts hold, never a constant.


@pytest.mark.parametrize("rent", [RENT, 1_488_440, 2_157_600])
def test_rule_2_rent_is_read_from_the_accounts(rent: int) -> None:
    bonk = token_account("ana", "BONK")
    made = Made(rent=rent).moves("ana", "BONK", None, "7").gains_lamports("ana", -SOL_1 - rent)
    assert told(made.runs(VENUE, opens("ana", "ana", "BONK"), creates("ana", bonk, rent)).done()) == "1000000000 SOL > 7000000 BONK"


def test_rule_2_rent_of_a_programs_account_is_no_part_of_the_price() -> None:
    record = account("volume record")
    made = (
        Made()
        .moves("ana", "BONK", "0", "7")
        .gains_lamports("ana", -SOL_1 - 1_346_880)
        .has(record, 0, 1_346_880)
        .runs(VENUE, creates("ana", record, 1_346_880))
    )
    assert told(made.done()) == "1000000000 SOL > 7000000 BONK"


def test_rule_2_what_a_buyer_pays_into_a_new_curve_is_price_and_only_its_rent_is_not() -> None:
    curve = account("curve")
    made = (
        Made()
        .moves("ana", "BONK", "0", "7")
        .gains_lamports("ana", -SOL_1 - 1_231_920)
        .has(curve, 0, SOL_1 + 1_231_920)
        .runs(PUMP, creates("ana", curve, 1_231_920), mints("BONK", token_account("curve", "BONK"), 10**15), data=discriminator("create"))
        .runs(PUMP, sends_lamports("ana", curve, SOL_1), data=discriminator("buy"))
    )
    assert told(made.done()) == "1000000000 SOL > 7000000 BONK"


def test_rule_2_an_account_that_somebody_sent_dust_to_is_still_opened_by_who_made_it() -> None:
    bonk = token_account("ana", "BONK")
    made = Made(dust_lamports={("ana", "BONK"): 100}).moves("ana", "BONK", None, "7").gains_lamports("ana", -SOL_1 - RENT + 100)
    making = (opens("ana", "ana", "BONK"), sends_lamports("ana", bonk, RENT - 100), allocates(bonk))
    assert told(made.runs(VENUE, *making).done()) == "1000000000 SOL > 7000000 BONK"


def test_rule_2_rent_that_goes_to_another_is_not_the_sellers_income_or_price() -> None:
    bonk = token_account("ana", "BONK")
    sold = Made(payer="relayer", also_sign=["ana"]).moves("ana", "BONK", "7", None).moves("ana", "USDC", "0", "5")
    made = sold.gains_lamports("relayer", RENT).runs(VENUE, closes(bonk, "relayer")).done()
    assert (told(made, "ana"), told(made, "relayer")) == ("7000000 BONK > 5000000 USDC", "other")


# 3. SOL through a wrapped account that lives only in the transaction.


@pytest.mark.parametrize("by", ["ana", "relayer"], ids=["own", "a relayer's"])
def test_rule_3_sol_that_comes_through_a_temporary_account_is_in_the_lamports(by: str) -> None:
    temporary = token_account("ana", "SOL")
    rent = RENT if by == "relayer" else 0
    made = (
        Made(payer=by, also_sign=[] if by == "ana" else ["ana"])
        .moves("ana", "USDC", "5", "0")
        .gains_lamports("ana", 31_000_007 + rent)
        .gains_lamports(by, -rent)
        .has(temporary)
        .runs(VENUE, opens(by, "ana", "SOL"), creates(by, temporary), closes(temporary, "ana"))
    )
    assert told(made.done()) == "5000000 USDC > 31000007 SOL"


def test_rule_3_an_account_made_with_its_sol_and_closed_to_its_maker_changes_nothing() -> None:
    temporary = account("seeded")
    made = (
        Made()
        .moves("ana", "BONK", "0", "7")
        .gains_lamports("ana", -SOL_1)
        .has(temporary)
        .runs(VENUE, creates("ana", temporary, RENT + SOL_1), initializes(temporary, "ana", "SOL"), closes(temporary, "ana"))
    )
    assert told(made.done()) == "1000000000 SOL > 7000000 BONK"


def test_rule_3_anothers_account_that_was_made_with_its_sol_brings_the_sol_and_not_the_rent() -> None:
    temporary = account("made by the maker")
    made = (
        Made(payer="maker", also_sign=["ana"])
        .moves("ana", "USDC", "5", "0")
        .gains_lamports("maker", -SOL_1 - RENT)
        .gains_lamports("ana", SOL_1 + RENT)
        .has(temporary)
        .runs(VENUE, creates("maker", temporary, SOL_1 + RENT), initializes(temporary, "maker", "SOL"), closes(temporary, "ana"))
    )
    assert told(made.done()) == "5000000 USDC > 1000000000 SOL"


# 4. Wrapped SOL that stays and native SOL are one asset.


def test_rule_4_part_of_the_price_from_wrapped_and_part_from_native_sol() -> None:
    made = Made().moves("ana", "SOL", "2", "1.5").moves("ana", "BONK", "0", "7").gains_lamports("ana", -250_000_000).runs(VENUE)
    assert told(made.done()) == "750000000 SOL > 7000000 BONK"


def test_rule_4_wrapping_and_unwrapping_are_nothing() -> None:
    closed = (
        Made()
        .moves("ana", "SOL", "2", None)
        .gains_lamports("ana", 2 * SOL_1 + RENT)
        .runs(VENUE, closes(token_account("ana", "SOL"), "ana"))
    )
    assert told(closed.done()) == "other"


# 5. Tips are costs.


@pytest.mark.parametrize("tipped", [JITO, sorted(TIP_ACCOUNTS)[0], sorted(TIP_ACCOUNTS)[-1]])
def test_rule_5_a_tip_is_no_part_of_the_price(tipped: str) -> None:
    made = Made().moves("ana", "BONK", "0", "7").gains_lamports("ana", -SOL_1 - 21_000).runs(VENUE).done()
    with_tip = replace(made, instructions=(*made.instructions, sends_lamports("ana", tipped, 21_000)))
    assert told(with_tip) == "1000000000 SOL > 7000000 BONK"
    assert swap_of(with_tip).tip_lamports == 21_000


def test_rule_5_a_tip_to_an_account_nobody_knows_is_left_out_where_sol_is_no_leg() -> None:
    made = usdc_for_bonk(Made()).gains_lamports("ana", -90_000_000).runs(VENUE).done()
    paid = replace(made, instructions=(*made.instructions, sends_lamports("ana", account("a bot's purse"), 90_000_000)))
    assert told(paid) == "5000000 USDC > 7000000 BONK"
    assert told(made) == "2 tokens given and 1 received"


def test_rule_5_sol_that_was_wrapped_and_spent_is_no_cost() -> None:
    wrapped = sends_lamports("ana", token_account("ana", "SOL"), 200_000_000)
    spent = usdc_for_bonk(Made()).moves("ana", "SOL", "1", "1").gains_lamports("ana", -200_000_000).runs(VENUE).done()
    assert told(replace(spent, instructions=(*spent.instructions, wrapped))) == "2 tokens given and 1 received"


def test_rule_5_anothers_tip_is_anothers() -> None:
    made = usdc_for_bonk(Made(payer="relayer", also_sign=["ana"])).gains_lamports("relayer", -21_000).runs(VENUE).done()
    tipped = replace(made, instructions=(*made.instructions, sends_lamports("relayer", JITO, 21_000)))
    assert swap_of(tipped).tip_lamports == 0


# 6. Platform fees are in the amounts; what a router says it took stands beside them.


def test_rule_6_amounts_are_net_of_the_platform_fee_and_the_fee_is_told() -> None:
    route, event = routed("ana", [(WHIRLPOOL, "5 USDC", "7.007 BONK")])
    made = usdc_for_bonk(Made()).runs(route.program, event, accounts=route.accounts, data=route.data).done()
    swap = swap_of(made)
    assert (swap.output.raw, [(fee.raw, named(fee.mint)) for fee in swap.venue_fees]) == (7_000_000, [(7_000, "BONK")])


# 7. Dust of a route is no second swap.


def test_rule_7_a_leftover_of_a_hop_is_dust() -> None:
    flows = (*hop("ana", "5 USDC", "1 WIF"), *hop("ana", "0.999 WIF", "7 BONK"))
    made = usdc_for_bonk(Made()).moves("ana", "WIF", "0", "0.001").runs(VENUE, *flows)
    assert told(made.done()) == "5000000 USDC > 7000000 BONK"


def test_rule_7_a_larger_leftover_is_dust_where_more_of_it_went_through_than_stayed() -> None:
    flows = (*hop("ana", "5 USDC", "1 WIF"), *hop("ana", "0.9 WIF", "7 BONK"))
    made = usdc_for_bonk(Made()).moves("ana", "WIF", "0", "0.1").runs(VENUE, *flows)
    assert told(made.done()) == "5000000 USDC > 7000000 BONK"


def test_rule_7_a_leftover_in_sol_is_dust() -> None:
    made = usdc_for_bonk(Made()).moves("ana", "SOL", "0", "0.000002").runs(VENUE).done()
    assert told(made) == "5000000 USDC > 7000000 BONK"


def test_rule_7_two_things_bought_are_not_one_and_dust() -> None:
    made = usdc_for_bonk(Made()).moves("ana", "WIF", "0", "0.1").runs(VENUE)
    assert told(made.done()) == "1 tokens given and 2 received"


# 8. Circular arbitrage.


@pytest.mark.parametrize("ends", ["9.01", "8.99", "9", "30"], ids=["gains", "loses", "nothing", "triples"])
def test_rule_8_one_asset_out_and_in_again_is_arbitrage(ends: str) -> None:
    back = f"{float(ends) - 9 + 5:.2f} USDC"
    flows = (*hop("ana", "5 USDC", "7 BONK"), *hop("ana", "7 BONK", back))
    assert told(Made().moves("ana", "USDC", "9", ends).moves("ana", "BONK", "0", "0").runs(VENUE, *flows).done()) == "arbitrage"


def test_rule_8_the_cost_of_an_arbitrage_does_not_buy_its_profit() -> None:
    flows = (*hop("ana", "5 USDC", "7 BONK"), *hop("ana", "7 BONK", "5.01 USDC"))
    made = Made().moves("ana", "USDC", "9", "9.01").gains_lamports("ana", -100_000).runs(VENUE, *flows)
    assert told(made.done()) == "arbitrage"


def test_rule_8_an_arbitrage_that_leaves_a_little_of_both_tokens_is_arbitrage() -> None:
    first = hop("ana", "400000 BONK", "0.04 SOL")
    second = hop("ana", "0.040003 SOL", "400070 BONK")
    made = Made().moves("ana", "BONK", "500000", "500070").moves("ana", "SOL", "1", "0.999997").runs(JUPITER_V6, *first)
    assert told(made.runs(JUPITER_V6, *second).done()) == "arbitrage"


def test_rule_8_native_sol_that_went_round_through_a_temporary_account_is_arbitrage() -> None:
    temporary = account("temporary")
    out = transfers(temporary, token_account("pool", "SOL"), SOL_1, "ana")
    back = transfers(token_account("pool", "SOL"), temporary, SOL_1 + 900_000_000)
    inner = (creates("ana", temporary), initializes(temporary, "ana", "SOL"), out, back, closes(temporary, "ana"))
    made = Made().gains_lamports("ana", 900_000_000).has(temporary).moves("pool", "SOL", "9", "8.1").runs(VENUE, *inner)
    assert told(made.done()) == "arbitrage"


def test_rule_8_who_carries_an_orders_tokens_to_a_pool_and_back_is_no_arbitrageur() -> None:
    flows = (
        between(("escrow", "USDC"), ("keeper", "USDC"), "5 USDC"),
        *hop("keeper", "5 USDC", "7 BONK"),
        between(("keeper", "BONK"), ("ana", "BONK"), "7 BONK"),
    )
    carried = Made(payer="keeper").moves("keeper", "USDC", "1", "1").moves("keeper", "BONK", "1", "1").moves("ana", "BONK", "0", "7")
    assert told(carried.moves("escrow", "USDC", "5", "0").runs(VENUE, *flows).done(), "keeper") == "other"


def test_rule_8_a_trade_there_and_partly_back_is_a_swap_of_what_is_left_of_it() -> None:
    flows = (*hop("ana", "10 USDC", "14 BONK"), *hop("ana", "8 BONK", "6 USDC"), *hop("ana", "1 USDC", "1 BONK"))
    made = Made().moves("ana", "USDC", "10", "5").moves("ana", "BONK", "0", "7").runs(VENUE, *flows)
    assert told(made.done()) == "5000000 USDC > 7000000 BONK"


# 9. A hop's token nets to zero and drops out.


def test_rule_9_a_route_over_two_pools_is_one_swap() -> None:
    flows = (*hop("ana", "5 USDC", "1 SOL"), *hop("ana", "1 SOL", "7 BONK"))
    made = usdc_for_bonk(Made()).moves("ana", "SOL", "3", "3").runs(WHIRLPOOL, *flows[:2], data=SWAP).runs(WHIRLPOOL, *flows[2:], data=SWAP)
    assert told(made.done()) == "5000000 USDC > 7000000 BONK"


# 10. Keeper fills.


def test_rule_10_a_dca_fill_is_the_users_though_he_neither_signs_nor_holds_an_account_in_it() -> None:
    made = Made(payer="keeper").moves("order", "USDC", "5", "0").moves("order", "BONK", "0", "7.007")
    filled = made.runs(
        JUPITER_DCA, dca_filled("cleo", "order", "5 USDC", "7 BONK", "0.007 BONK"), data=discriminator("fulfill_flash_fill")
    ).done()
    assert told(filled, "cleo") == "5000000 USDC > 7000000 BONK"
    assert Pubkey.from_string(wallet("cleo")).is_on_curve()
    assert traders(filled) == (wallet("keeper"), wallet("cleo"))
    assert (swap_of(filled, "cleo").network_fee_lamports, [fee.raw for fee in swap_of(filled, "cleo").venue_fees]) == (0, [7_000])
    assert told(filled, "order") == "5000000 USDC > 7007000 BONK"


def test_rule_10_a_fill_of_a_token_that_no_balance_names_has_no_unit() -> None:
    fill = dca_filled("ana", "order", "5 USDC", "7 WIF", "0.007 WIF")
    made = Made(payer="keeper").moves("order", "USDC", "5", "0").moves("order", "BONK", "0", "7").runs(JUPITER_DCA, fill)
    assert told(made.done()) == "a token whose decimals nothing tells"


def test_rule_10_a_value_average_gives_what_its_program_says_and_gets_what_came() -> None:
    paid = Made(payer="keeper").moves("order", "USDC", "5", "0").moves("ana", "BONK", "0", "7")
    filled = paid.runs(JUPITER_VALUE_AVERAGE, value_average_filled("ana", "5 USDC", "7.1 BONK"))
    assert told(filled.done()) == "5000000 USDC > 7000000 BONK"
    kept = Made(payer="keeper").moves("order", "USDC", "5", "0").moves("order", "BONK", "0", "7")
    later = kept.runs(JUPITER_VALUE_AVERAGE, value_average_filled("ana", "5 USDC", "7 BONK"))
    assert told(later.done()) == "an order's fill that brought the wallet 0 tokens"
    nothing = (
        Made(payer="keeper").moves("ana", "BONK", "0", "7").runs(JUPITER_VALUE_AVERAGE, value_average_filled("ana", "0 USDC", "7 WIF"))
    )
    assert told(nothing.done()) == "an order's fill of nothing, or for its own token"


@pytest.mark.parametrize("left", ["0", "3"], ids=["filled", "partly filled"])
def test_rule_10_a_limit_order_gives_what_its_escrow_lost_and_gets_what_came(left: str) -> None:
    order = account("order")
    accounts = [account("keeper"), account("ana"), order, token_account("order", "USDC"), token_account("ana", "BONK")]
    accounts += [account("x") for _ in range(3)] + [Address(mint("BONK"))]
    closing = left == "0"
    made = (
        Made(payer="keeper")
        .moves("order", "USDC", "5", left)
        .moves("ana", "BONK", "0", "7")
        .has(order, 3_000_000, 0 if closing else 3_000_000)
        .gains_lamports("ana", 3_000_000 if closing else 0)
        .runs(JUPITER_LIMIT_V2, accounts=accounts, data=discriminator("flash_fill_order"))
    )
    assert told(made.done()) == f"{5_000_000 - int(left) * 1_000_000} USDC > 7000000 BONK"


def test_rule_10_an_order_for_sol_gets_its_price_and_not_the_orders_rent() -> None:
    order = account("order")
    accounts = [account("keeper"), account("ana"), order, token_account("order", "USDC"), *[account("x")] * 4, Address(mint("SOL"))]
    paid = Made(payer="keeper").moves("order", "USDC", "5", "0").has(order, 3_000_000, 0).gains_lamports("ana", SOL_1 + 3_000_000)
    assert (
        told(paid.runs(JUPITER_LIMIT_V2, accounts=accounts, data=discriminator("flash_fill_order")).done())
        == "5000000 USDC > 1000000000 SOL"
    )


def test_rule_10_a_taker_that_pays_an_order_itself_swaps_as_well() -> None:
    escrow = token_account("order", "USDC")
    accounts = [account("ben"), account("ana"), account("order"), *[account("x")] * 4, escrow, Address(mint("USDC"))]
    made = Made(payer="ben").moves("order", "USDC", "5", "0").moves("ana", "BONK", "0", "7").moves("ben", "USDC", "0", "5")
    filled = made.moves("ben", "BONK", "7", "0").runs(JUPITER_LIMIT_V2, accounts=accounts, data=discriminator("fill_order")).done()
    assert (told(filled), told(filled, "ben")) == ("5000000 USDC > 7000000 BONK", "7000000 BONK > 5000000 USDC")


@pytest.mark.parametrize(
    ("program", "instruction", "named_kind"),
    [
        (JUPITER_LIMIT_V2, "initialize_order", "order_open"),
        (JUPITER_LIMIT_V2, "cancel_order", "order_cancel"),
        (JUPITER_DCA, "open_dca_v2", "order_open"),
        (JUPITER_DCA, "close_dca", "order_cancel"),
    ],
)
def test_rule_10_opening_and_cancelling_an_order_are_no_swaps(program: Address, instruction: str, named_kind: str) -> None:
    made = Made().moves("ana", "USDC", "5", "0").runs(program, accounts=[account("order"), account("ana")], data=discriminator(instruction))
    assert told(made.done()) == named_kind


# 11. Everything else that changes balances.


def test_rule_11_without_a_known_swap_program_nothing_is_a_swap() -> None:
    made = usdc_for_bonk(Made()).runs(account("an unknown program")).done()
    assert told(made) == "transfer"


def test_rule_11_a_pools_deposit_with_claimed_fees_looks_like_a_swap_and_is_liquidity() -> None:
    flows = (between(("ana", "USDC"), ("pool", "USDC"), "5 USDC"), between(("pool", "BONK"), ("ana", "BONK"), "7 BONK"))
    deposit = usdc_for_bonk(Made()).runs(WHIRLPOOL, *flows, data=DEPOSIT, accounts=[account("pool"), account("ana")])
    assert told(deposit.done()) == "lp"


def test_rule_11_a_deposit_beside_a_swap_leaves_no_price() -> None:
    deposit = between(("ana", "USDC"), ("pool", "USDC"), "2 USDC")
    made = (
        usdc_for_bonk(Made())
        .runs(WHIRLPOOL, *hop("ana", "3 USDC", "7 BONK"), data=SWAP)
        .runs(WHIRLPOOL, deposit, data=DEPOSIT, accounts=[account("ana")])
    )
    assert told(made.done()) == "a swap and liquidity in one transaction"


def test_rule_11_whatever_a_router_calls_on_its_way_is_its_way() -> None:
    flows = hop("ana", "5 USDC", "7 BONK")
    new = ChainInstruction(WHIRLPOOL, (account("ana"),), discriminator("swap_v9"), 2)
    assert told(usdc_for_bonk(Made()).runs(JUPITER_V6, new, *flows).done()) == "5000000 USDC > 7000000 BONK"


def test_rule_11_who_is_paid_by_a_pool_and_signs_nothing_was_sent_something() -> None:
    paid = (
        Made().moves("ben", "USDC", "0", "5").runs(VENUE, between(("pool", "USDC"), ("ben", "USDC"), "5 USDC"), accounts=[account("ben")])
    )
    assert told(paid.done(), "ben") == "transfer"


def test_rule_11_a_share_minted_for_the_wallet_is_liquidity_and_a_token_minted_for_the_curve_is_not() -> None:
    share = (
        Made().moves("ana", "USDC", "5", "0").moves("ana", "SHARE", "0", "2").runs(VENUE, mints("SHARE", token_account("ana", "SHARE"), 2))
    )
    assert told(share.done()) == "lp"
    curve = usdc_for_bonk(Made()).runs(VENUE, mints("BONK", token_account("curve", "BONK"), 10**15)).done()
    assert told(curve) == "5000000 USDC > 7000000 BONK"


def test_rule_11_one_sided_changes_at_a_pool_are_liquidity_and_by_a_router_are_not() -> None:
    given = Made().moves("ana", "USDC", "5", "0")
    direct = given.runs(VENUE, between(("ana", "USDC"), ("pool", "USDC"), "5 USDC"), accounts=[account("ana")]).done()
    assert told(direct) == "lp"
    for_another = Made().moves("ana", "USDC", "5", "0").moves("ben", "BONK", "0", "7").runs(JUPITER_V6).done()
    assert (told(for_another), told(for_another, "ben")) == ("transfer", "transfer")


@pytest.mark.parametrize("program", sorted(LENDING_PROGRAMS))
def test_rule_11_lending_is_lending_and_inside_a_route_a_hop(program: Address) -> None:
    receipt = mints("RECEIPT", token_account("ana", "RECEIPT"), 5_000_000)
    deposit = Made().moves("ana", "USDC", "5", "0").moves("ana", "RECEIPT", "0", "4")
    assert told(deposit.runs(program, receipt).done()) == "lend"
    inside = Made().moves("ana", "USDC", "5", "0").moves("ana", "RECEIPT", "0", "4")
    assert told(inside.runs(JUPITER_V6, ChainInstruction(program, (), b"", 2), receipt).done()) == "5000000 USDC > 4000000 RECEIPT"


def test_rule_11_a_swap_beside_a_loan_leaves_no_price_and_one_sided_it_is_the_loan() -> None:
    lender = sorted(LENDING_PROGRAMS)[0]
    assert told(usdc_for_bonk(Made()).runs(lender).runs(VENUE).done()) == "a swap and lending in one transaction"
    assert told(Made().moves("ana", "USDC", "5", "0").runs(VENUE).runs(lender).done()) == "lend"


@pytest.mark.parametrize("program", sorted(STAKE_PROGRAMS))
def test_rule_11_staking_is_staking_whatever_it_does_to_balances(program: Address) -> None:
    staked = Made().gains_lamports("ana", -SOL_1).moves("ana", "LST", "0", "2")
    assert told(staked.runs(program, mints("LST", token_account("ana", "LST"), 2_000_000)).done()) == "stake"


def test_rule_11_staking_by_way_of_a_staking_router_is_staking_and_by_a_trading_one_a_swap() -> None:
    pooled = ChainInstruction(STAKE_POOL, (), b"", 2)
    for router, expected in ((SANCTUM_ROUTER, "stake"), (JUPITER_V6, "1000000000 SOL > 2000000 LST")):
        staked = Made().gains_lamports("ana", -SOL_1).moves("ana", "LST", "0", "2")
        assert told(staked.runs(router, pooled, mints("LST", token_account("ana", "LST"), 2_000_000)).done()) == expected


def test_rule_11_minting_burning_and_sending_are_named() -> None:
    nft = token_account("ana", "NFT")
    assert told(Made().moves("ana", "NFT", "0", "1").runs(account("a program"), mints("NFT", nft, 1)).done()) == "mint"
    assert told(Made().moves("ana", "NFT", "1", "0").runs(account("a program"), burns("NFT", nft, 1)).done()) == "burn"
    sent = Made().gains_lamports("ana", -7).gains_lamports("ben", 7).done()
    assert (told(sent), told(sent, "ben")) == ("transfer", "transfer")
    assert told(Made().done()) == "other"


def test_rule_11_a_pools_instruction_that_nobody_knows_is_not_called_a_deposit() -> None:
    flows = (between(("ana", "USDC"), ("pool", "USDC"), "5 USDC"), between(("pool", "BONK"), ("ana", "BONK"), "7 BONK"))
    new = usdc_for_bonk(Made()).runs(WHIRLPOOL, *flows, data=discriminator("swap_v9"), accounts=[account("pool"), account("ana")])
    assert told(new.done()) == "an instruction of Orca Whirlpool that is not known"


def test_rule_11_liquidity_that_another_program_keeps_is_liquidity_though_its_farm_lends() -> None:
    keeper, farm = (
        next(address for address, name in table.items() if name == wanted)
        for table, wanted in ((LIQUIDITY_PROGRAMS, "Kamino liquidity"), (LENDING_PROGRAMS, "Kamino farms"))
    )
    deposit = Made().moves("ana", "USDC", "5", "0").moves("ana", "BONK", "7", "0").runs(keeper).runs(farm)
    assert told(deposit.done()) == "lp"


def test_rule_11_an_order_in_a_book_takes_tokens_and_gives_nothing_yet() -> None:
    book = next(address for address, row in SWAP_PROGRAMS.items() if row.name == "OpenBook v2")
    assert told(Made().moves("ana", "USDC", "5", "0").runs(book, accounts=[account("ana")]).done()) == "order_open"


def test_rule_11_a_sale_that_brought_less_sol_than_was_paid_beside_it_has_no_price() -> None:
    made = Made().moves("ana", "BONK", "7", "0").gains_lamports("ana", 400_000 - 1_000_000).runs(JUPITER_V6)
    sold = made.runs(SYSTEM_PROGRAM, data=b"", accounts=[]).done()
    paid = replace(sold, instructions=(*sold.instructions, sends_lamports("ana", account("a bot's purse"), 1_000_000)))
    assert told(paid) == "sold for less SOL than was paid to others beside it"


# Token-2022: what a transfer says it sent is not what came.


def test_a_tokens_own_transfer_fee_is_never_counted_as_received() -> None:
    bought = transfers_less_fee(token_account("pool", "BONK"), "BONK", token_account("ana", "BONK"), 7_000_000, 70_000)
    made = Made().moves("ana", "USDC", "5", "0").moves("ana", "BONK", "0", "6.93")
    assert told(made.runs(VENUE, *hop("ana", "5 USDC", "7 BONK")[:1], bought).done()) == "5000000 USDC > 6930000 BONK"


# Newer ways of the chain's own programs.


def batch(*parts: ChainInstruction) -> ChainInstruction:
    """Token instructions as the parts of one."""
    data = b"\xff" + b"".join(bytes([len(part.accounts), len(part.data)]) + part.data for part in parts)
    return ChainInstruction(TOKEN_PROGRAM, tuple(key for part in parts for key in part.accounts), data, 2)


def test_a_batch_of_token_instructions_is_its_parts() -> None:
    bonk = token_account("ana", "BONK")
    sold = Made().moves("ana", "BONK", "7", None).gains_lamports("ana", SOL_1 + RENT)
    assert told(sold.runs(VENUE, batch(between(("ana", "BONK"), ("pool", "BONK"), "7 BONK"), closes(bonk, "ana"))).done()) == (
        "7000000 BONK > 1000000000 SOL"
    )
    flows = (*hop("ana", "5 USDC", "7 BONK"), *hop("ana", "7 BONK", "5.01 USDC"))
    assert told(Made().moves("ana", "USDC", "9", "9.01").runs(VENUE, batch(*flows)).done()) == "arbitrage"


def test_an_account_made_on_top_of_what_it_held_is_opened_by_who_topped_it_up() -> None:
    bonk = token_account("ana", "BONK")
    made = Made(dust_lamports={("ana", "BONK"): 100}).moves("ana", "BONK", None, "7").gains_lamports("ana", -SOL_1 - RENT + 100)
    top_up = ChainInstruction(SYSTEM_PROGRAM, (bonk, account("ana")), struct.pack("<IQQ", 13, RENT - 100, 165) + bytes(32), 2)
    assert told(made.runs(VENUE, opens("ana", "ana", "BONK"), top_up).done()) == "1000000000 SOL > 7000000 BONK"


# Several swaps of one wallet in one transaction.


def test_several_swaps_are_told_apart_by_their_instructions() -> None:
    made = (
        usdc_for_bonk(Made())
        .moves("ana", "USDT", "4", "0")
        .moves("ana", "WIF", "0", "3")
        .runs(WHIRLPOOL, *hop("ana", "5 USDC", "7 BONK"), data=SWAP)
        .runs(VENUE, *hop("ana", "4 USDT", "3 WIF"))
        .done()
    )
    assert told(made) == "5000000 USDC > 7000000 BONK, 4000000 USDT > 3000000 WIF"
    first, second = decode(made, wallet("ana"))
    assert [(one.order.instruction_index, one.network_fee_lamports, one.programs) for one in (first, second)] == [
        (0, FEE, (WHIRLPOOL,)),
        (1, 0, (VENUE,)),
    ]


def test_two_things_bought_by_two_instructions_are_two_swaps() -> None:
    made = (
        Made()
        .moves("ana", "USDC", "9", "0")
        .moves("ana", "BONK", "0", "7")
        .moves("ana", "WIF", "0", "3")
        .runs(VENUE, *hop("ana", "5 USDC", "7 BONK"))
        .runs(VENUE, *hop("ana", "4 USDC", "3 WIF"))
    )
    assert told(made.done()) == "5000000 USDC > 7000000 BONK, 4000000 USDC > 3000000 WIF"


def test_the_parts_hold_no_rent() -> None:
    curve, record = account("curve"), account("volume record")
    made = (
        Made()
        .moves("ana", "BONK", "0", "7")
        .moves("ana", "WIF", "0", "3")
        .gains_lamports("ana", -3 * SOL_1 - RENT + 100)
        .has(curve, 5, 3 * SOL_1 + 5)
        .has(record, 100, RENT)
        .runs(PUMP, sends_lamports("ana", curve, SOL_1), between(("pool", "BONK"), ("ana", "BONK"), "7 BONK"), data=discriminator("buy"))
        .runs(
            PUMP,
            sends_lamports("ana", record, RENT - 100),
            allocates(record),
            sends_lamports("ana", curve, 2 * SOL_1),
            between(("pool", "WIF"), ("ana", "WIF"), "3 WIF"),
            data=discriminator("buy"),
        )
    )
    assert told(made.done()) == "1000000000 SOL > 7000000 BONK, 2000000000 SOL > 3000000 WIF"


def test_what_no_hop_of_a_route_gave_is_no_leftover_of_it() -> None:
    route, event = routed("ana", [(WHIRLPOOL, "5 USDC", "7 BONK")])
    made = usdc_for_bonk(Made()).moves("ana", "WIF", "0", "1").runs(route.program, event, accounts=route.accounts, data=route.data)
    assert told(made.done()) == "1 tokens given and 2 received"


def test_parts_that_do_not_add_up_to_the_balances_are_not_guessed() -> None:
    made = (
        usdc_for_bonk(Made(), gets="6.9")
        .moves("ana", "USDT", "4", "0")
        .moves("ana", "WIF", "0", "3")
        .runs(VENUE, *hop("ana", "5 USDC", "7 BONK"))
        .runs(VENUE, *hop("ana", "4 USDT", "3 WIF"))
    )
    assert told(made.done()) == "2 tokens given and 2 received"


# Replies of old slots.


def test_an_owner_that_an_old_node_does_not_tell_is_found_by_who_moved_the_tokens() -> None:
    inner = (opens("ana", "ana", "BONK"), *hop("ana", "5 USDC", "7 BONK"))
    made = usdc_for_bonk(Made(tells_owners=False)).runs(VENUE, *inner).done()
    assert told(made) == "5000000 USDC > 7000000 BONK"
    blind = usdc_for_bonk(Made(tells_owners=False)).runs(VENUE, *hop("ana", "5 USDC", "7 BONK")).done()
    assert told(blind) == "tokens moved through an account whose owner nothing tells"


def test_an_owner_that_nobody_tells_is_found_where_the_account_is_a_signers_own() -> None:
    made = usdc_for_bonk(Made(tells_owners=False)).runs(VENUE, *hop("ana", "5 USDC", "7 BONK")).done()
    own = get_associated_token_address(
        Pubkey.from_string(wallet("ana")), Pubkey.from_string(mint("BONK")), Pubkey.from_string(TOKEN_PROGRAM)
    )
    renamed = [Address(str(own)) if key == token_account("ana", "BONK") else key for key in made.account_keys]
    assert (
        told(replace(made, account_keys=tuple(renamed), inner_instructions=()))
        == "tokens moved through an account whose owner nothing tells"
    )
    sent = InnerInstructions(0, made.inner_instructions[0].instructions[:1])
    assert told(replace(made, account_keys=tuple(renamed), inner_instructions=(sent,))) == "5000000 USDC > 7000000 BONK"


def test_a_reply_without_any_token_balances_is_not_read_as_a_change_of_sol() -> None:
    made = usdc_for_bonk(Made()).runs(VENUE, *hop("ana", "5 USDC", "7 BONK")).done()
    assert told(replace(made, pre_token_balances=(), post_token_balances=())) == "tokens moved and the node gives no token balances"


def test_every_program_of_the_table_makes_a_swap_by_one_of_its_swap_instructions() -> None:
    for program, row in SWAP_PROGRAMS.items():
        data = next(iter(row.swaps), b"")
        assert told(usdc_for_bonk(Made()).runs(program, data=data).done()) == "5000000 USDC > 7000000 BONK", row.name


# A reply that makes tokens or lamports out of nothing is no ground for a swap.


@pytest.mark.parametrize("side", ["pre_token_balances", "post_token_balances"])
@pytest.mark.parametrize("row", [0, 1])
def test_balances_that_do_not_add_up_over_all_accounts_are_not_read(side: str, row: int) -> None:
    made = usdc_for_bonk(Made()).runs(VENUE).done()
    held = list(getattr(made, side))
    held[row] = TokenBalance(held[row].account_index, held[row].mint, held[row].owner, held[row].program, held[row].amount_raw + 1, 6)
    assert told(replace(made, **{side: tuple(held)})) == "balances that do not add up over all accounts"


def test_wrapped_sol_is_what_its_account_holds() -> None:
    made = Made().moves("ana", "BONK", "0", "7").moves("ana", "SOL", "2", "1").runs(VENUE).done()
    assert told(made) == "1000000000 SOL > 7000000 BONK"
    (row,) = [row for row in made.pre_token_balances if row.mint == mint("SOL")]
    more = TokenBalance(row.account_index, row.mint, row.owner, row.program, row.amount_raw + 1, row.decimals)
    rows = tuple(more if one is row else one for one in made.pre_token_balances)
    assert told(replace(made, pre_token_balances=rows)) == "balances that do not add up over all accounts"


def test_lamports_that_do_not_add_up_are_no_price() -> None:
    made = Made().moves("ana", "BONK", "0", "7").gains_lamports("ana", -SOL_1).runs(VENUE).done()
    assert told(made) == "1000000000 SOL > 7000000 BONK"
    assert (
        told(replace(made, pre_balances=(made.pre_balances[0] + 1, *made.pre_balances[1:])))
        == "balances that do not add up over all accounts"
    )


def test_a_tokens_withheld_fee_does_not_stop_its_reading() -> None:
    made = usdc_for_bonk(Made()).runs(VENUE).done()
    rows = [
        TokenBalance(row.account_index, row.mint, row.owner, TOKEN_2022_PROGRAM, row.amount_raw - (row.owner == wallet("ana")), 6)
        if row.mint == mint("BONK")
        else row
        for row in made.post_token_balances
    ]
    assert told(replace(made, post_token_balances=tuple(rows))) == "5000000 USDC > 6999999 BONK"
