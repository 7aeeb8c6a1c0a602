"""`xorj demo` and `xorj localnet` as commands: what they refuse, and the whole main job with the bot killed three times."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FIELDS = {
    *("ok", "mode", "seed", "model", "chain_genesis", "leaders_ranked", "villains_in_top_10", "followers", "leader_trades_seen"),
    *("decisions", "intents", "settled", "reverted", "dead", "unsettled", "vault_trades_on_chain", "duplicate_effects"),
    *("effects_without_intent", "ledger_matches_chain", "first_copy_seconds", "total_seconds", "memory_mib", "kills", "replay"),
}


def xorj(*words: str, environment: dict[str, str] | None = None, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "xorj", *words]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=timeout_s, env={**os.environ, **(environment or {})}, check=False
    )


@pytest.mark.parametrize(
    ("words", "environment", "code", "said"),
    [
        (("demo", "--replay", "/nowhere/swaps.csv"), {}, 2, "a file that is there"),
        (("demo", "--seed", "-1"), {}, 2, "seed"),
        (("demo", "--seed", "many"), {}, 2, "seed"),
        (("demo", "--port-offset", "90000"), {}, 2, "PORT_OFFSET"),
        (("demo", "--allow-unscored"), {"XORJ_ENVIRONMENT": "devnet"}, 3, "local chain alone"),
        (("localnet", "--slot-ms", "1"), {}, 2, "slot-ms"),
        (("localnet", "--replay", "/nowhere/swaps.csv"), {}, 2, "a file that is there"),
        (("localnet",), {"XORJ_BIND_HOST": "0.0.0.0"}, 3, "loopback only"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_cause(
    words: tuple[str, ...], environment: dict[str, str], code: int, said: str, tmp_path: Path
) -> None:
    done = xorj(*words, environment={"XORJ_DATA_DIR": str(tmp_path)} | environment)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.database
def test_the_main_job_holds_with_the_bot_killed_three_times() -> None:
    done = xorj("demo", "--json", "--kill-bot", timeout_s=600)
    found = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert set(found) == FIELDS
    assert found["ok"] is True
    assert found["settled"] >= 5
    assert found["vault_trades_on_chain"] == found["settled"]
    assert found["unsettled"] == found["duplicate_effects"] == found["effects_without_intent"] == 0
    assert found["ledger_matches_chain"] is True
    assert len({kill["state"] for kill in found["kills"]}) == 3
