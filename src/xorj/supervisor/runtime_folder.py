"""Where unix sockets go: beside the data when their path is short enough, else a private folder under /tmp. Used by every socket of ours.

A unix socket's path may have at most 107 bytes, which a long data folder exceeds.
"""

import os
import re
import stat
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from xorj.primitives.errors import RefusedForSafety

SOCKET_PATH_BYTES_MAX = 106
SOCKET_NAME_BYTES_MAX = 24
TEMPORARY = Path("/tmp")  # noqa: S108 - the folder made in it is checked to be ours alone
# libpq splits lists of hosts at commas, so only plain paths are taken as they are
PLAIN = re.compile(r"[\w/.+@ -]+", re.ASCII)


def runtime_folder(preferred: Path) -> Path:
    """`preferred`, or a short folder that stands for it; the same answer every time. Made by `private_folder`."""
    path = os.fsencode(preferred)
    if len(path) + 1 + SOCKET_NAME_BYTES_MAX <= SOCKET_PATH_BYTES_MAX and PLAIN.fullmatch(os.fsdecode(path)):
        return preferred
    return TEMPORARY / f"xorj-{os.geteuid()}-{sha256(path).hexdigest()[:16]}"


def private_folder(folder: Path, owner: int | None = None) -> Path:
    """Makes the folder with mode 0700 and returns it. Raises RefusedForSafety when it is there and somebody else's, or a link."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), owner}:
        raise RefusedForSafety(f"{folder} is not a folder of this user (owner {found.st_uid}); remove it")
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)
    if owner is not None and found.st_uid != owner:
        os.chown(folder, owner, -1)
    return folder


def leave(folder: Path) -> None:
    """Takes a stand-in under /tmp away again when nothing is left in it; a folder beside the data stays."""
    if folder.parent == TEMPORARY:
        with suppress(OSError):
            folder.rmdir()
