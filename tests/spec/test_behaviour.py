"""V2 plus: the 17 numbers of a wallet's behaviour, what is learned from them, and what they do to a score."""

from dataclasses import replace

import numpy as np
import pytest
from tests.fakes.made_cohorts import made_cohort

from xorj.trust import prior
from xorj.trust.behaviour import FEATURES, RIDGE, Shift, features, learned, plus_scores, shifts
from xorj.trust.cohort import Cohort, Floats
from xorj.trust.copy_score import Calibration, score_estimates
from xorj.trust.synthetic_shift import SYNTHETIC_SHIFT
from xorj.trust.utility_sharpe import estimate

COHORT = made_cohort(11)
HOURS, BOOKED = np.linspace(0.5, 400, 320), np.linspace(-0.2, 0.4, 320)


def one_wallet(*returns: float, hours: float = 2.0, booked: float = 0.0, trips: int = 9) -> dict[str, float]:
    r = np.array([returns])
    cohort = Cohort(r, np.ones_like(r, dtype=np.bool_), np.zeros(len(returns)), np.array([trips]), np.array([0.25]), np.array([3]))
    return dict(zip(FEATURES, features(cohort, np.array([hours]), np.array([booked]))[0].tolist(), strict=True))


def test_features_of_a_record_that_can_be_checked_by_hand() -> None:
    found = one_wallet(0.1, -0.2, 0.0, 0.1, booked=9.0)
    deviation = np.std([0.1, -0.2, 0.0, 0.1])
    assert found["share of active days above zero"] == pytest.approx(2 / 3)
    assert found["share of active days"] == 0.75
    assert found["worst day over deviation"] == pytest.approx(0.2 / deviation)
    assert found["expected shortfall at 5 % over deviation"] == pytest.approx(0.2 / deviation)
    assert found["share of gains in the best three days"] == 1
    assert found["maximum drawdown"] == pytest.approx(0.2)
    assert found["log round trips"] == pytest.approx(np.log(10))
    assert found["log days"] == pytest.approx(np.log(4))
    assert found["log holding hours"] == pytest.approx(np.log(2))
    assert found["log cluster size"] == pytest.approx(np.log(3))
    assert (found["linked share"], found["beta"]) == (0.25, 0)
    assert found["booked less copied Sharpe"] == 3, "clipped"
    assert found["skewness"] < 0


def test_a_wallet_without_a_day_has_no_features_and_an_unknown_booked_sharpe_no_gap() -> None:
    dead = replace(COHORT, alive=COHORT.alive & (np.arange(320) != 5)[:, None])
    found = features(dead, HOURS, np.full(320, np.nan))
    assert np.isnan(found[5]).all()
    assert np.isfinite(np.delete(found, 5, axis=0)).all()
    assert set(np.delete(found[:, FEATURES.index("booked less copied Sharpe")], 5)) == {0.0}


def test_what_is_learned_is_the_ridge_regression_on_ranks_and_their_squares() -> None:
    found = features(COHORT, HOURS, BOOKED)
    ahead = found[:, 0] * 0.1 + np.random.default_rng(1).normal(0, 0.05, len(found))
    places = np.argsort(np.argsort(found, axis=0, kind="stable"), axis=0, kind="stable")
    ties = np.stack([tied(column) for column in found.T], axis=1)
    assert ties.shape == places.shape
    linear = ties / (len(found) - 1) - 0.5
    x = np.concatenate([linear, linear**2 - 1 / 12], axis=1)
    slow = np.linalg.solve(x.T @ x + RIDGE * np.eye(x.shape[1]), x.T @ (ahead - ahead.mean()))
    assert np.array(learned([(found, ahead)], "a test's").coefficients) == pytest.approx(slow, abs=1e-9)


def tied(column: Floats) -> Floats:
    """Ranks whose ties share their mean, one by one."""
    return np.array([(column < value).sum() + ((column == value).sum() - 1) / 2 for value in column])


def scored(shift: Shift) -> tuple[Floats, Floats]:
    estimates = estimate(COHORT)
    calibration = Calibration(0.5, 0.01, prior.fitted(estimates), "a test's")
    core = score_estimates(estimates, calibration).score
    return core, plus_scores(estimates, features(COHORT, HOURS, BOOKED), calibration, shift)


def test_without_a_shift_v2_plus_is_core() -> None:
    core, plus = scored(Shift((0.0,) * (2 * len(FEATURES)), "nothing"))
    assert np.array_equal(np.isnan(core), np.isnan(plus))
    assert plus == pytest.approx(core, abs=1e-9, nan_ok=True)


def test_shifts_are_relative_to_the_cohorts_median_and_move_scores_their_way() -> None:
    core, plus = scored(SYNTHETIC_SHIFT)
    moved = shifts(features(COHORT, HOURS, BOOKED), SYNTHETIC_SHIFT)
    assert np.nanmedian(moved) == pytest.approx(0, abs=1e-12)
    known = np.isfinite(core) & (np.abs(moved) > 1e-4)
    assert np.array_equal(np.sign(plus - core)[known], np.sign(moved)[known])


def test_nothing_can_be_learned_from_nobody() -> None:
    with pytest.raises(ValueError, match="no wallet"):
        learned([(np.full((3, len(FEATURES)), np.nan), np.zeros(3))], "nothing")
