"""History from several nodes behind one HistoryReader, so that a slow, rationed or failing one does not stop ingestion.

The pages of an address come from one node as long as it answers, since another may not know where its last page ended; addresses are
spread by weight. A node that fails is left to its circuit breaker; one that lags, fails often or said when to come again is asked last, and
none faster than it says. What one node does not have the others are asked for. Nothing here judges an answer: xorj.swaps.coverage does.
"""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState

from xorj.adapters.solana_rpc.batches import in_batches
from xorj.adapters.solana_rpc.json_rpc import RETRY_AFTER_S_MAX, Busy, NodeError
from xorj.adapters.solana_rpc.pacing import SystemTimer, Timer, TokenBucket, back_off_s, spread
from xorj.adapters.solana_rpc.told_rate import ToldRate
from xorj.chain.ports import SIGNATURES_PER_PAGE_MAX, HistoryReader
from xorj.chain.transactions import ChainTransaction, Commitment, SignatureInfo
from xorj.observability import metrics
from xorj.primitives.errors import InvalidInput, RefusedForSafety, Unavailable
from xorj.primitives.ids import Address, Signature, Slot

T = TypeVar("T")

TURNS_MAX = 4
FAILURES_MAX = 5
OPEN_S = 30.0
LAG_SLOTS_MAX = 150
LAG_ASKED_EVERY_S = 10.0
REQUESTS_PER_S = 10.0
# of the last requests, each new one counting a tenth: below half a node is asked last
HEALTH_SHARE_OF_NEWEST = 0.1
HEALTH_MIN = 0.5
WALKS_REMEMBERED_MAX = 10_000


class HistoryNode(HistoryReader, Protocol):
    """A node whose history is read: what SolanaNode offers for it."""

    name: str

    @property
    def told_rate(self) -> ToldRate: ...

    def requests_for(self, signatures: Sequence[Signature]) -> int:
        """How many requests reading these transactions would be."""

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


