"""Every operation of the API's own description with everything wrong that can be: always a 4xx that names the field, never a 5xx."""

import itertools
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from solders.keypair import Keypair
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fakes.gateway_world import BOT, SERVICE_TOKEN, GatewayWorld
from tests.fakes.shown_rows import plant_copy, plant_user

from xorj.gateway.openapi import description
from xorj.identity.rate_limit import Allowance, RateLimit

pytestmark = pytest.mark.database
DOCUMENT = json.loads(description())
ANA, BEN = (Keypair.from_seed(bytes([seed]) * 32) for seed in (1, 2))
VAULT = "4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKia"
NO_CONTROL_CHARACTERS = r"^[^\x00-\x1f\x7f]*$"
JSON = {"content-type": "application/json"}
SIGNATURE = str(ANA.sign_message(b"x"))
PUBLIC = {
    "GET /api/overview",
    "GET /api/rankings",
    "GET /api/database/health",
    "GET /api/system/status",
    "GET /api/vault/deploy",
    # by audience, as the overview: on a local chain everybody's
    "GET /api/bot/emergency",
    "POST /api/auth/challenge",
    "POST /api/auth/authenticate",
}
NO_BASE58 = [
    "",
    "0OIl",
    "é" * 44,
    "1" * 31,
    "1" * 45,
    "../../etc/passwd",
    "' OR 1=1 --",
    "\x00" * 44,
    "So11111111111111111111111111111111111111113x",
]
WRONG: dict[str, list[Any]] = {
    "string": [None, 7, -1, True, [], {}, "", "x" * 100_000, "\x00", "\ud800", *NO_BASE58],
    "integer": [None, "7", 1.5, -1, 10**30, True, [], {}, ""],
    "number": [None, "x", -1, [], {}, "NaN", "1e999", ""],
    "array": [None, "x", 7, {}, [7], [None], ["x"] * 1_000],
    "boolean": [None, "x", 7],
}


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    described: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def body(self) -> dict[str, Any]:
        """The object schema of its body; empty where it takes none."""
        return resolved(self.described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {}))

    @property
    def parameters(self) -> list[dict[str, Any]]:
        return list(self.described.get("parameters", []))


OPERATIONS = [
    Operation(method.upper(), path, described) for path, methods in DOCUMENT["paths"].items() for method, described in methods.items()
]


class NoLimit:
    """Thousands of requests are made here."""

    async def hit(self, limit: RateLimit, key: str) -> Allowance:
        return Allowance(True, limit, 1, 1)


