"""The program checks what `xorj.vault.checks` lists, in that order: each check broken alone answers, and before the one after it.

docs/vault-program.md is made from the same list. A check that one transaction cannot break by itself is in `ELSEWHERE`, with its test.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from tests.program.good_calls import good
from tests.program.vault_world import SLOT, USDC, VaultWorld, key

from xorj.market import local_amm
from xorj.vault import borsh, instructions
from xorj.vault.accounts import CONFIG_OFFSETS, NO_KEY, POLICY_OFFSETS, PROGRAM_ID, TOKEN_2022_PROGRAM, TOKEN_PROGRAM
from xorj.vault.checks import CHECKS, Check
from xorj.vault.interface import ERRORS, FRAMEWORK_ERRORS, INSTRUCTIONS

PAYER = key("fee payer")
OTHER = key("an address of nobody's").pubkey()
ELSEWHERE = {
    "called by a program": "test_vault_containment.py::test_a_trade_is_called_by_no_program",
    "untampered": "test_vault_containment.py::test_emptying_another_account_of_the_trade_authority",
    "loss limit": "test_vault_budgets.py::test_a_sale_below_cost_is_charged_and_refused_beyond_the_cap",
}
TOKEN_AMOUNT, TOKEN_OWNER, TOKEN_DELEGATE = slice(64, 72), slice(32, 64), slice(72, 76)
VAULT_OWNER, BOT_TAG, BOT = slice(8, 40), 48, 49


@dataclass
class Call:
    """An honest call, taken apart so that each part can be broken."""

    world: VaultWorld
    name: str
    metas: dict[str, AccountMeta]
    rest: list[AccountMeta]
    arguments: dict[str, Any]
    trailing: bytes = b""
    missing: int = 0
    unsigned: bool = False

    def put(self, role: str, address: Pubkey) -> None:
        old = self.metas[role]
        self.metas[role] = AccountMeta(address, old.is_signer, old.is_writable)

    def edit(self, role: str, where: slice, value: bytes) -> None:
        """Other bytes in the data of the account in this role."""
        address = self.metas[role].pubkey
        account = self.world.svm.get_account(address)
        data = bytearray(account.data)
        data[where] = value
        self.world.svm.set_account(address, Account(account.lamports, bytes(data), account.owner, False, 0))

    def edit_policy(self, name: str, value: int, size: int = 8) -> None:
        at = POLICY_OFFSETS[name]
        self.edit("policy", slice(at, at + size), value.to_bytes(size, "little"))

    def give(self, role: str, owner: Pubkey) -> None:
        """The account in this role is another program's."""
        account = self.world.svm.get_account(self.metas[role].pubkey)
        self.world.svm.set_account(self.metas[role].pubkey, Account(account.lamports, bytes(account.data), owner, False, 0))

    def has_bot(self) -> bool:
        return bool(self.world.svm.get_account(self.metas["vault"].pubkey).data[BOT_TAG])

    def instruction(self) -> Instruction:
        interface = next(each for each in INSTRUCTIONS if each.name == self.name)
        data = interface.discriminator + borsh.encode(interface.arguments, self.arguments) + self.trailing
        metas = [AccountMeta(each.pubkey, each.is_signer and not self.unsigned, each.is_writable) for each in self.metas.values()]
        return Instruction(PROGRAM_ID, data, metas[:-1] if self.missing else [*metas, *self.rest])

    def error(self) -> str | None:
        return self.world.send(self.instruction(), payer=PAYER).error


def call(name: str) -> Call:
    """The call as an honest client makes it, in a world that accepts it."""
    world = WORLDS.get(name, lambda: VaultWorld().with_bot().with_market())()
    world.svm.airdrop(PAYER.pubkey(), 10**12)
    made = CALLS[name](world) if name in CALLS else good(world, name)
    read = instructions.decode(bytes(made.data), [meta.pubkey for meta in made.accounts])
    count = len(read.accounts)
    metas = dict(zip(read.accounts, made.accounts, strict=False))
    return Call(world, name, metas, list(made.accounts[count:]), dict(read.arguments))


