"""A stop on a simulated chain: vaults are paused, trades in doubt are cancelled for certain, and no trade is both cancelled and settled."""

from dataclasses import replace

import pytest
from tests.fakes.simulated_chain import BOT, EPOCH, POLICY, VAULT
from tests.fakes.simulated_desk import World
from tests.unit.test_execute_intents import lease_of, sends, settles
from tests.unit.test_settlement import ATTEMPT, BOUNDS, FREE, LATE, USED, landed, proof, says

from xorj.chain.transactions import Commitment
from xorj.execution.apply_brakes import apply_brakes
from xorj.execution.attempt import AttemptState
from xorj.execution.brake import TRIES_MAX, Brake, BrakeKind, InDoubt, Wanted, needless
from xorj.execution.execute_intents import execute_intent
from xorj.execution.intent import Intent, IntentState
from xorj.execution.lease import Lease
from xorj.execution.ports import BRAKE_MOMENTS, Moment, SignerRefused
from xorj.execution.reconcile_intents import RESEND_SLOTS, Resends
from xorj.execution.settlement import Burned, Contradiction, Dead, FinalError, FinalOk, Unknown, judge, judge_brake
from xorj.execution.sweep_chain import sweep
from xorj.primitives.ids import Address, Signature, Slot
from xorj.vault import open_vault
from xorj.vault.accounts import config_address
from xorj.vault.open_vault import OpenVault


async def brakes(world: World, lease: Lease, resends: Resends | None = None) -> int:
    return await apply_brakes(world.desk(), lease, resends or Resends())


async def in_doubt(world: World) -> tuple[Lease, Intent]:
    """A trade that was sent and that nobody has seen."""
    world.chain.fate = None
    lease, intent = await sends(world)
    world.chain.fate = 1
    return lease, intent


def kinds(world: World) -> list[tuple[BrakeKind, AttemptState]]:
    return [(one.kind, one.state) for one in world.memory.brakes.values()]


async def test_a_stop_pauses_the_vault_and_cancels_the_trade_in_doubt_before_its_deadline() -> None:
    world = World()
    lease, intent = await in_doubt(world)
    (attempt,) = world.memory.attempts.values()
    await world.switch.stop("a person", actor="person")
    assert await brakes(world, lease) == 2
    assert kinds(world) == [(BrakeKind.PAUSE, AttemptState.SIGNED), (BrakeKind.BURN, AttemptState.SIGNED)]
    world.chain.passes(10)
    assert await brakes(world, lease) == 0
    assert kinds(world) == [(BrakeKind.PAUSE, AttemptState.FINAL_OK), (BrakeKind.BURN, AttemptState.FINAL_OK)]
    await settles(world, lease)
    assert world.chain.slot < attempt.deadline_slot, "the stop has not waited for the trade to die by itself"
    ended = world.intent(intent)
    assert (ended.state, world.memory.attempts[attempt.id].state) == (IntentState.ABANDONED, AttemptState.DEAD)
    assert f"its nonce {attempt.nonce} was burned" in str(ended.reason)
    # Whoever still has the bytes can send them: the vault refuses.
    assert attempt.transaction is not None
    world.chain.accept(attempt.transaction)
    world.chain.passes(10)
    assert world.chain.effects(Slot(world.chain.slot)) == []
    await sweep(world.desk(), lease)


async def test_a_trade_that_was_first_settles_and_its_burn_fails() -> None:
    world = World()
    world.chain.fate = 2
    lease, intent = await sends(world)
    await world.switch.stop("a person", actor="person")
    world.chain.fate = 3
    await brakes(world, lease)
    world.chain.passes(14)
    await brakes(world, lease)
    assert (BrakeKind.BURN, AttemptState.FINAL_ERR) in kinds(world)
    await settles(world, lease)
    assert world.intent(intent).state is IntentState.SETTLED
    assert len(world.memory.fills) == 1
    await brakes(world, lease)
    assert len(world.memory.brakes) == 2, "a nonce that the trade has used is not burned again"


async def test_a_nonce_that_is_used_already_is_not_burned() -> None:
    world = World()
    lease, _ = await sends(world)
    world.chain.passes(2)
    await world.switch.stop("a person", actor="person")
    await brakes(world, lease)
    assert kinds(world) == [(BrakeKind.PAUSE, AttemptState.SIGNED)]


@pytest.mark.parametrize("stopped", ["owner paused", "follow ended"])
async def test_an_owners_pause_and_the_end_of_a_follow_burn_and_pause_nothing(stopped: str) -> None:
    world = World()
    lease, intent = await in_doubt(world)
    if stopped == "owner paused":
        world.memory.is_paused = True
    else:
        world.memory.ended.add(intent.id)
    await brakes(world, lease)
    world.chain.passes(10)
    await brakes(world, lease)
    assert kinds(world) == [(BrakeKind.BURN, AttemptState.FINAL_OK)]
    await settles(world, lease)
    assert world.intent(intent).state is IntentState.ABANDONED


