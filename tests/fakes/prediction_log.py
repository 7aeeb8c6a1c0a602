"""The prediction log and its windows in memory: for flows, and as the other half of their contract suite."""

from xorj.trust.predictions import FrozenCohort, LiveWindow
from xorj.trust.weekly_report import WeeklyReport


class MemoryPredictions:
    """Implements PredictionLog and WindowStore."""

    def __init__(self) -> None:
        self.cohorts: dict[int, FrozenCohort] = {}
        self.outcomes: dict[int, LiveWindow] = {}
        self.reports: dict[int, WeeklyReport] = {}
        self.alarms: list[int] = []

    async def freeze(self, cohort: FrozenCohort) -> bool:
        return self.cohorts.setdefault(cohort.day, cohort) is cohort

    async def days(self) -> list[int]:
        return sorted(self.cohorts)

    async def cohort(self, day: int) -> FrozenCohort | None:
        return self.cohorts.get(day)

    async def close(self, window: LiveWindow) -> bool:
        return self.outcomes.setdefault(window.cohort.day, window) is window

    async def closed(self) -> list[int]:
        return sorted(self.outcomes)

    async def windows(self) -> list[LiveWindow]:
        return [self.outcomes[day] for day in sorted(self.outcomes)]

    async def keep_report(self, report: WeeklyReport) -> bool:
        if self.reports.setdefault(report.week, report) is not report:
            return False
        if report.alarm:
            self.alarms.append(report.week)
        return True

    async def newest_report(self) -> WeeklyReport | None:
        return self.reports[max(self.reports)] if self.reports else None