def pending_admin(world: VaultWorld) -> VaultWorld:
    world.ok(instructions.update_config(world.admin.pubkey(), pending_admin=world.admin.pubkey()))
    return world


WORLDS: dict[str, Callable[[], VaultWorld]] = {
    "initialize_config": VaultWorld,
    "accept_admin": lambda: pending_admin(VaultWorld().with_config()),
    "grant_bot_authority": lambda: VaultWorld().with_vault(),
    "close_vault": lambda: VaultWorld().with_vault(),
}
CALLS: dict[str, Callable[[VaultWorld], Instruction]] = {
    "burn_nonce": lambda world: instructions.burn_nonce(world.bot.pubkey(), world.owner.pubkey(), world.guard()),
    "set_policy": lambda world: instructions.set_policy(world.owner.pubkey(), spend_per_trade_bps=1, pin=[world.wif]),
}

# How each check is broken

Break = Callable[[Call], None]


def account_breaks(role: str) -> dict[str, Break]:
    return {
        f"{role} owner": lambda c: c.give(role, TOKEN_PROGRAM),
        f"{role} length": lambda c: c.edit(role, slice(4, None), b""),
        f"{role} discriminator": lambda c: c.edit(role, slice(0, 8), b"otherone"),
        f"{role} bytes": lambda c: c.edit(role, slice(10_000, None), b"\0"),
    }


def make_unwritable(c: Call) -> None:
    """Takes the flag from the first account that should have it."""
    role = next(role for role, meta in c.metas.items() if meta.is_writable)
    c.metas[role] = AccountMeta(c.metas[role].pubkey, c.metas[role].is_signer, False)


def deactivate(c: Call) -> None:
    at = BOT + 32 if c.has_bot() else BOT
    c.edit("vault", slice(at, at + 1), b"\0")


def take_bot(c: Call) -> None:
    c.edit("vault", slice(BOT_TAG, BOT + 32), b"\0")
    c.edit("vault", slice(10_000, None), bytes(32))


def give_bot(c: Call) -> None:
    c.edit("vault", slice(BOT_TAG, BOT), b"\x01" + bytes(OTHER))
    c.edit("vault", slice(91, None), b"")


def in_slot_of_grant(c: Call) -> None:
    granted = c.world.read_policy().bot_epoch
    c.edit_policy("bot_epoch", c.world.slot)
    c.arguments["guard"]["bot_epoch"] += c.world.slot - granted


def set_argument(name: str, value: Any) -> Break:
    return lambda c: c.arguments.__setitem__(name, value)


def put(role: str, address: Callable[[VaultWorld], Pubkey] = lambda _: OTHER) -> Break:
    return lambda c: c.put(role, address(c.world))


def route_byte(where: slice, value: bytes) -> Break:
    def break_it(c: Call) -> None:
        data = bytearray(c.arguments["route_data"])
        data[where] = value
        c.arguments["route_data"] = bytes(data)

    return break_it


def fill_slots(c: Call) -> None:
    at = POLICY_OFFSETS["slots"]
    c.edit("policy", slice(at, at + 16 * 56), b"".join(bytes([n + 1]) * 32 + bytes(24) for n in range(16)))


def strangers_token_account(c: Call) -> None:
    c.put("authority", OTHER)
    c.edit("token_account", TOKEN_OWNER, bytes(OTHER))


def config_exists(c: Call) -> None:
    c.world.plant(c.metas["config"].pubkey, bytes(229))


def change_guard(name: str, to: Callable[[int], int]) -> Break:
    return lambda c: c.arguments["guard"].__setitem__(name, to(c.arguments["guard"][name]))


