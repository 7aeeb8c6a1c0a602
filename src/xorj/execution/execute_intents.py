"""The way forward: an intent becomes a signed and sent transaction, one durable step before each effect. Called by execute_under_lease.

NEW -> reserved nonce and amount -> quote -> checks -> message -> simulation -> BUILT committed -> signature -> SIGNED committed -> sent.
What happens to the transaction afterwards is the business of reconcile_intents, also for those sent here.
"""

import asyncio
from dataclasses import dataclass
from hashlib import sha256

from solders.pubkey import Pubkey
from solders.signature import Signature as RawSignature

from xorj.chain.transactions import Blockhash, SendHint
from xorj.copying.decision import Side
from xorj.copying.situation import Stopped
from xorj.execution import message, quote_checks, vault_state
from xorj.execution.attempt import Attempt, Draft, Outstanding
from xorj.execution.bounds import SLOTS_PER_DAY
from xorj.execution.brake import Brake
from xorj.execution.desk import Desk
from xorj.execution.intent import Intent, IntentState
from xorj.execution.lease import Lease
from xorj.execution.ports import Moment, SignerRefused
from xorj.execution.priority_fee import priority_fee_lamports
from xorj.execution.rejected import Rejected
from xorj.execution.simulation_checks import check_simulation
from xorj.execution.vault_checks import check_nonce, check_vault
from xorj.execution.vault_state import TradeAddresses, VaultState
from xorj.market.token_screen import ClassicToken, screen
from xorj.observability import logging, metrics
from xorj.prices.price import Price
from xorj.primitives.clock import ChainTime
from xorj.primitives.errors import BrokenInvariant, Unavailable
from xorj.primitives.ids import Address, Mint, Signature, Slot
from xorj.router.quote import NoRoute, RouteQuote
from xorj.vault.instructions import Guard
from xorj.vault.open_vault import NoVault

log = logging.get("execution")


@dataclass(frozen=True, slots=True)
class Sent:
    """Handed to the network; what becomes of it is not known yet."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Ended:
    """The intent is over without an effect."""

    intent: Intent


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing was lost; a later try may get further."""

    reason: str


Step = Sent | Ended | Waiting


@dataclass(frozen=True, slots=True)
class _Offer:
    """What the message is built from, all of it checked."""

    state: VaultState
    quote: RouteQuote
    approved: quote_checks.Approved
    blockhash: Blockhash
    recent_fees: list[int]


async def execute_intent(desk: Desk, lease: Lease, intent: Intent) -> Step:
    """Takes one intent as far as it goes now. Raises Deposed, ChangedElsewhere, Unavailable, BrokenInvariant."""
    await desk.checkpoint(Moment.CLAIMED, intent.id)
    now, state, switch, spent = await asyncio.gather(
        desk.clock.now(), read_state(desk, intent), desk.kill_switch.state(), _spent(desk, intent)
    )
    if now.slot > intent.expires_slot:
        return await _cancel(desk, lease, intent, f"expired: slot {now.slot} is after {intent.expires_slot}")
    if isinstance(switch, Stopped):
        return Waiting(f"stopped: {switch.reason}")
    # New ones are cancelled with the follow; those that had begun are execution's.
    if intent.state is IntentState.RESERVED and await desk.stores.stops.has_ended(intent.id):
        return await _cancel(desk, lease, intent, "the follow has ended")
    allowed = _allowed(desk, intent, state, now, spent)
    if isinstance(allowed, Rejected):
        return await _rejected(desk, lease, intent, allowed)
    reserved, offer = await _reserved_and_offered(desk, lease, intent, allowed, now)
    if isinstance(reserved, Rejected):
        return await _rejected(desk, lease, intent, reserved)
    await desk.checkpoint(Moment.RESERVED, intent.id)
    if isinstance(offer, Rejected):
        return await _rejected(desk, lease, reserved, offer)
    await desk.checkpoint(Moment.QUOTED, intent.id)
    draft, switch = await asyncio.gather(_draft(desk, reserved, offer), desk.kill_switch.state())
    if isinstance(draft, Rejected):
        return await _rejected(desk, lease, reserved, draft)
    if isinstance(switch, Stopped):
        return Waiting(f"stopped: {switch.reason}")
    attempt = await desk.stores.attempts.build(lease, reserved, draft)
    await desk.checkpoint(Moment.BUILT, intent.id)
    return await sign_and_send(desk, lease, attempt)


