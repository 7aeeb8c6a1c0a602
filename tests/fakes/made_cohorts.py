"""Cohorts from a seed, for tests of the trust score: no roles and no market worth the name, only records of every length."""

import numpy as np

from xorj.trust.cohort import Cohort


def made_cohort(seed: int, wallets: int = 320, days: int = 60, *, skill: float = 0.08) -> Cohort:
    """Returns are normal around a skill of each wallet's own, lives end with the window and begin anywhere in it."""
    rng = np.random.default_rng(seed)
    market = rng.normal(0, 0.04, days)
    deviation = rng.uniform(0.005, 0.06, wallets)
    theta = rng.normal(0, skill, wallets)
    returns = deviation[:, None] * (theta[:, None] + rng.standard_normal((wallets, days))) + rng.uniform(0, 0.6, wallets)[:, None] * market
    ages = np.exp(rng.uniform(np.log(3), np.log(days), wallets)).astype(int)
    alive = np.arange(days) >= days - ages[:, None]
    return Cohort(
        np.where(alive, np.maximum(returns, -1), 0.0),
        alive,
        market,
        rng.integers(0, 200, wallets),
        np.where(rng.random(wallets) < 0.2, rng.random(wallets), 0.0),
        np.where(rng.random(wallets) < 0.1, rng.integers(2, 20, wallets), 1),
    )
