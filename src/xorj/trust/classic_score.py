"""V1, the classic trust score, exactly as specified. Used by score_wallets, the command line and wherever "Classic" is shown.

    average = roi / trades; volatility = sqrt(max_drawdown / 100); sharpe = average / volatility, 0 when volatility is 0
    score = 100 * max(0, 0.40 * n((sharpe + 2) / 5) + 0.15 * n(roi / 500) - 0.45 * n(max_drawdown / 100)),  n clips to 0..1

Source: SPEC, section "XORJ Trust Score Algorithm"; the normalisers are those that give its table (37.0, 21.4, 17.5). The range is 0 to 55,
and the formula has cliffs: a drawdown of exactly 0 loses the Sharpe part's gain, and everything below zero is zero.
"""

import math
from dataclasses import dataclass

from xorj.primitives.errors import InvalidInput

SHARPE_WEIGHT = 0.40
ROI_WEIGHT = 0.15
DRAWDOWN_PENALTY_WEIGHT = 0.45
SCORE_MAX = 100 * (SHARPE_WEIGHT + ROI_WEIGHT)
MODEL = "v1"
TRADES_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class ClassicScore:
    """The score, 0 to 55, with its normalised parts, each 0 to 1, and the Sharpe ratio they came from."""

    score: float
    sharpe_ratio: float
    sharpe: float
    roi: float
    drawdown: float


def classic_score(*, roi_percent: float, max_drawdown_percent: float, trades: int) -> ClassicScore:
    """Scores one trader. Raises InvalidInput naming the field for no trades, NaN, infinities, or a drawdown outside 0 to 100."""
    if not (1 <= trades <= TRADES_MAX and trades % 1 == 0):
        raise InvalidInput("trades", given=trades, rule="a whole number of at least 1")
    if not math.isfinite(roi_percent):
        raise InvalidInput("roi", given=roi_percent, rule="a finite percentage")
    if not (math.isfinite(max_drawdown_percent) and 0 <= max_drawdown_percent <= 100):
        raise InvalidInput("max_drawdown", given=max_drawdown_percent, rule="a percentage from 0 to 100")
    volatility = math.sqrt(max_drawdown_percent / 100)
    sharpe_ratio = roi_percent / trades / volatility if volatility > 0 else 0.0
    sharpe, roi, drawdown = _unit((sharpe_ratio + 2) / 5), _unit(roi_percent / 500), _unit(max_drawdown_percent / 100)
    total = SHARPE_WEIGHT * sharpe + ROI_WEIGHT * roi - DRAWDOWN_PENALTY_WEIGHT * drawdown
    return ClassicScore(score=max(0.0, total) * 100, sharpe_ratio=sharpe_ratio, sharpe=sharpe, roi=roi, drawdown=drawdown)


def _unit(value: float) -> float:
    return min(1.0, max(0.0, value))
