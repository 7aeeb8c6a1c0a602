"""How large a copy is: tables that a trader can check. Ben follows Ana; one BONK costs 0.5 USDC, one WIF 2, one SOL 100."""

from decimal import Decimal

import pytest
from tests.fakes.situations import amount, follow, holding, situation, trade, vault_state
from tests.fakes.spec_table import table

from xorj.copying.decision import Copied, Resized, Side, Skipped
from xorj.copying.plan_copies import decide
from xorj.copying.situation import Portfolio
from xorj.primitives.amounts import BPS_PER_ONE

ENTRIES = table("""
    what                                     | Ana gives | Ana gets | Ana has, USD | allocation | Ben's vault holds   | Ben spends
    a tenth of her equity, all of his        | 100 USDC  | 200 BONK | 1000         | 1          | 500 USDC            | 50 USDC
    a tenth of her equity, a fifth of his    | 100 USDC  | 200 BONK | 1000         | 0.2        | 500 USDC            | 10 USDC
    all she has                              | 1000 USDC | 500 WIF  | 1000         | 1          | 500 USDC            | 500 USDC
    more than she seems to have              | 1500 USDC | 750 WIF  | 1000         | 1          | 500 USDC            | 500 USDC
    paid in SOL, copied in USDC              | 1 SOL     | 200 BONK | 1000         | 1          | 500 USDC            | 50 USDC
    paid in USDT, copied in USDC             | 100 USDT  | 50 WIF   | 1000         | 1          | 500 USDC            | 50 USDC
    she buys SOL                             | 100 USDC  | 1 SOL    | 1000         | 1          | 500 USDC            | 50 USDC
    his equity counts what he holds          | 100 USDC  | 50 WIF   | 1000         | 1          | 250 USDC, 500 BONK  | 50 USDC
    rounded down to the unit                 | 100 USDC  | 50 WIF   | 300          | 0.1        | 100 USDC            | 3.333333 USDC
""")


@pytest.mark.parametrize("case", ENTRIES, ids=lambda case: case["what"])
def test_an_entry_is_her_share_of_equity_of_his(case: dict[str, str]) -> None:
    copied = decide(
        trade(case["Ana gives"], case["Ana gets"], equity=case["Ana has, USD"]),
        situation(
            follow=follow(allocation_bps=int(Decimal(case["allocation"]) * BPS_PER_ONE)),
            vault=vault_state(*case["Ben's vault holds"].split(", ")),
        ),
    )
    assert isinstance(copied, Copied), copied
    (leg,) = copied.legs
    assert (leg.side, leg.input, leg.output_mint) == (Side.BUY, amount(case["Ben spends"]), amount(case["Ana gets"]).mint)
    assert copied.rule == "share of equity"


EXITS = table("""
    what                                     | Ana held  | Ana sells  | Ana gets | Ben holds for her | Ben sells | rule
    half of hers, half of his                | 200 BONK  | 100 BONK   | 50 USDC  | 40 BONK           | 20 BONK   | share of position
    all of hers, all of his                  | 200 BONK  | 200 BONK   | 100 USDC | 40 BONK           | 40 BONK   | share of position
    all but a crumb of hers, all of his      | 200 BONK  | 199 BONK   | 99 USDC  | 40 BONK           | 40 BONK   | share of position
    for SOL, his for USDC                    | 200 BONK  | 100 BONK   | 0.5 SOL  | 40 BONK           | 20 BONK   | share of position
    for USDT                                 | 200 BONK  | 50 BONK    | 25 USDT  | 40 BONK           | 10 BONK   | share of position
    she sells SOL                            | 10 SOL    | 5 SOL      | 500 USDC | 2 SOL             | 1 SOL     | share of position
    what would be left is dust | 200 BONK  | 180 BONK   | 90 USDC  | 15 BONK           | 15 BONK   | what would be left is dust
    her balance could not be read            |           | 100 BONK   | 50 USDC  | 40 BONK           | 40 BONK   | share of position
    the smallest holding                     | 200 BONK  | 200 BONK   | 100 USDC | 0.00001 BONK      | 0.00001 BONK | share of position
""")


@pytest.mark.parametrize("case", EXITS, ids=lambda case: case["what"])
def test_an_exit_is_the_same_share_of_the_position(case: dict[str, str]) -> None:
    held = case["Ben holds for her"]
    copied = decide(
        trade(case["Ana sells"], case["Ana gets"], held=case["Ana held"] or None),
        situation(portfolio=Portfolio(holding(held, "10 USDC")), vault=vault_state("100 USDC", held)),
    )
    assert isinstance(copied, Copied), copied
    (leg,) = copied.legs
    assert (leg.side, leg.input, leg.output_mint) == (Side.SELL, amount(case["Ben sells"]), amount("0 USDC").mint)
    assert copied.rule == case["rule"]


NOTHING = table("""
    what                            | Ana gives | Ana gets  | Ana has, USD | rule
    quote for quote                 | 100 USDC  | 100 USDT  | 1000         | neither opens nor closes
    she sells what he does not hold | 100 BONK  | 50 USDC   | 1000         | nothing held for this leader
    nobody knows what she has       | 100 USDC  | 200 BONK  |              | leader's equity unknown
    too little to copy              | 1 USDC    | 2 BONK    | 1000         | below the smallest trade
    a crumb                         | 0.000001 USDC | 0.00001 BONK | 1000   | below the smallest trade
""")


@pytest.mark.parametrize("case", NOTHING, ids=lambda case: case["what"])
def test_what_there_is_nothing_to_copy_of_is_skipped(case: dict[str, str]) -> None:
    skipped = decide(trade(case["Ana gives"], case["Ana gets"], equity=case["Ana has, USD"] or None), situation())
    assert isinstance(skipped, Skipped), skipped
    assert (skipped.rule, skipped.legs) == (case["rule"], ())


def test_a_swap_of_one_token_for_another_closes_then_opens() -> None:
    both = decide(
        trade("200 BONK", "50 WIF", held="200 BONK"),
        situation(portfolio=Portfolio(holding("40 BONK", "10 USDC")), vault=vault_state("480 USDC", "40 BONK")),
    )
    assert isinstance(both, Copied)
    assert [(leg.index, leg.side, leg.input) for leg in both.legs] == [
        (0, Side.SELL, amount("40 BONK")),
        (1, Side.BUY, amount("50 USDC")),
    ]
    assert both.rule == "close, then open"


def test_of_two_legs_only_what_can_be_copied_is() -> None:
    opened = decide(trade("200 BONK", "50 WIF", held="200 BONK"), situation())
    assert isinstance(opened, Resized)
    assert [leg.side for leg in opened.legs] == [Side.BUY]
    assert opened.rule == "nothing held for this leader"
    assert opened.numbers["close"] == {
        "outcome": "skipped",
        "rule": "nothing held for this leader",
        "mint": amount("0 BONK").mint,
    }


def test_two_legs_that_neither_can_be_copied_are_skipped_with_both_reasons() -> None:
    skipped = decide(trade("200 BONK", "50 WIF", equity=None), situation())
    assert isinstance(skipped, Skipped)
    assert skipped.rule == "leader's equity unknown"
    assert set(skipped.numbers) == {"close", "open"}


def test_the_numbers_are_those_it_was_sized_by() -> None:
    copied = decide(trade("100 USDC", "200 BONK"), situation())
    assert dict(copied.numbers) == {
        "share_of_equity": "0.100000",
        "leader_equity_usd": "1000",
        "leader_value_usd": "100.000000",
        "allocation_bps": 10_000,
        "equity_raw": "500000000",
        "sized_raw": "50000000",
        "amount_raw": "50000000",
    }
