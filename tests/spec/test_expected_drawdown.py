"""The drawdown that a copier must expect: records whose answer can be seen without a computer."""

import numpy as np
import pytest

from xorj.trust.drawdown import BLOCK_DAYS, HORIZON_DAYS, expected_drawdowns, max_drawdowns

RECORDS = {
    "a record that never falls": ([0.01] * 30, 0.0, 0.0),
    "an idle record": ([0.0] * 30, 0.0, 0.0),
    "all is lost every day": ([-1.0] * 5, 1.0, 1.0),
    "a hundredth is lost every day": ([-0.01] * 30, 1 - 0.99**90, 1 - 0.99**90),
}


@pytest.mark.parametrize(("days", "median", "worst"), RECORDS.values(), ids=RECORDS)
def test_a_record_s_expected_drawdown(days: list[float], median: float, worst: float) -> None:
    row = np.array([days])
    found = expected_drawdowns(row, np.ones(row.shape, bool))
    assert found.median[0] == pytest.approx(median, abs=1e-12)
    assert found.worst_tenth[0] == pytest.approx(worst, abs=1e-12)


def test_the_start_counts_as_a_peak() -> None:
    assert max_drawdowns(np.array([[-0.2], [0.1], [-0.5], [3.0]])) == pytest.approx([1 - 0.8 * 1.1 * 0.5])
    assert max_drawdowns(np.array([[0.5], [-0.5], [0.1]])) == pytest.approx([0.5])


def test_whoever_has_not_lived_has_no_drawdown() -> None:
    found = expected_drawdowns(np.zeros((1, 5)), np.zeros((1, 5), bool))
    assert np.isnan([found.median[0], found.worst_tenth[0]]).all()


def test_days_outside_life_are_not_drawn() -> None:
    returns = np.array([[-0.9, -0.9, 0.01, 0.02]])
    found = expected_drawdowns(returns, np.array([[False, False, True, True]]))
    assert found.worst_tenth[0] == 0


def test_the_same_record_has_the_same_drawdown_wherever_it_stands() -> None:
    returns = 0.03 * np.random.default_rng(1).standard_normal((3, 80))
    alive = np.ones(returns.shape, bool)
    together, alone = expected_drawdowns(returns, alive), expected_drawdowns(returns[2:], alive[2:])
    assert (together.median[2], together.worst_tenth[2]) == (alone.median[0], alone.worst_tenth[0])


def test_losses_that_come_together_make_a_deeper_fall_than_the_same_ones_apart() -> None:
    """What the blocks are for: sorted by weeks of gains and weeks of losses, the same days fall deeper."""
    apart = np.tile([0.02, -0.02], 50)
    together = np.repeat(np.tile([0.02, -0.02], 5), 10)
    rows = np.stack([apart, together])
    found = expected_drawdowns(rows, np.ones(rows.shape, bool))
    assert found.median[1] > found.median[0]
    assert (HORIZON_DAYS, BLOCK_DAYS) == (90, 5)
