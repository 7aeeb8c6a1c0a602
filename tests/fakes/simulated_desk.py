"""A desk on a simulated chain and stores in memory: everything real but the world. Used by execution's unit and property tests."""

from dataclasses import dataclass, field, replace

from solders.keypair import Keypair
from solders.signature import Signature as RawSignature
from tests.fakes.execution_stores import (
    FakeAttempts,
    FakeBrakes,
    FakeIntents,
    FakeKillSwitch,
    FakeLeases,
    FakeSettlements,
    FakeSweeps,
    Memory,
)
from tests.fakes.simulated_chain import BONK, BOT, OWNER, VAULT, SimulatedChain, SimulatedNode, SimulatedPrices, SimulatedRouter

from xorj.copying.decision import Side
from xorj.execution.bounds import Bounds
from xorj.execution.desk import Desk, Stores
from xorj.execution.intent import Intent, IntentState
from xorj.execution.ports import Checkpoint, Provider, SignerRefused, pass_by
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import LOCAL_GENESIS, USDC, Address, Signature, Slot, UserId, Wallet

AMOUNT_RAW = 10_000_000


@dataclass
class FakeSigner:
    """Signs what it is given, under leases that only grow."""

    key: Keypair = BOT
    newest: int = 0
    refuses: SignerRefused | None = None
    down: bool = False
    signed: list[bytes] = field(default_factory=list)

    async def sign(self, message: bytes, *, lease_epoch: int) -> Signature | SignerRefused:
        if self.down:
            raise Unavailable("signer", "down")
        if lease_epoch < self.newest:
            return SignerRefused("lease_epoch", str(lease_epoch))
        if self.refuses is not None:
            return self.refuses
        self.newest = lease_epoch
        self.signed.append(message)
        return Signature(str(RawSignature.from_bytes(bytes(self.key.sign_message(message)))))


@dataclass
class World:
    """One vault, one bot, one or more providers."""

    chain: SimulatedChain = field(default_factory=SimulatedChain)
    memory: Memory = field(default_factory=Memory)
    signer: FakeSigner = field(default_factory=FakeSigner)
    router: SimulatedRouter = field(default_factory=SimulatedRouter)
    genesis: str = LOCAL_GENESIS
    names: tuple[str, ...] = ("local",)
    bounds: Bounds = field(default_factory=Bounds)
    nodes: list[SimulatedNode] = field(default_factory=list)
    planned: int = 0

    def __post_init__(self) -> None:
        self.nodes = [SimulatedNode(self.chain, name, genesis=self.genesis) for name in self.names]
        self.leases = FakeLeases(self.memory)
        self.switch = FakeKillSwitch(self.memory)

    def desk(self, checkpoint: Checkpoint = pass_by) -> Desk:
        node = self.nodes[0]
        return Desk(
            bot=BOT.pubkey(),
            genesis=self.genesis,
            bounds=self.bounds,
            providers=tuple(Provider(one.name, one, one, one, one) for one in self.nodes),
            blockhashes=node,
            simulator=node,
            clock=node,
            router=self.router,
            prices=SimulatedPrices(self.chain),
            signer=self.signer,
            kill_switch=self.switch,
            stop_switch=self.switch,
            stores=Stores(
                FakeIntents(self.memory),
                FakeAttempts(self.memory),
                FakeSettlements(self.memory),
                FakeSweeps(self.memory),
                FakeBrakes(self.memory),
                FakeBrakes(self.memory),
            ),
            checkpoint=checkpoint,
        )

    def plans(self, side: Side = Side.BUY, amount_raw: int = AMOUNT_RAW, *, lives_slots: int = 400) -> Intent:
        """Copying has decided."""
        self.planned += 1
        intent = replace(
            an_intent(side, amount_raw),
            id=f"intent-{self.planned}",
            created_slot=Slot(self.chain.slot),
            expires_slot=Slot(self.chain.slot + lives_slots),
        )
        self.memory.intents[intent.id] = intent
        return intent

    def intent(self, intent: Intent) -> Intent:
        """As it stands now."""
        return self.memory.intents[intent.id]


def an_intent(side: Side = Side.BUY, amount_raw: int = AMOUNT_RAW) -> Intent:
    given, wanted = (USDC, BONK) if side is Side.BUY else (BONK, USDC)
    return Intent(
        id="intent",
        user_id=UserId("ana"),
        vault=Address(str(VAULT)),
        owner=Wallet(str(OWNER.pubkey())),
        base_mint=USDC,
        leader=None,
        side=side,
        input_mint=given,
        output_mint=wanted,
        amount_in_raw=amount_raw,
        slippage_bps=100,
        state=IntentState.NEW,
        reason=None,
        nonce=None,
        bot_epoch=None,
        created_slot=Slot(0),
        expires_slot=Slot(10**9),
        attempts_count=0,
        version=0,
    )
