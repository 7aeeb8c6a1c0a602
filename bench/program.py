"""Compute units and size of the vault program, in the real runtime, beside what the same transfer costs without a vault.

Units are those that the program itself consumed, calls to other programs included. Where an instruction searches addresses, which takes
the runtime's units for each bump it tries and so depends on the owner's key, they are counted apart. The overhead of a trade is what is
left when the router's own units are taken away in the same run; the runtime logs what was left at the beginning of every call, so that
it can be told stage by stage, beside what the
runtime itself takes for a call.
"""

import argparse
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from xorj.router import jupiter_v6
from xorj.vault import accounts, instructions
from xorj.vault.interface import POSITION_SLOTS

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.program.good_calls import NAMES, good, ready_for  # noqa: E402  # the checkout has just been put on the path
from tests.program.largest_route import TwoHops  # noqa: E402
from tests.program.program_files import program  # noqa: E402
from tests.program.vault_world import DAY, VaultWorld, key  # noqa: E402

# The runtime's own prices.
SEARCH_ATTEMPT_UNITS = 1_500
CALL_UNITS = 946
SYSTEM_CALL_UNITS = 150
MOVING_MONEY_UNITS_MAX = 6_000
OTHERS_UNITS_MAX = 2_500
OVERHEAD_UNITS_MAX = 20_000
SIZE_BYTES_MAX = 40_000
PACKET_BYTES_MAX = 1_232
LOCKS_MAX = 64
MOVING_MONEY = ("initialize_vault", "deposit", "withdraw")
TRANSFER = b"\x03"
USDC = 1_000_000
STAGES = (
    "arguments, accounts, guard, mints, route and budgets; a call moves amount_in to the trade account",
    "hands the router its accounts, in a call",
    "compares the trade authority's accounts; a call sweeps what arrived",
    "measures, books and logs; a call to itself tells it for certain",
)


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, and the most that is allowed; None for what is only told."""

    value: int
    most: int | None = None

    @property
    def is_held(self) -> bool:
        return self.most is None or self.value <= self.most


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a trade: the vault's own units, the runtime's fee for the call that ends it, and what the callee took."""

    what: str
    own: int
    fee: int
    called: int


def consumed(logs: list[str], program_id: Pubkey) -> int:
    """Units of the program's outermost invocation, whose line comes last."""
    return _consumptions(logs, program_id)[-1][0]


def _consumptions(logs: list[str], program_id: Pubkey) -> list[tuple[int, int]]:
    """What each invocation of a program consumed, and what was left when it began."""
    line = re.compile(rf"^Program {program_id} consumed (\d+) of (\d+) compute units$")
    return [(int(match[1]), int(match[2])) for match in map(line.match, logs) if match]


def measured_instruction(name: str) -> tuple[int, int]:
    """Units of an honest call, and how many of them went into searching addresses."""
    world = ready_for(name)
    logs = world.ok(good(world, name)).logs
    return consumed(logs, accounts.PROGRAM_ID), searched(name, world)


def recovered() -> dict[str, Figure]:
    """recover_trade_account of tokens alone, and of all that it can meet: a delegate, tokens and lamports, which takes three calls."""
    world = VaultWorld().with_bot()
    world.hold(world.trade, world.usdc, 5)
    owner = world.owner.pubkey()
    tokens = consumed(world.ok(instructions.recover_trade_account(owner, world.usdc)).logs, accounts.PROGRAM_ID)
    world.hold(world.trade, world.usdc, 5, delegate=world.stranger.pubkey())
    world.svm.airdrop(world.trade, 10**9)
    logs = world.ok(instructions.recover_trade_account(owner, world.usdc)).logs
    everything = consumed(logs, accounts.PROGRAM_ID)
    in_searches = searched("recover_trade_account", world)
    # The system program is the runtime's own and logs no units.
    called = sum(took for took, _ in _calls(logs)) + SYSTEM_CALL_UNITS
    called += CALL_UNITS * sum(line.endswith(" invoke [2]") for line in logs)
    return {
        "recover_trade_account": Figure(tokens - in_searches, OTHERS_UNITS_MAX),
        "recover_trade_account with its search": Figure(tokens),
        "recover_trade_account, three calls": Figure(everything - in_searches),
        "recover_trade_account, over its three calls": Figure(everything - in_searches - called, OTHERS_UNITS_MAX),
    }