async def test_a_trade_that_died_is_not_tried_again_once_its_follow_has_ended() -> None:
    world = World()
    lease, intent = await in_doubt(world)
    world.chain.passes(60)
    await settles(world, lease)
    assert world.intent(intent).state is IntentState.RESERVED, "it would be tried again"
    world.memory.ended.add(intent.id)
    await execute_intent(world.desk(), lease, world.intent(intent))
    ended = world.intent(intent)
    assert (ended.state, ended.reason) == (IntentState.CANCELLED, "the follow has ended")


async def test_a_message_that_may_have_been_signed_is_cancelled_too() -> None:
    world = World()
    world.signer.down = True
    lease, intent = await lease_of(world), world.plans()
    with pytest.raises(Exception, match="signer"):
        await execute_intent(world.desk(), lease, intent)
    world.signer.down = False
    await world.switch.stop("a person", actor="person")
    await brakes(world, lease)
    world.chain.passes(10)
    await brakes(world, lease)
    await settles(world, lease)
    assert world.intent(intent).state is IntentState.ABANDONED
    assert len(world.signer.signed) == 2, "the trade's message was not signed"


async def test_what_a_stop_sends_does_not_make_the_bytes_of_a_trade_due_again() -> None:
    resends, burn = Resends(), replace(ATTEMPT, id="burn")
    resends.note(ATTEMPT, Slot(100))
    resends.note(burn, Slot(101))
    assert not resends.is_due(ATTEMPT, Slot(100 + RESEND_SLOTS - 1))
    assert not resends.is_due(burn, Slot(101 + RESEND_SLOTS - 1))
    assert resends.is_due(ATTEMPT, Slot(100 + RESEND_SLOTS))


@pytest.mark.parametrize("moment", BRAKE_MOMENTS)
async def test_whenever_the_bot_dies_the_stop_is_done_once(moment: Moment) -> None:
    """Crash points 24 and 25: the switch is set and the chain is not paused; the vault is paused and the nonce is not burned."""

    class Died(BaseException):
        pass

    async def dies(reached: Moment, brake_id: str) -> None:
        if reached is moment:
            raise Died

    world = World()
    lease, intent = await in_doubt(world)
    await world.switch.stop("a person", actor="person")
    with pytest.raises(Died):
        await apply_brakes(world.desk(dies), lease, Resends())
    world.leases.lapse()
    lease = await lease_of(world)
    resends = Resends()
    for _ in range(3):
        await brakes(world, lease, resends)
        world.chain.passes(10)
    await settles(world, lease)
    assert sorted(kinds(world)) == [(BrakeKind.BURN, AttemptState.FINAL_OK), (BrakeKind.PAUSE, AttemptState.FINAL_OK)]
    assert world.intent(intent).state is IntentState.ABANDONED
    assert world.chain.effects(Slot(world.chain.slot)) == []
    await sweep(world.desk(), lease)


async def test_a_brake_that_was_lost_dies_by_height_and_is_tried_again() -> None:
    world = World()
    lease = await lease_of(world)
    world.plans()
    await world.switch.stop("a person", actor="person")
    world.chain.fate = None
    await brakes(world, lease)
    world.chain.passes(100)
    assert await brakes(world, lease) == 1, "its blockhash is still accepted"
    world.chain.passes(80)
    world.chain.fate = 1
    assert await brakes(world, lease) == 1
    assert [state for _, state in kinds(world)] == [AttemptState.DEAD, AttemptState.SIGNED]
    world.chain.passes(10)
    assert await brakes(world, lease) == 0


async def test_what_the_signer_refuses_is_tried_a_few_times_and_left() -> None:
    world = World()
    lease = await lease_of(world)
    world.plans()
    world.signer.refuses = SignerRefused("bot_authority", "another")
    await world.switch.stop("a person", actor="person")
    for _ in range(TRIES_MAX + 2):
        await brakes(world, lease)
        world.chain.passes(180)
    await brakes(world, lease)
    assert [state for _, state in kinds(world)] == [AttemptState.DEAD] * TRIES_MAX
    assert world.chain.landed == []


async def test_a_second_stop_pauses_again_where_the_owner_has_resumed() -> None:
    world = World()
    lease = await lease_of(world)
    world.plans()
    for expected in (1, 2):
        await world.switch.stop("a person", actor="person")
        for _ in range(2):
            await brakes(world, lease)
            world.chain.passes(10)
        assert len(world.memory.brakes) == expected
        await world.switch.release("looked at", actor="person")
        world.chain.resumes()
        await brakes(world, lease)
    assert all(state is AttemptState.FINAL_OK for _, state in kinds(world))


