"""The pure parts of supervision: back-off, order, logs, the choice of PostgreSQL's programs, what a server's last words mean."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some
from tests.fakes.eventually import eventually

from xorj.primitives.errors import RefusedForSafety, Unavailable
from xorj.supervisor import log_files, ports
from xorj.supervisor.backoff import RESTART_DELAY_FIRST_S, RESTART_DELAY_MAX_S, RESTARTS_IN_A_ROW_MAX, STEADY_AFTER_S, Backoff, GiveUp
from xorj.supervisor.fleet import FleetPorts, fleet
from xorj.supervisor.postgres_folder import cause
from xorj.supervisor.postgres_programs import PostgresPrograms, choose
from xorj.supervisor.process import Process, require_order
from xorj.supervisor.processes import DATABASE
from xorj.supervisor.runtime_folder import SOCKET_PATH_BYTES_MAX, leave, private_folder, runtime_folder

DEBIAN = PostgresPrograms(Path("/usr/lib/postgresql/15/bin"), 15, "15.20", "system")
WHEEL = PostgresPrograms(Path("/venv/pginstall18/bin"), 18, "18.4", "wheel")
PORTS = FleetPorts(web=1, gateway=2, quant_engine=3, trade_bot=4, rpc=5, websocket=6, jupiter=7)


def test_delays_double_from_the_first_to_the_largest_and_then_it_gives_up() -> None:
    backoff = Backoff()
    delays = [backoff.after(0) for _ in range(RESTARTS_IN_A_ROW_MAX)]
    assert delays[:4] == [RESTART_DELAY_FIRST_S, 2 * RESTART_DELAY_FIRST_S, 4 * RESTART_DELAY_FIRST_S, 8 * RESTART_DELAY_FIRST_S]
    assert delays[-1] == RESTART_DELAY_MAX_S
    assert backoff.after(0) == GiveUp(RESTARTS_IN_A_ROW_MAX)


def test_a_steady_life_forgives_the_ends_before_it() -> None:
    backoff = Backoff()
    for _ in range(RESTARTS_IN_A_ROW_MAX):
        backoff.after(0)
    assert backoff.after(STEADY_AFTER_S) == RESTART_DELAY_FIRST_S


@given(some.lists(some.floats(0, 2 * STEADY_AFTER_S)))
def test_a_delay_is_never_below_the_first_or_above_the_largest(lives: list[float]) -> None:
    backoff = Backoff()
    delays = [delay for life in lives if not isinstance(delay := backoff.after(life), GiveUp)]
    assert all(RESTART_DELAY_FIRST_S <= delay <= RESTART_DELAY_MAX_S for delay in delays)


@given(some.permutations(["a", "b", "c", "d"]))
def test_the_order_of_declaration_does_not_matter(names: list[str]) -> None:
    needs = {"a": (), "b": ("a",), "c": ("a", "b"), "d": ("c",)}
    require_order([Process(name, (), needs[name]) for name in names])


@pytest.mark.parametrize(
    "needs",
    [{"a": ("b",), "b": ("a",)}, {"a": ("c",)}, {"a": ("b",), "b": ("c",), "c": ("a",)}],
    ids=["two need each other", "a stranger is needed", "a circle of three"],
)
def test_an_impossible_order_is_refused(needs: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(ValueError, match="can never start"):
        require_order([Process(name, (), needed) for name, needed in needs.items()])


def test_a_name_stands_once() -> None:
    with pytest.raises(ValueError, match="declared twice"):
        require_order([Process("a", ()), Process("a", ())])


@pytest.mark.parametrize("embedded", [True, False])
@pytest.mark.parametrize("has_key", [True, False])
def test_the_fleet_can_start(embedded: bool, has_key: bool) -> None:
    processes = fleet(PORTS, Path("/run/signer.sock"), embedded_database=embedded, has_key=has_key)
    require_order(processes, others=frozenset({DATABASE} if embedded else ()))
    names = {process.name for process in processes}
    assert names >= {"migrate", "localnet", "signer", "quant-engine", "trade-bot", "gateway", "web", "demo-follower"}
    assert ("signer-key" in names) is not has_key
    assert sorted(port for process in processes for port in process.ports) == [1, 2, 3, 4, 5, 6, 7]


def test_no_command_of_the_fleet_carries_a_secret() -> None:
    for process in fleet(PORTS, Path("/run/signer.sock"), embedded_database=True, has_key=False):
        assert process.command[:4] == (sys.executable, "-P", "-m", "xorj")
        assert set(process.command[4:]) <= {"run", "localnet", process.name}


@pytest.mark.parametrize(
    ("candidates", "made_by", "chosen"),
    [([DEBIAN, WHEEL], None, DEBIAN), ([DEBIAN, WHEEL], 18, WHEEL), ([DEBIAN, WHEEL], 15, DEBIAN), ([WHEEL], None, WHEEL)],
    ids=["the system's first", "the data's own major", "the data's own major again", "the wheel's alone"],
)
def test_which_postgresql_runs(candidates: list[PostgresPrograms], made_by: int | None, chosen: PostgresPrograms) -> None:
    assert choose(candidates, made_by) == chosen


def test_data_without_its_major_version_is_refused_with_both_named() -> None:
    with pytest.raises(
        RefusedForSafety, match=r"made by PostgreSQL 17, .* this machine has PostgreSQL 15\.20 \(system, .*Install PostgreSQL 17"
    ):
        choose([DEBIAN, WHEEL], 17)


def test_a_machine_without_postgresql_is_told_so() -> None:
    with pytest.raises(Unavailable, match="no postgres of version 15 or newer"):
        choose([], None)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("", "it said nothing"),
        ("one\ntwo\n", "two"),
        (
            "2026-11-24 18:00:00.000 UTC [7] FATAL:  could not write lock file: No space left on device\n",
            "FATAL:  could not write lock file: No space left on device",
        ),
        (
            (
                '2026-11-24 18:00:00 UTC [7] LOG:  invalid value for parameter "shared_buffers": "lots"\n'
                '2026-11-24 18:00:00 UTC [7] FATAL:  configuration file "postgresql.conf" contains errors\n'
            ),
            'LOG:  invalid value for parameter "shared_buffers": "lots" FATAL:  configuration file "postgresql.conf" contains errors',
        ),
        ("FATAL:  it is in use\nHINT:  end the other\nLOG:  shut down\n", "FATAL:  it is in use HINT:  end the other"),
        ("initdb: error: could not create\ninitdb: removing contents\n", "initdb: error: could not create"),
    ],
    ids=["nothing", "no known word", "fatal", "configuration", "hint", "initdb"],
)
def test_what_a_servers_last_words_mean(said: str, meant: str) -> None:
    assert cause(said) == meant


def test_a_log_that_is_written_to_is_rotated_without_a_gap(tmp_path: Path) -> None:
    log = log_files.log_file(tmp_path, "engine")
    writer = "import sys\nfor n in range(1000000):\n    if sys.stdin.readline() == '': break\n    print(n, flush=True)"
    with log_files.open_log(log) as output:
        child = subprocess.Popen([sys.executable, "-c", writer], stdin=subprocess.PIPE, stdout=output)
    assert child.stdin is not None
    for number in range(300):
        child.stdin.write(b"\n")
        child.stdin.flush()
        eventually(lambda number=number: f"{number}\n" in log.read_text(), "the line is there")  # type: ignore[misc]
        if number % 100 == 99:
            assert log_files.rotate(log, bytes_max=50)
    child.stdin.close()
    child.wait()
    old = [log.with_name(f"engine.log.{number}") for number in (3, 2, 1)]
    assert "".join(file.read_text() for file in [*old, log]).split() == [str(number) for number in range(300)]
    assert {file.stat().st_mode & 0o777 for file in [*old, log]} == {0o600}


def test_old_logs_are_few_and_a_small_log_stays(tmp_path: Path) -> None:
    log = log_files.log_file(tmp_path, "engine")
    assert not log_files.rotate(log)
    for number in range(6):
        log.write_text(f"{number}" * 100)
        assert log_files.rotate(log, bytes_max=50)
        assert not log_files.rotate(log, bytes_max=50)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["engine.log", "engine.log.1", "engine.log.2", "engine.log.3"]
    assert (tmp_path / "engine.log.1").read_text()[0] == "5"


def test_the_tail_of_a_log(tmp_path: Path) -> None:
    log = log_files.log_file(tmp_path, "engine")
    assert log_files.tail(log, 5) == []
    log.write_text("".join(f"line {number}\n" for number in range(10)))
    assert log_files.tail(log, 2) == ["line 8", "line 9"]
    assert log_files.since(log, log.stat().st_size - 7) == "line 9\n"
    assert log_files.since(log, 10_000) == ""


@pytest.mark.parametrize(
    ("path", "stays"),
    [("/home/ana/.xorj/run", True), ("/" + "x" * 90, False), ("/a,b/run", False), ("/ünïcode/run", False), ("/with space/run", True)],
)
def test_sockets_lie_beside_the_data_where_their_path_may(path: str, stays: bool) -> None:
    found = runtime_folder(Path(path))
    assert (found == Path(path)) is stays
    assert len(os.fsencode(found / ".s.PGSQL.5432.lock")) <= SOCKET_PATH_BYTES_MAX
    assert runtime_folder(Path(path)) == found


def test_a_stand_in_is_taken_away_when_it_is_empty_and_nothing_else_is(tmp_path: Path) -> None:
    stand_in = private_folder(runtime_folder(tmp_path / ("long" * 30)))
    (stand_in / "a.sock").touch()
    leave(stand_in)
    assert stand_in.exists(), "somebody listens there"
    (stand_in / "a.sock").unlink()
    for _ in range(2):
        leave(stand_in)
    assert not stand_in.exists()
    beside = private_folder(tmp_path / "run")
    leave(beside)
    assert beside.exists()


def test_a_link_in_the_place_of_a_private_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RefusedForSafety, match="is not a folder of this user"):
        private_folder(tmp_path / "run")


def test_a_folder_that_others_could_read_is_closed(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o755)
    assert private_folder(tmp_path / "run").stat().st_mode & 0o777 == 0o700


def test_a_taken_port_is_named_with_its_holder_and_a_free_one_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        (found,) = ports.taken({port: "web"})
        assert (found.port, found.wanted_by) == (port, "web")
        assert f"process {os.getpid()} (" in found.holder
    assert ports.taken({port: "web"}) == []
