"""What every method gets: the live chain, and the reply forms with a context slot."""

from dataclasses import dataclass

from xorj.chain.transactions import Commitment
from xorj.localnet.bank import Bank
from xorj.localnet.live import LiveChain
from xorj.localnet.records import Json
from xorj.localnet.rpc.arguments import Config
from xorj.localnet.rpc.errors import MIN_CONTEXT_SLOT_NOT_REACHED, RpcError

# the version whose recorded replies this server matches
API_VERSION = "4.0.0"
FEATURE_SET = 3718597879


@dataclass(frozen=True, slots=True)
class Node:
    """The chain as the RPC sees it."""

    chain: LiveChain

    @property
    def bank(self) -> Bank:
        return self.chain.bank

    def reached(self, config: Config, default: Commitment = Commitment.FINALIZED) -> Commitment:
        """The commitment asked for, once its newest slot is at least the `minContextSlot` asked for."""
        commitment = config.commitment(default)
        self.require_slot(config, commitment)
        return commitment

    def require_slot(self, config: Config, commitment: Commitment) -> None:
        wanted, slot = config.natural("minContextSlot"), self.bank.blocks.slot_at(commitment)
        if wanted is not None and slot < wanted:
            raise RpcError(MIN_CONTEXT_SLOT_NOT_REACHED, "Minimum context slot has not been reached", {"contextSlot": slot})

    def with_context(self, value: Json, commitment: Commitment) -> Json:
        return {"context": {"apiVersion": API_VERSION, "slot": self.bank.blocks.slot_at(commitment)}, "value": value}
