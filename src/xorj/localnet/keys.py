"""The local chain's own key pairs. They are public on purpose: whatever they own on this chain is worthless."""

from hashlib import sha256

from solders.keypair import Keypair


def local_keypair(name: str) -> Keypair:
    """The key pair that every local chain gives this name. Never to be used on a chain where funds have worth."""
    return Keypair.from_seed(sha256(f"xorj local chain, worthless: {name}".encode()).digest())


FAUCET = local_keypair("faucet")
NODE = local_keypair("node identity")
VOTE_ACCOUNT = local_keypair("vote account")
MINT_AUTHORITY = local_keypair("mint authority")
UPGRADE_AUTHORITY = local_keypair("upgrade authority")
