"""History from several nodes behind one HistoryReader, so that a slow, rationed or failing one does not stop ingestion.

The pages of an address come from one node as long as it answers, since another may not know where its last page ended; addresses are
spread by weight. A node that fails is left to its circuit breaker, one that lags or said when to come again is asked last. What one node
does not have the others are asked for. Nothing here judges an answer: xorj.swaps.coverage does.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState

from xorj.adapters.solana_rpc.batches import in_batches
from xorj.adapters.solana_rpc.json_rpc import RETRY_AFTER_S_MAX, Busy, NodeError
from xorj.adapters.solana_rpc.pacing import SystemTimer, Timer, TokenBucket, back_off_s, spread
from xorj.chain.ports import SIGNATURES_PER_PAGE_MAX, HistoryReader
from xorj.chain.transactions import ChainTransaction, Commitment, SignatureInfo
from xorj.primitives.errors import InvalidInput, RefusedForSafety, Unavailable
from xorj.primitives.ids import Address, Signature, Slot

T = TypeVar("T")

TURNS_MAX = 4
FAILURES_MAX = 5
OPEN_S = 30.0
LAG_SLOTS_MAX = 150
LAG_ASKED_EVERY_S = 10.0
REQUESTS_PER_S = 10.0


class HistoryNode(HistoryReader, Protocol):
    """A node whose history is read: what SolanaNode offers for it."""

    name: str

    async def slot(self, *, commitment: Commitment = Commitment.CONFIRMED) -> Slot: ...

    async def genesis_hash(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Allowance:
    """A node's share of the work against the others', and the requests a second that its plan allows; a second's worth may burst."""

    weight: float = 1.0
    requests_per_s: float = REQUESTS_PER_S


