"""The process `signer`: the only one that can use the bot's key. Signs on `run/signing.sock`, shows its health on `run/signer.sock`.

`create_key` makes a demonstration's key and passphrase files; the command line calls it before the first start.
"""

import ctypes

from xorj.adapters.signer import key_file
from xorj.adapters.signer.epoch_file import EpochFile
from xorj.adapters.signer.server import SigningServer
from xorj.adapters.signer.vault_key import VaultKey
from xorj.adapters.signer.wire import HEALTH_SOCKET, SIGNING_SOCKET
from xorj.adapters.solana_rpc.clock import NodeClock
from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.observability import health, http, logging
from xorj.primitives.errors import RefusedForSafety
from xorj.primitives.ids import Address
from xorj.settings import SignerSettings
from xorj.signing.message_policy import Rules
from xorj.supervisor.runtime_folder import leave, private_folder, runtime_folder

PR_SET_DUMPABLE = 4

log = logging.get("signer")


def create_key(settings: SignerSettings) -> Address:
    """Makes key and passphrase files where there are none, mode 0600, and answers the bot's address. Local chain alone.

    Raises RefusedForSafety elsewhere, and when only one of the two files exists.
    """
    if not settings.is_local:
        raise RefusedForSafety("keys for this chain are made by a person, not by the program")
    return key_file.create(settings.key_path, settings.passphrase_path)


async def serve(settings: SignerSettings) -> None:
    """Runs until SIGTERM or SIGINT. Raises what the key files, the sockets and the chain's identity have to say."""
    _forbid_dumps()
    key = key_file.load(settings.key_path, settings.passphrase_path)
    folder = private_folder(runtime_folder(settings.run_dir))
    async with SolanaNode(settings.rpc_endpoints[0]) as node:
        rules = Rules(priority_fee_lamports_max=settings.signer_priority_fee_lamports_max)
        keyed = VaultKey(key, rules, node, NodeClock(node), EpochFile(settings.key_path.with_suffix(".epoch")))

        async def chain() -> health.Health:
            found = await node.genesis_hash()
            return health.OK if found == settings.genesis else health.failed(f"the node is on the chain with genesis {found}")

        if (found := await node.genesis_hash()) != settings.genesis:
            raise RefusedForSafety(f"the node is on the chain with genesis {found}, not {settings.genesis}")
        app = http.create_app("signer", checks=[health.Check("chain", chain)])
        with http.UnixAddress(folder / SIGNING_SOCKET).listening() as listening:
            log.info("signer_ready", bot=str(keyed.address))
            try:
                await http.serve(app, http.UnixAddress(folder / HEALTH_SOCKET), [lambda: SigningServer(keyed.answer).run(listening)])
            finally:
                # Ours, because nobody else could listen there meanwhile.
                for name in (SIGNING_SOCKET, HEALTH_SOCKET):
                    (folder / name).unlink(missing_ok=True)
                leave(folder)


def _forbid_dumps() -> None:
    """No core dump and no tracer of our own user may read the key from memory."""
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
