"""The one-shot `migrate`: brings the database to the newest schema and ends. Started by `xorj up` before whoever uses the database."""

import asyncio

from xorj.adapters.postgres import migrate
from xorj.observability import logging
from xorj.settings import DatabaseSettings

log = logging.get("migrate")


async def serve(settings: DatabaseSettings) -> None:
    """Raises RefusedForSafety for a database of a newer version, Unavailable when it cannot be reached."""
    revision = await asyncio.to_thread(migrate.upgrade, settings.require_database_url(), tls_required=settings.database_tls_required)
    log.info("database_migrated", revision=revision)
