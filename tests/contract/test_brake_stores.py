"""What stops ask for and what was done: one suite on memory and on PostgreSQL."""

from dataclasses import replace

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.contract.test_execution_stores import BOT_ADDRESS, SAID, Kit, kit, on_postgres, signature, stored
from tests.fakes.intent_rows import LEADER, USER
from tests.fakes.simulated_chain import VAULT

from xorj.adapters.postgres import tables
from xorj.adapters.postgres.stops import PostgresStops
from xorj.chain.transactions import Blockhash, Commitment
from xorj.execution.attempt import AttemptState
from xorj.execution.brake import TRIES_MAX, Brake, BrakeDraft, BrakeEnding, BrakeKind, Wanted
from xorj.execution.fill import Cost
from xorj.execution.lease import ChangedElsewhere, Deposed, Lease
from xorj.execution.settlement import Burned
from xorj.primitives.ids import LOCAL_GENESIS, Signature, Slot, UserId
from xorj.reporting.ports import Everyone, Nobody

__all__ = ["kit", "stored"]

DRAFT = BrakeDraft(b"brake", Blockhash("11111111111111111111111111111111", 250, Slot(100)))
LANDED = BrakeEnding(Slot(120), None, Cost(5_000, 0))


async def asked(kit: Kit) -> list[Wanted]:
    return await kit.brakes.wanted(BOT_ADDRESS)


async def begun(kit: Kit, lease: Lease, wanted: Wanted, number: int = 7) -> Brake:
    built = await kit.brakes.build(lease, wanted, DRAFT)
    return await kit.brakes.record_signature(lease, built, signature(number), b"whole")


async def test_without_a_stop_nothing_is_asked(kit: Kit) -> None:
    await kit.signed(await kit.lease())
    assert await asked(kit) == []


async def test_a_stop_asks_for_a_pause_of_every_vault_and_a_burn_of_every_trade_in_doubt(kit: Kit) -> None:
    attempt, intent = await kit.signed(await kit.lease())
    await kit.switch.stop("a person", actor="person")
    pause, burn = await asked(kit)
    assert (pause.kind, pause.vault, pause.owner, pause.reason, pause.number) == (BrakeKind.PAUSE, str(VAULT), intent.owner, "a person", 1)
    assert burn.trade is not None
    assert (burn.trade.attempt_id, burn.trade.intent_id, burn.trade.nonce) == (attempt.id, intent.id, attempt.nonce)
    assert (burn.trade.deadline_slot, burn.reason) == (attempt.deadline_slot, "a person")


async def test_what_is_under_way_or_done_is_not_asked_again_and_what_failed_is(kit: Kit) -> None:
    lease = await kit.lease()
    await kit.signed(lease)
    await kit.switch.stop("a person", actor="person")
    _, burn = await asked(kit)
    signed = await begun(kit, lease, burn)
    assert burn.subject not in [one.subject for one in await asked(kit)]
    ended = await kit.brakes.end(lease, signed, AttemptState.DEAD, BrakeEnding(detail="expired"), SAID)
    assert ended.state is AttemptState.DEAD
    _, again = await asked(kit)
    assert (again.number, again.id == burn.id) == (2, False)
    second = await begun(kit, lease, again, 8)
    await kit.brakes.end(lease, second, AttemptState.FINAL_OK, LANDED, SAID)
    assert [one.kind for one in await asked(kit)] == [BrakeKind.PAUSE]
    assert await kit.brakes.burned([str(burn.subject), "another"]) == {burn.subject: Burned(signature(8), Slot(120))}
    assert await kit.brakes.open_brakes() == []


async def test_after_a_few_failures_it_is_left(kit: Kit) -> None:
    lease = await kit.lease()
    await kit.signed(lease)
    await kit.switch.stop("a person", actor="person")
    for number in range(1, TRIES_MAX + 1):
        _, burn = await asked(kit)
        assert burn.number == number
        built = await kit.brakes.build(lease, burn, DRAFT)
        await kit.brakes.end(lease, built, AttemptState.DEAD, BrakeEnding(detail="expired"), SAID)
    assert [one.kind for one in await asked(kit)] == [BrakeKind.PAUSE]


