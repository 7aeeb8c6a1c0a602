"""The parameters of a receipt that somebody may have edited: what no run can have had is refused by its name. Used by `trust recompute`."""

import math

from xorj.primitives.errors import InvalidInput
from xorj.trust.copy_replay import Terms
from xorj.trust.live_calibration import LiveCalibration
from xorj.trust.prior import GRID

_ABOVE_ZERO = ("order_usd", "cost_scale")
_NOT_NEGATIVE = ("delay_s", "network_cost_usd", "fills_measured")
_SHARES = ("trade_share_max", "pool_fee", "platform_fee")


def refuse_impossible(terms: Terms, live: LiveCalibration | None) -> None:
    """Raises InvalidInput with the field's place in the receipt."""
    for name in (*_ABOVE_ZERO, *_NOT_NEGATIVE, *_SHARES):
        given = getattr(terms, name)
        may_be_zero = name not in (*_ABOVE_ZERO, "trade_share_max")
        if not math.isfinite(given) or given < 0 or (given == 0 and not may_be_zero) or (name in _SHARES and given > 1):
            least = "0" if may_be_zero else "above 0"
            raise InvalidInput(
                f"RECEIPT: receipt.terms.{name}", given=given, rule=f"{least} to 1" if name in _SHARES else f"{least} or more"
            )
    if live is None:
        return
    if not 0 <= live.rho <= 1:
        raise InvalidInput("RECEIPT: receipt.live_calibration.rho", given=live.rho, rule="0 to 1")
    if not math.isfinite(live.drift):
        raise InvalidInput("RECEIPT: receipt.live_calibration.drift", given=live.drift, rule="a number")
    if len(live.prior) != len(GRID) or not all(0 <= weight <= 1 for weight in live.prior) or abs(sum(live.prior) - 1) > 1e-6:
        rule = f"{len(GRID)} weights of 0 to 1 that add up to 1"
        raise InvalidInput("RECEIPT: receipt.live_calibration.prior", given=live.prior, rule=rule)