def allowances(text: str, nodes: int) -> tuple[Allowance, ...]:
    """`3:50, 1:10` as weight and requests a second of each node in order; nodes not told of have the ordinary. Raises InvalidInput."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) > nodes:
        raise InvalidInput("allowances", given=text, rule=f"at most one WEIGHT:REQUESTS_PER_S for each of {nodes} nodes")
    return (*(_allowance(part) for part in parts), *(Allowance() for _ in range(nodes - len(parts))))


def _allowance(text: str) -> Allowance:
    try:
        weight, per_s = (float(number) for number in text.split(":"))
    except ValueError:
        weight = per_s = math.nan
    if not (0 < weight < math.inf and 0 < per_s < math.inf):
        raise InvalidInput("allowances", given=text, rule="WEIGHT:REQUESTS_PER_S, both above zero")
    return Allowance(weight, per_s)


@dataclass(slots=True)
class _Endpoint:
    node: HistoryNode
    weight: float
    bucket: TokenBucket
    slot: Slot | None = None
    is_of_chain: bool = False


class HistoryPool:
    """Implements HistoryReader. Every node must be of the chain `genesis`; the first answer of one of another raises RefusedForSafety."""

    def __init__(
        self,
        nodes: Sequence[tuple[HistoryNode, Allowance]],
        genesis: str,
        *,
        timer: Timer | None = None,
        breaker_open_s: float = OPEN_S,
    ) -> None:
        self._timer = timer or SystemTimer()
        self._genesis = genesis
        self._endpoints = [
            _Endpoint(node, allowed.weight, TokenBucket(allowed.requests_per_s, max(1.0, allowed.requests_per_s), self._timer))
            for node, allowed in nodes
        ]
        self._breakers = AsyncCircuitBreakerFactory(default_threshold=FAILURES_MAX, default_ttl=breaker_open_s, exclude=[NodeError])
        self._lag_asked_at = float("-inf")
        self._asking_lag = asyncio.Lock()

    async def signatures(
        self,
        address: Address,
        *,
        limit: int = SIGNATURES_PER_PAGE_MAX,
        before: Signature | None = None,
        until: Signature | None = None,
        commitment: Commitment = Commitment.FINALIZED,
    ) -> list[SignatureInfo]:
        """One page, newest first."""
        _, page = await self._ask(
            address, 1, lambda node: node.signatures(address, limit=limit, before=before, until=until, commitment=commitment)
        )
        return page

    async def transactions(
        self, signatures: Sequence[Signature], *, commitment: Commitment = Commitment.FINALIZED
    ) -> list[ChainTransaction | None]:
        """In the order asked; None where no node knows the signature at that commitment."""
        return await in_batches(signatures, lambda batch: self._batch(batch, commitment))

    async def _batch(self, batch: Sequence[Signature], commitment: Commitment) -> list[ChainTransaction | None]:
        first, read = await self._ask(batch[0], len(batch), lambda node: node.transactions(batch, commitment=commitment))
        found = dict(zip(batch, read, strict=True))
        for endpoint in await self._in_order(batch[0]):
            missing = [signature for signature, transaction in found.items() if transaction is None]
            if missing and endpoint is not first:
                found |= await self._also(endpoint, missing, commitment)
        return [found[signature] for signature in batch]

    async def _also(
        self, endpoint: _Endpoint, missing: Sequence[Signature], commitment: Commitment
    ) -> dict[Signature, ChainTransaction | None]:
        """What another node has of them; one that cannot answer has nothing."""
        try:
            read = await self._once(endpoint, len(missing), lambda node: node.transactions(missing, commitment=commitment))
        except Unavailable:
            return {}
        return dict(zip(missing, read, strict=True))

    async def _ask(self, key: str, requests: int, call: Callable[[HistoryNode], Awaitable[T]]) -> tuple[_Endpoint, T]:
        """The first answer of a node, and which it was. Raises Unavailable when none has answered in TURNS_MAX turns."""
        failed: Unavailable | None = None
        for turn in range(TURNS_MAX):
            if turn > 0:
                await self._timer.sleep(back_off_s(turn - 1, key))
            for endpoint in await self._in_order(key):
                try:
                    return endpoint, await self._once(endpoint, requests, call)
                except Unavailable as error:
                    failed = error
        raise Unavailable("history", f"none of {len(self._endpoints)} nodes answers; the last: {failed}")

    async def _once(self, endpoint: _Endpoint, requests: int, call: Callable[[HistoryNode], Awaitable[T]]) -> T:
        """Raises Unavailable, also while the node's circuit is open."""
        breaker = await self._breakers.get_breaker(endpoint.node.name)
        try:
            async with breaker:
                await endpoint.bucket.take(requests)
                await self._require_chain(endpoint)
                return await call(endpoint.node)
        except OpenedState as error:
            raise Unavailable(endpoint.node.name, f"not asked again yet after {FAILURES_MAX} failures") from error
        except Busy as error:
            if error.retry_after_s is not None:
                endpoint.bucket.pause(min(error.retry_after_s, RETRY_AFTER_S_MAX))
            raise

    async def _require_chain(self, endpoint: _Endpoint) -> None:
        if endpoint.is_of_chain:
            return
        found = await endpoint.node.genesis_hash()
        if found != self._genesis:
            raise RefusedForSafety(f"{endpoint.node.name} is on the chain with genesis {found}, this process is for {self._genesis}")
        endpoint.is_of_chain = True

    async def _in_order(self, key: str) -> list[_Endpoint]:
        """Whom to ask for a key: the sound before the others, among them by weighted rendezvous, which moves as few keys as can be."""
        async with self._asking_lag:
            if self._timer.now() - self._lag_asked_at >= LAG_ASKED_EVERY_S:
                self._lag_asked_at = self._timer.now()
                await asyncio.gather(*(self._ask_slot(endpoint) for endpoint in self._endpoints))
        newest = max((endpoint.slot for endpoint in self._endpoints if endpoint.slot is not None), default=0)

        def rank(endpoint: _Endpoint) -> tuple[bool, float]:
            is_behind = endpoint.slot is None or newest - endpoint.slot > LAG_SLOTS_MAX
            return is_behind or endpoint.bucket.is_paused, math.log(spread(f"{key} {endpoint.node.name}")) / -endpoint.weight

        return sorted(self._endpoints, key=rank)

    async def _ask_slot(self, endpoint: _Endpoint) -> None:
        try:
            endpoint.slot = await self._once(endpoint, 1, lambda node: node.slot(commitment=Commitment.FINALIZED))
        except Unavailable:
            endpoint.slot = None
