"""Every instruction of the vault program as an honest client sends it: where tests of what is refused start from."""

from collections.abc import Callable

from solders.instruction import Instruction
from tests.program.vault_world import DAY, USDC, VaultWorld

from xorj.vault import instructions
from xorj.vault.interface import INSTRUCTIONS

NAMES = [interface.name for interface in INSTRUCTIONS]


def good(world: VaultWorld, name: str) -> Instruction:
    """An instruction that a world with bot and market accepts, or refuses only for the state it meets."""
    owner, bot, admin = world.owner.pubkey(), world.bot.pubkey(), world.admin.pubkey()
    made: dict[str, Callable[[], Instruction]] = {
        "initialize_config": lambda: instructions.initialize_config(
            admin, admin, world.usdc, admin=admin, guardian=admin, vault_cap=1, loosening_delay_s=DAY
        ),
        "update_config": lambda: instructions.update_config(
            admin, vault_cap=1, guardian=admin, loosening_delay_s=DAY, paused=True, routers=1
        ),
        "accept_admin": lambda: instructions.accept_admin(admin),
        "initialize_vault": lambda: instructions.initialize_vault(world.stranger.pubkey()),
        "deposit": lambda: instructions.deposit(owner, world.usdc, USDC),
        "withdraw": lambda: instructions.withdraw(owner, world.usdc, USDC),
        "grant_bot_authority": lambda: instructions.grant_bot_authority(owner, bot),
        "revoke_bot_authority": lambda: instructions.revoke_bot_authority(owner),
        "bot_trade": lambda: world.buy(USDC),
        "deactivate_vault": lambda: instructions.deactivate_vault(owner),
        "set_policy": lambda: instructions.set_policy(owner, spend_per_day=1, loss_per_day_bps=1, pin=[world.wif]),
        "pause_vault": lambda: instructions.pause_vault(owner, owner),
        "resume_vault": lambda: instructions.resume_vault(owner),
        "burn_nonce": lambda: instructions.burn_nonce(owner, owner, world.guard()),
        "recover_trade_account": lambda: instructions.recover_trade_account(owner, world.usdc),
        "close_token_account": lambda: instructions.close_token_account(owner, world.wif),
        "close_vault": lambda: instructions.close_vault(owner),
    }
    return made[name]()


def ready_for(name: str) -> VaultWorld:
    """A world in which the instruction of this name is accepted."""
    if name == "initialize_config":
        return VaultWorld()
    world = VaultWorld().with_bot().with_market()
    owner, admin = world.owner.pubkey(), world.admin.pubkey()
    ahead: dict[str, Callable[[], Instruction]] = {
        "accept_admin": lambda: instructions.update_config(admin, pending_admin=admin),
        "grant_bot_authority": lambda: instructions.revoke_bot_authority(owner),
        "close_vault": lambda: instructions.revoke_bot_authority(owner),
        "resume_vault": lambda: instructions.pause_vault(owner, owner),
    }
    if name in ahead:
        world.ok(ahead[name]())
    if name == "recover_trade_account":
        world.hold(world.trade, world.usdc, 5, delegate=world.stranger.pubkey())
    return world


def roles_of(name: str) -> list[str]:
    return [role.name for role in next(each for each in INSTRUCTIONS if each.name == name).accounts]


def with_data(instruction: Instruction, data: bytes) -> Instruction:
    return Instruction(instruction.program_id, data, instruction.accounts)
