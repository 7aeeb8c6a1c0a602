"""The way forward and back on a simulated chain: what each step does, waits for, refuses and survives."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from solders.keypair import Keypair
from tests.fakes.simulated_desk import AMOUNT_RAW, World

from xorj.copying.decision import Side
from xorj.execution.attempt import AttemptState
from xorj.execution.bounds import Bounds
from xorj.execution.execute_intents import Ended, Sent, Waiting, execute_intent, is_signature_of
from xorj.execution.fill import Cost
from xorj.execution.intent import Intent, IntentState
from xorj.execution.lease import Lease
from xorj.execution.ports import TRADE_MOMENTS, Moment, SignerRefused
from xorj.execution.reconcile_intents import Resends, Round, reconcile, require_chain, settle_open_attempts
from xorj.prices.price import Price
from xorj.primitives.errors import BrokenInvariant, RefusedForSafety, Unavailable
from xorj.primitives.ids import Address, Mint, Signature, Slot


async def lease_of(world: World) -> Lease:
    taken = await world.leases.take("bot")
    assert isinstance(taken, Lease)
    return taken


async def sends(world: World, side: Side = Side.BUY) -> tuple[Lease, Intent]:
    lease, intent = await lease_of(world), world.plans(side)
    assert isinstance(await execute_intent(world.desk(), lease, intent), Sent)
    return lease, intent


async def settles(world: World, lease: Lease, resends: Resends | None = None) -> Round:
    return await settle_open_attempts(world.desk(), lease, resends or Resends())


async def test_a_buy_is_sent_lands_and_settles_at_finality() -> None:
    world = World()
    lease, intent = await sends(world)
    world.chain.passes(2)
    await settles(world, lease)
    assert world.intent(intent).state is IntentState.IN_FLIGHT, "confirmed is not final"
    world.chain.passes(10)
    outcome = await settles(world, lease)
    assert world.intent(intent).state is IntentState.SETTLED
    assert (outcome.open_attempts, outcome.verdicts["FinalOk"]) == (0, 1)
    (fill,) = world.memory.fills.values()
    assert (fill.input_raw, fill.output_raw, fill.fee_lamports) == (AMOUNT_RAW, AMOUNT_RAW, 5_000)


async def test_moments_are_passed_in_order() -> None:
    world, seen = World(), list[Moment]()

    async def checkpoint(moment: Moment, intent_id: str) -> None:
        seen.append(moment)

    lease, intent = await lease_of(world), world.plans()
    await execute_intent(world.desk(checkpoint), lease, intent)
    for slots in (1, 1, 10):
        world.chain.passes(slots)
        await settle_open_attempts(world.desk(checkpoint), lease, Resends())
    assert seen == list(TRADE_MOMENTS)


async def test_a_stop_before_anything_builds_nothing() -> None:
    world = World()
    await world.switch.stop("a person", actor="person")
    found = await execute_intent(world.desk(), await lease_of(world), world.plans())
    assert found == Waiting("stopped: a person")
    assert world.memory.attempts == {}


@pytest.mark.parametrize("moment", [Moment.QUOTED, Moment.BUILT])
async def test_a_stop_on_the_way_signs_nothing_and_sends_nothing(moment: Moment) -> None:
    world = World()

    async def checkpoint(reached: Moment, intent_id: str) -> None:
        if reached is moment:
            await world.switch.stop("a person", actor="person")

    lease, intent = await lease_of(world), world.plans()
    assert isinstance(await execute_intent(world.desk(checkpoint), lease, intent), Waiting)
    for _ in range(6):
        await settles(world, lease)
        world.chain.passes(20)
    assert world.signer.signed == []
    assert world.chain.landed == []
    built = moment is Moment.BUILT
    assert [attempt.state for attempt in world.memory.attempts.values()] == ([AttemptState.DEAD] if built else [])


async def test_a_stop_after_the_signature_sends_nothing_again_and_the_bytes_die() -> None:
    world = World()
    world.chain.fate = None
    lease, intent = await sends(world)
    await world.switch.stop("a person", actor="person")
    world.chain.fate = 1
    for _ in range(4):
        world.chain.passes(20)
        await settles(world, lease)
    assert world.chain.landed == []
    assert world.intent(intent).state is IntentState.RESERVED


async def test_an_expired_intent_is_cancelled() -> None:
    world = World()
    intent = world.plans(lives_slots=-5)
    ended = await execute_intent(world.desk(), await lease_of(world), intent)
    assert isinstance(ended, Ended)
    assert "expired" in str(world.intent(intent).reason)


async def test_what_the_vault_would_refuse_is_cancelled_with_the_rule() -> None:
    world = World()
    ended = await execute_intent(world.desk(), await lease_of(world), world.plans(Side.SELL))
    assert isinstance(ended, Ended)
    assert ended.intent.reason is not None
    assert ended.intent.reason.startswith("balance: ")


async def test_a_paused_vault_is_not_traded() -> None:
    world = World()
    world.chain.paused = True
    ended = await execute_intent(world.desk(), await lease_of(world), world.plans())
    assert isinstance(ended, Ended)
    assert world.memory.attempts == {}


async def test_no_route_waits_and_is_tried_again_from_where_it_was() -> None:
    world = World()
    world.router.no_route = True
    lease, intent = await lease_of(world), world.plans()
    assert isinstance(await execute_intent(world.desk(), lease, intent), Waiting)
    assert world.intent(intent).state is IntentState.RESERVED
    world.router.no_route = False
    assert isinstance(await execute_intent(world.desk(), lease, world.intent(intent)), Sent)


async def test_a_reserved_intent_whose_nonce_is_gone_is_cancelled() -> None:
    world = World()
    world.router.no_route = True
    lease, intent = await lease_of(world), world.plans()
    await execute_intent(world.desk(), lease, intent)
    world.memory.intents[intent.id] = replace(world.intent(intent), bot_epoch=1)
    assert isinstance(await execute_intent(world.desk(), lease, world.intent(intent)), Ended)


async def test_a_days_fees_are_bounded() -> None:
    world = World(bounds=Bounds(spending_lamports_per_user_day_max=5_000))
    world.memory.costs["earlier"] = Slot(world.chain.slot), Cost(5_000, 0)
    found = await execute_intent(world.desk(), await lease_of(world), world.plans())
    assert isinstance(found, Waiting)
    assert "fee_budget" in found.reason


async def test_a_low_float_stops_new_trades() -> None:
    world = World(bounds=Bounds(float_lamports_min=10**10))
    found = await execute_intent(world.desk(), await lease_of(world), world.plans())
    assert isinstance(found, Waiting)
    assert "sol_float" in found.reason


async def test_what_the_signer_refuses_dies_by_proof() -> None:
    world = World()
    world.signer.refuses = SignerRefused("spend", "too much")
    lease, intent = await lease_of(world), world.plans()
    assert isinstance(await execute_intent(world.desk(), lease, intent), Waiting)
    await settles(world, lease)
    world.chain.passes(60)
    await settles(world, lease)
    assert world.intent(intent).state is IntentState.RESERVED
    assert [attempt.state for attempt in world.memory.attempts.values()] == [AttemptState.DEAD]


async def test_a_wrong_signature_stops_everything() -> None:
    world = World()
    world.signer.key = Keypair.from_seed(bytes([1]) * 32)
    with pytest.raises(BrokenInvariant):
        await execute_intent(world.desk(), await lease_of(world), world.plans())
    assert not is_signature_of(Signature("no signature"), world.desk().bot, b"")


async def test_a_signer_that_is_away_loses_nothing() -> None:
    world = World()
    world.signer.down = True
    lease, intent = await lease_of(world), world.plans()
    with pytest.raises(Unavailable):
        await execute_intent(world.desk(), lease, intent)
    world.signer.down = False
    await settles(world, lease)
    world.chain.passes(12)
    await settles(world, lease)
    assert world.intent(intent).state is IntentState.SETTLED
    assert len(world.memory.attempts) == 1, "the same message was signed"


async def test_lost_bytes_are_sent_again_until_they_land() -> None:
    world, resends = World(), Resends()
    world.chain.fate = None
    lease, intent = await sends(world)
    world.chain.fate = 1
    await settles(world, lease, resends)
    world.chain.passes(12)
    await settles(world, lease, resends)
    assert world.intent(intent).state is IntentState.SETTLED


async def test_bytes_are_not_sent_again_at_every_look() -> None:
    world, resends = World(), Resends()
    world.chain.fate = None
    lease, _ = await sends(world)
    world.chain.fate = 1_000
    for _ in range(5):
        await settles(world, lease, resends)
    assert len(world.chain.under_way) == 1


async def test_dead_attempts_are_followed_by_new_ones_with_the_same_nonce_up_to_the_limit() -> None:
    world = World()
    world.chain.fate = None
    lease, intent = await lease_of(world), world.plans(lives_slots=10_000)
    for _ in range(world.bounds.attempts_max):
        assert isinstance(await execute_intent(world.desk(), lease, world.intent(intent)), Sent)
        world.chain.passes(60)
        await settles(world, lease)
    assert world.intent(intent).state is IntentState.ABANDONED
    assert {attempt.nonce for attempt in world.memory.attempts.values()} == {0}
    assert len(world.memory.attempts) == world.bounds.attempts_max


async def test_a_failed_trade_is_reverted_with_its_fee() -> None:
    world = World()
    lease, intent = await sends(world)
    world.chain.paused = True
    world.chain.passes(12)
    await settles(world, lease)
    assert world.intent(intent).state is IntentState.REVERTED
    assert "6026" in str(world.intent(intent).reason)
    assert sum(cost.fee_lamports for _, cost in world.memory.costs.values()) == 5_000


async def test_a_trade_refused_for_its_deadline_is_tried_anew_with_the_same_nonce() -> None:
    world = World()
    world.chain.fate = world.bounds.deadline_slots + 5
    lease, intent = await sends(world)
    world.chain.passes(world.bounds.deadline_slots + 20)
    await settles(world, lease)
    assert world.intent(intent).state is IntentState.RESERVED
    (late,) = world.memory.attempts.values()
    assert late.state is AttemptState.FINAL_ERR
    world.chain.fate = 1
    assert isinstance(await execute_intent(world.desk(), lease, world.intent(intent)), Sent)
    world.chain.passes(12)
    await settles(world, lease)
    assert world.intent(intent).state is IntentState.SETTLED
    _, second = world.memory.attempts.values()
    assert (second.nonce, second.number) == (late.nonce, 2)
    assert second.deadline_slot > late.deadline_slot
    assert len(world.chain.effects(Slot(world.chain.slot))) == 1
    assert sum(cost.fee_lamports for _, cost in world.memory.costs.values()) == 10_000, "both fees are counted"


@pytest.mark.parametrize(("what", "lives_slots", "attempts_max"), [("expired meanwhile", 50, 3), ("had its attempts", 400, 1)])
async def test_a_late_trade_whose_intent_is_over_is_reverted(what: str, lives_slots: int, attempts_max: int) -> None:
    world = World(bounds=Bounds(attempts_max=attempts_max))
    world.chain.fate = world.bounds.deadline_slots + 5
    lease, intent = await lease_of(world), world.plans(lives_slots=lives_slots)
    assert isinstance(await execute_intent(world.desk(), lease, intent), Sent)
    world.chain.passes(world.bounds.deadline_slots + 20)
    await settles(world, lease)
    assert world.intent(intent).state is IntentState.REVERTED, what


async def test_providers_that_contradict_each_other_put_the_intent_aside() -> None:
    world = World(genesis="a chain of worth", names=("one", "two"))
    lease, intent = await sends(world)
    world.chain.passes(12)
    effect = world.chain.landed[0]
    world.nodes[1].chain = replace(world.chain, landed=[replace(effect, slot=Slot(effect.slot + 1))])
    outcome = await settles(world, lease)
    assert world.intent(intent).state is IntentState.QUARANTINED
    assert outcome.in_doubt == 1
    again = await settles(world, lease)
    assert again.in_doubt == 1
    world.nodes[1].chain = world.chain
    await settles(world, lease)
    assert world.intent(intent).state is IntentState.SETTLED, "evidence alone leads out"


async def test_one_provider_of_two_ends_nothing_on_a_chain_of_worth() -> None:
    world = World(genesis="a chain of worth", names=("one", "two"))
    lease, intent = await sends(world)
    world.nodes[1].down = True
    world.chain.passes(12)
    await settles(world, lease)
    assert world.intent(intent).state is IntentState.IN_FLIGHT
    world.nodes[1].down = False
    await settles(world, lease)
    assert world.intent(intent).state is IntentState.SETTLED


async def test_a_provider_that_denies_what_it_knows_cannot_bury_a_trade() -> None:
    world = World(genesis="a chain of worth", names=("one", "two"))
    lease, intent = await sends(world)
    for node in world.nodes:
        node.blind = True
    world.chain.passes(80)
    await settles(world, lease)
    assert world.intent(intent).state is IntentState.QUARANTINED, "the vault's nonce is used, so it has landed"


async def test_without_proof_nothing_dies_but_it_is_set_aside_in_the_end() -> None:
    world = World(bounds=Bounds(doubt_slots_max=100))
    world.chain.fate = None
    lease, intent = await sends(world)
    world.nodes[0].first_block = 10**9
    world.chain.passes(80)
    await settles(world, lease)
    assert world.intent(intent).state is IntentState.IN_FLIGHT
    world.chain.passes(100)
    await settles(world, lease)
    assert world.intent(intent).state is IntentState.QUARANTINED


async def test_no_provider_at_all_is_unavailable() -> None:
    world = World()
    lease, _ = await sends(world)
    world.nodes[0].down = True
    with pytest.raises(Unavailable):
        await settles(world, lease)


async def test_what_another_task_is_building_is_left_to_it() -> None:
    world = World()

    async def dies(reached: Moment, intent_id: str) -> None:
        if reached is Moment.BUILT:
            raise asyncio.CancelledError

    lease, intent = await lease_of(world), world.plans()
    with pytest.raises(asyncio.CancelledError):
        await execute_intent(world.desk(dies), lease, intent)
    await settle_open_attempts(world.desk(), lease, Resends(), busy={intent.id})
    assert world.signer.signed == []
    await settle_open_attempts(world.desk(), lease, Resends())
    assert len(world.signer.signed) == 1


async def test_reconciling_tells_which_vaults_must_wait() -> None:
    world = World()
    lease, _ = await sends(world)
    world.chain.passes(12)

    async def audit() -> dict[Address, str]:
        return {Address("vault"): "one unit is missing"}

    assert await reconcile(world.desk(), lease, audit, Resends()) == {"vault": "one unit is missing"}
    assert len(world.memory.fills) == 1


async def test_a_provider_of_another_chain_is_refused() -> None:
    world = World()
    await require_chain(world.desk())
    world.nodes[0].genesis = "another chain"
    with pytest.raises(RefusedForSafety, match="another chain"):
        await require_chain(world.desk())


@pytest.mark.parametrize("names", [("one",), ("one", "one")])
def test_a_chain_of_worth_needs_two_independent_providers(names: tuple[str, ...]) -> None:
    with pytest.raises(RefusedForSafety, match="independent"):
        World(genesis="a chain of worth", names=names).desk()


class NoPrices:
    """Sources of prices that are away, or that know nothing."""

    def __init__(self, *, is_away: bool) -> None:
        self.is_away = is_away

    async def prices(self, mints: Sequence[Mint]) -> dict[Mint, Price]:
        if self.is_away:
            raise Unavailable("prices", "away")
        return {}


@pytest.mark.parametrize("is_away", [True, False], ids=["sources away", "nothing known"])
async def test_an_exit_does_not_wait_for_a_price(is_away: bool) -> None:
    world = World()
    lease, _ = await sends(world)
    world.chain.passes(12)
    await settles(world, lease)
    desk, intent = replace(world.desk(), prices=NoPrices(is_away=is_away)), world.plans(Side.SELL)
    assert isinstance(await execute_intent(desk, lease, intent), Sent)
    *_, attempt = world.memory.attempts.values()
    assert (attempt.intent_id, attempt.minimum_out_raw) == (intent.id, AMOUNT_RAW * 99 // 100)


async def test_an_entry_waits_for_one() -> None:
    world = World()
    lease, intent = await lease_of(world), world.plans(Side.BUY)
    waiting = await execute_intent(replace(world.desk(), prices=NoPrices(is_away=False)), lease, intent)
    assert isinstance(waiting, Waiting)
    assert "no_price" in waiting.reason
    with pytest.raises(Unavailable):
        await execute_intent(replace(world.desk(), prices=NoPrices(is_away=True)), lease, intent)
    assert world.chain.landed == []
