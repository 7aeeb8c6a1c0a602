"""The demo market's tokens and pools, derived from its seed. Pure; used by the market, its prices and the token list.

Prices are in units of 10^-15 USD a whole token, so that the cheapest token still moves in fine steps.
"""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from xorj.primitives.ids import SOL, USDC

PRICE_UNITS_PER_USD = 10**15
USDC_MINT, SOL_MINT = Pubkey.from_string(USDC), Pubkey.from_string(SOL)
SOL_DECIMALS, USDC_DECIMALS = 9, 6


class Temper(StrEnum):
    """How a token moves. A thin one hardly moves by itself and has a shallow pool; a launch token jumps now and then and decays."""

    MAJOR = "major"
    VOLATILE = "volatile"
    LAUNCH = "launch"
    THIN = "thin"


@dataclass(frozen=True, slots=True)
class DemoToken:
    """`depth_usd` lie on each side of its pool against USDC; `sol_depth_usd` of that against SOL, 0 for no such pool."""

    symbol: str
    name: str
    mint: Pubkey
    decimals: int
    price_units: int
    temper: Temper
    depth_usd: int
    sol_depth_usd: int = 0


_DEFINED: tuple[tuple[str, str, int, str, Temper, int, int], ...] = (
    ("BREW", "Brewed Coffee", 6, "1.84", Temper.MAJOR, 2_000_000, 500_000),
    ("TIDE", "Tidewater", 9, "12.5", Temper.MAJOR, 2_000_000, 500_000),
    ("LARK", "Skylark", 6, "0.42", Temper.MAJOR, 1_500_000, 0),
    ("OAKS", "Old Oaks", 6, "3.1", Temper.MAJOR, 1_500_000, 0),
    ("MOSS", "Mossland", 5, "0.000021", Temper.VOLATILE, 1_000_000, 300_000),
    ("FIZZ", "Fizzy Pop", 6, "0.085", Temper.VOLATILE, 1_000_000, 0),
    ("GNOM", "Garden Gnome", 6, "0.0031", Temper.VOLATILE, 800_000, 0),
    ("YETI", "Yeti Club", 9, "0.64", Temper.VOLATILE, 800_000, 0),
    ("NOVA", "Nova Burst", 6, "0.05", Temper.LAUNCH, 400_000, 0),
    ("ZING", "Zing Start", 6, "0.012", Temper.LAUNCH, 400_000, 0),
    ("DUST", "Dusty Attic", 6, "0.2", Temper.THIN, 60_000, 0),
    ("PUFF", "Puffin Puff", 6, "0.9", Temper.THIN, 60_000, 0),
)
SOL_TOKEN = DemoToken("SOL", "Wrapped SOL", SOL_MINT, SOL_DECIMALS, 150 * PRICE_UNITS_PER_USD, Temper.MAJOR, 10_000_000)


def demo_tokens(seed: int) -> tuple[DemoToken, ...]:
    """Wrapped SOL first, then the market's own twelve; their mints and starting prices come from the seed."""
    return (SOL_TOKEN, *(_token(seed, *one) for one in _DEFINED))


def _token(seed: int, symbol: str, name: str, decimals: int, usd: str, temper: Temper, depth: int, sol_depth: int) -> DemoToken:
    digest = sha256(f"xorj demo token, worthless: {seed} {symbol}".encode()).digest()
    whole, _, part = usd.partition(".")
    units = int(whole + part.ljust(15, "0"))
    # the seed shifts a price by up to a quarter either way
    shifted = units * (75_000 + int.from_bytes(digest[:4], "little") % 50_001) // 100_000
    return DemoToken(symbol, name, Keypair.from_seed(digest).pubkey(), decimals, shifted, temper, depth, sol_depth)
