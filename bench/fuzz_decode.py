"""Spoiled replies against the decoder: fields missing, of other types, huge, of other versions. Nothing may crash, no swap may be wrong.

A swap is wrong when its wallet's own balances do not bear it out, or when its tokens were made out of nothing: over all accounts what some
gained others must have lost. Seeds are made replies and, where ../shared/data is, recorded ones. The same seed gives the same replies.

`./xorj bench fuzz_decode --cases 1000000` is the long run; the test suite makes a few thousand.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import orjson

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.fakes.made_orders import dca_filled, routed, value_average_filled  # noqa: E402
from tests.fakes.made_replies import result_of  # noqa: E402
from tests.fakes.made_swaps import VENUE, mint, wallet  # noqa: E402
from tests.fakes.made_transactions import Made, account, closes, creates, opens, routes, sends_lamports, token_account  # noqa: E402

from xorj.adapters.solana_rpc.transactions import parse_reply  # noqa: E402
from xorj.chain.transactions import ChainTransaction  # noqa: E402
from xorj.primitives.errors import InvalidInput  # noqa: E402
from xorj.primitives.ids import SOL, Address, Wallet  # noqa: E402
from xorj.swaps.decoder import decode, traders  # noqa: E402
from xorj.swaps.movement import movements  # noqa: E402
from xorj.swaps.pool_hops import pool_hops  # noqa: E402
from xorj.swaps.programs import (  # noqa: E402
    JUPITER_DCA,
    JUPITER_LIMIT_V2,
    JUPITER_VALUE_AVERAGE,
    SWAP_PROGRAMS,
    TOKEN_PROGRAM,
    Role,
    discriminator,
)
from xorj.swaps.swap import NotASwap, Swap, Undecodable  # noqa: E402

RECORDED = ROOT.parent / "shared" / "data" / "solana-transactions"
SPOILS_MAX = 4
RECORDED_SHARE = 0.15
Json = Any


@dataclass(slots=True)
class Found:
    """What became of the replies; `crashes` and `wrong` hold the first few, to be looked at."""

    cases: int = 0
    refused: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    crashes: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def seeds() -> tuple[list[bytes], list[bytes]]:
    """Whole replies, made and recorded: routes over several pools, SOL in its forms, orders' fills, events."""
    bonk = token_account("ana", "BONK")
    order = [account(name) for name in ("keeper", "ana", "order's own")]
    order += [token_account("order", "USDC"), bonk, account("taker"), account("fees"), account("x"), Address(mint("BONK"))]
    route, event = routed("ana", [(VENUE, "5 USDC", "1 WIF"), (VENUE, "1 WIF", "5 BONK")])
    made = [
        *routes(4),
        Made().moves("ana", "BONK", None, "5").gains_lamports("ana", -3_039_280).runs(VENUE, opens("ana", "ana", "BONK")).done(),
        Made().moves("ana", "BONK", "5", None).gains_lamports("ana", 3_039_280).runs(VENUE, closes(bonk, "ana")).done(),
        Made().moves("ana", "SOL", "2", "1").moves("ana", "BONK", "0", "5").runs(VENUE).done(),
        Made()
        .moves("ana", "USDC", "5", "0")
        .gains_lamports("ana", 7_000_000)
        .has(account("temporary"))
        .runs(VENUE, creates("ana", account("temporary")), closes(account("temporary"), "ana"))
        .done(),
        Made(payer="ben", also_sign=["ana"])
        .moves("ana", "USDC", "5", "0")
        .gains_lamports("ana", 10**9)
        .gains_lamports("ben", -(10**9))
        .runs(VENUE, sends_lamports("ben", "ana", 10**9))
        .done(),
        _kept().runs(JUPITER_DCA, dca_filled("cleo", "order", "5 USDC", "4 BONK", "1 BONK")).done(),
        _kept().runs(JUPITER_VALUE_AVERAGE, value_average_filled("ana", "5 USDC", "4 BONK")).done(),
        _kept().runs(JUPITER_LIMIT_V2, accounts=order, data=discriminator("flash_fill_order")).done(),
        Made()
        .moves("ana", "USDC", "5", "0")
        .moves("ana", "BONK", "0", "5")
        .runs(route.program, event, accounts=route.accounts, data=route.data)
        .done(),
    ]
    recorded = [file.read_bytes() for file in sorted(RECORDED.glob("*.json"))]
    return [orjson.dumps({"result": result_of(one, parsed=parsed)}) for one in made for parsed in (False, True)], recorded


def _kept() -> Made:
    """An order's escrow before and after a keeper's fill, and what came of it to ana."""
    return Made(payer="keeper").moves("order", "USDC", "5", "0").moves("order", "BONK", "0", "1").moves("ana", "BONK", "0", "4")


