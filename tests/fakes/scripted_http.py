"""A server that answers as it was told, in memory: the transport of an HTTP client under test."""

from typing import Any

import httpx2
import orjson

Reply = httpx2.Response | Exception


class Script:
    """Answers in order, the last one for ever; keeps the requests."""

    def __init__(self, *replies: Reply) -> None:
        self.replies, self.requests = list(replies), list[httpx2.Request]()

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply


def says(body: Any, status: int = 200) -> httpx2.Response:
    return httpx2.Response(status, content=body if isinstance(body, bytes) else orjson.dumps(body))
