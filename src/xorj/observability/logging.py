"""Structured logs of a process: one line an event, past-tense names, ids bound once. Every service calls `configure` first.

The standard library's loggers (uvicorn, sqlalchemy, alembic) go through the same pipeline, so that nothing leaves unredacted.
"""

import logging
import sys
from collections.abc import Iterable
from typing import Any, Literal, TextIO, cast

import structlog
from structlog.typing import FilteringBoundLogger, Processor

from xorj.observability.redaction import Redactor

LogFormat = Literal["auto", "json", "console"]
LogLevel = Literal["debug", "info", "warning", "error"]

# Libraries whose information is noise at our level "info".
_QUIET = ("asyncio", "httpcore2", "httpx2", "uvicorn", "websockets", "sqlalchemy", "alembic")

bound = structlog.contextvars.bound_contextvars


def get(name: str) -> FilteringBoundLogger:
    """A logger whose events carry `name` as the part of the program they come from."""
    return cast("FilteringBoundLogger", structlog.get_logger(part=name))


def configure(
    service: str, *, form: LogFormat = "auto", level: LogLevel = "info", secrets: Iterable[str] = (), stream: TextIO | None = None
) -> None:
    """Sets up the process' logs on `stream` (standard error by default). `auto` is console on a terminal and JSON elsewhere.

    `secrets` are values that are cut out wherever they turn up.
    """
    out = stream or sys.stderr
    console = form == "console" or (form == "auto" and out.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _naming(service),
        Redactor(secrets),
    ]
    render: Processor = structlog.dev.ConsoleRenderer(colors=out.isatty()) if console else structlog.processors.JSONRenderer(default=str)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render]
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for noisy in _QUIET:
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _naming(service: str) -> Processor:
    def name(logger: Any, method: str, event: Any) -> Any:
        del logger, method
        event.setdefault("service", service)
        return event

    return name
