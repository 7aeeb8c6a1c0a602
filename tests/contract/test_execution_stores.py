"""Execution's stores: one suite on memory and on PostgreSQL. Then what only PostgreSQL has: projections, ledger, outbox, its clock."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine
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
from tests.fakes.intent_rows import plant_intent, plant_vault
from tests.fakes.simulated_chain import BONK, BOT, OWNER, VAULT
from tests.fakes.simulated_desk import an_intent

from xorj.adapters.postgres import engine as postgres
from xorj.adapters.postgres import tables
from xorj.adapters.postgres.brakes import PostgresBrakes
from xorj.adapters.postgres.execution import PostgresAttempts, PostgresIntents
from xorj.adapters.postgres.kill_switch import PostgresKillSwitch
from xorj.adapters.postgres.leases import PostgresLeases
from xorj.adapters.postgres.settlements import PostgresSettlements
from xorj.adapters.postgres.sweeps import PostgresSweeps
from xorj.chain.transactions import Blockhash, Commitment, EpochInfo, SignatureStatus
from xorj.copying.decision import Side
from xorj.copying.situation import Running, Stopped
from xorj.execution.attempt import Attempt, AttemptState, Draft
from xorj.execution.fill import BalanceChange, Cost, Failure, Fill
from xorj.execution.intent import Intent, IntentState
from xorj.execution.landing import Disagreement, Landing, Swept
from xorj.execution.lease import ChangedElsewhere, Deposed, HeldByOther, Lease
from xorj.execution.ports import AttemptStore, IntentStore, LeaseStore, SettlementStore, SweepStore
from xorj.execution.rejected import Rejected
from xorj.execution.settlement import Absence, Contradiction, Witness
from xorj.primitives.errors import BrokenInvariant
from xorj.primitives.ids import LOCAL_GENESIS, USDC, Address, Signature, Slot, UserId

AMOUNT = 10_000_000
HELD = 25_000_000
EPOCH = 7
BOT_ADDRESS = Address(str(BOT.pubkey()))
SAID = [
    Witness(
        "local",
        Slot(50),
        SignatureStatus(Slot(40), Commitment.FINALIZED, None),
        Absence(EpochInfo(Slot(50), 40), True, Slot(50), True, Slot(0)),
    )
]


@dataclass
class Kit:
    """The stores under test and a way to plant intents in them."""

    leases: LeaseStore
    intents: IntentStore
    attempts: AttemptStore
    settlements: SettlementStore
    sweeps: SweepStore
    brakes: FakeBrakes | PostgresBrakes
    switch: FakeKillSwitch | PostgresKillSwitch
    user: UserId
    memory: Memory | None
    engine: AsyncEngine | None
    planted: int = 0

    async def plants(self, amount: int = AMOUNT, side: Side = Side.BUY) -> Intent:
        self.planted += 1
        if self.memory is not None:
            intent = replace(an_intent(side, amount), id=f"intent-{self.planted}", created_slot=Slot(self.planted))
            self.memory.intents[intent.id] = intent
            return intent
        assert self.engine is not None
        given, wanted = (USDC, BONK) if side is Side.BUY else (BONK, USDC)
        identity = await plant_intent(
            self.engine,
            vault=str(VAULT),
            side=side,
            input_mint=given,
            output_mint=wanted,
            amount_in_raw=amount,
            created_slot=self.planted,
        )
        return await self.now(identity)

    async def now(self, identity: str) -> Intent:
        found = await self.intents.find(identity)
        assert found is not None
        return found

    async def lease(self, holder: str = "bot") -> Lease:
        taken = await self.leases.take(holder)
        assert isinstance(taken, Lease)
        return taken

    async def reserved(self, lease: Lease, amount: int = AMOUNT) -> Intent:
        done = await self.reserve(lease, await self.plants(amount))
        assert isinstance(done, Intent), done
        return done

    async def reserve(self, lease: Lease, intent: Intent, **changes: int) -> Intent | Rejected:
        given = {"nonce_min": 0, "bot_epoch": EPOCH, "held_raw": HELD} | changes
        return await self.intents.reserve(lease, intent, slot=Slot(100), **given)

    async def signed(self, lease: Lease, number: int = 1) -> tuple[Attempt, Intent]:
        intent = await self.reserved(lease)
        built = await self.attempts.build(lease, intent, draft(number))
        attempt = await self.attempts.record_signature(lease, built, signature(number), b"whole")
        return attempt, await self.now(intent.id)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.database)])
async def kit(request: pytest.FixtureRequest) -> AsyncIterator[Kit]:
    if request.param == "memory":
        memory = Memory()
        yield Kit(
            FakeLeases(memory),
            FakeIntents(memory),
            FakeAttempts(memory),
            FakeSettlements(memory),
            FakeSweeps(memory),
            FakeBrakes(memory),
            FakeKillSwitch(memory),
            UserId("ana"),
            memory,
            None,
        )
        return
    engine = postgres.create(request.getfixturevalue("database_url"), application="tests", connections_min=1, connections_max=10)
    await plant_vault(engine, vault=str(VAULT), owner=str(OWNER.pubkey()), base_mint=USDC, bot=str(BOT.pubkey()))
    yield Kit(
        PostgresLeases(engine, seconds=30),
        PostgresIntents(engine),
        PostgresAttempts(engine, LOCAL_GENESIS),
        PostgresSettlements(engine, LOCAL_GENESIS),
        PostgresSweeps(engine, LOCAL_GENESIS),
        PostgresBrakes(engine, LOCAL_GENESIS),
        PostgresKillSwitch(engine),
        UserId("user-ana"),
        None,
        engine,
    )
    await engine.dispose()


@pytest.fixture
def stored(kit: Kit) -> AsyncEngine:
    """The engine behind the kit."""
    assert kit.engine is not None
    return kit.engine


def on_postgres(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Memory has no tables and no clock."""
    return pytest.mark.database(pytest.mark.parametrize("kit", ["postgres"], indirect=True)(test))


