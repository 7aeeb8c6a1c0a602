"""`xorj up`, `status`, `logs`, `down` and `reset`: running XORJ on one machine. What they start and read is supervisor's."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import httpx2
import psutil
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from xorj import settings
from xorj.cli.ingest_progress import IngestProgress, asked_progress, first_ingestion_ended
from xorj.cli.start_progress import COLOURS, StartProgress
from xorj.primitives.errors import InvalidInput, Unavailable
from xorj.supervisor import log_files
from xorj.supervisor.data_folder import DataFolder, Phase, Running
from xorj.supervisor.fleet import XORJ, FleetPorts, fleet
from xorj.supervisor.launch import Launch, launching
from xorj.supervisor.process import Life, Process, ProcessState

DETACHED_LOG = "supervisor"
DETACHED_START_TIMEOUT_S = 600.0
DOWN_TIMEOUT_S = 15.0
KILLED_TIMEOUT_S = 10.0
POLL_S = 0.1
FOLLOW_EVERY_S = 0.2
ASK_TIMEOUT_S = 2.0
LEADERS_SHOWN_MAX = 10
LINES_DEFAULT = 100
LINES_MAX = 10_000
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

DataDir = typer.Option(None, "--data-dir", help="Folder of everything that is kept (default: .xorj in the checkout).")
PortOffset = typer.Option(None, "--port-offset", help="Added to every port, so that several can run side by side.")
AsJson = typer.Option(False, "--json", help="One JSON object instead of text.")


def up(
    detach: bool = typer.Option(False, "--detach", help="Return when the dashboard is ready; everything runs on. See status, logs, down."),
    data_dir: Path | None = DataDir,
    port_offset: int | None = PortOffset,
) -> None:
    """Set up and run everything: local chain with demo market and leaders, the engines, a demo follower, the dashboard.

    Stays in the foreground until Ctrl-C. Example: ./xorj up --port-offset 1000
    """
    configured = settings.load(settings.UpSettings, data_dir=data_dir, port_offset=port_offset)
    folder, offset = DataFolder(configured.data_dir), configured.port_offset
    if detach:
        start_detached(folder, [*XORJ, "up", "--data-dir", str(folder.path), "--port-offset", str(offset)])
        return
    ports = ports_of(offset)
    embedded = configured.database_url is None
    processes = fleet(ports, folder.sockets / "signer.sock", embedded_database=embedded, has_key=configured.key_path.exists())
    stay(folder, processes, address=ports.address, port_offset=offset, embedded_database=embedded, host=configured.bind_host)


def ports_of(offset: int) -> FleetPorts:
    """The ports of ARCHITECTURE.md, moved by `offset`."""
    return FleetPorts(
        web=settings.WEB_PORT + offset,
        gateway=settings.GATEWAY_PORT + offset,
        quant_engine=settings.QUANT_ENGINE_PORT + offset,
        trade_bot=settings.TRADE_BOT_PORT + offset,
        rpc=settings.RPC_PORT + offset,
        websocket=settings.WEBSOCKET_PORT + offset,
        jupiter=settings.JUPITER_PORT + offset,
    )


def stay(
    folder: DataFolder, processes: list[Process], *, address: str, port_offset: int, embedded_database: bool, host: str = "127.0.0.1"
) -> None:
    """Runs the processes in the foreground until a stop is asked for. Raises Unavailable when the start cannot succeed."""
    with (
        _stop_asked() as stop_asked,
        launching(folder, processes, address=address, port_offset=port_offset, embedded_database=embedded_database, host=host) as launch,
    ):
        progress = StartProgress(Console(stderr=True))
        progress.line(f"starting XORJ in {folder.path}")
        _serve(launch, folder, progress, stop_asked)
        progress.line("stopping")


def _serve(launch: Launch, folder: DataFolder, progress: StartProgress, stop_asked: Callable[[], bool]) -> None:
    """Shows the start, then what happens."""
    launch.start()
    with progress.shown():
        while not stop_asked() and not launch.supervisor.serves:
            time.sleep(POLL_S)
            progress.changes(launch.supervisor.lives)
            if (failed := launch.supervisor.hopeless) is not None:
                _give_up(launch, folder, failed)
        progress.changes(launch.supervisor.lives)
    if stop_asked():
        return
    launch.tell(Phase.READY)
    typer.echo(f"XORJ runs: {launch.address}   (local demo, worthless funds; logs in {folder.logs})")
    _show_first_ingestion(launch, progress, stop_asked)
    while not stop_asked():
        time.sleep(POLL_S)
        progress.changes(launch.supervisor.lives)


def _show_first_ingestion(launch: Launch, progress: StartProgress, stop_asked: Callable[[], bool]) -> None:
    """Until the history that was there before is read; what else happens is shown meanwhile."""
    url = f"http://127.0.0.1:{settings.QUANT_ENGINE_PORT + launch.port_offset}/metrics"
    reading, told = IngestProgress(Console(stderr=True), "history"), asked_progress(url)
    with reading.shown():
        while not stop_asked() and not first_ingestion_ended(told):
            if told is not None:
                reading.tell(told)
            time.sleep(POLL_S)
            progress.changes(launch.supervisor.lives)
            told = asked_progress(url)
        if told is not None:
            reading.tell(told)
    if told is not None and told.read:
        reading.line(told)


def _give_up(launch: Launch, folder: DataFolder, failed: str) -> None:
    cause = launch.supervisor.lives[failed].cause
    launch.tell(Phase.STOPPING, f"{failed}: {cause}")
    raise Unavailable(failed, f"{cause} (its log: {log_files.log_file(folder.logs, failed)})")


@contextmanager
def _stop_asked() -> Iterator[Callable[[], bool]]:
    """While inside, the stop signals set a flag; a second Ctrl-C changes nothing, because ending takes at most 10 s."""
    asked: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        asked.append(number)

    before = {number: signal.signal(number, note) for number in STOP_SIGNALS}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def start_detached(folder: DataFolder, command: list[str]) -> None:
    """Starts the command, which must `stay` on the folder, in a session of its own, and returns when it serves.

    Ends with the command's own words and exit code when it does not; raises Unavailable when it takes too long.
    """
    folder.adopt()
    folder.lock().release()
    log = log_files.log_file(folder.logs, DETACHED_LOG)
    offset = log.stat().st_size if log.exists() else 0
    with log_files.open_log(log) as output:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
    progress = StartProgress(Console(stderr=True))
    deadline = time.monotonic() + DETACHED_START_TIMEOUT_S
    try:
        with progress.shown():
            while (running := folder.said()) is None or running.pid != child.pid or running.phase is not Phase.READY:
                if child.poll() is not None:
                    sys.stderr.write(log_files.since(log, offset))
                    raise typer.Exit(child.returncode or 1)
                if time.monotonic() > deadline:
                    raise Unavailable("the start", f"nothing served within {DETACHED_START_TIMEOUT_S:.0f} s; see ./xorj logs")
                if running is not None and running.pid == child.pid:
                    progress.changes(running.processes)
                time.sleep(POLL_S)
    except BaseException:
        child.terminate()
        child.wait()
        raise
    progress.changes(running.processes)
    typer.echo(f"XORJ runs: {running.address}   (local demo, worthless funds; ./xorj status, ./xorj logs -f, ./xorj down)")


def status(data_dir: Path | None = DataDir, as_json: bool = AsJson) -> None:
    """What runs, whether it is ready, and what it costs; exit code 1 when something does not. Example: ./xorj status --json"""
    folder = _folder(data_dir)
    running = folder.running()
    report = _report(folder, running)
    if as_json:
        typer.echo(json.dumps(report))
    else:
        _print_status(report)
    if not report["ok"]:
        raise typer.Exit(1)


def _report(folder: DataFolder, running: Running | None) -> dict[str, Any]:
    if running is None:
        last = folder.said()
        return {
            "ok": False,
            "running": False,
            "data_dir": str(folder.path),
            "cause": last.cause if last is not None else "",
            "processes": [],
        }
    processes = [_process_report(folder, name, life) for name, life in running.processes.items()]
    return {
        "ok": running.phase is Phase.READY and all(life.is_well for life in running.processes.values()),
        "running": True,
        "phase": running.phase.value,
        "pid": running.pid,
        "uptime_s": round(time.time() - running.born_s, 1),
        "address": running.address,
        "data_dir": str(folder.path),
        "port_offset": running.port_offset,
        "memory_mib": _memory_mib(running.pid),
        "processes": processes,
        **_business(running),
    }


def _process_report(folder: DataFolder, name: str, life: Life) -> dict[str, Any]:
    alive = life.pid is not None and life.started_s is not None
    return {
        "name": name,
        "state": life.state.value,
        "pid": life.pid,
        "uptime_s": round(time.time() - (life.started_s or 0), 1) if alive else None,
        "restarts": life.restarts,
        "cause": life.cause,
        "memory_mib": _memory_mib(life.pid) if life.pid is not None else None,
        "log": str(log_files.log_file(folder.logs, name)),
    }


def _memory_mib(pid: int) -> float | None:
    """Memory of a process and its children, shared pages counted once (PSS); None when it is gone."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        return round(sum(_memory_bytes(one) for one in family) / 1024**2, 1)
    except psutil.Error:
        return None


