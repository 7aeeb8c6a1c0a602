"""`xorj run SERVICE`: one process in the foreground, for the supervisor, for containers and for people who look at one alone."""

import importlib
import os
import sys
from collections.abc import Callable, Coroutine
from enum import StrEnum
from pathlib import Path
from typing import Any

import typer

from xorj import settings
from xorj.observability import logging
from xorj.primitives.errors import BrokenInvariant, XorjError

Serve = Callable[[settings.CommonSettings], Coroutine[Any, Any, None]]


class Service(StrEnum):
    QUANT_ENGINE = "quant-engine"
    TRADE_BOT = "trade-bot"
    SIGNER = "signer"
    GATEWAY = "gateway"
    WEB = "web"
    DEMO_FOLLOWER = "demo-follower"
    MIGRATE = "migrate"
    SIGNER_KEY = "signer-key"


def run(
    service: Service = typer.Argument(..., help="Which process."),
    data_dir: Path | None = typer.Option(None, help="Folder of everything that is kept."),
    port_offset: int | None = typer.Option(None, help="Added to every port."),
) -> None:
    """Run one process until SIGTERM or Ctrl-C; its settings are in .env.example. Example: ./xorj run quant-engine"""
    configured = settings.load(settings.PROCESSES[service], data_dir=data_dir, port_offset=port_offset)
    run_service(service, configured)


def run_service(name: str, configured: settings.CommonSettings) -> None:
    """Sets up the logs and runs xorj.services.<name> until it ends. What ends it badly is logged here and raised or exits with 1."""
    import uvloop

    logging.configure(name, form=configured.log_format, level=configured.log_level, secrets=settings.secrets(configured))
    log = logging.get("run")
    for variable, meant in settings.unknown(os.environ).items():
        log.warning("setting_unknown", variable=variable, perhaps=meant)
    serve: Serve = importlib.import_module(f"xorj.services.{name.replace('-', '_')}").serve
    log.info("process_started", pid=os.getpid(), environment=configured.environment)
    try:
        uvloop.run(serve(configured))
    except XorjError as error:
        log.exception("process_failed") if isinstance(error, BrokenInvariant) else log.error("process_failed", error=str(error))
        raise
    except Exception:
        log.exception("process_failed")
        sys.exit(1)
    log.info("process_stopped")
