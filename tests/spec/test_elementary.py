"""exp, log and the normal distribution against decimals of 50 digits, and at their ends."""

from decimal import Decimal, localcontext

import numpy as np
import pytest

from xorj.primitives import elementary

PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494")
DIGITS = 50
# in units in the last place
ROUNDINGS_MAX = 2.0


def off_by(found: float, exact: Decimal) -> float:
    """How many units in the last place."""
    return float(abs(Decimal(found) - exact) / Decimal(float(np.spacing(abs(float(exact))))))


@pytest.mark.parametrize("x", [0.0, 1.0, -1.0, 1e-17, -1e-9, 0.3465, -0.3466, 10.5, -37.25, 700.1, -707.9])
def test_exp(x: float) -> None:
    with localcontext(prec=DIGITS):
        assert off_by(float(elementary.exp(np.array([x]))[0]), Decimal(x).exp()) <= ROUNDINGS_MAX


@pytest.mark.parametrize("x", [1.0 + 2**-52, 1 - 2**-53, 0.7071, 0.70711, 2.0, 10.0, 1e-300, 5e-324, 1e300, 0.999, 1.0001])
def test_log(x: float) -> None:
    with localcontext(prec=DIGITS):
        assert off_by(float(elementary.log(np.array([x]))[0]), Decimal(x).ln()) <= ROUNDINGS_MAX


@pytest.mark.parametrize("x", [0.01, 0.7, 1.4999, 1.5, 1.5001, 2.7, 5.125, 9.3, 20.7, 36.9])
def test_the_normal_distribution_is_exact_in_both_tails(x: float) -> None:
    with localcontext(prec=DIGITS):
        below = tail(Decimal(x))
        lower, upper = (float(elementary.normal_cdf(np.array([sign * x]))[0]) for sign in (-1, 1))
        assert abs(Decimal(lower) - below) <= below * Decimal("1e-14")
        assert abs(Decimal(upper) - (1 - below)) <= Decimal("1e-15")
        for sign, exact in ((-1, below.ln()), (1, (1 - below).ln() if x < 9 else -below)):
            found = Decimal(float(elementary.log_normal_cdf(np.array([sign * x]))[0]))
            assert abs(found - exact) <= abs(exact) * Decimal("1e-14")


def tail(x: Decimal) -> Decimal:
    """1 - Phi(x), by the series up to 6 and the continued fraction beyond."""
    density = (-x * x / 2).exp() / (2 * PI).sqrt()
    if x > 6:
        fraction = x
        for depth in range(400, 0, -1):
            fraction = x + depth / fraction
        return density / fraction
    term = total = x
    for odd in range(3, 400, 2):
        term = term * x * x / odd
        total += term
    return Decimal("0.5") - density * total


def test_ends_and_what_is_no_number() -> None:
    nan, infinity = float("nan"), float("inf")
    assert elementary.exp(np.array([-infinity, -708.1, 0.0])).tolist() == [0, 0, 1]
    assert elementary.log(np.array([0.0, 1.0])).tolist() == [-infinity, 0]
    assert np.isnan(elementary.log(np.array([-1.0]))).all()
    assert np.isnan(elementary.exp(np.array([nan]))).all()
    assert elementary.normal_cdf(np.array([0.0])).tolist() == [0.5]
    assert elementary.exp(np.zeros((3, 2))).shape == (3, 2)
    assert elementary.exp(np.zeros(0)).shape == (0,)


def test_a_number_has_the_same_result_wherever_it_stands() -> None:
    x = -np.random.default_rng(1).random(40_000) * 50
    assert np.array_equal(elementary.exp(x)[123:30_000:7], elementary.exp(x[123:30_000:7]))