async def sign_and_send(desk: Desk, lease: Lease, attempt: Attempt) -> Sent | Waiting:
    """From BUILT on: the signature is verified and committed before the first byte is sent. Repeating it gives the same signature."""
    if isinstance(switch := await desk.kill_switch.state(), Stopped):
        return Waiting(f"stopped: {switch.reason}")
    found = await signed_by_bot(desk, lease, attempt)
    if isinstance(found, SignerRefused):
        return Waiting(f"signer refused: {found.rule}: {found.detail}")
    signature, whole = found
    await desk.checkpoint(Moment.SIGNATURE_RECEIVED, attempt.intent_id)
    signed = await desk.stores.attempts.record_signature(lease, attempt, signature, whole)
    await desk.checkpoint(Moment.SIGNED, attempt.intent_id)
    await send(desk, signed)
    log.info("transaction_sent", intent_id=signed.intent_id, signature=signed.signature, attempt=signed.number)
    await desk.checkpoint(Moment.SENT, attempt.intent_id)
    return Sent(signed)


async def signed_by_bot(desk: Desk, lease: Lease, one: Attempt | Brake) -> tuple[Signature, bytes] | SignerRefused:
    """The verified signature of a committed message, and the whole transaction. Raises BrokenInvariant for any other."""
    signature = await desk.signer.sign(one.message, lease_epoch=lease.epoch)
    if isinstance(signature, SignerRefused):
        # It is left to die by proof: that nobody signed it is the signer's word, not ours.
        log.warning("signature_refused", id=one.id, rule=signature.rule, detail=signature.detail)
        return signature
    if not is_signature_of(signature, desk.bot, one.message):
        raise BrokenInvariant("the signer's answer is no signature of the message", id=one.id)
    return signature, message.with_signature(one.message, RawSignature.from_string(signature))


async def send(desk: Desk, one: Outstanding) -> list[SendHint]:
    """The committed bytes to every provider at once. Their answers are hints: only settlement decides what happened."""
    if one.transaction is None:
        raise BrokenInvariant("bytes that are not committed must not be sent", id=one.id)
    hints = await asyncio.gather(*(provider.sender.send(one.transaction) for provider in desk.providers), return_exceptions=True)
    for provider, hint in zip(desk.providers, hints, strict=True):
        if isinstance(hint, BaseException) or not hint.accepted:
            log.info("send_not_accepted", provider=provider.name, signature=one.signature, detail=str(hint)[:200])
    return [hint for hint in hints if isinstance(hint, SendHint)]


async def read_state(desk: Desk, intent: Intent) -> VaultState | NoVault:
    """Vault, policy, config, token accounts and the bot's float, all at one slot."""
    addresses = TradeAddresses.of(intent)
    return vault_state.read(await desk.primary.accounts.accounts([*addresses.in_order, desk.bot_address]))


def is_signature_of(signature: Signature, key: Pubkey, data: bytes) -> bool:
    """Strict Ed25519."""
    try:
        return bool(RawSignature.from_string(signature).verify(key, data))
    except ValueError:
        return False


async def _spent(desk: Desk, intent: Intent) -> int:
    """What this user's trades of the last day have cost the bot, in lamports."""
    since = Slot(max(0, intent.created_slot - SLOTS_PER_DAY))
    return await desk.stores.intents.spent_lamports(intent.user_id, since)


def _allowed(desk: Desk, intent: Intent, state: VaultState | NoVault, now: ChainTime, spent_lamports: int) -> VaultState | Rejected:
    if isinstance(state, NoVault):
        return Rejected("no_vault", state.reason)
    verdict = check_vault(intent, state, desk.bot, now.unix_seconds, desk.bounds)
    if isinstance(verdict, Rejected):
        return verdict
    if spent_lamports >= desk.bounds.spending_lamports_per_user_day_max:
        return Rejected(
            "fee_budget", f"{spent_lamports} lamports of {desk.bounds.spending_lamports_per_user_day_max} a day", is_final=False
        )
    return state


async def _reserved_and_offered(
    desk: Desk, lease: Lease, intent: Intent, state: VaultState, now: ChainTime
) -> tuple[Intent | Rejected, _Offer | Rejected]:
    """A quote changes nothing, so it is asked for while the reservation is written. Neither is left running when the other fails."""
    reserving, offering = _reserved(desk, lease, intent, state), _offer(desk, intent, state, now)
    reserved, offer = await asyncio.gather(reserving, offering, return_exceptions=True)
    if isinstance(reserved, BaseException):
        raise reserved
    if isinstance(offer, BaseException):
        raise offer
    return reserved, offer


async def _reserved(desk: Desk, lease: Lease, intent: Intent, state: VaultState) -> Intent | Rejected:
    if intent.state is IntentState.RESERVED:
        free = check_nonce(intent, state)
        return free if isinstance(free, Rejected) else intent
    return await desk.stores.intents.reserve(
        lease,
        intent,
        nonce_min=state.policy.next_nonce(),
        bot_epoch=state.policy.bot_epoch,
        held_raw=state.vault_input_raw or 0,
        slot=state.slot,
    )


