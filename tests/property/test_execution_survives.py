"""No schedule of crashes, lost and late transactions, forks, outages, stops and rival bots makes a second effect or loses a trade, and no
trade that a stop has cancelled has an effect."""

import asyncio
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fakes.simulated_chain import DEPOSIT_RAW
from tests.fakes.simulated_desk import World

from xorj.chain.transactions import Commitment
from xorj.copying.decision import Side
from xorj.execution.apply_brakes import apply_brakes
from xorj.execution.attempt import AttemptState
from xorj.execution.brake import BrakeKind
from xorj.execution.execute_intents import execute_intent
from xorj.execution.intent import IntentState
from xorj.execution.lease import ChangedElsewhere, Deposed, Lease
from xorj.execution.ports import Checkpoint, Moment
from xorj.execution.reconcile_intents import Resends, settle_open_attempts
from xorj.execution.sweep_chain import sweep
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import USDC, Slot

ROUNDS_TO_REST = 80
SLOTS_A_ROUND = 30


class Killed(BaseException):
    """SIGKILL: no handler of ours may see it."""


class Bot:
    """One process of it: lives until it is killed at a moment, then starts again and finds everything out."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.dies_at: Moment | None = None
        self.lease: Lease | None = None
        self.resends = Resends()

    async def starts(self, name: str = "bot") -> None:
        self.world.leases.lapse()
        taken = await self.world.leases.take(name)
        assert isinstance(taken, Lease)
        self.lease, self.resends, self.dies_at = taken, Resends(), None

    async def works(self) -> None:
        """One pass over everything; whatever kills or deposes it is followed by a new start."""
        if self.lease is None:
            await self.starts()
        assert self.lease is not None
        desk = self.world.desk(self._checkpoint())
        try:
            await apply_brakes(desk, self.lease, self.resends)
            await settle_open_attempts(desk, self.lease, self.resends)
            for intent in await desk.stores.intents.open_intents():
                try:
                    await execute_intent(desk, self.lease, intent)
                except (Unavailable, ChangedElsewhere):
                    continue
            await sweep(desk, self.lease)
        except (Killed, Deposed):
            self.lease = None
        except Unavailable:
            return

    def _checkpoint(self) -> Checkpoint:
        async def checkpoint(reached: Moment, intent_id: str) -> None:
            if reached is self.dies_at:
                raise Killed(reached)

        return checkpoint


def check(world: World) -> None:
    """The invariants that hold at any time."""
    final = world.chain.effects(world.chain.slot_at(Commitment.FINALIZED))
    by_nonce = [effect.trade.guard.nonce for effect in final]
    assert len(by_nonce) == len(set(by_nonce)), "a second effect"
    ours = {attempt.signature: attempt for attempt in world.memory.attempts.values()}
    assert all(effect.signature in ours for effect in final), "an effect without a row"
    landed = {effect.signature for effect in final}
    assert all(fill.signature in landed for fill in world.memory.fills.values()), "a fill without an effect"
    owners = [world.memory.attempts[key].intent_id for key in world.memory.fills]
    assert len(owners) == len(set(owners)), "two fills of one intent"
    brakes = world.memory.brakes.values()
    worked = {one.attempt_id for one in brakes if one.kind is BrakeKind.BURN and one.state is AttemptState.FINAL_OK}
    assert not worked & world.memory.fills.keys(), "a trade both cancelled and settled"
    known = set(ours) | {one.signature for one in brakes}
    assert all(one.signature in known for one in world.chain.landed if one.signature in world.chain.sent), "a transaction without a row"


def check_at_rest(world: World) -> None:
    """And those that hold once everything has come to its end."""
    check(world)
    assert all(intent.state.is_terminal for intent in world.memory.intents.values()), "an intent without an end"
    effects = world.chain.effects(world.chain.slot_at(Commitment.FINALIZED))
    settled = [intent for intent in world.memory.intents.values() if intent.state is IntentState.SETTLED]
    assert not [one for one in world.memory.brakes.values() if one.state.is_live], "a brake without an end"
    assert len(effects) == len(settled) == len(world.memory.fills), "a lost or an invented trade"
    spent = sum(change.delta_raw for fill in world.memory.fills.values() for change in fill.changes if change.mint == USDC)
    assert DEPOSIT_RAW + spent == world.chain.balances(world.chain.slot_at(Commitment.FINALIZED))[USDC], "the books differ from the chain"


Step = Callable[[World, Bot, int], None]


def plans_buy(world: World, bot: Bot, number: int) -> None:
    world.plans(Side.BUY)


def plans_sale(world: World, bot: Bot, number: int) -> None:
    world.plans(Side.SELL, 1_000_000 + number)


def slots_pass(world: World, bot: Bot, number: int) -> None:
    world.chain.passes(1 + number % 60)


def will_die(world: World, bot: Bot, number: int) -> None:
    bot.dies_at = list(Moment)[number % len(Moment)]


def loses_transactions(world: World, bot: Bot, number: int) -> None:
    world.chain.fate = None


def delivers_late(world: World, bot: Bot, number: int) -> None:
    world.chain.fate = number % 180


def delivers_at_once(world: World, bot: Bot, number: int) -> None:
    world.chain.fate = 1


def forks_away(world: World, bot: Bot, number: int) -> None:
    world.chain.forks(comes_back=False)


def forks_and_comes_back(world: World, bot: Bot, number: int) -> None:
    world.chain.forks(comes_back=True)


def node_fails(world: World, bot: Bot, number: int) -> None:
    world.nodes[number % len(world.nodes)].down = True


def nodes_heal(world: World, bot: Bot, number: int) -> None:
    for node in world.nodes:
        node.down, node.lag = False, 0


def node_lags(world: World, bot: Bot, number: int) -> None:
    world.nodes[number % len(world.nodes)].lag = number % 20


def stops(world: World, bot: Bot, number: int) -> None:
    world.memory.stop += world.memory.stopped is None
    world.memory.stopped = "a person"


def goes_on(world: World, bot: Bot, number: int) -> None:
    """Trades may start again, and the owner lets his vault trade again."""
    world.memory.stop += world.memory.stopped is not None
    world.memory.stopped, world.memory.is_paused = None, False
    if world.chain.is_paused(Slot(world.chain.slot)):
        world.chain.resumes()


def owner_pause_is_seen(world: World, bot: Bot, number: int) -> None:
    """The vault's row says so; on chain it may be resumed again already."""
    world.memory.is_paused = True


