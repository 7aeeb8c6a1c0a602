"""Sessions, challenges, rate limits and idempotency keys behave alike in memory, in PostgreSQL and in Redis."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from limits.aio.storage import MemoryStorage
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fakes.identity_memory import MemoryChallenges, MemorySessions, MemoryUsers

from xorj.adapters.postgres import engine as postgres
from xorj.adapters.postgres.idempotency import PostgresIdempotency
from xorj.adapters.postgres.identity import PostgresChallenges, PostgresSessions, PostgresUsers
from xorj.adapters.postgres.rate_limits import PostgresRateLimits
from xorj.adapters.rate_limits import FixedWindows
from xorj.adapters.redis import connection as redis
from xorj.adapters.redis.rate_limits import counts
from xorj.adapters.redis.sessions import RedisSessions
from xorj.identity.challenge import CHALLENGE_LIFE, Site, challenge
from xorj.identity.idempotency import Fresh, OtherRequest, Replayed, Underway
from xorj.identity.permissions import FOLLOWER
from xorj.identity.ports import ChallengeStore, RateLimiter, SessionStore, UserStore
from xorj.identity.rate_limit import RateLimit
from xorj.identity.session import hash_of, session
from xorj.primitives.errors import InvalidInput, RefusedForSafety, Unavailable
from xorj.primitives.ids import UserId, Wallet

STORES = ["memory", pytest.param("postgres", marks=pytest.mark.database)]
WITH_REDIS = [*STORES, "redis"]
SITE = Site.of_origin("http://127.0.0.1:3000", "localnet")
ANAS = Wallet("HN7cABqLq46Es1jh92dQQisAq662SmxELLLsHHe4YWrH")


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(params=WITH_REDIS)
def sessions(request: pytest.FixtureRequest) -> SessionStore:
    if request.param == "memory":
        return MemorySessions()
    if request.param == "postgres":
        return PostgresSessions(request.getfixturevalue("engine"))
    return RedisSessions(redis.connect(request.getfixturevalue("redis_url")))


@pytest.fixture(params=STORES)
def challenges(request: pytest.FixtureRequest) -> ChallengeStore:
    return MemoryChallenges() if request.param == "memory" else PostgresChallenges(request.getfixturevalue("engine"))


@pytest.fixture(params=STORES)
def users(request: pytest.FixtureRequest) -> UserStore:
    return MemoryUsers() if request.param == "memory" else PostgresUsers(request.getfixturevalue("engine"))


@pytest.fixture(params=WITH_REDIS)
def limiter(request: pytest.FixtureRequest) -> RateLimiter:
    makers: dict[str, Callable[[], Any]] = {
        "memory": lambda: MemoryStorage(wrap_exceptions=True),
        "postgres": lambda: PostgresRateLimits(request.getfixturevalue("engine")),
        "redis": lambda: counts(redis.connect(request.getfixturevalue("redis_url"))),
    }
    return FixedWindows(makers[request.param]())


class TestSessions:
    async def test_an_open_session_is_found_as_it_was(self, sessions: SessionStore) -> None:
        opened = session("sid", UserId("user"), ANAS, FOLLOWER, now())
        await sessions.open(opened)
        assert await sessions.find(hash_of("sid"), now()) == opened

    async def test_a_visitors_session_belongs_to_no_user(self, sessions: SessionStore) -> None:
        opened = session("sid", UserId("visitor"), Wallet(""), [], now())
        await sessions.open(opened)
        assert await sessions.find(hash_of("sid"), now()) == opened

    async def test_one_that_was_never_opened_is_not_found(self, sessions: SessionStore) -> None:
        assert await sessions.find(hash_of("other"), now()) is None

    async def test_it_is_not_found_from_its_end_on(self, sessions: SessionStore) -> None:
        opened = session("sid", UserId("user"), ANAS, FOLLOWER, now())
        await sessions.open(opened)
        assert await sessions.find(hash_of("sid"), opened.expires_at) is None

    async def test_an_ended_one_is_not_found_and_ending_twice_is_ending_once(self, sessions: SessionStore) -> None:
        await sessions.open(session("sid", UserId("user"), ANAS, FOLLOWER, now()))
        await sessions.end(hash_of("sid"))
        await sessions.end(hash_of("sid"))
        assert await sessions.find(hash_of("sid"), now()) is None

    async def test_rotating_ends_the_old_and_opens_the_new(self, sessions: SessionStore) -> None:
        await sessions.open(session("old", UserId("user"), ANAS, FOLLOWER, now()))
        successor = session("new", UserId("user"), ANAS, FOLLOWER, now())
        assert await sessions.rotate(hash_of("old"), successor, now())
        assert await sessions.find(hash_of("old"), now()) is None
        assert await sessions.find(hash_of("new"), now()) == successor

    async def test_of_many_rotations_of_one_session_one_succeeds(self, sessions: SessionStore) -> None:
        await sessions.open(session("old", UserId("user"), ANAS, FOLLOWER, now()))
        successors = [session(f"new {n}", UserId("user"), ANAS, FOLLOWER, now()) for n in range(8)]
        done = await asyncio.gather(*(sessions.rotate(hash_of("old"), each, now()) for each in successors))
        found = [await sessions.find(each.sid_hash, now()) for each in successors]
        assert sum(done) == 1
        assert [each is not None for each in found] == done

    async def test_an_expired_one_cannot_be_rotated(self, sessions: SessionStore) -> None:
        opened = session("old", UserId("user"), ANAS, FOLLOWER, now())
        await sessions.open(opened)
        assert not await sessions.rotate(hash_of("old"), session("new", UserId("user"), ANAS, FOLLOWER, now()), opened.expires_at)
        assert await sessions.find(hash_of("new"), now()) is None


class TestChallenges:
    async def test_a_nonce_is_used_once_however_many_try(self, challenges: ChallengeStore) -> None:
        asked = challenge(SITE, ANAS, bytes(16), now())
        await challenges.add(asked)
        assert sum(await asyncio.gather(*(challenges.use(asked, now()) for _ in range(8)))) == 1
        assert not await challenges.use(asked, now())

    async def test_only_what_was_asked_can_be_used(self, challenges: ChallengeStore) -> None:
        asked = challenge(SITE, ANAS, bytes(16), now())
        await challenges.add(asked)
        assert not await challenges.use(replace(asked, issued_at=asked.issued_at + timedelta(seconds=1)), now())
        assert not await challenges.use(replace(asked, wallet=Wallet("11111111111111111111111111111111")), now())
        assert not await challenges.use(challenge(SITE, ANAS, bytes([1]) * 16, now()), now())
        assert await challenges.use(asked, now())

    async def test_not_after_its_life(self, challenges: ChallengeStore) -> None:
        asked = challenge(SITE, ANAS, bytes(16), now())
        await challenges.add(asked)
        assert not await challenges.use(asked, now() + CHALLENGE_LIFE)


class TestUsers:
    async def test_a_wallet_is_one_user_even_when_it_comes_in_twice_at_once(self, users: UserStore) -> None:
        assert len(set(await asyncio.gather(*(users.of_wallet(ANAS) for _ in range(8))))) == 1

    async def test_two_wallets_are_two_users(self, users: UserStore) -> None:
        assert await users.of_wallet(ANAS) != await users.of_wallet(Wallet("11111111111111111111111111111111"))

    @pytest.mark.database
    async def test_a_closed_user_is_refused(self, engine: AsyncEngine) -> None:
        store = PostgresUsers(engine)
        await store.of_wallet(ANAS)
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE users SET closed_at = now()"))
        with pytest.raises(RefusedForSafety):
            await store.of_wallet(ANAS)


class TestRateLimits:
    async def test_as_many_as_allowed_and_no_more(self, limiter: RateLimiter) -> None:
        limit = RateLimit("tries", 3, 3_600)
        seen = [await limiter.hit(limit, "ana") for _ in range(5)]
        assert [one.allowed for one in seen] == [True, True, True, False, False]
        assert [one.remaining for one in seen] == [2, 1, 0, 0, 0]
        assert all(0 <= one.reset_seconds <= 3_600 for one in seen)

    async def test_callers_and_limits_are_counted_apart(self, limiter: RateLimiter) -> None:
        assert (await limiter.hit(RateLimit("tries", 1, 3_600), "ana")).allowed
        assert (await limiter.hit(RateLimit("tries", 1, 3_600), "ben")).allowed
        assert (await limiter.hit(RateLimit("others", 1, 3_600), "ana")).allowed

    async def test_at_once_none_is_lost(self, limiter: RateLimiter) -> None:
        limit = RateLimit("tries", 10, 3_600)
        seen = await asyncio.gather(*(limiter.hit(limit, "ana") for _ in range(25)))
        assert sum(one.allowed for one in seen) == 10

    @pytest.mark.database
    async def test_a_new_window_begins_anew(self, engine: AsyncEngine) -> None:
        """In our own store, whose clock is moved by moving what its rows say; the others are the library's."""
        limiter, limit = FixedWindows(PostgresRateLimits(engine)), RateLimit("tries", 1, 3_600)
        assert [(await limiter.hit(limit, "ana")).allowed for _ in range(2)] == [True, False]
        async with engine.begin() as connection:
            hour = "window_start = window_start - interval '1 hour', expires_at = expires_at - interval '1 hour'"
            await connection.execute(text(f"UPDATE rate_limit_hits SET {hour}"))
        assert [(await limiter.hit(limit, "ana")).allowed for _ in range(2)] == [True, False]

    async def test_a_store_that_is_gone_counts_nothing(self, tmp_path: object) -> None:
        engine = postgres.create(
            f"postgresql://x@/x?host={tmp_path}&connect_timeout=1", application="t", connections_min=0, connections_max=1
        )
        gone = [
            FixedWindows(PostgresRateLimits(engine)),
            FixedWindows(counts(redis.connect(f"unix://{tmp_path}/none.sock"))),
        ]
        for limiter in gone:
            with pytest.raises(Unavailable):
                await limiter.hit(RateLimit("tries", 1, 60), "ana")
        await engine.dispose()


