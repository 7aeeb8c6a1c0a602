"""The HTTP side of every process, over its app and over a real socket: health, ids, limits, errors that name the field."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from fastapi import APIRouter, FastAPI
from pydantic import BaseModel, Field
from tests.fakes.eventually import eventually

from xorj.observability import health, http
from xorj.primitives.errors import BrokenInvariant, InvalidInput, RefusedForSafety, Unavailable

INSIDE = "insides-nobody-may-see"
BODY_BYTES_MAX = 10_000
# Two seconds of grace, and room for a machine that has much else to do.
STOP_S_MAX = 10


class Order(BaseModel):
    bps: int = Field(ge=0, le=10_000)
    wallets: list[str] = Field(max_length=3)


router = APIRouter(prefix="/orders")


@router.post("/{number}")
async def order(number: int, body: Order) -> dict[str, int]:
    return {"number": number, "bps": body.bps}


@router.get("/failing/{how}")
async def failing(how: str) -> None:
    raise {
        "input": InvalidInput("slippage_bps", given=12_000, rule="0 to 10000"),
        "refused": RefusedForSafety("the kill switch is on"),
        "unavailable": Unavailable("PostgreSQL", f"{INSIDE} refused the connection"),
        "fault": KeyError(INSIDE),
    }[how]


def app(*checks: health.Check) -> FastAPI:
    made = http.create_app("sample", checks=checks, body_bytes_max=BODY_BYTES_MAX)
    made.include_router(router)
    return made


@asynccontextmanager
async def client(*checks: health.Check) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app(*checks)), base_url="http://sample") as one:
        yield one


def check(name: str, answer: health.Health | Exception | float) -> health.Check:
    async def probe() -> health.Health:
        if isinstance(answer, float):
            await asyncio.sleep(answer)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, health.Health) else health.OK

    return health.Check(name, probe)


async def test_a_live_process_says_so_and_which_version_it_is() -> None:
    async with client() as one:
        assert (await one.get("/livez")).json() == {"status": "ok"}
        assert (await one.get("/version")).json().keys() == {"service", "version"}


@pytest.mark.parametrize(
    ("checks", "status", "state"),
    [
        ([], 200, "ok"),
        ([check("database", health.OK)], 200, "ok"),
        ([check("database", health.OK), check("prices", health.degraded("stale"))], 200, "degraded"),
        ([check("database", health.failed("gone")), check("prices", health.degraded("stale"))], 503, "failed"),
        ([check("database", Unavailable("PostgreSQL", INSIDE))], 503, "failed"),
        ([check("database", KeyError(INSIDE))], 503, "failed"),
    ],
)
async def test_readiness_is_the_worst_of_its_checks(checks: list[health.Check], status: int, state: str) -> None:
    async with client(*checks) as one:
        answer = await one.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (status, state)
    assert answer.json()["checks"].keys() == {one.name for one in checks}
    assert INSIDE not in answer.text


async def test_a_check_that_hangs_fails_in_time_and_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHECK_SECONDS_MAX", 0.05)
    async with client(check("chain", 30.0), check("database", health.OK)) as one:
        checks = (await one.get("/readyz")).json()["checks"]
    assert checks["chain"] == {"status": "failed", "detail": "no answer within 0.05 s"}
    assert checks["database"]["status"] == "ok"


async def test_metrics_count_by_route_template_and_never_by_path() -> None:
    async with client() as one:
        await one.post("/orders/7", json={"bps": 1, "wallets": []})
        await one.get("/orders/unknown/path/8vxQ")
        await one.request("BREW", "/orders/7")
        text = (await one.get("/metrics")).text
    assert 'xorj_http_requests_total{method="POST",route="/orders/{number}",service="sample",status="200"}' in text
    assert 'route="unmatched",service="sample",status="404"' in text
    assert 'method="OTHER"' in text
    assert "8vxQ" not in text
    assert "BREW" not in text


@pytest.mark.parametrize(
    ("sent", "kept"), [("req-12345678", True), ("short", False), ("a" * 65, False), ("with space", False), ("a\tb-12345678", False)]
)
async def test_a_well_formed_request_id_is_kept_and_any_other_replaced(sent: str, kept: bool) -> None:
    async with client() as one:
        given = (await one.get("/livez", headers={"x-request-id": sent})).headers["x-request-id"]
    assert (given == sent) == kept
    assert http.REQUEST_ID.fullmatch(given)


HOSTILE = {
    "wrong type": ("POST", "/orders/1", {"json": {"bps": "many", "wallets": []}}, 422, "invalid-input", "body.bps"),
    "out of range": ("POST", "/orders/1", {"json": {"bps": 10_001, "wallets": []}}, 422, "invalid-input", "body.bps"),
    "missing field": ("POST", "/orders/1", {"json": {"bps": 1}}, 422, "invalid-input", "body.wallets"),
    "too many": ("POST", "/orders/1", {"json": {"bps": 1, "wallets": list("abcd")}}, 422, "invalid-input", "body.wallets"),
    "nested wrong type": ("POST", "/orders/1", {"json": {"bps": 1, "wallets": [1]}}, 422, "invalid-input", "body.wallets.0"),
    "no body": ("POST", "/orders/1", {}, 422, "invalid-input", "body"),
    "not an object": ("POST", "/orders/1", {"json": [1]}, 422, "invalid-input", "body"),
    "bad path value": ("POST", "/orders/x", {"json": {"bps": 1, "wallets": []}}, 422, "invalid-input", "path.number"),
    "broken JSON": (
        "POST",
        "/orders/1",
        {"content": b'{"bps": ', "headers": {"content-type": "application/json"}},
        400,
        "malformed-json",
        None,
    ),
    "JSON that is not UTF-8": (
        "POST",
        "/orders/1",
        {"content": b'{"bps": "\xff"}', "headers": {"content-type": "application/json"}},
        400,
        "bad-request",
        None,
    ),
    "body too large": ("POST", "/orders/1", {"content": b"x" * (BODY_BYTES_MAX + 1)}, 413, "body-too-large", None),
    "unknown path": ("GET", "/nowhere", {}, 404, "not-found", None),
    "wrong method": ("PUT", "/orders/1", {}, 405, "method-not-allowed", None),
    "invalid by our rule": ("GET", "/orders/failing/input", {}, 422, "invalid-input", "slippage_bps"),
    "refused for safety": ("GET", "/orders/failing/refused", {}, 409, "refused-for-safety", None),
    "outside system away": ("GET", "/orders/failing/unavailable", {}, 503, "unavailable", None),
    "fault of ours": ("GET", "/orders/failing/fault", {}, 500, "internal-error", None),
}


@pytest.mark.parametrize("what", HOSTILE)
async def test_whatever_is_sent_the_answer_is_a_problem_that_names_its_cause(what: str) -> None:
    method, path, sent, status, kind, field = HOSTILE[what]
    async with client() as one:
        answer = await one.request(method, path, **sent)  # type: ignore[arg-type]
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (status, f"urn:xorj:problem:{kind}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert problem["status"] == status
    assert [one["field"] for one in problem.get("errors", [])] == ([field] if field else [])
    assert INSIDE not in answer.text
    assert "Traceback" not in answer.text


async def test_retry_and_allow_headers_stay() -> None:
    async with client() as one:
        assert (await one.get("/orders/failing/unavailable")).headers["retry-after"] == "5"
        assert (await one.put("/orders/1")).headers["allow"] == "POST"


async def test_a_body_without_a_length_is_cut_off_at_the_limit() -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1_000):
            yield b"x" * 1_000

    async with client() as one:
        answer = await one.post("/orders/1", content=endless(), headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:xorj:problem:body-too-large")


async def test_many_wrong_fields_are_named_but_not_without_end() -> None:
    made = http.create_app("sample")

    @made.post("/wide")
    async def wide(body: dict[str, int]) -> None: ...

    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(made), base_url="http://sample") as one:
        answer = await one.post("/wide", json={f"field{n}": "x" for n in range(500)})
    assert len(answer.json()["errors"]) == 20
    assert len(answer.content) < 10_000


# From here on: real processes.

PROGRAM = """
import asyncio, sys
from pathlib import Path
from starlette.responses import StreamingResponse
from xorj.observability import http, logging
from xorj.primitives.errors import BrokenInvariant
logging.configure("sample", form="json")
app = http.create_app("sample")

