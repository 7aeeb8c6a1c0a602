"""The loops as machine code. Used by kernel and stream; loading them costs half a second, compiling them seconds, once a machine."""

from functools import cache
from hashlib import sha256
from pathlib import Path
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

from xorj.performance import columns, loops, stream_loops

ENTRIES = ("compute_wallets", "apply_legs", "apply_swap", "measure_wallet")
_DIGEST_CHARACTERS = 12


@cache
def compiled() -> SimpleNamespace:
    """Every function of the loops, compiled; the entries are kept on the disk between runs where a folder can be written.

    What those call is compiled into each of them: kept apart, it would be called instead, at three times the cost.
    """
    world: dict[str, Any] = {**vars(loops), **vars(stream_loops)}
    functions = [one for module in (loops, stream_loops) for one in _own(module)]
    stamp = _stamp(Path(__file__), *(Path(str(module.__file__)) for module in (columns, loops, stream_loops)))
    for one in functions:
        own = FunctionType(one.__code__, world, one.__name__)
        # a kept compilation is found by this name: one of other sources never is
        own.__qualname__ = f"{one.__name__}_{stamp}"
        world[one.__name__] = _compile(own, keep=one.__name__ in ENTRIES)
    return SimpleNamespace(**{one.__name__: world[one.__name__] for one in functions})


def _compile(function: FunctionType, *, keep: bool) -> Any:
    """Machine code without reference counts, which no loop needs: every array is its caller's. What is not kept becomes part of what is."""
    import numba

    options: dict[str, Any] = {"error_model": "numpy", "_nrt": False, "forceinline": not keep}
    try:
        return numba.njit(cache=keep, **options)(function)
    except RuntimeError:  # neither beside this file nor in the user's cache folder is anything kept
        return numba.njit(**options)(function)


def _own(module: ModuleType) -> list[FunctionType]:
    return [value for value in vars(module).values() if isinstance(value, FunctionType) and value.__module__ == module.__name__]


def _stamp(*sources: Path) -> str:
    """The sources that the machine code comes from, constants and options included."""
    digest = sha256()
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:_DIGEST_CHARACTERS]