def searched(name: str, world: VaultWorld) -> int:
    """Units for the addresses that an instruction searches: every bump from 255 down to the one that it finds."""
    owner = world.stranger.pubkey() if name == "initialize_vault" else world.owner.pubkey()
    vault = accounts.vault_address(owner)
    vault_seeds, policy_seeds, trade_seeds = [b"vault", bytes(owner)], [b"policy", bytes(vault)], [b"trade", bytes(vault)]
    own = {
        "initialize_config": [[b"config"]],
        "initialize_vault": [vault_seeds, policy_seeds, trade_seeds],
        "recover_trade_account": [trade_seeds],
    }.get(name, [])
    bumps = [Pubkey.find_program_address(seeds, accounts.PROGRAM_ID)[1] for seeds in own]
    if name == "initialize_config":
        bumps.append(Pubkey.find_program_address([bytes(accounts.PROGRAM_ID)], instructions.UPGRADEABLE_LOADER)[1])
    return sum(256 - bump for bump in bumps) * SEARCH_ATTEMPT_UNITS


def trade_figures() -> tuple[dict[str, Figure], dict[str, list[Stage]]]:
    """A buy and a sale: units, overhead, and where it goes."""
    world = VaultWorld().with_bot().with_market()
    figures: dict[str, Figure] = {}
    stages: dict[str, list[Stage]] = {}
    for name, trade in (("buy", world.buy(40 * USDC)), ("sell", world.sell(20 * USDC))):
        logs = world.ok(trade).logs
        units = consumed(logs, accounts.PROGRAM_ID)
        figures[f"bot_trade {name}"] = Figure(units)
        figures[f"bot_trade {name} over the router"] = Figure(units - consumed(logs, jupiter_v6.PROGRAM), OVERHEAD_UNITS_MAX)
        stages[name] = staged(logs)
    return figures, stages


def staged(logs: list[str]) -> list[Stage]:
    """The calls of a trade in turn, from what was left when each began and what it took."""
    total, start = _consumptions(logs, accounts.PROGRAM_ID)[-1]
    calls = _calls(logs)
    left, stages = start, []
    for what, (took, began_with) in zip(STAGES, calls, strict=True):
        stages.append(Stage(what, left - began_with - CALL_UNITS, CALL_UNITS, took))
        left = began_with - took
    return [*stages, Stage("ends", left - (start - total), 0, 0)]


def _calls(logs: list[str]) -> list[tuple[int, int]]:
    """The calls that the instruction itself makes: consumed and left at the beginning, of those that were invoked at height 2."""
    calls, heights = [], []
    for line in logs:
        if invoked := re.match(r"^Program (\w+) invoke \[(\d+)\]$", line):
            heights.append(int(invoked[2]))
        elif done := re.match(r"^Program \w+ consumed (\d+) of (\d+) compute units$", line):
            if heights[-1] == 2:
                calls.append((int(done[1]), int(done[2])))
        elif re.match(r"^Program \w+ success$", line):
            heights.pop()
    return calls


