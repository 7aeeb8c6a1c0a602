"""What a runbook tells somebody to type exists: commands and their options, settings, actions of the client, codes that can be seen.

Its JavaScript examples are run by tests/node/runbooks.test.mjs.
"""

import re
import shlex
import stat
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from xorj.cli.app import load
from xorj.client.api import Action
from xorj.vault.interface import ERRORS, FRAMEWORK_ERRORS

ROOT = Path(__file__).resolve().parents[2]
RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
SECTIONS = ["Symptoms", "What to do", "What you should see", "How to undo", "What the chain guarantees meanwhile"]
COMMANDS = sorted({line for path in RUNBOOKS for line in re.findall(r"\./xorj [^`\n]+", path.read_text())} - {"./xorj emergency-stop"})
every_runbook = pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)


@every_runbook
def test_it_answers_five_questions_in_order(path: Path) -> None:
    assert re.findall(r"^## (.+)$", path.read_text(), re.MULTILINE) == SECTIONS


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_is_one_of_ours(line: str) -> None:
    _, name, *words = shlex.split(line)
    command = load(name)
    command.make_context(name, words)
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= known


@every_runbook
def test_settings_actions_and_errors_exist(path: Path) -> None:
    text = path.read_text()
    settings = set(re.findall(r"\bXORJ_\w+", text))
    assert {name for name in settings if name not in (ROOT / ".env.example").read_text()} == set()
    assert set(re.findall(r'client\.act\("(\w+)"', text)) <= set(get_args(Action))
    codes = {name for name, _ in ERRORS} | set(FRAMEWORK_ERRORS.values())
    seen = set(re.findall(r"\b(?:Vault|Program|Bot|Nonce|Invalid|Constraint)[A-Z]\w+\b", text))
    types = {"VaultAccount", "VaultPolicy"}
    assert seen - types - codes == set()


@every_runbook
def test_endpoints_are_the_apis(path: Path) -> None:
    described = (ROOT / "docs" / "openapi.json").read_text()
    assert {name for name in re.findall(r"(?:GET|POST) (/api/[\w/]+)", path.read_text()) if f'"{name}"' not in described} == set()


@every_runbook
def test_what_is_asked_of_the_database_is_in_it(path: Path) -> None:
    schema = (ROOT / "src" / "xorj" / "adapters" / "postgres" / "schema.sql").read_text()
    for columns, table in re.findall(r"SELECT (.+) FROM (\w+)", path.read_text()):
        declared = schema.split(f"CREATE TABLE {table} (")[1].split("\n)")[0]
        assert {column for column in columns.split(", ") if f"\n    {column} " not in declared} == set()


def test_the_line_that_makes_a_bots_key_makes_one(tmp_path: Path) -> None:
    (line,) = re.findall(r"^ *\.venv/bin/python -c (.+)$", (ROOT / "docs" / "runbooks" / "key-rotation.md").read_text(), re.MULTILINE)
    done = subprocess.run([sys.executable, "-c", *shlex.split(line)], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert len(done.stdout.strip()) in {43, 44}
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bot.json", "bot.passphrase"]
