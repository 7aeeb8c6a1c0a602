"""What the made populations assume: roles with their parameters, and the worlds that change some of them. Read by population.

Every number here is an assumption about wallets in general, committed before the first score was run on it. A gate that fails is no
reason to change one.

One role was changed after the first run, and why stands here: martingales gained 0.4 % a day with a spread of 0.3 % until one crash, a
daily Sharpe ratio above 1 that no marked record has. The ledger marks open lots to liquidation every day, so doubling into a loss shows
before it is realised. They are marked now; the world "martingales hide open losses" keeps them as they were first committed, and its
figures are gates of every run.
"""

from dataclasses import dataclass

REGULAR, LOTTERY, MARTINGALE, BAG_HOLDER, WASH, SNIPER, AIRDROP, SYBIL, TURNCOAT = range(9)
ROLE_NAMES = ("regular", "lottery", "martingale", "bag-holder", "wash", "sniper", "airdrop", "sybil", "turncoat")
SHARES = (0.60, 0.09, 0.06, 0.06, 0.05, 0.04, 0.04, 0.04, 0.02)
ADVERSE_SHARE = 1 - SHARES[REGULAR]

WALLETS = 1_500
FUTURE_DAYS = 90
CLONES = 15

# skill is the daily Sharpe ratio of gross trading: 18 % of regular traders have some, 22 % have less than none, the rest about none
SKILLED, UNSKILLED = 0.18, 0.22
SKILL_SHAPE, SKILL_SCALE, SKILL_NOISE = 2.0, 0.06, 0.015
TURNCOAT_SHAPE, TURNCOAT_SCALE = 4.0, 0.06
BAG_HOLDER_SKILL = -0.03

# trading: round trips a day, share of equity in each, spread of one round trip's return, hours held, cost of copying one
MEME_SHARE = 0.6
RATE_MEDIAN, RATE_SPREAD, RATE_MIN, RATE_MAX = 1.2, 1.2, 0.05, 12.0
SIZE_A, SIZE_B = 2.0, 10.0
SPREAD_MEME, SPREAD_LIQUID, SPREAD_SPREAD = 0.20, 0.05, 0.3
HOURS_MEME, HOURS_LIQUID, HOURS_SPREAD = 6.0, 24.0, 1.2
COST_MEME, COST_LIQUID, COST_SPREAD = 0.007, 0.0013, 0.4
SHORT_HOLD_HOURS = 2.0
OWN_COST_SHARE = 0.3
BETA_MAX = 0.5
NOISE_T, NOISE_EXPONENTIAL = 0.8, 0.6

# roles, per round trip unless a day is named
LOTTERY_RATE, LOTTERY_SIZE, LOTTERY_CHANCE, LOTTERY_WIN, LOTTERY_LOSS = 0.5, 0.10, 0.01, 8.0, 0.12
# a marked martingale doubles after every losing day and gives up after the sixth; its books show a cycle when it closes
MARTINGALE_STEP_DAY, MARTINGALE_DOUBLINGS, MARTINGALE_WIN_CHANCE, MARTINGALE_STEP_SPREAD = 0.01, 5, 0.48, 0.3
# one that hides its open losses
MARTINGALE_GAIN_DAY, MARTINGALE_SPREAD_DAY, MARTINGALE_CRASH_DAY = 0.004, 0.003, 1 / 150
CRASH_MIN, CRASH_MAX = 0.50, 0.95
WASH_SHOWN, WASH_SHOWN_SPREAD, WASH_COPIED, WASH_SPREAD = 0.03, 0.01, -0.02, 0.06
SNIPER_WIN_CHANCE, SNIPER_WIN, SNIPER_LOSS, SNIPER_COPIED, SNIPER_SPREAD = 0.7, 0.5, 0.25, -0.04, 0.30
AIRDROP_DAY, AIRDROP_SIZE, AIRDROP_SLIPS = 0.10, 0.05, 0.10
TURNED_COPIED, TURNED_SPREAD = -0.03, 0.10
LINKED_MIN, LINKED_MAX, LINKED_NOISE = 0.3, 0.9, 0.03
LINKS_HIDDEN = 0.35
BANKRUPT = 0.10

# the market: three regimes, each a drift and a spread of a day
BULL, CHOP, BEAR = range(3)
REGIME_DRIFT, REGIME_SPREAD = (0.006, 0.0, -0.006), (0.035, 0.025, 0.045)
REGIME_DAYS = 45
MARKET_SPREAD = 0.036


@dataclass(frozen=True, slots=True)
class World:
    """One set of circumstances; the defaults are the default world's."""

    name: str
    shares: tuple[float, ...] = SHARES
    age_days: tuple[int, int] = (14, 365)
    skill_exists: bool = True
    persistence: float = 0.8
    cost_factor: float = 1.0
    cost_seen: float = 0.8
    links_hidden: float = LINKS_HIDDEN
    tail_freedom: int = 4
    regimes: tuple[int, int] | None = None
    early_persistence: float | None = None
    crowd_cost: float = 0.0
    token_correlation: float = 0.0
    martingales_hide: bool = False


def with_adverse(share: float) -> tuple[float, ...]:
    """The roles' shares with the adverse ones scaled to this sum."""
    return tuple(1 - share if role == REGULAR else one * share / ADVERSE_SHARE for role, one in enumerate(SHARES))


DEFAULT = World("default")
NULL = World("nobody has skill", skill_exists=False)
HIDDEN = World("martingales hide open losses", martingales_hide=True)
WORLDS = {
    world.name: world
    for world in (
        DEFAULT,
        World("benign, 8 % adverse", shares=with_adverse(0.08)),
        World("no adversaries at all", shares=with_adverse(0.0)),
        NULL,
        World("copy costs doubled", cost_factor=2.0),
        World("replay sees half the cost", cost_seen=0.5),
        World("all links hidden", links_hidden=1.0),
        World("heavier tails (3 dof)", tail_freedom=3),
        World("skill barely persists (0.3)", persistence=0.3),
        World("short histories (7-90 d)", age_days=(7, 90)),
        World("bull history, bear future", regimes=(BULL, BEAR)),
        World("bear history, bull future", regimes=(BEAR, BULL)),
        # beyond the specification's table: what its own simulator left out
        World("skill drifts inside the window", early_persistence=0.5),
        World("copiers crowd into the best records", crowd_cost=2.0),
        World("tokens move together", token_correlation=0.3),
        HIDDEN,
        # to tell what turncoats alone do to a list: they are made regular traders here
        World("nobody turns on copiers", shares=(SHARES[REGULAR] + SHARES[TURNCOAT], *SHARES[1:TURNCOAT], 0.0)),
    )
}
# those of the specification's table, which its gate over all worlds is about
SPECIFIED = tuple(WORLDS)[:12]
