"""Which question is put to whom, and how answers become witnesses. Pure; ask_providers does the asking."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xorj.chain.transactions import EpochInfo, SignatureStatus
from xorj.execution.attempt import Outstanding
from xorj.execution.settlement import Witness
from xorj.primitives.ids import Signature, Slot


@dataclass(frozen=True, slots=True)
class ProviderView:
    """One provider's first answer in a round: where it stands, and what it knows of every signature that is open."""

    provider: str
    finalized: EpochInfo
    status_slot: Slot
    statuses: Mapping[Signature, SignatureStatus]

    def on(self, attempt: Outstanding) -> Witness:
        """Its word on one transaction; one that was never signed is known to nobody."""
        status = self.statuses.get(attempt.signature) if attempt.signature is not None else None
        return Witness(self.provider, self.status_slot, status)


def seen_anywhere(said: Sequence[Witness]) -> bool:
    """Whether any provider knows the signature at all."""
    return any(one.status is not None for one in said)
