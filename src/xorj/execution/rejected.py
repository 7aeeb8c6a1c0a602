"""Why a trade does not go on: the rule, the numbers, and whether waiting could change it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rejected:
    """`is_final` ends the intent; otherwise it is tried again until it expires."""

    rule: str
    detail: str
    is_final: bool = True

    def __str__(self) -> str:
        return f"{self.rule}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Passed:
    """Nothing speaks against it."""


PASSED = Passed()
