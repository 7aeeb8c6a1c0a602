"""The embedded PostgreSQL with real servers and real kills, under every account that this machine lets us be.

XORJ_TEST_POSTGRES_BIN names the `bin` folder of another PostgreSQL to run the same tests on.
"""

import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest
from tests.fakes.eventually import eventually
from tests.fakes.postgres_supervisor import RunAs, SupervisorProcess

from xorj.primitives.errors import RefusedForSafety, Unavailable
from xorj.supervisor import postgres_account, postgres_programs
from xorj.supervisor.postgres import EmbeddedPostgres, ServerState

pytestmark = pytest.mark.database
ACCOUNTS = ["root", "root without namespaces", "ordinary user", "user without a name"]


@pytest.fixture(scope="module")
def programs() -> Path:
    named = os.environ.get("XORJ_TEST_POSTGRES_BIN")
    return Path(named) if named else wheel_programs()[0]


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that other accounts may enter, which pytest's own are not."""
    made = Path("/tmp") / f"xorj-test-{os.getpid()}-{tmp_path_factory.mktemp('name').name}"
    made.mkdir(mode=0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture(params=ACCOUNTS)
def account(request: pytest.FixtureRequest, folder: Path) -> RunAs:
    account = RunAs(request.param)
    if request.param == "root without namespaces":
        account.hide_namespaces(folder / "path")
    account.own(folder / "home")
    return account


@pytest.fixture
def cluster(folder: Path) -> Path:
    return folder / "home" / "postgres"


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with any server."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def wheel_programs() -> list[Path]:
    return [one.folder for one in postgres_programs.installed() if one.origin == "wheel"]


def has_ended(process: psutil.Process) -> bool:
    """True for a zombie too: its new parent reaps it when it likes."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def runs_as_root(server: psutil.Process, account: RunAs) -> bool:
    """Root in a user namespace of its own is nobody."""
    namespaces = {Path(f"/proc/{pid}/ns/user").readlink() for pid in (os.getpid(), server.pid)}
    return server.uids().effective == 0 and not (account.name == "root" and len(namespaces) == 2)


def one_value(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()  # type: ignore[call-overload]
        assert row is not None
        return row[0]


def restarted(server: EmbeddedPostgres, times: int) -> None:
    eventually(lambda: server.restarts >= times and server.state is ServerState.READY, "the server is back", within_s=60)


class Writer:
    """Commits numbers one by one, through every fault, and knows which commits were acknowledged."""

    def __init__(self, url: str) -> None:
        self.acknowledged: list[int] = []
        self._url, self._stopping = url, threading.Event()
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE numbers (n bigint PRIMARY KEY)")
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    def wait_for(self, more: int) -> None:
        goal = len(self.acknowledged) + more
        eventually(lambda: len(self.acknowledged) >= goal, f"{more} more commits", within_s=60)

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _write(self) -> None:
        number = 0
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self._url, autocommit=True, connect_timeout=5) as connection:
                    while not self._stopping.is_set():
                        number += 1
                        connection.execute("INSERT INTO numbers VALUES (%s)", [number])
                        self.acknowledged.append(number)
            except psycopg.Error:
                self._stopping.wait(0.02)


def lost(url: str, acknowledged: list[int]) -> set[int]:
    with psycopg.connect(url) as connection:
        return set(acknowledged) - {row[0] for row in connection.execute("SELECT n FROM numbers")}


def test_a_server_serves_its_own_account_and_keeps_what_it_was_given(account: RunAs, cluster: Path, programs: Path) -> None:
    with SupervisorProcess(cluster, programs, account) as supervisor:
        assert one_value(supervisor.url, "SHOW max_connections") == "250"
        assert one_value(supervisor.url, "SHOW fsync") == "on"
        assert one_value(supervisor.url, "SHOW data_checksums") == "on"
        assert one_value(supervisor.url, "SHOW server_encoding") == "UTF8"
        with psycopg.connect(supervisor.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS value")
        server = supervisor.server
        assert not runs_as_root(server, account)
        sockets = Path(psycopg.conninfo.conninfo_to_dict(supervisor.url)["host"])
        modes = [path.stat().st_mode & 0o777 for path in (sockets, cluster / "data", cluster / "password", cluster / "server.log")]
        assert modes == [0o700, 0o700, 0o600, 0o600]
    assert has_ended(server)
    with SupervisorProcess(cluster, programs, account) as supervisor:
        assert one_value(supervisor.url, "SELECT value FROM kept") == 42


def test_programs_that_the_servers_account_may_not_reach_are_copied_whole(folder: Path) -> None:
    account = RunAs("root without namespaces")
    account.hide_namespaces(folder / "path")
    wheel = wheel_programs()[0].parent
    package = wheel.parent
    private = folder / "private"
    private.mkdir(mode=0o700)
    for part in (wheel / "bin", wheel / "lib", wheel / "share", package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, private / part.relative_to(package.parent), symlinks=True)
    hidden = private / wheel.relative_to(package.parent) / "bin"
    copies = set(postgres_account.SHARED_PROGRAMS.glob("xorj-postgres-*"))
    try:
        with SupervisorProcess(folder / "postgres", hidden, account) as supervisor:
            assert one_value(supervisor.url, "SELECT 1") == 1
        (copy,) = set(postgres_account.SHARED_PROGRAMS.glob("xorj-postgres-*")) - copies
        assert copy.stat().st_mode & 0o777 == 0o755
    finally:
        for made in set(postgres_account.SHARED_PROGRAMS.glob("xorj-postgres-*")) - copies:
            shutil.rmtree(made)


def test_it_listens_on_no_port_unless_asked(cluster: Path, programs: Path) -> None:
    with EmbeddedPostgres(cluster, binaries=programs) as server:
        assert server.pid is not None
        assert psutil.Process(server.pid).net_connections("inet") == []
        with pytest.raises(RefusedForSafety, match="unix socket only"):
            _ = server.tcp_url


def test_over_tcp_it_wants_the_password(cluster: Path, programs: Path, free_port: int) -> None:
    with EmbeddedPostgres(cluster, binaries=programs, tcp_port=free_port) as server:
        assert server.pid is not None
        addresses = {connection.laddr for connection in psutil.Process(server.pid).net_connections("inet")}
        assert addresses == {("127.0.0.1", free_port)}
        assert one_value(server.tcp_url, "SELECT 1") == 1
        assert one_value(server.url, "SELECT 1") == 1
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            one_value(f"postgresql://xorj:guess@127.0.0.1:{free_port}/xorj", "SELECT 1")
        assert one_value(server.url, "SELECT rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolname = 'xorj'") is True


def test_no_acknowledged_commit_is_lost_when_the_server_is_killed(cluster: Path, programs: Path) -> None:
    with EmbeddedPostgres(cluster, binaries=programs) as server:
        writer = Writer(server.url)
        try:
            for kill in range(1, 4):
                writer.wait_for(50)
                assert server.pid is not None
                os.kill(server.pid, signal.SIGKILL)
                restarted(server, kill)
            writer.wait_for(50)
        finally:
            writer.stop()
        assert lost(server.url, writer.acknowledged) == set()
        assert server.cause == "killed by SIGKILL"


def test_no_acknowledged_commit_is_lost_when_the_supervisor_is_killed(account: RunAs, cluster: Path, programs: Path) -> None:
    with SupervisorProcess(cluster, programs, account) as supervisor:
        writer = Writer(supervisor.url)
        try:
            writer.wait_for(50)
            family = [supervisor.server, *supervisor.server.children()]
            supervisor.process.kill()
            # the next supervisor does not wait until we have seen the old server end
            with SupervisorProcess(cluster, programs, account) as successor:
                assert all(has_ended(one) for one in family)
                writer.wait_for(50)
                writer.stop()
                assert lost(successor.url, writer.acknowledged) == set()
        finally:
            writer.stop()


def test_a_stale_pid_file_that_names_another_program_harms_neither(
    account: RunAs, cluster: Path, programs: Path, stranger: subprocess.Popen[bytes]
) -> None:
    _leave_stale_files(cluster, programs, account, stranger.pid)
    with SupervisorProcess(cluster, programs, account) as supervisor:
        assert one_value(supervisor.url, "SELECT 1") == 1
        assert supervisor.server.pid != stranger.pid
    assert stranger.poll() is None


def test_a_stale_pid_file_that_names_a_server_of_another_folder_harms_neither(folder: Path, cluster: Path, programs: Path) -> None:
    account = RunAs("root" if os.geteuid() == 0 else "ordinary user")
    with EmbeddedPostgres(folder / "other", binaries=programs) as other:
        assert other.pid is not None
        _leave_stale_files(cluster, programs, account, other.pid)
        with EmbeddedPostgres(cluster, binaries=programs) as server:
            assert one_value(server.url, "SELECT 1") == 1
        assert (other.restarts, one_value(other.url, "SELECT 1")) == (0, 1)


def _leave_stale_files(cluster: Path, programs: Path, account: RunAs, pid: int) -> None:
    """What a power cut leaves: a cluster that was not closed, whose pid files name a number that is given out again later."""
    with SupervisorProcess(cluster, programs, account) as supervisor:
        sockets = Path(psycopg.conninfo.conninfo_to_dict(supervisor.url)["host"])
        family = [supervisor.server, *supervisor.server.children()]
        supervisor.process.send_signal(signal.SIGSTOP)
        for one in family:
            with suppress(psutil.NoSuchProcess):  # the server's children end by themselves as soon as it is gone
                one.kill()
        supervisor.process.kill()
        supervisor.process.wait()
    psutil.wait_procs(family, timeout=30)
    for file in (cluster / "data" / "postmaster.pid", sockets / ".s.PGSQL.5432.lock"):
        _, rest = file.read_text().split("\n", 1)
        file.write_text(f"{pid}\n{rest}")


def test_a_second_server_on_the_same_folder_is_refused(cluster: Path, programs: Path) -> None:
    account = RunAs("root" if os.geteuid() == 0 else "ordinary user")
    with SupervisorProcess(cluster, programs, account) as first:
        with SupervisorProcess(cluster, programs, account) as second:
            assert second.said["kind"] == "RefusedForSafety"
            assert second.said["refused"] == f"the PostgreSQL folder {cluster} is in use by process {first.process.pid}"
        assert one_value(first.url, "SELECT 1") == 1


def test_a_server_that_somebody_else_started_on_the_folder_is_waited_for(cluster: Path, programs: Path) -> None:
    """The lock of a killed supervisor is gone at once, its server a little later."""
    told: list[str] = []
    account = RunAs("root" if os.geteuid() == 0 else "ordinary user")
    with SupervisorProcess(cluster, programs, account) as supervisor:
        open_transaction = psycopg.connect(supervisor.url)
        supervisor.server.suspend()
        supervisor.process.kill()
        supervisor.process.wait()
        server = EmbeddedPostgres(cluster, binaries=programs, progress=told.append)
        starting = threading.Thread(target=server.start)
        starting.start()
        eventually(lambda: any("waiting for the earlier PostgreSQL server" in line for line in told), "it waits")
        supervisor.server.resume()
        starting.join()
        open_transaction.close()
        assert one_value(server.url, "SELECT 1") == 1
        server.stop()


def test_data_of_another_major_version_is_refused_by_name(cluster: Path) -> None:
    majors = wheel_programs()
    if len(majors) < 2:
        pytest.skip("the wheel has one major version only")
    newer, older = majors[:2]
    EmbeddedPostgres(cluster, binaries=newer).__enter__().stop()
    with pytest.raises(RefusedForSafety, match=r"made by PostgreSQL 18, which no other version can read; this machine has PostgreSQL 16"):
        EmbeddedPostgres(cluster, binaries=older).start()
    with EmbeddedPostgres(cluster, binaries=newer) as server:
        assert one_value(server.url, "SELECT 1") == 1


def test_data_stays_with_the_major_version_that_made_it(cluster: Path) -> None:
    """Although another one would be preferred for a new folder."""
    older = wheel_programs()[-1]
    EmbeddedPostgres(cluster, binaries=older).__enter__().stop()
    with EmbeddedPostgres(cluster) as server:
        assert server.programs is not None
        assert server.programs.folder == older


def test_a_folder_of_something_else_is_left_as_it_is(cluster: Path, programs: Path) -> None:
    (cluster / "data").mkdir(parents=True)
    (cluster / "data" / "letters.txt").write_text("dear ben")
    with pytest.raises(RefusedForSafety, match="is not a PostgreSQL data folder"):
        EmbeddedPostgres(cluster, binaries=programs).start()
    assert [path.name for path in (cluster / "data").iterdir()] == ["letters.txt"]


def test_an_interrupted_first_start_is_begun_anew(cluster: Path, programs: Path) -> None:
    (cluster / "data.new" / "base").mkdir(parents=True)
    with EmbeddedPostgres(cluster, binaries=programs) as server:
        assert one_value(server.url, "SELECT 1") == 1
    assert not (cluster / "data.new").exists()


@pytest.mark.parametrize(
    "name", ["a path with spaces", "commas, 'quotes' and \"more\"", "ünïcode", "long/" * 40], ids=["spaces", "odd", "unicode", "long"]
)
def test_any_path_will_do(folder: Path, programs: Path, name: str) -> None:
    with EmbeddedPostgres(folder / name / "postgres", binaries=programs) as server:
        assert one_value(server.url, "SELECT 1") == 1


def test_a_folder_that_the_servers_account_may_not_enter_is_named(folder: Path, programs: Path) -> None:
    account = RunAs("root without namespaces")
    account.hide_namespaces(folder / "path")
    (folder / "private").mkdir(mode=0o700)
    with SupervisorProcess(folder / "private" / "postgres", programs, account) as supervisor:
        assert supervisor.said["kind"] == "RefusedForSafety"
        assert f"may not enter {folder / 'private'};" in supervisor.said["refused"]


def test_another_users_folder_is_refused_by_name(folder: Path, cluster: Path, programs: Path) -> None:
    account = RunAs("ordinary user")
    (folder / "home").mkdir(mode=0o700)
    if os.geteuid() != 0:
        pytest.skip("needs root to make another user's folder")
    with SupervisorProcess(cluster, programs, account) as supervisor:
        assert supervisor.said["kind"] == "Unavailable"
        assert f"Permission denied: '{cluster}'" in supervisor.said["refused"]


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    disk = folder / "disk"
    disk.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(disk)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount a small disk here: {done.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_too_small_for_a_new_cluster_is_refused_with_the_cause(small_disk: Path, programs: Path) -> None:
    (small_disk / "ballast").write_bytes(bytes(40_000_000))
    with pytest.raises(Unavailable, match="No space left on device"):
        EmbeddedPostgres(small_disk / "postgres", binaries=programs).start()


def test_a_disk_that_is_full_at_the_next_start_is_refused_with_the_cause(small_disk: Path, programs: Path) -> None:
    EmbeddedPostgres(small_disk / "postgres", binaries=programs).__enter__().stop()
    with pytest.raises(OSError, match="No space left"):
        _write_without_end(small_disk / "ballast")
    with pytest.raises(Unavailable, match="No space left on device"):
        EmbeddedPostgres(small_disk / "postgres", binaries=programs).start()
    (small_disk / "ballast").unlink()
    with EmbeddedPostgres(small_disk / "postgres", binaries=programs) as server:
        assert one_value(server.url, "SELECT 1") == 1


def _write_without_end(file: Path) -> None:
    with file.open("wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(4096))


def test_programs_that_are_none_are_refused(cluster: Path, folder: Path) -> None:
    with pytest.raises(Unavailable, match="holds no usable postgres and initdb"):
        EmbeddedPostgres(cluster, binaries=folder).start()


def test_a_server_that_cannot_start_gives_its_own_reason(cluster: Path, programs: Path) -> None:
    EmbeddedPostgres(cluster, binaries=programs).__enter__().stop()
    (cluster / "data" / "postgresql.conf").write_text("shared_buffers = lots\n")
    with pytest.raises(Unavailable, match="shared_buffers"):
        EmbeddedPostgres(cluster, binaries=programs).start()
