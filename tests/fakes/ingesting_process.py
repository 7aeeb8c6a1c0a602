"""A process that ingests a made history into a lake, and starts again as often as it is told to. `python -m tests.fakes.ingesting_process`.

It says 0 when it is ready. Each line it reads is a lake's folder: a fork of it ingests there; its process id is said, and how it ended:
0, or COLLIDED when another ingester had committed before it at some time, after which it read again, as the quant engine does.
The fork is made before anything was used that does not survive one, and spares each start the imports.
"""

import asyncio
import os
import random
import sys
from collections.abc import Sequence
from itertools import repeat
from pathlib import Path

from tests.fakes.chain_history import ChainHistory
from tests.fakes.made_swaps import VENUE, wallet
from tests.fakes.made_transactions import Made, swap_transaction

from xorj.adapters.lake.delta_lake import DeltaLake
from xorj.chain.transactions import ChainTransaction
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import LOCAL_GENESIS
from xorj.swaps.ingest_swaps import Sources, ingest_swaps

PASSES = 30
SLOTS_PER_PASS = 5
COMMITS_PER_COMPACTION = 4
COLLIDED = 10
TURNS_AT_THE_END_MAX = 20
NAMES = ("ana", "ben", "cem", "dora", "emil")
SOURCES = Sources(venues=(VENUE,), watched=frozenset(map(wallet, NAMES[:2])))


def history() -> list[ChainTransaction]:
    """Several transactions in most slots, swaps and transfers; each wallet's last is a swap, or nobody would read it."""
    choose, made = random.Random(5), []
    for slot in range(1, PASSES * SLOTS_PER_PASS + 1):
        for index in range(choose.randrange(4)):
            who = choose.choice(NAMES)
            made.append(choose.choice((_buys, _buys, _sells, _gives))(who, slot, index))
    last = PASSES * SLOTS_PER_PASS
    return made + [_sells(who, last, 3 + at) for at, who in enumerate(NAMES)]


def _buys(who: str, slot: int, index: int) -> ChainTransaction:
    return swap_transaction(who, "9 USDC", "1 SOL", slot=slot, index=index)


def _sells(who: str, slot: int, index: int) -> ChainTransaction:
    return swap_transaction(who, "1 SOL", "9 USDC", slot=slot, index=index)


def _gives(who: str, slot: int, index: int) -> ChainTransaction:
    return Made(payer=who, slot=slot, index=index).gains_lamports("somebody", 5).done()


async def ingest_all(folder: Path, transactions: Sequence[ChainTransaction]) -> int:
    """Pass after pass of a chain that grows, from where the lake ends: a chain does not go back while nobody looks.

    Says how often another ingester was in the way.
    """
    collisions = 0
    lake, reader = DeltaLake(folder, LOCAL_GENESIS, commits_per_compaction=COMMITS_PER_COMPACTION), ChainHistory()
    read, last = await lake.venue_cursor(VENUE) or 0, PASSES * SLOTS_PER_PASS
    # the whole chain several times: who was in another's way, or behind it, catches up
    for end in (*range(SLOTS_PER_PASS, last, SLOTS_PER_PASS), *repeat(last, TURNS_AT_THE_END_MAX)):
        reader.add(*(one for one in transactions if one.slot <= end))
        if end <= read and end < last:
            continue
        try:
            await ingest_swaps(SOURCES, reader, lake)
        except Unavailable as error:
            collisions += "lake" in str(error)
            continue
        if end == last:
            return collisions
    raise AssertionError("ingestion never came to its end")


def main() -> None:
    transactions = history()
    _say(0)
    for line in sys.stdin:
        ingesting = os.fork()
        if ingesting == 0:
            collisions = asyncio.run(ingest_all(Path(line.strip()), transactions))
            os._exit(COLLIDED if collisions else 0)
        _say(ingesting)
        _say(os.waitstatus_to_exitcode(os.waitpid(ingesting, 0)[1]))


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
