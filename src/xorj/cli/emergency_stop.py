"""`xorj emergency-stop`: writes the kill switch's row in PostgreSQL itself, so that it works when nothing else answers.

No trade is planned or signed from the next look of the bot on. A bot that runs then pauses every vault on chain and cancels the trades in
doubt; what it has done is listed, vault by vault, and what it has not.
"""

import asyncio
import getpass
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg
import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from xorj import settings
from xorj.adapters.postgres import engine as postgres
from xorj.adapters.postgres import migrate
from xorj.adapters.postgres.bot_controls import PostgresBotControls
from xorj.adapters.postgres.execution import PostgresAttempts, PostgresIntents
from xorj.adapters.postgres.kill_switch import REASON_CHARACTERS_MAX, PostgresKillSwitch
from xorj.adapters.postgres.stops import PostgresStops
from xorj.cli.operate import AsJson, DataDir
from xorj.copying.situation import Stopped
from xorj.primitives.errors import InvalidInput, Unavailable, XorjError
from xorj.reporting.overview import HEARTBEAT_AGE_SECONDS_MAX
from xorj.reporting.ports import Everyone
from xorj.supervisor.data_folder import DataFolder
from xorj.supervisor.postgres import EmbeddedPostgres

SHOWN_MAX = 20
# How long a bot that runs is waited for, and how often it is looked at.
BRAKES_AWAITED_S = 20.0
BRAKES_LOOK_S = 0.2
CONNECT_TIMEOUT_S = 5


@dataclass(frozen=True, slots=True)
class InFlight:
    """One attempt whose end is not proven yet; without a signature it was never sent."""

    intent_id: str
    state: str
    signature: str | None


def emergency_stop(
    reason: str = typer.Option(..., "--reason", help="Why; it is kept, and shown on every page."),
    resume: bool = typer.Option(False, "--resume", help="Let trades start again, for the reason given."),
    data_dir: Path | None = DataDir,
    as_json: bool = AsJson,
    wait_s: float = typer.Option(BRAKES_AWAITED_S, "--wait-s", min=0, max=600, help="How long to wait for a running bot."),
) -> None:
    """Stop planning and signing trades, at once, whatever else is down; `--resume` lets them start again.

    A running bot then pauses every vault on chain and cancels the trades in doubt. Each owner resumes his own vault.

    Example: ./xorj emergency-stop --reason "leader 4xQ looks stolen"
    """
    if not reason.strip() or len(reason) > REASON_CHARACTERS_MAX:
        raise InvalidInput("--reason", given=reason, rule=f"1 to {REASON_CHARACTERS_MAX} characters")
    configured = settings.load(settings.DatabaseSettings, data_dir=data_dir)
    with _database(configured) as url:
        if migrate.current(url, tls_required=configured.database_tls_required) is None:
            # without the row's table a bot that starts a moment later would find no stop
            migrate.upgrade(url, tls_required=configured.database_tls_required)
        report = asyncio.run(_switched(configured, url, reason.strip(), resume=resume, wait_s=wait_s))
    typer.echo(json.dumps(report) if as_json else _text(report))


async def _switched(configured: settings.DatabaseSettings, url: str, reason: str, *, resume: bool, wait_s: float) -> dict[str, Any]:
    engine = postgres.create(
        url, application="emergency-stop", tls_required=configured.database_tls_required, connections_min=1, connections_max=2
    )
    try:
        switch = PostgresKillSwitch(engine)
        if resume:
            await switch.release(reason, actor=_actor())
        else:
            await switch.stop(reason, actor=_actor())
        state = await switch.state()
        stopped = isinstance(state, Stopped)
        if stopped is resume:
            raise Unavailable("the kill switch", f"it does not read as it was written: {state}")
        done = await _braked(engine, 0 if resume else wait_s)
        said = {"ok": True, "stopped": stopped, "reason": state.reason if isinstance(state, Stopped) else reason}
        return said | done | await _open(PostgresIntents(engine), PostgresAttempts(engine, configured.genesis))
    finally:
        await engine.dispose()


