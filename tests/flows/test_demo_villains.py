"""The demo market's villains stand outside the first ten of the trust score when its history ends, by the score's own defences."""

import pytest
from tests.flows.test_demo_owners import NOW, history_of

from xorj.demo.books import TOP
from xorj.demo.history import execute_history, market_genesis
from xorj.demo.identities import EXCLUDED_WALLETS
from xorj.demo.leaders import Kind, villain_wallets
from xorj.demo.market import Cast
from xorj.demo.plans import HISTORY, HISTORY_STEPS
from xorj.demo.tokens import Temper
from xorj.localnet.bank import Bank
from xorj.trust.eligibility import Rules
from xorj.trust.ranking import Model
from xorj.trust.score_wallets import score_wallets


@pytest.mark.parametrize("seed", [7])
async def test_no_villain_is_among_the_first_ten_when_the_history_ends(seed: int) -> None:
    cast = Cast.of(seed)
    bank = Bank.open(None, market_genesis(cast, NOW))
    execute_history(bank, cast)
    scored = await score_wallets(await history_of(bank), Rules(excluded=EXCLUDED_WALLETS), Model.TRUST)
    assert scored is not None
    first = [score.wallet for score in scored.run.scores if score.rank is not None and score.rank <= TOP]
    assert len(first) == TOP
    assert not set(first) & villain_wallets(seed)


@pytest.mark.parametrize("seed", range(1, 13))
def test_the_turncoat_is_honest_for_three_quarters_of_the_history_and_has_turned_within_it(seed: int) -> None:
    cast = Cast.of(seed)
    (turncoat,) = (leader for leader in cast.leaders if leader.kind is Kind.TURNCOAT)
    mine = [order for order in cast.planner.orders(HISTORY) if order.leader == turncoat.number]
    thin = {number for number, token in enumerate(cast.tokens) if token.temper is Temper.THIN}
    turned = [order.step for order in mine if order.token in thin]
    assert HISTORY_STEPS * 3 // 4 <= min(turned) < HISTORY_STEPS * 4 // 5
    assert not any(order.token in thin for order in mine if order.step < HISTORY_STEPS * 3 // 4)
