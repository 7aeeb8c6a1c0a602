"""The processes gateway and web: they start, say whether they can work, serve, stop in time, and refuse another chain's database."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from tests.fakes.eventually import eventually

from xorj.settings import GATEWAY_PORT, WEB_PORT

pytestmark = pytest.mark.database
SECRETS = {"XORJ_SERVICE_TOKEN": "t" * 32, "XORJ_SESSION_KEY": "s" * 40}
STOP_SECONDS_MAX = 5
START_SECONDS_MAX = 90.0


def free_offset() -> int:
    """An offset at which both ports are free now."""
    for offset in range(33_100 + os.getpid() % 1_000 * 7, 50_000, 7):
        with socket.socket() as web, socket.socket() as gateway:
            try:
                web.bind(("127.0.0.1", WEB_PORT + offset))
                gateway.bind(("127.0.0.1", GATEWAY_PORT + offset))
            except OSError:
                continue
            return offset
    raise AssertionError("no free ports")


@contextmanager
def process(name: str, folder: Path, url: str, offset: int, **further: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **os.environ,
        **SECRETS,
        "XORJ_DATABASE_URL": url,
        "XORJ_DATA_DIR": str(folder),
        "XORJ_PORT_OFFSET": str(offset),
        **further,
    }
    with (folder / f"{name}.log").open("wb") as log:
        started = subprocess.Popen([sys.executable, "-m", "xorj", "run", name], env=environment, stdout=log, stderr=log, cwd=folder)
        try:
            yield started
        finally:
            started.kill()
            started.wait()


def answers(url: str) -> Any:
    def ask() -> httpx2.Response | None:
        try:
            return httpx2.get(url, trust_env=False)
        except httpx2.TransportError:
            return None

    return eventually(ask, f"{url} answers", within_s=START_SECONDS_MAX)


def stops(started: subprocess.Popen[bytes]) -> None:
    started.send_signal(signal.SIGTERM)
    assert started.wait(STOP_SECONDS_MAX) == 0


def test_the_page_and_the_api_stand_on_one_port(database_url: str, tmp_path: Path) -> None:
    offset = free_offset()
    site = f"http://127.0.0.1:{WEB_PORT + offset}"
    with process("web", tmp_path, database_url, offset) as web:
        ready = answers(f"{site}/readyz").json()
        assert (ready["checks"]["database"]["status"], ready["checks"]["chain"]["status"]) == ("ok", "degraded")
        page = httpx2.get(f"{site}/", trust_env=False)
        assert "local demo, worthless funds" in page.text
        assert "HttpOnly" in page.headers["set-cookie"]
        script = httpx2.get(f"{site}/static/app.js?v=1", trust_env=False)
        assert "immutable" in script.headers["cache-control"]
        assert httpx2.get(f"{site}/static/app.js", trust_env=False).headers["cache-control"] == "no-cache"
        with httpx2.Client(
            base_url=site, cookies={"xorj_session": page.cookies["xorj_session"]}, headers={"origin": site}, trust_env=False
        ) as visitor:
            assert visitor.post("/api/bot/emergency", json={"action": "stop", "reason": "drill"}).json()["stopped"] is True
            assert visitor.get("/api/overview").json()["bot"]["reason"] == "drill"
        stops(web)


@pytest.mark.parametrize("with_redis", [False, True], ids=["postgresql", "redis"])
def test_sessions_and_limits_stand_in_redis_where_it_is_set(
    database_url: str, tmp_path: Path, with_redis: bool, request: pytest.FixtureRequest
) -> None:
    further = {"REDIS_URL": request.getfixturevalue("redis_url")} if with_redis else {}
    offset = free_offset()
    site = f"http://127.0.0.1:{GATEWAY_PORT + offset}"
    with process("gateway", tmp_path, database_url, offset, **further) as gateway:
        answers(f"{site}/readyz")
        asked = httpx2.post(f"{site}/auth/challenge", json={"wallet_address": "1" * 32}, trust_env=False)
        assert (asked.status_code, asked.headers["ratelimit-remaining"]) == (200, "99")
        stops(gateway)
    with psycopg.connect(database_url) as connection:
        counted = connection.execute("SELECT count(*) FROM rate_limit_hits").fetchone()
    assert counted == ((0,) if with_redis else (1,))


def test_another_chains_database_is_refused(database_url: str, tmp_path: Path) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("INSERT INTO chain_identity (id, genesis_hash) VALUES (1, 'another chain')")
    with process("gateway", tmp_path, database_url, free_offset()) as gateway:
        assert gateway.wait(START_SECONDS_MAX) == 3
    assert "another chain" in (tmp_path / "gateway.log").read_text()


@pytest.mark.parametrize("missing", ["XORJ_SESSION_KEY", "XORJ_SERVICE_TOKEN", "XORJ_DATABASE_URL"])
def test_what_is_missing_is_named(database_url: str, tmp_path: Path, missing: str) -> None:
    with process("gateway", tmp_path, database_url, free_offset(), **{missing: ""}) as gateway:
        assert gateway.wait(START_SECONDS_MAX) == 2
    assert missing in (tmp_path / "gateway.log").read_text()
