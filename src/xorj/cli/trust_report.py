"""`xorj trust report` and `trust run`: what closed windows say of the score, and a scoring run on demand. Also what else trust asks of a
database that runs: the calibration in force and the rates of past windows."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import orjson
import typer

from xorj import settings
from xorj.adapters.postgres import engine as postgres
from xorj.adapters.postgres.predictions import PostgresPredictions
from xorj.cli.operate import AsJson, DataDir
from xorj.primitives.errors import Unavailable
from xorj.supervisor.data_folder import DataFolder
from xorj.supervisor.postgres import EmbeddedPostgres
from xorj.trust.copy_replay import Terms
from xorj.trust.copy_verdict import CopyScore
from xorj.trust.live_calibration import LiveCalibration
from xorj.trust.live_windows import BandRate, Figure
from xorj.trust.score_windows import newest_calibration
from xorj.trust.weekly_report import WeeklyReport
from xorj.trust.words import calibration_in_words, past_in_words, reason_in_words, terms_in_words

T = TypeVar("T")
RUN_SECONDS_MAX = 600.0
# what a monitor tells from a database that is not there (1)
EXIT_ALARM = 4


def report(data_dir: Path | None = DataDir, as_json: bool = AsJson) -> None:
    """What closed 90-day windows say of the trust score, failures like successes: the newest weekly report.

    Exit code 4 when the calibration alarm is raised, 1 when there is no report to read. Example: ./xorj trust report
    """
    found = asyncio.run(_asked(data_dir, lambda log: log.newest_report()))
    if found is None:
        raise Unavailable("the weekly report", "no scoring run was made yet on this chain")
    typer.echo(orjson.dumps(found.as_json(), option=orjson.OPT_INDENT_2).decode() if as_json else "\n".join(_lines(found)))
    if found.alarm:
        raise typer.Exit(EXIT_ALARM)


def run(data_dir: Path | None = DataDir, as_json: bool = AsJson) -> None:
    """Have the running quant engine score all wallets now, as of the newest slot. Example: ./xorj trust run"""
    configured = settings.load(settings.ServiceSettings, data_dir=data_dir)
    token = configured.service_token.get_secret_value() if configured.service_token else _kept_token(configured.data_dir)
    url = f"{configured.quant_engine_url}/internal/scoring-runs"
    try:
        answer = httpx2.post(url, headers={"authorization": f"Bearer {token}"}, timeout=RUN_SECONDS_MAX)
        answer.raise_for_status()
    except httpx2.HTTPError as error:
        raise Unavailable("the quant engine", str(error)) from error
    made: dict[str, Any] = answer.json()
    typer.echo(orjson.dumps(made).decode() if as_json else "\n".join(f"{name} {value}" for name, value in made.items()))


def read_bands() -> tuple[BandRate, ...]:
    """The rates of past windows in the newest report; none where no database answers."""
    found = asyncio.run(_if_there(lambda log: log.newest_report()))
    return () if found is None else found.measures.bands


async def read_calibration() -> LiveCalibration | None:
    """What closed windows taught, as the quant engine scores with it; None while it is assumed, and where no database answers."""
    found = await _if_there(newest_calibration)
    return found if isinstance(found, LiveCalibration) else None


def explained_in_words(copy: CopyScore, terms: Terms, bands: Sequence[BandRate]) -> dict[str, Any]:
    """The reasons, what past windows say, and what the score stands on."""
    return {
        "reasons": [reason_in_words(reason) for reason in copy.reasons],
        "past": past_in_words(copy.score, bands),
        "calibration": calibration_in_words(copy.calibration),
        "copier": terms_in_words(terms),
    }


async def _if_there(ask: Callable[[PostgresPredictions], Awaitable[T]]) -> T | None:
    try:
        return await _asked(None, ask)
    except Unavailable:
        return None


async def _asked(data_dir: Path | None, ask: Callable[[PostgresPredictions], Awaitable[T]]) -> T:
    configured = settings.load(settings.DatabaseSettings, data_dir=data_dir)
    url = configured.database_url.get_secret_value() if configured.database_url else _embedded(configured.data_dir)
    engine = postgres.create(url, application="trust", tls_required=configured.database_tls_required, connections_min=1, connections_max=1)
    try:
        return await ask(PostgresPredictions(engine, configured.genesis))
    finally:
        await engine.dispose()


def _embedded(data_dir: Path) -> str:
    folder = DataFolder(data_dir)
    if folder.running() is None:
        raise Unavailable("the database", f"nothing runs in {folder.path}: ./xorj up starts it")
    return EmbeddedPostgres(folder.postgres).url


def _kept_token(data_dir: Path) -> str:
    file = DataFolder(data_dir).keys / "service_token"
    if not file.exists():
        raise Unavailable("the quant engine", f"{data_dir} has no service token: ./xorj up makes one")
    return file.read_text().strip()


def _lines(found: WeeklyReport) -> list[str]:
    measures = found.measures
    lines = [f"as of {_date(found.as_of_day)}: {found.cohorts} daily cohorts, {len(found.windows)} closed windows of 90 days"]
    lines += [f"  {_date(opened)} to {_date(closed)}" for opened, closed in found.windows]
    if found.next_closes_day is not None:
        lines.append(f"the next window closes on {_date(found.next_closes_day)}")
    lines.append(f"calibration in force: {found.calibration}")
    if not found.windows:
        return [*lines, "no window has closed yet: nothing was observed, and nothing is promised"]
    lines.append(f"{measures.wallets} scored wallets")
    figures = {"K1 buckets": measures.k1, "K3 rank correlation": measures.k3, "K3 over the outcome's own": measures.k3_efficiency}
    lines += [f"  {name:28}{_figure(figure)}" for name, figure in (figures | {"K4 calibration error": measures.calibration_error}).items()]
    lines += [f"  {'K4 ' + name:28}{_share(share)}" for name, share in (("ruined", measures.ruined), ("linked", measures.linked))]
    verdicts = {True: "holds", False: "FAILS", None: "not enough to say"}
    lines += [
        f"{verdicts[gate.holds]:18} {gate.name} ({gate.asked}){'' if gate.found is None else f': {gate.found:.3f}'}" for gate in found.gates
    ]
    lines += [
        f"score {band.low}-{band.high}: {band.wallets} wallets, predicted {band.predicted:.2f}, paid {band.paid:.2f}"
        for band in measures.bands
    ]
    won = sum(one.plus_won for one in found.plus)
    lines.append(f"V2 plus, in shadow: beat core in {won} of {len(found.plus)} windows; it ranks nobody")
    return [*lines, "ALARM: the calibration error is above 0.05"] if found.alarm else lines


def _figure(figure: Figure) -> str:
    if figure.value is None or figure.low is None or figure.high is None:
        return "not enough to say"
    return f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"


def _share(share: float | None) -> str:
    return "not enough to say" if share is None else f"{share:.3f}"


def _date(day: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)).date().isoformat()
