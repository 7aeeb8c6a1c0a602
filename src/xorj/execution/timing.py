"""Which refusals of the chain concern time alone: the same trade may be tried anew at once. Used by settlement; pure.

A transaction that failed had no effect but its fee. Most failures say something about the trade, and trying again would be a new decision;
they end the intent. Two say only that the transaction came in the wrong slot, and the slot in which it landed proves that they are true:
the vault checks both before it hands anything to a router.
"""

import json

from solders.message import from_bytes_versioned

from xorj.execution.attempt import Attempt
from xorj.primitives.ids import Slot
from xorj.vault.accounts import PROGRAM_ID
from xorj.vault.errors import VaultError


def is_refused_for_its_slot(attempt: Attempt, landed: Slot, error: str) -> bool:
    """`error` is the chain's as compact JSON. True for DeadlinePassed after the deadline and EpochTooYoung in the slot of the grant,
    said of the vault's instruction; False for everything else, also where the error has a shape that is not known."""
    refused = _custom_error(error)
    if refused is None:
        return False
    index, code = refused
    in_wrong_slot = (code == VaultError["DeadlinePassed"] and landed > attempt.deadline_slot) or (
        code == VaultError["EpochTooYoung"] and landed <= attempt.bot_epoch
    )
    return in_wrong_slot and index == _index_of_vault(attempt.message)


def _custom_error(error: str) -> tuple[int, int] | None:
    """Index of the instruction and the program's own code; None when it is another kind of error."""
    try:
        index, kind = json.loads(error)["InstructionError"]
        return int(index), int(kind["Custom"])
    except (ValueError, TypeError, KeyError):
        return None


def _index_of_vault(message: bytes) -> int:
    """Where the vault is called in a message of ours; it holds one such call."""
    read = from_bytes_versioned(message)
    programs = [read.account_keys[each.program_id_index] for each in read.instructions]
    return programs.index(PROGRAM_ID)
