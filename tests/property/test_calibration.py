"""Calibration on windows whose truth is known: what was put in must come out, and past windows alone decide."""

import numpy as np
import pytest

from xorj.trust.calibration import ClosedWindow, calibrated
from xorj.trust.copy_score import Calibration, score_estimates
from xorj.trust.utility_sharpe import Estimates


def window(seed: int, *, rho: float, drift: float, wallets: int = 1_500) -> ClosedWindow:
    """Wallets of normal theta whose later theta is drawn as the score's formula has it, and whether their 90 days then paid."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(-0.03, 0.08, wallets)
    error = np.exp(rng.uniform(np.log(0.055), np.log(0.25), wallets))
    ahead = theta.mean() + drift + rho * (theta - theta.mean())
    paid = ahead + rng.standard_normal(wallets) / np.sqrt(90) > 0
    return ClosedWindow(0, 90, Estimates(theta + error * rng.standard_normal(wallets), error, np.full(wallets, 90.0)), paid)


@pytest.mark.parametrize(("rho", "drift"), [(0.0, 0.0), (0.4, 0.01), (0.8, -0.01), (1.0, 0.0)])
def test_what_persists_is_found_again(rho: float, drift: float) -> None:
    found = calibrated([window(seed, rho=rho, drift=drift) for seed in range(5)], as_of_day=90, prior=None, version="known")
    assert found.rho == pytest.approx(rho, abs=0.12)
    assert found.drift == pytest.approx(drift, abs=0.006)


def test_with_it_the_score_is_the_rate_at_which_wallets_pay() -> None:
    past = [window(seed, rho=0.5, drift=0.005) for seed in range(5)]
    calibration = calibrated(past, as_of_day=90, prior=None, version="known")
    fresh = [window(seed, rho=0.5, drift=0.005) for seed in range(50, 54)]
    scores = np.concatenate([score_estimates(one.estimates, calibration).score for one in fresh])
    paid = np.concatenate([one.paid for one in fresh])
    for fifth in np.array_split(np.argsort(scores), 5):
        assert paid[fifth].mean() == pytest.approx(scores[fifth].mean() / 100, abs=0.04)


def test_the_order_of_windows_does_not_matter_and_what_is_passed_on_stays() -> None:
    past = [window(seed, rho=0.5, drift=0.0, wallets=320) for seed in range(4)]
    weights = np.full(121, 1 / 121)
    one, other = (calibrated(some, as_of_day=120, prior=weights, version="v") for some in (past, past[::-1]))
    assert (one.rho, one.drift) == (other.rho, other.drift)
    assert (one.prior is weights, one.version) == (True, "v")


def test_a_window_still_open_is_refused() -> None:
    past = [window(seed, rho=0.5, drift=0.0, wallets=320) for seed in range(4)]
    with pytest.raises(ValueError, match="closed before"):
        calibrated(past, as_of_day=89, prior=None, version="too early")


def test_three_windows_teach_nothing_yet() -> None:
    past = [window(seed, rho=1.0, drift=0.0, wallets=320) for seed in range(3)]
    found = calibrated(past, as_of_day=90, prior=None, version="young")
    assert isinstance(found, Calibration)
    assert (found.rho, found.drift) == (0.5, 0.0)