@app.get("/stream")
async def stream():
    async def forever():
        while True:
            yield b"x"
            await asyncio.sleep(0.01)
    return StreamingResponse(forever())

@app.get("/broken")
async def broken():
    raise BrokenInvariant("ledger differs from chain")

async def background():
    try:
        await asyncio.sleep(3600)
    finally:
        print("background ended", flush=True)

async def failing():
    raise ValueError("the loop fell over")

where = sys.argv[1]
address = http.UnixAddress(Path(where)) if "/" in where else http.Address("127.0.0.1", int(where))
asyncio.run(http.serve(app, address, [failing if "failing" in sys.argv else background]))
"""


class Process:
    def __init__(self, where: str, *arguments: str) -> None:
        self.where = where
        command = [sys.executable, "-c", textwrap.dedent(PROGRAM), where, *arguments]
        self.running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def get(self, path: str) -> httpx2.Response:
        if "/" in self.where:
            with httpx2.Client(transport=httpx2.HTTPTransport(uds=self.where)) as one:
                return one.get(f"http://sample{path}")
        return httpx2.get(f"http://127.0.0.1:{self.where}{path}")

    def is_up(self) -> bool:
        try:
            return self.get("/livez").status_code == 200
        except httpx2.TransportError:
            assert self.running.poll() is None, self.running.communicate()
            return False

    def ends_within(self, seconds: float) -> tuple[int, str, str]:
        started = time.monotonic()
        out, err = self.running.communicate(timeout=30)
        assert time.monotonic() - started < seconds
        return self.running.returncode, out, err


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_in_time_with_a_stream_open(number: signal.Signals) -> None:
    process = Process(str(free_port()))
    eventually(process.is_up, "the process answers")
    with httpx2.stream("GET", f"http://127.0.0.1:{process.where}/stream") as stream:
        next(stream.iter_raw())
        process.running.send_signal(number)
        code, out, err = process.ends_within(STOP_S_MAX)
    assert (code, out) == (0, "background ended\n")
    assert "Traceback" not in err


def test_a_task_that_falls_over_ends_the_process_with_its_error() -> None:
    code, _, err = Process(str(free_port()), "failing").ends_within(30)
    assert code == 1
    assert "the loop fell over" in err


def test_a_broken_invariant_in_a_request_stops_the_process() -> None:
    process = Process(str(free_port()))
    eventually(process.is_up, "the process answers")
    assert process.get("/broken").status_code == 500
    code, _, err = process.ends_within(STOP_S_MAX)
    assert code == 1
    assert "BrokenInvariant: ledger differs from chain" in err


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable, match=f"port {port} .*Address already in use"):
            http.Address("127.0.0.1", port).listening()


def test_a_unix_socket_is_its_owners_alone_and_a_dead_ones_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    process = Process(str(path))
    eventually(process.is_up, "the process answers")
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Unavailable, match="another process listens"):
        http.UnixAddress(path).listening()
    process.running.kill()
    process.running.communicate()
    assert path.exists()
    again = Process(str(path))
    eventually(again.is_up, "the new process answers")
    os.kill(again.running.pid, signal.SIGTERM)
    assert again.ends_within(STOP_S_MAX)[0] == 0


async def test_an_application_that_cannot_start_is_an_error() -> None:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        raise BrokenInvariant("no database")
        yield

    with pytest.raises(Unavailable, match="did not start"):
        await http.serve(http.create_app("sample", lifespan=lifespan), http.Address("127.0.0.1", free_port()))
