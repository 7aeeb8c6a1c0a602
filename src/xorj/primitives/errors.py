"""The three ways a thing goes wrong that is not an expected outcome. Used everywhere; edges translate them to 422, exit codes and pages."""

from typing import Any


class XorjError(Exception):
    """Root of all errors of this project. They come whole out of another process."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args, self.__dict__)


def _restored(kind: type[XorjError], args: tuple[object, ...], facts: dict[str, object]) -> XorjError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(facts)
    return error


class InvalidInput(XorjError):
    """Input from outside that breaks a rule. Edges answer 422 problem+json or exit code 2.

    `field` is the input's name as its sender wrote it, `rule` what would have been accepted.
    """

    def __init__(self, field: str, *, given: object, rule: str) -> None:
        self.field, self.given, self.rule = field, given, rule
        super().__init__(f"{field}: {_shown(given)} is not allowed; expected {rule}")


class BrokenInvariant(XorjError):
    """Something that cannot be true is. The process that sees it stops; nothing may go on from here."""

    def __init__(self, what: str, **facts: object) -> None:
        self.what, self.facts = what, facts
        super().__init__(what + "".join(f" {name}={value}" for name, value in facts.items()))


class RefusedForSafety(XorjError):
    """A request that is well formed and must not be done here. Commands end with exit code 3."""


class Unavailable(XorjError):
    """An outside system did not answer in time or answered with a fault; asking again later may work."""

    def __init__(self, system: str, cause: str) -> None:
        self.system, self.cause = system, cause
        super().__init__(f"{system} is unavailable: {cause}")


def _shown(given: object) -> str:
    text = repr(given)
    return text if len(text) <= 120 else text[:117] + "..."
