"""A program: scores a made cohort and a made history and prints the digest of every bit. Run in processes of their own by a test."""

import sys
from hashlib import sha256

import numpy as np
from tests.fakes.made_cohorts import made_cohort
from tests.fakes.made_swaps import FIRST_DAY_S, swap

from xorj.market.impact import fitted
from xorj.primitives.clock import DAY_S
from xorj.swaps.swap import Swap
from xorj.swaps.valuation import value_swaps
from xorj.trust.copy_score import score_cohort
from xorj.trust.score_copies import score_copies

DAYS = 40


def digest() -> str:
    """Of a cohort with a prior of its own, of an impact, and of a small history's verdicts."""
    scores = score_cohort(made_cohort(3))
    columns = [getattr(scores, name) for name in scores.__slots__]
    draw = np.random.default_rng(4)
    impact = fitted(np.exp2(draw.integers(-3, 3, 200) / 7).tolist(), draw.uniform(-500, 500, 200).tolist())
    verdicts = score_copies(value_swaps(history(draw)), FIRST_DAY_S + DAYS * DAY_S)
    return sha256(b"".join(column.tobytes() for column in columns) + repr((impact, sorted(verdicts.items()))).encode()).hexdigest()


def history(draw: np.random.Generator) -> list[Swap]:
    swaps = list[Swap]()
    for day in range(DAYS):
        for number, name in enumerate(("ana", "ben")):
            sold = 100 * (1.01 + draw.integers(-30, 30) / 1_000)
            swaps.append(swap(name, "100 USDC", "100 WIF", slot=1_000 * day + 10 * number, day=day))
            swaps.append(swap(name, "100 WIF", f"{sold:.6f} USDC", slot=1_000 * day + 10 * number + 5, day=day + 0.5))
    return swaps


if __name__ == "__main__":
    if "after-the-chain" in sys.argv:
        # the local chain's runtime leaves the old floating-point stack as it was in its own code
        from solders.litesvm import LiteSVM

        LiteSVM()
    sys.stdout.write(digest())