async def test_what_somebody_has_seen_land_is_not_in_doubt(kit: Kit) -> None:
    attempt, _ = await kit.signed(await kit.lease())
    await kit.switch.stop("a person", actor="person")
    await kit.attempts.observe(attempt, Commitment.PROCESSED, Slot(110))
    assert len(await asked(kit)) == 2, "a fork may undo it"
    await kit.attempts.observe(attempt, Commitment.CONFIRMED, Slot(110))
    assert [one.kind for one in await asked(kit)] == [BrakeKind.PAUSE]


async def test_each_stop_pauses_anew(kit: Kit) -> None:
    lease = await kit.lease()
    await kit.plants()
    await kit.switch.stop("a person", actor="person")
    (pause,) = await asked(kit)
    await kit.brakes.end(lease, await begun(kit, lease, pause), AttemptState.FINAL_OK, LANDED, SAID)
    assert await asked(kit) == []
    await kit.switch.release("looked at", actor="person")
    await kit.switch.stop("again", actor="person")
    (again,) = await asked(kit)
    assert (again.subject == pause.subject, again.number, again.stop > pause.stop) == (False, 1, True)


async def test_repeated_steps_change_nothing(kit: Kit) -> None:
    lease = await kit.lease()
    await kit.plants()
    await kit.switch.stop("a person", actor="person")
    (pause,) = await asked(kit)
    built = await kit.brakes.build(lease, pause, DRAFT)
    assert await kit.brakes.build(lease, pause, DRAFT) == built
    with pytest.raises(ChangedElsewhere):
        await kit.brakes.build(lease, pause, BrakeDraft(b"another", DRAFT.blockhash))
    signed = await kit.brakes.record_signature(lease, built, signature(1), b"whole")
    assert await kit.brakes.record_signature(lease, built, signature(1), b"whole") == signed
    with pytest.raises(ChangedElsewhere):
        await kit.brakes.record_signature(lease, built, signature(2), b"whole")
    ended = await kit.brakes.end(lease, signed, AttemptState.FINAL_OK, LANDED, SAID)
    assert await kit.brakes.end(lease, signed, AttemptState.FINAL_OK, LANDED, SAID) == ended
    with pytest.raises(ChangedElsewhere):
        await kit.brakes.end(lease, signed, AttemptState.DEAD, BrakeEnding(), SAID)


async def test_a_deposed_bot_writes_nothing(kit: Kit) -> None:
    old = await kit.lease()
    await kit.plants()
    await kit.switch.stop("a person", actor="person")
    (pause,) = await asked(kit)
    built = await kit.brakes.build(old, pause, DRAFT)
    await kit.lease()
    with pytest.raises(Deposed):
        await kit.brakes.build(old, pause, DRAFT)
    with pytest.raises(Deposed):
        await kit.brakes.record_signature(old, built, signature(1), b"whole")
    with pytest.raises(Deposed):
        await kit.brakes.end(old, built, AttemptState.DEAD, BrakeEnding(), SAID)


async def test_the_sweep_knows_them(kit: Kit) -> None:
    lease = await kit.lease()
    await kit.plants()
    await kit.switch.stop("a person", actor="person")
    (pause,) = await asked(kit)
    await begun(kit, lease, pause, 4)
    assert await kit.sweeps.brakes([signature(4), Signature("a stranger's")]) == {signature(4)}


@on_postgres
@pytest.mark.parametrize("stopped", ["paused", "follow ended"])
async def test_an_owners_pause_and_the_end_of_a_follow_ask_for_burns_alone(kit: Kit, stored: AsyncEngine, stopped: str) -> None:
    attempt, intent = await kit.signed(await kit.lease())
    async with stored.begin() as connection:
        if stopped == "paused":
            await connection.execute(update(tables.vaults).values(is_paused=True))
        else:
            await plant_ended_follow(connection, intent.id)
    (burn,) = await asked(kit)
    assert burn.trade is not None
    assert burn.trade.attempt_id == attempt.id
    assert await kit.brakes.has_ended(intent.id) is (stopped == "follow ended")
    assert burn.reason == {"paused": "the vault is paused", "follow ended": "the follow has ended"}[stopped]