@pytest.fixture
async def world(engine: AsyncEngine) -> GatewayWorld:
    async with engine.begin() as connection:
        await plant_user(connection, "ana", str(ANA.pubkey()), vault=VAULT, bot=str(BOT))
        await plant_copy(connection, "ana", VAULT, 0)
    return GatewayWorld(engine, operators=[ANA], limiter=NoLimit())


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema behind references and behind `or null`."""
    if "$ref" in schema:
        return resolved(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    for choice in schema.get("anyOf", []):
        if choice.get("type") != "null":
            return resolved(choice)
    return schema


def sample(name: str, schema: dict[str, Any]) -> Any:
    """Something that the schema allows."""
    schema = resolved(schema)
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    return {"wallet_address": str(ANA.pubkey()), "mint": str(BOT), "signature": SIGNATURE, "amount_raw": "1", "transaction": "AAAA"}.get(
        name, {"integer": 1, "number": 1, "array": [], "string": "1", "boolean": True}[schema.get("type", "string")]
    )


def usual(operation: Operation) -> dict[str, Any]:
    return {name: sample(name, schema) for name, schema in operation.body.get("properties", {}).items()}


def wrong_bodies(operation: Operation) -> Iterator[tuple[str, Any]]:
    """(field, body): one field wrong, missing or unknown, the others as they should be."""
    good = usual(operation)
    properties = operation.body.get("properties", {})
    for name, schema in properties.items():
        kind = resolved(schema).get("type", "string")
        nullable = any(choice.get("type") == "null" for choice in schema.get("anyOf", []))
        for value in WRONG[kind]:
            if not (value is None and nullable) and not allowed(resolved(schema), value):
                yield name, good | {name: value}
    for name in operation.body.get("required", []):
        yield name, {key: value for key, value in good.items() if key != name}
    if properties:
        yield "is_admin", good | {"is_admin": True}


def allowed(schema: dict[str, Any], value: Any) -> bool:
    """Whether a wrong value happens to be right for this field."""
    if isinstance(value, str) and schema.get("type") == "string" and "minLength" in schema and "enum" not in schema:
        words = schema.get("pattern") in {None, NO_CONTROL_CHARACTERS} and schema.get("maxLength", 0) >= 200
        return words and 1 <= len(value.strip()) <= schema["maxLength"] and value.isprintable()
    return False


def filled(operation: Operation, value: str = SIGNATURE) -> str:
    path = operation.path
    for parameter in operation.parameters:
        if parameter["in"] == "path":
            path = path.replace("{" + parameter["name"] + "}", value)
    return path


async def headers(world: GatewayWorld, operation: Operation, key: Keypair = ANA) -> dict[str, str]:
    token = SERVICE_TOKEN if "/internal/" in operation.path else await world.token(key)
    return {"authorization": f"Bearer {token}", **JSON}


def assert_problem(answer: httpx2.Response, what: object) -> dict[str, Any]:
    assert 400 <= answer.status_code < 500, (answer.status_code, what, answer.text[:300])
    assert answer.headers["content-type"] == "application/problem+json", (what, answer.text[:300])
    document: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "request_id"} <= set(document), what
    assert document["status"] == answer.status_code
    assert "Traceback" not in answer.text
    return document


WITH_BODY = [one for one in OPERATIONS if one.body]


class TestBodies:
    async def test_a_wrong_field_is_named(self, world: GatewayWorld) -> None:
        for operation in WITH_BODY:
            async with world.browser(headers=await headers(world, operation)) as browser:
                for field, body in wrong_bodies(operation):
                    answer = await browser.request(operation.method, filled(operation), content=json.dumps(body))
                    document = assert_problem(answer, (operation.name, field, str(body)[:200]))
                    if answer.status_code == 422:
                        fields = [each["field"] for each in document["errors"]]
                        assert any(field in name for name in fields), (operation.name, field, fields)

    async def test_what_is_no_json_object_is_refused(self, world: GatewayWorld) -> None:
        bodies = [b"{", b"[]", b"7", b'"x"', b"\xff\xfe", b'{"a":' * 3_000, b"[" * 5_000, b'{"reason": NaN}', b'{"reason": "\\ud800"}']
        form = {"content-type": "application/x-www-form-urlencoded"}
        for operation in WITH_BODY:
            async with world.browser(headers=await headers(world, operation)) as browser:
                for body in bodies:
                    assert_problem(await browser.request(operation.method, filled(operation), content=body), (operation.name, body[:20]))
                assert_problem(await browser.request(operation.method, filled(operation), content=b"a=b", headers=form), operation.name)

    async def test_too_large_a_body_is_refused(self, world: GatewayWorld) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(1_000):
                yield b"x" * 1_000

        for operation in WITH_BODY:
            async with world.browser(headers=await headers(world, operation)) as browser:
                announced = await browser.request(operation.method, filled(operation), content=b'{"a": "' + b"x" * 1_000_000 + b'"}')
                assert assert_problem(announced, operation.name)["status"] == 413
                unannounced = await browser.request(operation.method, filled(operation), content=chunks())
                assert assert_problem(unannounced, operation.name)["status"] == 413


class TestEveryOperation:
    async def test_wrong_parameters_are_named(self, world: GatewayWorld) -> None:
        values = ["-1", "0", "x", "1" + "0" * 22, "é", "%00", "1.5", "x" * 500]
        for operation in OPERATIONS:
            async with world.browser(headers=await headers(world, operation)) as browser:
                for parameter, value in itertools.product(operation.parameters, values):
                    name, place = parameter["name"], parameter["in"]
                    answer = await asked(browser, operation, place, name, value)
                    if answer.status_code != 200 or place == "path":
                        assert_problem(answer, (operation.name, name, value[:20]))

    async def test_without_a_session_nothing_of_a_user_is_done(self, world: GatewayWorld) -> None:
        async with world.browser() as browser:
            for operation in OPERATIONS:
                for token in (None, "x", "eyJhbGciOiJub25lIn0.e30."):
                    sent = JSON if token is None else JSON | {"authorization": f"Bearer {token}"}
                    answer = await browser.request(operation.method, filled(operation), content=usual_body(operation), headers=sent)
                    if operation.name not in PUBLIC:
                        assert assert_problem(answer, operation.name)["status"] == 401

    async def test_another_user_sees_and_changes_nothing(self, world: GatewayWorld) -> None:
        for operation in OPERATIONS:
            async with world.browser(headers=await headers(world, operation, BEN)) as browser:
                answer = await browser.request(operation.method, filled(operation), content=usual_body(operation))
                assert answer.status_code < 500, (operation.name, answer.text)
                if operation.name not in PUBLIC and operation.path.startswith(("/api/bot", "/api/user", "/api/vault")):
                    assert VAULT not in answer.text, operation.name
                    assert operation.body or str(ANA.pubkey()) not in answer.text, operation.name

    async def test_other_methods_are_refused(self, world: GatewayWorld) -> None:
        for operation in OPERATIONS:
            known = {method.upper() for method in DOCUMENT["paths"][operation.path]}
            async with world.browser(headers=await headers(world, operation)) as browser:
                for method in sorted({"DELETE", "PATCH", "PUT", "POST", "GET"} - known):
                    answer = await browser.request(method, filled(operation))
                    assert assert_problem(answer, (method, operation.path))["status"] in {404, 405, 422}


def usual_body(operation: Operation) -> str | None:
    return json.dumps(usual(operation)) if operation.body else None


async def asked(browser: httpx2.AsyncClient, operation: Operation, place: str, name: str, value: str) -> httpx2.Response:
    """The operation with one parameter set; the path's is escaped as a browser would."""
    body = usual_body(operation)
    if place == "path":
        return await browser.request(operation.method, filled(operation, quote(value)), content=body)
    if place == "query":
        return await browser.request(operation.method, filled(operation), params={name: value}, content=body)
    return await browser.request(operation.method, filled(operation), headers={name: value.encode()}, content=body)


