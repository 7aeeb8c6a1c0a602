"""`--as-of`: which slots of a lake may be asked for. Used by performance and trust."""

from xorj.adapters.lake.reader import LakeReader
from xorj.primitives.errors import InvalidInput
from xorj.primitives.ids import Slot


async def asked_slot(reader: LakeReader, as_of: int | None) -> Slot | None:
    """The slot that was asked for, the lake's newest when none was; None of an empty lake.

    Raises InvalidInput for one that the lake has not reached: what comes until then would be missing, and nobody would see it.
    """
    newest = await reader.newest_slot()
    if as_of is not None and newest is not None and as_of > newest:
        raise InvalidInput("--as-of", given=as_of, rule=f"at most {newest}, the newest slot of the lake")
    return newest if as_of is None else Slot(as_of)


def nothing_at(as_of: int | None, lake: object) -> InvalidInput:
    """What to raise where there is no swap at or before the slot."""
    if as_of is None:
        return InvalidInput("lake", given=str(lake), rule="a lake with swaps")
    return InvalidInput("--as-of", given=as_of, rule="a slot at or after the lake's first swap")
