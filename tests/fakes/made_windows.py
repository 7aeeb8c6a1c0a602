"""Frozen cohorts and closed windows from a seed: what was predicted, and 90 days that keep to it, are idle, or are the contrary."""

from math import erf, sqrt

import numpy as np
from tests.fakes.made_swaps import wallet

from xorj.primitives.ids import Slot, Wallet
from xorj.trust.behaviour import FEATURES
from xorj.trust.copy_score import HORIZON_DAYS
from xorj.trust.predictions import FrozenCohort, LiveWindow, Prediction
from xorj.trust.prior import GRID

PRIOR = tuple(1 / len(GRID) for _ in GRID)


def prediction(
    who: str,
    score: float | None,
    *,
    plus: float | None = None,
    sharpe: float = 0.0,
    error: float = 0.1,
    cluster_size: int = 1,
    behaviour: tuple[float, ...] | None = None,
) -> Prediction:
    return Prediction(
        wallet=wallet(who),
        rank=None,
        score=score,
        edge=None if score is None else score / 100,
        band_low=None if score is None else sharpe - error,
        band_high=None if score is None else sharpe + error,
        sharpe=None if score is None else sharpe,
        error=None if score is None else error,
        evidence_days=60,
        round_trips=20,
        cluster_size=cluster_size,
        plus=plus,
        behaviour=behaviour if behaviour is not None else (0.5,) * len(FEATURES),
        input_hash=f"inputs of {who}",
    )


def frozen(day: int, predictions: list[Prediction], *, is_own_prior: bool = True) -> FrozenCohort:
    ordered = tuple(sorted(predictions, key=lambda one: one.wallet))
    return FrozenCohort(
        day=day,
        run_id=f"v2-{day}",
        as_of_slot=Slot(day * 216_000),
        input_hash=f"inputs {day}",
        parameter_hash="parameters",
        lake_version=day,
        calibration="synthetic prior 1",
        prior=PRIOR,
        is_own_prior=is_own_prior,
        plus_version="synthetic shift 1",
        predictions=ordered,
    )


def made_window(day: int, wallets: int = 1_500, *, persists: float = 0.5, honest: bool = True, seed: int = 1) -> LiveWindow:
    """Wallets whose estimate has an error, whose true theta is drawn around it, and of whose theta `persists` is left in the 90 days.

    The score is the true chance of paying where `honest`, and its contrary where not. V2 plus knows half of what the estimate misses.
    """
    draw = np.random.default_rng(seed * 1_000 + day)
    theta = draw.normal(0, 0.15, wallets)
    sharpe = theta + 0.1 * draw.standard_normal(wallets)
    # shrunk towards 0, the mean of all
    mean = sharpe * 0.15**2 / (0.15**2 + 0.1**2)
    chance = np.array([_chance(persists * one, persists) for one in mean])
    predictions = [
        prediction(
            f"{day} {number}",
            float(100 * (chance[number] if honest else 1 - chance[number])),
            plus=float(100 * _chance(persists * (mean[number] + theta[number]) / 2, persists)),
            sharpe=float(sharpe[number]),
        )
        for number in range(wallets)
    ]
    days = 0.02 * (persists * theta[:, None] + draw.standard_normal((wallets, HORIZON_DAYS)))
    returns = {one.wallet: tuple(map(float, row)) for one, row in zip(predictions, days, strict=True)}
    return LiveWindow(frozen(day, predictions), returns)


def _chance(ahead: float, persists: float) -> float:
    # the spread of 90 days' mean around its expectation, what is unknown of theta in it
    unknown = persists * 0.15 * 0.1 / sqrt(0.15**2 + 0.1**2)
    return 0.5 + erf((ahead - 0.03) / sqrt(2) / sqrt(1 / HORIZON_DAYS + unknown**2)) / 2


def returns_of(cohort: FrozenCohort, daily: float = 0.01) -> dict[Wallet, tuple[float, ...]]:
    return {one.wallet: (daily,) * HORIZON_DAYS for one in cohort.predictions}