BURNED = Burned(Signature("burn"), Slot(5_020))
AFTER_A_BURN = {
    "nobody has seen the trade": ([says("a"), says("b")], Dead),
    "one provider has not answered": ([says("a")], Dead),
    "it is on its way to failing": ([says("a", landed(commitment=Commitment.CONFIRMED, error="e"))], Unknown),
    "it has failed for good": ([says("a", landed(error="e")), says("b", landed(error="e"))], FinalError),
    "it has succeeded, which cannot be": ([says("a", landed()), says("b", landed())], Contradiction),
}


@pytest.mark.parametrize("case", AFTER_A_BURN)
def test_the_trade_after_its_nonce_was_burned(case: str) -> None:
    said, expected = AFTER_A_BURN[case]
    assert isinstance(judge(ATTEMPT, said, None, needed=2, bounds=BOUNDS, burned=BURNED), expected)


PAUSE, BURN = BrakeKind.PAUSE, BrakeKind.BURN
ENDS = {
    "a pause is final": (PAUSE, [says("a", landed()), says("b", landed())], None, FinalOk),
    "a pause has failed": (PAUSE, [says("a", landed(error="e")), says("b", landed(error="e"))], None, FinalError),
    "a burn is final and the vault says so": (BURN, [says("a", landed()), says("b", landed())], USED, FinalOk),
    "a burn is final and the vault says no": (BURN, [says("a", landed()), says("b", landed())], FREE, Contradiction),
    "a burn is final and the vault was not read": (BURN, [says("a", landed()), says("b", landed())], None, Unknown),
    "a burn has failed": (BURN, [says("a", landed(error="e")), says("b", landed(error="e"))], USED, FinalError),
    "final by one of two": (BURN, [says("a", landed()), says("b")], USED, Unknown),
    "final in two slots": (PAUSE, [says("a", landed()), says("b", landed(5_011))], None, Contradiction),
    "the trade's deadline is over, its blockhash is not": (BURN, [says("a", absence=proof()), says("b", absence=proof())], None, Unknown),
    "its blockhash is over": (BURN, [says("a", absence=LATE), says("b", absence=LATE)], USED, Dead),
    "its blockhash is over, one has not answered": (PAUSE, [says("a", absence=LATE)], None, Unknown),
}


@pytest.mark.parametrize("case", ENDS)
def test_the_end_of_a_brake(case: str) -> None:
    kind, said, nonce, expected = ENDS[case]
    assert isinstance(judge_brake(brake_of(kind), said, nonce, needed=2, bounds=BOUNDS), expected)


async def test_what_would_change_nothing_is_not_begun() -> None:
    world = World()
    owner = world.plans().owner
    found = open_vault.read(*[world.chain.account(Address(str(key)), Slot(world.chain.slot)) for key in (VAULT, POLICY, config_address())])
    assert isinstance(found, OpenVault)
    vault, policy, bot = found.vault, found.policy, str(BOT.pubkey())
    pause = Wanted(Address(str(VAULT)), owner, 1, "why", 1)
    burn = replace(pause, trade=InDoubt("attempt", "intent", 3, EPOCH, Slot(1_040)))
    assert (needless(pause, vault, policy, bot, Slot(1_000)), needless(burn, vault, policy, bot, Slot(1_040))) == (None, None)
    assert "no such bot" in str(needless(burn, vault, policy, "another", Slot(1_000)))
    assert needless(pause, vault, replace(policy, paused=True), bot, Slot(1_000)) == "the vault is paused"
    assert needless(burn, vault, replace(policy, paused=True), bot, Slot(1_000)) is None
    assert "deadline 1040 is over" in str(needless(burn, vault, policy, bot, Slot(1_041)))
    assert "another grant" in str(needless(burn, vault, replace(policy, bot_epoch=EPOCH + 1), bot, Slot(1_000)))
    assert needless(burn, vault, replace(policy, nonce_base=4), bot, Slot(1_000)) == "the nonce 3 is too old"


def brake_of(kind: BrakeKind) -> Brake:
    return Brake(
        id="brake",
        kind=kind,
        vault=Address("vault"),
        attempt_id="attempt",
        nonce=3,
        bot_epoch=7,
        state=AttemptState.SIGNED,
        message=b"message",
        blockhash="blockhash",
        last_valid_block_height=ATTEMPT.last_valid_block_height,
        built_slot=ATTEMPT.built_slot,
        signature=Signature("burn"),
        transaction=b"transaction",
        version=1,
    )