def draft(number: int = 1) -> Draft:
    return Draft(
        message=f"message {number}".encode(),
        quote_hash="hash",
        minimum_out_raw=900,
        quoted_out_raw=1_000,
        input_decimals=6,
        blockhash=Blockhash("11111111111111111111111111111111", 250, Slot(100)),
        deadline_slot=Slot(140),
    )


def signature(number: int = 1) -> Signature:
    return Signature(f"signature-{number}")


def fill(number: int = 1) -> Fill:
    changes = (BalanceChange(USDC, -AMOUNT), BalanceChange(BONK, 950))
    return Fill(signature(number), Slot(120), 1_700_000_000, AMOUNT, 950, 5_000, 2_000_000, changes)


async def test_a_lease_has_one_holder_and_an_epoch_that_only_grows(kit: Kit) -> None:
    first = await kit.lease("one")
    assert isinstance(await kit.leases.take("two"), HeldByOther)
    assert await kit.leases.renew(first)
    again = await kit.lease("one")
    assert again.epoch == first.epoch + 1
    assert not await kit.leases.renew(first)
    await kit.leases.release(again)
    assert (await kit.lease("two")).epoch == again.epoch + 1


async def test_releasing_an_old_lease_frees_nothing(kit: Kit) -> None:
    old = await kit.lease("one")
    await kit.lease("one")
    await kit.leases.release(old)
    assert isinstance(await kit.leases.take("two"), HeldByOther)