@on_postgres
async def test_a_vault_of_another_bot_is_left_alone(kit: Kit, stored: AsyncEngine) -> None:
    await kit.signed(await kit.lease())
    await kit.switch.stop("a person", actor="person")
    async with stored.begin() as connection:
        await connection.execute(update(tables.vaults).values(bot_authority=LEADER))
    assert await asked(kit) == []


@on_postgres
async def test_the_end_is_kept_with_who_said_so_and_its_fee(kit: Kit, stored: AsyncEngine) -> None:
    lease = await kit.lease()
    await kit.plants()
    await kit.switch.stop("a person", actor="person")
    (pause,) = await asked(kit)
    signed = await begun(kit, lease, pause)
    await kit.brakes.end(lease, signed, AttemptState.FINAL_ERR, replace(LANDED, detail="e" * 2_000), SAID)
    async with stored.begin() as connection:
        row = (await connection.execute(select(tables.brakes))).one()
    assert (row.landed_slot, row.fee_lamports, len(row.detail), row.evidence[0]["provider"]) == (120, 5_000, 1_000, "local")


@on_postgres
async def test_the_report_tells_vault_by_vault_what_was_done(kit: Kit, stored: AsyncEngine) -> None:
    lease, stops = await kit.lease(), PostgresStops(stored)
    attempt, intent = await kit.signed(lease)
    assert (await stops.report(Everyone())).complete is False, "nobody has stopped anything"
    await kit.switch.stop("a person", actor="person")
    pause, burn = await asked(kit)
    await kit.brakes.end(lease, await begun(kit, lease, pause, 8), AttemptState.FINAL_OK, LANDED, SAID)
    failed = await begun(kit, lease, burn, 9)
    await kit.brakes.end(lease, failed, AttemptState.DEAD, BrakeEnding(detail="expired"), SAID)
    _, again = [pause, *await asked(kit)]
    await begun(kit, lease, again, 10)
    for audience in (Everyone(), UserId(USER)):
        report = await stops.report(audience)
        (vault,) = report.vaults
        assert (report.stopped, report.reason, report.complete, report.vaults_count) == (True, "a person", False, 1)
        assert (vault.paused, vault.in_doubt) == (False, 1)
        shown = [(one.kind, one.status, one.signature, one.intent_id) for one in vault.brakes]
        assert shown == [("pause", "done", signature(8), None), ("burn", "sent", signature(10), intent.id)]
    assert (await stops.report(UserId("another"))).vaults == (await stops.report(Nobody())).vaults == []
    assert (await stops.report(Nobody())).complete is False, "whoever sees no vault is not told that all is done"
    await kit.settlements.bury(lease, attempt, intent, "burned", SAID, ends=True)
    assert (await stops.report(Everyone())).complete


async def plant_ended_follow(connection: object, intent_id: str) -> None:
    """The decision and the follow behind an intent; the follow has ended."""
    run = connection.execute  # type: ignore[attr-defined]  # of an AsyncConnection
    of_chain = {"genesis_hash": LOCAL_GENESIS, "user_id": USER, "vault": str(VAULT)}
    leads = {"leader": LEADER, "allocation_bps": 100, "mode": "copy", "valid_from_slot": 1, "valid_to_slot": 5}
    await run(insert(tables.follows).values(id="follow", **of_chain, **leads))
    amounts = {"input_mint": LEADER, "input_raw": 1, "input_decimals": 0, "output_mint": USER, "output_raw": 1, "output_decimals": 0}
    seen = {"leader": LEADER, "signature": "s", "swap_index": 0, "slot": 1, "direction": "open", "seen_slot": 1}
    await run(insert(tables.leader_trades).values(id="trade", genesis_hash=LOCAL_GENESIS, **seen, **amounts))
    why = {"outcome": "copied", "rule": "r", "rule_version": 1, "numbers": {}, "slot": 1}
    await run(insert(tables.decisions).values(id="decision", leader_trade_id="trade", follow_id="follow", **of_chain, **why))
    await run(update(tables.intents).where(tables.intents.c.id == intent_id).values(decision_id="decision"))