@dataclass(slots=True, eq=False)
class _Endpoint:
    node: HistoryNode
    weight: float
    bucket: TokenBucket
    slot: Slot | None = None
    is_of_chain: bool = False
    health: float = 1.0

    def answered(self, is_well: bool) -> None:
        self.health += HEALTH_SHARE_OF_NEWEST * (is_well - self.health)
        metrics.PROVIDER_HEALTH.labels(self.node.name).set(self.health)

    def keep_to_what_it_told(self) -> None:
        told = self.node.told_rate
        if told.per_s is not None:
            self.bucket.limit(told.per_s)
        if told.pause_s > 0:
            self.bucket.pause(min(told.pause_s, RETRY_AFTER_S_MAX))


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
        self._walks: OrderedDict[str, _Endpoint] = OrderedDict()

    @property
    def second(self) -> "SecondOpinion | None":
        """The same history from whom is not asked first, None where there is one node alone."""
        return SecondOpinion(self) if len(self._endpoints) > 1 else None

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
        return await self.page(address, limit=limit, before=before, until=until, commitment=commitment, skipped=0)

    async def page(
        self, address: Address, *, limit: int, before: Signature | None, until: Signature | None, commitment: Commitment, skipped: int
    ) -> list[SignatureInfo]:
        """The same, by whoever comes after the first `skipped` nodes; a walk goes on with the node that it began with."""
        walk = f"{skipped} {address}"
        begun = self._walks.get(walk) if before is not None else None
        asked = [] if begun is None else [begun]
        first, page = await self._ask(
            address,
            lambda _: 1,
            lambda node: node.signatures(address, limit=limit, before=before, until=until, commitment=commitment),
            first=asked,
            skipped=skipped,
        )
        self._walks[walk] = first
        self._walks.move_to_end(walk)
        while len(self._walks) > WALKS_REMEMBERED_MAX:
            self._walks.popitem(last=False)
        return page

    async def transactions(
        self, signatures: Sequence[Signature], *, commitment: Commitment = Commitment.FINALIZED
    ) -> list[ChainTransaction | None]:
        """In the order asked; None where no node knows the signature at that commitment."""
        return await in_batches(signatures, lambda batch: self._batch(batch, commitment))

    async def _batch(self, batch: Sequence[Signature], commitment: Commitment) -> list[ChainTransaction | None]:
        # whoever has brought most of them with its pages need not ask for them
        holders = [one for one in self._endpoints if one.node.requests_for(batch) * 2 < len(batch)]
        first, read = await self._ask(
            batch[0],
            lambda node: node.requests_for(batch),
            lambda node: node.transactions(batch, commitment=commitment),
            first=holders,
        )
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
            read = await self._once(
                endpoint, endpoint.node.requests_for(missing), lambda node: node.transactions(missing, commitment=commitment)
            )
        except Unavailable:
            return {}
        return dict(zip(missing, read, strict=True))

    async def _ask(
        self,
        key: str,
        requests: Callable[[HistoryNode], int],
        call: Callable[[HistoryNode], Awaitable[T]],
        *,
        first: Sequence[_Endpoint] = (),
        skipped: int = 0,
    ) -> tuple[_Endpoint, T]:
        """The first answer of a node, and which it was. Raises Unavailable when none has answered in TURNS_MAX turns."""
        failed: Unavailable | None = None
        for turn in range(TURNS_MAX):
            if turn > 0:
                metrics.PROVIDER_TURNS.inc()
                await self._timer.sleep(back_off_s(turn - 1, key))
            for endpoint in dict.fromkeys([*first, *(await self._in_order(key))[skipped:]]):
                try:
                    return endpoint, await self._once(endpoint, requests(endpoint.node), call)
                except Unavailable as error:
                    failed = error
        raise Unavailable("history", f"none of {len(self._endpoints)} nodes answers; the last: {failed}")

    async def _once(self, endpoint: _Endpoint, requests: int, call: Callable[[HistoryNode], Awaitable[T]]) -> T:
        """Raises Unavailable, also while the node's circuit is open."""
        breaker, requested = await self._breakers.get_breaker(endpoint.node.name), metrics.PROVIDER_REQUESTS
        try:
            async with breaker:
                await endpoint.bucket.take(requests)
                await self._require_chain(endpoint)
                answer = await call(endpoint.node)
        except OpenedState as error:
            requested.labels(endpoint.node.name, "not asked").inc(requests)
            raise Unavailable(endpoint.node.name, f"not asked again yet after {FAILURES_MAX} failures") from error
        except Unavailable as error:
            requested.labels(endpoint.node.name, "busy" if isinstance(error, Busy) else "failed").inc(requests)
            endpoint.answered(is_well=isinstance(error, NodeError))
            endpoint.keep_to_what_it_told()
            raise
        requested.labels(endpoint.node.name, "answered").inc(requests)
        endpoint.answered(is_well=True)
        endpoint.keep_to_what_it_told()
        return answer

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
        for one in self._endpoints:
            metrics.PROVIDER_LAG_SLOTS.labels(one.node.name).set(math.nan if one.slot is None else newest - one.slot)

        def rank(endpoint: _Endpoint) -> tuple[bool, float]:
            is_behind = endpoint.slot is None or newest - endpoint.slot > LAG_SLOTS_MAX or endpoint.health < HEALTH_MIN
            return is_behind or endpoint.bucket.is_paused, math.log(spread(f"{key} {endpoint.node.name}")) / -endpoint.weight

        return sorted(self._endpoints, key=rank)

    async def _ask_slot(self, endpoint: _Endpoint) -> None:
        try:
            endpoint.slot = await self._once(endpoint, 1, lambda node: node.slot(commitment=Commitment.FINALIZED))
        except Unavailable:
            endpoint.slot = None


class SecondOpinion:
    """Implements HistoryReader by who comes after the node that the pool asks first about an address: another, while that one answers."""

    def __init__(self, pool: HistoryPool) -> None:
        self._pool = pool

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
        return await self._pool.page(address, limit=limit, before=before, until=until, commitment=commitment, skipped=1)

    async def transactions(
        self, signatures: Sequence[Signature], *, commitment: Commitment = Commitment.FINALIZED
    ) -> list[ChainTransaction | None]:
        """Of whoever has them: a transaction is what its signature says, whoever tells it."""
        return await self._pool.transactions(signatures, commitment=commitment)