async def test_what_an_older_lease_writes_changes_nothing(kit: Kit) -> None:
    old = await kit.lease()
    attempt, intent = await kit.signed(old)
    fresh = await kit.plants()
    await kit.lease()
    for write in (
        kit.reserve(old, fresh),
        kit.intents.end(old, fresh, IntentState.CANCELLED, "late"),
        kit.attempts.build(old, fresh, draft(2)),
        kit.attempts.record_signature(old, attempt, signature(), b"whole"),
        kit.settlements.settle(old, attempt, intent, fill(), SAID),
        kit.settlements.revert(old, attempt, intent, Failure(Slot(1), "error", Cost(1, 0)), SAID, ends=True),
        kit.settlements.bury(old, attempt, intent, "proof", SAID, ends=True),
        kit.settlements.doubt(old, attempt, intent, Contradiction("?"), SAID),
        kit.sweeps.move(old, BOT_ADDRESS, "local", Swept(signature(), Slot(1)), []),
        kit.sweeps.book_late(old, signature(), Failure(Slot(1), "error", Cost(1, 0)), "local"),
    ):
        with pytest.raises(Deposed):
            await write
    assert await kit.now(intent.id) == intent
    assert await kit.now(fresh.id) == fresh


async def test_nonces_are_given_in_order_and_given_back_by_what_never_had_a_message(kit: Kit) -> None:
    lease = await kit.lease()
    first, second = await kit.reserved(lease), await kit.reserved(lease)
    assert (first.nonce, second.nonce, first.bot_epoch) == (0, 1, EPOCH)
    ended = await kit.intents.end(lease, second, IntentState.CANCELLED, "no route")
    assert (ended.state, ended.reason, ended.nonce) == (IntentState.CANCELLED, "no route", None)
    assert (await kit.reserved(lease)).nonce == 1


async def test_the_vaults_own_window_is_the_least_nonce(kit: Kit) -> None:
    lease = await kit.lease()
    done = await kit.reserve(lease, await kit.plants(), nonce_min=41)
    assert isinstance(done, Intent)
    assert done.nonce == 41


async def test_no_nonce_pushes_a_living_one_out_of_the_window(kit: Kit) -> None:
    lease = await kit.lease()
    await kit.reserved(lease)
    late = await kit.reserve(lease, await kit.plants(), nonce_min=256)
    assert isinstance(late, Rejected)
    assert (late.rule, late.is_final) == ("nonce_window", False)


async def test_what_is_spoken_for_cannot_be_reserved_again(kit: Kit) -> None:
    lease = await kit.lease()
    for _ in range(2):
        await kit.reserved(lease)
    third = await kit.plants()
    refused = await kit.reserve(lease, third)
    assert isinstance(refused, Rejected)
    assert (refused.rule, refused.is_final) == ("balance_reserved", False)
    assert (await kit.now(third.id)).state is IntentState.NEW


async def test_a_trade_that_is_seen_in_the_balance_already_is_not_counted_twice(kit: Kit) -> None:
    lease = await kit.lease()
    attempt, _ = await kit.signed(lease)
    await kit.attempts.observe(attempt, Commitment.CONFIRMED, Slot(90))
    left = await kit.reserve(lease, await kit.plants(HELD - AMOUNT), held_raw=HELD - AMOUNT)
    assert isinstance(left, Intent)
    unseen = await kit.reserve(lease, await kit.plants(1), held_raw=HELD - AMOUNT)
    assert isinstance(unseen, Rejected)


async def test_every_step_may_be_repeated_when_its_answer_was_lost(kit: Kit) -> None:
    lease = await kit.lease()
    new = await kit.plants()
    reserved = await kit.reserve(lease, new)
    assert await kit.reserve(lease, new) == reserved
    assert isinstance(reserved, Intent)
    built = await kit.attempts.build(lease, reserved, draft())
    assert await kit.attempts.build(lease, reserved, draft()) == built
    signed = await kit.attempts.record_signature(lease, built, signature(), b"whole")
    assert await kit.attempts.record_signature(lease, built, signature(), b"whole") == signed
    flying = await kit.now(new.id)
    settled = await kit.settlements.settle(lease, signed, flying, fill(), SAID)
    assert await kit.settlements.settle(lease, signed, flying, fill(), SAID) == settled
    assert settled.state is IntentState.SETTLED


