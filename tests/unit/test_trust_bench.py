"""The trust score's bench on a few small seeds: what it may not know, what must not change, and the parts that ship with the package."""

import json
import subprocess
import sys
from dataclasses import fields, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from bench.trust import baselines, gates, report, seeds
from bench.trust import worlds as w
from bench.trust.__main__ import PRIOR_FILE, prior_module
from bench.trust.evaluation import V2, SeedResult, evaluated, fitted_calibration, fitting_window
from bench.trust.measures import measured, outcome_of, portfolio
from bench.trust.population import Population, population
from bench.trust.worlds import DEFAULT, NULL, WORLDS

from xorj.trust.calibration import ClosedWindow, calibrated
from xorj.trust.copy_score import UNCALIBRATED, Calibration, score_cohort
from xorj.trust.rank_correlation import bucketed, spearman
from xorj.trust.synthetic_prior import SYNTHETIC

ROOT = Path(__file__).resolve().parents[2]


@cache
def people_of(seed: int, world: str = DEFAULT.name, wallets: int = 700) -> Population:
    return population(seed, WORLDS[world], wallets, with_truth=False)


@cache
def windows() -> tuple[ClosedWindow, ...]:
    """All fitting seeds as the command has them; made once for the tests that need them."""
    return tuple(fitting_window(seed, w.WALLETS) for seed in seeds.FITTING)


@cache
def results() -> tuple[SeedResult, ...]:
    return tuple(evaluated(seed, DEFAULT, 700, Calibration(0.44, 0.0, None, "test")) for seed in (0, 1))


def test_the_same_seed_gives_the_same_bytes() -> None:
    one, other = (population(5, DEFAULT, 320, with_truth=False) for _ in range(2))
    for field in fields(one.cohort):
        assert getattr(one.cohort, field.name).tobytes() == getattr(other.cohort, field.name).tobytes()
    assert (one.booked.tobytes(), one.future.tobytes()) == (other.booked.tobytes(), other.future.tobytes())


def test_a_score_does_not_change_when_the_future_is_deleted() -> None:
    people = people_of(6)
    before = score_cohort(people.cohort).score
    nothing = np.zeros_like(people.future)
    without = replace(people, future=nothing, skill_ahead=nothing[:, 0])
    assert np.array_equal(score_cohort(without.cohort).score, before, equal_nan=True)
    everyone, blind = baselines.baselines(people), baselines.baselines(without)
    assert all(np.array_equal(everyone[name], blind[name], equal_nan=True) for name in everyone if name != baselines.AHEAD)


def test_the_history_is_drawn_apart_from_the_future() -> None:
    """Another persistence changes what comes and nothing that was."""
    one, other = people_of(7), people_of(7, "skill barely persists (0.3)")
    assert one.cohort.daily_returns.tobytes() == other.cohort.daily_returns.tobytes()
    assert not np.array_equal(one.future, other.future)


def test_shuffled_futures_cannot_be_foreseen() -> None:
    found = []
    for seed in range(8):
        people = people_of(seed)
        score = np.nan_to_num(score_cohort(people.cohort).score)
        sharpe = outcome_of(people).sharpe
        found += [spearman(score, np.random.default_rng(shuffle).permutation(sharpe)) for shuffle in range(20)]
    assert abs(float(np.mean(found))) < 0.05


def test_what_is_learned_saw_only_windows_that_had_closed() -> None:
    window = windows()[0]
    with pytest.raises(ValueError, match="closed before"):
        calibrated([window] * 4, as_of_day=window.closed_day - 1, prior=None, version="too early")
    with pytest.raises(ValueError, match="not a fitting seed"):
        fitting_window(seeds.DEVELOPMENT[0], 320)
    assert not set(seeds.DEVELOPMENT) & set(seeds.FITTING)
    assert not (set(seeds.DEVELOPMENT) | set(seeds.FITTING)) & set(seeds.hold_out())


def test_before_four_windows_have_closed_the_assumption_stands() -> None:
    found = calibrated(windows()[:3], as_of_day=w.FUTURE_DAYS, prior=None, version="young")
    assert (found.rho, found.drift) == (UNCALIBRATED.rho, UNCALIBRATED.drift)


def test_a_fitted_calibration_is_between_forgetting_and_for_ever() -> None:
    found = fitted_calibration(list(windows()))
    assert 0 < found.rho < 1
    assert abs(found.drift) < 0.03


def test_the_shipped_prior_is_what_its_command_makes() -> None:
    assert PRIOR_FILE.read_text() == prior_module(windows())


