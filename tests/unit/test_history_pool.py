"""Several nodes as one history: by weight, within each rate, around what fails, lags or is closed. On a clock nobody waits for."""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.fakes.chain_history import ChainHistory
from tests.fakes.made_swaps import VENUE, wallet
from tests.fakes.made_transactions import swap_transaction
from tests.fakes.spec_table import table
from tests.fakes.swap_lake import MemoryLake

from xorj.adapters.solana_rpc.history_pool import (
    FAILURES_MAX,
    LAG_ASKED_EVERY_S,
    LAG_SLOTS_MAX,
    TURNS_MAX,
    Allowance,
    HistoryPool,
    allowances,
)
from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.adapters.solana_rpc.pacing import BACK_OFF_S_MAX, TokenBucket, back_off_s, spread
from xorj.adapters.solana_rpc.told_rate import ToldRate, told_rate
from xorj.chain.transactions import ChainTransaction, Commitment, SignatureInfo
from xorj.primitives.errors import InvalidInput, RefusedForSafety, Unavailable
from xorj.primitives.ids import LOCAL_GENESIS, Address, Signature, Slot
from xorj.swaps.ingest_swaps import Sources, ingest_swaps

ANA = Address(wallet("ana"))
MADE = [swap_transaction("ana", "1 SOL", "9 USDC", slot=slot) for slot in range(1, 21)]
UNLIMITED = Allowance(requests_per_s=1e9)


class FakeTimer:
    def __init__(self) -> None:
        self.seconds, self.slept = 1_000.0, list[float]()

    def now(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)


class Node(ChainHistory):
    """A node in memory, which counts the times it was asked for history."""

    def __init__(
        self, name: str, transactions: Sequence[ChainTransaction] = MADE, *, slot: int = 1_000, genesis: str = LOCAL_GENESIS
    ) -> None:
        super().__init__(transactions)
        self.name, self.newest, self.genesis = name, slot, genesis
        self.asked = 0
        self.is_away = False
        self.told_rate = ToldRate()
        self.transactions_are_free = False

    def requests_for(self, signatures: Sequence[Signature]) -> int:
        return 0 if self.transactions_are_free else len(signatures)

    async def signatures(
        self,
        address: Address,
        *,
        limit: int = 1_000,
        before: Signature | None = None,
        until: Signature | None = None,
        commitment: Commitment = Commitment.FINALIZED,
    ) -> list[SignatureInfo]:
        self.answers()
        return await super().signatures(address, limit=limit, before=before, until=until, commitment=commitment)

    async def transactions(
        self, signatures: Sequence[Signature], *, commitment: Commitment = Commitment.FINALIZED
    ) -> list[ChainTransaction | None]:
        self.answers()
        return await super().transactions(signatures, commitment=commitment)

    async def slot(self, *, commitment: Commitment = Commitment.CONFIRMED) -> Slot:
        return Slot(self.newest)

    async def genesis_hash(self) -> str:
        return self.genesis

    def answers(self) -> None:
        self.asked += 1
        if self.is_away:
            raise Unavailable(self.name, "away")


def pool_of(*nodes: Node, timer: FakeTimer | None = None, open_s: float = 30.0, allowed: Sequence[Allowance] = ()) -> HistoryPool:
    each = [*allowed, *(UNLIMITED for _ in nodes[len(allowed) :])]
    return HistoryPool(list(zip(nodes, each, strict=True)), LOCAL_GENESIS, timer=timer or FakeTimer(), breaker_open_s=open_s)


async def asked_for(pool: HistoryPool, nodes: Sequence[Node], addresses: int) -> Counter[str]:
    """Which node was asked for the history of each of so many addresses."""
    counts: Counter[str] = Counter()
    for number in range(addresses):
        before = {node.name: node.asked for node in nodes}
        await pool.signatures(Address(wallet(f"wallet {number}")))
        counts.update(node.name for node in nodes if node.asked > before[node.name])
    return counts


async def test_addresses_are_spread_by_weight_and_each_stays_with_its_node() -> None:
    nodes = [Node("heavy"), Node("light")]
    pool = pool_of(*nodes, allowed=[Allowance(3, 1e9), Allowance(1, 1e9)])
    counts = await asked_for(pool, nodes, 400)
    assert 260 <= counts["heavy"] <= 340
    assert counts["heavy"] + counts["light"] == 400
    assert await asked_for(pool, nodes, 400) == counts


