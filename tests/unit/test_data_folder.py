"""Who runs on a data folder: the supervisor that wrote it and holds its lock, never the one that a copy of it speaks of."""

import os
import shutil
from pathlib import Path

from xorj.supervisor.data_folder import DataFolder, Phase, Running, this_process


def test_a_copy_of_a_folder_that_runs_does_not_run(tmp_path: Path) -> None:
    original = DataFolder(tmp_path / "original")
    original.adopt()
    lock = original.lock()
    pid, born_s = this_process()
    running = Running(pid, born_s, Phase.READY, 0, "http://127.0.0.1:3000/", {})
    original.say(running)
    shutil.copytree(original.path, tmp_path / "copy")
    assert original.running() == running
    assert DataFolder(tmp_path / "copy").running() is None, "down on the copy would stop the original"
    lock.release()
    assert original.running() is None


def test_a_new_folder_shows_nobody_what_it_holds_and_lets_the_servers_account_pass_when_it_is_roots(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.adopt()
    assert folder.path.stat().st_mode & 0o777 == (0o711 if os.geteuid() == 0 else 0o700)
    assert {one.stat().st_mode & 0o777 for one in (folder.logs, folder.keys, folder.run)} == {0o700}
