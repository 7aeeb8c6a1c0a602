"""The one-shot `signer-key`: makes the demo bot's encrypted key and its passphrase, and ends. Started by `xorj up` when there is none."""

import asyncio

from xorj.observability import logging
from xorj.services.signer import create_key
from xorj.settings import SignerSettings

log = logging.get("signer-key")


async def serve(settings: SignerSettings) -> None:
    """Keeps what is there. Raises RefusedForSafety outside the local chain, and when only one of the two files exists."""
    address = await asyncio.to_thread(create_key, settings)
    log.info("bot_key_ready", bot=str(address))
