"""A chain's error in words: the vault program's own sentence where it is one of its codes. Used by the vault's routes."""

import re

from xorj.vault.errors import message_of, name_of

_CUSTOM = re.compile(r'"Custom"\s*:\s*(\d+)')


def explained(error: str) -> str:
    """`error` is the chain's error as compact JSON."""
    found = _CUSTOM.search(error)
    if found is None:
        return f"The chain refuses it: {error}"
    code = int(found[1])
    return f"{name_of(code)}: {message_of(code)}"
