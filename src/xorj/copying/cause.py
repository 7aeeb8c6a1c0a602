"""What an intent exists for. One intent is unique by (vault, cause kind, cause id, leg); ids are derived, so a repeat gives the same id."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from xorj.primitives.ids import Address, Signature, Wallet

ID_HEX_DIGITS = 32


class CauseKind(StrEnum):
    """A leader's trade seen in time; an exit of his that was seen late or came to nothing; the owner's wish to be out of everything."""

    LEADER_TRADE = "leader_trade"
    STOP = "stop"
    MISSED_EXIT = "missed_exit"
    EXIT_ALL = "exit_all"


@dataclass(frozen=True, slots=True)
class Cause:
    kind: CauseKind
    id: str


def leader_trade_id(leader: Wallet, signature: Signature, swap_index: int) -> str:
    return derived_id("leader_trade", leader, signature, str(swap_index))


def decision_id(trade_id: str, vault: Address) -> str:
    return derived_id("decision", trade_id, vault)


def intent_id(vault: Address, cause: Cause, leg: int) -> str:
    return derived_id("intent", vault, cause.kind, cause.id, str(leg))


def derived_id(*parts: str) -> str:
    """The same parts give the same id on every machine."""
    return sha256("\n".join(parts).encode()).hexdigest()[:ID_HEX_DIGITS]
