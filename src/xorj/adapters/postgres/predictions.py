"""Frozen cohorts, closed windows and weekly reports. Implements PredictionLog and WindowStore of xorj.trust.ports; only ever adds rows.

Built by the quant engine and by the command `trust report`.
"""

from dataclasses import asdict
from typing import Any

import msgspec
from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from xorj.adapters.postgres.tables import closed_windows, frozen_cohorts, outbox, predictions, trust_reports, window_returns
from xorj.adapters.postgres.transactions import transaction
from xorj.primitives.ids import Slot, Wallet
from xorj.trust.predictions import FrozenCohort, LiveWindow, Prediction
from xorj.trust.weekly_report import WeeklyReport

CALIBRATION_ALARM = "trust_calibration_alarm"
# rows of one statement: PostgreSQL takes 65,535 values, and a prediction has 16
ROWS_PER_STATEMENT_MAX = 4_000
_COHORT = [column for column in frozen_cohorts.c if column.name not in ("genesis_hash", "created_at")]
_PREDICTION = [column for column in predictions.c if column.name not in ("genesis_hash", "day")]


class PostgresPredictions:
    """Implements both ports for one chain."""

    def __init__(self, engine: AsyncEngine, genesis: str) -> None:
        self._engine, self._genesis = engine, genesis

    async def freeze(self, cohort: FrozenCohort) -> bool:
        async with transaction(self._engine) as connection:
            row = {"genesis_hash": self._genesis} | {column.name: getattr(cohort, column.name) for column in _COHORT}
            statement = insert(frozen_cohorts).values(row | {"prior": list(cohort.prior)}).on_conflict_do_nothing()
            if (await connection.execute(statement.returning(frozen_cohorts.c.day))).first() is None:
                return False
            await _add(connection, predictions, [self._prediction(cohort.day, one) for one in cohort.predictions])
            return True

    async def days(self) -> list[int]:
        async with transaction(self._engine) as connection:
            query = select(frozen_cohorts.c.day).where(frozen_cohorts.c.genesis_hash == self._genesis).order_by(frozen_cohorts.c.day)
            return list((await connection.execute(query)).scalars())

    async def cohort(self, day: int) -> FrozenCohort | None:
        async with transaction(self._engine) as connection:
            return await self._cohort(connection, day)

    async def close(self, window: LiveWindow) -> bool:
        of_window = {"genesis_hash": self._genesis, "opened_day": window.cohort.day}
        async with transaction(self._engine) as connection:
            statement = insert(closed_windows).values(of_window | {"wallets": len(window.returns)}).on_conflict_do_nothing()
            if (await connection.execute(statement.returning(closed_windows.c.opened_day))).first() is None:
                return False
            rows = [of_window | {"wallet_address": who, "daily_returns": list(days)} for who, days in sorted(window.returns.items())]
            await _add(connection, window_returns, rows)
            return True

    async def closed(self) -> list[int]:
        async with transaction(self._engine) as connection:
            return await self._closed(connection)

    async def windows(self) -> list[LiveWindow]:
        async with transaction(self._engine) as connection:
            return [await self._window(connection, opened) for opened in await self._closed(connection)]

    async def keep_report(self, report: WeeklyReport) -> bool:
        async with transaction(self._engine) as connection:
            row = {"genesis_hash": self._genesis, "week": report.week, "is_alarm": report.alarm, "report": report.as_json()}
            made = await connection.execute(insert(trust_reports).values(row).on_conflict_do_nothing().returning(trust_reports.c.week))
            if made.first() is None:
                return False
            if report.alarm:
                error = report.measures.calibration_error.value
                payload = {"week": report.week, "as_of_day": report.as_of_day, "calibration_error": error, "windows": len(report.windows)}
                await connection.execute(insert(outbox).values(topic=CALIBRATION_ALARM, key=f"week {report.week}", payload=payload))
            return True

    async def newest_report(self) -> WeeklyReport | None:
        query = select(trust_reports.c.report).where(trust_reports.c.genesis_hash == self._genesis).order_by(trust_reports.c.week.desc())
        async with transaction(self._engine) as connection:
            found = (await connection.execute(query.limit(1))).scalar_one_or_none()
        return None if found is None else msgspec.convert(found, WeeklyReport)

    async def _closed(self, connection: AsyncConnection) -> list[int]:
        query = select(closed_windows.c.opened_day).where(closed_windows.c.genesis_hash == self._genesis)
        return list((await connection.execute(query.order_by(closed_windows.c.opened_day))).scalars())

    async def _window(self, connection: AsyncConnection, opened_day: int) -> LiveWindow:
        cohort = await self._cohort(connection, opened_day)
        if cohort is None:
            raise LookupError(f"the window of day {opened_day} has no cohort, which its foreign key forbids")
        mine = window_returns.c.genesis_hash == self._genesis, window_returns.c.opened_day == opened_day
        rows = await connection.execute(select(window_returns.c.wallet_address, window_returns.c.daily_returns).where(*mine))
        return LiveWindow(cohort, {Wallet(who): tuple(days) for who, days in rows})

    async def _cohort(self, connection: AsyncConnection, day: int) -> FrozenCohort | None:
        mine = frozen_cohorts.c.genesis_hash == self._genesis, frozen_cohorts.c.day == day
        found = (await connection.execute(select(*_COHORT).where(*mine))).one_or_none()
        if found is None:
            return None
        query = select(*_PREDICTION).where(predictions.c.genesis_hash == self._genesis, predictions.c.day == day)
        rows = await connection.execute(query.order_by(predictions.c.wallet_address.collate("C")))
        fields = found._asdict() | {"as_of_slot": Slot(found.as_of_slot), "prior": tuple(found.prior)}
        return FrozenCohort(**fields, predictions=tuple(_predicted(row) for row in rows))

    def _prediction(self, day: int, one: Prediction) -> dict[str, Any]:
        fields = asdict(one) | {"behaviour": list(one.behaviour)}
        return {"genesis_hash": self._genesis, "day": day, "wallet_address": fields.pop("wallet"), **fields}


async def _add(connection: AsyncConnection, table: Any, rows: list[dict[str, Any]]) -> None:
    for start in range(0, len(rows), ROWS_PER_STATEMENT_MAX):
        await connection.execute(insert(table), rows[start : start + ROWS_PER_STATEMENT_MAX])


def _predicted(row: Row[Any]) -> Prediction:
    fields = row._asdict()
    return Prediction(wallet=Wallet(fields.pop("wallet_address")), **fields | {"behaviour": tuple(fields["behaviour"])})
