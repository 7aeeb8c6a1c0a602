"""By which test each instruction is accepted and each error provoked. `tables` prints it; tests/program/test_every_code.py runs it.

An error is provoked by breaking one check of an honest call, the first in `CHECKS` that answers with it, its usual one where there is one.
What one broken call cannot provoke has a test of its own.
"""

from dataclasses import dataclass

from xorj.vault.checks import CHECKS
from xorj.vault.interface import ERRORS, FRAMEWORK_ERRORS

RESERVED = "reserved"
ACCEPTED_BY = "test_checks_in_order.py::test_an_honest_call_is_accepted"
PROVOKED_BY = "test_every_code.py::test_every_error_is_provoked"
# The error, and the test that expects it.
BY_THEMSELVES = {
    "InstructionFallbackNotFound": "attacks/test_attacks_01_to_14_accounts.py::test_attack_11_an_instruction_nobody_knows",
    "CalledByProgram": "test_vault_containment.py::test_a_trade_is_called_by_no_program",
    "LossLimitExceeded": "test_vault_budgets.py::test_a_sale_below_cost_is_charged_and_refused_beyond_the_cap",
}


@dataclass(frozen=True, slots=True)
class Provocation:
    """An error, the instruction and the check whose breaking answers with it; both are empty where a test stands by itself."""

    error: str
    instruction: str
    check: str
    test: str


def provocations() -> list[Provocation]:
    """One for every error that can happen, in the order of the codes. Raises KeyError when there is none for one of them."""
    happening = [*FRAMEWORK_ERRORS.values(), *(name for name, message in ERRORS if message != RESERVED)]
    return [_of(error) for error in happening]


def _of(error: str) -> Provocation:
    if error in BY_THEMSELVES:
        return Provocation(error, "", "", BY_THEMSELVES[error])
    answering = [(name, check) for name, checks in CHECKS.items() for check in checks if error in check.errors]
    if not answering:
        raise KeyError(error)
    # False before true: those whose usual answer it is come first, in the order of the instructions.
    name, check = min(answering, key=lambda pair: pair[1].errors[0] != error)
    return Provocation(error, name, check.name, f"{PROVOKED_BY}[{error}]")
