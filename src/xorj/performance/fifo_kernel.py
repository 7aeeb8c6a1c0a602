"""The one loop that no array operation expresses: FIFO matching by (wallet, token). Called by kernel.py alone.

Written so that the same lines run as Python over lists, at once, and compiled by numba over arrays, where compiling pays.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

Series = Any  # a list of floats, or an array of them


def match_lots(starts: Series, quantity: Series, value: Series, lot_quantity: Series, lot_cost: Series, out: Series) -> None:
    """Legs sorted by (wallet, token, order): above zero a purchase, below zero a sale; `starts` marks the first leg of each pair.

    `out` rows, by leg: matched proceeds, cost of what was closed, unmatched proceeds, quantity closed, quantity held after, its cost.
    `lot_quantity` and `lot_cost` are room for the open lots.
    """
    matched, closed_cost, unmatched, closed, held, held_cost = out[0], out[1], out[2], out[3], out[4], out[5]
    head = tail = 0
    quantity_held = cost_held = 0.0
    for leg in range(len(quantity)):
        if starts[leg]:
            head = tail = leg
            quantity_held = cost_held = 0.0
        if quantity[leg] > 0:
            lot_quantity[tail] = quantity[leg]
            lot_cost[tail] = value[leg]
            tail += 1
            quantity_held += quantity[leg]
            cost_held += value[leg]
        else:
            left = sold = -quantity[leg]
            cost = 0.0
            while left > 0 and head < tail:
                if lot_quantity[head] <= left:
                    left -= lot_quantity[head]
                    cost += lot_cost[head]
                    head += 1
                else:
                    share = lot_cost[head] * (left / lot_quantity[head])
                    cost += share
                    lot_cost[head] -= share
                    lot_quantity[head] -= left
                    left = 0.0
            matched[leg] = value[leg] * ((sold - left) / sold)
            unmatched[leg] = value[leg] - matched[leg]
            closed_cost[leg] = cost
            closed[leg] = sold - left
            quantity_held = quantity_held - (sold - left) if head < tail else 0.0
            cost_held = cost_held - cost if head < tail else 0.0
        held[leg] = quantity_held
        held_cost[leg] = cost_held


@cache
def compiled() -> Callable[..., None]:
    """match_lots as machine code, kept on the disk between runs where a folder can be written; costs seconds the first time."""
    from numba import njit

    try:
        fast: Callable[..., None] = njit(cache=True)(match_lots)
    except RuntimeError:  # neither beside this file nor in the user's cache folder is anything kept
        fast = njit()(match_lots)
    return fast
