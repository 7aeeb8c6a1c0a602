"""The three largest reasons of a score: each part's effect has the sign that a reader expects, and nothing is told that did not matter."""

from dataclasses import replace

import numpy as np
import pytest
from tests.fakes.made_cohorts import made_cohort

from xorj.trust import prior
from xorj.trust.cohort import Cohort, Floats
from xorj.trust.copy_replay import Terms
from xorj.trust.copy_score import Calibration
from xorj.trust.live_windows import BandRate
from xorj.trust.reasons import PARTS, Reason, effects, largest
from xorj.trust.utility_sharpe import estimate
from xorj.trust.words import calibration_in_words, past_in_words, reason_in_words, terms_in_words

COHORT = made_cohort(7)
NOTHING = dict.fromkeys(PARTS, 0.0)


def found(cohort: Cohort) -> Floats:
    estimates = estimate(cohort)
    return effects(cohort, estimates, Calibration(0.5, 0.0, prior.fitted(estimates), "a test's"))


def points(**moved: float) -> list[float]:
    return list((NOTHING | {name.replace("_", " "): value for name, value in moved.items()}).values())


def told(**moved: float) -> list[str]:
    reasons = largest(points(**moved), days=12, round_trips=4, linked_share=0.31, cluster_size=5)
    return [reason_in_words(reason) for reason in reasons]


def test_a_wallet_without_a_score_has_no_effects_and_all_others_have_them() -> None:
    known = estimate(COHORT).is_scoreable
    assert np.array_equal(np.isfinite(found(COHORT)).all(axis=1), known)


def test_linked_volume_and_a_cluster_take_from_a_good_score_and_their_absence_moves_nothing() -> None:
    clean = replace(COHORT, linked_share=np.zeros(320), cluster_size=np.ones(320, dtype=np.int64))
    none = found(clean)
    scored = np.isfinite(none[:, 0])
    assert (none[scored][:, [PARTS.index("linked volume"), PARTS.index("cluster")]] == 0).all()
    best = int(np.nanargmax(none[:, 0]))
    here = np.arange(320) == best
    for part, spoilt in (
        ("linked volume", replace(clean, linked_share=np.where(here, 0.9, 0.0))),
        ("cluster", replace(clean, cluster_size=np.where(here, 5, 1))),
    ):
        assert found(spoilt)[best][PARTS.index(part)] < -0.5


def test_the_record_lifts_the_best_and_lowers_the_worst() -> None:
    sharpe = estimate(COHORT).sharpe
    record = found(COHORT)[:, PARTS.index("record")]
    assert record[int(np.nanargmax(sharpe))] > 0 > record[int(np.nanargmin(sharpe))]


def test_the_three_largest_are_told_in_words_and_the_largest_first() -> None:
    assert told(record=9.26, days=-12.5, round_trips=-1.0, evenness=-0.7) == [
        "its record is 12 days long: −12.5 points",
        "its copied record is better than this market's usual one: +9.3 points",
        "it made 4 round trips: −1.0 points",
    ]
    assert told(record=-3.0, linked_volume=-2.0, cluster=-1.5) == [
        "its copied record is worse than this market's usual one: −3.0 points",
        "31 % of its volume was with its own wallets: −2.0 points",
        "it is one of 5 wallets of one owner, who could choose the best: −1.5 points",
    ]
    assert told(market=-4.0) == ["part of its gains are SOL's own moves: −4.0 points"]
    assert told(record=0.49, days=-0.2) == []


def test_of_the_past_only_what_was_observed_is_told() -> None:
    bands = [BandRate(60, 70, 231, 0.64, 0.61)]
    assert past_in_words(62, bands) == "wallets scored like this (60 to 70) paid their copiers in 61 % of past 90-day windows (231 wallets)"
    assert past_in_words(62, []) is None
    assert past_in_words(41, bands) is None


def test_assumptions_are_named() -> None:
    assert "simulated" in calibration_in_words("synthetic prior 1")
    assert "assumed" in calibration_in_words("uncalibrated")
    assert "assumed" in terms_in_words(Terms())
    assert terms_in_words(Terms(delay_s=1.25, cost_scale=1.5, fills_measured=40)) == (
        "delay 1.2 s and costs x 1.50, measured on 40 fills of our own"
    )


def test_effects_need_the_prior_that_was_used() -> None:
    with pytest.raises(ValueError, match="prior"):
        effects(COHORT, estimate(COHORT), Calibration(0.5, 0.0))
    assert Reason("a", 1.0) == Reason("a", 1.0)