async def test_a_node_that_fails_is_gone_around_and_after_some_failures_left_alone() -> None:
    away, well = Node("away"), Node("well")
    away.is_away = True
    pool = pool_of(away, well)
    counts = await asked_for(pool, [well], 100)
    assert counts == {"well": 100}
    assert away.asked == FAILURES_MAX


async def test_a_closed_circuit_is_tried_again_after_its_time() -> None:
    away = Node("away")
    away.is_away = True
    timer = FakeTimer()
    pool = pool_of(away, timer=timer, open_s=1e-9)
    with pytest.raises(Unavailable, match="none of 1 nodes"):
        await pool.signatures(ANA)
    assert away.asked == TURNS_MAX
    away.is_away = False
    assert len(await pool.signatures(ANA)) == 20


async def test_between_turns_it_waits_longer_each_time() -> None:
    away, timer = Node("away"), FakeTimer()
    away.is_away = True
    with pytest.raises(Unavailable):
        await pool_of(away, timer=timer).signatures(ANA)
    assert len(timer.slept) == TURNS_MAX - 1
    assert timer.slept == sorted(timer.slept)


async def test_a_node_that_lags_is_asked_last_and_first_again_when_it_has_caught_up() -> None:
    timer, late, well = FakeTimer(), Node("late", slot=1_000), Node("well", slot=1_000 + LAG_SLOTS_MAX + 1)
    pool = pool_of(late, well, timer=timer)
    assert await asked_for(pool, [late, well], 50) == {"well": 50}
    late.newest = 1_001
    assert await asked_for(pool, [late, well], 50) == {"well": 50}
    timer.seconds += LAG_ASKED_EVERY_S
    assert (await asked_for(pool, [late, well], 50))["late"] > 10


async def test_a_node_that_lags_is_still_asked_where_no_other_answers() -> None:
    late, away = Node("late", slot=1), Node("away")
    away.is_away = True
    assert len(await pool_of(late, away).signatures(ANA)) == 20


async def test_what_one_node_does_not_have_another_is_asked_for() -> None:
    half, other = Node("half", MADE[:10]), Node("other", MADE[10:])
    asked = [one.signature for one in MADE] + [swap_transaction("ben", "1 SOL", "9 USDC", slot=99).signature]
    assert await pool_of(half, other).transactions(asked) == [*MADE, None]
    other.is_away = True
    assert await pool_of(half, other).transactions(asked[:11]) == [*MADE[:10], None]


async def test_a_node_of_another_chain_is_refused() -> None:
    with pytest.raises(RefusedForSafety, match="genesis"):
        await pool_of(Node("well"), Node("stray", genesis="another")).signatures(ANA)


async def test_ingestion_through_the_pool_is_whole_though_a_node_dies_on_the_way() -> None:
    nodes = [Node("first"), Node("second")]
    for node in nodes:
        node.page_rows_max = 3
    nodes[0].dies_after_transactions = 5
    lake = MemoryLake()
    await ingest_swaps(Sources((VENUE,)), pool_of(*nodes), lake)
    assert [one.signature for one in lake.kept] == [one.signature for one in MADE]


async def test_a_bucket_lets_its_burst_through_and_then_keeps_the_rate() -> None:
    timer = FakeTimer()
    bucket, begun = TokenBucket(10, 5, timer), timer.now()
    for _ in range(25):
        await bucket.take(1)
    assert timer.now() - begun == pytest.approx(2.0)
    await bucket.take(30)
    assert timer.now() - begun == pytest.approx(5.0)


async def test_a_bucket_that_was_told_to_pause_lets_nothing_through_before() -> None:
    timer = FakeTimer()
    bucket = TokenBucket(10, 5, timer)
    bucket.pause(7)
    bucket.pause(2)
    assert bucket.is_paused
    await bucket.take(1)
    assert (timer.slept, bucket.is_paused) == ([7], False)


async def test_each_node_keeps_to_its_own_rate() -> None:
    timer, node = FakeTimer(), Node("slow")
    pool, begun = pool_of(node, timer=timer, allowed=[Allowance(1, 2)]), timer.now()
    for _ in range(21):
        await pool.signatures(ANA)
    assert timer.now() - begun >= 9.5


