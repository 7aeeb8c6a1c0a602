"""A supervisor of an embedded PostgreSQL as its own process, to be killed, under any account of the machine.

`python -m tests.fakes.postgres_supervisor FOLDER PROGRAMS` says one JSON line, {"url", "pid"} or {"refused", "kind"}, and ends in order
when its standard input closes.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
# an account that every Unix has, and a number that no account has
ORDINARY_IDS = {"ordinary user": 1, "user without a name": 65533}


class SupervisorProcess:
    """Started on entering; `url` and `pid` are the server's. `account` is who runs it."""

    def __init__(self, folder: Path, programs: Path, account: "RunAs") -> None:
        self._folder, self._programs, self._account = folder, programs, account
        self.said: dict[str, Any] = {}

    def __enter__(self) -> Self:
        command = [
            *self._account.prefix,
            self._account.python,
            "-m",
            "tests.fakes.postgres_supervisor",
            str(self._folder),
            str(self._programs),
        ]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src"), *site_packages()]), "HOME": "/nonexistent"}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment | self._account.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.said = json.loads(self.process.stdout.readline() or "{}")
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        # a test that failed may have left it suspended
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.close()
        self.process.wait(timeout=120)
        self.process.stdout.close()

    @property
    def url(self) -> str:
        assert "url" in self.said, self.said
        return str(self.said["url"])

    @property
    def server(self) -> psutil.Process:
        return psutil.Process(self.said["pid"])


class RunAs:
    """An account to run as: words before the command, a Python that it can run, its environment."""

    def __init__(self, name: str) -> None:
        """`root` (in a user namespace), `root without namespaces`, or one of ORDINARY_IDS. Skips the test where that is not possible."""
        self.name, self.python = name, sys.executable
        self.prefix: tuple[str, ...] = ()
        self.environment: dict[str, str] = {}
        if name in ORDINARY_IDS and os.geteuid() == 0:
            self._become(ORDINARY_IDS[name])
        elif name != "ordinary user" and os.geteuid() != 0:
            pytest.skip(f"needs root to try it as {name}")

    def hide_namespaces(self, folder: Path) -> None:
        """A PATH on which there is no `unshare`, as on a machine that denies user namespaces."""
        folder.mkdir()
        for name in ("setpriv", "test", "true"):
            found = shutil.which(name)
            assert found is not None
            (folder / name).symlink_to(found)
        self.environment = {"PATH": str(folder)}

    def own(self, folder: Path) -> None:
        """Makes the folder, as this account's."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.prefix:
            os.chown(folder, ORDINARY_IDS[self.name], -1)

    def _become(self, number: int) -> None:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("needs setpriv to become an ordinary user")
        self.prefix = (setpriv, f"--reuid={number}", f"--regid={number}", "--clear-groups", "--")
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        pythons = [sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"]
        runnable = [
            one for one in pythons if self._runs(one, "-c", "import sys") and self._runs("test", "-r", str(ROOT / "src/xorj/__init__.py"))
        ]
        if not runnable:
            pytest.skip(f"no {version} and no checkout that an ordinary user may read: {', '.join(pythons)}")
        self.python = runnable[0]

    def _runs(self, *command: str) -> bool:
        try:
            return subprocess.run([*self.prefix, *command], capture_output=True, check=False).returncode == 0
        except OSError:
            return False


def site_packages() -> list[str]:
    """Where this interpreter has its packages, for another interpreter of the same version."""
    return [path for path in sys.path if path.endswith("site-packages")]


def _say(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def main(folder: str, programs: str) -> None:
    from xorj.primitives.errors import XorjError
    from xorj.supervisor.postgres import EmbeddedPostgres

    try:
        server = EmbeddedPostgres(Path(folder), binaries=Path(programs))
        server.start()
    except XorjError as error:
        _say(refused=str(error), kind=type(error).__name__)
        return
    _say(url=server.url, pid=server.pid)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main(*sys.argv[1:3])
