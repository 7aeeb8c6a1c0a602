"""Who may be ranked, why the others are not, and that a ranking never depends on the order it was computed in."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.made_swaps import swap, wallet

from xorj.performance.kernel import performance_of
from xorj.performance.metrics import Performance
from xorj.primitives.clock import DAY_S
from xorj.swaps.valuation import value_swaps
from xorj.trust.classic_score import ClassicScore
from xorj.trust.copy_verdict import CopyScore, NotEnoughEvidence
from xorj.trust.eligibility import Rules, exclusion_of
from xorj.trust.ranking import Model, TraderScore, ranked

AS_OF = 1_800_000_000
FINE = replace(
    performance_of(value_swaps([swap("ana", "100 USDC", "1 SOL", slot=1)]), 1_700_006_400)[0],
    trades=100,
    days=90,
    closing_trades=40,
    roi=0.5,
    last_trade=AS_OF - DAY_S,
    unmatched_sold_usd=10.0,
    volume_usd=10_000.0,
)
REASONS = {
    "fine": (FINE, None),
    "excluded by name": (replace(FINE, wallet=wallet("market maker")), "not a trader of this market"),
    "nothing priced": (replace(FINE, roi=None), "no priced trade to measure by"),
    "few trades": (replace(FINE, trades=9), "fewer than 10 trades"),
    "as many as needed": (replace(FINE, trades=10), None),
    "a short record": (replace(FINE, days=6), "a record of less than 7 days"),
    "few closed": (replace(FINE, closing_trades=2), "fewer than 3 closed trades"),
    "long idle": (replace(FINE, last_trade=AS_OF - 31 * DAY_S), "no trade in the last 30 days"),
    "just not idle": (replace(FINE, last_trade=AS_OF - 30 * DAY_S), None),
    "as fast as can be copied": (replace(FINE, trades=500 * 90), None),
    "a machine's pace": (replace(FINE, trades=500 * 90 + 1), "more than 500 trades a day"),
    "sells gifts": (replace(FINE, unmatched_sold_usd=5_001.0), "most of what was sold was never bought"),
}


@pytest.mark.parametrize(("performance", "reason"), REASONS.values(), ids=REASONS.keys())
def test_the_first_broken_rule_is_the_reason(performance: Performance, reason: str | None) -> None:
    rules = Rules(excluded=frozenset({wallet("market maker")}))
    assert exclusion_of(performance, rules, as_of_block_time=AS_OF) == reason


def scored(name: str, score: float, *, roi: float = 0.1, trades: int = 10, exclusion: str | None = None) -> TraderScore:
    performance = replace(FINE, wallet=wallet(name), roi=roi, trades=trades)
    nothing = NotEnoughEvidence(wallet(name), 1, 1)
    return TraderScore(wallet(name), ClassicScore(score, 0, 0, 0, 0), nothing, performance, "hash", exclusion)


def trusted(name: str, score: float, mean: float, *, classic: float = 30) -> TraderScore:
    copy = CopyScore(wallet(name), score, 0.9, mean, 0.1, 0.3, 90, 40, 44, 0.05, 0.12, None, 0.003, "synthetic prior 1")
    return replace(scored(name, classic), copy=copy)


def test_the_trust_score_ranks_by_itself_and_parts_equals_by_the_posterior_mean() -> None:
    scores = [trusted("ana", 60, 0.1, classic=50), trusted("ben", 70, 0.1, classic=10), trusted("cem", 60, 0.2, classic=1)]
    assert [one.wallet for one in ranked(scores, Model.TRUST)] == [wallet(name) for name in ("ben", "cem", "ana")]
    assert [one.wallet for one in ranked(scores, Model.CLASSIC)] == [wallet(name) for name in ("ana", "ben", "cem")]


def test_equal_scores_are_parted_by_return_then_trades_then_address() -> None:
    first, second = sorted(("dora", "emil"), key=wallet)
    scores = [
        scored("ana", 30),
        scored("ben", 40, roi=0.1),
        scored("cem", 40, roi=0.2),
        scored(first, 20, trades=11),
        scored(second, 20, trades=11),
        scored("finn", 20, trades=12),
    ]
    order = [score.wallet for score in ranked(scores, Model.CLASSIC)]
    assert order == [wallet(name) for name in ("cem", "ben", "ana", "finn", first, second)]


def test_who_is_not_eligible_has_no_rank_and_stands_last() -> None:
    found = ranked([scored("ana", 50, exclusion="fewer than 10 trades"), scored("ben", 10)], Model.CLASSIC)
    assert [(score.wallet, score.rank) for score in found] == [(wallet("ben"), 1), (wallet("ana"), None)]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.booleans()), max_size=12), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_any_order_of_scores_gives_the_same_ranking(rows: list[tuple[int, int, bool]], random: Random) -> None:
    scores = [
        scored(f"wallet {at}", score, roi=roi / 10, exclusion=None if eligible else "a reason")
        for at, (score, roi, eligible) in enumerate(rows)
    ]
    shuffled = list(scores)
    random.shuffle(shuffled)
    assert ranked(shuffled, Model.CLASSIC) == ranked(scores, Model.CLASSIC)
    ranks = [score.rank for score in ranked(scores, Model.CLASSIC) if score.rank is not None]
    assert ranks == list(range(1, len(ranks) + 1))