async def test_what_moved_on_elsewhere_is_not_written_over(kit: Kit) -> None:
    lease = await kit.lease()
    new = await kit.plants()
    await kit.intents.end(lease, new, IntentState.CANCELLED, "expired")
    with pytest.raises(ChangedElsewhere):
        await kit.reserve(lease, new)
    reserved = await kit.reserved(lease)
    built = await kit.attempts.build(lease, reserved, draft())
    with pytest.raises(ChangedElsewhere):
        await kit.attempts.build(lease, reserved, draft(2))
    await kit.attempts.record_signature(lease, built, signature(), b"whole")
    with pytest.raises(ChangedElsewhere):
        await kit.attempts.record_signature(lease, built, signature(2), b"whole")
    flying = await kit.now(reserved.id)
    with pytest.raises(ChangedElsewhere):
        await kit.settlements.settle(lease, built, flying, fill(), SAID)


async def test_a_transition_that_does_not_exist_is_a_broken_invariant(kit: Kit) -> None:
    lease = await kit.lease()
    with pytest.raises(BrokenInvariant):
        await kit.intents.end(lease, await kit.plants(), IntentState.SETTLED, "because")


async def test_open_intents_are_those_without_a_living_attempt(kit: Kit) -> None:
    lease = await kit.lease()
    waiting = await kit.plants()
    attempt, _ = await kit.signed(lease)
    gone = await kit.plants()
    await kit.intents.end(lease, gone, IntentState.CANCELLED, "no")
    assert [intent.id for intent in await kit.intents.open_intents()] == [waiting.id]
    assert [found.id for found, _ in await kit.attempts.open_attempts()] == [attempt.id]
    assert await kit.intents.open_intents(limit=0) == []


async def test_a_buried_attempt_leaves_room_for_another_or_ends_its_intent(kit: Kit) -> None:
    lease = await kit.lease()
    attempt, intent = await kit.signed(lease)
    back = await kit.settlements.bury(lease, attempt, intent, "deadline passed", SAID, ends=False)
    assert (back.state, back.nonce, back.attempts_count) == (IntentState.RESERVED, 0, 1)
    assert [one.id for one in await kit.intents.open_intents()] == [intent.id]
    second = await kit.attempts.build(lease, back, draft(2))
    assert (second.number, second.nonce, second.state) == (2, 0, AttemptState.BUILT)
    ended = await kit.settlements.bury(lease, second, await kit.now(intent.id), "deadline passed", SAID, ends=True)
    assert ended.state is IntentState.ABANDONED
    assert await kit.attempts.open_attempts() == []


async def test_a_doubtful_intent_keeps_its_funds_and_its_attempt(kit: Kit) -> None:
    lease = await kit.lease()
    attempt, intent = await kit.signed(lease)
    doubted = await kit.settlements.doubt(lease, attempt, intent, Contradiction("two truths"), SAID)
    assert doubted.state is IntentState.QUARANTINED
    assert await kit.settlements.doubt(lease, attempt, intent, Contradiction("two truths"), SAID) == doubted
    await kit.reserved(lease)
    assert isinstance(await kit.reserve(lease, await kit.plants()), Rejected)
    settled = await kit.settlements.settle(lease, attempt, doubted, fill(), SAID)
    assert settled.state is IntentState.SETTLED


async def test_costs_of_a_day_are_added_up(kit: Kit) -> None:
    lease = await kit.lease()
    attempt, intent = await kit.signed(lease)
    await kit.settlements.settle(lease, attempt, intent, fill(), SAID)
    failed, other = await kit.signed(lease, 2)
    failure = Failure(Slot(130), "error", Cost(6_000, 0))
    reverted = await kit.settlements.revert(lease, failed, other, failure, SAID, ends=True)
    assert await kit.settlements.revert(lease, failed, other, failure, SAID, ends=True) == reverted
    assert (reverted.state, reverted.reason) == (IntentState.REVERTED, "error")
    assert await kit.intents.spent_lamports(kit.user, Slot(0)) == 2_011_000
    assert await kit.intents.spent_lamports(kit.user, Slot(125)) == 6_000
    assert await kit.intents.spent_lamports(kit.user, Slot(131)) == 0


