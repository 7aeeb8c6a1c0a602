"""Verdicts about a whole history: who has evidence, who has not, and that the same history gives the same bits."""

from dataclasses import replace

import numpy as np
import pytest
from tests.fakes.made_swaps import FIRST_DAY_S, mint, swap, wallet

from xorj.primitives.clock import DAY_S
from xorj.swaps.swap import Swap
from xorj.swaps.valuation import value_swaps
from xorj.trust.copied_market import market_of
from xorj.trust.copy_replay import Terms, replay
from xorj.trust.copy_score import UNCALIBRATED
from xorj.trust.copy_verdict import CopyScore, NotEnoughEvidence
from xorj.trust.prior import WALLETS_MIN
from xorj.trust.score_copies import (
    CAPACITY_FACTOR,
    calibration_for,
    capacity_usd,
    cohort_of,
    score_copies,
    trades_by_wallet,
)
from xorj.trust.synthetic_prior import SYNTHETIC
from xorj.trust.utility_sharpe import estimate

DAYS = 60


def history(*names: str, seed: int = 1, rise: float = 0.02) -> list[Swap]:
    """Each trader buys WIF in the morning and sells it in the evening, at prices that rise by day by `rise` on the mean for the first."""
    draw = np.random.default_rng(seed)
    swaps, price = list[Swap](), 1.0
    for day in range(DAYS):
        up = 1 + rise + 0.03 * float(draw.standard_normal())
        for number, name in enumerate(names):
            slot, at = 1_000 * day + 10 * number, day + number / 1_000
            swaps.append(swap(name, f"{100 * price:.6f} USDC", "100 WIF", slot=slot, day=at))
            sold = price * (up if number == 0 else 1 + 0.02 * float(draw.standard_normal()))
            swaps.append(swap(name, "100 WIF", f"{100 * sold:.6f} USDC", slot=slot + 5, day=at + 0.5))
        price *= up
    return swaps


def verdicts(swaps: list[Swap]) -> dict[str, CopyScore | NotEnoughEvidence]:
    return {str(name): found for name, found in score_copies(value_swaps(swaps), FIRST_DAY_S + DAYS * DAY_S).items()}


def test_one_day_is_too_short_to_score() -> None:
    swaps = [swap("ana", "100 USDC", "100 WIF", slot=1), swap("ana", "100 WIF", "200 USDC", slot=9, day=0.5)]
    swaps.append(swap("ben", "500 USDC", "400 WIF", slot=90, day=0.6))
    found = score_copies(value_swaps(swaps), FIRST_DAY_S + DAY_S - 1)
    ana = found[wallet("ana")]
    assert ana == NotEnoughEvidence(wallet("ana"), evidence_days=1, round_trips=1, links=ana.links)


def test_who_never_sells_has_no_evidence_however_long_he_waits() -> None:
    found = verdicts([swap("ana", "100 USDC", "100 WIF", slot=1)])[wallet("ana")]
    assert isinstance(found, NotEnoughEvidence)


def test_whoever_pays_his_copiers_stands_above_who_does_not_and_says_how_sure_that_is() -> None:
    found = verdicts(history("ana", "ben"))
    ana, ben = found[wallet("ana")], found[wallet("ben")]
    assert isinstance(ana, CopyScore)
    assert isinstance(ben, CopyScore)
    assert ana.score > ben.score
    for one in (ana, ben):
        assert 0 <= one.score <= 100
        assert one.band_low <= one.posterior_mean <= one.band_high
        assert one.calibration == SYNTHETIC.version
        assert "synthetic" in one.calibration


def test_the_same_history_gives_the_same_bits_in_any_order() -> None:
    swaps = history("ana", "ben")
    assert verdicts(swaps) == verdicts(swaps[::-1])


def test_what_comes_after_the_moment_changes_nothing() -> None:
    swaps = history("ana", "ben")
    moment = FIRST_DAY_S + 30 * DAY_S
    before = [one for one in swaps if one.block_time <= moment]
    assert score_copies(value_swaps(swaps), moment) == score_copies(value_swaps(before), moment)


@pytest.mark.parametrize(
    ("mean", "at_largest", "capacity"),
    [
        (-0.1, -0.2, None),
        (0.2, 0.2, 500.0),
        (0.2, 0.15, 500.0),
        (0.2, 0.1, 500.0),
        (0.2, 0.0, 50 * CAPACITY_FACTOR**0.5),
        (0.2, -0.2, 50 * CAPACITY_FACTOR**0.25),
    ],
)
def test_capacity_is_where_the_posterior_mean_has_fallen_to_half(mean: float, at_largest: float, capacity: float | None) -> None:
    assert capacity_usd(mean, at_largest, 50) == (None if capacity is None else pytest.approx(capacity))


def test_a_cohort_fits_its_own_prior_from_300_scoreable_wallets_on() -> None:
    valuation = value_swaps(history("ana", "ben"))
    trades = trades_by_wallet(valuation, FIRST_DAY_S + DAYS * DAY_S)
    market = market_of(trades.values(), FIRST_DAY_S + DAYS * DAY_S)
    record = replay(trades[wallet("ana")], market, Terms())
    many = [replace(record, daily_returns=record.daily_returns * (1 + at / 1_000)) for at in range(WALLETS_MIN)]
    own, is_own = calibration_for(estimate(cohort_of(many, market, [1] * len(many))))
    assert (own.version, own.rho, is_own) == (UNCALIBRATED.version, UNCALIBRATED.rho, True)
    assert calibration_for(estimate(cohort_of(many[1:], market, [1] * (len(many) - 1)))) == (SYNTHETIC, False)


def test_what_is_undone_in_its_own_slot_moves_no_price() -> None:
    honest = history("ana", "ben")
    pumped = [
        swap("eve", "100000 USDC", "100 WIF", slot=31_005, index=1, day=31.2),
        swap("eve", "100 WIF", "100000 USDC", slot=31_005, index=2, day=31.2),
    ]
    as_of = FIRST_DAY_S + DAYS * DAY_S
    alone, beside = (market_of(trades_by_wallet(value_swaps(swaps), as_of).values(), as_of) for swaps in (honest, [*honest, *pumped]))
    assert beside.impacts == alone.impacts
    moment = FIRST_DAY_S + 31.3 * DAY_S
    assert beside.prices.at(mint("WIF"), moment) == alone.prices.at(mint("WIF"), moment)
