"""Somebody who listens to our messages over HTTP and answers as the test says. Keeps what it heard."""

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


@dataclass(frozen=True)
class Heard:
    headers: dict[str, str]
    body: bytes

    @property
    def identity(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """Listens between entering and leaving; `answers` is the status that it gives."""

    answers: int = 204
    heard: list[Heard] = field(default_factory=list)

    def __enter__(self) -> Self:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.heard.append(Heard({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(receiver.answers)
                self.send_header("location", "/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hook"
