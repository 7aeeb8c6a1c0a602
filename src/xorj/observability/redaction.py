"""Takes secrets out of log events, by name, by shape and by value. Used by logging.py as its last processor before rendering."""

import re
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

REDACTED = "[redacted]"
DEPTH_MAX = 6
KNOWN_SECRET_LENGTH_MIN = 6

# What a field may be called and still be shown: these words name public things.
_PUBLIC_NAMES = {"public_key", "order_key", "idempotency_key", "primary_key"}
_SECRET_WORDS = {
    "key", "keys", "keypair", "passphrase", "password", "passwd", "pin", "secret", "secrets", "token", "authorization", "cookie",
    "mnemonic", "jwt", "bearer", "credentials", "apikey",
}  # fmt: skip
_SHAPES = (
    (re.compile(r"(\w[\w+.-]*://[^\s/:@]*):[^\s/@]+@"), r"\1:" + REDACTED + "@"),
    (re.compile(r"(?i)\b(bearer|basic) +[\w.~+/=-]{8,}"), r"\1 " + REDACTED),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), REDACTED),
    (re.compile(r"(?i)([?&](?:[\w-]*key|token|secret|password|auth)=)[^&\s\"']+"), r"\1" + REDACTED),
    (re.compile(r"\[(?:\s*\d{1,3}\s*,){63}\s*\d{1,3}\s*\]"), REDACTED),
)


class Redactor:
    """A structlog processor. `known` are values that must never be written, wherever they turn up."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        longest_first = sorted({value for value in known if len(value) >= KNOWN_SECRET_LENGTH_MIN}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def __call__(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        del logger, method
        return {name: REDACTED if _names_a_secret(name) else self.clean(value) for name, value in event.items()}

    def clean(self, value: Any, depth: int = 0) -> Any:
        """The value with what is secret in it replaced; what is nested too deep to look at is replaced whole."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if depth >= DEPTH_MAX:
            return REDACTED
        if isinstance(value, Mapping):
            pairs = ((str(name), one) for name, one in value.items())
            return {self._text(name): REDACTED if _names_a_secret(name) else self.clean(one, depth + 1) for name, one in pairs}
        if isinstance(value, list | tuple | set | frozenset):
            return self._text(str(value)) if len(value) == 64 else [self.clean(one, depth + 1) for one in value]
        return self._text(value if isinstance(value, str) else str(value))

    def _text(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(REDACTED, text)
        for shape, replacement in _SHAPES:
            text = shape.sub(replacement, text)
        return text


def _names_a_secret(name: str) -> bool:
    lowered = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_")
    return lowered not in _PUBLIC_NAMES and not _SECRET_WORDS.isdisjoint(lowered.split("_")[-1:])
