"""Every instruction is accepted and every error that can happen is provoked, by the tests that docs/vault-program.md names."""

import ast
from pathlib import Path

import pytest
from tests.program.test_checks_in_order import OTHER_ERRORS, broken, call

from xorj.vault.checks import CHECKS
from xorj.vault.interface import ERRORS, FRAMEWORK_ERRORS, INSTRUCTIONS
from xorj.vault.provocations import ACCEPTED_BY, BY_THEMSELVES, RESERVED, Provocation, provocations

HERE = Path(__file__).parent
PROVOKED = [each for each in provocations() if each.error not in BY_THEMSELVES]


@pytest.mark.parametrize("provocation", PROVOKED, ids=[each.error for each in PROVOKED])
def test_every_error_is_provoked(provocation: Provocation) -> None:
    check = next(each for each in CHECKS[provocation.instruction] if each.name == provocation.check)
    if check.errors[0] == provocation.error:
        assert broken(provocation.instruction, check) == provocation.error
    else:
        made = call(provocation.instruction)
        OTHER_ERRORS[check.name, provocation.error](made)
        assert made.error() == provocation.error


@pytest.mark.parametrize("error", BY_THEMSELVES)
def test_what_has_a_test_by_itself_is_expected_there(error: str) -> None:
    file, name = BY_THEMSELVES[error].split("::")
    functions = [each for each in ast.walk(ast.parse((HERE / file).read_text())) if isinstance(each, ast.FunctionDef)]
    (test,) = [each for each in functions if each.name == name]
    assert error in {each.value for each in ast.walk(test) if isinstance(each, ast.Constant)}


def test_no_error_but_the_reserved_two_is_left_out() -> None:
    left_out = {name for name, _ in ERRORS} | set(FRAMEWORK_ERRORS.values())
    left_out -= {each.error for each in provocations()}
    assert left_out == {name for name, message in ERRORS if message == RESERVED} == {"InputOverspent", "UnsupportedExtension"}


def test_every_instruction_is_in_the_list_of_those_that_are_accepted() -> None:
    file, name = ACCEPTED_BY.split("::")
    assert set(CHECKS) == {each.name for each in INSTRUCTIONS}
    assert f'@pytest.mark.parametrize("name", CHECKS)\ndef {name}(' in (HERE / file).read_text()
