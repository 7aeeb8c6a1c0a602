"""The vault's whole life, honest and attacked, with mainnet's features and with all of them, by transactions of version 0 and 1."""

from collections.abc import Sequence

import pytest
from solders.instruction import Instruction
from solders.message import MessageV0, MessageV1, TransactionConfig
from solders.pubkey import Pubkey
from tests.program.attacks.harness import refused
from tests.program.evil_world import DESTINATION, FIRST_EXTRA, SOURCE, EvilWorld, approve, transfer, w
from tests.program.runtimes import FEATURE_SETS
from tests.program.vault_world import DAY, USDC, VaultWorld

from xorj.vault import instructions
from xorj.vault.accounts import ALLOWLIST
from xorj.vault.events import traded

UNITS_MAX = 400_000


class OfVersion1(VaultWorld):
    """Sends transactions of version 1, which carry their compute limit themselves."""

    def message(self, payer: Pubkey, given: Sequence[Instruction]) -> MessageV0 | MessageV1:
        config = TransactionConfig(compute_unit_limit=UNITS_MAX)
        return MessageV1.try_compile(payer, list(given), self.svm.latest_blockhash(), config)


class EvilOfVersion1(OfVersion1, EvilWorld):
    """The hostile router, by version 1."""


HONEST = {"v0": VaultWorld, "v1": OfVersion1}
HOSTILE = {"v0": EvilWorld, "v1": EvilOfVersion1}


@pytest.mark.parametrize("features", FEATURE_SETS)
@pytest.mark.parametrize("version", HONEST)
def test_the_vaults_whole_life(version: str, features: str) -> None:
    world = HONEST[version](features=features).with_bot().with_market()
    owner, bot = world.owner.pubkey(), world.bot.pubkey()
    bought = traded(world.ok(world.buy(100 * USDC)).inner)[0]
    assert bought.amount_out == world.balance(world.vault, world.bonk)
    world.ok(world.shared_route(USDC, shared_id=3), world.sell(bought.amount_out // 2))
    world.ok(instructions.burn_nonce(bot, owner, world.guard()))
    world.ok(instructions.pause_vault(bot, owner))
    refused(world, world.buy(USDC), error="VaultPaused")
    world.ok(instructions.resume_vault(owner), instructions.set_policy(owner, mint_mode=ALLOWLIST, pin=[world.bonk]))
    world.later(seconds=DAY)
    world.ok(world.buy(USDC))
    world.hold(world.trade, world.wif, 9)
    world.ok(instructions.recover_trade_account(owner, world.wif), instructions.revoke_bot_authority(owner))
    world.ok(*(instructions.withdraw(owner, mint, world.balance(world.vault, mint)) for mint in (world.usdc, world.bonk, world.wif)))
    world.ok(*(instructions.close_token_account(owner, mint) for mint in (world.usdc, world.bonk, world.wif)))
    world.ok(instructions.deactivate_vault(owner), instructions.close_vault(owner), instructions.initialize_vault(owner))


@pytest.mark.parametrize("features", FEATURE_SETS)
@pytest.mark.parametrize("version", HOSTILE)
def test_the_walls_stand(version: str, features: str) -> None:
    world = HOSTILE[version](features=features)
    keep, pay = transfer(SOURCE, FIRST_EXTRA, USDC), transfer(FIRST_EXTRA + 1, DESTINATION, 777)
    extra = w(world.loot, world.pot)
    refused(world, world.attacking(keep, extra=extra), error="SlippageExceeded")
    refused(world, world.attacking(keep, pay, extra=extra, minimum=778), error="SlippageExceeded")
    refused(world, world.attacking(pay, approve(SOURCE, FIRST_EXTRA), extra=extra), error="VaultAccountTampered")
    refused(world, world.attacking(extra=w(world.vault)), error="ForbiddenRemainingAccount")
    world.ok(world.attacking(keep, pay, extra=extra, minimum=777))


def test_a_trade_takes_the_same_units_in_each() -> None:
    worlds = [kind(features=features).with_bot().with_market() for kind in HONEST.values() for features in FEATURE_SETS]
    assert len({world.ok(world.buy(USDC)).compute_units for world in worlds}) == 1
