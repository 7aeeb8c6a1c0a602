"""A thief with the bot's key and pools of his own, playing many hands: what he takes in any 25 hours stays under what the papers say.

The bound: the day's spend cap (bought from himself for nothing) and the day's loss cap (sold to himself for nothing). Profit that is not
realised is not in it, so here a token is always worth one base unit. `--log-cli-level=INFO` prints bound and worst day of each hand.
"""

import logging
from collections import defaultdict
from collections.abc import Callable
from random import Random

import pytest
from tests.program.attacks.harness import ROUNDS
from tests.program.vault_world import DAY, HOUR, NOW, USDC, VaultWorld, changed, key

from xorj.market import local_amm

DEPOSIT, PER_TRADE, SPEND_CAP, LOSS_CAP = 1_000 * USDC, 100 * USDC, 500 * USDC, 200 * USDC
FAIR = 10**15
WINDOW_HOURS = 25


class Thief:
    """Sets the price of every pool as he likes before each trade."""

    def __init__(self) -> None:
        self.world = VaultWorld().with_bot(
            DEPOSIT,
            spend_per_trade=PER_TRADE,
            spend_per_day=SPEND_CAP,
            loss_per_day=LOSS_CAP,
            spend_per_trade_bps=1_000,
            spend_per_day_bps=5_000,
            loss_per_day_bps=2_000,
        )
        self.world.with_market()
        self.world.at(self.world.slot, NOW - NOW % HOUR + HOUR)
        self.taken: dict[int, int] = defaultdict(int)
        # Anybody can make another token account of the vault, and the bot chooses which one a trade uses.
        self.second = self.world.hold(self.world.vault, self.world.bonk, 0, at=key("another account of the vault").pubkey())

    @property
    def cash(self) -> int:
        return self.world.balance(self.world.vault, self.world.usdc)

    @property
    def units(self) -> int:
        return self.here + self.there

    @property
    def here(self) -> int:
        return self.world.balance(self.world.vault, self.world.bonk)

    @property
    def there(self) -> int:
        return self.world.amount(self.second)

    def waits(self, seconds: int) -> None:
        self.world.later(seconds=seconds)

    def waits_for_the_edge(self, before: int = 1) -> None:
        """Until so many seconds before the next hour; 0 is its first second."""
        self.waits(HOUR - self.world.now % HOUR - before or HOUR)

    def trades(self, *, base: int, token: int, buy: int = 0, sell: int = 0, there: bool = False) -> str | None:
        """One trade at a price of his making; the vault's answer. What the vault is worth less afterwards, he has taken."""
        world, worth = self.world, self.cash + self.units
        pool = local_amm.pool_of(world.usdc, world.bonk)
        world.hold(pool.address, world.usdc, base)
        world.hold(pool.address, world.bonk, token)
        trade = world.buy(buy) if buy else world.sell(sell)
        if there:
            trade = changed(trade, "vault_output" if buy else "vault_input", self.second)
        error = world.send(trade).error
        self.taken[world.now // HOUR] += worth - self.cash - self.units
        return error

    def buys_for_nothing(self, amount: int = PER_TRADE, *, there: bool = False) -> str | None:
        return self.trades(buy=amount, base=1, token=10_000, there=there)

    def buys_fairly(self, amount: int = PER_TRADE, *, there: bool = False) -> str | None:
        return self.trades(buy=amount, base=FAIR, token=FAIR, there=there)

    def dumps(self, units: int, proceeds: int = 1_000, *, there: bool = False) -> str | None:
        return self.trades(sell=max(1, units), base=max(2, proceeds), token=max(1, units // 10_000), there=there)

    def dumps_all_he_can(self) -> None:
        """Halves what he tries to sell for nothing until the loss cap lets it through; again while anything goes."""
        share = self.units
        while share > USDC // 10:
            if self.dumps(share) is not None:
                share //= 2
            share = min(share, self.units)

    def spends_all_he_can(self, buy: Callable[[int], str | None]) -> None:
        amount = PER_TRADE
        while amount > USDC // 10:
            if buy(amount) is not None:
                amount //= 2

    def worst(self) -> int:
        """The most taken in any 25 hours of the clock."""
        first, last = min(self.taken), max(self.taken)
        windows = range(first - WINDOW_HOURS, last + 1)
        return max(sum(self.taken.get(hour, 0) for hour in range(start, start + WINDOW_HOURS)) for start in windows)

    def bound(self) -> int:
        policy, deposited = self.world.read_policy(), self.world.read_vault().total_deposited
        limits = policy.limits(self.world.now)
        return limits.day_cap(deposited) + limits.loss_cap(policy.loss_basis(deposited))


def only_buys(thief: Thief) -> None:
    for _ in range(30):
        thief.spends_all_he_can(thief.buys_for_nothing)
        thief.waits(2 * HOUR)


def only_dumps(thief: Thief) -> None:
    """Into his own pool, what an honest bot had bought before."""
    for _ in range(3):
        thief.spends_all_he_can(thief.buys_fairly)
        thief.waits(DAY + HOUR)
    thief.taken.clear()
    for _ in range(30):
        thief.dumps_all_he_can()
        thief.waits(2 * HOUR)


def alternates(thief: Thief) -> None:
    for _ in range(60):
        thief.buys_fairly(PER_TRADE // 2)
        thief.dumps(thief.units // 3)
        thief.buys_for_nothing(PER_TRADE // 2)
        thief.dumps(thief.units, proceeds=PER_TRADE // 4)
        thief.waits(HOUR)


def waits_for_the_bucket_to_roll(thief: Thief) -> None:
    """Takes a day's worth in the last second before an hour's edge and again in the first second in which it rolls out."""
    thief.spends_all_he_can(thief.buys_fairly)
    thief.waits(DAY + HOUR)
    for _ in range(3):
        thief.waits_for_the_edge(before=1)
        thief.spends_all_he_can(thief.buys_for_nothing)
        thief.dumps_all_he_can()
        for _ in range(26):
            thief.waits_for_the_edge(before=0)
            thief.buys_for_nothing()
            thief.dumps(thief.units // 8)


def hides_in_another_account(thief: Thief) -> None:
    """Buys into one token account of the vault and dumps out of another: a position is one, wherever it lies."""
    for _ in range(40):
        thief.buys_fairly(PER_TRADE // 2, there=True)
        thief.buys_fairly(PER_TRADE // 4)
        thief.dumps(thief.here // 2)
        thief.dumps(thief.there // 2, there=True)
        thief.buys_for_nothing(PER_TRADE // 4, there=True)
        thief.waits(HOUR)


def told(hand: str, thief: Thief) -> None:
    text = "%s: at most %d in any %d hours, took %d base units"
    logging.getLogger(__name__).info(text, hand, thief.bound(), WINDOW_HOURS, thief.worst())


STRATEGIES = [only_buys, only_dumps, alternates, waits_for_the_bucket_to_roll, hides_in_another_account]


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda each: each.__name__)
def test_a_strategy_takes_no_more_than_the_caps(strategy: Callable[[Thief], None]) -> None:
    thief = Thief()
    assert thief.bound() == SPEND_CAP + LOSS_CAP
    strategy(thief)
    told(strategy.__name__, thief)
    assert 0 < thief.worst() <= SPEND_CAP + LOSS_CAP
    # Each is worth trying: it comes close to one of the caps.
    assert thief.worst() > LOSS_CAP * 9 // 10


@pytest.mark.parametrize("seed", range(8 * ROUNDS))
def test_a_thief_without_a_plan_takes_no_more_than_the_caps(seed: int) -> None:
    thief, dice = Thief(), Random(seed)
    hands: list[Callable[[], object]] = [
        lambda: thief.buys_for_nothing(dice.randrange(1, PER_TRADE + 2)),
        lambda: thief.buys_fairly(dice.randrange(1, PER_TRADE + 2)),
        lambda: thief.dumps(dice.randrange(0, max(1, thief.units)) + 1, dice.randrange(2, PER_TRADE)),
        lambda: thief.dumps(thief.here, max(2, int(thief.here * dice.random()))),
        lambda: thief.buys_fairly(dice.randrange(1, PER_TRADE), there=True),
        lambda: thief.dumps(thief.there, max(2, int(thief.there * dice.random())), there=True),
        lambda: thief.waits(dice.randrange(1, 3 * HOUR)),
        lambda: thief.waits_for_the_edge(before=dice.randrange(2)),
    ]
    for _ in range(120):
        dice.choice(hands)()
    told(f"seed {seed}", thief)
    assert thief.worst() <= SPEND_CAP + LOSS_CAP == thief.bound()
