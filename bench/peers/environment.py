"""The peers' own Python environment, `.venv-peers/` in the checkout: pandas, quantstats, empyrical, Polars, Ray. Only benches need it.

Made on first use from requirements-peers.txt, whose hashes pin every file, and made again when that file changes.
"""

import subprocess
import sys
import venv
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER, LOCK = ROOT / ".venv-peers", ROOT / "requirements-peers.txt"


def python() -> Path:
    """The interpreter of the peers' environment, made first where it is missing. Raises CalledProcessError when pip fails."""
    interpreter, mark = FOLDER / "bin" / "python", FOLDER / "made-from"
    wanted = sha256(LOCK.read_bytes()).hexdigest()
    if not mark.exists() or mark.read_text() != wanted:
        print(f"making {FOLDER.name} from {LOCK.name}; this downloads some 400 MB once", file=sys.stderr)
        venv.create(FOLDER, with_pip=True, clear=True)
        install = [str(interpreter), "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", str(LOCK)]
        subprocess.run(install, check=True, stdout=sys.stderr)
        mark.write_text(wanted)
    return interpreter


def is_made() -> bool:
    """Whether the environment is there and of today's lock."""
    mark = FOLDER / "made-from"
    return mark.exists() and mark.read_text() == sha256(LOCK.read_bytes()).hexdigest()
