"""A past that is executed once and found again: the chain's folder, named after everything that the past follows from.

Used by history and replay.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from pathlib import Path

import orjson

from xorj.localnet.bank import Bank
from xorj.localnet.genesis import bundled_programs
from xorj.primitives.errors import RefusedForSafety

_MARKER = "past.json"


@dataclass(frozen=True, slots=True)
class Past:
    """A history that stands on a chain: `end_height` is the block height at which live trading may begin."""

    end_height: int


def past_name(kind: str, made_from: str) -> str:
    """A name for a past: what it was made from, the demo's own code and the programs, 16 hex digits."""
    digest = sha256(made_from.encode())
    for source in sorted(resources.files("xorj.demo").iterdir(), key=lambda one: one.name):
        if source.name.endswith(".py") and source.name not in _NOT_THE_PAST:
            digest.update(source.read_bytes())
    for address, elf in sorted(bundled_programs().items(), key=lambda item: bytes(item[0])):
        digest.update(bytes(address) + elf)
    return f"{kind}-{digest.hexdigest()[:16]}"


_NOT_THE_PAST = frozenset({"books.py", "chain_sweep.py", "follower.py", "kill_bot.py", "live.py", "report.py", "run.py", "verdict.py"})


def past_folder(localnet: Path, name: str) -> Path:
    """The chain's folder of this past. One that was broken off half-way is removed, to be executed anew.

    Raises RefusedForSafety where another past has been lived on from: the database beside it speaks of that chain's vaults and trades.
    """
    folder = localnet / name
    others = [marker.parent.name for marker in localnet.glob(f"*/{_MARKER}") if marker.parent != folder]
    if others:
        raise RefusedForSafety(
            f"{localnet} holds a chain with another past ({others[0]}), of another seed, recording or version; "
            "delete it with ./xorj reset --yes, or use another --data-dir"
        )
    if folder.exists() and not (folder / _MARKER).exists():
        shutil.rmtree(folder)
    return folder


def ensure_past(bank: Bank, folder: Path, execute: Callable[[Bank], Past]) -> Past:
    """Executes the past on a chain that has none yet; finds its end on one that has."""
    marker = folder / _MARKER
    if marker.exists():
        return Past(end_height=orjson.loads(marker.read_bytes())["end_height"])
    past = execute(bank)
    bank.commit()
    marker.write_bytes(orjson.dumps({"end_height": past.end_height}))
    return past
