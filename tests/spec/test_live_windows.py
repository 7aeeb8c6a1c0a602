"""What closed windows say of the score: honest predictions keep the promise, contrary ones break it, few wallets say nothing."""

from dataclasses import replace

import numpy as np
import pytest
from tests.fakes.made_windows import frozen, made_window, prediction, returns_of
from tests.fakes.spec_table import table

from xorj.trust.behaviour import FEATURES, Shift
from xorj.trust.copy_score import HORIZON_DAYS, RHO_ASSUMED
from xorj.trust.live_calibration import Assumed, LiveCalibration, live_calibration, live_shift
from xorj.trust.live_windows import PLUS_WINDOWS_MIN, BandRate, band_of, compared, measured, paid, plus_may_rank, realised_sharpe
from xorj.trust.predictions import LiveWindow, due, next_close
from xorj.trust.rank_correlation import BAND_EDGES, calibration_error
from xorj.trust.weekly_report import report_of

QUARTER = HORIZON_DAYS
MADE = {persists: [made_window(QUARTER * at, persists=persists) for at in range(6)] for persists in (0.5,)}


def test_honest_predictions_keep_the_promise() -> None:
    report = report_of(MADE[0.5][:2], [0, 90, 180], Assumed("a test"), as_of_day=200)
    found = report.measures
    assert found.k1.value is not None
    assert found.k1.low is not None
    assert found.k1.high is not None
    assert 0.85 < found.k1.low <= found.k1.value <= found.k1.high <= 1
    assert found.calibration_error.value is not None
    assert found.calibration_error.value < 0.03
    assert [gate.holds for gate in report.gates] == [True] * 5
    assert not report.alarm
    assert (report.windows, report.next_closes_day) == (((0, 90), (90, 180)), 270)


def test_predictions_that_say_the_contrary_fail_every_gate_they_should_and_raise_the_alarm() -> None:
    report = report_of([made_window(0, honest=False)], [0], Assumed("a test"), as_of_day=91)
    assert report.measures.k1.value is not None
    assert report.measures.k1.value < -0.5
    assert report.alarm
    assert (report.gates[0].holds, report.gates[1].holds, report.gates[-1].holds) == (False, False, False)


def test_without_a_closed_window_nothing_is_claimed() -> None:
    report = report_of([], [7], Assumed("0 of 4 live windows"), as_of_day=8)
    assert report.measures.k1.value is None
    assert report.measures.bands == ()
    assert {gate.holds for gate in report.gates} == {None}
    assert (report.alarm, report.next_closes_day, report.calibration) == (False, 97, "assumed: 0 of 4 live windows")


def test_few_wallets_have_no_k1_and_pooled_windows_have() -> None:
    small = [made_window(QUARTER * at, wallets=710) for at in range(2)]
    assert measured(small[:1]).k1.value is None
    assert measured(small[:1]).calibration_error.value is not None
    assert measured(small).k1.value is not None


def test_the_report_is_the_same_every_time() -> None:
    reports = [report_of(MADE[0.5][:1], [0], Assumed("a test"), as_of_day=91) for _ in range(2)]
    assert reports[0] == reports[1]


def test_a_ruined_and_a_linked_leader_among_the_best_are_counted() -> None:
    good = [prediction(f"good {number}", 60 + number) for number in range(18)]
    window = LiveWindow(frozen(0, [*good, prediction("ruins", 90), prediction("clone", 89, cluster_size=3)]), {})
    returns = returns_of(window.cohort) | {one.wallet: (-0.6, *[0.0] * 89) for one in window.cohort.predictions if one.score == 90}
    found = measured([replace(window, returns=returns)])
    assert (found.ruined, found.linked, found.above_fifty) == (0.05, 0.05, 1.0)


def test_a_wallet_without_evidence_is_in_the_cohort_and_in_no_measure() -> None:
    cohort = frozen(0, [prediction("ana", 60), prediction("new", None)])
    window = LiveWindow(cohort, returns_of(cohort))
    assert measured([window]).wallets == 1
    assert paid(window).tolist() == [True, True]


def test_bands_say_what_was_observed_and_nothing_of_a_band_without_wallets() -> None:
    cohort = frozen(0, [prediction(f"paid {n}", 62) for n in range(15)] + [prediction(f"lost {n}", 66) for n in range(10)])
    lost = {one.wallet: (-0.01,) * HORIZON_DAYS for one in cohort.predictions if one.score == 66}
    found = measured([LiveWindow(cohort, returns_of(cohort) | lost)])
    assert found.bands == (BandRate(60, 70, 25, pytest.approx(0.636), 0.6),)
    assert band_of(69.9, found.bands) == found.bands[0]
    assert band_of(70, found.bands) is None
    assert band_of(62, (replace(found.bands[0], wallets=19),)) is None
    assert band_of(100.0, (BandRate(80, 100, 40, 0.9, 0.8),)) is not None


BANDS = table("""
    what                  | first         | second        | error
    said and came         | 10 0.62 0.62  | 30 0.20 0.20  | 0
    half off by a tenth   | 20 0.60 0.50  | 20 0.30 0.30  | 0.05
    weighted by wallets   | 30 0.60 0.50  | 10 0.30 0.30  | 0.075
""")


