"""The most that a thief with the bot's key takes from a vault in a day, under the limits of a new vault; docs/vault-program.md tells it.

The day's spend cap by buying from himself, the loss cap by selling to himself, and profit not realised yet, which no cap covers.
"""

import pytest
from solders.pubkey import Pubkey
from tests.program.vault_world import DAY, HOUR, USDC, VaultWorld

from xorj.market import local_amm
from xorj.vault import accounts, instructions

DEPOSIT, PER_TRADE, SPEND_CAP, LOSS_CAP = 1_000 * USDC, 100 * USDC, 500 * USDC, 200 * USDC
COST, VALUE = 300 * USDC, 600 * USDC
PROFIT = VALUE - COST
HUGE = 10**15


class Theft:
    """A vault with a position that has doubled, and a thief who holds its bot's key and sets the pools' prices as he likes."""

    def __init__(self) -> None:
        self.world = world = VaultWorld().with_bot(
            DEPOSIT,
            spend_per_trade=PER_TRADE,
            spend_per_day=SPEND_CAP,
            loss_per_day=LOSS_CAP,
            spend_per_trade_bps=1_000,
            spend_per_day_bps=5_000,
            loss_per_day_bps=2_000,
        )
        world.with_market()
        self.price(world.bonk, base=HUGE, token=HUGE)
        for _ in range(COST // PER_TRADE):
            world.ok(world.buy(PER_TRADE))
        self.units = world.balance(world.vault, world.bonk)
        world.later(seconds=DAY + HOUR)

    def price(self, mint: Pubkey, *, base: int, token: int) -> None:
        pool = local_amm.pool_of(self.world.usdc, mint)
        self.world.hold(pool.address, self.world.usdc, base)
        self.world.hold(pool.address, mint, token)

    def cash(self) -> int:
        return self.world.balance(self.world.vault, self.world.usdc)

    def buys_worthless(self) -> str | None:
        """Dust for all that one trade may spend; the chain's refusal if it has one."""
        self.price(self.world.wif, base=1, token=10**4)
        return self.world.send(self.world.buy(PER_TRADE, self.world.wif)).error

    def buys_all_day(self) -> None:
        while (refused := self.buys_worthless()) is None:
            pass
        assert refused == "SpendLimitExceeded"

    def dumps(self, units: int, proceeds: int) -> str | None:
        """Sells to himself for `proceeds` and a little less."""
        self.price(self.world.bonk, base=proceeds, token=units // 10**4)
        return self.world.send(self.world.sell(units)).error


def test_a_day_of_theft_costs_the_spend_cap_the_loss_cap_and_unrealised_profit() -> None:
    theft = Theft()
    before = theft.cash() + VALUE
    theft.buys_all_day()
    assert theft.cash() == DEPOSIT - COST - SPEND_CAP
    share = theft.units * LOSS_CAP // COST
    assert theft.dumps(share + 10**4, 1_000) == "LossLimitExceeded"
    assert theft.dumps(share, 1_000) is None, "bought for the whole loss cap, sold for nothing"
    assert theft.dumps(theft.units - share, (COST - LOSS_CAP) * 9 // 10) == "LossLimitExceeded"
    assert theft.dumps(theft.units - share, COST - LOSS_CAP + 10**5) is None, "sold at cost, so nothing is charged"
    lost = before - theft.cash()
    assert lost <= SPEND_CAP + LOSS_CAP + PROFIT
    assert lost == pytest.approx(SPEND_CAP + LOSS_CAP + PROFIT, rel=0.001), "all of it"


def test_the_next_day_he_begins_anew_unless_the_owner_has_revoked_him() -> None:
    theft = Theft()
    theft.buys_all_day()
    theft.world.later(seconds=24 * HOUR)
    assert theft.buys_worthless() == "SpendLimitExceeded", "any 24 hours are one day"
    theft.world.later(seconds=HOUR)
    assert theft.buys_worthless() is None
    theft.world.ok(instructions.revoke_bot_authority(theft.world.owner.pubkey()))
    assert theft.buys_worthless() == "BotAuthorityNotSet"


def test_with_an_allowlist_he_buys_nothing_but_what_the_owner_listed() -> None:
    theft = Theft()
    world = theft.world
    world.ok(instructions.set_policy(world.owner.pubkey(), mint_mode=accounts.ALLOWLIST))
    assert theft.buys_worthless() == "MintNotAllowed"
