"""`xorj doctor`: what this machine has and lacks for `xorj up`, and how to get it. Looks only; changes nothing."""

import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

import psutil
import typer
from rich.console import Console

from xorj import settings
from xorj.cli.operate import AsJson, DataDir, PortOffset, ports_of
from xorj.primitives.errors import XorjError
from xorj.supervisor import ports, postgres_programs
from xorj.supervisor.data_folder import DataFolder
from xorj.supervisor.fleet import fleet
from xorj.supervisor.launch import DISK_FREE_BYTES_MIN
from xorj.supervisor.postgres_account import account_for, require_entry
from xorj.supervisor.postgres_folder import ClusterFolder
from xorj.supervisor.runtime_folder import SOCKET_NAME_BYTES_MAX, SOCKET_PATH_BYTES_MAX

PYTHON_MIN = (3, 11)
MEMORY_BYTES_MIN = 1024**3
PACKAGES = ("xorj", "solders", "psycopg", "deltalake", "numba", "fastapi")
SIGNS = {"ok": "[green]ok  [/]", "warning": "[yellow]warn[/]", "failed": "[bold red]FAIL[/]"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `fix` says what to do when it is not ok."""

    name: str
    state: Literal["ok", "warning", "failed"]
    detail: str
    fix: str = ""


def doctor(data_dir: Path | None = DataDir, port_offset: int | None = PortOffset, as_json: bool = AsJson) -> None:
    """Say what this machine lacks for `xorj up`, and how to get it. Exit code 1 when something is missing. Example: ./xorj doctor --json"""
    configured = settings.load(settings.UpSettings, data_dir=data_dir, port_offset=port_offset)
    findings = list(_findings(configured))
    ok = not any(one.state == "failed" for one in findings)
    if as_json:
        typer.echo(json.dumps({"ok": ok, "findings": [asdict(one) for one in findings]}))
    else:
        console = Console(soft_wrap=True, highlight=False)
        for one in findings:
            console.print(f"{SIGNS[one.state]} {one.name:<15} {one.detail}" + (f"\n     {'':<15} {one.fix}" if one.fix else ""))
    if not ok:
        raise typer.Exit(1)


def _findings(configured: settings.UpSettings) -> Iterator[Finding]:
    folder = DataFolder(configured.data_dir)
    yield _python()
    yield Finding("versions", "ok", ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES))
    yield Finding("machine", "ok", f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, {_user()}")
    yield _memory()
    yield _disk(folder.path)
    yield _data_folder(folder)
    yield _sockets(folder)
    yield from _database(configured, folder)
    yield _parent_death()
    yield _ports(configured, folder)


def _python() -> Finding:
    found = f"{platform.python_version()} ({sys.executable})"
    if sys.version_info[:2] < PYTHON_MIN:
        return Finding("python", "failed", found, f"install Python {'.'.join(map(str, PYTHON_MIN))} or newer")
    return Finding("python", "ok", found)


def _user() -> str:
    return "as root" if os.geteuid() == 0 else f"as user {os.geteuid()}"


def _memory() -> Finding:
    memory = psutil.virtual_memory()
    detail = f"{memory.available // 1024**2} of {memory.total // 1024**2} MiB available"
    if memory.available < MEMORY_BYTES_MIN:
        return Finding("memory", "warning", detail, f"everything together needs about {MEMORY_BYTES_MIN // 1024**2} MiB")
    return Finding("memory", "ok", detail)


def _disk(path: Path) -> Finding:
    there = _existing(path)
    free = shutil.disk_usage(there).free
    detail = f"{free // 1024**2} MiB free for {path}"
    if free < DISK_FREE_BYTES_MIN:
        return Finding("disk", "failed", detail, f"make {DISK_FREE_BYTES_MIN // 1024**2} MiB free, or give another --data-dir")
    return Finding("disk", "ok", detail)


def _data_folder(folder: DataFolder) -> Finding:
    running = folder.running()
    if running is not None:
        return Finding("data folder", "ok", f"{folder.path}, in use by process {running.pid}: {running.address}")
    if not os.access(_existing(folder.path), os.W_OK | os.X_OK):
        return Finding(
            "data folder", "failed", f"{_existing(folder.path)} cannot be written", "give another --data-dir, or run as its owner"
        )
    try:
        folder.require_adoptable()
    except XorjError as error:
        return Finding("data folder", "failed", str(error), "give an empty or new folder: --data-dir")
    return Finding("data folder", "ok", f"{folder.path}{'' if folder.path.exists() else ' (will be made)'}")


def _sockets(folder: DataFolder) -> Finding:
    room = SOCKET_PATH_BYTES_MAX - SOCKET_NAME_BYTES_MAX - 1
    length = len(os.fsencode(folder.run))
    where = "in the data folder" if folder.sockets == folder.run else f"in {folder.sockets}, because that path is too long or unusual"
    return Finding("unix sockets", "ok", f"{where} ({length} of {room} bytes)")


def _database(configured: settings.UpSettings, folder: DataFolder) -> Iterator[Finding]:
    if configured.database_url is not None:
        yield Finding("postgresql", "ok", "the one that DATABASE_URL names")
        return
    installed = postgres_programs.installed()
    try:
        chosen = postgres_programs.choose(installed, ClusterFolder(folder.postgres).major())
    except XorjError as error:
        yield Finding("postgresql", "failed", str(error), "install PostgreSQL 15 or newer, or set DATABASE_URL")
        return
    others = [str(one) for one in installed if one != chosen]
    yield Finding("postgresql", "ok", f"{chosen}{'; also ' + ', '.join(others) if others else ''}")
    try:
        account = account_for(folder.postgres / "data")
        require_entry(_existing(folder.postgres), account)
    except XorjError as error:
        yield Finding("its account", "failed", str(error), "run as an ordinary user, or set DATABASE_URL")
        return
    yield Finding("its account", "ok", account.name)


def _parent_death() -> Finding:
    if shutil.which("setpriv") is None:
        return Finding("setpriv", "warning", "not found", "install util-linux: without it a killed supervisor leaves PostgreSQL running")
    return Finding("setpriv", "ok", "found: what a killed supervisor leaves ends by itself")


def _ports(configured: settings.UpSettings, folder: DataFolder) -> Finding:
    wanted_ports = ports_of(configured.port_offset)
    processes = fleet(wanted_ports, folder.sockets, embedded_database=True, has_key=True)
    wanted = {port: process.name for process in processes for port in process.ports}
    running = folder.running()
    if running is not None and running.port_offset == configured.port_offset:
        return Finding("ports", "ok", f"{', '.join(map(str, sorted(wanted)))} are ours")
    taken = ports.taken(wanted, configured.bind_host)
    if taken:
        return Finding("ports", "failed", "; ".join(map(str, taken)), "end it, or move all ports: --port-offset 1000")
    return Finding("ports", "ok", f"{', '.join(map(str, sorted(wanted)))} are free")


def _existing(path: Path) -> Path:
    """The path itself, or the nearest folder above it that is there."""
    return next(one for one in (path, *path.parents) if one.exists())
