"""The way of a stop: vaults are paused on chain and the nonces of trades in doubt are burned, each by the write-ahead steps of a trade.

A round settles the brakes under way, then begins those that are asked for. Called by execute_under_lease, at start-up before anything else.
What became of the trade itself stays the business of reconcile_intents, which takes a burn that worked for a proof of death.
"""

import asyncio
from collections.abc import Sequence

from solders.pubkey import Pubkey

from xorj.chain.ports import ACCOUNTS_PER_CALL_MAX
from xorj.chain.transactions import Account, Blockhash
from xorj.execution import message
from xorj.execution.ask_providers import Views, finalized_transaction, is_final_anywhere, nonce_word, views, witnesses
from xorj.execution.attempt import AttemptState
from xorj.execution.brake import Brake, BrakeDraft, BrakeEnding, BrakeKind, Wanted, needless
from xorj.execution.desk import Desk
from xorj.execution.execute_intents import send, signed_by_bot
from xorj.execution.fill import cost_of
from xorj.execution.lease import ChangedElsewhere, Lease
from xorj.execution.ports import Moment, SignerRefused
from xorj.execution.priority_fee import priority_fee_lamports
from xorj.execution.reconcile_intents import Resends
from xorj.execution.rejected import Rejected
from xorj.execution.settlement import Contradiction, Dead, FinalError, FinalOk, Unknown, Verdict, Witness, judge_brake, providers_needed
from xorj.observability import logging, metrics
from xorj.primitives.errors import BrokenInvariant, Unavailable
from xorj.primitives.ids import Address, Slot
from xorj.vault import accounts, open_vault
from xorj.vault.open_vault import OpenVault

log = logging.get("brakes")

# Several times what either instruction takes.
COMPUTE_UNITS = 50_000
# Vault, policy and config of each are read in one call.
WANTED_PER_BATCH = ACCOUNTS_PER_CALL_MAX // 3


async def apply_brakes(desk: Desk, lease: Lease, resends: Resends) -> int:
    """One round; how many brakes have no end yet. Raises Deposed, Unavailable, BrokenInvariant."""
    still_open = await _settled(desk, lease, resends)
    asked = await desk.stores.stops.wanted(desk.bot_address)
    if not asked:
        return still_open
    await desk.checkpoint(Moment.BRAKING, asked[0].id)
    begun = 0
    for start in range(0, len(asked), WANTED_PER_BATCH):
        begun += await _begun(desk, lease, asked[start : start + WANTED_PER_BATCH])
    return still_open + begun


async def _settled(desk: Desk, lease: Lease, resends: Resends) -> int:
    """Books the ends that are proven; what is left is signed or sent again where that may still help."""
    opened = await desk.stores.brakes.open_brakes()
    if not opened:
        return 0
    seen = await views(desk, [brake.signature for brake in opened if brake.signature is not None])
    now = (await desk.clock.now()).slot
    left = 0
    for brake in opened:
        try:
            verdict = await _settle(desk, lease, brake, seen)
            if isinstance(verdict, Unknown) and verdict.seen is None:
                await _go_on(desk, lease, brake, resends, now)
            left += isinstance(verdict, Unknown | Contradiction)
        except (Unavailable, ChangedElsewhere) as error:
            log.warning("brake_not_judged", brake_id=brake.id, error=str(error))
            left += 1
    return left


async def _settle(desk: Desk, lease: Lease, brake: Brake, seen: Views) -> Verdict:
    said = await witnesses(desk, brake, seen)
    nonce = None
    if brake.nonce is not None and brake.bot_epoch is not None and is_final_anywhere(said):
        nonce = await nonce_word(desk, brake.vault, brake.nonce, brake.bot_epoch)
    verdict = judge_brake(brake, said, nonce, needed=providers_needed(desk.genesis), bounds=desk.bounds)
    match verdict:
        case FinalOk():
            await _end(desk, lease, brake, AttemptState.FINAL_OK, await _landed(desk, brake, verdict.slot, None), said)
        case FinalError():
            await _end(desk, lease, brake, AttemptState.FINAL_ERR, await _landed(desk, brake, verdict.slot, verdict.error), said)
        case Dead():
            await _end(desk, lease, brake, AttemptState.DEAD, BrakeEnding(detail=verdict.proof), said)
        case Contradiction():
            log.error("brake_in_contradiction", brake_id=brake.id, detail=verdict.detail)
        case Unknown():
            pass
    return verdict


async def _landed(desk: Desk, brake: Brake, slot: Slot, error: str | None) -> BrakeEnding:
    return BrakeEnding(slot, error, cost_of(await finalized_transaction(desk, brake)))


