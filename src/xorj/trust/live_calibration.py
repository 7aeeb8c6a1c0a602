"""When live windows replace what is assumed: rho, drift, prior, V2 plus's shift, and whether they are accepted. Pure; for score_windows.

Four windows must have closed, each with enough scoreable wallets for a prior. They are accepted when rho and drift of all but the newest
predict the newest at least as well as the assumption does, by log score: what did not help yesterday is not used tomorrow.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xorj.trust.behaviour import FEATURES, Shift, learned
from xorj.trust.calibration import WINDOWS_MIN, ClosedWindow, calibrated, log_score
from xorj.trust.cohort import Floats
from xorj.trust.copy_score import RHO_ASSUMED, Calibration
from xorj.trust.live_windows import paid, realised_sharpe
from xorj.trust.predictions import LiveWindow
from xorj.trust.prior import WALLETS_MIN
from xorj.trust.utility_sharpe import Estimates


@dataclass(frozen=True, slots=True)
class LiveCalibration:
    """Accepted: persistence, daily drift in theta, and the newest prior that a large enough cohort fitted for itself."""

    rho: float
    drift: float
    prior: tuple[float, ...]
    version: str

    def with_prior(self) -> Calibration:
        """For a cohort that is too small for a prior of its own."""
        return Calibration(self.rho, self.drift, np.array(self.prior), self.version)

    def without_prior(self) -> Calibration:
        """For a cohort that fits its own."""
        return Calibration(self.rho, self.drift, None, f"{self.version}, own prior")


@dataclass(frozen=True, slots=True)
class Assumed:
    """Nothing live is in force, and why."""

    reason: str


def live_calibration(windows: Sequence[LiveWindow], *, as_of_day: int) -> LiveCalibration | Assumed:
    """From closed windows, the oldest first, that closed before as_of_day. Raises ValueError for one that did not."""
    usable = [window for window in windows if window.cohort.is_own_prior]
    if len(usable) < WINDOWS_MIN:
        return Assumed(f"{len(usable)} of {WINDOWS_MIN} live windows with {WALLETS_MIN} scoreable wallets have closed")
    closed = [_closed(window) for window in usable]
    before = calibrated(closed[:-1], as_of_day=as_of_day, prior=None, version="all but the newest", windows_min=WINDOWS_MIN - 1)
    newest = closed[-1]
    learned, assumed = (log_score(newest, rho, drift) for rho, drift in ((before.rho, before.drift), (RHO_ASSUMED, 0.0)))
    if learned < assumed:
        return Assumed(f"what older windows taught predicted the newest worse than the assumption: {learned:.1f} against {assumed:.1f}")
    found = calibrated(closed, as_of_day=as_of_day, prior=None, version="")
    return LiveCalibration(found.rho, found.drift, usable[-1].cohort.prior, f"live, {len(usable)} windows to day {newest.closed_day}")


def live_shift(windows: Sequence[LiveWindow], assumed: Shift) -> Shift:
    """What behaviour meant in all closed windows, once four have closed; what is assumed until then, and where nobody was scoreable."""
    pairs = [(_behaviour(window), realised_sharpe(window)) for window in windows]
    known = sum(int(np.isfinite(found).all(axis=1).sum()) for found, _ in pairs)
    if len(windows) < WINDOWS_MIN or known < WALLETS_MIN:
        return assumed
    return learned(pairs, f"live shift, {len(windows)} windows to day {windows[-1].cohort.closes_day}")


def _behaviour(window: LiveWindow) -> Floats:
    unknown = (np.nan,) * len(FEATURES)
    return np.array([one.behaviour or unknown for one in window.cohort.predictions]).reshape(-1, len(FEATURES))


def _closed(window: LiveWindow) -> ClosedWindow:
    known = [(one.sharpe, one.error, one.evidence_days) for one in window.cohort.predictions]
    sharpe, error, days = (np.array([np.nan if row[at] is None else row[at] for row in known], np.float64) for at in range(3))
    return ClosedWindow(window.cohort.day, window.cohort.closes_day, Estimates(sharpe, error, days), paid(window))
