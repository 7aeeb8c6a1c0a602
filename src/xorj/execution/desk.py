"""Everything that trading one bot's vaults needs, in one value that is handed from step to step."""

from dataclasses import dataclass

from solders.pubkey import Pubkey

from xorj.chain.ports import BlockhashSource, TransactionSimulator
from xorj.copying.ports import KillSwitch
from xorj.execution.bounds import Bounds
from xorj.execution.ports import (
    AttemptStore,
    BrakeStore,
    Checkpoint,
    IntentStore,
    Provider,
    Router,
    SettlementStore,
    Signer,
    StopReader,
    StopSwitch,
    SweepStore,
)
from xorj.execution.settlement import providers_needed
from xorj.prices.ports import PriceFeed
from xorj.primitives.clock import ChainClock
from xorj.primitives.errors import RefusedForSafety
from xorj.primitives.ids import Address


@dataclass(frozen=True, slots=True)
class Stores:
    """Where intents, attempts and their ends are kept, and what stops ask for and got."""

    intents: IntentStore
    attempts: AttemptStore
    settlements: SettlementStore
    sweeps: SweepStore
    stops: StopReader
    brakes: BrakeStore


@dataclass(frozen=True, slots=True)
class Desk:
    """`providers` are independent; the first is asked where one answer suffices. `bot` is the key that the signer signs with."""

    bot: Pubkey
    genesis: str
    bounds: Bounds
    providers: tuple[Provider, ...]
    blockhashes: BlockhashSource
    simulator: TransactionSimulator
    clock: ChainClock
    router: Router
    prices: PriceFeed
    signer: Signer
    kill_switch: KillSwitch
    stop_switch: StopSwitch
    stores: Stores
    checkpoint: Checkpoint

    def __post_init__(self) -> None:
        names = {provider.name for provider in self.providers}
        if len(names) < providers_needed(self.genesis) or len(names) < len(self.providers):
            raise RefusedForSafety(f"{len(names)} independent providers, {providers_needed(self.genesis)} are needed on this chain")

    @property
    def primary(self) -> Provider:
        return self.providers[0]

    @property
    def bot_address(self) -> Address:
        return Address(str(self.bot))