async def test_an_attempt_that_failed_for_its_slot_leaves_room_for_another_and_costs_its_fee(kit: Kit) -> None:
    lease = await kit.lease()
    late, intent = await kit.signed(lease)
    failure = Failure(Slot(141), "too late", Cost(5_000, 0))
    back = await kit.settlements.revert(lease, late, intent, failure, SAID, ends=False)
    assert await kit.settlements.revert(lease, late, intent, failure, SAID, ends=False) == back
    assert (back.state, back.reason, back.nonce, back.attempts_count) == (IntentState.RESERVED, "too late", 0, 1)
    assert [one.id for one in await kit.intents.open_intents()] == [intent.id]
    assert await kit.attempts.open_attempts() == []
    second = await kit.attempts.build(lease, back, draft(2))
    assert (second.number, second.nonce) == (2, 0)
    assert await kit.intents.spent_lamports(kit.user, Slot(0)) == 5_000


async def test_attempts_are_found_by_their_signatures(kit: Kit) -> None:
    lease = await kit.lease()
    attempt, _ = await kit.signed(lease)
    assert await kit.attempts.by_signature([signature(), Signature("another")]) == {signature(): attempt}


async def test_an_observation_is_noted_and_decides_nothing(kit: Kit) -> None:
    lease = await kit.lease()
    attempt, _ = await kit.signed(lease)
    await kit.attempts.observe(attempt, Commitment.PROCESSED, Slot(101))
    ((found, _),) = await kit.attempts.open_attempts()
    assert (found.seen_commitment, found.state, found.version) == (Commitment.PROCESSED, AttemptState.SIGNED, attempt.version)


async def test_the_sweep_of_each_provider_goes_on_where_it_was_and_never_back(kit: Kit) -> None:
    lease = await kit.lease()
    assert await kit.sweeps.cursor(BOT_ADDRESS, "one") is None
    await kit.sweeps.move(lease, BOT_ADDRESS, "one", Swept(signature(1), Slot(5)), [])
    await kit.sweeps.move(lease, BOT_ADDRESS, "one", Swept(signature(2), Slot(6)), [])
    await kit.sweeps.move(lease, BOT_ADDRESS, "one", Swept(signature(1), Slot(5)), [])
    await kit.sweeps.move(lease, BOT_ADDRESS, "two", Swept(signature(1), Slot(5)), [])
    assert await kit.sweeps.cursor(BOT_ADDRESS, "one") == Swept(signature(2), Slot(6))
    assert await kit.sweeps.cursor(BOT_ADDRESS, "two") == Swept(signature(1), Slot(5))


async def test_what_has_landed_is_found_by_its_slot(kit: Kit) -> None:
    lease = await kit.lease()
    attempt, intent = await kit.signed(lease)
    await kit.settlements.settle(lease, attempt, intent, fill(), SAID)
    failed, other = await kit.signed(lease, 2)
    await kit.settlements.revert(lease, failed, other, Failure(Slot(130), "error", Cost(6_000, 0)), SAID, ends=True)
    good, bad = Landing(signature(1), Slot(120), None), Landing(signature(2), Slot(130), "error")
    assert await kit.sweeps.landed(after=Slot(0), upto=Slot(200)) == [good, bad]
    assert await kit.sweeps.landed(after=Slot(119), upto=Slot(129)) == [good]
    assert await kit.sweeps.landed(after=Slot(120), upto=Slot(130)) == [bad]


