"""What a stop has done so far, vault by vault: paused on chain, and which trades in doubt were cancelled, each with its transaction.

Shown by the API, the page and `./xorj emergency-stop`; read by adapters/postgres.
"""

from dataclasses import dataclass
from typing import Literal

from xorj.primitives.ids import Address, Signature, Slot, Wallet

# A report names this many vaults; how many there are stands beside them.
VAULTS_MAX = 100

BrakeStatus = Literal["prepared", "sent", "done", "failed", "expired"]
STATUS: dict[str, BrakeStatus] = {"built": "prepared", "signed": "sent", "final_ok": "done", "final_err": "failed", "dead": "expired"}


@dataclass(frozen=True, slots=True)
class BrakeReport:
    """One transaction of the bot. `done` is finalized; `detail` says why one failed or expired: a burn whose nonce was used came after
    its trade, which is settled then."""

    kind: Literal["pause", "burn"]
    status: BrakeStatus
    signature: Signature | None
    slot: Slot | None
    intent_id: str | None
    nonce: int | None
    reason: str
    detail: str | None


@dataclass(frozen=True, slots=True)
class VaultStop:
    """`in_doubt` counts trades whose end is not proven yet. `complete`: paused, and nothing of it can have an effect any more."""

    vault: Address
    owner: Wallet
    paused: bool
    in_doubt: int
    brakes: list[BrakeReport]

    @property
    def complete(self) -> bool:
        is_paused = self.paused or any(one.kind == "pause" and one.status == "done" for one in self.brakes)
        return is_paused and self.in_doubt == 0


@dataclass(frozen=True, slots=True)
class StopReport:
    """`vaults` are those in which a bot may trade or that the stop has touched; `vaults_count` counts them all."""

    stopped: bool
    reason: str | None
    vaults: list[VaultStop]
    vaults_count: int

    @property
    def complete(self) -> bool:
        return self.vaults_count == len(self.vaults) and all(vault.complete for vault in self.vaults)
