"""The eighty attacks are numbered 1 to 80, and each number is one test."""

import re
from collections import Counter
from pathlib import Path


def test_every_attack_has_exactly_one_test() -> None:
    sources = sorted(Path(__file__).parent.glob("test_attacks_*.py"))
    numbers = [int(found) for source in sources for found in re.findall(r"^def test_attack_(\d\d)_", source.read_text(), re.MULTILINE)]
    assert Counter(numbers) == dict.fromkeys(range(1, 81), 1)
