"""`xorj run SERVICE`: one process in the foreground, for the supervisor, for containers and for people who look at one alone."""

import asyncio
import importlib
import os
import sys
from collections.abc import Awaitable, Callable
from enum import StrEnum
from pathlib import Path

import typer

from xorj import settings
from xorj.observability import logging
from xorj.primitives.errors import XorjError


class Service(StrEnum):
    QUANT_ENGINE = "quant-engine"
    TRADE_BOT = "trade-bot"
    SIGNER = "signer"
    GATEWAY = "gateway"
    WEB = "web"
    DEMO_FOLLOWER = "demo-follower"


def run(
    service: Service = typer.Argument(..., help="Which process."),
    data_dir: Path | None = typer.Option(None, help="Folder of everything that is kept."),
    port_offset: int | None = typer.Option(None, help="Added to every port."),
) -> None:
    """Run one process until SIGTERM or Ctrl-C; its settings are in .env.example. Example: ./xorj run quant-engine"""
    configured = settings.load(settings.PROCESSES[service], data_dir=data_dir, port_offset=port_offset)
    run_service(service, configured)


def run_service(name: str, configured: settings.CommonSettings) -> None:
    """Sets up the logs and runs xorj.services.<name> until it ends. What ends it badly is logged here and raised."""
    logging.configure(name, form=configured.log_format, level=configured.log_level, secrets=settings.secrets(configured))
    log = logging.get("run")
    for variable, meant in settings.unknown(os.environ).items():
        log.warning("setting_unknown", variable=variable, perhaps=meant)
    serve: Callable[[settings.CommonSettings], Awaitable[None]] = importlib.import_module(f"xorj.services.{name.replace('-', '_')}").serve
    log.info("process_started", pid=os.getpid(), environment=configured.environment)
    try:
        asyncio.run(_until_stopped(serve, configured))
    except XorjError as error:
        log.error("process_failed", error=str(error))
        raise
    except Exception:
        log.exception("process_failed")
        sys.exit(1)
    log.info("process_stopped")


async def _until_stopped(serve: Callable[[settings.CommonSettings], Awaitable[None]], configured: settings.CommonSettings) -> None:
    await serve(configured)