def _memory_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.AccessDenied, AttributeError):
        # the signer lets nobody look into its memory, so its shared pages count in full
        return int(process.memory_info().rss)


def _business(running: Running) -> dict[str, Any]:
    """What the gateway tells anybody: the bot, the ranking and the copies. None of it while the gateway does not answer."""
    gateway = f"http://127.0.0.1:{settings.GATEWAY_PORT + running.port_offset}"
    try:
        answer = httpx2.get(f"{gateway}/api/overview", timeout=ASK_TIMEOUT_S, trust_env=False)
        found = answer.json() if answer.status_code == httpx2.codes.OK else None
    except (httpx2.HTTPError, ValueError):
        found = None
    if not isinstance(found, dict):
        return {"bot": None, "ranking": None, "copies": None}
    leaders = [{key: one.get(key) for key in ("rank", "wallet", "score", "followed")} for one in found.get("leaders", [])]
    return {"bot": found.get("bot"), "ranking": leaders[:LEADERS_SHOWN_MAX], "copies": found.get("totals")}


def _print_status(report: dict[str, Any]) -> None:
    console = Console()
    if not report["running"]:
        console.print(f"nothing runs in {report['data_dir']}" + (f" (the last start failed: {report['cause']})" if report["cause"] else ""))
        return
    console.print(
        f"XORJ {report['phase']}: {report['address']}   {report['memory_mib'] or 0:.0f} MiB, up {report['uptime_s']:.0f} s", highlight=False
    )
    table = Table(box=None, pad_edge=False)
    for title in ("process", "state", "pid", "up s", "restarts", "MiB", ""):
        table.add_column(title, justify="right" if title in {"pid", "up s", "restarts", "MiB"} else "left", no_wrap=title != "")
    for one in report["processes"]:
        colour = COLOURS.get(ProcessState(one["state"]), "dim")
        numbers = ("" if one[key] is None else f"{one[key]:.0f}" for key in ("pid", "uptime_s", "restarts", "memory_mib"))
        table.add_row(one["name"], f"[{colour}]{one['state']}[/]", *numbers, escape(one["cause"]))
    console.print(table)
    if report["copies"] is not None:
        copies = ", ".join(f"{name} {number}" for name, number in report["copies"].items())
        console.print(f"bot {report['bot']['state']}; {copies}", highlight=False)


