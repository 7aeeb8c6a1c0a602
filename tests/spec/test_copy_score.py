"""The trust score by hand: small records whose estimate, error and score can be checked with a pocket calculator."""

import math

import numpy as np
import pytest
from tests.fakes.made_cohorts import made_cohort
from tests.fakes.spec_table import table

from xorj.trust.cohort import Cohort
from xorj.trust.copy_score import UNCALIBRATED, Calibration, CohortScores, estimate, score_cohort, score_estimates
from xorj.trust.prior import GRID
from xorj.trust.utility_sharpe import Estimates, expected_maxima, hedged, utility

COLUMNS = ("score", "edge", "posterior_mean", "band_low", "band_high", "evidence_days")

UTILITIES = table("""
    what                              | return | utility
    an idle day                       | 0      | 0
    doubled                           | 1      | 0.375
    a tenth won                       | 0.1    | 0.0867768595
    a tenth lost costs more           | -0.1   | -0.1172839506
    half lost                         | -0.5   | -1.5
    all lost, as if 95 % were lost    | -1     | -199.5
    more than all lost, the same      | -1.5   | -199.5
""")

# two days up 1 and one day down, four days and so on: u is 0.375 for a doubled day, -1.5 for a halved one
ESTIMATES = table("""
    what                               | days        | trips | linked | cluster | sharpe       | error^2 x days
    up and down, symmetric about 0     | x x -x -x   | 1e9   | 0      | 1       | 0            | 1
    three round trips double it        | x x -x -x   | 3     | 0      | 1       | 0            | 2
    two round trips treble it          | x x -x -x   | 2     | 0      | 1       | 0            | 3
    half the volume linked doubles it  | x x -x -x   | 1e9   | 0.5    | 1       | 0            | 2
    all of it linked is capped at 0.99 | x x -x -x   | 1e9   | 1      | 1       | 0            | 100
    the best of two clones             | x x -x -x   | 1e9   | 0      | 2       | -0.28209479  | 1
    won three days of four             | x x x -x    | 1e9   | 0      | 1       | 0.57735027   | 1.77777778
""")


def cohort_of(days: list[float], *, trips: int = 10**9, linked: float = 0, cluster: int = 1) -> Cohort:
    row = np.array([days])
    return Cohort(row, np.ones(row.shape, bool), np.zeros(len(days)), np.array([trips]), np.array([linked]), np.array([cluster]))


def return_with(wanted: float) -> float:
    """The daily return whose utility this is."""
    return (1 - 2 * wanted) ** -0.5 - 1


@pytest.mark.parametrize("row", UTILITIES, ids=lambda row: row["what"])
def test_losses_cost_more_than_gains_bring(row: dict[str, str]) -> None:
    assert utility(np.array([float(row["return"])]))[0] == pytest.approx(float(row["utility"]), abs=1e-9)


@pytest.mark.parametrize("row", ESTIMATES, ids=lambda row: row["what"])
def test_an_estimate_by_hand(row: dict[str, str]) -> None:
    signs = {"x": 0.1, "-x": -0.1}
    days = [return_with(signs[day]) for day in row["days"].split()]
    found = estimate(cohort_of(days, trips=int(float(row["trips"])), linked=float(row["linked"]), cluster=int(row["cluster"])))
    assert found.sharpe[0] == pytest.approx(float(row["sharpe"]), abs=1e-7)
    assert found.error[0] ** 2 * len(days) == pytest.approx(float(row["error^2 x days"]), rel=1e-7)


def test_the_best_of_many_is_expected_where_tables_have_it() -> None:
    known = {1: 0.0, 2: 1 / math.sqrt(math.pi), 3: 1.5 / math.sqrt(math.pi), 5: 1.1629644736, 10: 1.5387527308, 100: 2.5075936361}
    assert expected_maxima(np.array(list(known))) == pytest.approx(np.array(list(known.values())), abs=1e-9)


def test_the_market_s_own_moves_are_nobody_s_skill() -> None:
    market = np.array([0.05, -0.02, 0.03, 0.01, -0.04])
    returns = 2 * market[None, :]
    variance = market.var()
    kept = 1 - (market**2).sum() / ((market**2).sum() + 30 * variance)
    assert hedged(returns, np.ones(returns.shape, bool), market) == pytest.approx(returns * kept)


def test_a_score_by_hand() -> None:
    """Prior: half the wallets at -0.1, half at +0.2. s = 0.05 lies in the middle, so the record says nothing and the prior stays."""
    prior = np.zeros(121)
    prior[[50, 80]] = 0.5
    scores = score_estimates(Estimates(np.array([0.05]), np.array([0.1]), np.array([100.0])), Calibration(0.5, 0.01, prior, "by hand"))
    centre = 0.05
    ahead = [centre + 0.01 + 0.5 * (theta - centre) for theta in (-0.1, 0.2)]
    expected = sum(0.5 * 0.5 * math.erfc(-math.sqrt(90) * one / math.sqrt(2)) for one in ahead)
    assert scores.score[0] == pytest.approx(100 * expected, abs=1e-9)
    assert (scores.edge[0], scores.posterior_mean[0], scores.evidence_days[0]) == pytest.approx((0.5, 0.05, 100))
    # a tenth of the mass is a fifth of the lower point's, spread over -0.105 to -0.095
    assert (scores.band_low[0], scores.band_high[0]) == pytest.approx((-0.103, 0.203))


