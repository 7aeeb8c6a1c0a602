"""What becomes of a child when its supervisor dies. Used by supervisor.postgres and supervisor.processes."""

import shutil
import signal


def death_signal(number: signal.Signals) -> tuple[str, ...]:
    """Words before a command with which the kernel sends it the signal when the thread that started it ends; none without setpriv.

    They must be the last words before the program: a change of identity after them would undo them.
    """
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", number.name.removeprefix("SIG"), "--") if setpriv is not None else ()