BREAKS: dict[str, Break] = {
    "arguments": lambda c: setattr(c, "trailing", b"\0"),
    "accounts": lambda c: setattr(c, "missing", 1),
    "writable": make_unwritable,
    "signer": lambda c: setattr(c, "unsigned", True),
    **account_breaks("vault"),
    **account_breaks("policy"),
    **account_breaks("config"),
    "policy of vault": lambda c: c.edit("policy", slice(POLICY_OFFSETS["vault"], POLICY_OFFSETS["vault"] + 32), bytes(OTHER)),
    "owner of vault": lambda c: c.edit("vault", VAULT_OWNER, bytes(OTHER)),
    "owner or bot": put("authority", lambda world: world.stranger.pubkey()),
    "active": deactivate,
    "has a bot": take_bot,
    "no bot": give_bot,
    "is the bot": lambda c: c.edit("vault", slice(BOT, BOT + 32), bytes(OTHER)),
    "bot key": put("bot_authority", lambda world: world.trade),
    "vault paused": lambda c: c.edit_policy("paused", 1, 1),
    "program paused": lambda c: c.edit("config", slice(CONFIG_OFFSETS["paused"], CONFIG_OFFSETS["paused"] + 1), b"\x01"),
    "expired": lambda c: c.edit_policy("bot_expires_at", 1),
    "young": in_slot_of_grant,
    "epoch": change_guard("bot_epoch", lambda epoch: epoch + 1),
    "deadline": change_guard("deadline_slot", lambda _: SLOT),
    "nonce": lambda c: c.edit_policy("nonce_base", 10**6),
    "minimum": set_argument("minimum_amount_out", 0),
    "trade authority": put("trade_authority"),
    "token program": put("token_program"),
    "router": put("router_program", lambda _: local_amm.PROGRAM),
    "event authority": put("event_authority"),
    "program": put("program"),
    "same mint": put("output_mint", lambda world: world.usdc),
    "mint program": lambda c: c.give("output_mint", TOKEN_2022_PROGRAM),
    "base leg": lambda c: c.edit("policy", slice(POLICY_OFFSETS["base_mint"], POLICY_OFFSETS["base_mint"] + 32), bytes(OTHER)),
    "token accounts": put("trade_output"),
    "tampered": lambda c: c.edit("vault_token", TOKEN_DELEGATE, b"\x01\0\0\0"),
    "route name": route_byte(slice(0, 8), b"otherone"),
    "route amount": route_byte(slice(8, 9), b"\xee"),
    "route fees": route_byte(slice(26, 27), b"\x01"),
    "route accounts": lambda c: c.rest.__delitem__(slice(9, None)),
    "route slots": lambda c: c.rest.__setitem__(0, AccountMeta(OTHER, False, False)),
    "forbidden": lambda c: c.rest.append(AccountMeta(c.world.owner.pubkey(), False, False)),
    "trade limit": lambda c: c.edit_policy("spend_per_trade", 0),
    "day limit": lambda c: c.edit_policy("spend_per_day", 0),
    "mint listed": lambda c: c.edit_policy("mint_mode", 0, 1),
    "slippage": set_argument("minimum_amount_out", 2**63),
    "system program": put("system_program"),
    "upgrade authority": lambda c: c.world.plant_upgrade_authority(None),
    "config address": put("config"),
    "config is new": config_exists,
    "base mint": lambda c: c.world.plant_mint(c.world.usdc, 9),
    "cap": set_argument("vault_cap", 1_000 * USDC + 1),
    "delay": set_argument("loosening_delay", 1),
    "admin": set_argument("admin", NO_KEY),
    "admin or guardian": put("authority", lambda world: world.stranger.pubkey()),
    "guardian pauses": put("authority", lambda world: world.guardian.pubkey()),
    "routers": set_argument("routers", 255),
    "pending admin": put("authority", lambda world: world.stranger.pubkey()),
    "vault address": put("vault"),
    "policy address": put("policy"),
    "vault is new": lambda c: c.world.plant(c.metas["vault"].pubkey, bytes(91)),
    "amount": set_argument("amount", 0),
    "mint": put("mint"),
    "vault token": put("vault_token"),
    "owner token": put("owner_token"),
    "trade token": put("trade_token"),
    "balance": set_argument("amount", 10**15),
    "token account": put("token_account"),
    "empty": lambda c: c.edit("token_account", TOKEN_AMOUNT, (1).to_bytes(8, "little")),
    "authority": strangers_token_account,
    "pinned mints": lambda c: c.arguments["pin"].insert(0, c.world.usdc),
    "values": set_argument("spend_per_trade_bps", 10_001),
    "free slot": fill_slots,
}
# Where the same check is broken in another way.
OWN_BREAKS: dict[tuple[str, str], Break] = {
    ("bot_trade", "amount"): set_argument("amount_in", 0),
    ("bot_trade", "token program"): put("token_program", lambda _: TOKEN_2022_PROGRAM),
    ("bot_trade", "balance"): lambda c: c.edit("vault_input", TOKEN_AMOUNT, bytes(8)),
    ("deposit", "mint"): put("base_mint", lambda world: world.bonk),
    ("deposit", "cap"): set_argument("amount", 2_000 * USDC),
}

