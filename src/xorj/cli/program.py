"""`xorj program tools`, `build`, `test` and `mutate`: the on-chain programs from their sources to the files that the package ships.

Nobody needs this to run XORJ. It works on Debian with the compiler of its packages `rustc-web` and `rust-web-src`, and with any cargo.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import typer

from xorj.cli.mutants import mutate as mutating
from xorj.cli.mutants.mutate import VAULT
from xorj.cli.program_file import faults

ROOT = Path(__file__).resolve().parents[3]
PROGRAMS = ROOT / "programs"
SHIPPED = ROOT / "src" / "xorj" / "localnet" / "programs"
TEST_DATA = ROOT / "tests" / "program"
SUMS = "SHA256SUMS"
TOOLCHAIN = "TOOLCHAIN"
# Crate to the folder that its file goes to; programs that only tests load are not shipped.
FILES = {"xorj_vault": SHIPPED, "local_amm": SHIPPED, "local_router": SHIPPED, "evil_router": TEST_DATA}
SIZE_BYTES_MAX = {"xorj_vault": 40_000}
DEBIAN_PACKAGES = ("rustc-web", "rust-web-src", "rustfmt-web", "llvm-22-dev", "llvm-22", "libpolly-22-dev", "zlib1g-dev", "libzstd-dev")
LINKER_VERSION = "0.2.6"
LLVM_PREFIX = "/usr/lib/llvm-22"
BUILD_TIMEOUT_S = 1_800

app = typer.Typer(help="Build and test the on-chain programs (needs Rust).", no_args_is_help=True)


@app.command()
def tools() -> None:
    """Installs Debian's compiler and the linker for on-chain programs, about 3 minutes. Example: ./xorj program tools"""
    _need_checkout()
    if _is_there("/usr/bin/rustc") and Path(LLVM_PREFIX).exists() and Path("/usr/bin/rustfmt").exists():
        typer.echo("compiler: installed")
    else:
        _install_packages()
    if _linker() is not None:
        typer.echo(f"linker: {_version(['sbpf-linker', '--version'])}")
        return
    prefix = dict.fromkeys(("LLVM_PREFIX", "LLVM_SYS_221_PREFIX", "LLVM_SYS_220_PREFIX"), LLVM_PREFIX)
    features = ["--no-default-features", "--features", "bpf-linker/llvm-22"]
    command = ["cargo", "install", "sbpf-linker", "--version", f"={LINKER_VERSION}", "--locked", *features, "--root", str(_tools_folder())]
    _run(command, environment=prefix)


@app.command()
def build() -> None:
    """Builds the programs and writes the shipped files, their sums and the tools' versions. Example: ./xorj program build"""
    _need_checkout()
    built = _built(PROGRAMS / "target")
    for name, folder in FILES.items():
        shutil.copyfile(built[name], folder / f"{name}.so")
        typer.echo(f"{name}.so  {built[name].stat().st_size} bytes")
    (SHIPPED / SUMS).write_text(_sums())
    (SHIPPED / TOOLCHAIN).write_text(_toolchain())