async def test_what_the_dead_cost_is_booked_once_and_they_stay_dead(kit: Kit) -> None:
    lease = await kit.lease()
    attempt, intent = await kit.signed(lease)
    failure = Failure(Slot(150), "too late", Cost(5_000, 0))
    assert not await kit.sweeps.book_late(lease, signature(), failure, "local"), "it lives"
    await kit.settlements.bury(lease, attempt, intent, "deadline passed", SAID, ends=True)
    assert await kit.sweeps.book_late(lease, signature(), failure, "local")
    assert not await kit.sweeps.book_late(lease, signature(), failure, "another")
    assert (await kit.attempts.by_signature([signature()]))[signature()].state is AttemptState.DEAD
    assert await kit.intents.spent_lamports(kit.user, Slot(0)) == 5_000
    assert await kit.sweeps.landed(after=Slot(0), upto=Slot(200)) == [], "nothing was settled by it"


@on_postgres
async def test_a_disagreement_is_told_with_the_move(kit: Kit, stored: AsyncEngine) -> None:
    lease = await kit.lease()
    await kit.sweeps.move(lease, BOT_ADDRESS, "one", Swept(signature(), Slot(5)), [Disagreement(signature(), "not shown")])
    async with stored.begin() as connection:
        (told,) = await connection.execute(select(tables.outbox.c.topic, tables.outbox.c.key, tables.outbox.c.payload))
    expected = {"provider": "one", "signature": signature(), "detail": "not shown"}
    assert tuple(told) == ("provider_disagrees", signature(), expected)


async def test_a_stop_holds_until_a_person_lets_go(kit: Kit) -> None:
    assert await kit.switch.state() == Running()
    await kit.switch.stop("ledger differs", actor="reconciler")
    await kit.switch.stop("again", actor="person")
    assert await kit.switch.state() == Stopped("ledger differs")
    await kit.switch.release("looked at", actor="person")
    assert await kit.switch.state() == Running()


# Only PostgreSQL


@on_postgres
async def test_a_settled_trade_is_booked_in_one_piece(kit: Kit, stored: AsyncEngine) -> None:
    lease = await kit.lease()
    attempt, intent = await kit.signed(lease)
    await kit.settlements.settle(lease, attempt, intent, fill(), SAID)
    async with stored.begin() as connection:
        trade = (await connection.execute(select(tables.trades))).one()
        job = (await connection.execute(select(tables.execution_jobs))).one()
        booked = (await connection.execute(select(tables.ledger).order_by(tables.ledger.c.delta_raw))).all()
        told = (await connection.execute(select(tables.outbox.c.topic, tables.outbox.c.payload))).all()
        proof = (await connection.execute(select(tables.evidence))).one()
        filled = (await connection.execute(select(tables.fills))).one()
    assert (trade.id, trade.status, trade.amount, trade.slippage) == (attempt.id, "completed", 10, 5)
    assert (trade.amount_in_raw, trade.amount_out_raw, trade.slippage_fraction, trade.was_clamped) == (AMOUNT, 950, 0.05, False)
    assert (trade.execution_job_id, trade.transaction_signature) == (intent.id, "signature-1")
    assert (job.id, job.status, job.target_trader) == (intent.id, "settled", filled.leader)
    assert [(row.mint, row.delta_raw, row.cause, row.intent_id) for row in booked] == [
        (USDC, -AMOUNT, "trade", intent.id),
        (BONK, 950, "trade", intent.id),
    ]
    assert [topic for topic, _ in told] == ["intent_settled"]
    assert (proof.verdict, proof.provider, proof.facts["status"]["commitment"]) == ("final_ok", "local", "finalized")
    assert (filled.input_raw, filled.output_raw, filled.fee_lamports) == (AMOUNT, 950, 5_000)


@on_postgres
async def test_a_change_that_the_vaults_follower_booked_first_becomes_the_trades(kit: Kit, stored: AsyncEngine) -> None:
    lease = await kit.lease()
    attempt, intent = await kit.signed(lease)
    await book(stored, -AMOUNT)
    await kit.settlements.settle(lease, attempt, intent, fill(), SAID)
    async with stored.begin() as connection:
        rows = (await connection.execute(select(tables.ledger.c.cause, tables.ledger.c.intent_id))).all()
    assert sorted(rows) == [("trade", intent.id), ("trade", intent.id)]


