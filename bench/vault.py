"""Compute units and size of the vault program, in the real runtime, beside what the same transfer costs without a vault.

Units are those that the program itself consumed, calls to other programs included. initialize_vault searches three addresses, at
1,500 units an attempt, which depend on the owner's key: they are counted apart. The overhead of a trade is what is left when the
router's own units are taken away.
"""

import argparse
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CEILINGS = {
    "initialize_vault": 6_000,
    "deposit": 6_000,
    "withdraw": 6_000,
    "bot_trade_overhead_buy": 20_000,
    "bot_trade_overhead_sell": 20_000,
    "size_bytes": 40_000,
    "largest_route_bytes": 1_232,
    "largest_route_locks": 64,
}
OTHERS_CEILING = 2_500
SEARCH_ATTEMPT_UNITS = 1_500
TRANSFER = b"\x03"
USDC = 1_000_000


def consumed(logs: list[str], program: object) -> int:
    """Units of the program's first invocation, the outermost one first."""
    line = re.compile(rf"^Program {program} consumed (\d+) of \d+ compute units$")
    found = [int(match[1]) for match in map(line.match, logs) if match]
    return found[-1]


def measure() -> dict[str, int]:
    """Every instruction of a vault's life once, on a fresh chain."""
    sys.path.insert(0, str(ROOT))
    from solders.instruction import AccountMeta, Instruction
    from tests.program.program_files import program
    from tests.program.vault_world import VaultWorld

    from xorj.router import jupiter_v6
    from xorj.vault import accounts, instructions

    world = VaultWorld().with_config().with_market()
    owner, bot = world.owner.pubkey(), world.bot.pubkey()
    figures: dict[str, int] = {}

    def run(name: str, instruction: Instruction) -> list[str]:
        logs = world.ok(instruction).logs
        figures[name] = consumed(logs, accounts.PROGRAM_ID)
        return logs

    run("initialize_vault", instructions.initialize_vault(owner))
    policy = world.read_policy()
    bumps = (world.read_vault().bump, policy.bump, policy.trade_authority_bump)
    figures["address_search"] = sum(256 - bump for bump in bumps) * SEARCH_ATTEMPT_UNITS
    figures["initialize_vault"] -= figures["address_search"]
    for mint in (world.usdc, world.bonk, world.wif):
        for holder in (owner, world.vault, world.trade):
            world.hold(holder, mint, 0)
    source = world.hold(owner, world.usdc, 10_000 * USDC)
    destination = world.hold(world.stranger.pubkey(), world.usdc, 0)
    metas = [AccountMeta(source, False, True), AccountMeta(destination, False, True), AccountMeta(owner, True, False)]
    bare = world.ok(Instruction(accounts.TOKEN_PROGRAM, TRANSFER + USDC.to_bytes(8, "little"), metas))
    figures["bare_token_transfer"] = consumed(bare.logs, accounts.TOKEN_PROGRAM)
    run("deposit", instructions.deposit(owner, world.usdc, 500 * USDC))
    run("withdraw", instructions.withdraw(owner, world.usdc, USDC))
    run("set_policy", instructions.set_policy(owner, **every_limit(world.now), mint_mode=accounts.ANY_MINT))
    run("grant_bot_authority", instructions.grant_bot_authority(owner, bot))
    world.later()
    for name, trade in (("buy", world.buy(40 * USDC)), ("sell", world.sell(20 * USDC))):
        logs = run(f"bot_trade_{name}", trade)
        figures[f"bot_trade_overhead_{name}"] = figures[f"bot_trade_{name}"] - consumed(logs, jupiter_v6.PROGRAM)
    run("burn_nonce", instructions.burn_nonce(bot, owner, world.guard()))
    run("pause_vault", instructions.pause_vault(bot, owner))
    run("resume_vault", instructions.resume_vault(owner))
    run("revoke_bot_authority", instructions.revoke_bot_authority(owner))
    run("deactivate_vault", instructions.deactivate_vault(owner))
    run("close_token_account", instructions.close_token_account(owner, world.wif))
    run("close_vault", instructions.close_vault(owner))
    figures["size_bytes"] = len(program("xorj_vault"))
    return figures | largest_route()


def largest_route() -> dict[str, int]:
    """Bytes and account locks of a trade by the shared route: two hops, 40 accounts of the router, three lookup tables."""
    from tests.program.largest_route import TwoHops

    world = TwoHops()
    trade = world.trade_through(40)
    world.lays_out_tables(trade[-1])
    size, locks = world.measured(trade)
    return {"largest_route_bytes": size, "largest_route_locks": locks}


def every_limit(now: int) -> dict[str, int]:
    """All of them given at once, which costs the most."""
    amounts = dict.fromkeys(("spend_per_trade", "spend_per_day", "loss_per_day"), 300 * USDC)
    shares = dict.fromkeys(("spend_per_trade_bps", "spend_per_day_bps", "loss_per_day_bps"), 9_000)
    return amounts | shares | {"bot_expires_at": now + 3_600}


def ceiling_of(name: str) -> int | None:
    """The most that is allowed, None for what is only told."""
    if name in ("address_search", "bare_token_transfer", "bot_trade_buy", "bot_trade_sell"):
        return None
    return CEILINGS.get(name, OTHERS_CEILING)


def main(argv: list[str]) -> int:
    """0 when every ceiling was held, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="xorj bench vault", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args(argv)
    figures = measure()
    above = [name for name, value in figures.items() if value > (ceiling_of(name) or value)]
    if chosen.json:
        print(json.dumps(figures | {"ok": not above}))
    else:
        for name, value in figures.items():
            most = ceiling_of(name)
            print(f"{name:28}{value:>8,}" + (f"  (at most {most:,})" if most else ""))
    return int(bool(above))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