def logs(
    name: str | None = typer.Argument(None, help="One process; without it all of them.", show_default=False),
    follow: bool = typer.Option(False, "--follow", "-f", help="Go on showing what comes, until Ctrl-C."),
    lines: int = typer.Option(LINES_DEFAULT, "--lines", "-n", min=0, max=LINES_MAX, help="How many of the last lines, a process."),
    data_dir: Path | None = DataDir,
) -> None:
    """Show what the processes said. Example: ./xorj logs -f trade-bot"""
    folder = _folder(data_dir)
    files = {file.stem: file for file in sorted(folder.logs.glob("*.log"))}
    if name is not None and name not in files:
        raise InvalidInput("NAME", given=name, rule=f"one of {', '.join(files) or 'none: nothing has run here yet'}")
    shown = files if name is None else {name: files[name]}
    offsets = {one: file.stat().st_size for one, file in shown.items()}
    for one, file in shown.items():
        _print_lines(one, log_files.tail(file, lines), named=len(shown) > 1)
    while follow:
        time.sleep(FOLLOW_EVERY_S)
        for one, file in shown.items():
            offsets[one] = _print_new(one, file, offsets[one], named=len(shown) > 1)


def _print_new(name: str, file: Path, offset: int, *, named: bool) -> int:
    """Prints the whole lines after `offset` and returns where the next begin; a file that was cut begins anew."""
    size = file.stat().st_size
    with file.open("rb") as opened:
        opened.seek(offset if size >= offset else 0)
        start, new = opened.tell(), opened.read()
    whole = new[: new.rfind(b"\n") + 1]
    _print_lines(name, whole.decode(errors="replace").splitlines(), named=named)
    return start + len(whole)