@pytest.mark.parametrize("row", BANDS, ids=lambda row: row["what"])
def test_the_calibration_error_weighs_bands_by_their_wallets(row: dict[str, str]) -> None:
    rows = [tuple(map(float, row[name].split())) for name in ("first", "second")]
    assert calibration_error([(int(count), said, was) for count, said, was in rows]) == pytest.approx(float(row["error"]))
    assert len(BAND_EDGES) == 11


WINDOWS = table("""
    what                                   | frozen          | closed | today | due  | next
    nothing yet                            |                 |        | 100   |      |
    the last day is not over               | 5 6 7           |        | 95    |      | 95
    the day after the last                 | 5 6 7           |        | 96    | 5    | 95
    the next begins where the last ended   | 5 6 95 96       | 5      | 186   | 95   | 185
    the engine slept over the day          | 5 6 99 100      | 5      | 300   | 99   | 189
    no cohort since                        | 5 6             | 5      | 300   |      |
""")


@pytest.mark.parametrize("row", WINDOWS, ids=lambda row: row["what"])
def test_windows_do_not_overlap_and_close_when_their_days_are_over(row: dict[str, str]) -> None:
    days, closed = ([int(day) for day in row[name].split()] for name in ("frozen", "closed"))
    found, ahead = due(days, closed, today=int(row["today"])), next_close(days, closed)
    assert (found, ahead) == (int(row["due"]) if row["due"] else None, int(row["next"]) if row["next"] else None)


def test_a_calibration_is_assumed_until_four_windows_have_closed_and_one_that_helps_is_accepted() -> None:
    three = live_calibration(MADE[0.5][:3], as_of_day=10_000)
    assert isinstance(three, Assumed)
    assert "3 of 4" in three.reason
    four = live_calibration(MADE[0.5][:4], as_of_day=10_000)
    assert isinstance(four, LiveCalibration)
    assert four.version == "live, 4 windows to day 360"
    assert 0.2 < four.rho < 0.8


def test_windows_too_small_for_a_prior_of_their_own_teach_nothing() -> None:
    small = [replace(window, cohort=replace(window.cohort, is_own_prior=False)) for window in MADE[0.5][:4]]
    found = live_calibration(small, as_of_day=10_000)
    assert isinstance(found, Assumed)
    assert "0 of 4" in found.reason


def test_what_older_windows_taught_is_refused_when_it_did_not_help_with_the_newest() -> None:
    """Skill turned into its contrary for three windows: no persistence, and less than nothing; the fourth is as it was assumed."""
    turned = [made_window(QUARTER * at, persists=-0.5) for at in range(3)]
    usual = made_window(QUARTER * 3, persists=RHO_ASSUMED)
    found = live_calibration([*turned, usual], as_of_day=10_000)
    assert isinstance(found, Assumed)
    assert "worse than the assumption" in found.reason


def test_a_calibration_never_sees_a_window_that_has_not_closed() -> None:
    with pytest.raises(ValueError, match="closed before"):
        live_calibration(MADE[0.5][:4], as_of_day=300)


def test_v2_plus_may_rank_only_after_it_beat_core_in_each_of_six_windows() -> None:
    windows = MADE[0.5]
    assert all(compared(window).plus_won for window in windows)
    assert not plus_may_rank(windows[: PLUS_WINDOWS_MIN - 1])
    assert plus_may_rank(windows)
    as_core = tuple(replace(one, plus=one.score) for one in windows[3].cohort.predictions)
    beaten = replace(windows[3], cohort=replace(windows[3].cohort, predictions=as_core))
    assert not compared(beaten).plus_won
    assert not plus_may_rank([*windows[:3], beaten, *windows[4:]])


def test_nan_is_never_a_figure() -> None:
    cohort = frozen(0, [prediction(f"same {number}", 50.0) for number in range(50)])
    found = measured([LiveWindow(cohort, returns_of(cohort, 0.0))])
    assert found.k3.value is None
    assert np.isfinite(found.calibration_error.value or 0)


def test_v2_plus_learns_from_live_windows_once_four_have_closed() -> None:
    """The first feature says half of what comes; everything else is noise."""
    windows = [with_behaviour(window, seed) for seed, window in enumerate(MADE[0.5][:4])]
    assumed = Shift((0.0,) * 2 * len(FEATURES), "assumed")
    assert live_shift(windows[:3], assumed) is assumed
    taught = live_shift(windows, assumed)
    assert taught.version == "live shift, 4 windows to day 360"
    weights = np.abs(np.array(taught.coefficients))
    assert int(weights.argmax()) == 0
    assert taught.coefficients[0] > 0


def with_behaviour(window: LiveWindow, seed: int) -> LiveWindow:
    draw, ahead = np.random.default_rng(seed), realised_sharpe(window)
    found = draw.standard_normal((len(ahead), len(FEATURES)))
    found[:, 0] = ahead + 0.1 * found[:, 0]
    rows = zip(window.cohort.predictions, found, strict=True)
    behaving = tuple(replace(one, behaviour=tuple(map(float, row))) for one, row in rows)
    return replace(window, cohort=replace(window.cohort, predictions=behaving))