async def test_a_node_is_asked_no_faster_than_it_says_and_never_faster_than_its_setting() -> None:
    timer, node = FakeTimer(), Node("slow")
    pool, begun = pool_of(node, timer=timer, allowed=[Allowance(1, 10)]), timer.now()
    node.told_rate = ToldRate(per_s=2)
    for _ in range(21):
        await pool.signatures(ANA)
    assert timer.now() - begun >= 8
    node.told_rate, begun = ToldRate(per_s=1_000), timer.now()
    for _ in range(41):
        await pool.signatures(ANA)
    assert timer.now() - begun >= 3.5


@pytest.mark.parametrize(("is_free", "waits"), [(True, False), (False, True)], ids=["came with a page", "asked one by one"])
async def test_transactions_count_against_the_rate_as_what_they_cost(is_free: bool, waits: bool) -> None:
    timer, node = FakeTimer(), Node("full")
    node.transactions_are_free = is_free
    pool, begun = pool_of(node, timer=timer, allowed=[Allowance(1, 10)]), timer.now()
    for _ in range(3):
        await pool.transactions([one.signature for one in MADE])
    assert (timer.now() - begun > 3) is waits


async def test_transactions_are_asked_of_whoever_brought_them_with_its_pages() -> None:
    full, heavy = Node("full"), Node("heavy")
    full.transactions_are_free = True
    pool = pool_of(full, heavy, allowed=[Allowance(1, 1e9), Allowance(1e9, 1e9)])
    await pool.transactions([one.signature for one in MADE])
    assert (full.asked, heavy.asked) == (1, 0)


async def test_a_node_that_has_nothing_left_is_asked_after_its_reset() -> None:
    timer, node = FakeTimer(), Node("spent")
    pool = pool_of(node, timer=timer)
    node.told_rate = ToldRate(pause_s=6)
    await pool.signatures(ANA)
    begun = timer.now()
    await pool.signatures(ANA)
    assert timer.now() - begun >= 6


async def test_a_walk_goes_on_with_the_node_that_it_began_with() -> None:
    nodes = [Node("first"), Node("second")]
    timer = FakeTimer()
    pool = pool_of(*nodes, timer=timer)
    page = await pool.signatures(ANA, limit=5)
    (began,) = [node for node in nodes if node.asked]
    (other,) = [node for node in nodes if node is not began]
    began.newest, other.newest = 1_000, 1_000 + 2 * LAG_SLOTS_MAX
    timer.seconds += LAG_ASKED_EVERY_S
    await pool.signatures(ANA, limit=5, before=page[-1].signature)
    assert (began.asked, other.asked) == (2, 0)
    await pool.signatures(ANA, limit=5)
    assert other.asked == 1


async def test_a_second_opinion_is_another_nodes() -> None:
    nodes = [Node("first"), Node("second"), Node("third")]
    pool = pool_of(*nodes)
    second = pool.second
    assert second is not None
    for number in range(40):
        address = Address(wallet(f"wallet {number}"))
        first = await asked_of(nodes, pool.signatures(address))
        assert await asked_of(nodes, second.signatures(address)) != first
    assert pool_of(Node("alone")).second is None
    assert await second.transactions([MADE[0].signature]) == [MADE[0]]


async def asked_of(nodes: Sequence[Node], answer: Coroutine[Any, Any, list[SignatureInfo]]) -> str:
    before = {node.name: node.asked for node in nodes}
    await answer
    return next(node.name for node in nodes if node.asked > before[node.name])


async def test_a_node_that_fails_often_is_asked_last_until_it_is_well_again() -> None:
    shaky, well = Node("shaky"), Node("well")
    pool = pool_of(shaky, well, allowed=[Allowance(1e9, 1e9), UNLIMITED])
    for turn in range(30):
        shaky.is_away = turn % 4 != 0
        await pool.signatures(Address(wallet(f"wallet {turn}")))
    shaky.is_away, shaky.asked = False, 0
    counts = await asked_for(pool, [shaky, well], 20)
    assert counts == {"well": 20}


