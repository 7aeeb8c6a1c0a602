"""Reads the vault program's events out of a transaction. Used by settlement and by whoever follows vaults.

Log lines of other programs can carry the very same bytes, so a line counts only while the vault program is the one running. Logs can
also be cut short; TradeExecuted is therefore sent by self-CPI too, and `traded` reads that copy, which cannot be forged or lost.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from solders.pubkey import Pubkey

from xorj.vault import borsh
from xorj.vault.accounts import PROGRAM_ID
from xorj.vault.interface import EVENTS, PROGRAM

EVENT_TAG = bytes.fromhex("e445a52e51cb9a1d")
_BY_DISCRIMINATOR = {structure.discriminator: structure for structure in EVENTS}
_INVOKED = re.compile(r"^Program (\w+) invoke \[(\d+)\]$")
_ENDED = re.compile(r"^Program (\w+) (?:success|failed.*)$")
_DATA = "Program data: "


@dataclass(frozen=True, slots=True)
class TradeExecuted:
    """`amount_in` is what left the vault, `amount_out` what arrived, both measured from account data."""

    vault: Pubkey
    bot_authority: Pubkey
    input_mint: Pubkey
    output_mint: Pubkey
    amount_in: int
    amount_out: int
    minimum_amount_out: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class Deposited:
    vault: Pubkey
    owner: Pubkey
    mint: Pubkey
    amount: int
    total_deposited: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class Withdrawn:
    vault: Pubkey
    owner: Pubkey
    mint: Pubkey
    amount: int
    total_deposited: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class AuthorityChanged:
    """A grant (`current` set) or its end (`current` None)."""

    vault: Pubkey
    previous: Pubkey | None
    current: Pubkey | None
    bot_epoch: int
    expires_at: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class PolicyChanged:
    vault: Pubkey
    timestamp: int


@dataclass(frozen=True, slots=True)
class VaultPaused:
    """Paused, or resumed when `paused` is False."""

    vault: Pubkey
    authority: Pubkey
    paused: bool
    timestamp: int


@dataclass(frozen=True, slots=True)
class VaultDeactivated:
    vault: Pubkey
    owner: Pubkey
    timestamp: int


VaultEvent = TradeExecuted | Deposited | Withdrawn | AuthorityChanged | PolicyChanged | VaultPaused | VaultDeactivated
_CLASSES: dict[str, Any] = {
    kind.__name__: kind for kind in (TradeExecuted, Deposited, Withdrawn, AuthorityChanged, PolicyChanged, VaultPaused, VaultDeactivated)
}


def decode_event(data: bytes) -> VaultEvent:
    """Raises borsh.Malformed when these are not exactly the bytes of one event."""
    structure = _BY_DISCRIMINATOR.get(data[:8])
    if structure is None:
        raise borsh.Malformed("no event of the vault program begins with these bytes")
    values, left = borsh.decode(structure.fields, data[8:])
    if left:
        raise borsh.Malformed(f"{len(left)} bytes after {structure.name}")
    event: VaultEvent = _CLASSES[structure.name](**values)
    return event


def parse_logs(logs: Iterable[str]) -> list[VaultEvent]:
    """The events of a successful transaction, in order. What other programs logged is not looked at, however much it resembles one."""
    events: list[VaultEvent] = []
    running: list[str] = []
    for line in logs:
        if invoked := _INVOKED.match(line):
            # The depth in the line is the runtime's own; a program cannot write a line that begins with "Program ... invoke".
            running[int(invoked[2]) - 1 :] = [invoked[1]]
        elif _ENDED.match(line):
            del running[-1:]
        elif line.startswith(_DATA) and running[-1:] == [PROGRAM]:
            events.extend(_event_of(line.removeprefix(_DATA)))
    return events


def traded(inner_instructions: Sequence[tuple[Pubkey, bytes]]) -> list[TradeExecuted]:
    """The trades that the program reported by self-CPI, from (program, data) of a transaction's inner instructions."""
    found = [decode_event(data[8:]) for program, data in inner_instructions if program == PROGRAM_ID and data[:8] == EVENT_TAG]
    return [event for event in found if isinstance(event, TradeExecuted)]


def _event_of(text: str) -> list[VaultEvent]:
    """None or one: a data line that is no event of ours is somebody else's business, not an error."""
    try:
        return [decode_event(b64decode(text.split(" ")[0], validate=True))]
    except (borsh.Malformed, binascii.Error):
        return []
