"""The vault program's error codes by name. Used by settlement, the signer's refusals and tests."""

from enum import IntEnum

from xorj.vault.interface import ERROR_BASE, ERRORS, FRAMEWORK_ERRORS

VaultError = IntEnum("VaultError", [(name, ERROR_BASE + n) for n, (name, _) in enumerate(ERRORS)])  # type: ignore[misc]  # built from the one table
"""Every custom error of the program; the value is the code on the wire."""

_MESSAGES = {ERROR_BASE + n: message for n, (_, message) in enumerate(ERRORS)}


def name_of(code: int) -> str:
    """`SlippageExceeded` for 6018, Anchor's name for its codes, `Custom(n)` for a code of some other program."""
    if code in _MESSAGES:
        return VaultError(code).name
    return FRAMEWORK_ERRORS.get(code, f"Custom({code})")


def message_of(code: int) -> str:
    """One plain sentence for a person; the name where there is none."""
    return _MESSAGES.get(code, name_of(code))
