"""Databases for tests: one real server a session, one migrated template, and for each test that asks a database of its own.

XORJ_TEST_POSTGRES_BIN names a folder with other binaries, such as those of the distribution.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fakes.eventually import eventually

TEMPLATE = "xorj_template"

# A suite that runs in the background ignores Ctrl-C, and every process that a test starts and ends by it would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests begin first, so that no worker is left alone with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow") is not None}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of an empty server's first database. For tests of the server itself and of migrations."""
    from xorj.supervisor.postgres import EmbeddedPostgres
    from xorj.supervisor.postgres_programs import installed

    named = os.environ.get("XORJ_TEST_POSTGRES_BIN")
    # The same server on every machine, also where the system has one of its own, which `up` would prefer.
    binaries = Path(named) if named else next(one.folder for one in installed() if one.origin == "wheel")
    # A short path of its own: a socket's path must stay under 107 bytes, which pytest's folders do not.
    folder = Path(tempfile.mkdtemp(prefix="xorj-pg-"))
    folder.chmod(0o711)  # as root without user namespaces the server is another account, which has to pass
    try:
        with EmbeddedPostgres(folder / "data", binaries=binaries) as server:
            yield server.url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def template_url(postgres_url: str) -> str:
    """A migrated database that nobody writes to."""
    from xorj.adapters.postgres import migrate

    _administer(postgres_url, f"CREATE DATABASE {TEMPLATE}")
    url = database_of(postgres_url, TEMPLATE)
    migrate.upgrade(url)
    return url


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """A fresh database without any table, dropped afterwards."""
    with _database(postgres_url, "template0") as url:
        yield url


@pytest.fixture
def database_url(postgres_url: str, template_url: str) -> Iterator[str]:
    """A fresh migrated database of this test alone, dropped afterwards."""
    with _database(postgres_url, urlsplit(template_url).path.removeprefix("/")) as url:
        yield url


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on `database_url`."""
    from xorj.adapters.postgres import engine as postgres

    made = postgres.create(database_url, application="tests", connections_min=1, connections_max=10)
    yield made
    await made.dispose()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The URL of a real Redis on a socket of its own. Skips, saying so, where there is none to start."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        pytest.skip("no redis-server on the PATH: what Redis stores was not tested")
    folder = Path(tempfile.mkdtemp(prefix="xorj-redis-"))
    socket = folder / "redis.sock"
    command = [program, "--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", "", "--daemonize", "no"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        eventually(socket.exists, "Redis listens on its socket")
        yield f"unix://{socket}"
        server.terminate()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """An empty Redis."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


def database_of(server_url: str, name: str) -> str:
    """The URL of another database on the same server."""
    parts = urlsplit(server_url)
    return f"postgresql://{parts.netloc}/{name}?{parts.query}"


@contextmanager
def _database(server_url: str, template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    _administer(server_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield database_of(server_url, name)
    _administer(server_url, f"DROP DATABASE {name} WITH (FORCE)")


def _administer(server_url: str, statement: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(statement.encode())
