"""What a cohort's scores are computed from, and the checks of it. Used by copy_score and by whoever makes cohorts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """All wallets of one moment: W wallets over the same D days, oldest day first.

    daily_returns float64[W, D]: the copier's daily net return as a fraction; what stands on a day outside `alive` is never read.
    alive bool[W, D]: the days of the wallet's life, from its first swap on; an idle day is alive and its return 0.
    market_returns float64[D]: SOL's daily return as a fraction.
    round_trips int64[W]; linked_share float64[W], share of volume with linked wallets, 0 to 1; cluster_size int64[W], at least 1.
    """

    daily_returns: Floats
    alive: Bools
    market_returns: Floats
    round_trips: Ints
    linked_share: Floats
    cluster_size: Ints

    def rows(self, start: int, stop: int) -> "Cohort":
        """The wallets from start to before stop; views, no copies."""
        part = slice(start, stop)
        return Cohort(
            self.daily_returns[part],
            self.alive[part],
            self.market_returns,
            self.round_trips[part],
            self.linked_share[part],
            self.cluster_size[part],
        )


def checked(cohort: Cohort) -> Cohort:
    """The same cohort as arrays of the declared types.

    Raises ValueError naming the field whose shape or values cannot be; daily and market returns are looked at when they are used.
    """
    returns, alive = np.asarray(cohort.daily_returns, np.float64), np.asarray(cohort.alive, np.bool_)
    if returns.ndim != 2 or alive.shape != returns.shape:
        raise ValueError(f"daily_returns and alive must be of one shape (wallets, days), not {returns.shape} and {alive.shape}")
    wallets, days = returns.shape
    result = Cohort(
        returns,
        alive,
        _fractions("market_returns", cohort.market_returns, days),
        _counts("round_trips", cohort.round_trips, wallets),
        _fractions("linked_share", cohort.linked_share, wallets),
        _counts("cluster_size", cohort.cluster_size, wallets),
    )
    if not np.all((result.linked_share >= 0) & (result.linked_share <= 1)):
        raise ValueError("linked_share must be from 0 to 1")
    if not np.all(result.cluster_size >= 1):
        raise ValueError("cluster_size must be at least 1")
    if not np.all(result.round_trips >= 0):
        raise ValueError("round_trips must be at least 0")
    return result


def check_returns(returns: Floats, alive: Bools, market: Floats) -> None:
    """Raises ValueError for a return on a living day that is not finite, and for a market return that is not finite there.

    A return below -1 is taken as it is: utility has its own floor.
    """
    if not np.all(np.isfinite(market[alive.any(axis=0)])):
        raise ValueError("market_returns must be finite on every day that a wallet lives")
    if not np.all(np.isfinite(returns) | ~alive):
        raise ValueError("daily_returns must be finite on every day of a wallet's life")


def _fractions(name: str, given: Floats, length: int) -> Floats:
    found = np.asarray(given, np.float64)
    if found.shape != (length,):
        raise ValueError(f"{name} must be of shape ({length},), not {found.shape}")
    return found


def _counts(name: str, given: Ints, length: int) -> Ints:
    found = np.asarray(given)
    if found.shape != (length,):
        raise ValueError(f"{name} must be of shape ({length},), not {found.shape}")
    if not np.all(found == np.floor(found)):
        raise ValueError(f"{name} must be whole numbers")
    return found.astype(np.int64, copy=False)
