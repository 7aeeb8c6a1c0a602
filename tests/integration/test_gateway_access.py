"""Who gets in and what they may do: sign-in, cookies, other sites, permissions, limits, keys of repeated writes, headers."""

import asyncio
from typing import ClassVar

import pytest
from solders.keypair import Keypair
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fakes.gateway_world import MAINNET_GENESIS, ORIGIN, SERVICE_TOKEN, GatewayWorld, place

from xorj.client.problem import Problem
from xorj.identity.rate_limit import Allowance, RateLimit
from xorj.identity.session import SESSION_LIFE
from xorj.primitives.errors import Unavailable
from xorj.reporting.account import TraderPerformance, TraderRanking

pytestmark = pytest.mark.database
ANA, BEN = (Keypair.from_seed(bytes([seed]) * 32) for seed in (1, 2))
STOP = {"action": "stop", "reason": "drill"}


@pytest.fixture
def world(engine: AsyncEngine) -> GatewayWorld:
    return GatewayWorld(engine)


class TestSigningIn:
    async def test_a_wallet_signs_in_and_the_answer_is_the_specifications(self, world: GatewayWorld) -> None:
        async with world.browser() as browser:
            asked = (await browser.post("/auth/challenge", json={"wallet_address": str(ANA.pubkey())})).json()
            signature = str(ANA.sign_message(asked["message"].encode()))
            body = {"wallet_address": str(ANA.pubkey()), "signature": signature, "message": asked["message"]}
            first = await browser.post("/api/auth/authenticate", json=body)
            again = await browser.post("/api/auth/authenticate", json=body)
        assert first.status_code == 200
        assert set(first.json()) == {"success", "session_token", "expires_at", "user_id"}
        assert (again.status_code, again.json()["errors"][0]["field"]) == (422, "message")

    async def test_the_fixed_message_is_refused(self, world: GatewayWorld) -> None:
        message = "XORJ Authentication"
        body = {"wallet_address": str(ANA.pubkey()), "signature": str(ANA.sign_message(message.encode())), "message": message}
        async with world.browser() as browser:
            answer = await browser.post("/auth/authenticate", json=body)
        assert answer.status_code == 422
        assert "replayed" in answer.json()["errors"][0]["rule"]

    async def test_refreshing_and_leaving_end_the_token_before(self, world: GatewayWorld) -> None:
        headers = {"authorization": f"Bearer {await world.token(ANA)}"}
        async with world.browser() as browser:
            renewed = (await browser.post("/api/auth/refresh", headers=headers)).json()["session_token"]
            assert (await browser.get("/api/user/status", headers=headers)).status_code == 401
            headers = {"authorization": f"Bearer {renewed}"}
            assert (await browser.get("/api/user/status", headers=headers)).status_code == 200
            assert (await browser.post("/api/auth/logout", headers=headers)).json() == {"success": True}
            assert (await browser.get("/api/user/status", headers=headers)).status_code == 401

    async def test_a_page_of_this_site_gets_a_cookie_that_no_script_reads_and_nobody_else_does(self, world: GatewayWorld) -> None:
        async def signs_in(origin: str | None) -> str | None:
            headers = {} if origin is None else {"origin": origin}
            async with world.browser(headers=headers) as browser:
                asked = (await browser.post("/api/auth/challenge", json={"wallet_address": str(ANA.pubkey())})).json()
                signature = str(ANA.sign_message(asked["message"].encode()))
                body = {"wallet_address": str(ANA.pubkey()), "signature": signature, "message": asked["message"]}
                return (await browser.post("/api/auth/authenticate", json=body)).headers.get("set-cookie")

        cookie = await signs_in(ORIGIN)
        assert cookie is not None
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert (await signs_in(None), await signs_in("https://evil.example")) == (None, None)

    async def test_signed_in_on_the_page_one_stays_who_one_is(self, world: GatewayWorld) -> None:
        async with world.browser(cookies={"xorj_session": await world.token(ANA)}, headers={"origin": ORIGIN}) as page:
            world.clock.passes(SESSION_LIFE * 0.9)
            assert "set-cookie" not in (await page.get("/api/overview")).headers, "a visitor's would take its place"
            renewed = await page.post("/api/auth/refresh")
            assert "HttpOnly" in renewed.headers["set-cookie"]

    async def test_a_client_signs_in_by_itself_and_out(self, world: GatewayWorld) -> None:
        async with world.wallet(ANA) as ana:
            user = await ana.user()
            await ana.sign_out()
            assert (await ana.user()).user_id == user.user_id
        assert user.wallet_address == str(ANA.pubkey())