WITHOUT_EVIDENCE = {
    "one round trip": cohort_of([0.1, -0.1, 0.2], trips=1),
    "no round trip": cohort_of([0.1, -0.1, 0.2], trips=0),
    "two days": cohort_of([0.1, -0.1]),
    "idle throughout": cohort_of([0.0] * 50),
    "the same return every day": cohort_of([0.013] * 50),
    "no day at all": cohort_of([]),
}


@pytest.mark.parametrize("cohort", WITHOUT_EVIDENCE.values(), ids=WITHOUT_EVIDENCE)
def test_without_enough_evidence_there_is_no_number_at_all(cohort: Cohort) -> None:
    flat = Calibration(0.5, 0.0, np.full(121, 1 / 121), "flat")
    scores = score_cohort(cohort, flat)
    assert all(np.isnan(getattr(scores, column)).all() for column in COLUMNS)


def test_the_same_return_every_day_is_no_variation_whatever_the_market_does() -> None:
    steady = cohort_of([0.002] * 40)
    moving = Cohort(
        steady.daily_returns,
        steady.alive,
        0.03 * np.random.default_rng(1).standard_normal(40),
        steady.round_trips,
        steady.linked_share,
        steady.cluster_size,
    )
    assert np.isnan(score_cohort(moving, Calibration(0.5, 0.0, np.full(121, 1 / 121), "flat")).score[0])


def test_whoever_has_not_enough_evidence_stays_out_of_the_prior() -> None:
    cohort = made_cohort(3, wallets=400)
    silent = 50
    joint = Cohort(
        np.concatenate([cohort.daily_returns, cohort.daily_returns[:silent]]),
        np.concatenate([cohort.alive, cohort.alive[:silent]]),
        cohort.market_returns,
        np.concatenate([cohort.round_trips, np.ones(silent, np.int64)]),
        np.concatenate([cohort.linked_share, np.zeros(silent)]),
        np.concatenate([cohort.cluster_size, np.ones(silent, np.int64)]),
    )
    alone, together = score_cohort(cohort), score_cohort(joint)
    assert np.array_equal(together.score[:400], alone.score, equal_nan=True)
    assert np.isnan(together.score[400:]).all()


def test_a_small_cohort_cannot_fit_a_prior() -> None:
    with pytest.raises(ValueError, match="at least 300 scoreable wallets"):
        score_cohort(made_cohort(1, wallets=299))
    flat = Calibration(0.5, 0.0, np.full(121, 1 / 121), "flat")
    assert np.isfinite(score_cohort(made_cohort(1, wallets=20), flat).score).any()


def test_until_windows_have_closed_half_of_a_skill_is_assumed_to_persist() -> None:
    assert (UNCALIBRATED.rho, UNCALIBRATED.drift, UNCALIBRATED.prior) == (0.5, 0.0, None)
    assert (GRID[0], GRID[60], GRID[-1], len(GRID)) == (-0.6, 0.0, 0.6, 121)


BAD = {
    "daily_returns": {"daily_returns": np.array([[0.1, math.nan, 0.0]])},
    "alive": {"alive": np.ones((1, 2), bool)},
    "market_returns": {"market_returns": np.array([0.0, math.inf, 0.0])},
    "market_returns must be of shape": {"market_returns": np.zeros(2)},
    "round_trips": {"round_trips": np.array([2.5])},
    "round_trips must be at least 0": {"round_trips": np.array([-1])},
    "linked_share": {"linked_share": np.array([1.01])},
    "linked_share must be from": {"linked_share": np.array([math.nan])},
    "cluster_size": {"cluster_size": np.array([0])},
}


@pytest.mark.parametrize(("field", "given"), BAD.items(), ids=BAD)
def test_what_cannot_be_is_refused_by_name(field: str, given: dict[str, np.ndarray]) -> None:
    fine = cohort_of([0.1, -0.1, 0.2])
    columns = {name: getattr(fine, name) for name in Cohort.__slots__} | given
    with pytest.raises(ValueError, match=field):
        score_cohort(Cohort(**columns), Calibration(0.5, 0.0, np.full(121, 1 / 121), "flat"))


@pytest.mark.parametrize("prior", [np.full(120, 1 / 120), np.full(121, 1 / 100), np.full(121, math.nan), -np.full(121, 1 / 121)])
def test_a_prior_that_is_no_distribution_is_refused(prior: np.ndarray) -> None:
    with pytest.raises(ValueError, match="prior must be"):
        score_cohort(cohort_of([0.1, -0.1, 0.2]), Calibration(0.5, 0.0, prior, "broken"))


def test_what_stands_on_days_outside_life_is_never_read() -> None:
    cohort = made_cohort(5, wallets=40)
    filled = Cohort(
        np.where(cohort.alive, cohort.daily_returns, math.nan),
        cohort.alive,
        cohort.market_returns,
        cohort.round_trips,
        cohort.linked_share,
        cohort.cluster_size,
    )
    flat = Calibration(0.5, 0.0, np.full(121, 1 / 121), "flat")
    assert same(score_cohort(cohort, flat), score_cohort(filled, flat))


def same(one: CohortScores, other: CohortScores) -> bool:
    return all(np.array_equal(getattr(one, column), getattr(other, column), equal_nan=True) for column in COLUMNS)
