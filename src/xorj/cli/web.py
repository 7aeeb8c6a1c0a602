"""`xorj web build` and `xorj web test`: the page's sources to the files that the package ships. Needs Node 20.19 or newer."""

import shutil
import subprocess
from pathlib import Path

import typer

WEB = Path(__file__).resolve().parents[3] / "web"
TIMEOUT_S = 600

app = typer.Typer(help="Build and test the page (needs Node).", no_args_is_help=True)


@app.command()
def build() -> None:
    """Writes src/xorj/web/static from web/. Example: ./xorj web build"""
    _installed()
    _npm("run", "build")


@app.command()
def test() -> None:
    """Format, lint, types and tests of the page. Example: ./xorj web test"""
    _installed()
    _npm("run", "check")
    _npm("run", "test")


def _installed() -> None:
    """The locked packages, installed again only when the lock is newer than they are."""
    if not WEB.exists():
        raise typer.BadParameter("this command works in a checkout of the project, not in an installed package")
    stamp = WEB / "node_modules" / ".package-lock.json"
    if not stamp.exists() or stamp.stat().st_mtime < (WEB / "package-lock.json").stat().st_mtime:
        _npm("ci", "--no-audit", "--no-fund")


def _npm(*arguments: str) -> None:
    npm = shutil.which("npm")
    if npm is None:
        typer.echo("npm is not on the PATH; install Node 20.19 or newer (nodejs.org, or your distribution's packages)", err=True)
        raise typer.Exit(1)
    done = subprocess.run([npm, *arguments], cwd=WEB, check=False, timeout=TIMEOUT_S)
    if done.returncode:
        raise typer.Exit(1)