class TestAVisitorOfTheLocalChain:
    async def test_has_no_session_without_the_page(self, world: GatewayWorld) -> None:
        async with world.browser() as browser:
            answer = await browser.get("/api/overview")
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers

    async def test_by_the_pages_cookie_may_press_stop_but_only_from_the_page(self, world: GatewayWorld) -> None:
        async with world.browser(cookies={"xorj_session": (await world.parts.doorkeeper.visit()).token}) as browser:
            assert (await browser.post("/api/bot/emergency", json=STOP)).status_code == 403
            evil = await browser.post("/api/bot/emergency", json=STOP, headers={"origin": "https://evil.example"})
            assert evil.json()["type"] == "urn:xorj:problem:not-allowed"
            own = await browser.post("/api/bot/emergency", json=STOP, headers={"origin": ORIGIN})
            assert own.json() == {
                "success": True,
                "message": "no new trade will start",
                "stopped": True,
                "complete": True,
                "vaults": [],
                "vaults_count": 0,
            }
            assert (await browser.get("/api/overview")).json()["bot"]["state"] == "stopped"
            assert (await browser.get("/api/user/status")).status_code == 403

    async def test_gets_a_new_cookie_before_the_old_one_ends(self, world: GatewayWorld) -> None:
        async with world.browser(cookies={"xorj_session": "ended long ago"}) as browser:
            cookie = (await browser.get("/api/overview")).headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie

    async def test_there_is_none_on_a_chain_with_worth(self, engine: AsyncEngine) -> None:
        world = GatewayWorld(engine, at=place(environment="mainnet", genesis=MAINNET_GENESIS))
        async with world.browser(cookies={"xorj_session": "x"}) as browser:
            answer = await browser.get("/api/overview")
        assert "set-cookie" not in answer.headers
        assert answer.json()["mode"]["worthless"] is False


class TestPermissions:
    async def test_a_follower_stops_his_own_bot_and_not_everybodys(self, world: GatewayWorld) -> None:
        async with world.wallet(ANA) as ana:
            with pytest.raises(Problem) as refused:
                await ana.emergency("stop", "drill")
        assert (refused.value.status, refused.value.kind) == (403, "not-allowed")

    async def test_an_operator_stops_and_resumes_everybodys(self, engine: AsyncEngine) -> None:
        world = GatewayWorld(engine, operators=[BEN])
        async with world.wallet(BEN) as ben:
            assert await ben.emergency("stop", "drill") is True
            assert await ben.emergency("resume", "over") is False

    @pytest.mark.parametrize("token", ["", "wrong", SERVICE_TOKEN[:-1]])
    async def test_internal_paths_are_for_our_own_processes(self, world: GatewayWorld, token: str) -> None:
        async with world.browser() as browser:
            assert (await browser.get("/api/internal/trader-rankings", headers={"authorization": f"Bearer {token}"})).status_code == 401

    async def test_internal_paths_need_a_token_to_be_set(self, engine: AsyncEngine) -> None:
        async with GatewayWorld(engine, at=place(service_token="")).browser() as browser:
            assert (await browser.get("/api/internal/trader-rankings", headers={"authorization": "Bearer "})).status_code == 401


class TestRankingsForOurProcesses:
    HEADERS: ClassVar[dict[str, str]] = {"authorization": f"Bearer {SERVICE_TOKEN}"}

    async def test_come_from_the_engine(self, world: GatewayWorld) -> None:
        world.ranking.answer = [TraderRanking("w", 37.0, 1, TraderPerformance(80, 90, 10, 100))]  # type: ignore[arg-type]
        async with world.browser() as browser:
            answer = await browser.get("/api/internal/trader-rankings", headers=self.HEADERS)
        assert answer.headers["x-xorj-source"] == "quant-engine"
        metrics = {"win_rate": 80.0, "total_return": 90.0, "max_drawdown": 10.0, "trade_count": 100}
        assert answer.json() == [{"wallet_address": "w", "xorj_trust_score": 37.0, "rank": 1, "performance_metrics": metrics}]

    async def test_come_from_the_database_while_it_is_down_and_say_so(self, world: GatewayWorld) -> None:
        async with world.browser() as browser:
            answer = await browser.get("/api/internal/trader-rankings", headers=self.HEADERS)
        assert (answer.status_code, answer.json(), answer.headers["x-xorj-source"]) == (200, [], "database")


class CountedOut:
    """A limiter that allows nothing more, or does not answer."""

    def __init__(self, *, answers: bool) -> None:
        self._answers = answers

    async def hit(self, limit: RateLimit, key: str) -> Allowance:
        if not self._answers:
            raise Unavailable("rate limits", "gone")
        return Allowance(False, limit, 0, 17)