def test_the_shipped_prior_is_named_synthetic_and_assumes_what_is_not_known() -> None:
    assert (SYNTHETIC.rho, SYNTHETIC.drift) == (0.5, 0.0)
    assert "synthetic" in SYNTHETIC.version
    assert SYNTHETIC.prior is not None
    assert SYNTHETIC.prior.sum() == pytest.approx(1)


def test_a_cohort_too_small_for_its_own_prior_is_scored_with_the_shipped_one() -> None:
    few = people_of(3).cohort.rows(0, 12)
    assert np.isfinite(score_cohort(few, SYNTHETIC).score).sum() >= 10


@pytest.mark.parametrize("world", WORLDS)
def test_every_world_makes_a_population_that_can_be_scored(world: str) -> None:
    people = people_of(1, world, 340)
    scores = score_cohort(people.cohort, SYNTHETIC)
    known = np.isfinite(scores.score)
    assert known.mean() > 0.8
    assert np.isfinite(people.skill_now).all()
    assert people.future.min() >= -1


def test_nobody_has_skill_where_nobody_has_any() -> None:
    people = people_of(2, NULL.name)
    assert people.skill_now[people.role == w.REGULAR].max() < 0


def test_an_oracle_of_the_future_ranks_better_than_one_of_today() -> None:
    for result in results():
        assert result.scores[baselines.AHEAD].real > result.scores[baselines.NOW].real > result.scores[V2].real


def test_v2_knows_more_of_true_skill_than_every_ratio() -> None:
    for result in results():
        others = (baselines.V1, baselines.V1_REPLAY, baselines.SHARPE_WALLET, baselines.CALMAR)
        assert all(result.scores[V2].true > result.scores[name].true for name in others)


def test_gates_say_what_they_found_and_what_was_not_run() -> None:
    found = gates.gates({DEFAULT.name: list(results())})
    not_run = [gate.name for gate in found if gate.found is None]
    assert any("every world" in name for name in not_run)
    assert any("nobody has skill" in name for name in not_run)
    assert not any(gate.passed for gate in found if gate.found is None)
    text = report.text({DEFAULT.name: list(results())}, UNCALIBRATED, "a test")
    assert "not run" in text
    assert "says nothing about live wallets" in text


def perfect(result: SeedResult, *, adverse: float) -> SeedResult:
    """The same seed as if V2 had put every wallet where it belongs, but for the adverse ones."""
    best = replace(result.scores[V2], bucket_utility=1.0, ruined=0.0, adverse=adverse)
    honest = replace(result.honesty, bands=[(10, 0.5, 0.5)] * len(result.honesty.bands), above_fifty=0.0)
    return replace(result, scores=result.scores | {V2: best}, honesty=honest)


@pytest.mark.parametrize(("adverse", "verdict"), [(0.0, "the KPI is met"), (0.5, "the KPI is NOT met")])
def test_the_kpi_is_met_only_together_with_calibration_and_safety(adverse: float, verdict: str) -> None:
    seeds_of = [perfect(result, adverse=adverse) for result in results()]
    assert verdict in gates.kpi({DEFAULT.name: seeds_of, NULL.name: seeds_of})


def test_a_portfolio_of_too_few_leaders_keeps_the_rest_in_cash() -> None:
    assert portfolio(np.empty((0, 90))) == (0.0, 0.0)
    doubled = np.zeros((1, 3))
    doubled[0, 1] = 1.0
    assert portfolio(doubled) == pytest.approx((0.05, 0.0))


def test_buckets_of_a_perfect_and_of_a_reversed_score() -> None:
    realised = np.arange(200.0)
    assert bucketed(realised, realised) == pytest.approx(1)
    assert bucketed(-realised, realised) == pytest.approx(-1)


def test_a_wallet_without_a_score_ranks_below_all_that_have_one() -> None:
    people = people_of(4)
    score = np.full(len(people.role), np.nan)
    score[:30] = 1.0
    found = measured(score, people, outcome_of(people))
    assert 0 <= found.adverse <= 1


def test_hold_out_runs_are_written_down(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench.trust", "--hold-out", "--seeds", "1", "--wallets", "400", "--json"]
    done = subprocess.run(
        command, cwd=ROOT, env={"XORJ_DATA_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    lines = [json.loads(line) for line in (tmp_path / "logs" / "trust-hold-out.jsonl").read_text().splitlines()]
    assert [next(iter(set(line) & {"began", "ended"})) for line in lines] == ["began", "ended"]
    assert lines[0]["seeds"] == [seeds.hold_out()[0]] * 2
