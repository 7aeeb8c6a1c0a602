"""One seed of one world to figures: the population is made, scored by everyone, and measured. Run in worker processes by the command."""

from dataclasses import dataclass

import numpy as np
from bench.trust import seeds
from bench.trust import worlds as w
from bench.trust.baselines import baselines
from bench.trust.measures import Measured, Outcome, best, measured, outcome_of, policy
from bench.trust.population import Population, population
from bench.trust.worlds import World

from xorj.trust import prior
from xorj.trust.behaviour import features, plus_scores
from xorj.trust.calibration import ClosedWindow, calibrated
from xorj.trust.cohort import Floats, Ints
from xorj.trust.copy_score import UNCALIBRATED, Calibration, CohortScores, estimate, score_estimates
from xorj.trust.rank_correlation import BAND_EDGES, calibration_table
from xorj.trust.synthetic_shift import SYNTHETIC_SHIFT
from xorj.trust.utility_sharpe import Estimates, joined, utility

V2, PLUS = "V2 core", "V2 plus, in shadow"
TOP_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Honesty:
    """What only a probability can be asked. Bands are (wallets, predicted, paid); covered is the share of regular wallets
    whose true theta lies in the band, NaN outside the default world."""

    bands: list[tuple[int, float, float]]
    assumed_bands: list[tuple[int, float, float]]
    covered: float
    above_fifty: float
    policy_gain: float
    policy_fall: float
    roles_on_top: list[int]


@dataclass(frozen=True, slots=True)
class SeedResult:
    """Every score's measures and how many of its top 20 have each role, by name, and V2's own."""

    seed: int
    world: str
    wallets: int
    scores: dict[str, Measured]
    top_roles: dict[str, list[int]]
    honesty: Honesty


def evaluated(seed: int, world: World, wallets: int, calibration: Calibration) -> SeedResult:
    """Everything about one seed. V2's prior is fitted on the cohort, as it is in production."""
    people = population(seed, world, wallets, with_truth=world.name == w.DEFAULT.name)
    outcome = outcome_of(people)
    estimates = estimate(people.cohort)
    weights = prior.fitted(estimates)
    scores, assumed = (
        score_estimates(estimates, Calibration(one.rho, one.drift, weights, one.version)) for one in (calibration, UNCALIBRATED)
    )
    plus = plus_scores(estimates, behaviour_of(people), Calibration(calibration.rho, calibration.drift, weights, ""), SYNTHETIC_SHIFT)
    everyone = baselines(people) | {V2: scores.score, PLUS: plus}
    figures = {name: measured(score, people, outcome) for name, score in everyone.items()}
    top_roles = {name: _roles(people, best(score)) for name, score in everyone.items()}
    return SeedResult(seed, world.name, len(people.role), figures, top_roles, _honesty(scores, assumed, people, outcome))


def _roles(people: Population, chosen: Ints) -> list[int]:
    return [int(count) for count in np.bincount(people.role[chosen], minlength=len(w.ROLE_NAMES))]


def _honesty(scores: CohortScores, assumed: CohortScores, people: Population, outcome: Outcome) -> Honesty:
    known = np.isfinite(scores.score)
    regular = known & (people.role == w.REGULAR)
    inside = (people.theta_now >= scores.band_low) & (people.theta_now <= scores.band_high)
    gain, fall = policy(scores.score, people)
    return Honesty(
        calibration_table(scores.score, outcome.paid, BAND_EDGES),
        calibration_table(assumed.score, outcome.paid, BAND_EDGES),
        float(inside[regular].mean()) if np.isfinite(people.theta_now[regular]).any() else float("nan"),
        float((scores.score[known] > 50).mean()),
        gain,
        fall,
        _roles(people, best(scores.score, int(len(known) * TOP_SHARE))),
    )


def fitting_window(seed: int, wallets: int) -> ClosedWindow:
    """The default world's cohort of a fitting seed, with what came of it."""
    if seed not in seeds.FITTING:
        raise ValueError(f"{seed} is not a fitting seed")
    people = population(seed, w.DEFAULT, wallets, with_truth=False)
    return ClosedWindow(0, w.FUTURE_DAYS, estimate(people.cohort), outcome_of(people).paid)


def behaviour_of(people: Population) -> Floats:
    """What V2 plus is made from."""
    alive = people.cohort.alive
    booked = np.where(alive, people.booked, 0.0)
    days = np.maximum(alive.sum(axis=1), 1)
    mean = booked.sum(axis=1) / days
    spread = np.sqrt(np.where(alive, (booked - mean[:, None]) ** 2, 0).sum(axis=1) / days)
    return features(people.cohort, people.hours, mean / np.where(spread > 0, spread, np.inf))


def behaviour_window(seed: int, wallets: int) -> tuple[Floats, Floats]:
    """The features of a fitting seed's wallets, and the utility-Sharpe of their next 90 days."""
    if seed not in seeds.FITTING:
        raise ValueError(f"{seed} is not a fitting seed")
    people = population(seed, w.DEFAULT, wallets, with_truth=False)
    ahead = utility(people.future)
    spread = ahead.std(axis=1)
    return behaviour_of(people), ahead.mean(axis=1) / np.where(spread > 0, spread, np.inf)


def fitted_calibration(windows: list[ClosedWindow]) -> Calibration:
    """rho and drift from the fitting seeds' windows, for cohorts of a later day."""
    return calibrated(windows, as_of_day=w.FUTURE_DAYS, prior=None, version="bench, fitting seeds")


def synthetic_prior(windows: list[ClosedWindow]) -> list[float]:
    """The prior of all fitting seeds' wallets together, as it is shipped: 121 weights, rounded so that they are the same everywhere."""
    pooled: Estimates = joined([window.estimates for window in windows])
    return [round(float(one), 9) for one in prior.fitted(pooled)]