@pytest.mark.database
class TestIdempotencyKeys:
    async def test_the_first_answer_is_given_again(self, engine: AsyncEngine) -> None:
        store = PostgresIdempotency(engine)
        assert await store.begin("user", "key", "hash") == Fresh()
        assert await store.begin("user", "key", "hash") == Underway()
        await store.finish("user", "key", 200, {"a": [1, None]})
        assert await store.begin("user", "key", "hash") == Replayed(200, {"a": [1, None]})

    async def test_another_request_with_the_key_is_seen(self, engine: AsyncEngine) -> None:
        store = PostgresIdempotency(engine)
        await store.begin("user", "key", "hash")
        assert await store.begin("user", "key", "other") == OtherRequest()
        assert await store.begin("other user", "key", "other") == Fresh()

    async def test_of_many_at_once_one_is_first(self, engine: AsyncEngine) -> None:
        store = PostgresIdempotency(engine)
        assert sorted(map(repr, await asyncio.gather(*(store.begin("user", "key", "hash") for _ in range(8))))) == [
            "Fresh()",
            *["Underway()"] * 7,
        ]

    async def test_after_a_failure_that_changed_nothing_it_is_free_again(self, engine: AsyncEngine) -> None:
        store = PostgresIdempotency(engine)
        await store.begin("user", "key", "hash")
        await store.forget("user", "key")
        assert await store.begin("user", "key", "hash") == Fresh()

    async def test_an_answer_is_never_forgotten_by_a_late_failure(self, engine: AsyncEngine) -> None:
        store = PostgresIdempotency(engine)
        await store.begin("user", "key", "hash")
        await store.finish("user", "key", 200, {})
        await store.forget("user", "key")
        assert await store.begin("user", "key", "hash") == Replayed(200, {})

    @pytest.mark.parametrize(("age", "status"), [("3 minutes", "NULL"), ("25 hours", "200")])
    async def test_what_its_process_left_behind_and_what_is_old_are_free_again(self, engine: AsyncEngine, age: str, status: str) -> None:
        store = PostgresIdempotency(engine)
        await store.begin("user", "key", "hash")
        async with engine.begin() as connection:
            await connection.execute(text(f"UPDATE idempotency_keys SET created_at = now() - interval '{age}', status_code = {status}"))
        assert await store.begin("user", "key", "hash") == Fresh()


def test_a_redis_that_does_not_encrypt_is_refused_where_it_must() -> None:
    with pytest.raises(RefusedForSafety):
        redis.connect("redis://cache.example:6379", tls_required=True)
    with pytest.raises(InvalidInput):
        redis.connect("http://cache.example")
