"""The connection to Jupiter that the clients beside this file share."""

import httpx2

from xorj.adapters.json_http import JsonHttp
from xorj.adapters.jupiter.fields import SYSTEM


class JupiterHttp(JsonHttp):
    def __init__(self, base_url: str, *, api_key: str | None = None, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        super().__init__(base_url, system=SYSTEM, headers={"x-api-key": api_key} if api_key else {}, transport=transport)
