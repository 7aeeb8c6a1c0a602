"""The HTTP side of every process: /livez, /readyz, /metrics, /version, request ids, access log, errors, a server that stops in time.

A service makes its app with `create_app`, adds its routers, and hands it with its background work to `serve`.
"""

import asyncio
import os
import re
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

import uvicorn
from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xorj.observability import health, logging, metrics, problems
from xorj.primitives.errors import BrokenInvariant, Unavailable

BODY_BYTES_MAX = 1_000_000
GRACE_S = 2
CONNECTIONS_MAX = 2_000
BACKLOG = 1_024
REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
UNMATCHED = "unmatched"
# Asked every few seconds by machines: worth a metric, not a line.
_QUIET_PATHS = {"/livez", "/readyz", "/metrics"}

Task = Callable[[], Awaitable[None]]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

log = logging.get("http")


def create_app(
    service: str,
    *,
    checks: Sequence[health.Check] = (),
    body_bytes_max: int = BODY_BYTES_MAX,
    lifespan: Lifespan | None = None,
    description: str = "",
) -> FastAPI:
    """An application with what every process serves. `checks` decide /readyz; a body of more than `body_bytes_max` is refused with 413."""
    app = FastAPI(
        title=f"XORJ {service}",
        version=version("xorj"),
        description=description,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    problems.install(app)
    _add_process_routes(app, service, checks)
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=body_bytes_max)
    app.add_middleware(RequestEdge, service=service, body_bytes_max=body_bytes_max, owner=app)
    metrics.BUILD.labels(service, version("xorj")).set(1)
    return app


def _add_process_routes(app: FastAPI, service: str, checks: Sequence[health.Check]) -> None:
    @app.get("/livez", include_in_schema=False)
    async def livez() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", include_in_schema=False)
    async def readyz(response: Response) -> dict[str, object]:
        found = await health.report(service, checks)
        response.status_code = 503 if found.state is health.State.FAILED else 200
        return {
            "status": found.state.value,
            "checks": {name: {"status": one.state.value, "detail": one.detail} for name, one in found.checks.items()},
        }

    @app.get("/metrics", include_in_schema=False)
    async def measured() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/version", include_in_schema=False)
    async def versioned() -> dict[str, str]:
        return {"service": service, "version": version("xorj")}


class RequestEdge:
    """The outermost middleware: an id for each request, a limit for its body, a count and a line for its answer, a 500 for our faults."""

    def __init__(self, app: ASGIApp, service: str, body_bytes_max: int, owner: FastAPI) -> None:
        self._app, self._service, self._body_bytes_max, self._owner = app, service, body_bytes_max, owner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        answer = _Answer(send, request_id)
        started = time.perf_counter()
        with logging.bound(request_id=request_id):
            await self._answered(scope, receive, answer)
            self._record(scope, answer.status, time.perf_counter() - started)

    async def _answered(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        if _announced_bytes(scope) > self._body_bytes_max:
            await problems.too_large(self._body_bytes_max)(scope, receive, answer)
            return
        try:
            await self._app(scope, receive, answer)
        except Exception as error:
            log.exception("request_failed", method=scope["method"], path=scope["path"])
            if not answer.started:
                await problems.internal()(scope, receive, answer)
            if isinstance(error, BrokenInvariant):
                self._owner.state.broken = error
                signal.raise_signal(signal.SIGTERM)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        route = getattr(scope.get("route"), "path", UNMATCHED) if status not in {404, 405} else UNMATCHED
        metrics.HTTP_REQUESTS.labels(self._service, method, route, str(status)).inc()
        metrics.HTTP_SECONDS.labels(self._service, method, route).observe(seconds)
        if scope["path"] not in _QUIET_PATHS:
            log.info("request_answered", method=method, path=scope["path"][:200], status=status, ms=round(seconds * 1000, 2))


_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class _Answer:
    """Passes the answer on, with the request's id in its headers."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send, self._request_id = send, request_id
        self.status, self.started = 500, False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.started = message["status"], True
            message["headers"] = [*message.get("headers", []), (b"x-request-id", self._request_id.encode())]
        await self._send(message)


def _request_id(scope: Scope) -> str:
    """The caller's own id where it is well formed, so that one request has one id through all processes."""
    sent = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
    return sent if REQUEST_ID.fullmatch(sent) else uuid4().hex


def _announced_bytes(scope: Scope) -> int:
    text = dict(scope["headers"]).get(b"content-length", b"0")
    return int(text) if text.isdigit() else 0


@dataclass(frozen=True, slots=True)
class Address:
    """Where a process listens."""

    host: str
    port: int

    def listening(self) -> socket.socket:
        """A bound socket. Raises Unavailable naming an address that cannot be had."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            bound = socket.create_server((self.host, self.port), family=family, backlog=BACKLOG)
        except OSError as error:
            raise Unavailable(f"port {self.port}", f"{self.host}:{self.port} cannot be listened on: {error.strerror}") from error
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return bound


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A unix socket that only its owner may open."""

    path: Path

    def listening(self) -> socket.socket:
        """A bound socket, mode 0600; a file left by a dead process is replaced. Raises Unavailable when a living one listens."""
        if self.path.is_socket():
            self._remove_when_dead()
        bound = socket.socket(socket.AF_UNIX)
        before = os.umask(0o177)
        try:
            bound.bind(str(self.path))
        except OSError as error:
            bound.close()
            raise Unavailable(f"socket {self.path}", error.strerror or str(error)) from error
        finally:
            os.umask(before)
        bound.listen(BACKLOG)
        return bound

    def _remove_when_dead(self) -> None:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.path))
            except ConnectionRefusedError:
                self.path.unlink()
                return
        raise Unavailable(f"socket {self.path}", "another process listens on it")


async def serve(app: FastAPI, address: Address | UnixAddress, tasks: Sequence[Task] = ()) -> None:
    """Serves until SIGTERM or SIGINT, with `tasks` running beside it; returns within GRACE_S and what the tasks need to end.

    Raises what ended a task, the BrokenInvariant that a request met, and Unavailable when the application did not start.
    A task that returns ends the process as a signal does.
    """
    bound = address.listening()
    server = _Server(_config(app))
    stopping = asyncio.Event()
    with _signals(stopping), bound:
        serving = asyncio.create_task(server.serve([bound]), name="http")
        working = [asyncio.create_task(_run(task), name=getattr(task, "__name__", "task")) for task in tasks]
        stop = asyncio.create_task(stopping.wait(), name="stop")
        await asyncio.wait([stop, serving, *working], return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        for task in (stop, *working):
            task.cancel()
        results = await asyncio.gather(serving, *working, return_exceptions=True)
    broken = getattr(app.state, "broken", None)
    for result in (broken, *results):
        if isinstance(result, Exception):
            raise result


async def _run(task: Task) -> None:
    await task()


class _Server(uvicorn.Server):
    """Leaves signals to `serve`, so that one signal ends the server and its tasks in order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit as error:
            raise Unavailable("the application", "it did not start; the log has the cause") from error


@contextmanager
def _signals(stopping: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="none",
        access_log=False,
        log_config=None,
        server_header=False,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_graceful_shutdown=GRACE_S,
        # a file name or an address of ours is nobody's business, and none of our processes stands behind a proxy that it trusts
        proxy_headers=False,
    )