async def _end(desk: Desk, lease: Lease, brake: Brake, state: AttemptState, ending: BrakeEnding, said: Sequence[Witness]) -> None:
    await desk.stores.brakes.end(lease, brake, state, ending, said)
    metrics.BRAKES.labels(brake.kind, state).inc()
    log.info("brake_ended", brake_id=brake.id, kind=brake.kind, vault=brake.vault, state=state, signature=brake.signature, slot=ending.slot)


async def _go_on(desk: Desk, lease: Lease, brake: Brake, resends: Resends, now: Slot) -> None:
    """A brake that was begun is brought to its end, also where trades may start again: a half-known burn would be worth nothing."""
    if brake.state is AttemptState.BUILT:
        await _signed_and_sent(desk, lease, brake)
    elif resends.is_due(brake, now):
        await send(desk, brake)
        resends.note(brake, now)


async def _begun(desk: Desk, lease: Lease, asked: Sequence[Wanted]) -> int:
    """Those of `asked` that change anything, a few at a time. One that fails does not hold up the others."""
    policies = [Address(str(accounts.policy_address(Pubkey.from_string(one.vault)))) for one in asked]
    vaults = [one.vault for one in asked]
    found, blockhash, fees = await asyncio.gather(
        desk.primary.accounts.accounts([*vaults, *policies, Address(str(accounts.config_address()))]),
        desk.blockhashes.latest_blockhash(),
        desk.blockhashes.recent_priority_fees(list(dict.fromkeys(policies))),
    )
    *read, config = found
    places = zip(asked, read[: len(asked)], read[len(asked) :], strict=True)
    needed = [one for one, vault, policy in places if _is_needed(desk, one, vault, policy, config, blockhash.slot)]
    begun = 0
    # A paused vault refuses the trade wherever it is; burning makes that last beyond the pause.
    for kind in (BrakeKind.PAUSE, BrakeKind.BURN):
        begun += await _begun_at_once(desk, lease, [one for one in needed if one.kind is kind], blockhash, fees)
    return begun


async def _begun_at_once(desk: Desk, lease: Lease, needed: Sequence[Wanted], blockhash: Blockhash, fees: Sequence[int]) -> int:
    begun, at_once = 0, desk.bounds.intents_at_once_max
    for some in (needed[start : start + at_once] for start in range(0, len(needed), at_once)):
        outcomes = await asyncio.gather(*(_begin(desk, lease, one, blockhash, fees) for one in some), return_exceptions=True)
        for one, outcome in zip(some, outcomes, strict=True):
            if isinstance(outcome, Unavailable | ChangedElsewhere):
                log.warning("brake_not_begun", brake_id=one.id, kind=one.kind, vault=one.vault, error=str(outcome))
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                begun += 1
    return begun


def _is_needed(desk: Desk, one: Wanted, vault: Account | None, policy: Account | None, config: Account | None, now: Slot) -> bool:
    opened = open_vault.read(vault, policy, config)
    return isinstance(opened, OpenVault) and needless(one, opened.vault, opened.policy, desk.bot_address, now) is None


async def _begin(desk: Desk, lease: Lease, one: Wanted, blockhash: Blockhash, fees: Sequence[int]) -> None:
    fee = priority_fee_lamports(
        fees, COMPUTE_UNITS, percentile=desk.bounds.priority_fee_percentile, lamports_max=desk.bounds.priority_fee_lamports_max
    )
    whole = message.brake_message(
        one,
        desk.bot,
        deadline_slot=blockhash.slot + desk.bounds.deadline_slots,
        blockhash=blockhash.blockhash,
        budget=message.Budget(COMPUTE_UNITS, fee),
    )
    if isinstance(whole, Rejected):
        raise BrokenInvariant("a brake does not fit a transaction", vault=one.vault, why=str(whole))
    brake = await desk.stores.brakes.build(lease, one, BrakeDraft(whole, blockhash))
    log.warning("brake_begun", brake_id=brake.id, kind=one.kind, vault=one.vault, reason=one.reason)
    await desk.checkpoint(Moment.BRAKE_BUILT, brake.id)
    await _signed_and_sent(desk, lease, brake)


async def _signed_and_sent(desk: Desk, lease: Lease, brake: Brake) -> None:
    """The kill switch is not asked: this is what it is for."""
    found = await signed_by_bot(desk, lease, brake)
    if isinstance(found, SignerRefused):
        return
    signed = await desk.stores.brakes.record_signature(lease, brake, *found)
    await desk.checkpoint(Moment.BRAKE_SIGNED, brake.id)
    await send(desk, signed)
    log.info("brake_sent", brake_id=brake.id, kind=brake.kind, vault=brake.vault, signature=signed.signature)
    await desk.checkpoint(Moment.BRAKE_SENT, brake.id)