# How a check is broken so that it answers with an error other than its usual one.
OTHER_ERRORS: dict[tuple[str, str], Break] = {
    **{(f"{role} owner", "AccountNotInitialized"): put(role) for role in ("vault", "policy", "config")},
    ("nonce", "NonceTooFar"): change_guard("nonce", lambda _: 512),
    ("nonce", "NonceUsed"): lambda c: c.edit(
        "policy", slice(POLICY_OFFSETS["nonce_bitmap"], POLICY_OFFSETS["spend_per_trade"]), b"\xff" * 32
    ),
    ("token program", "InvalidProgramId"): put("token_program"),
    ("token accounts", "VaultAccountTampered"): lambda c: c.edit("trade_output", TOKEN_DELEGATE, b"\x01\0\0\0"),
    ("route name", "RouteDataMalformed"): set_argument("route_data", b"short"),
    ("mint listed", "NoFreeSlot"): fill_slots,
    ("cap", "MathOverflow"): set_argument("amount", 2**64 - 1),
}


def broken(name: str, *checks: Check) -> str | None:
    """What the chain answers when all of these are broken; the last is broken first, so that it hides none before it."""
    made = call(name)
    for check in reversed(checks):
        OWN_BREAKS.get((name, check.name), BREAKS[check.name])(made)
    return made.error()


@pytest.mark.parametrize("name", CHECKS)
def test_an_honest_call_is_accepted(name: str) -> None:
    assert call(name).error() is None


@pytest.mark.parametrize("name", CHECKS)
def test_every_check_answers_by_itself_and_before_the_next(name: str) -> None:
    checks = [check for check in CHECKS[name] if check.name not in ELSEWHERE]
    alone = [(check.name, broken(name, check)) for check in checks]
    assert alone == [(check.name, check.errors[0]) for check in checks]
    pairs = list(pairwise(checks))
    assert [(f"{one.name}, {two.name}", broken(name, one, two)) for one, two in pairs] == [
        (f"{one.name}, {two.name}", one.errors[0]) for one, two in pairs
    ]


@pytest.mark.parametrize("name", CHECKS)
def test_every_other_error_of_a_check_is_given_too(name: str) -> None:
    others = [(check.name, error) for check in CHECKS[name] for error in check.errors[1:]]
    for check, error in others:
        made = call(name)
        OTHER_ERRORS[check, error](made)
        assert made.error() == error, check


def test_every_instruction_is_listed_with_errors_that_exist() -> None:
    assert set(CHECKS) == {each.name for each in INSTRUCTIONS}
    named = {error for checks in CHECKS.values() for check in checks for error in check.errors}
    assert named <= {error for error, _ in ERRORS} | set(FRAMEWORK_ERRORS.values())


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_is_tested_elsewhere_is(name: str) -> None:
    file, test = ELSEWHERE[name].split("::")
    assert f"def {test}(" in Path(__file__).with_name(file).read_text()
    assert any(check.name == name for checks in CHECKS.values() for check in checks)
