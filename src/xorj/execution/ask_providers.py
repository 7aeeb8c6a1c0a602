"""The questions of one round to every provider, and their answers as witnesses. Used by reconcile_intents and apply_brakes.

Unreachable providers have no voice: they are simply not among the witnesses.
"""

import asyncio

from solders.pubkey import Pubkey

from xorj.chain.transactions import ChainTransaction, Commitment
from xorj.execution.attempt import Outstanding
from xorj.execution.desk import Desk
from xorj.execution.ports import Provider
from xorj.execution.provider_view import ProviderView, seen_anywhere
from xorj.execution.settlement import Absence, NonceWord, Witness, may_have_expired
from xorj.observability import logging
from xorj.primitives.errors import BrokenInvariant, Unavailable
from xorj.primitives.ids import Address, Signature
from xorj.vault import accounts, borsh

log = logging.get("reconciler")

Views = dict[str, ProviderView]


async def views(desk: Desk, signatures: list[Signature]) -> Views:
    """Where each provider stands and what it knows of these signatures, by name. Raises Unavailable when none answers."""
    answers = await asyncio.gather(*(_view(provider, signatures) for provider in desk.providers), return_exceptions=True)
    for provider, answer in zip(desk.providers, answers, strict=True):
        if isinstance(answer, Unavailable):
            log.warning("provider_unavailable", provider=provider.name, cause=answer.cause)
        elif isinstance(answer, BaseException):
            raise answer
    found = {answer.provider: answer for answer in answers if isinstance(answer, ProviderView)}
    if not found:
        raise Unavailable("chain", "no provider answers")
    return found


async def witnesses(desk: Desk, one: Outstanding, seen: Views) -> list[Witness]:
    """Every provider's word on one transaction, with all that a death proof needs where nobody has seen it and it may be over."""
    said = [view.on(one) for view in seen.values()]
    if seen_anywhere(said) or not all(may_have_expired(one, view.finalized, desk.bounds) for view in seen.values()):
        return said
    return await _with_absence(desk, one, seen)


def is_final_anywhere(said: list[Witness]) -> bool:
    return any(one.status is not None and one.status.commitment is Commitment.FINALIZED for one in said)


async def nonce_word(desk: Desk, vault: Address, nonce: int, bot_epoch: int) -> NonceWord | None:
    """The vault's word at finalized, from the first provider that has it; None when the vault is gone."""
    address = Address(str(accounts.policy_address(Pubkey.from_string(vault))))
    for provider in desk.providers:
        try:
            (account,) = await provider.accounts.accounts([address], commitment=Commitment.FINALIZED)
            if account is None:
                return None
            policy = accounts.decode_policy(account.data)
        except (Unavailable, borsh.Malformed) as error:
            log.warning("nonce_not_read", provider=provider.name, error=str(error))
            continue
        return NonceWord(account.slot, policy.nonce_state(nonce), policy.bot_epoch == bot_epoch)
    return None


async def finalized_transaction(desk: Desk, one: Outstanding) -> ChainTransaction:
    """From the first provider that has it. Raises Unavailable while none does."""
    if one.signature is None:
        raise BrokenInvariant("what has no signature cannot be final", id=one.id)
    for provider in desk.providers:
        (found,) = await provider.history.transactions([one.signature], commitment=Commitment.FINALIZED)
        if found is not None:
            return found
    raise Unavailable("chain", f"no provider shows {one.signature} yet")


async def _view(provider: Provider, signatures: list[Signature]) -> ProviderView:
    finalized = await provider.statuses.epoch_info(commitment=Commitment.FINALIZED)
    slot, found = await provider.statuses.statuses(signatures) if signatures else (finalized.slot, [])
    known = {signature: status for signature, status in zip(signatures, found, strict=True) if status is not None}
    return ProviderView(provider.name, finalized, slot, known)


async def _with_absence(desk: Desk, one: Outstanding, seen: Views) -> list[Witness]:
    """Each provider in one conversation. One that fails half-way has said nothing."""
    asked = [provider for provider in desk.providers if provider.name in seen]
    answers = await asyncio.gather(*(_absence(provider, one) for provider in asked), return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, Unavailable):
            raise answer
    return [answer for answer in answers if isinstance(answer, Witness)]


async def _absence(provider: Provider, one: Outstanding) -> Witness:
    """Expiry is read first, absence after it: what is absent then was not merely late."""
    epoch = await provider.statuses.epoch_info(commitment=Commitment.FINALIZED)
    blockhash_slot, is_valid = await provider.statuses.is_blockhash_valid(one.blockhash, commitment=Commitment.FINALIZED)
    first = await provider.statuses.first_available_block()
    slot, status, has_transaction = epoch.slot, None, False
    if one.signature is not None:
        slot, (status,) = await provider.statuses.statuses([one.signature])
        (found,) = await provider.history.transactions([one.signature], commitment=Commitment.FINALIZED)
        has_transaction = found is not None
    return Witness(provider.name, slot, status, Absence(epoch, is_valid, blockhash_slot, has_transaction, first))
