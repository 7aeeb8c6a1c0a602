"""The life of a prediction on a clock that the test moves: frozen on its day, closed when its 90 days are over, told in a weekly report."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from tests.fakes.made_swaps import FIRST_DAY_S, swap, wallet
from tests.fakes.prediction_log import MemoryPredictions

from xorj.primitives.clock import DAY_S
from xorj.primitives.ids import Slot, Wallet
from xorj.swaps.coverage import Hole
from xorj.swaps.pool_hops import SwapFacts
from xorj.swaps.record import WalletMovement
from xorj.swaps.swap import Swap
from xorj.trust.behaviour import FEATURES, Shift
from xorj.trust.copy_score import HORIZON_DAYS
from xorj.trust.eligibility import Rules
from xorj.trust.ranking import Model
from xorj.trust.score_wallets import Scored, score_wallets
from xorj.trust.score_windows import Kept, frozen_cohort, keep_predictions
from xorj.trust.synthetic_shift import SYNTHETIC_SHIFT
from xorj.trust.weekly_report import DAYS_A_WEEK

FIRST_DAY = FIRST_DAY_S // DAY_S
SLOTS_A_DAY = 1_000
RULES = Rules(trades_min=2, active_days_min=1, closing_trades_min=1)


@dataclass
class KnownHistory:
    """Implements HistoryReader over swaps, up to `day`."""

    known: list[Swap]
    day: int = 0
    asked: list[Slot | None] = field(default_factory=list)

    async def swaps(self, *, as_of: Slot | None = None, wallet: Wallet | None = None) -> list[Swap]:
        self.asked.append(as_of)
        until = min(self.newest, self.newest if as_of is None else as_of)
        found = [one for one in self.known if one.order.slot <= until and wallet in (None, one.wallet)]
        return sorted(found, key=lambda one: (one.wallet, one.order))

    @property
    def newest(self) -> int:
        return (self.day + 1) * SLOTS_A_DAY - 1

    async def newest_slot(self) -> Slot | None:
        return Slot(self.newest)

    async def open_holes(self) -> Mapping[Wallet, tuple[Hole, ...]]:
        return {}

    async def movements(self, *, as_of: Slot | None = None, wallet: Wallet | None = None) -> list[WalletMovement]:
        return []

    async def swap_facts(self, *, as_of: Slot | None = None, wallet: Wallet | None = None) -> list[tuple[Swap, SwapFacts]]:
        return []

    async def version(self) -> int:
        return self.day


CROWD = ("dana", "eli", "finn", "gil")


def history(*, ben_turns_on: int = 0) -> list[Swap]:
    """WIF rises over each day and BONK falls. Ana trades WIF; Ben trades BONK from the day he turns on, and WIF until then; Cem trades WIF
    for three weeks and is never seen again; the crowd makes the market of both."""
    draw = np.random.default_rng(5)
    swaps = list[Swap]()
    for day in range(130):
        evening = {"WIF": 1.06 + 0.02 * float(draw.standard_normal()), "BONK": 0.94 + 0.02 * float(draw.standard_normal())}
        held = {"ana": "WIF", "ben": "BONK" if day >= ben_turns_on else "WIF", **({"cem": "WIF"} if day <= 20 else {})}
        for number, (name, token, usd) in enumerate([*((who, what, 100) for who, what in held.items()), *crowd()]):
            slot, at = SLOTS_A_DAY * day + 40 * number, day + 0.1 + 0.01 * number
            swaps.append(swap(name, f"{usd} USDC", f"{usd} {token}", slot=slot, day=at))
            swaps.append(swap(name, f"{usd} {token}", f"{usd * evening[token]:.6f} USDC", slot=slot + 500, day=at + 0.5))
    return swaps


def crowd() -> list[tuple[str, str, int]]:
    return [(name, token, 2_000) for token in ("WIF", "BONK") for name in CROWD]


async def on_day(reader: KnownHistory, log: MemoryPredictions, day: int, *, shift: Shift = SYNTHETIC_SHIFT) -> tuple[Scored, Kept]:
    """The quant engine's turn on that day."""
    reader.day = day
    scored = await score_wallets(reader, RULES, Model.TRUST)
    assert scored is not None
    return scored, await keep_predictions(scored.run, scored.copied, reader, log, log, assumed=shift)