async def _offer(desk: Desk, intent: Intent, state: VaultState, now: ChainTime) -> _Offer | Rejected:
    """Quote, prices, blockhash and fees at once, then everything that can be said against the quote."""
    addresses = TradeAddresses.of(intent)
    quote, prices, blockhash, fees = await asyncio.gather(
        desk.router.quote(
            intent.input_mint,
            intent.output_mint,
            intent.amount_in_raw,
            slippage_bps=min(intent.slippage_bps, desk.bounds.slippage_bps_max),
            taker=Address(str(addresses.trade_authority)),
            payer=desk.bot_address,
            output=Address(str(addresses.trade_output)),
        ),
        _prices(desk, intent),
        desk.blockhashes.latest_blockhash(),
        desk.blockhashes.recent_priority_fees([Address(str(addresses.policy)), Address(str(addresses.vault_input))]),
    )
    if isinstance(quote, NoRoute):
        return Rejected("no_route", quote.detail, is_final=False)
    given = prices.get(intent.input_mint)
    decimals = given.decimals if given is not None else await _decimals(desk, intent.input_mint)
    if isinstance(decimals, Rejected):
        return decimals
    approved = quote_checks.check_quote(intent, quote, prices, now.slot, desk.bounds, input_decimals=decimals)
    if isinstance(approved, Rejected):
        return approved
    return _Offer(state, quote, approved, blockhash, fees)


async def _prices(desk: Desk, intent: Intent) -> dict[Mint, Price]:
    """No source at all is a missing price to an exit, and to an entry a reason to wait."""
    try:
        return await desk.prices.prices([intent.input_mint, intent.output_mint])
    except Unavailable:
        if intent.side is Side.SELL:
            return {}
        raise


async def _decimals(desk: Desk, mint: Mint) -> int | Rejected:
    (account,) = await desk.primary.accounts.accounts([Address(mint)])
    token = screen(mint, account)
    return token.decimals if isinstance(token, ClassicToken) else Rejected("token", token.reason, is_final=False)


async def _draft(desk: Desk, intent: Intent, offer: _Offer) -> Draft | Rejected:
    """The whole message, simulated and compared, with no more compute and fee than it needs."""
    deadline = Slot(offer.blockhash.slot + desk.bounds.deadline_slots)
    trial = _message(desk, intent, offer, deadline, message.Budget())
    if isinstance(trial, Rejected):
        return trial
    addresses = TradeAddresses.of(intent)
    watched = (addresses.vault_input, addresses.vault_output, addresses.trade_input, addresses.trade_output)
    outcome = await desk.simulator.simulate(message.unsigned(trial), accounts=[Address(str(key)) for key in watched])
    verdict = check_simulation(intent, offer.approved.minimum_out_raw, offer.state, outcome)
    if isinstance(verdict, Rejected):
        return verdict
    units = message.compute_units_for(outcome.compute_units, desk.bounds.compute_units_margin_percent)
    fee = priority_fee_lamports(
        offer.recent_fees, units, percentile=desk.bounds.priority_fee_percentile, lamports_max=desk.bounds.priority_fee_lamports_max
    )
    whole = _message(desk, intent, offer, deadline, message.Budget(units, fee))
    if isinstance(whole, Rejected):
        return whole
    return Draft(
        message=whole,
        quote_hash=sha256(bytes(offer.quote.swap_instruction.data)).hexdigest(),
        minimum_out_raw=offer.approved.minimum_out_raw,
        quoted_out_raw=offer.quote.out_amount,
        input_decimals=offer.approved.input_decimals,
        blockhash=offer.blockhash,
        deadline_slot=deadline,
    )


def _message(desk: Desk, intent: Intent, offer: _Offer, deadline: Slot, budget: message.Budget) -> bytes | Rejected:
    if intent.nonce is None or intent.bot_epoch is None:
        raise BrokenInvariant("a message is built for reserved intents alone", intent=intent.id)
    return message.trade_message(
        intent,
        desk.bot,
        offer.state,
        offer.quote,
        minimum_out_raw=offer.approved.minimum_out_raw,
        passing_mints=offer.approved.passing_mints,
        guard=Guard(intent.nonce, intent.bot_epoch, deadline),
        blockhash=offer.blockhash.blockhash,
        budget=budget,
    )


async def _rejected(desk: Desk, lease: Lease, intent: Intent, rejected: Rejected) -> Ended | Waiting:
    if rejected.is_final:
        return await _cancel(desk, lease, intent, str(rejected))
    log.info("intent_waits", intent_id=intent.id, rule=rejected.rule, detail=rejected.detail)
    return Waiting(str(rejected))


async def _cancel(desk: Desk, lease: Lease, intent: Intent, reason: str) -> Ended:
    ended = await desk.stores.intents.end(lease, intent, IntentState.CANCELLED, reason)
    metrics.EXECUTIONS.labels("cancelled").inc()
    log.info("intent_cancelled", intent_id=intent.id, reason=reason)
    return Ended(ended)
