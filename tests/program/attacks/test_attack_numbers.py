"""The eighty attacks are numbered 1 to 80, each number is one test, and docs/vault-attacks.md says what the tests say."""

import ast
import re
from collections import Counter
from pathlib import Path

from xorj.vault.interface import ERRORS, FRAMEWORK_ERRORS

HERE = Path(__file__).parent
PAPER = HERE.parents[2] / "docs" / "vault-attacks.md"
# What other programs and the runtime answer, as the tests write it.
OTHERS = {
    "Custom(1)",
    "Custom(4)",
    "Custom(10)",
    "Custom(17)",
    "ComputationalBudgetExceeded",
    "ExternalAccountDataModified",
    "ExternalAccountLamportSpend",
    "PrivilegeEscalation",
    "ReentrancyNotAllowed",
    "TooManyAccountLocks",
}
CODES = {name for name, _ in ERRORS} | set(FRAMEWORK_ERRORS.values()) | OTHERS


def attacks() -> list[tuple[int, set[str]]]:
    """The number of each test, and the codes that it names."""
    found = []
    for source in sorted(HERE.glob("test_attacks_*.py")):
        for node in ast.parse(source.read_text()).body:
            if isinstance(node, ast.FunctionDef) and (number := re.match(r"test_attack_(\d\d)_", node.name)):
                words = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)}
                found.append((int(number[1]), words & CODES))
    return found


def test_every_attack_has_exactly_one_test() -> None:
    assert Counter(number for number, _ in attacks()) == dict.fromkeys(range(1, 81), 1)


def test_the_paper_says_what_the_tests_say() -> None:
    rows = re.findall(r"^\| (\d+) \| [^|]+ \| ([^|]*) \|$", PAPER.read_text(), re.MULTILINE)
    told = {int(number): set(re.findall(r"`([^`]+)`", codes)) for number, codes in rows}
    assert told == dict(attacks())


def test_every_test_that_the_paper_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+\.py)::(test_\w+)`", PAPER.read_text()))
    there = {
        (source.name, node.name)
        for source in HERE.glob("test_*.py")
        for node in ast.parse(source.read_text()).body
        if isinstance(node, ast.FunctionDef)
    }
    assert len(named) > 30
    assert named <= there
