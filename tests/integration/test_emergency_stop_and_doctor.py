"""`xorj emergency-stop` and `xorj doctor` as their users call them. The stop works on a database that nobody else serves."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fakes.intent_rows import LEADER, plant_intent, plant_vault
from tests.fakes.supervised import ROOT, environment

from xorj.adapters.postgres import engine as postgres
from xorj.adapters.postgres.bot_controls import PostgresBotControls
from xorj.adapters.postgres.kill_switch import PostgresKillSwitch
from xorj.adapters.postgres.tables import attempts, brakes, intents
from xorj.copying.situation import Running, Stopped, Switch
from xorj.primitives.ids import LOCAL_GENESIS, Slot
from xorj.supervisor.postgres import EmbeddedPostgres


def xorj(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "xorj", *words]
    around = {name: value for name, value in environment().items() if name not in {"DATABASE_URL", "XORJ_DATABASE_URL"}}
    return subprocess.run(
        command, cwd=ROOT, env=around | variables, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=120
    )


def stop(*words: str, **variables: str) -> dict[str, Any]:
    done = xorj("emergency-stop", "--json", *words, **variables)
    assert done.returncode == 0, done
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def switch(url: str) -> Switch:
    async def read() -> Switch:
        engine = postgres.create(url, application="test", connections_min=1, connections_max=1)
        try:
            return await PostgresKillSwitch(engine).state()
        finally:
            await engine.dispose()

    return asyncio.run(read())


@pytest.mark.database
def test_a_stop_is_written_and_read_back_and_a_resume_needs_a_reason_too(database_url: str) -> None:
    assert switch(database_url) == Running()
    assert stop("--reason", "leader looks stolen", DATABASE_URL=database_url) == {
        "ok": True,
        "stopped": True,
        "reason": "leader looks stolen",
        "bot_is_working": False,
        "complete": True,
        "vaults_count": 0,
        "vaults": [],
        "waiting_intents": 0,
        "in_flight": [],
    }
    assert switch(database_url) == Stopped("leader looks stolen")
    refused = xorj("emergency-stop", "--resume", DATABASE_URL=database_url)
    assert (refused.returncode, switch(database_url)) == (2, Stopped("leader looks stolen"))
    assert stop("--resume", "--reason", "it was not", DATABASE_URL=database_url)["stopped"] is False
    assert switch(database_url) == Running()


@pytest.mark.database
def test_the_first_reason_stays(database_url: str) -> None:
    stop("--reason", "first", DATABASE_URL=database_url)
    assert stop("--reason", "second", DATABASE_URL=database_url)["reason"] == "first"


@pytest.mark.database
def test_a_database_that_has_no_tables_yet_is_stopped_before_its_first_bot(empty_database_url: str) -> None:
    stop("--reason", "not today", DATABASE_URL=empty_database_url)
    assert switch(empty_database_url) == Stopped("not today")


@pytest.mark.database
async def test_what_is_in_flight_and_what_waits_is_told(engine: AsyncEngine, database_url: str) -> None:
    bonk, usdc = "DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263", "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
    await plant_vault(engine, vault=LEADER, owner=LEADER, base_mint=usdc, bot=LEADER)
    trade = {"vault": LEADER, "side": "buy", "input_mint": usdc, "output_mint": bonk, "amount_in_raw": 1_000}
    flying, _waits, _waits_too = [await plant_intent(engine, **trade) for _ in range(3)]
    message = {"message": b"m", "minimum_out_raw": 1, "input_decimals": 6, "blockhash": LEADER, "last_valid_block_height": 150}
    guard = {"built_slot": 1, "deadline_slot": 100, "nonce": 0, "bot_epoch": 1, "lease_epoch": 1}
    signed = {"id": "attempt-1", "intent_id": flying, "number": 1, "state": "signed", "signature": "5" * 88, "transaction": b"t"}
    async with engine.begin() as connection:
        await connection.execute(update(intents).where(intents.c.id == flying).values(state="in_flight", nonce=0, bot_epoch=1))
        await connection.execute(insert(attempts).values(genesis_hash=LOCAL_GENESIS, **signed, **message, **guard))
    told = await asyncio.to_thread(stop, "--reason", "look", DATABASE_URL=database_url)
    assert told["waiting_intents"] == 2
    assert told["in_flight"] == [{"intent_id": flying, "state": "signed", "signature": "5" * 88}]
    assert (told["complete"], told["bot_is_working"]) == (False, False)
    assert told["vaults"] == [{"vault": LEADER, "owner": LEADER, "paused": False, "in_doubt": 1, "brakes": [], "complete": False}]
    shown = await asyncio.to_thread(xorj, "emergency-stop", "--reason", "look", DATABASE_URL=database_url)
    assert "still in flight, settled when their end is proven: 1" in shown.stdout
    assert "planned and not started: 2" in shown.stdout
    assert "no bot is at work: vaults are paused and trades cancelled when it is" in shown.stdout
    assert f"vault {LEADER}: not paused yet, 1 trades in doubt" in shown.stdout


@pytest.mark.database
async def test_a_bot_at_work_is_waited_for_and_its_transactions_are_listed(engine: AsyncEngine, database_url: str) -> None:
    usdc = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
    await plant_vault(engine, vault=LEADER, owner=LEADER, base_mint=usdc, bot=LEADER)
    await PostgresBotControls(engine).beat(Slot(10), gate_open=True)
    waited = await asyncio.to_thread(xorj, "emergency-stop", "--reason", "look", "--wait-s", "0.5", DATABASE_URL=database_url)
    assert f"vault {LEADER}: not paused yet, 0 trades in doubt" in waited.stdout
    sent = {"message": b"m", "blockhash": LEADER, "last_valid_block_height": 150, "built_slot": 1, "lease_epoch": 1, "transaction": b"t"}
    done = {"kind": "pause", "subject": f"{LEADER}:1", "number": 1, "vault": LEADER, "stop": 1, "state": "final_ok", "signature": "4" * 88}
    async with engine.begin() as connection:
        await connection.execute(insert(brakes).values(id="pause", genesis_hash=LOCAL_GENESIS, reason="look", **done, **sent))
    told = await asyncio.to_thread(stop, "--reason", "look", DATABASE_URL=database_url)
    assert (told["complete"], told["bot_is_working"], told["vaults_count"]) == (True, True, 1)
    assert [(one["kind"], one["status"], one["signature"]) for one in told["vaults"][0]["brakes"]] == [("pause", "done", "4" * 88)]
    shown = await asyncio.to_thread(xorj, "emergency-stop", "--reason", "look", DATABASE_URL=database_url)
    assert f"  pause: done {'4' * 88}" in shown.stdout


@pytest.mark.database
def test_the_actor_is_kept(database_url: str) -> None:
    stop("--reason", "why not", DATABASE_URL=database_url)
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT actor FROM kill_switch").fetchone()
    assert row is not None
    assert row[0].startswith("operator")


@pytest.mark.database
def test_it_works_when_nothing_runs_and_leaves_nothing_running(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "postgres"):
        pass
    told = xorj("emergency-stop", "--reason", "at night", "--data-dir", str(tmp_path))
    assert (told.returncode, told.stdout.splitlines()) == (0, ["stopped: at night", "nothing is in flight"])
    with EmbeddedPostgres(tmp_path / "postgres") as server:
        assert switch(server.url) == Stopped("at night")
        stop("--resume", "--reason", "in the morning", "--data-dir", str(tmp_path))
        assert switch(server.url) == Running()


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501], ids=["empty", "blank", "too long"])
def test_a_reason_that_says_nothing_is_refused(tmp_path: Path, reason: str) -> None:
    refused = xorj("emergency-stop", "--reason", reason, "--data-dir", str(tmp_path))
    assert (refused.returncode, "expected 1 to 500 characters" in refused.stderr) == (2, True)


def test_where_nothing_was_ever_started_there_is_nothing_to_stop(tmp_path: Path) -> None:
    refused = xorj("emergency-stop", "--reason", "any", "--data-dir", str(tmp_path / "other"))
    assert refused.returncode == 1
    assert "nothing was ever started there. Is --data-dir right?" in refused.stderr


def test_a_database_that_does_not_answer_is_a_failure_and_no_traceback(tmp_path: Path) -> None:
    refused = xorj("emergency-stop", "--reason", "any", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr + refused.stdout
    assert refused.stderr.startswith("error: ")


def findings(*words: str) -> tuple[int, dict[str, Any]]:
    done = xorj("doctor", "--json", *words)
    report = json.loads(done.stdout)
    return done.returncode, {one["name"]: one for one in report["findings"]}


def test_doctor_finds_a_fit_machine_fit(tmp_path: Path) -> None:
    code, found = findings("--data-dir", str(tmp_path / "data"), "--port-offset", "23000")
    assert (code, {one["state"] for one in found.values()} - {"warning"}) == (0, {"ok"})
    assert set(found) >= {"python", "versions", "memory", "disk", "data folder", "unix sockets", "postgresql", "its account", "ports"}
    assert not (tmp_path / "data").exists()


def test_doctor_names_a_taken_port_and_its_holder(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        if port < 3000:
            pytest.skip("the machine gives out ports below 3000")
        code, found = findings("--data-dir", str(tmp_path), "--port-offset", str(min(port - 3000, 50_000)))
        if port - 3000 > 50_000:
            pytest.skip("the machine gave out a port that no offset reaches")
    assert (code, found["ports"]["state"]) == (1, "failed")
    assert f"port {port} (for web) is taken by process {os.getpid()} (" in found["ports"]["detail"]
    assert "--port-offset" in found["ports"]["fix"]


def test_doctor_says_when_the_folder_is_something_elses(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("dear ben")
    code, found = findings("--data-dir", str(tmp_path), "--port-offset", "23000")
    assert (code, found["data folder"]["state"]) == (1, "failed")
    assert "holds letters.txt" in found["data folder"]["detail"]


def test_doctor_says_when_the_data_wants_another_postgresql(tmp_path: Path) -> None:
    (tmp_path / "postgres" / "data").mkdir(parents=True)
    (tmp_path / "postgres" / "data" / "PG_VERSION").write_text("12\n")
    code, found = findings("--data-dir", str(tmp_path), "--port-offset", "23000")
    assert (code, found["postgresql"]["state"]) == (1, "failed")
    assert "made by PostgreSQL 12" in found["postgresql"]["detail"]


def test_doctor_says_where_sockets_go_when_the_path_is_long(tmp_path: Path) -> None:
    _, found = findings("--data-dir", str(tmp_path / ("x" * 120)), "--port-offset", "23000")
    assert "because that path is too long" in found["unix sockets"]["detail"]


@pytest.mark.parametrize("command", ["up", "status", "logs", "down", "reset", "doctor", "emergency-stop"])
def test_every_command_has_help_with_an_example(command: str) -> None:
    done = xorj(command, "--help")
    assert done.returncode == 0
    assert f"Example: ./xorj {command}" in " ".join(done.stdout.replace("│", " ").split())


@pytest.mark.parametrize(
    "words",
    [
        ("up", "--port-offset", "many"),
        ("up", "--port-offset", "-1"),
        ("up", "--port-offset", "60000"),
        ("logs", "-n", "-3"),
        ("reset", "--no"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2_and_no_traceback(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = xorj(*words, "--data-dir", str(tmp_path))
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done


def test_a_file_in_the_place_of_the_data_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = xorj("up", "--data-dir", str(tmp_path / "file"), "--port-offset", "23000")
    assert done.returncode == 2
    assert "expected a folder" in done.stderr
