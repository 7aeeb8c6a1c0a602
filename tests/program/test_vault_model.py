"""The program against its reference model: every instruction, in sequences nobody would think of, compared account by account.

XORJ_VAULT_STEPS asks for more steps than the suite takes. The seeds are fixed and count up, so that a longer run begins as a shorter one.
"""

import os
import sys
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.program.model.machine import VaultMachine

from xorj.vault.interface import ERRORS, FRAMEWORK_ERRORS, INSTRUCTIONS

STEPS = max(20_000, int(os.environ.get("XORJ_VAULT_STEPS", "0")))
SEQUENCES_PER_SEED = 15
STEPS_PER_SEQUENCE = 60
# Reserved numbers.
CANNOT_HAPPEN = {"InputOverspent", "UnsupportedExtension"}
# Of accounts that nobody could have made; tests of their own plant them.
LOOK_ALIKES = {"AccountDiscriminatorNotFound", "AccountDiscriminatorMismatch", "AccountDidNotDeserialize", "InvalidProgramId"}


@pytest.mark.slow
def test_program_and_model_never_differ() -> None:
    VaultMachine.steps, VaultMachine.outcomes = 0, Counter()
    number = 0
    while VaultMachine.steps < STEPS:
        number += 1
        _run(number)
    lines = [f"{instruction:24} {outcome:32} {times:6}\n" for (instruction, outcome), times in sorted(VaultMachine.outcomes.items())]
    sys.stdout.writelines([*lines, f"{VaultMachine.steps} steps\n"])
    done = {instruction for instruction, outcome in VaultMachine.outcomes if outcome == "ok"}
    assert done == {interface.name for interface in INSTRUCTIONS}
    expected = {name for name, _ in ERRORS} | set(FRAMEWORK_ERRORS.values())
    assert expected - {outcome for _, outcome in VaultMachine.outcomes} == CANNOT_HAPPEN | LOOK_ALIKES


def _run(number: int) -> None:
    """A fixed run of its own."""
    settled = settings(
        max_examples=SEQUENCES_PER_SEED,
        stateful_step_count=STEPS_PER_SEQUENCE,
        deadline=None,
        database=None,
        # A failure names both answers at its last step; making it shorter would take minutes.
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(number)(VaultMachine), settings=settled)
