"""Under which account PostgreSQL runs, which refuses to run as root. Used by supervisor.postgres and doctor.

Root: a user namespace in which root is the unprivileged `nobody`, so that the files stay root's; where the machine denies such
namespaces, the account `nobody` itself, which then owns the data. Everybody else: as they are, or a user namespace when they have no name.
"""

import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from xorj.primitives.errors import RefusedForSafety, Unavailable
from xorj.supervisor.postgres_programs import PostgresPrograms

UNPRIVILEGED_ID = 65534
UNPRIVILEGED_NAME = "nobody"
PROBE_TIMEOUT_S = 20
SHARED_PROGRAMS = Path("/var/tmp")  # noqa: S108 - the copy made in it must be root's and nobody else's to write


@dataclass(frozen=True, slots=True)
class Account:
    """How to start a program under the account: the words before it, and who must own its files (None: whoever starts it)."""

    name: str
    prefix: tuple[str, ...] = ()
    owner: int | None = None

    def can(self, *command: str) -> bool:
        """True when the command succeeds under this account."""
        try:
            done = subprocess.run([*self.prefix, *command], capture_output=True, check=False, timeout=PROBE_TIMEOUT_S, cwd="/")
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0


def account_for(data: Path) -> Account:
    """The account that runs the server of the folder `data`.

    Raises Unavailable when root has no way to be somebody else, RefusedForSafety when the data is another user's.
    """
    return _for_root(data) if os.geteuid() == 0 else _for_user(os.geteuid())


def _for_user(user: int) -> Account:
    try:
        return Account(pwd.getpwuid(user).pw_name)
    except KeyError:
        # a number without an account, as containers are given: initdb asks for its name, which only a namespace can provide
        namespace = _in_namespace()
        if namespace is None:
            raise Unavailable("PostgreSQL", f"the user {user} has no name in the account database, which initdb needs") from None
        return namespace


def _for_root(data: Path) -> Account:
    made_by = data.stat().st_uid if data.exists() else 0
    if made_by not in {0, _unprivileged()}:
        raise RefusedForSafety(f"{data} belongs to the account {made_by}, not to root; run as that account or give another data folder")
    in_namespace = _in_namespace()
    if made_by == 0 and in_namespace is not None:
        return in_namespace
    setpriv = shutil.which("setpriv")
    owner = _unprivileged()
    if setpriv is None or owner is None:
        raise Unavailable(
            "PostgreSQL",
            "it does not run as root, this machine denies user namespaces (unshare --user), and there is no setpriv or no account "
            f"{UNPRIVILEGED_NAME}; run as an ordinary user, or set DATABASE_URL",
        )
    prefix = (setpriv, f"--reuid={owner}", f"--regid={pwd.getpwuid(owner).pw_gid}", "--clear-groups", "--")
    return Account(UNPRIVILEGED_NAME, prefix, owner)


def reachable(programs: PostgresPrograms, account: Account) -> PostgresPrograms:
    """The programs, copied to where the account can start them if it cannot start them where they are."""
    if _runs(account, programs):
        return programs
    moved = PostgresPrograms(_shared_copy(programs), programs.major, programs.version, programs.origin)
    if not _runs(account, moved):
        raise Unavailable("PostgreSQL", f"the account {account.name} cannot run {moved.initdb}")
    return moved


def _runs(account: Account, programs: PostgresPrograms) -> bool:
    # setpriv starts a program while it still has root's rights on the way to it, so that alone proves nothing of the libraries beside it
    return all(account.can("test", "-x", str(one)) and account.can(str(one), "--version") for one in (programs.postgres, programs.initdb))


def require_entry(folder: Path, account: Account) -> None:
    """Raises RefusedForSafety naming the first folder on the way that the account may not enter; nothing is opened up for it."""
    if account.can("test", "-x", str(folder)):
        return
    for step in [*reversed(folder.parents), folder]:
        if not account.can("test", "-x", str(step)):
            raise RefusedForSafety(
                f"PostgreSQL runs as {account.name} here and may not enter {step}; give a data folder elsewhere (--data-dir), "
                "or run as the user that owns it"
            )


def _in_namespace() -> Account | None:
    unshare = shutil.which("unshare")
    if unshare is None:
        return None
    mapped = (f"--map-user={UNPRIVILEGED_ID}", f"--map-group={UNPRIVILEGED_ID}", "--")
    account = Account("a user namespace", (unshare, "--user", *mapped))
    return account if account.can("true") else None


def _unprivileged() -> int | None:
    try:
        return pwd.getpwnam(UNPRIVILEGED_NAME).pw_uid
    except KeyError:
        return None


def _shared_copy(programs: PostgresPrograms) -> Path:
    """The bin folder of a copy of the installation that everybody may read and only root may write."""
    source = programs.folder.parent
    copy = SHARED_PROGRAMS / f"xorj-postgres-{programs.version}-{sha256(os.fsencode(source)).hexdigest()[:12]}"
    if not copy.exists():
        fresh = copy.with_name(f"{copy.name}.{os.getpid()}")
        for part in ("bin", "lib", "share"):
            shutil.copytree(source / part, fresh / source.parent.name / source.name / part, symlinks=True)
        # a wheel's programs look for their libraries beside the package, by a path that starts at the program
        libraries = source.parent.with_name(f"{source.parent.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, fresh / libraries.name)
        for path in [fresh, *fresh.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or (os.access(path, os.X_OK) and path.stat().st_mode & stat.S_IXUSR) else 0o644)
        fresh.rename(copy)
    found = copy.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o022:
        raise RefusedForSafety(f"{copy} is not root's alone; remove it")
    return copy / source.parent.name / source.name / "bin"
