"""Who takes part in the demo beside the leaders. Pure; keys are public on purpose and worthless, as the whole local chain is.

The quant engine takes EXCLUDED_WALLETS from here when its chain is the local one: whoever makes the market is never a leader.
"""

from typing import Final

from xorj.localnet.keys import FAUCET, MINT_AUTHORITY, NODE, local_keypair
from xorj.primitives.ids import Wallet

ARBITRAGE: Final = local_keypair("demo arbitrage")
ARBITRAGE_ADDRESS: Final = ARBITRAGE.pubkey()
FOLLOWER: Final = local_keypair("demo follower")
CONFIG_ADMIN: Final = local_keypair("demo config admin")
GUARDIAN: Final = local_keypair("demo guardian")

EXCLUDED_WALLETS: Final = frozenset(Wallet(str(key.pubkey())) for key in (ARBITRAGE, FAUCET, MINT_AUTHORITY, NODE))
