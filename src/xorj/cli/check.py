"""`xorj check` and `xorj test`: what CI runs, for developers. Both need the checkout that the package was started from."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import typer

ROOT = Path(__file__).resolve().parents[3]

CHECKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("format", ("ruff", "format", "--check", "--quiet", ".")),
    ("lint", ("ruff", "check", "--quiet", ".")),
    ("types", ("mypy", "--no-error-summary")),
    ("layers", ("lint-imports", "--config", ".importlinter", "--no-logo")),
    ("house rules", ("pytest", "-q", "-p", "no:cacheprovider", "tests/unit/test_house_rules.py")),
    ("generated files", ("xorj.cli.generate", "--check")),
)


def check() -> None:
    """Format, lint, types, layers, house rules and generated files. Example: ./xorj check"""
    _need_checkout()
    failed = [name for name, command in CHECKS if not _passes(name, command)]
    if failed:
        typer.echo(f"failed: {', '.join(failed)}", err=True)
        raise typer.Exit(1)


COVERAGE_PERCENT_MIN = 80
MONEY_PATH = ("execution", "copying", "vault", "signing")
MONEY_PATH_PERCENT_MIN = 95
USAGE_OF_PYTEST = 4
WORKERS = 2


def run_tests(
    arguments: list[str] = typer.Argument(None, help="Passed on to pytest, after --."),
    coverage: bool = typer.Option(False, help="Measure line coverage and hold it to its minimum."),
    workers: int = typer.Option(None, min=1, max=64, help="Processes; 2 for the whole suite and 1 for a part of it.", show_default=False),
) -> None:
    """The whole test suite that this machine can run. Example: ./xorj test -- tests/unit -k lots"""
    _need_checkout()
    count = workers or (1 if arguments else WORKERS)
    spread = ["-n", str(count), "--dist", "loadfile", "--no-loadscope-reorder"] if count > 1 else []
    measured = ["--cov", "--cov-report="] if coverage else []
    status = _module(["pytest", *spread, *measured, *(arguments or [])]).returncode
    if coverage and status == 0:
        status = max(_covered(COVERAGE_PERCENT_MIN), *(_covered(MONEY_PATH_PERCENT_MIN, package) for package in MONEY_PATH))
    raise typer.Exit(_exit_code(status))


def _exit_code(status: int) -> int:
    """Ours for pytest's: 0 all passed, 2 arguments that it does not know, 1 anything else."""
    return 2 if status == USAGE_OF_PYTEST else min(status, 1)


def _covered(percent_min: int, package: str | None = None) -> int:
    """Prints the coverage of one package, or of all, and returns 1 when it is below its minimum."""
    include = ["--include", f"src/xorj/{package}/*"] if package else []
    return _module(["coverage", "report", "--skip-covered", f"--fail-under={percent_min}", *include]).returncode


def _passes(name: str, command: tuple[str, ...]) -> bool:
    started = time.monotonic()
    done = _module(command, capture=True)
    ok = done.returncode == 0
    typer.echo(f"{'ok    ' if ok else 'FAILED'}  {name}  ({time.monotonic() - started:.1f} s)")
    if not ok:
        typer.echo(done.stdout + done.stderr, err=True)
    return ok


def _module(command: Sequence[str], *, capture: bool = False) -> subprocess.CompletedProcess[str]:
    script = Path(sys.executable).parent / command[0]
    if not script.exists():
        start = [sys.executable, "-m", command[0]]
    elif script.read_bytes().startswith(b"#!"):
        # its first line names the folder that the environment was made in, which may have moved since
        start = [sys.executable, str(script)]
    else:
        start = [str(script)]
    return subprocess.run([*start, *command[1:]], cwd=ROOT, text=True, capture_output=capture, check=False)


def _need_checkout() -> None:
    if not (ROOT / "pyproject.toml").exists():
        typer.echo("this command works in a checkout of the project, not in an installed package", err=True)
        raise typer.Exit(2)