def _print_lines(name: str, lines: list[str], *, named: bool) -> None:
    for line in lines:
        typer.echo(f"{name:>13} | {line}" if named else line)


def down(data_dir: Path | None = DataDir, as_json: bool = AsJson) -> None:
    """Stop what runs in the data folder, in order. Example: ./xorj down"""
    folder = _folder(data_dir)
    running = folder.running()
    if running is None:
        typer.echo(json.dumps({"ok": True, "stopped": False}) if as_json else f"nothing runs in {folder.path}")
        return
    began = time.monotonic()
    supervisor = psutil.Process(running.pid)
    pids = [life.pid for life in running.processes.values() if life.pid is not None]
    family = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    # psutil refuses to signal a number that belongs to a later process
    supervisor.terminate()
    killed = _gone(running, DOWN_TIMEOUT_S) is False
    if killed:
        supervisor.kill()
        psutil.wait_procs(family, timeout=KILLED_TIMEOUT_S)
    seconds = round(time.monotonic() - began, 1)
    if as_json:
        typer.echo(json.dumps({"ok": not killed, "stopped": True, "killed": killed, "seconds": seconds}))
    else:
        typer.echo(f"stopped in {seconds} s" + (" by force: it did not listen" if killed else ""))
    if killed:
        raise typer.Exit(1)


def _gone(running: Running, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while running.is_alive:
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def reset(
    yes: bool = typer.Option(False, "--yes", help="Do not ask."),
    data_dir: Path | None = DataDir,
) -> None:
    """Delete everything in the data folder: chain, database, history, keys, logs. Example: ./xorj reset --yes"""
    folder = _folder(data_dir)
    if not yes:
        if not sys.stdin.isatty():
            raise InvalidInput("--yes", given="nothing", rule=f"--yes, to delete everything in {folder.path}")
        typer.confirm(f"Delete everything in {folder.path}?", abort=True)
    existed = folder.path.exists()
    folder.empty()
    typer.echo(f"emptied {folder.path}" if existed else f"{folder.path} does not exist")


def _folder(data_dir: Path | None) -> DataFolder:
    return DataFolder(settings.load(settings.CommonSettings, data_dir=data_dir).data_dir)
