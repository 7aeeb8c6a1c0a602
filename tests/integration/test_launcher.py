"""The launcher on checkouts of its own: a package that prints its arguments, and a lock of hand-made wheels that needs no network."""

import fcntl
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = '''"""Stands for the package."""
import importlib.metadata, sys
print(importlib.metadata.version("xorj"), *sys.argv[1:], sep="|")
'''
ADDED_SECONDS_MAX = 0.3


class Checkout:
    """A small project with the real launcher."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wheels = folder.parent / "wheels"
        self.wheels.mkdir()
        (folder / "src" / "xorj").mkdir(parents=True)
        (folder / "src" / "xorj" / "__init__.py").write_text("")
        (folder / "src" / "xorj" / "__main__.py").write_text(PROGRAM)
        (folder / "pyproject.toml").write_text('[project]\nname = "xorj"\nversion = "4.5.6"\n')
        shutil.copy(ROOT / "xorj", folder / "xorj")
        self.lock(user={}, developer={})

    def lock(self, *, user: dict[str, str], developer: dict[str, str]) -> None:
        """Writes the lock files: name and version of each package."""
        for file, packages in (("requirements.txt", user), ("requirements-dev.txt", user | developer)):
            text = "".join(f"{name}=={version} \\\n    --hash=sha256:{self._wheel(name, version)}\n" for name, version in packages.items())
            (self.folder / file).write_text(text)
        (self.folder / "uv.lock").write_text(f"{user} {developer}\n")

    def _wheel(self, name: str, version: str) -> str:
        facts = f"{name}-{version}.dist-info"
        path = self.wheels / f"{name}-{version}-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(zipfile.ZipInfo(f"{name}.py"), f"version = {version!r}\n")
            wheel.writestr(zipfile.ZipInfo(f"{facts}/METADATA"), f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
            wheel.writestr(
                zipfile.ZipInfo(f"{facts}/WHEEL"), "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            wheel.writestr(zipfile.ZipInfo(f"{facts}/RECORD"), f"{name}.py,,\n{facts}/METADATA,,\n{facts}/WHEEL,,\n{facts}/RECORD,,\n")
        return sha256(path.read_bytes()).hexdigest()

    def environment(self, **more: str) -> dict[str, str]:
        """This Python first on the PATH, no uv, no package index."""
        base = getattr(sys, "_base_executable", sys.executable)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON", "COV", "VIRTUAL_ENV"))}
        path = f"{Path(base).parent}{os.pathsep}/usr/bin{os.pathsep}/bin"
        return kept | {"PATH": path, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels)} | more

    def start(self, *arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.folder / "xorj"), *arguments]
        return subprocess.run(
            command, cwd=cwd, env=self.environment(**environment), capture_output=True, text=True, check=False, timeout=120
        )

    def has(self, name: str) -> str:
        """The installed version of a package, or an empty text."""
        code = f"import {name}; print({name}.version)"
        return subprocess.run([self.folder / ".venv/bin/python", "-c", code], capture_output=True, text=True, check=False).stdout.strip()

    @property
    def state(self) -> Path:
        return self.folder / ".venv" / ".xorj"


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    folder = tmp_path / "a folder with spaces"
    folder.mkdir()
    return Checkout(folder)


@pytest.fixture
def ready(checkout: Checkout, made: "Checkout") -> Checkout:
    """A checkout of its own that begins with a copy of the environment of `made`: making each anew takes seconds."""
    shutil.copytree(made.folder / ".venv", checkout.folder / ".venv", symlinks=True)
    checkout.lock(user={"alpha": "1.0"}, developer={"omega": "1.0"})
    return checkout


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout whose environment stands; tests leave it as they found it."""
    folder = tmp_path_factory.mktemp("made") / "a folder with spaces"
    folder.mkdir()
    checkout = Checkout(folder)
    checkout.lock(user={"alpha": "1.0"}, developer={"omega": "1.0"})
    first = checkout.start("status")
    assert (first.stdout, first.returncode) == ("4.5.6|status\n", 0), first.stderr
    return checkout


def test_the_first_start_makes_the_environment_and_says_so_beside_the_answer(made: Checkout) -> None:
    assert made.has("alpha") == "1.0"
    assert made.state.read_text().startswith("ready user ")


