"""Holds the chain against our rows: everything that the bot has signed must be an attempt of ours. Part of every reconciliation.

Each provider's history is swept from a cursor of its own, so that what any one of them shows is found: together they are the union.
"""

from collections.abc import Sequence
from itertools import pairwise

from xorj.chain.ports import SIGNATURES_PER_PAGE_MAX
from xorj.chain.transactions import Commitment, SignatureInfo
from xorj.execution.attempt import AttemptState
from xorj.execution.desk import Desk
from xorj.execution.fill import Failure, cost_of
from xorj.execution.landing import Swept, disagreements
from xorj.execution.lease import Lease
from xorj.execution.ports import Provider
from xorj.observability import logging, metrics
from xorj.primitives.errors import BrokenInvariant, Unavailable
from xorj.primitives.ids import Address, Signature, Slot

log = logging.get("reconciler")

SWEEP_PAGES_MAX = 200


async def sweep(desk: Desk, lease: Lease) -> int:
    """How many rows of history were looked at, over all providers.

    A transaction of the bot that has no row means a leaked key, a restored database or a bug, and so does an effect of an attempt that was
    proven dead: everything stops. Raises BrokenInvariant; Unavailable when no provider could be swept.
    """
    looked_at, unavailable = 0, list[Unavailable]()
    for provider in desk.providers:
        try:
            looked_at += await _sweep_provider(desk, lease, provider)
        except Unavailable as error:
            log.warning("provider_not_swept", provider=provider.name, error=str(error))
            unavailable.append(error)
    if len(unavailable) == len(desk.providers):
        raise unavailable[0]
    return looked_at


async def _sweep_provider(desk: Desk, lease: Lease, provider: Provider) -> int:
    sweeps, bot = desk.stores.sweeps, desk.bot_address
    cursor = await sweeps.cursor(bot, provider.name)
    rows = await _history(provider, bot, cursor)
    if not rows:
        return 0
    for page in (rows[at : at + SIGNATURES_PER_PAGE_MAX] for at in range(0, len(rows), SIGNATURES_PER_PAGE_MAX)):
        await _match(desk, lease, provider, page)
    newest, after = rows[-1], Slot(rows[0].slot - 1) if cursor is None else cursor.slot
    found = disagreements(rows, await sweeps.landed(after=after, upto=newest.slot))
    for one in found:
        metrics.PROVIDER_DISAGREEMENTS.labels(provider.name).inc()
        log.error("provider_disagrees", provider=provider.name, signature=one.signature, detail=one.detail)
    await sweeps.move(lease, bot, provider.name, Swept(newest.signature, newest.slot), found)
    return len(rows)


async def _match(desk: Desk, lease: Lease, provider: Provider, page: list[SignatureInfo]) -> None:
    """Strangers and the risen dead stop everything; what landed and failed after it was proven dead only cost its fee."""
    ours = await desk.stores.attempts.by_signature([row.signature for row in page])
    unknown = [row for row in page if row.signature not in ours]
    brakes = await desk.stores.sweeps.brakes([row.signature for row in unknown]) if unknown else frozenset[Signature]()
    await _require_ours(desk, provider, [row for row in unknown if row.signature not in brakes])
    dead = [row for row in page if row.signature in ours and ours[row.signature].state is AttemptState.DEAD]
    revived = [row.signature for row in dead if row.error is None]
    if revived:
        await _stop(desk, "an attempt that was proven dead has had an effect", revived)
    for row in dead:
        await _book_late(desk, lease, provider, row)


async def _book_late(desk: Desk, lease: Lease, provider: Provider, row: SignatureInfo) -> None:
    (transaction,) = await provider.history.transactions([row.signature], commitment=Commitment.FINALIZED)
    if transaction is None or transaction.error is None:
        raise Unavailable(provider.name, f"{row.signature} is listed as failed and cannot be read so")
    failure = Failure(transaction.slot, transaction.error, cost_of(transaction))
    if await desk.stores.sweeps.book_late(lease, row.signature, failure, provider.name):
        log.info("late_fee_booked", signature=row.signature, slot=failure.slot, fee_lamports=failure.cost.fee_lamports)


async def _history(provider: Provider, bot: Address, cursor: Swept | None) -> list[SignatureInfo]:
    """Oldest first, everything after the cursor. A provider that does not know the cursor's transaction is read down to its slot."""
    rows: list[SignatureInfo] = []
    until, least = (None, Slot(0)) if cursor is None else (cursor.signature, cursor.slot)
    for _ in range(SWEEP_PAGES_MAX):
        before = rows[-1].signature if rows else None
        page = await provider.history.signatures(bot, before=before, until=until, commitment=Commitment.FINALIZED)
        rows += page
        if len(page) < SIGNATURES_PER_PAGE_MAX or page[-1].slot < least:
            break
    else:
        raise Unavailable(provider.name, f"more than {SWEEP_PAGES_MAX} pages of the bot's history")
    rows.reverse()
    if any(later.slot < earlier.slot for earlier, later in pairwise(rows)):
        raise Unavailable(provider.name, "the bot's history came out of order")
    return [row for row in rows if row.slot >= least]


async def _require_ours(desk: Desk, provider: Provider, strangers: list[SignatureInfo]) -> None:
    """Transactions that merely name the bot (a grant, a deposit to its float) are fine; those that it signed are not."""
    if not strangers:
        return
    found = await provider.history.transactions([row.signature for row in strangers], commitment=Commitment.FINALIZED)
    if any(transaction is None for transaction in found):
        raise Unavailable(provider.name, "a transaction of the bot's history cannot be read")
    signed = [one.signature for one in found if one is not None and desk.bot_address in one.account_keys[: one.signers_count]]
    if signed:
        await _stop(desk, "the bot has signed transactions that have no row", signed)


async def _stop(desk: Desk, what: str, signatures: Sequence[str]) -> None:
    await desk.stop_switch.stop(f"{what}: {', '.join(signatures[:3])}", actor="reconciler")
    raise BrokenInvariant(what, signatures=", ".join(signatures[:10]), bot=desk.bot_address)