class TestElsewhere:
    @pytest.mark.parametrize("path", ["/nothing", "/api", "/api/", "/api/bot/../../etc/passwd", "/api/%00", "/static/../pages.py", "/é"])
    async def test_a_path_that_is_not_there_is_a_problem_too(self, world: GatewayWorld, path: str) -> None:
        async with world.browser() as browser:
            assert assert_problem(await browser.get(path), path)["status"] == 404

    async def test_a_bodyless_action_refuses_a_body(self, world: GatewayWorld) -> None:
        async with world.browser(headers={"authorization": f"Bearer {await world.token(ANA)}"}) as browser:
            for action in ("deploy", "grant", "revoke", "pause", "resume", "deactivate", "close"):
                answer = await browser.post(f"/api/vault/{action}", json={"amount_raw": "1"})
                assert assert_problem(answer, action)["errors"][0]["field"] == "body"

    @pytest.mark.parametrize(
        "cursor", ["x", "MjAyNg==", "MjAyNi0wMS0wMVQwMDowMDowMCBpZA==", "A" * 200, "é", "MjAyNi0wMS0wMVQwMDowMDowMCswMDowMCAA"]
    )
    async def test_a_cursor_that_is_not_ours_is_named(self, world: GatewayWorld, cursor: str) -> None:
        async with world.browser(headers={"authorization": f"Bearer {await world.token(ANA)}"}) as browser:
            for path in ("/api/bot/trades", "/api/bot/decisions", "/api/user/transactions"):
                document = assert_problem(await browser.get(path, params={"cursor": cursor}), path)
                assert "cursor" in document["errors"][0]["field"]

    @pytest.mark.parametrize("key", ["short", "with space inside", "x" * 129, "tab\tinside", "ümlaut12"])
    async def test_a_malformed_idempotency_key_is_named(self, world: GatewayWorld, key: str) -> None:
        async with world.browser(headers={"authorization": f"Bearer {await world.token(ANA)}", "idempotency-key": key.encode()}) as browser:
            document = assert_problem(await browser.post("/api/bot/disable"), key)
            assert document["errors"][0]["field"] == "idempotency-key"
