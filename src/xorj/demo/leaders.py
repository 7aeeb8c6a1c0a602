"""The demo's leaders: who they are, what they are like and how much they start with. Pure; derived from the seed.

A leader's skill is foresight: how much of a coming move he sees, the rest of his judgement being noise. Villains are known by their
kind, so that a ranking can be asked how many it let into its first ten.
"""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from xorj.primitives.ids import Wallet


class Kind(StrEnum):
    """What sort of trader a leader is."""

    SKILLED = "skilled"
    AVERAGE = "average"
    UNLUCKY = "unlucky"
    LOTTERY = "lottery buyer"
    MARTINGALE = "martingale"
    BAG_HOLDER = "bag-holder"
    WASH_WINNER = "wash trader, winning side"
    WASH_LOSER = "wash trader, losing side"
    SNIPER = "launch sniper"
    TURNCOAT = "turncoat"
    CLONE_OWNER = "gambler of five wallets"
    CLONE = "clone"
    ABANDONED = "abandoned wallet"
    RESET = "reset wallet"


VILLAINS = frozenset(
    {
        Kind.MARTINGALE,
        Kind.BAG_HOLDER,
        Kind.WASH_WINNER,
        Kind.WASH_LOSER,
        Kind.SNIPER,
        Kind.TURNCOAT,
        Kind.CLONE_OWNER,
        Kind.CLONE,
        Kind.ABANDONED,
        Kind.RESET,
    }
)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a kind trades, in steps of market time and basis points of the USDC he holds; (least, most) each."""

    foresight_percent: tuple[int, int]
    gap_steps: tuple[int, int]
    hold_steps: tuple[int, int]
    stake_bps: tuple[int, int]
    live_gap_steps: tuple[int, int]
    live_hold_steps: tuple[int, int]
    live_stake_bps: tuple[int, int]
    start_usd: tuple[int, int]


_COUNTS = {
    Kind.SKILLED: 10,
    Kind.AVERAGE: 18,
    Kind.UNLUCKY: 6,
    Kind.LOTTERY: 4,
    Kind.MARTINGALE: 1,
    Kind.BAG_HOLDER: 1,
    Kind.WASH_WINNER: 1,
    Kind.WASH_LOSER: 1,
    Kind.SNIPER: 1,
    Kind.TURNCOAT: 1,
    Kind.CLONE_OWNER: 1,
    Kind.CLONE: 4,
    Kind.ABANDONED: 1,
    Kind.RESET: 1,
}
_SLOW_LIVE = ((60, 180), (15, 60), (300, 800))
_BRISK_LIVE = ((8, 24), (5, 20), (250, 500))
_MANNERS = {
    Kind.SKILLED: Manner((26, 44), (40, 110), (24, 120), (1_500, 3_000), *_BRISK_LIVE, (10_000, 60_000)),
    Kind.AVERAGE: Manner((-4, 6), (60, 200), (12, 160), (800, 2_500), *_SLOW_LIVE, (4_000, 50_000)),
    Kind.UNLUCKY: Manner((-45, -20), (60, 160), (12, 120), (1_500, 3_500), *_SLOW_LIVE, (4_000, 30_000)),
    Kind.LOTTERY: Manner((0, 0), (70, 240), (480, 960), (200, 500), (90, 240), (60, 200), (100, 300), (2_000, 8_000)),
    Kind.MARTINGALE: Manner((0, 0), (16, 40), (8, 24), (200, 200), (10, 30), (8, 16), (200, 400), (30_000, 30_000)),
    Kind.BAG_HOLDER: Manner((0, 0), (40, 90), (4, 480), (400, 900), (20, 60), (10, 200), (200, 600), (25_000, 25_000)),
    Kind.WASH_WINNER: Manner((0, 0), (50, 70), (1, 1), (3_000, 3_500), (40, 80), (1, 1), (1_000, 1_500), (20_000, 20_000)),
    Kind.WASH_LOSER: Manner((0, 0), (50, 70), (1, 1), (3_000, 3_500), (40, 80), (1, 1), (1_000, 1_500), (20_000, 20_000)),
    Kind.SNIPER: Manner((0, 0), (1, 1), (1, 4), (2_000, 2_500), (1, 1), (1, 4), (1_000, 2_000), (20_000, 20_000)),
    Kind.TURNCOAT: Manner((34, 40), (40, 110), (24, 120), (1_500, 3_000), (15, 40), (4, 6), (2_500, 4_000), (40_000, 40_000)),
    Kind.CLONE_OWNER: Manner((0, 0), (80, 200), (24, 160), (3_000, 5_000), *_SLOW_LIVE, (40_000, 40_000)),
    Kind.CLONE: Manner((0, 0), (80, 200), (24, 160), (3_000, 5_000), *_SLOW_LIVE, (0, 0)),
    Kind.ABANDONED: Manner((-45, -30), (60, 160), (12, 120), (1_500, 3_500), *_SLOW_LIVE, (30_000, 30_000)),
    Kind.RESET: Manner((14, 18), (40, 110), (24, 120), (1_500, 3_000), *_SLOW_LIVE, (0, 0)),
}


@dataclass(frozen=True, slots=True)
class Leader:
    """`number` is his place in the list of leaders; plans and draws go by it. `address` is the key's, which is dear to derive."""

    number: int
    name: str
    kind: Kind
    key: Keypair
    address: Pubkey
    foresight_percent: int
    start_usd: int

    @property
    def wallet(self) -> Wallet:
        return Wallet(str(self.address))

    @property
    def manner(self) -> Manner:
        return _MANNERS[self.kind]

    @property
    def is_villain(self) -> bool:
        return self.kind in VILLAINS


def demo_leaders(seed: int) -> tuple[Leader, ...]:
    """All leaders of a seed, always in the same order."""
    kinds = [kind for kind, count in _COUNTS.items() for _ in range(count)]
    return tuple(_leader(seed, number, kind) for number, kind in enumerate(kinds))


def villain_wallets(seed: int) -> frozenset[Wallet]:
    """The wallets that a good ranking keeps out of its first ten."""
    return frozenset(leader.wallet for leader in demo_leaders(seed) if leader.is_villain)


def _leader(seed: int, number: int, kind: Kind) -> Leader:
    digest = sha256(f"xorj demo leader, worthless: {seed} {number}".encode()).digest()
    manner, key = _MANNERS[kind], Keypair.from_seed(digest)
    return Leader(
        number=number,
        name=f"{kind} {number}",
        kind=kind,
        key=key,
        address=key.pubkey(),
        foresight_percent=_between(manner.foresight_percent, digest[:4]),
        start_usd=_between(manner.start_usd, digest[4:8]),
    )


def _between(bounds: tuple[int, int], draw: bytes) -> int:
    least, most = bounds
    return least + int.from_bytes(draw, "little") % (most - least + 1)
