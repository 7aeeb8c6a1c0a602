"""The process supervisor and the commands around it, with real processes, real signals and real kills. The services are tiny fakes."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from tests.fakes.eventually import eventually
from tests.fakes.supervised import ROOT, Up, environment, one_shot, pids_in, service, up_command

from xorj.primitives.errors import RefusedForSafety, Unavailable
from xorj.supervisor.data_folder import DataFolder
from xorj.supervisor.process import Life, Process, ProcessState
from xorj.supervisor.processes import Supervisor

STOP_S_MAX = 10.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def ports() -> Callable[[], int]:
    def free() -> int:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            return int(listening.getsockname()[1])

    return free


class Watched:
    """A supervisor in this process, with what it told."""

    def __init__(self, logs: Path, processes: list[Process]) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self.logs = logs
        self.told: list[tuple[str, ProcessState]] = []
        self.supervisor = Supervisor(processes, logs=logs, environment=environment(), on_change=self._note)

    def __enter__(self) -> "Watched":
        self.supervisor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.supervisor.stop()

    def life(self, name: str) -> Life:
        return self.supervisor.lives[name]

    def until(self, name: str, state: ProcessState) -> Life:
        eventually(lambda: self.life(name).state is state, f"{name} is {state.value}, not {self.life(name)}")
        return self.life(name)

    def _note(self, name: str, life: Life) -> None:
        self.told.append((name, life.state))


def gone(processes: list[psutil.Process]) -> bool:
    return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes)


def keepers(up: Up) -> list[psutil.Process]:
    alive = [one for one in up.family() if one.status() != psutil.STATUS_ZOMBIE]
    return [one for one in alive if "xorj.supervisor.keeper" in one.cmdline()]


def xorj(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "xorj", *words]
    return subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=60
    )


def report(*words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(xorj(*words, "--json").stdout)
    return found


def test_a_process_starts_when_what_it_needs_is_ready_and_no_sooner_or_later(tmp_path: Path, ports: Callable[[], int]) -> None:
    processes = [
        one_shot("migrate", "print('done')"),
        service("engine", ports(), "--ready-after", "0.4", needs=("migrate",)),
        service("web", ports(), needs=("engine",)),
        service("beside", ports()),
    ]
    with Watched(tmp_path, processes) as watched:
        watched.until("web", ProcessState.READY)
        told = watched.told
    assert told.index(("migrate", ProcessState.FINISHED)) < told.index(("engine", ProcessState.STARTING))
    assert told.index(("engine", ProcessState.READY)) < told.index(("web", ProcessState.STARTING))
    assert told.index(("beside", ProcessState.STARTING)) < told.index(("engine", ProcessState.STARTING))


def test_what_is_needed_ends_after_those_who_need_it(tmp_path: Path, ports: Callable[[], int]) -> None:
    names = ["web", "engine", "chain"]
    processes = [
        service("chain", ports()),
        service("engine", ports(), needs=("chain",)),
        service("web", ports(), needs=("engine",)),
    ]
    with Watched(tmp_path, processes) as watched:
        watched.until("web", ProcessState.READY)
    ends = [float((tmp_path / f"{name}.log").read_text().rpartition("at=")[2]) for name in names]
    assert ends == sorted(ends)
    assert {watched.life(name).state for name in names} == {ProcessState.STOPPED}


@pytest.mark.parametrize("needs", [("nobody",), ("a",)], ids=["missing", "itself"])
def test_an_order_that_cannot_be_is_refused_at_once(tmp_path: Path, needs: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="can never start: a needs"):
        Watched(tmp_path, [service("a", 1, needs=needs)])


def test_a_killed_process_is_started_again(tmp_path: Path, ports: Callable[[], int]) -> None:
    with Watched(tmp_path, [service("engine", ports())]) as watched:
        before = watched.until("engine", ProcessState.READY)
        assert before.pid is not None
        os.kill(before.pid, signal.SIGKILL)
        restarting = watched.until("engine", ProcessState.RESTARTING)
        assert restarting.cause == "killed by SIGKILL"
        after = watched.until("engine", ProcessState.READY)
    assert (after.restarts, after.cause) == (1, "")
    assert after.pid != before.pid


def test_what_a_killed_process_leaves_is_ended_too(tmp_path: Path, ports: Callable[[], int]) -> None:
    with Watched(tmp_path, [service("engine", ports(), "--child")]) as watched:
        watched.until("engine", ProcessState.READY)
        leader, child = (psutil.Process(pid) for pid in pids_in(tmp_path / "engine.log"))
        leader.kill()
        watched.until("engine", ProcessState.RESTARTING)
        eventually(lambda: gone([leader, child]), "both have ended")


def test_a_one_shot_that_fails_is_tried_a_few_times_then_given_up_with_its_words(tmp_path: Path, ports: Callable[[], int]) -> None:
    processes = [one_shot("migrate", "raise SystemExit('the database is newer')"), service("web", ports(), needs=("migrate",))]
    with Watched(tmp_path, processes) as watched:
        failed = watched.until("migrate", ProcessState.FAILED)
        assert (failed.restarts, failed.cause) == (3, "exit code 1: the database is newer")
        assert watched.supervisor.hopeless == "migrate"
        assert watched.life("web").state is ProcessState.WAITING
        assert not watched.supervisor.serves


def test_a_refusal_is_final(tmp_path: Path, ports: Callable[[], int]) -> None:
    refusing = one_shot("chain", "import sys; print('refused: a chain with another past', file=sys.stderr); sys.exit(3)")
    with Watched(tmp_path, [refusing, service("web", ports(), needs=("chain",))]) as watched:
        failed = watched.until("chain", ProcessState.FAILED)
        assert (failed.restarts, failed.cause) == (0, "exit code 3: refused: a chain with another past")
        assert watched.supervisor.hopeless == "chain"


def test_a_one_shot_that_nobody_needs_may_fail(tmp_path: Path, ports: Callable[[], int]) -> None:
    with Watched(tmp_path, [service("web", ports()), one_shot("follower", "raise SystemExit(1)", needs=("web",))]) as watched:
        watched.until("follower", ProcessState.FAILED)
        assert watched.supervisor.hopeless is None
        assert watched.supervisor.serves


def test_a_process_that_says_it_is_not_ready_is_shown_so_and_left_alone(tmp_path: Path, ports: Callable[[], int]) -> None:
    trouble = tmp_path / "trouble"
    with Watched(tmp_path, [service("engine", ports(), "--unready-file", str(trouble))]) as watched:
        ready = watched.until("engine", ProcessState.READY)
        trouble.touch()
        unready = watched.until("engine", ProcessState.UNREADY)
        assert "answers 503" in unready.cause
        trouble.unlink()
        assert watched.until("engine", ProcessState.READY).pid == ready.pid


def test_a_command_that_does_not_exist_is_a_cause(tmp_path: Path) -> None:
    with Watched(tmp_path, [Process("odd", ("/nonexistent/program",), one_shot=True)]) as watched:
        failed = watched.until("odd", ProcessState.FAILED)
    assert "/nonexistent/program" in failed.cause


def test_each_process_is_told_what_it_alone_may_know(tmp_path: Path, ports: Callable[[], int]) -> None:
    port = ports()
    known = Process(
        "signer", service("signer", port).command, ready=service("signer", port).ready, environment={"XORJ_FAKE_NAME": "secret"}
    )
    with Watched(tmp_path, [known, service("web", ports())]) as watched:
        watched.until("signer", ProcessState.READY)
        watched.until("web", ProcessState.READY)
    assert "as=secret" in (tmp_path / "signer.log").read_text()
    assert "as=secret" not in (tmp_path / "web.log").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_stop_ends_everything_within_ten_seconds(folder: Path, ports: Callable[[], int], number: signal.Signals) -> None:
    options = ("--stubborn", "--child") if number is signal.SIGINT else ()
    with Up(folder, [service("stubborn", ports(), *options), service("web", ports(), needs=("stubborn",))]) as up:
        up.ready()
        family = up.family()
        assert len(family) >= 3
        began = time.monotonic()
        up.process.send_signal(number)
        assert up.process.wait(timeout=STOP_S_MAX) == 0
        assert time.monotonic() - began < STOP_S_MAX
        assert gone(family)


def test_a_stop_while_it_starts_ends_everything_too(folder: Path, ports: Callable[[], int]) -> None:
    with Up(folder, [service("slow", ports(), "--ready-after", "600")]) as up:
        eventually(lambda: (folder / "logs" / "slow.log").exists() and pids_in(folder / "logs" / "slow.log"), "it has started")
        family = up.family()
        up.process.send_signal(signal.SIGINT)
        assert up.process.wait(timeout=STOP_S_MAX) == 0
        assert gone(family)


def test_a_killed_supervisor_leaves_no_orphan(folder: Path, ports: Callable[[], int]) -> None:
    processes = [service("polite", ports()), service("stubborn", ports(), "--stubborn", "--child")]
    with Up(folder, processes) as up:
        up.ready()
        family = up.family()
        up.process.kill()
        eventually(lambda: gone(family), "everything has ended", within_s=15)


def test_a_supervisor_killed_together_with_its_keeper_leaves_no_polite_orphan(folder: Path, ports: Callable[[], int]) -> None:
    with Up(folder, [service("polite", ports())]) as up:
        up.ready()
        family = up.family()
        (keeper,) = keepers(up)
        # stopped first, so that it cannot replace the keeper in between
        up.process.send_signal(signal.SIGSTOP)
        keeper.kill()
        up.process.kill()
        eventually(lambda: gone(family), "everything has ended")


def test_after_a_kill_the_next_up_waits_for_what_is_being_ended(folder: Path, ports: Callable[[], int]) -> None:
    processes = [service("stubborn", ports(), "--stubborn")]
    with Up(folder, processes) as killed:
        killed.ready()
        killed.process.kill()
        killed.process.wait()
        with Up(folder, processes) as up:
            assert up.ready().pid == up.process.pid


def test_a_keeper_that_died_is_replaced(folder: Path, ports: Callable[[], int]) -> None:
    with Up(folder, [service("stubborn", ports(), "--stubborn")]) as up:
        up.ready()
        (keeper,) = keepers(up)
        keeper.kill()
        eventually(lambda: keepers(up) not in ([], [keeper]), "another keeper")
        family = up.family()
        up.process.kill()
        eventually(lambda: gone(family), "everything has ended", within_s=15)


def test_a_taken_port_is_named_with_its_holder_before_anything_starts(folder: Path, ports: Callable[[], int]) -> None:
    free = ports()
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        Up(folder, [service("other", free), service("web", listening.getsockname()[1])]) as up,
    ):
        _, said = up.process.communicate(timeout=30)
        port = listening.getsockname()[1]
        assert up.process.returncode == 1
        assert f"port {port} (for web) is taken by process {os.getpid()} (" in said
        assert "--port-offset" in said
        assert not (folder / "logs" / "other.log").exists()


def test_a_start_that_cannot_succeed_says_why_and_ends(folder: Path, ports: Callable[[], int]) -> None:
    processes = [
        service("beside", ports()),
        one_shot("migrate", "raise SystemExit('no such revision')"),
        service("web", ports(), needs=("migrate",)),
    ]
    with Up(folder, processes) as up:
        _, said = up.process.communicate(timeout=30)
        assert up.process.returncode == 1
        assert f"migrate is unavailable: exit code 1: no such revision (its log: {folder / 'logs' / 'migrate.log'})" in said
    pids = pids_in(folder / "logs" / "beside.log")
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_a_second_up_on_the_same_folder_is_refused_with_the_cause(folder: Path, ports: Callable[[], int]) -> None:
    with Up(folder, [service("web", ports())]) as first:
        first.ready()
        with Up(folder, [service("web", ports())]) as second:
            _, said = second.process.communicate(timeout=30)
            assert second.process.returncode == 3
            assert f"refused: the data folder {folder} is in use by process {first.process.pid}" in said
        assert first.process.poll() is None


def test_a_folder_of_something_else_is_refused_and_left_alone(folder: Path, ports: Callable[[], int]) -> None:
    folder.mkdir()
    (folder / "letters.txt").write_text("dear ben")
    with Up(folder, [service("web", ports())]) as up:
        _, said = up.process.communicate(timeout=30)
    assert up.process.returncode == 3
    assert "holds letters.txt, which XORJ did not make" in said
    assert [path.name for path in folder.iterdir()] == ["letters.txt"]
    refused = xorj("reset", "--yes", "--data-dir", str(folder))
    assert (refused.returncode, (folder / "letters.txt").read_text()) == (3, "dear ben")


def test_in_a_pipe_a_start_is_plain_lines_and_ends_with_the_address(folder: Path, ports: Callable[[], int]) -> None:
    with Up(folder, [service("web", ports())]) as up:
        up.ready()
        up.process.send_signal(signal.SIGINT)
        out, said = up.process.communicate(timeout=30)
    assert out.startswith("XORJ runs: http://fake/")
    assert "\x1b" not in out + said
    assert any("web ready" in line for line in said.splitlines())


def test_status_shows_what_runs_and_down_ends_it(folder: Path, ports: Callable[[], int]) -> None:
    data = ["--data-dir", str(folder)]
    nothing = xorj("status", *data)
    assert (nothing.returncode, "nothing runs" in nothing.stdout) == (1, True)
    with Up(folder, [service("engine", ports()), service("web", ports(), needs=("engine",))]) as up:
        up.ready()
        family = up.family()
        found = report("status", *data)
        assert (found["ok"], found["phase"], found["pid"], found["address"]) == (True, "ready", up.process.pid, "http://fake/")
        assert [(one["name"], one["state"], one["restarts"]) for one in found["processes"]] == [("engine", "ready", 0), ("web", "ready", 0)]
        assert all(one["pid"] and one["uptime_s"] >= 0 and one["memory_mib"] > 1 for one in found["processes"])
        assert found["memory_mib"] > sum(one["memory_mib"] for one in found["processes"])
        refused = xorj("reset", "--yes", *data)
        assert (refused.returncode, "is in use by process" in refused.stderr) == (3, True)
        stopped = report("down", *data)
        assert (stopped["ok"], stopped["stopped"], stopped["killed"]) == (True, True, False)
        assert stopped["seconds"] < STOP_S_MAX
        assert gone(family)
    assert xorj("down", *data).returncode == 0
    assert report("status", *data)["running"] is False


def test_detached_it_returns_when_it_serves_and_runs_on(folder: Path, ports: Callable[[], int]) -> None:
    command = up_command(folder, [service("web", ports())])
    done = subprocess.run([*command, "--detach"], cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60)
    assert (done.returncode, "XORJ runs: http://fake/" in done.stdout) == (0, True), done
    running = DataFolder(folder).running()
    assert running is not None
    assert report("status", "--data-dir", str(folder))["ok"] is True
    assert report("down", "--data-dir", str(folder))["stopped"] is True
    assert not running.is_alive


def test_a_detached_start_that_fails_gives_its_words_and_its_exit_code(folder: Path, ports: Callable[[], int]) -> None:
    command = up_command(folder, [one_shot("migrate", "raise SystemExit('no such revision')"), service("web", ports(), needs=("migrate",))])
    done = subprocess.run([*command, "--detach"], cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60)
    assert "exit code 1: no such revision" in done.stderr
    assert done.returncode != 0


def test_logs_shows_the_last_lines_and_follows(folder: Path, ports: Callable[[], int]) -> None:
    data = ["--data-dir", str(folder)]
    with Up(folder, [service("engine", ports()), service("web", ports())]) as up:
        up.ready()
        assert "started pid=" in xorj("logs", "web", *data).stdout
        everything = xorj("logs", *data).stdout
        assert "engine | started" in everything
        assert "web | started" in everything
        unknown = xorj("logs", "wbe", *data)
        assert (unknown.returncode, "one of engine, web" in unknown.stderr) == (2, True)
        command = [sys.executable, "-m", "xorj", "logs", "-f", "-n", "0", "engine", *data]
        with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True) as following:
            eventually(lambda: psutil.Process(following.pid).num_threads() >= 1 and _reads(following.pid), "it follows")
            os.kill(report("status", *data)["processes"][0]["pid"], signal.SIGKILL)
            assert following.stdout is not None
            assert "started pid=" in following.stdout.readline()
            following.send_signal(signal.SIGINT)
            assert following.wait(timeout=10) in {0, 130}


def _reads(pid: int) -> bool:
    """True once it sleeps between two looks at the file: its start is over."""
    return psutil.Process(pid).status() == psutil.STATUS_SLEEPING and psutil.Process(pid).cpu_times().user > 0.1


def test_reset_empties_the_folder_of_a_killed_run(folder: Path, ports: Callable[[], int]) -> None:
    with Up(folder, [service("web", ports())]) as up:
        up.ready()
        family = up.family()
        up.process.kill()
        up.process.wait()
        eventually(lambda: gone(family), "everything has ended", within_s=15)
    asked = xorj("reset", "--data-dir", str(folder))
    assert (asked.returncode, "--yes" in asked.stderr, folder.joinpath("xorj.json").exists()) == (2, True, True)
    assert xorj("reset", "--yes", "--data-dir", str(folder)).returncode == 0
    assert list(folder.iterdir()) == []


def test_reset_follows_no_link_out_of_the_folder(folder: Path, tmp_path: Path) -> None:
    DataFolder(folder).adopt()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept.txt").write_text("kept")
    (folder / "lake").symlink_to(tmp_path / "elsewhere")
    DataFolder(folder).empty()
    assert (tmp_path / "elsewhere" / "kept.txt").read_text() == "kept"


def test_what_a_killed_supervisor_wrote_is_not_taken_for_a_running_one(folder: Path, ports: Callable[[], int]) -> None:
    with Up(folder, [service("web", ports())]) as up:
        running = up.ready()
        up.process.kill()
        up.process.wait()
        assert DataFolder(folder).running() is None
        assert DataFolder(folder).said() is not None
        assert running.processes["web"].state is ProcessState.READY


@pytest.mark.parametrize("content", ["", "{", '{"pid": 1}', "[]", "null"], ids=["empty", "broken", "partial", "a list", "null"])
def test_a_state_that_cannot_be_read_is_no_state(folder: Path, content: str) -> None:
    DataFolder(folder).adopt()
    (folder / "run" / "supervisor.json").write_text(content)
    assert DataFolder(folder).running() is None


def test_a_secret_is_made_once_and_read_by_its_owner_alone(folder: Path) -> None:
    data = DataFolder(folder)
    data.adopt()
    made = data.secret("token")
    assert made.stat().st_mode & 0o777 == 0o600
    assert len(made.read_text()) >= 32
    assert data.secret("token").read_text() == made.read_text()
    assert data.secret("token", "given").read_text() == "given"


def test_another_users_run_folder_is_refused(folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to make another user's folder")
    data = DataFolder(folder)
    data.adopt()
    os.chown(data.run, 1, -1)
    with pytest.raises(RefusedForSafety, match="is not a folder of this user"):
        data.adopt()


def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match=f"the data folder {tmp_path}/file/below is unavailable: .*Not a directory"):
        DataFolder(tmp_path / "file" / "below").adopt()


@pytest.mark.database
def test_the_embedded_server_stands_before_those_who_need_it_and_ends_after_them(folder: Path, ports: Callable[[], int]) -> None:
    ask = "import os, pathlib, psycopg; psycopg.connect(pathlib.Path(os.environ['XORJ_DATABASE_URL_FILE']).read_text()).execute('SELECT 1')"
    processes = [one_shot("migrate", ask, needs=("postgres",)), service("web", ports(), needs=("migrate",))]
    with Up(folder, processes, database=True) as up:
        running = up.ready()
        server = running.processes["postgres"].pid
        assert server is not None
        os.kill(server, signal.SIGKILL)
        eventually(lambda: report("status", "--data-dir", str(folder))["processes"][0]["restarts"] == 1, "the restart is shown")
        url = (folder / "keys" / "database_url").read_text()
        eventually(lambda: _answers(url), "the server is back")
        family = up.family()
        up.process.kill()
        eventually(lambda: gone(family), "the server and all others have ended", within_s=15)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True
