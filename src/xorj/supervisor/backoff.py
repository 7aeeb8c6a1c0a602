"""How long to wait before something that ended is started again, and when to give up. Used for the server and for every process."""

from dataclasses import dataclass

RESTART_DELAY_FIRST_S = 0.2
RESTART_DELAY_MAX_S = 10.0
RESTARTS_IN_A_ROW_MAX = 10
STEADY_AFTER_S = 60.0


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It ended too often in a row; starting it again would change nothing."""

    restarts: int


class Backoff:
    """Counts ends in a row, at most `restarts_max` of them. A life of STEADY_AFTER_S or longer starts the count anew."""

    def __init__(self, restarts_max: int = RESTARTS_IN_A_ROW_MAX) -> None:
        self._in_a_row, self._restarts_max = 0, restarts_max

    def after(self, lived_s: float) -> float | GiveUp:
        """The delay in seconds after a life of `lived_s`: it doubles from RESTART_DELAY_FIRST_S to RESTART_DELAY_MAX_S."""
        if lived_s >= STEADY_AFTER_S:
            self._in_a_row = 0
        if self._in_a_row >= self._restarts_max:
            return GiveUp(self._in_a_row)
        self._in_a_row += 1
        return float(min(RESTART_DELAY_FIRST_S * 2 ** (self._in_a_row - 1), RESTART_DELAY_MAX_S))
