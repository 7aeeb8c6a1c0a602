"""What is kept of predictions stays as it was: one suite for the log in memory and in PostgreSQL."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fakes.made_windows import frozen, made_window, prediction, returns_of
from tests.fakes.prediction_log import MemoryPredictions

from xorj.adapters.postgres.predictions import CALIBRATION_ALARM, PostgresPredictions
from xorj.adapters.postgres.tables import outbox
from xorj.primitives.ids import LOCAL_GENESIS
from xorj.trust.live_calibration import Assumed
from xorj.trust.predictions import LiveWindow
from xorj.trust.weekly_report import WeeklyReport, report_of

pytestmark = pytest.mark.database
Log = MemoryPredictions | PostgresPredictions
ELSEWHERE = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"
COHORT = frozen(7, [prediction("ana", 61.5, plus=60.25), prediction("ben", None, behaviour=()), prediction("cem", 12.0)])


@pytest.fixture(params=["memory", "postgres"])
def log(request: pytest.FixtureRequest) -> Log:
    made: dict[str, Callable[[], Log]] = {
        "memory": MemoryPredictions,
        "postgres": lambda: PostgresPredictions(request.getfixturevalue("engine"), LOCAL_GENESIS),
    }
    return made[request.param]()


def report(*, week: int = 1, alarm: bool = False) -> WeeklyReport:
    return replace(report_of([made_window(0, wallets=60)], [0], Assumed("a test"), as_of_day=91), week=week, alarm=alarm)


async def test_a_cohort_comes_back_as_it_was_frozen(log: Log) -> None:
    assert await log.days() == []
    assert await log.cohort(7) is None
    assert await log.freeze(COHORT)
    assert await log.cohort(7) == COHORT
    assert await log.days() == [7]


async def test_the_first_cohort_of_a_day_stays(log: Log) -> None:
    await log.freeze(COHORT)
    assert not await log.freeze(frozen(7, [prediction("ana", 99.0)]))
    assert await log.freeze(replace(COHORT, day=6, is_own_prior=False, lake_version=None))
    assert await log.cohort(7) == COHORT
    assert await log.days() == [6, 7]


async def test_a_window_closes_once_and_comes_back_whole(log: Log) -> None:
    assert await log.windows() == []
    await log.freeze(COHORT)
    window = LiveWindow(COHORT, returns_of(COHORT, -0.0125))
    assert await log.close(window)
    assert not await log.close(LiveWindow(COHORT, returns_of(COHORT, 0.5)))
    assert await log.windows() == [window]
    assert await log.closed() == [7]


async def test_a_weeks_report_is_kept_once_and_the_newest_comes_back(log: Log) -> None:
    assert await log.newest_report() is None
    for week in (13, 14):
        assert await log.keep_report(report(week=week))
    assert not await log.keep_report(report(week=14, alarm=True))
    assert await log.newest_report() == report(week=14)


async def test_an_alarm_leaves_one_message_with_its_report(engine: AsyncEngine) -> None:
    log = PostgresPredictions(engine, LOCAL_GENESIS)
    for _ in range(2):
        await log.keep_report(report(week=13, alarm=True))
    await log.keep_report(report(week=14))
    async with engine.begin() as connection:
        messages = list(await connection.execute(select(outbox.c.topic, outbox.c.key, outbox.c.payload)))
    assert [(one.topic, one.key) for one in messages] == [(CALIBRATION_ALARM, "week 13")]
    assert messages[0].payload["calibration_error"] == report().measures.calibration_error.value


async def test_another_chain_has_a_log_of_its_own(engine: AsyncEngine) -> None:
    await PostgresPredictions(engine, LOCAL_GENESIS).freeze(COHORT)
    other = PostgresPredictions(engine, ELSEWHERE)
    assert (await other.days(), await other.cohort(7)) == ([], None)