def policy_figures() -> dict[str, Figure]:
    """set_policy by what it is given; before the first grant, and when everything that was pending has matured."""
    mints = [key(f"listed {n}").pubkey() for n in range(POSITION_SLOTS + POSITION_SLOTS // 2)]

    def units(world: VaultWorld, **changes: object) -> int:
        made = instructions.set_policy(world.owner.pubkey(), **changes)  # type: ignore[arg-type]  # a table of keyword arguments
        return consumed(world.ok(made).logs, accounts.PROGRAM_ID)

    def matured() -> VaultWorld:
        world = VaultWorld().with_vault()
        world.ok(instructions.grant_bot_authority(world.owner.pubkey(), world.bot.pubkey()))
        units(world, **every_limit(world.now, 1))
        world.later(seconds=DAY)
        return world

    def listed() -> VaultWorld:
        world = VaultWorld().with_vault()
        units(world, pin=mints[:POSITION_SLOTS])
        return world

    world, half = matured(), POSITION_SLOTS // 2
    nothing = units(VaultWorld().with_vault())
    pins_all = units(VaultWorld().with_vault(), pin=mints[:POSITION_SLOTS])
    return {
        "set_policy nothing": Figure(nothing, OTHERS_UNITS_MAX),
        "set_policy all eight limits": Figure(units(VaultWorld().with_vault(), **every_limit(NOW_AFTER, 0)), OTHERS_UNITS_MAX),
        "set_policy all eight, eight matured": Figure(units(world, **every_limit(world.now, 2)), OTHERS_UNITS_MAX),
        "set_policy pins 16": Figure(pins_all, OTHERS_UNITS_MAX),
        "set_policy pins 16 that are listed": Figure(units(listed(), pin=mints[:POSITION_SLOTS]), OTHERS_UNITS_MAX),
        "set_policy unpins 16": Figure(units(listed(), unpin=mints[:POSITION_SLOTS]), OTHERS_UNITS_MAX),
        "set_policy a mint more": Figure((pins_all - nothing) // POSITION_SLOTS),
        "set_policy pins 8, unpins 8": Figure(units(listed(), pin=mints[POSITION_SLOTS:], unpin=mints[:half])),
    }


NOW_AFTER = 2_000_000_000


def every_limit(now: int, step: int) -> dict[str, int]:
    """All of them given at once, looser by each step."""
    amounts = dict.fromkeys(("spend_per_trade", "spend_per_day", "loss_per_day"), 600 * USDC + step)
    shares = dict.fromkeys(("spend_per_trade_bps", "spend_per_day_bps", "loss_per_day_bps"), 9_000 + step)
    return amounts | shares | {"bot_expires_at": now + 365 * DAY, "mint_mode": accounts.ANY_MINT}


def bare_transfer() -> int:
    """The same transfer without a vault."""
    world = VaultWorld()
    owner = world.owner.pubkey()
    source = world.hold(owner, world.usdc, 10 * USDC)
    destination = world.hold(world.stranger.pubkey(), world.usdc, 0)
    metas = [AccountMeta(source, False, True), AccountMeta(destination, False, True), AccountMeta(owner, True, False)]
    done = world.ok(Instruction(accounts.TOKEN_PROGRAM, TRANSFER + USDC.to_bytes(8, "little"), metas))
    return consumed(done.logs, accounts.TOKEN_PROGRAM)


def largest_route() -> dict[str, Figure]:
    """Bytes and account locks of a trade by the shared route: two hops, 40 accounts of the router, three lookup tables."""
    world = TwoHops()
    trade = world.trade_through(40)
    world.lays_out_tables(trade[-1])
    size, locks = world.measured(trade)
    return {"largest route bytes": Figure(size, PACKET_BYTES_MAX), "largest route locks": Figure(locks, LOCKS_MAX)}


def measure() -> tuple[dict[str, Figure], dict[str, list[Stage]]]:
    """Every figure by its name, and the stages of a buy and of a sale."""
    figures: dict[str, Figure] = {}
    for name in NAMES:
        if name in ("bot_trade", "recover_trade_account", "set_policy"):
            continue
        units, in_searches = measured_instruction(name)
        most = MOVING_MONEY_UNITS_MAX if name in MOVING_MONEY else OTHERS_UNITS_MAX
        figures[name] = Figure(units - in_searches, most)
        if in_searches:
            figures[f"{name} with its searches"] = Figure(units)
    trades, stages = trade_figures()
    figures |= recovered() | policy_figures() | trades | largest_route()
    figures["transfer without a vault"] = Figure(bare_transfer())
    figures["size bytes"] = Figure(len(program("xorj_vault")), SIZE_BYTES_MAX)
    return figures, stages


def report(figures: Mapping[str, Figure], stages: Mapping[str, list[Stage]]) -> str:
    """For people."""
    lines = []
    for name, figure in figures.items():
        said = "" if figure.most is None else f"  (at most {figure.most:,}{'' if figure.is_held else ', NOT HELD'})"
        lines.append(f"{name:40}{figure.value:>8,}{said}")
    for name, parts in stages.items():
        lines.append(f"\nwhere a {name} goes: the vault's own units, the runtime's for the call, the callee's")
        lines += [f"{part.own:>8,}{part.fee:>8,}{part.called:>8,}  {part.what}" for part in parts]
        lines.append(f"{sum(p.own for p in parts):>8,}{sum(p.fee for p in parts):>8,}{sum(p.called for p in parts):>8,}  together")
    return "\n".join(lines)


def main(argv: list[str]) -> int:
    """0 when everything that is allowed at most something was held, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="xorj bench program", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args(argv)
    figures, stages = measure()
    is_held = all(figure.is_held for figure in figures.values())
    if chosen.json:
        values = {name: {"value": figure.value, "at_most": figure.most} for name, figure in figures.items()}
        parts = {name: [{"what": p.what, "own": p.own, "fee": p.fee, "called": p.called} for p in each] for name, each in stages.items()}
        print(json.dumps({"figures": values, "stages": parts, "ok": is_held}))
    else:
        print(report(figures, stages))
    return int(not is_held)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