class TestLimits:
    async def test_every_answer_says_what_is_left(self, world: GatewayWorld) -> None:
        async with world.browser() as browser:
            headers = (await browser.get("/api/rankings")).headers
        assert (headers["ratelimit-limit"], headers["ratelimit-remaining"], headers["ratelimit-policy"]) == ("600", "599", "600;w=60")

    async def test_too_many_are_refused_with_when_to_come_back(self, engine: AsyncEngine) -> None:
        async with GatewayWorld(engine, limiter=CountedOut(answers=True)).browser() as browser:
            answers = [
                await browser.get("/api/rankings"),
                await browser.post("/auth/challenge", json={"wallet_address": str(ANA.pubkey())}),
            ]
        assert [answer.status_code for answer in answers] == [429, 429]
        assert [answer.headers["retry-after"] for answer in answers] == ["17", "17"]
        assert answers[0].json()["type"] == "urn:xorj:problem:too-many-requests"

    async def test_the_101st_sign_in_of_one_address_is_refused(self, world: GatewayWorld) -> None:
        async with world.browser() as browser:
            body = {"wallet_address": str(ANA.pubkey())}
            seen = [(await browser.post("/auth/challenge", json=body)).status_code for _ in range(101)]
        assert seen == [200] * 100 + [429]

    async def test_what_cannot_be_counted_is_refused_where_it_changes_something(self, engine: AsyncEngine) -> None:
        async with GatewayWorld(engine, limiter=CountedOut(answers=False)).browser() as browser:
            assert (await browser.get("/api/rankings")).status_code == 200
            assert (await browser.post("/auth/challenge", json={"wallet_address": str(ANA.pubkey())})).status_code == 503


class TestRepeatedWrites:
    async def test_the_same_key_gives_the_first_answer_again(self, engine: AsyncEngine) -> None:
        world = GatewayWorld(engine, operators=[ANA])
        headers = {"authorization": f"Bearer {await world.token(ANA)}", "idempotency-key": "one wish".replace(" ", "-")}
        async with world.browser(headers=headers) as browser:
            first = await browser.post("/api/bot/emergency", json=STOP)
            again = await browser.post("/api/bot/emergency", json=STOP)
            other = await browser.post("/api/bot/emergency", json={"action": "resume", "reason": "over"})
        assert (first.json(), again.json()) == (first.json(), first.json())
        assert "idempotency-replayed" not in first.headers
        assert again.headers["idempotency-replayed"] == "true"
        assert (other.status_code, other.json()["type"]) == (422, "urn:xorj:problem:idempotency-key-reused")

    async def test_a_refusal_leaves_the_key_free(self, world: GatewayWorld) -> None:
        headers = {"authorization": f"Bearer {await world.token(ANA)}", "idempotency-key": "enable-once"}
        async with world.browser(headers=headers) as browser:
            seen = [(await browser.post("/api/bot/enable")).json()["type"] for _ in range(2)]
        assert seen == ["urn:xorj:problem:no-vault"] * 2

    async def test_at_once_it_is_done_once(self, engine: AsyncEngine) -> None:
        world = GatewayWorld(engine, operators=[ANA])
        headers = {"authorization": f"Bearer {await world.token(ANA)}", "idempotency-key": "stop-once"}
        async with world.browser(headers=headers) as browser:
            answers = await asyncio.gather(*(browser.post("/api/bot/emergency", json=STOP) for _ in range(5)))
        assert {answer.status_code for answer in answers} <= {200, 409}
        assert sum("idempotency-replayed" not in answer.headers for answer in answers if answer.status_code == 200) == 1


class TestHeaders:
    async def test_no_answer_may_be_framed_sniffed_or_kept(self, world: GatewayWorld) -> None:
        async with world.browser() as browser:
            for answer in (await browser.get("/api/overview"), await browser.get("/api/nothing")):
                assert answer.headers["x-content-type-options"] == "nosniff"
                assert answer.headers["cache-control"] == "no-store"
                assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
                assert "strict-transport-security" not in answer.headers

    async def test_over_tls_browsers_stay_there(self, engine: AsyncEngine) -> None:
        at = place(origin="https://app.example", hosts=("127.0.0.1",))
        async with GatewayWorld(engine, at=at).browser() as browser:
            assert "max-age" in (await browser.get("/api/overview")).headers["strict-transport-security"]

    @pytest.mark.parametrize(("origin", "allowed"), [("https://app.xorj.ai", True), (ORIGIN, True), ("https://evil.example", False)])
    async def test_pages_of_other_sites_read_only_where_allowed(self, world: GatewayWorld, origin: str, allowed: bool) -> None:
        async with world.browser(headers={"origin": origin}) as browser:
            answer = await browser.get("/api/overview")
            asked = await browser.options("/api/bot/enable", headers={"access-control-request-method": "POST"})
        assert answer.headers.get("access-control-allow-origin") == (origin if allowed else None)
        assert asked.headers.get("access-control-allow-origin") == (origin if allowed else None)
        assert (asked.status_code == 200) == allowed

    @pytest.mark.parametrize("host", ["evil.example", "evil.example:3000", "127.0.0.1.evil.example", ""])
    async def test_a_name_that_is_not_ours_is_refused(self, world: GatewayWorld, host: str) -> None:
        async with world.browser(headers={"host": host}) as browser:
            assert (await browser.get("/api/overview")).status_code == 421
