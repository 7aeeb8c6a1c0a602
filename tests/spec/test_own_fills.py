"""What our own fills say of the copy replay: how late we are, and what it costs beside what is computed."""

from dataclasses import replace

import pytest
from tests.fakes.made_swaps import FIRST_DAY_S, mint, swap, wallet

from xorj.primitives.clock import DAY_S
from xorj.primitives.ids import USDC
from xorj.swaps.valuation import value_swaps
from xorj.trust.copied_market import market_of
from xorj.trust.copy_replay import Market, Terms
from xorj.trust.own_fills import FILLS_MIN, SCALE_MAX, OwnFill, measured_terms
from xorj.trust.score_copies import copied, trades_by_wallet

WIF, AS_OF = mint("WIF"), FIRST_DAY_S + 10 * DAY_S
SWAPS = [swap("eli", "1000 USDC", "1000 WIF", slot=slot, day=0.01 * slot) for slot in range(1, 40)]
# 1 % fee, no network cost: what a fill of 10 USD costs beside it is the pool's impact
TERMS = Terms(pool_fee=0.01, network_cost_usd=0.0)


def market() -> Market:
    return market_of(trades_by_wallet(value_swaps(SWAPS), AS_OF).values(), AS_OF)


def bought(cost_share: float, *, delay_s: float = 1.0, where: Market, time: int = FIRST_DAY_S + DAY_S) -> OwnFill:
    """10 USDC for less WIF than the market's price says, by that share."""
    price = where.prices.at(WIF, time - 1)
    assert price
    return OwnFill(time, USDC, 10_000_000, WIF, round(10 * (1 - cost_share) / price), delay_s)


def test_too_few_fills_leave_the_assumptions_and_say_so() -> None:
    where = market()
    found = measured_terms(TERMS, [bought(0.02, where=where)] * (FILLS_MIN - 1), where)
    assert found == TERMS
    assert found.fills_measured == 0


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_costs_are_scaled_by_what_our_fills_cost_beside_what_is_computed(scale: float) -> None:
    where = market()
    computed = TERMS.pool_fee + where.moved_share(WIF, 10, FIRST_DAY_S + DAY_S)
    found = measured_terms(TERMS, [bought(scale * computed, where=where)] * FILLS_MIN, where)
    assert found.cost_scale == pytest.approx(scale, rel=1e-3)
    assert found.fills_measured == FILLS_MIN


def test_the_delay_is_the_one_that_nine_in_ten_of_our_fills_keep() -> None:
    where = market()
    fills = [bought(0.01, delay_s=delay, where=where) for delay in (*[1.0] * 18, 5.0, 9.0)]
    assert 1.0 < measured_terms(TERMS, fills, where).delay_s < 5.0


def test_a_wild_price_is_bounded_and_what_comes_later_is_not_known_yet() -> None:
    where = market()
    assert measured_terms(TERMS, [bought(0.99, where=where)] * FILLS_MIN, where).cost_scale == SCALE_MAX
    later = [replace(bought(0.5, where=where), block_time=AS_OF + 1)] * FILLS_MIN
    assert measured_terms(TERMS, later, where) == TERMS


def test_the_run_carries_the_terms_that_were_measured() -> None:
    where = market()
    made = copied(value_swaps(SWAPS), AS_OF, TERMS, own=[bought(0.05, delay_s=3.0, where=where)] * FILLS_MIN)
    assert made is not None
    assert (made.terms.fills_measured, made.terms.delay_s) == (FILLS_MIN, 3.0)
    assert wallet("eli") in made.verdicts