@app.command()
def test() -> None:
    """Format, lint and host tests of the programs, then a fresh build held against the shipped files. Example: ./xorj program test"""
    _need_checkout()
    _run(["cargo", "fmt", "--check"])
    if _has_clippy():
        _run(["cargo", "clippy", "--quiet", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"])
    else:
        typer.echo("SKIPPED lint: this cargo has no clippy (rustup has it)")
    _run(["cargo", "test", "--quiet", "--locked", "--workspace"])
    with tempfile.TemporaryDirectory(prefix="xorj-programs-") as folder:
        # From a copy in another folder, so that a path which found its way into the bytes is noticed.
        copy = Path(folder) / "elsewhere"
        shutil.copytree(PROGRAMS, copy, ignore=shutil.ignore_patterns("target", "tools"))
        fresh = _built(Path(folder) / "target", copy)
        if not _is_what_is_shipped(fresh):
            _test_fresh(fresh, Path(folder) / "fresh")


@app.command()
def mutate(
    changed: str = typer.Option("", metavar="REVISION", help="Only the checks that the changes since this revision touch."),
    only: list[str] = typer.Option([], help="Only cases whose name holds this; may be given several times."),
    jobs: int = typer.Option(2, min=1, help="How many are tried at once."),
    as_json: bool = typer.Option(False, "--json", help="The verdicts as JSON."),
) -> None:
    """Takes away each check of the vault in turn and names the test that notices. Example: ./xorj program mutate --changed main"""
    _need_checkout()
    others = {name: folder / f"{name}.so" for name, folder in FILES.items() if name != VAULT}

    def told(line: str) -> None:
        typer.echo(line, err=as_json)

    try:
        verdicts = mutating.mutate(ROOT, _built_mutants, others, changed_since=changed or None, only=only, jobs=jobs, told=told)
    except mutating.MutationImpossible as reason:
        raise _failed(str(reason)) from reason
    missed = [verdict for verdict in verdicts if not verdict.caught_by]
    if as_json:
        typer.echo(json.dumps([asdict(verdict) for verdict in verdicts], indent=1))
    typer.echo(mutating.table(verdicts), err=as_json)
    for verdict in missed:
        typer.echo(f"NOT CAUGHT {verdict.line} {verdict.case}", err=True)
    if missed:
        raise typer.Exit(1)


def _built_mutants(sources: Path) -> Path:
    target = sources.parent / "target"
    _run([str(sources / "build.sh"), "--quiet", "-p", VAULT], environment={"CARGO_TARGET_DIR": str(target)}, at=sources)
    return target / "bpfel-unknown-none" / "release" / f"lib{VAULT}.so"


def _is_what_is_shipped(fresh: dict[str, Path]) -> bool:
    """The fresh files against the shipped ones, False where other tools were used than they were built with, which give other bytes."""
    if (SHIPPED / SUMS).read_text() != _sums():
        raise _failed(f"{SUMS} does not fit the shipped files; run ./xorj program build")
    others = differing(fresh)
    if not others:
        typer.echo("the shipped files are what the sources give")
        return True
    if _toolchain() == (SHIPPED / TOOLCHAIN).read_text():
        raise _failed(f"not what the sources give: {', '.join(others)}; run ./xorj program build and commit")
    typer.echo(f"NOT COMPARED: other tools than the shipped files were built with.\nhere:\n{_toolchain()}")
    return False


def differing(fresh: dict[str, Path]) -> list[str]:
    """Which of the fresh files have other bytes than those that the package and the tests have."""
    return [name for name, folder in FILES.items() if fresh[name].read_bytes() != (folder / f"{name}.so").read_bytes()]


def _test_fresh(fresh: dict[str, Path], folder: Path) -> None:
    """The program tests on the fresh build, where its bytes prove nothing."""
    folder.mkdir()
    for name, built in fresh.items():
        shutil.copyfile(built, folder / f"{name}.so")
    typer.echo("running the program tests on the fresh build")
    _run([sys.executable, "-m", "pytest", str(TEST_DATA)], environment={"XORJ_PROGRAM_FILES": str(folder)}, at=ROOT)


def _built(target: Path, sources: Path = PROGRAMS) -> dict[str, Path]:
    """Builds all programs and returns their files by crate."""
    if _linker() is None:
        raise _failed("sbpf-linker is missing; run ./xorj program tools")
    if not _is_there("/usr/bin/rustc"):
        raise _failed(f"Debian's rustc is missing; install {' '.join(DEBIAN_PACKAGES)}")
    _run([str(sources / "build.sh"), "--quiet"], environment={"CARGO_TARGET_DIR": str(target)})
    return checked({name: target / "bpfel-unknown-none" / "release" / f"lib{name}.so" for name in FILES})


def checked(built: dict[str, Path]) -> dict[str, Path]:
    """The same files by crate, when each of them may be shipped; else the command fails and says what is wrong with which."""
    for name, path in built.items():
        if found := faults(path.read_bytes()):
            raise _failed("\n".join(f"{name}.so: {fault}" for fault in found))
        if (size := path.stat().st_size) > SIZE_BYTES_MAX.get(name, size):
            raise _failed(f"{name}.so has {size} bytes, more than {SIZE_BYTES_MAX[name]}")
    return built


def _sums() -> str:
    """As sha256sum writes and checks them."""
    shipped = sorted(name for name, folder in FILES.items() if folder == SHIPPED)
    return "".join(f"{sha256((SHIPPED / f'{name}.so').read_bytes()).hexdigest()}  {name}.so\n" for name in shipped)


def _toolchain() -> str:
    """What decides the bytes, one a line."""
    linker = re.sub(r"\s+", " ", _version(["sbpf-linker", "--version"]))
    return f"{_version(['/usr/bin/rustc', '--version'])}\n{linker}\n"


def _tools_folder() -> Path:
    return Path(os.environ.get("XORJ_PROGRAM_TOOLS", PROGRAMS / "tools"))


def _path() -> str:
    return f"{_tools_folder() / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"


def _linker() -> str | None:
    return shutil.which("sbpf-linker", path=_path())


def _is_there(program: str) -> bool:
    return shutil.which(program) is not None


def _has_clippy() -> bool:
    done = subprocess.run(["cargo", "clippy", "--version"], cwd=PROGRAMS, capture_output=True, check=False)
    return done.returncode == 0


def _install_packages() -> None:
    if os.geteuid() != 0:
        raise _failed(f"as root: apt-get install --no-install-recommends {' '.join(DEBIAN_PACKAGES)}")
    if not _is_there("apt-get"):
        raise _failed("the programs are built with Debian's compiler; this machine has no apt-get")
    _run(["apt-get", "update", "-qq"])
    _run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *DEBIAN_PACKAGES])


def _version(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | {"PATH": _path()})
    return done.stdout.strip()


def _run(command: list[str], *, environment: dict[str, str] | None = None, at: Path = PROGRAMS) -> None:
    """Runs in programs/ unless told; the command's own output is shown, and its failure is ours."""
    if not _is_there(command[0]):
        raise _failed(f"{command[0]} is not on the PATH")
    env = os.environ | {"PATH": _path()} | (environment or {})
    done = subprocess.run(command, cwd=at, env=env, check=False, timeout=BUILD_TIMEOUT_S)
    if done.returncode:
        raise _failed(f"failed: {' '.join(command)}")


def _failed(message: str) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(1)


def _need_checkout() -> None:
    if not PROGRAMS.exists():
        typer.echo("this command works in a checkout of the project, not in an installed package", err=True)
        raise typer.Exit(2)
