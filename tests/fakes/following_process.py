"""A process whose books follow a lake that it fills: `python -m tests.fakes.following_process FOLDER`. It goes on where the lake ends.

It commits a slot, ranks by it, puts its books away, and says which slot that was; for ever, until it is killed.
"""

import asyncio
import random
import sys
from pathlib import Path

from tests.fakes.made_swaps import swapped

from xorj.adapters.lake.book_file import BookFile
from xorj.adapters.lake.delta_lake import DeltaLake
from xorj.performance.follow_performance import FollowedLake
from xorj.primitives.ids import LOCAL_GENESIS
from xorj.swaps.record import Record

NAMES = ("ana", "ben", "cem")


def followed(folder: Path) -> FollowedLake:
    return FollowedLake(DeltaLake(folder / "lake", LOCAL_GENESIS), BookFile(folder / "books.snapshot"))


def records(slot: int) -> list[Record]:
    """The same for a slot every time."""
    choose = random.Random(slot)
    given, got = choose.choice((("40 USDC", "1 SOL"), ("1 SOL", "55 USDC"), ("1 SOL", "9 BONK"), ("4 BONK", "1 SOL")))
    return [swapped(choose.choice(NAMES), given, got, slot=slot)]


async def follow(folder: Path) -> None:
    lake = followed(folder)
    slot = (await lake.newest_slot() or 0) + 1
    while True:
        await lake.commit(records(slot), {})
        await lake.fresh(marked_max=1)
        await lake.keep()
        sys.stdout.write(f"{slot}\n")
        sys.stdout.flush()
        slot += 1


if __name__ == "__main__":
    asyncio.run(follow(Path(sys.argv[1])))
