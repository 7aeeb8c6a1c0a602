"""The command line as people and scripts meet it: help, exit codes, one clear message for whatever goes wrong."""

import importlib
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from xorj.cli import app as command_line
from xorj.cli.app import COMMANDS, Entry, run
from xorj.primitives.errors import BrokenInvariant, InvalidInput, RefusedForSafety, Unavailable

ROOT = Path(__file__).resolve().parents[2]
Start = Callable[..., tuple[int, str, str]]


@pytest.fixture
def start(capfd: pytest.CaptureFixture[str]) -> Start:
    """Runs one command; returns its exit code, what it wrote, and what it complained of."""

    def started(*arguments: str) -> tuple[int, str, str]:
        code = run(arguments)
        out, err = capfd.readouterr()
        return code, out, re.sub(r"[\s│╭╰─╮╯]+", " ", err)

    return started


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Adds a command `fail` that raises."""

    def add(error: BaseException) -> None:
        def fail() -> None:
            raise error

        module = type(sys)("xorj.cli.failing")
        module.fail = fail  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "xorj.cli.failing", module)
        monkeypatch.setitem(COMMANDS, "fail", Entry("failing:fail", "Fails.", command_line.WORK))

    return add


def test_help_lists_every_command_and_imports_none() -> None:
    code = "import sys; from xorj.cli.app import run; run(['--help']); print(sorted(m for m in sys.modules if m.startswith('xorj.')))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "['xorj.cli', 'xorj.cli.app', 'xorj.primitives', 'xorj.primitives.errors']" in out
    for name in COMMANDS:
        assert f" {name} " in out


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_shows_help_with_an_example(name: str, start: Start) -> None:
    code, out, err = start(name, "--help")
    assert (code, err) == (0, "")
    if "COMMAND" in out:
        groups = re.findall(r"^│ (\w[\w-]*) ", out.split("Commands")[1], re.MULTILINE)
        outs = [start(name, group, "--help")[1] for group in groups]
        assert outs
    else:
        outs = [out]
    for one in outs:
        assert f"./xorj {name}" in re.sub(r"\s+", " ", one), f"{name} shows no example"


def test_the_list_of_commands_names_only_what_exists() -> None:
    for entry in COMMANDS.values():
        module, attribute = entry.place.split(":")
        assert hasattr(importlib.import_module(f"xorj.cli.{module}"), attribute), entry.place


def test_the_version_is_one_line(start: Start) -> None:
    code, out, err = start("--version")
    assert (code, err) == (0, "")
    assert re.fullmatch(r"xorj \d+\.\d+\.\d+\n", out)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["--nonsense"], "No such option"),
        (["run"], "Missing argument"),
        (["run", "nonsense"], "is not one of"),
        (["run", "gateway", "--port-offset", "many"], "'--port-offset'"),
        (["bench", "nonsense"], "no bench named"),
        (["run", "gateway", "--port-offset", "70000"], "XORJ_PORT_OFFSET"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_was_wrong(arguments: list[str], told: str, start: Start) -> None:
    code, out, err = start(*arguments)
    assert (code, out) == (2, "")
    assert told in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (
            InvalidInput("slippage_bps", given=12_000, rule="0 to 10000"),
            2,
            "error: slippage_bps: 12000 is not allowed; expected 0 to 10000",
        ),
        (RefusedForSafety("this database is of another chain"), 3, "refused: this database is of another chain"),
        (Unavailable("PostgreSQL", "no answer"), 1, "error: PostgreSQL is unavailable: no answer"),
        (BrokenInvariant("ledger differs", vault="v"), 1, "error: ledger differs vault=v"),
        (typer.Exit(7), 7, ""),
        (KeyboardInterrupt(), 130, ""),
        (SystemExit("told by a library"), 1, ""),
    ],
)
def test_an_error_is_one_message_and_its_exit_code(
    error: BaseException, code: int, told: str, start: Start, failing: Callable[[BaseException], None]
) -> None:
    failing(error)
    ended, out, err = start("fail")
    assert (ended, out) == (code, "")
    assert told in err
    assert "Traceback" not in err


def test_a_fault_of_ours_is_one_line_with_the_whole_story_in_a_private_file(
    start: Start, failing: Callable[[BaseException], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    failing(ZeroDivisionError("by nought"))
    code, out, err = start("fail")
    (report,) = tmp_path.glob("xorj-*.log")
    assert (code, out) == (1, "")
    assert "ZeroDivisionError: by nought" in err
    assert report.name in err.replace(" ", "")
    assert "Traceback" not in err
    assert "raise error" in report.read_text()
    assert report.stat().st_mode & 0o077 == 0


def test_debug_shows_the_traceback(failing: Callable[[BaseException], None]) -> None:
    failing(ZeroDivisionError("by nought"))
    with pytest.raises(ZeroDivisionError):
        run(["--debug", "fail"])


def test_a_reader_that_leaves_early_is_no_error() -> None:
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{sys.executable} -m xorj --help | head -c 1"], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr


def test_every_command_file_is_registered() -> None:
    # backfill's commands are registered by the group's file, swaps
    used = {entry.place.split(":")[0] for entry in COMMANDS.values()} | {"backfill"}
    folder = ROOT / "src" / "xorj" / "cli"
    with_commands = {path.stem for path in folder.glob("*.py") if "typer.Option(" in path.read_text() or "@app.command" in path.read_text()}
    assert with_commands - {"app"} <= used
