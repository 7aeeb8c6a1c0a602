"""After a scoring run: the day's cohort is frozen, a window whose 90 days are over is closed, and once a week what came of it all is told.

Run by the quant engine after each run. Everything follows from the chain's own time, and what was kept once stays as it was; a step that
was missed is made up for by the next run.
"""

import asyncio
import math
from dataclasses import dataclass

import numpy as np

from xorj.primitives.clock import DAY_S
from xorj.swaps.valuation import value_swaps
from xorj.trust.behaviour import Shift, features, plus_scores
from xorj.trust.cohort import Floats
from xorj.trust.copied_market import reserves_of
from xorj.trust.copy_replay import Terms
from xorj.trust.copy_verdict import CopyScore
from xorj.trust.live_calibration import Assumed, LiveCalibration, live_calibration, live_shift
from xorj.trust.ports import HistoryReader, PredictionLog, WindowStore
from xorj.trust.predictions import FrozenCohort, LiveWindow, Prediction, due
from xorj.trust.ranking import ScoringRun, TraderScore
from xorj.trust.score_copies import Copied, window_returns
from xorj.trust.synthetic_shift import SYNTHETIC_SHIFT
from xorj.trust.weekly_report import DAYS_A_WEEK, WeeklyReport, report_of


@dataclass(frozen=True, slots=True)
class Kept:
    """What a run added: the day whose cohort was frozen, the day on which the window opened that was closed, the week's report; or None."""

    frozen_day: int | None
    closed_opened_day: int | None
    report: WeeklyReport | None


async def keep_predictions(
    run: ScoringRun, made: Copied, reader: HistoryReader, log: PredictionLog, windows: WindowStore, *, assumed: Shift = SYNTHETIC_SHIFT
) -> Kept:
    """Freezes, closes and reports what is due as of the run; repeating it changes nothing. Raises Unavailable.

    `assumed` is V2 plus's shift until windows have taught one.
    """
    today = run.as_of_block_time // DAY_S
    days = await log.days()
    frozen = None
    # a run of an older slot knows nothing that its day did not know, but its day may have passed unseen: it is not made up afterwards
    if today > max(days, default=-1):
        known = await windows.windows()
        cohort = await asyncio.to_thread(lambda: frozen_cohort(run, made, live_shift(known, assumed)))
        if await log.freeze(cohort):
            frozen, days = today, [*days, today]
    closed = await _close(run.terms, reader, log, windows, days, today)
    return Kept(frozen, closed, await _report(windows, days, today))


async def newest_calibration(windows: WindowStore) -> LiveCalibration | Assumed:
    """What all windows taught that have closed. Raises Unavailable."""
    known = await windows.windows()
    after = max((window.cohort.closes_day for window in known), default=0) + 1
    return await asyncio.to_thread(lambda: live_calibration(known, as_of_day=after))


async def _close(terms: Terms, reader: HistoryReader, log: PredictionLog, windows: WindowStore, days: list[int], today: int) -> int | None:
    opened = due(days, await windows.closed(), today=today)
    cohort = None if opened is None else await log.cohort(opened)
    if cohort is None:
        return None
    swaps, movements, reserves = await reader.swaps(), await reader.movements(), reserves_of(await reader.swap_facts())
    wallets = [one.wallet for one in cohort.predictions]
    returns = await asyncio.to_thread(lambda: window_returns(value_swaps(swaps), cohort.day, wallets, terms, movements, reserves))
    return cohort.day if await windows.close(LiveWindow(cohort, returns)) else None


async def _report(windows: WindowStore, days: list[int], today: int) -> WeeklyReport | None:
    newest = await windows.newest_report()
    if newest is not None and newest.week >= today // DAYS_A_WEEK:
        return None
    closed = await windows.windows()
    report = await asyncio.to_thread(lambda: report_of(closed, days, live_calibration(closed, as_of_day=today), as_of_day=today))
    return report if await windows.keep_report(report) else None


def frozen_cohort(run: ScoringRun, made: Copied, shift: Shift) -> FrozenCohort:
    """All wallets of the run, dead ones too, with what V2 plus says of them in shadow."""
    scores = {score.wallet: score for score in run.scores}
    # a wallet of the copied cohort is one of the run: both were made from the same swaps
    booked = np.array([_daily_sharpe(scores[wallet]) for wallet in made.verdicts])
    found = features(made.cohort, made.holding_hours, booked)
    plus = plus_scores(made.estimates, found, made.calibration, shift)
    rows = {wallet: at for at, wallet in enumerate(made.verdicts)}
    predictions = tuple(_prediction(scores[wallet], made, rows[wallet], found[rows[wallet]], plus[rows[wallet]]) for wallet in sorted(rows))
    prior = made.calibration.prior
    return FrozenCohort(
        day=run.as_of_block_time // DAY_S,
        run_id=run.id,
        as_of_slot=run.as_of_slot,
        input_hash=run.input_hash,
        parameter_hash=run.parameter_hash,
        lake_version=run.lake_version,
        calibration=made.calibration.version,
        prior=() if prior is None else tuple(float(one) for one in prior),
        is_own_prior=made.is_own_prior,
        plus_version=shift.version,
        predictions=predictions,
    )


def _prediction(score: TraderScore, made: Copied, row: int, behaviour: Floats, plus: float) -> Prediction:
    copy = score.copy if isinstance(score.copy, CopyScore) else None
    return Prediction(
        wallet=score.wallet,
        rank=score.rank,
        score=None if copy is None else copy.score,
        edge=None if copy is None else copy.edge,
        band_low=None if copy is None else copy.band_low,
        band_high=None if copy is None else copy.band_high,
        sharpe=_number(made.estimates.sharpe[row]),
        error=_number(made.estimates.error[row]),
        evidence_days=score.copy.evidence_days,
        round_trips=score.copy.round_trips,
        cluster_size=score.copy.links.cluster_size,
        plus=_number(plus),
        behaviour=tuple(float(one) for one in behaviour) if np.isfinite(behaviour).all() else (),
        input_hash=score.input_hash,
    )


def _daily_sharpe(score: TraderScore) -> float:
    found = score.performance.sharpe_daily
    return math.nan if found is None else found


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