def spoil(reply: bytes, random: Random) -> bytes:
    """One to a few changes at places drawn anywhere in the reply, numbers of balances more often than their share; some are cut short."""
    spoiled = orjson.loads(reply)
    for _ in range(random.randint(1, SPOILS_MAX)):
        path = _place(spoiled, random)
        if path:
            parent = spoiled
            for key in path[:-1]:
                parent = parent[key]
            _SPOILERS[random.randrange(len(_SPOILERS))](parent, path[-1], random)
    try:
        content = orjson.dumps(spoiled)
    except TypeError:
        content = json.dumps(spoiled).encode()
    return content if random.random() < 0.97 else content[: random.randrange(len(content))]


def _place(value: Json, random: Random) -> list[Any]:
    """A walk down the reply that may stop at every step."""
    path: list[Any] = []
    while isinstance(value, dict | list) and value:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        # balances are where a wrong swap would come from
        held = [key for key in keys if isinstance(key, str) and "alances" in key]
        key = random.choice(held) if held and random.random() < 0.5 else random.choice(list(keys))
        path.append(key)
        value = value[key]
        if random.random() < 0.12:
            break
    return path


def _remove(parent: Json, key: Any, _: Random) -> None:
    del parent[key]


def _repeat(parent: Json, key: Any, _: Random) -> None:
    if isinstance(parent, list):
        parent.insert(key, parent[key])


def _swap_with_another(parent: Json, key: Any, random: Random) -> None:
    keys = list(parent) if isinstance(parent, dict) else list(range(len(parent)))
    other = random.choice(keys)
    parent[key], parent[other] = parent[other], parent[key]


def _junk(parent: Json, key: Any, random: Random) -> None:
    parent[key] = random.choice(_JUNK)(random)


def _nudge(parent: Json, key: Any, random: Random) -> None:
    """A number that is a little or a lot off, in the form in which it stood."""
    value, by = parent[key], random.choice([1, -1, 7, 10**6, -(10**9), 2**63])
    if isinstance(value, bool):
        parent[key] = not value
    elif isinstance(value, int):
        parent[key] = value + by
    elif isinstance(value, str) and value.isascii() and value.isdigit():
        parent[key] = str(int(value) + by)
    elif isinstance(value, str) and value:
        at = random.randrange(len(value))
        parent[key] = value[:at] + random.choice("0123456789abcXYZ1l") + value[at + 1 :]


_SPOILERS: list[Callable[[Json, Any, Random], None]] = [_remove, _repeat, _swap_with_another, _junk, _junk, _nudge, _nudge, _nudge]
_JUNK: list[Callable[[Random], Json]] = [
    lambda _: None,
    lambda random: random.random() < 0.5,
    lambda random: random.randint(-5, 300),
    lambda random: random.choice([2**63, 2**64 - 1, 2**64, 10**40, -(2**63), 10**18]),
    lambda random: random.choice(
        ["", "5", "-5", "1e9", "18446744073709551616", "9" * 40, "legacy", "é", SOL, wallet("ana"), wallet("cleo")]
    ),
    lambda random: random.choice([*SWAP_PROGRAMS, TOKEN_PROGRAM]),
    lambda random: random.choice([1.5, 0.0, -1e300]),
    lambda random: [random.randint(0, 5) for _ in range(random.randint(0, 3))],
    lambda _: {},
    lambda _: {"amount": "7", "decimals": 300, "pubkey": wallet("ben"), "type": "transfer", "info": {}},
]


def fuzz(cases: int, seed: int, told: Callable[[Found], None] | None = None) -> Found:
    """`cases` spoiled replies of `seed`; `told` hears of it now and then."""
    random, found, (made, recorded) = Random(seed), Found(), seeds()
    for number in range(cases):
        # recorded ones are ten times as large, and take ten times as long
        from_chain = bool(recorded) and random.random() < RECORDED_SHARE
        _try(spoil(random.choice(recorded if from_chain else made), random), found)
        if told is not None and number % 10_000 == 0:
            told(found)
    return found


def _try(content: bytes, found: Found) -> None:
    found.cases += 1
    try:
        transaction = parse_reply(content)
    except InvalidInput:
        found.refused += 1
        return
    except Exception as error:  # noqa: BLE001
        found.crashes.append(f"parse {type(error).__name__}: {error}: {content[:2_000]!r}")
        return
    try:
        for who in _asked(transaction):
            _check(transaction, who, found, content)
    except Exception as error:  # noqa: BLE001
        found.crashes.append(f"decode {type(error).__name__}: {error}: {content[:2_000]!r}")


def _asked(transaction: ChainTransaction) -> Iterator[Wallet]:
    yield from traders(transaction)
    yield Wallet("11111111111111111111111111111111")