def follow_ends(world: World, bot: Bot, number: int) -> None:
    world.memory.ended |= {f"intent-{number % (world.planned + 1)}"}


def is_deposed(world: World, bot: Bot, number: int) -> None:
    """Another replica takes over, does nothing, and is gone."""
    world.memory.epoch += 1


def signer_fails(world: World, bot: Bot, number: int) -> None:
    world.signer.down = True


def signer_heals(world: World, bot: Bot, number: int) -> None:
    world.signer.down = False


STEPS: list[Step] = [
    plans_buy,
    plans_buy,
    plans_sale,
    slots_pass,
    slots_pass,
    will_die,
    will_die,
    loses_transactions,
    delivers_late,
    delivers_at_once,
    forks_away,
    forks_and_comes_back,
    node_fails,
    nodes_heal,
    node_lags,
    stops,
    goes_on,
    owner_pause_is_seen,
    follow_ends,
    is_deposed,
    signer_fails,
    signer_heals,
]

schedules = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 1_000)), min_size=1, max_size=25)


async def lives_through(world: World, schedule: list[tuple[Step, int]]) -> None:
    bot = Bot(world)
    for step, number in schedule:
        step(world, bot, number)
        await bot.works()
        world.chain.passes(1)
        check(world)
    # Everything heals; then everything must come to its end.
    for heal in (nodes_heal, goes_on, delivers_at_once, signer_heals):
        heal(world, bot, 0)
    bot.dies_at = None
    for _ in range(ROUNDS_TO_REST):
        brakes = world.memory.brakes.values()
        if all(one.state.is_terminal for one in world.memory.intents.values()) and not any(one.state.is_live for one in brakes):
            break
        await bot.works()
        world.chain.passes(SLOTS_A_ROUND)
    await bot.works()
    check_at_rest(world)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(schedules)
def test_one_provider_on_the_local_chain(schedule: list[tuple[Step, int]]) -> None:
    asyncio.run(lives_through(World(), schedule))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(schedules)
def test_three_providers_on_a_chain_of_worth(schedule: list[tuple[Step, int]]) -> None:
    asyncio.run(lives_through(World(genesis="a chain of worth", names=("one", "two", "three")), schedule))
