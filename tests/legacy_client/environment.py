"""anchorpy's own environment, made once: it wants an older solders than ours. `python -m tests.legacy_client.environment` makes it ahead.

It stands in the user's cache folder under the hash of `requirements.txt`, whose every package is pinned by hash.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
INSTALL_S_MAX = 300
UNREACHABLE = ("NewConnectionError", "ConnectTimeoutError", "NameResolutionError", "ReadTimeoutError", "ProxyError", "ConnectionResetError")


class PackagesUnavailable(Exception):
    """No registry answers, or this machine makes no environments. Anything else, such as a hash that differs, is a failure."""


def python() -> Path:
    """The interpreter of the environment, made now when it is not there. Raises PackagesUnavailable."""
    key = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:16]
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = caches / "xorj-tests" / f"anchorpy-{key}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    interpreter, complete = folder / "bin" / "python", folder / "complete"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            made = subprocess.run(
                [sys.executable, "-m", "venv", "--clear", str(folder)], capture_output=True, text=True, timeout=INSTALL_S_MAX
            )
            if made.returncode:
                raise PackagesUnavailable(f"no environment can be made: {(made.stdout + made.stderr).strip()}")
            _install(interpreter)
            complete.touch()
    return interpreter


def _install(interpreter: Path) -> None:
    command = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--retries", "1", "--timeout", "15", "--require-hashes", "--requirement", str(REQUIREMENTS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S_MAX)
    if done.returncode == 0:
        return
    if any(word in done.stderr for word in UNREACHABLE):
        raise PackagesUnavailable(done.stderr.strip().splitlines()[-1])
    raise AssertionError(done.stderr)


if __name__ == "__main__":
    sys.stdout.write(f"{python()}\n")
