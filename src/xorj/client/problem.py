"""An answer of the API that is not the one asked for: its RFC 9457 document."""

from collections.abc import Mapping
from typing import Any

from xorj.primitives.errors import XorjError


class Problem(XorjError):
    """`kind` is the stable name, such as `bot-not-granted`; `fields` are the rules that the request's fields broke."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status = status
        self.kind = str(document.get("type", "")).rpartition(":")[2] or f"http-{status}"
        self.detail = str(document.get("detail", ""))
        self.request_id = str(document.get("request_id", ""))
        self.fields = {str(each.get("field")): str(each.get("rule")) for each in document.get("errors", []) if isinstance(each, Mapping)}
        super().__init__(f"{self.kind} ({status}): {self.detail}")