def test_only_commands_that_need_them_bring_the_developers_packages(ready: Checkout) -> None:
    assert ready.start("up").returncode == 0
    assert (ready.has("alpha"), ready.has("omega")) == ("1.0", "")
    assert ready.start("--debug", "test", "--", "-k", "x").stdout == "4.5.6|--debug|test|--|-k|x\n"
    assert ready.has("omega") == "1.0"
    assert ready.start("up").stderr == "", "it went back to the smaller set"


def test_arguments_reach_the_command_untouched_from_any_folder_and_through_a_link(made: Checkout, tmp_path: Path) -> None:
    odd = ["demo", "--json", "", "a b", "--", "*", "'\"$HOME`"]
    assert made.start(*odd, cwd=Path("/")).stdout == "|".join(["4.5.6", *odd]) + "\n"
    link = tmp_path / "link"
    link.symlink_to(made.folder / "xorj")
    done = subprocess.run([link, "x"], env=made.environment(), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("4.5.6|x\n", "")


def test_the_folder_it_is_started_in_lends_it_no_modules(made: Checkout, tmp_path: Path) -> None:
    (tmp_path / "xorj.py").write_text("raise SystemExit('the wrong xorj')")
    (tmp_path / "re.py").write_text("raise SystemExit('the wrong re')")
    assert made.start("x", cwd=tmp_path).stdout == "4.5.6|x\n"


def test_the_exit_code_is_the_commands(ready: Checkout) -> None:
    (ready.folder / "src" / "xorj" / "__main__.py").write_text("raise SystemExit(3)")
    assert ready.start("x").returncode == 3


def test_a_changed_lock_is_followed_up_and_down(ready: Checkout) -> None:
    ready.lock(user={"alpha": "2.0", "beta": "1.0"}, developer={})
    assert "renewing" in ready.start("x").stderr
    assert (ready.has("alpha"), ready.has("beta")) == ("2.0", "1.0")
    ready.lock(user={"beta": "1.0"}, developer={})
    ready.start("x")
    assert (ready.has("alpha"), ready.has("beta")) == ("", "1.0")
    assert ready.start("x").stderr == ""


def test_a_changed_version_of_the_project_is_followed(ready: Checkout) -> None:
    (ready.folder / "pyproject.toml").write_text('[project]\nname = "xorj"\nversion = "4.6.0"\n')
    assert ready.start("x").stdout == "4.6.0|x\n"


def test_a_package_with_another_hash_is_refused_and_nothing_runs(ready: Checkout) -> None:
    ready.lock(user={"alpha": "3.0"}, developer={})
    lock = ready.folder / "requirements.txt"
    lock.write_text(lock.read_text()[:-65] + "0" * 64 + "\n")
    done = ready.start("x")
    assert (done.stdout, done.returncode) == ("", 1)
    assert "HASHES" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("xorj: the packages could not be installed")


def test_an_interrupted_install_is_done_again_from_the_beginning(ready: Checkout) -> None:
    ready.state.write_text(ready.state.read_text().replace("ready", "installing"))
    half = ready.folder / ".venv" / "half"
    half.write_text("left by the interrupted one")
    assert ready.start("x").stdout == "4.5.6|x\n"
    assert not half.exists()


def test_a_python_that_is_gone_is_replaced(ready: Checkout) -> None:
    python = ready.folder / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    assert ready.start("x").stdout == "4.5.6|x\n"


def test_an_environment_made_by_hand_is_taken_as_it_is(ready: Checkout) -> None:
    ready.state.unlink()
    own = ready.folder / ".venv" / "own"
    own.write_text("made by hand")
    done = ready.start("x")
    assert (done.stdout, done.stderr) == ("4.5.6|x\n", "")
    assert ready.state.read_text().startswith("ready")
    assert own.exists()


def test_a_folder_that_is_no_environment_is_not_deleted(checkout: Checkout) -> None:
    (checkout.folder / ".venv").mkdir()
    (checkout.folder / ".venv" / "photo").write_text("dear to somebody")
    done = checkout.start("x")
    assert (done.returncode, (checkout.folder / ".venv" / "photo").exists()) == (1, True)
    assert "move it away" in done.stderr


def test_the_second_of_two_launchers_waits_for_the_first(ready: Checkout) -> None:
    ready.lock(user={"alpha": "2.0"}, developer={})
    folder = os.open(ready.folder, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    waiting = subprocess.Popen(
        [ready.folder / "xorj", "x"], env=ready.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert waiting.stderr is not None
    assert "waiting for another" in waiting.stderr.readline()
    assert ready.has("alpha") == "1.0"
    os.close(folder)
    assert waiting.communicate(timeout=120)[0] == "4.5.6|x\n"
    assert ready.has("alpha") == "2.0"


def test_a_python_without_ensurepip_is_told_which_package_to_install(checkout: Checkout, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "ensurepip.py").write_text("raise ModuleNotFoundError('No module named ensurepip')")
    done = checkout.start("x", PYTHONPATH=str(broken))
    assert (done.stdout, done.returncode) == ("", 1)
    assert "ensurepip is missing" in done.stderr
    assert "-venv" in done.stderr.splitlines()[-1]
    assert "apt install python3" in done.stderr


def test_a_machine_without_a_new_enough_python_is_told_what_to_install(checkout: Checkout, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("sh", "readlink", "cat"):
        (tools / tool).symlink_to(shutil.which(tool) or f"/bin/{tool}")
    assert "found: none" in checkout.start("x", PATH=str(tools)).stderr
    old = tools / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2"\nexit 1\n')
    old.chmod(0o755)
    done = checkout.start("x", PATH=str(tools))
    assert (done.stdout, done.returncode) == ("", 1)
    assert "3.11 or newer; found: Python 3.9.2" in done.stderr
    assert "apt install python3 python3-venv" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
def test_another_user_runs_what_is_ready_and_is_told_who_must_renew_it() -> None:
    if not Path("/usr/bin/python3").exists() or not shutil.which("setpriv"):
        pytest.skip("needs a system Python and setpriv")
    with_spaces = Path(f"/tmp/xorj launcher {os.getpid()}")
    with_spaces.mkdir()
    try:
        folder = with_spaces / "checkout"
        folder.mkdir()
        checkout = Checkout(folder)
        made = checkout.start("x", PATH="/usr/bin:/bin")
        if made.returncode:
            pytest.skip(f"the system's Python makes no environments: {made.stderr.strip()}")
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", str(folder / "xorj"), "x"]
        there = subprocess.run(nobody, env=checkout.environment(PATH="/usr/bin:/bin"), capture_output=True, text=True, check=False)
        assert (there.stdout, there.stderr) == ("4.5.6|x\n", "")
        checkout.lock(user={"alpha": "1.0"}, developer={})
        refused = subprocess.run(nobody, env=checkout.environment(PATH="/usr/bin:/bin"), capture_output=True, text=True, check=False)
        assert refused.returncode == 1
        assert "not yours to write; start ./xorj once as its owner" in refused.stderr
    finally:
        shutil.rmtree(with_spaces)


def test_ctrl_c_while_it_installs_says_so_and_the_next_start_works(checkout: Checkout, tmp_path: Path) -> None:
    # The lock's package lies on an index that never answers, so the install hangs until it is interrupted.
    pipe = checkout.folder / "slow.whl"
    os.mkfifo(pipe)
    lock = checkout.folder / "requirements.txt"
    lock.write_text(f"slow==1.0 \\\n    --hash=sha256:{'0' * 64}\n")
    (checkout.wheels / "slow-1.0-py3-none-any.whl").symlink_to(pipe)
    installing = subprocess.Popen(
        [checkout.folder / "xorj", "x"],
        env=checkout.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    deadline = time.monotonic() + 60
    while not (checkout.folder / ".venv" / "bin" / "pip").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(installing.pid, signal.SIGINT)
    _, said = installing.communicate(timeout=60)
    assert installing.returncode == 130
    assert "interrupted" in said
    lock.write_text("")
    assert checkout.start("x").stdout == "4.5.6|x\n"


def test_a_warm_start_costs_less_than_a_third_of_a_second(made: Checkout) -> None:
    def fastest(command: list[str]) -> float:
        """Seconds of processor: the launcher waits for nothing, and other processes must not count."""
        seconds = []
        for _ in range(5):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(command, env=made.environment(), capture_output=True, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        return min(seconds)

    launched = fastest([str(made.folder / "xorj"), "x"])
    direct = fastest([str(made.folder / ".venv" / "bin" / "python"), "-m", "xorj", "x"])
    assert launched - direct < ADDED_SECONDS_MAX