async def test_a_cohort_is_frozen_once_a_day_and_stays_as_it_was() -> None:
    reader, log = KnownHistory(history()), MemoryPredictions()
    scored, kept = await on_day(reader, log, 30)
    assert kept.frozen_day == FIRST_DAY + 30
    cohort = await log.cohort(FIRST_DAY + 30)
    assert cohort is not None
    assert (cohort.run_id, cohort.lake_version, cohort.calibration) == (scored.run.id, 30, "synthetic prior 1")
    assert [one.wallet for one in cohort.predictions] == sorted(map(wallet, ("ana", "ben", "cem", *CROWD)))
    assert all(len(one.behaviour) == len(FEATURES) and one.plus is not None for one in cohort.predictions)
    _, again = await on_day(reader, log, 30)
    assert again.frozen_day is None
    await on_day(reader, log, 31)
    assert await log.cohort(FIRST_DAY + 30) == cohort


async def test_the_dead_stay_in_the_cohort_and_in_its_outcome() -> None:
    reader, log = KnownHistory(history()), MemoryPredictions()
    await on_day(reader, log, 30)
    _, kept = await on_day(reader, log, 30 + HORIZON_DAYS)
    assert kept.closed_opened_day is None, "the last day of the window is not over yet"
    _, kept = await on_day(reader, log, 30 + HORIZON_DAYS + 1)
    assert kept.closed_opened_day == FIRST_DAY + 30
    (window,) = await log.windows()
    assert window.returns[wallet("cem")] == (0.0,) * HORIZON_DAYS
    assert np.mean(window.returns[wallet("ana")]) > 0 > np.mean(window.returns[wallet("ben")])
    _, kept = await on_day(reader, log, 30 + HORIZON_DAYS + 1)
    assert kept.closed_opened_day is None


async def test_an_outcome_is_the_same_however_late_it_is_looked_at() -> None:
    outcomes = []
    for looked_at in (121, 129):
        reader, log = KnownHistory(history()), MemoryPredictions()
        await on_day(reader, log, 30)
        await on_day(reader, log, looked_at)
        outcomes.append((await log.windows())[0].returns)
    assert outcomes[0] == outcomes[1]


async def test_a_report_comes_once_a_week_and_tells_of_the_window_when_it_has_closed() -> None:
    reader, log = KnownHistory(history()), MemoryPredictions()
    reports = {day: (await on_day(reader, log, day))[1].report for day in range(30, 30 + DAYS_A_WEEK + 1)}
    told = [day for day, report in reports.items() if report is not None]
    assert told[0] == 30
    assert [(FIRST_DAY + day) // DAYS_A_WEEK for day in told] == sorted({(FIRST_DAY + day) // DAYS_A_WEEK for day in reports})
    first = reports[30]
    assert first is not None
    assert (first.windows, first.next_closes_day, first.alarm) == ((), FIRST_DAY + 120, False)
    assert first.calibration.startswith("assumed: 0 of 4")
    _, kept = await on_day(reader, log, 122)
    assert kept.report is not None
    assert kept.report.windows == ((FIRST_DAY + 30, FIRST_DAY + 120),)
    assert kept.report.measures.wallets > 0
    assert kept.report.measures.calibration_error.value is not None


async def test_predictions_that_are_far_off_raise_the_alarm() -> None:
    """Ben wins for a month, so that his score is high, and loses ever after."""
    reader, log = KnownHistory(history(ben_turns_on=31)), MemoryPredictions()
    await on_day(reader, log, 30)
    _, kept = await on_day(reader, log, 122)
    assert kept.report is not None
    assert kept.report.alarm
    assert log.alarms == [kept.report.week]


async def test_v2_plus_is_logged_and_ranks_nobody() -> None:
    reader = KnownHistory(history())
    runs = []
    for coefficient in (1.0, -1.0):
        log = MemoryPredictions()
        shift = Shift((coefficient,) * (2 * len(FEATURES)), "a test's")
        scored, _ = await on_day(reader, log, 30, shift=shift)
        cohort = frozen_cohort(scored.run, scored.copied, shift)
        runs.append((scored.run, [one.plus for one in cohort.predictions]))
    (run, plus), (other, other_plus) = runs
    assert run == other
    assert plus != other_plus
    assert {model.value for model in Model} == {"v1", "v2"}
