"""`xorj demo`: the main job headless, from start to settled copies, then every invariant checked. What it does is demo.run's."""

import asyncio
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

import typer
from rich.console import Console
from rich.table import Table

from xorj import settings
from xorj.adapters.kill_moments import MARKER
from xorj.cli.operate import AsJson, DataDir, PortOffset, ports_of
from xorj.demo.kill_bot import BotKiller
from xorj.demo.recording import Recording, read_recording
from xorj.demo.report import Report
from xorj.demo.run import DemoRun
from xorj.primitives.errors import RefusedForSafety, Unavailable
from xorj.supervisor import ports
from xorj.supervisor.data_folder import DataFolder
from xorj.supervisor.fleet import FleetPorts, fleet
from xorj.supervisor.launch import launching
from xorj.trust.ranking import Model

OFFSET_STEP, OFFSETS_TRIED = 500, 40
BOT = "trade-bot"
# a recorded day passes in minutes: one ranking, of its history, is enough
REPLAY_SCORING_EVERY_S = 3_600
# what must not reach the demo from the shell that starts it: it stands alone, on its own database and chain
_FOREIGN = ("DATABASE_URL", "REDIS_URL")


def demo(
    as_json: bool = AsJson,
    kill_bot: bool = typer.Option(False, "--kill-bot", help="Kill the bot with SIGKILL at three moments between signing and finality."),
    replay: Path | None = typer.Option(None, metavar="FILE", help="Play a CSV of recorded swaps instead of the demo market."),
    allow_unscored: bool = typer.Option(False, "--allow-unscored", help="Rank records too short to judge; a replay always does."),
    seed: int = typer.Option(1, min=0, help="Seed of the demo market."),
    data_dir: Path | None = DataDir,
    port_offset: int | None = PortOffset,
) -> None:
    """Run the main job on a local chain with worthless funds until 5 copies have settled, one of them an exit; check all of it; stop.

    Exit code 0 only if every invariant holds. Without --data-dir it works in a temporary folder. Example: ./xorj demo --json
    """
    began_s = time.monotonic()
    configured = settings.load(settings.CommonSettings, port_offset=port_offset)
    if not configured.is_local:
        raise RefusedForSafety(f"the demo is for the local chain alone, not for {configured.environment}")
    recording = read_recording(replay) if replay is not None else None
    told = {"XORJ_SEED": str(seed), "XORJ_ENVIRONMENT": "local"}
    if replay is not None:
        told |= {"XORJ_REPLAY": str(replay.absolute()), "XORJ_SCORING_EVERY_S": str(REPLAY_SCORING_EVERY_S)}
    if allow_unscored or replay is not None:
        # a record too short to judge has no trust score
        told |= {"XORJ_ALLOW_UNSCORED": "true", "XORJ_TRUST_MODEL": Model.CLASSIC}
    with _standing_alone(), _folder(data_dir) as folder:
        fleet_ports = ports_of(configured.port_offset) if port_offset is not None else _free_ports(configured.port_offset)
        report = _run(folder, fleet_ports, told, seed=seed, kill_bot=kill_bot, recording=recording, began_s=began_s)
        _show(report, as_json=as_json)
        if not report.ok:
            raise typer.Exit(1)


def _run(
    folder: DataFolder,
    fleet_ports: FleetPorts,
    told: Mapping[str, str],
    *,
    seed: int,
    kill_bot: bool,
    recording: Recording | None,
    began_s: float,
) -> Report:
    bot_environment: dict[str, str] = {}
    killer = BotKiller(folder.run / MARKER, bot_environment) if kill_bot else None
    processes = [
        replace(one, environment=bot_environment) if one.name == BOT else one
        for one in fleet(fleet_ports, folder.sockets / "signer.sock", embedded_database=True, has_key=(folder.keys / "bot.json").exists())
    ]
    console = Console(stderr=True)
    offset = fleet_ports.rpc - settings.RPC_PORT
    with launching(folder, processes, address=fleet_ports.address, port_offset=offset, embedded_database=True, environment=told) as launch:
        run = DemoRun(
            launch=launch,
            database_url=folder.secret("database_url").read_text(),
            rpc_url=f"http://127.0.0.1:{fleet_ports.rpc}",
            seed=seed,
            began_s=began_s,
            tell=lambda text: console.print(f"{time.monotonic() - began_s:6.1f} s  {text}", highlight=False, markup=False, soft_wrap=True),
            killer=killer,
            recording=recording,
        )
        return asyncio.run(run.report())


@contextmanager
def _folder(chosen: Path | None) -> Iterator[DataFolder]:
    """The chosen folder, or a temporary one that goes when all was well and is named when it was not."""
    if chosen is not None:
        yield DataFolder(chosen.expanduser().absolute())
        return
    made = Path(tempfile.mkdtemp(prefix="xorj-demo-"))
    made.chmod(0o711)  # PostgreSQL's account has to pass where root has no user namespaces
    try:
        yield DataFolder(made)
    except BaseException:
        typer.echo(f"logs and data are kept in {made}", err=True)
        raise
    shutil.rmtree(made, ignore_errors=True)


@contextmanager
def _standing_alone() -> Iterator[None]:
    """Nothing of the shell's settings reaches the processes, and SIGTERM ends the demo as Ctrl-C does: with all that it started."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(settings.PREFIX) or name in _FOREIGN}
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        os.environ.update(kept)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _free_ports(first_offset: int) -> FleetPorts:
    """The first of some offsets at which every port is free, so that a demo runs beside what runs already."""
    for offset in range(first_offset, first_offset + OFFSETS_TRIED * OFFSET_STEP, OFFSET_STEP):
        found = ports_of(offset)
        wanted = (found.web, found.gateway, found.quant_engine, found.trade_bot, found.rpc, found.websocket, found.jupiter)
        if not ports.taken(dict.fromkeys(wanted, "the demo")):
            return found
    raise Unavailable("ports", f"none of {OFFSETS_TRIED} port offsets is free; give one: --port-offset 30000")


def _show(report: Report, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(report.as_json()))
    else:
        table = Table(box=None, show_header=False)
        for name, value in report.as_json().items():
            table.add_row(name, json.dumps(value))
        Console().print(table)
    for fault in report.all_faults:
        typer.echo(f"not as it must be: {fault}", err=True)