@on_postgres
async def test_a_ledger_that_says_otherwise_stops_everything(kit: Kit, stored: AsyncEngine) -> None:
    lease = await kit.lease()
    attempt, intent = await kit.signed(lease)
    await book(stored, -1)
    with pytest.raises(BrokenInvariant):
        await kit.settlements.settle(lease, attempt, intent, fill(), SAID)
    assert (await kit.now(intent.id)).state is IntentState.IN_FLIGHT, "nothing of it was written"


async def book(engine: AsyncEngine, delta_raw: int) -> None:
    row = {"vault": str(VAULT), "mint": USDC, "delta_raw": delta_raw, "cause": "transfer", "signature": signature(), "slot": 120}
    async with engine.begin() as connection:
        await connection.execute(tables.ledger.insert().values(genesis_hash=LOCAL_GENESIS, **row))


@on_postgres
async def test_amounts_beyond_specs_columns_are_clamped_and_say_so(kit: Kit, stored: AsyncEngine) -> None:
    lease = await kit.lease()
    huge = 10**38
    intent = await kit.plants(huge)
    reserved = await kit.reserve(lease, intent, held_raw=huge)
    assert isinstance(reserved, Intent)
    built = await kit.attempts.build(lease, reserved, replace(draft(), quoted_out_raw=1))
    signed = await kit.attempts.record_signature(lease, built, signature(), b"whole")
    await kit.settlements.settle(lease, signed, await kit.now(intent.id), replace(fill(), output_raw=10**6), SAID)
    async with stored.begin() as connection:
        trade = (await connection.execute(select(tables.trades))).one()
    assert str(trade.amount) == "99999999999999.999999"
    assert str(trade.slippage) == "-999.99"
    assert trade.was_clamped
    assert trade.amount_in_raw == huge


@on_postgres
async def test_a_changed_message_is_a_broken_invariant(kit: Kit, stored: AsyncEngine) -> None:
    lease = await kit.lease()
    built = await kit.attempts.build(lease, await kit.reserved(lease), draft())
    async with stored.begin() as connection:
        await connection.execute(update(tables.attempts).values(message=b"forged"))
    with pytest.raises(BrokenInvariant):
        await kit.attempts.record_signature(lease, built, signature(), b"whole")


@on_postgres
async def test_a_lease_runs_out_by_the_databases_clock(kit: Kit, stored: AsyncEngine) -> None:
    leases = PostgresLeases(stored, seconds=30)
    first = await leases.take("one")
    assert isinstance(first, Lease)
    held = await leases.take("two")
    assert isinstance(held, HeldByOther)
    assert 0 < held.seconds_left <= 30
    async with stored.begin() as connection:
        await connection.execute(update(tables.leases).values(expires_at=func.clock_timestamp()))
    second = await leases.take("two")
    assert isinstance(second, Lease)
    assert second.epoch == first.epoch + 1


@on_postgres
async def test_of_many_takers_of_a_new_lease_one_has_it(kit: Kit, stored: AsyncEngine) -> None:
    leases = PostgresLeases(stored, "another work", seconds=30)
    taken = await asyncio.gather(*(leases.take(f"holder {number}") for number in range(8)))
    assert len([one for one in taken if isinstance(one, Lease)]) == 1


@on_postgres
async def test_an_unreadable_switch_is_a_stop(kit: Kit, stored: AsyncEngine) -> None:
    async with stored.begin() as connection:
        await connection.execute(text("lock table kill_switch in access exclusive mode"))
        switch = PostgresKillSwitch(stored, read_seconds_max=0.1)
        assert isinstance(await switch.state(), Stopped)


@on_postgres
async def test_changes_of_the_switch_are_told_once(kit: Kit, stored: AsyncEngine) -> None:
    for _ in range(2):
        await kit.switch.stop("a reason", actor="person")
    async with stored.begin() as connection:
        count = (await connection.execute(select(func.count()).select_from(tables.outbox))).scalar_one()
    assert count == 1
