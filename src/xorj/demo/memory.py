"""How much memory a demo takes: the PSS of this process and all it started, so that shared pages count once. Used by run."""

import psutil


def family_mib() -> float:
    """The sum now, in MiB; a process that ends meanwhile counts nothing."""
    me = psutil.Process()
    return sum(_pss(process) for process in (me, *me.children(recursive=True))) / 1024**2


def _pss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.Error, AttributeError):
        return 0