RATES = table("""
    what | headers | per_s | pause_s
    nothing | none | none | 0
    seconds to wait | retry-after=7 | none | 7
    a date to wait for | retry-after=Wed, 25 Nov 2026 02:00:09 GMT; date=Wed, 25 Nov 2026 02:00:00 GMT | none | 9
    a date that has passed | retry-after=Wed, 25 Nov 2026 01:00:00 GMT; date=Wed, 25 Nov 2026 02:00:00 GMT | none | 0
    a date without a now | retry-after=Wed, 25 Nov 2026 02:00:09 GMT | none | 0
    something is left | x-ratelimit-remaining=3; x-ratelimit-reset=60 | none | 0
    nothing is left, seconds | ratelimit-remaining=0; ratelimit-reset=12 | none | 12
    below nothing, a moment | x-ratelimit-remaining=-2; x-ratelimit-reset=1795572030; date=Wed, 25 Nov 2026 02:00:00 GMT | none | 30
    the public endpoints | x-ratelimit-rps-limit=100; x-ratelimit-method-limit=40 | 4 | 0
    a digit that is no number | retry-after=²; x-ratelimit-remaining=²; x-ratelimit-rps-limit=² | none | 0
    nonsense | retry-after=soon; x-ratelimit-remaining=few; x-ratelimit-rps-limit=0 | none | 0
""")


@pytest.mark.parametrize("case", RATES, ids=lambda case: case["what"])
def test_what_answers_say_of_the_rate_is_read(case: dict[str, str]) -> None:
    headers = {} if case["headers"] == "none" else dict(pair.split("=", 1) for pair in case["headers"].split("; "))
    per_s = None if case["per_s"] == "none" else float(case["per_s"])
    assert told_rate(headers) == ToldRate(per_s, float(case["pause_s"]))


def test_waits_grow_up_to_the_limit_and_differ_between_keys() -> None:
    for turn in range(40):
        waits = {back_off_s(turn, f"key {number}") for number in range(20)}
        assert len(waits) == 20
        assert max(waits) <= min(BACK_OFF_S_MAX, 0.25 * 2**turn) <= 2 * min(waits)
    assert all(0 < spread(str(number)) < 1 for number in range(1_000))


def test_allowances_are_read_from_a_setting() -> None:
    assert allowances("3:50, 1:10.5", 3) == (Allowance(3, 50), Allowance(1, 10.5), Allowance())
    assert allowances("", 2) == (Allowance(), Allowance())
    for wrong in ("3", "3:0", "0:3", "-1:3", "x:3", "nan:3", "inf:1", "1:2:3", "1:1,1:1,1:1"):
        with pytest.raises(InvalidInput, match="allowances"):
            allowances(wrong, 2)


@contextmanager
def http_node(refusals: int, retry_after: str | None) -> Iterator[tuple[str, list[str]]]:
    """A node over real HTTP that first refuses so many calls for history, and then lists nothing; with the methods it was asked for."""
    methods: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            methods.append(asked["method"])
            refused = asked["method"] == "getSignaturesForAddress" and methods.count("getSignaturesForAddress") <= refusals
            results = {"getSlot": 1_000, "getGenesisHash": LOCAL_GENESIS, "getSignaturesForAddress": []}
            content = json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": results[asked["method"]]}).encode()
            self.send_response(429 if refused else 200)
            if refused and retry_after is not None:
                self.send_header("retry-after", retry_after)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", methods
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def test_a_node_that_says_when_to_come_again_is_not_asked_before() -> None:
    timer = FakeTimer()
    with http_node(refusals=1, retry_after="7") as (url, methods):
        async with SolanaNode(url, name="rationed", read_attempts=1) as node:
            pool = HistoryPool([(node, UNLIMITED)], LOCAL_GENESIS, timer=timer)
            begun = timer.now()
            assert await pool.signatures(ANA) == []
    assert methods.count("getSignaturesForAddress") == 2
    assert timer.now() - begun >= 7


async def test_meanwhile_another_is_asked() -> None:
    timer = FakeTimer()
    with http_node(refusals=10**6, retry_after="15") as (busy, methods), http_node(refusals=0, retry_after=None) as (well, _):
        async with SolanaNode(busy, name="busy", read_attempts=1) as first, SolanaNode(well, name="well", read_attempts=1) as second:
            pool = HistoryPool([(first, Allowance(1e6, 1e9)), (second, UNLIMITED)], LOCAL_GENESIS, timer=timer)
            for number in range(20):
                assert await pool.signatures(Address(wallet(f"wallet {number}"))) == []
    assert methods.count("getSignaturesForAddress") == 1
    assert timer.slept == []