async def _braked(engine: AsyncEngine, wait_s: float) -> dict[str, Any]:
    """What the bot has done in each vault. Without a bot at work nobody is waited for, and a failure to read it does not undo the stop."""
    stops, controls, deadline = PostgresStops(engine), PostgresBotControls(engine), time.monotonic() + wait_s
    try:
        while True:
            report, is_working = await stops.report(Everyone()), await controls.is_beating(HEARTBEAT_AGE_SECONDS_MAX)
            if report.complete or not is_working or time.monotonic() >= deadline:
                break
            await asyncio.sleep(BRAKES_LOOK_S)
    except XorjError as error:
        return {"bot_is_working": None, "complete": False, "vaults": None, "vaults_error": str(error)}
    vaults = [asdict(vault) | {"complete": vault.complete} for vault in report.vaults]
    return {"bot_is_working": is_working, "complete": report.complete, "vaults_count": report.vaults_count, "vaults": vaults}


async def _open(intents: PostgresIntents, attempts: PostgresAttempts) -> dict[str, Any]:
    """What had begun before. A failure to read it is told and does not undo the stop."""
    try:
        waiting = await intents.open_intents()
        pairs = await attempts.open_attempts()
    except XorjError as error:
        return {"in_flight": None, "in_flight_error": str(error)}
    flying = [InFlight(intent.id, attempt.state.value, attempt.signature) for attempt, intent in pairs]
    return {
        "waiting_intents": len({intent.id for intent in waiting} - {one.intent_id for one in flying}),
        "in_flight": [{"intent_id": one.intent_id, "state": one.state, "signature": one.signature} for one in flying],
    }


@contextmanager
def _database(configured: settings.DatabaseSettings) -> Iterator[str]:
    """The URL of the database, the embedded server started for the moment when nothing runs."""
    if configured.database_url is not None:
        yield configured.require_database_url()
        return
    folder = DataFolder(configured.data_dir)
    server = EmbeddedPostgres(folder.postgres)
    if _answers(server.url) or folder.running() is not None:
        yield server.url
        return
    if not (folder.postgres / "data").exists():
        raise Unavailable("the database", f"{folder.path} has none: nothing was ever started there. Is --data-dir right?")
    with server:
        yield server.url


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=CONNECT_TIMEOUT_S).close()
    except psycopg.Error:
        return False
    return True


def _actor() -> str:
    try:
        return f"operator {getpass.getuser()}"
    except (KeyError, OSError):
        return "operator"


def _text(report: dict[str, Any]) -> str:
    head = f"stopped: {report['reason']}" if report["stopped"] else f"trading resumes: {report['reason']}"
    lines = [head, *_vault_lines(report)]
    if report["in_flight"] is None:
        return "\n".join([*lines, f"what is in flight cannot be read: {report['in_flight_error']}"])
    flying = report["in_flight"]
    if flying:
        lines.append(f"still in flight, settled when their end is proven: {len(flying)}")
        lines += [f"  {one['intent_id']} {one['state']} {one['signature'] or 'not signed'}" for one in flying[:SHOWN_MAX]]
    else:
        lines.append("nothing is in flight")
    if report["waiting_intents"]:
        lines.append(f"planned and {'not started' if report['stopped'] else 'waiting'}: {report['waiting_intents']}")
    return "\n".join(lines)


def _vault_lines(report: dict[str, Any]) -> list[str]:
    """One line a vault, one a transaction."""
    if report["vaults"] is None:
        return [f"what was done in the vaults cannot be read: {report['vaults_error']}"]
    if not report["stopped"]:
        paused = sum(vault["paused"] for vault in report["vaults"])
        return [f"{paused} vaults are paused; each waits for its owner to resume it"] if paused else []
    lines = (
        [] if report["bot_is_working"] or report["complete"] else ["no bot is at work: vaults are paused and trades cancelled when it is"]
    )
    for vault in report["vaults"][:SHOWN_MAX]:
        state = "paused" if vault["paused"] or vault["complete"] else "not paused yet"
        lines.append(f"vault {vault['vault']}: {state}, {vault['in_doubt']} trades in doubt")
        lines += [f"  {_brake_words(one)}" for one in vault["brakes"]]
    left = report["vaults_count"] - len(report["vaults"][:SHOWN_MAX])
    return [*lines, f"and {left} more vaults"] if left else lines


def _brake_words(brake: dict[str, Any]) -> str:
    what = "pause" if brake["kind"] == "pause" else f"nonce {brake['nonce']} of {brake['intent_id']} burned"
    return f"{what}: {brake['status']} {brake['signature'] or 'not signed'}" + (f" ({brake['detail']})" if brake["detail"] else "")
