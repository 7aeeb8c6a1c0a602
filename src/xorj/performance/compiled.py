"""The loops as machine code. Used by kernel and stream; loading them costs half a second, compiling them seconds, once a machine."""

from functools import cache
from hashlib import sha256
from pathlib import Path
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

from xorj.performance import columns, loops, stream_loops

_DIGEST_CHARACTERS = 12


@cache
def compiled() -> SimpleNamespace:
    """Every function of the loops, compiled, kept on the disk between runs where a folder can be written."""
    world: dict[str, Any] = {**vars(loops), **vars(stream_loops)}
    functions = [one for module in (loops, stream_loops) for one in _own(module)]
    stamp = _stamp(columns, loops, stream_loops)
    for one in functions:
        own = FunctionType(one.__code__, world, one.__name__)
        # a kept compilation is found by this name: one of other sources never is
        own.__qualname__ = f"{one.__name__}_{stamp}"
        world[one.__name__] = _compile(own)
    return SimpleNamespace(**{one.__name__: world[one.__name__] for one in functions})


def _compile(function: FunctionType) -> Any:
    from numba import njit

    try:
        return njit(cache=True)(function)
    except RuntimeError:  # neither beside this file nor in the user's cache folder is anything kept
        return njit()(function)


def _own(module: ModuleType) -> list[FunctionType]:
    return [value for value in vars(module).values() if isinstance(value, FunctionType) and value.__module__ == module.__name__]


def _stamp(*modules: ModuleType) -> str:
    """The sources that the machine code comes from, constants included."""
    digest = sha256()
    for module in modules:
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()[:_DIGEST_CHARACTERS]
