"""exp, log and the normal distribution with the same bits on every processor. Used where scores and prices are computed and kept.

NumPy's and the C library's own have code paths for each generation of processors, whose last digits differ. Here are only additions,
multiplications, divisions, roundings to whole numbers and the exact splitting of a float, each rounded by IEEE 754 and by nothing else.
Errors stay within 2 units in the last place (exp, log) and 1e-14 of the value (the tails of the normal distribution).
"""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# ln 2 in two parts, the first with 21 zero bits at its end, so that a whole number of it is exact (Cody and Waite 1980)
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_LOG2_E = 1.44269504088896338700
# below it exp is not a normal float any more, which some processors are told to take for 0: it is 0 here
_EXP_MIN, _EXP_MAX = -708.0, 709.0
# 1, 1, 1/2, 1/6, ... 1/13!
_EXP_SERIES = (1.0, *(1.0 / math.factorial(term) for term in range(1, 14)))
_LOG_TERMS, _NEAR_ONE_TERMS = 11, 17
# numbers worked on at once, so that what is between the steps stays in the cache
_AT_ONCE = 16_384
_SQRT_HALF = 0.70710678118654752440
_SQRT_2_PI = 2.50662827463100050242
# where the series gives way to the continued fraction, and how far both are followed
_TAIL_FROM, _SERIES_TERMS, _FRACTION_DEPTH = 1.5, 40, 200
# a float with the lower half of its digits cleared: its square is exact
_SPLIT = 134_217_729.0


def exp(x: Floats) -> Floats:
    """e to the x for x up to 709; exactly 0 below -708 and for minus infinity, NaN for NaN."""
    given = np.ascontiguousarray(x, np.float64).reshape(-1)
    result = np.empty_like(given)
    for start in range(0, len(given), _AT_ONCE):
        _exp_of(given[start : start + _AT_ONCE], result[start : start + _AT_ONCE])
    return result.reshape(np.shape(x))


def _exp_of(x: Floats, result: Floats) -> None:
    held = np.minimum(np.maximum(x, _EXP_MIN), _EXP_MAX)
    whole = np.rint(held * _LOG2_E)
    rest = (held - whole * _LN2_HIGH) - whole * _LN2_LOW
    # 1 + r (1 + r (1/2 + r (1/6 + ...))) with |r| <= 0.35
    result[:] = _EXP_SERIES[-1]
    for factor in _EXP_SERIES[-2::-1]:
        np.multiply(result, rest, out=result)
        np.add(result, factor, out=result)
    np.ldexp(result, np.where(np.isnan(whole), 0, whole).astype(np.int32), out=result)
    result[x < _EXP_MIN] = 0.0


def log(x: Floats) -> Floats:
    """The natural logarithm of finite x >= 0; minus infinity for 0, NaN below."""
    known = x > 0
    part, power = np.frexp(np.where(known, x, 1.0))
    low = part < _SQRT_HALF
    part, power = np.where(low, part * 2, part), np.where(low, power - 1, power).astype(np.float64)
    # log((1 + s) / (1 - s)) = 2 (s + s^3 / 3 + s^5 / 5 + ...) with |s| <= 0.172
    s = (part - 1) / (part + 1)
    square = s * s
    series = np.zeros_like(s)
    for term in range(_LOG_TERMS, 0, -1):
        series = (series + 1.0 / (2 * term + 1)) * square
    found = power * _LN2_HIGH + (power * _LN2_LOW + 2 * s * series + 2 * s)
    return np.where(known, found, np.where(x == 0, -np.inf, np.nan))


def normal_cdf(x: Floats) -> Floats:
    """Phi(x), exact in both tails."""
    size = np.abs(x)
    middle = np.minimum(size, _TAIL_FROM)
    # Phi(x) = 1/2 + phi(x) (x + x^3/3 + x^5/(3 5) + ...)
    term, total = middle.copy(), middle.copy()
    for odd in range(3, 2 * _SERIES_TERMS + 3, 2):
        term = term * (middle * middle) / odd
        total = total + term
    half = normal_density(middle) * total
    # 1 - Phi(x) = phi(x) / (x + 1/(x + 2/(x + 3/...)))
    far = np.maximum(size, _TAIL_FROM)
    below = far.copy()
    for depth in range(_FRACTION_DEPTH, 0, -1):
        below = far + depth / below
    lower = np.where(size < _TAIL_FROM, 0.5 - half, normal_density(far) / below)
    upper = np.where(size < _TAIL_FROM, 0.5 + half, 1 - lower)
    return np.where(x < 0, lower, upper)


def log_normal_cdf(x: Floats) -> Floats:
    """log Phi(x), exact in both tails down to x = -37."""
    # log(1 - y) = -2 (s + s^3/3 + ...) with s = y / (2 - y) <= 1/3, y = Phi(-|x|)
    y = normal_cdf(-np.abs(x))
    s = y / (2 - y)
    square = s * s
    series = np.zeros_like(s)
    for term in range(_NEAR_ONE_TERMS, 0, -1):
        series = (series + 1.0 / (2 * term + 1)) * square
    return np.where(x > 0, -2 * (s + s * series), log(y))


def normal_density(x: Floats) -> Floats:
    """phi(x) = exp(-x^2 / 2) / sqrt(2 pi), the square taken in two exact parts."""
    scaled = x * _SPLIT
    high = scaled - (scaled - x)
    result: Floats = exp(-(high * high) / 2) * exp(-((x - high) * (x + high)) / 2) / _SQRT_2_PI
    return result
