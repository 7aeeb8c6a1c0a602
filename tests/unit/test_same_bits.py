"""A score has the same bits on every processor and whatever ran before: processes that are told to be another processor say the same."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_HERE = "NPY_DISABLE_CPU_FEATURES", "OPENBLAS_CORETYPE", "GLIBC_TUNABLES", "OMP_NUM_THREADS"
# how NumPy, the linear algebra library and the C library are told to use no newer instructions than SSE 4
OLD_PROCESSOR = {
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
    "OPENBLAS_CORETYPE": "Prescott",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX512F",
}
PROCESSES = {
    "without AVX-512": {"NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR", "OPENBLAS_CORETYPE": "Haswell"},
    "without AVX2": OLD_PROCESSOR,
    "on one thread": {"OMP_NUM_THREADS": "1", "OPENBLAS_CORETYPE": "Sandybridge"},
}


@cache
def said(**environment: str) -> str:
    return run("-m", "tests.fakes.score_digest", **environment)


def run(*arguments: str, **environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if name not in NOT_HERE}
    # PYTHONPATH: the made swaps stand beside the tests
    whole = {**clean, **environment, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=whole, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("name", PROCESSES)
def test_the_score_does_not_depend_on_the_processor(name: str) -> None:
    assert said(**PROCESSES[name]) == said()


def test_the_score_does_not_depend_on_what_ran_before() -> None:
    assert run("-m", "tests.fakes.score_digest", "after-the-chain") == said()


def test_an_old_processor_would_show() -> None:
    """The test bites: NumPy's own logarithm and exponential do differ here, where the processor has newer instructions at all."""
    features = np._core._multiarray_umath.__cpu_features__
    if not features.get("AVX512F"):
        pytest.skip("this processor has no AVX-512, for which alone NumPy has another exp of doubles")
    program = "import numpy as np, hashlib; x = np.linspace(-30, 30, 100_001)\nprint(hashlib.sha256(np.exp(x).tobytes()).hexdigest())"
    assert run("-c", program) != run("-c", program, **OLD_PROCESSOR)