def _check(transaction: ChainTransaction, who: Wallet, found: Found, content: bytes) -> None:
    outcome = decode(transaction, who)
    movements(transaction, who, outcome)
    pool_hops(transaction, who)
    if isinstance(outcome, NotASwap):
        found.outcomes["not_a_swap"] += 1
    elif isinstance(outcome, Undecodable):
        found.outcomes["undecodable"] += 1
    else:
        found.outcomes["swap"] += 1
        fault = fault_of(transaction, outcome)
        if fault is not None:
            found.wrong.append(f"{fault}: {outcome}: {content!r}")


def fault_of(transaction: ChainTransaction, swaps: tuple[Swap, ...]) -> str | None:
    """Why these swaps of one wallet cannot have happened, None when nothing speaks against them."""
    for token in {leg.mint for swap in swaps for leg in (swap.input, swap.output)}:
        if not _conserved(transaction, token):
            return f"{token} was made out of nothing"
    ran = {one.program for _, one in _all(transaction)}
    if any(program in ran and row.role is Role.ORDERS for program, row in SWAP_PROGRAMS.items()):
        return None  # what an order gave was its escrow's, not the wallet's
    traded: Counter[str] = Counter()
    for swap in swaps:
        traded[swap.output.mint] += swap.output.raw
        traded[swap.input.mint] -= swap.input.raw
    return next((f"{token} is not what changed" for token in traded if not _borne_out(transaction, swaps[0], token, traded[token])), None)


def _all(transaction: ChainTransaction) -> Iterator[tuple[int, Any]]:
    yield from enumerate(transaction.instructions)
    for group in transaction.inner_instructions:
        yield from ((group.index, one) for one in group.instructions)


def _conserved(transaction: ChainTransaction, token: str) -> bool:
    """Straight from the rows. Tokens that the transaction mints or burns, and those that may withhold a fee, are not asked."""
    if token == SOL:
        return sum(transaction.pre_balances) == sum(transaction.post_balances) + transaction.fee_lamports
    sides = ((-1, transaction.pre_token_balances), (1, transaction.post_token_balances))
    rows = [(sign, row) for sign, held in sides for row in held if row.mint == token]
    supply_changed = any(token in one.accounts[:2] and one.data[:1] in (b"\x07", b"\x08", b"\x0e", b"\x0f") for _, one in _all(transaction))
    withholds = any(row.program not in (None, TOKEN_PROGRAM) for _, row in rows)
    return supply_changed or withholds or sum(sign * row.amount_raw for sign, row in rows) == 0


def _borne_out(transaction: ChainTransaction, swap: Swap, token: str, traded: int) -> bool:
    told = {row.account_index: row.owner for row in (*transaction.pre_token_balances, *transaction.post_token_balances) if row.owner}
    sides = ((-1, transaction.pre_token_balances), (1, transaction.post_token_balances))
    if any(row.owner is None and row.account_index not in told for _, held in sides for row in held):
        return True  # whose an account is may then be told by an instruction, which is not read here
    change = sum(
        sign * row.amount_raw
        for sign, held in sides
        for row in held
        if row.mint == token and (row.owner or told.get(row.account_index)) == swap.wallet
    )
    if token != SOL:
        return change == traded
    if Address(swap.wallet) in transaction.account_keys:
        at = transaction.account_keys.index(Address(swap.wallet))
        change += transaction.post_balances[at] - transaction.pre_balances[at] + (transaction.fee_lamports if at == 0 else 0)
    # rent and tips are told apart by instructions, which the balances bound: what accounts that came or went held, or were made with
    ends = zip(transaction.pre_balances, transaction.post_balances, strict=True)
    rent = sum(before + after for before, after in ends if (before == 0) != (after == 0))
    made = sum(int.from_bytes(one.data[4:12], "little") for _, one in _all(transaction) if one.data[:4] in (bytes(4), b"\x02\0\0\0"))
    return abs(change - traded) <= rent + made


def main(arguments: list[str]) -> int:
    """Prints what became of the replies; 1 when anything crashed or a swap was wrong."""
    parser = argparse.ArgumentParser(prog="xorj bench fuzz_decode")
    parser.add_argument("--cases", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    began = time.perf_counter()

    def told(found: Found) -> None:
        if sys.stderr.isatty():
            print(f"\r{found.cases:,} of {given.cases:,}, {len(found.crashes)} crashes, {len(found.wrong)} wrong", end="", file=sys.stderr)

    found = fuzz(given.cases, given.seed, told)
    figures = {
        "cases": found.cases,
        "seed": given.seed,
        "refused": found.refused,
        "outcomes": dict(found.outcomes),
        "crashes": len(found.crashes),
        "wrong_swaps": len(found.wrong),
        "seconds": round(time.perf_counter() - began, 1),
    }
    print(json.dumps(figures | {"first_crash": found.crashes[:1], "first_wrong": found.wrong[:1]}) if given.json else f"\n{figures}")
    for text in (*found.crashes[:3], *found.wrong[:3]) if not given.json else ():
        print(text[:3_000])
    return 1 if found.crashes or found.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
