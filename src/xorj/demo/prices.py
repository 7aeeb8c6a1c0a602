"""The demo market's prices: a walk with bull, bear and chop spells, the same to the bit for the same seed. Pure; integers only.

    price[t+1] = price[t] * (1 + r / 10^6),  r = spell drift * beta + own noise + pull to the base price (+ a jump and its decay)

A step is STEP_SECONDS of market time. The walk is made chunk by chunk, each from its own generator, so that live trading goes on
where the history ends and any step can be reached again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from xorj.demo.tokens import DemoToken, Temper

STEP_SECONDS = 1_800
STEPS_PER_DAY = 86_400 // STEP_SECONDS
CHUNK_STEPS = 10 * STEPS_PER_DAY
PPM = 1_000_000
_SPELL_DAYS_LEAST, _SPELL_DAYS_MOST = 3, 9
_JUMPS_PER_CHUNK = 2
_JUMP_PPM_LEAST, _JUMP_PPM_MOST = 250_000, 700_000
_DECAY_STEPS = STEPS_PER_DAY
_UNIFORMS = 12  # a sum of twelve uniform draws stands for a normal one: exact in integers, on every machine


class Spell(StrEnum):
    """What the whole market does for some days."""

    BULL = "bull"
    BEAR = "bear"
    CHOP = "chop"


_SPELL_DRIFT_PPM = {Spell.BULL: 450, Spell.BEAR: -450, Spell.CHOP: 0}
_NOISE_PPM = {Temper.MAJOR: 6_000, Temper.VOLATILE: 11_000, Temper.LAUNCH: 7_000, Temper.THIN: 1_500}
_BETA_PERCENT = {Temper.MAJOR: 100, Temper.VOLATILE: 170, Temper.LAUNCH: 60, Temper.THIN: 10}
# a price twice its base is pulled back by this much a step
_PULL_PPM = {Temper.MAJOR: 700, Temper.VOLATILE: 900, Temper.LAUNCH: 4_000, Temper.THIN: 6_000}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Prices of CHUNK_STEPS steps from `first_step`: rows are steps, columns tokens. `jumps` are (step, token) of sudden rises."""

    first_step: int
    prices: list[list[int]]
    jumps: tuple[tuple[int, int], ...]
    spells: tuple[Spell, ...]


class PriceWalk:
    """The walk of one seed over the given tokens. Remembers what it has made."""

    def __init__(self, seed: int, tokens: Sequence[DemoToken]) -> None:
        self._seed = seed
        self._tokens = tokens
        self._chunks: list[Chunk] = []

    def price(self, step: int, token: int) -> int:
        """The price in PRICE_UNITS_PER_USD of token number `token` at `step`."""
        return self.prices(step)[token]

    def prices(self, step: int) -> list[int]:
        """All prices at `step`, in the order of the tokens."""
        return self.chunk(step // CHUNK_STEPS).prices[step % CHUNK_STEPS]

    def prices_within(self, step: int, tick: int, ticks: int) -> list[int]:
        """All prices at one of `ticks` moments of a step, on the straight way to the next step's; a leap happens in no time."""
        now, then = self.prices(step), self.prices(step + 1)
        return [
            before + (after - before) * tick // ticks if _is_smooth(before, after) else before
            for before, after in zip(now, then, strict=True)
        ]

    def rise_ppm(self, token: int, start: int, end: int) -> int:
        """How far the price moves between two steps, in millionths."""
        return self.price(end, token) * PPM // self.price(start, token) - PPM

    def chunk(self, number: int) -> Chunk:
        while len(self._chunks) <= number:
            self._chunks.append(self._make(len(self._chunks)))
        return self._chunks[number]

    def spell(self, step: int) -> Spell:
        return self.chunk(step // CHUNK_STEPS).spells[step % CHUNK_STEPS]

    def _make(self, number: int) -> Chunk:
        draw = np.random.Generator(np.random.PCG64([self._seed, number]))
        noise = draw.integers(-PPM, PPM, size=(CHUNK_STEPS, len(self._tokens), _UNIFORMS), endpoint=True).sum(axis=2)
        spells, jumps = _spells(draw), self._jumps(draw)
        prices = [token.price_units for token in self._tokens] if number == 0 else self._chunks[-1].prices[-1]
        rows, decays = [], {}
        for at in range(CHUNK_STEPS):
            row = []
            for column, token in enumerate(self._tokens):
                jump = jumps.get((at, column), 0)
                if jump:
                    decays[column] = (at + _DECAY_STEPS, jump)
                until, height = decays.get(column, (0, 0))
                decay = height // (2 * _DECAY_STEPS) if at < until and not jump else 0
                row.append(_moved(token, prices[column], int(noise[at, column]), spells[at], jump - decay))
            rows.append(row)
            prices = row
        first = number * CHUNK_STEPS
        return Chunk(first, rows, tuple((first + at, column) for at, column in sorted(jumps)), spells)

    def _jumps(self, draw: np.random.Generator) -> dict[tuple[int, int], int]:
        """Where launch tokens leap: (step of the chunk, token) to the height in millionths."""
        jumps = {}
        for column, token in enumerate(self._tokens):
            if token.temper is Temper.LAUNCH:
                for at in draw.integers(_DECAY_STEPS // 2, CHUNK_STEPS - _DECAY_STEPS, size=_JUMPS_PER_CHUNK):
                    jumps[int(at), column] = int(draw.integers(_JUMP_PPM_LEAST, _JUMP_PPM_MOST))
        return jumps


def _is_smooth(before: int, after: int) -> bool:
    return abs(after - before) * PPM < _JUMP_PPM_LEAST // 2 * before


def _spells(draw: np.random.Generator) -> tuple[Spell, ...]:
    spells: list[Spell] = []
    while len(spells) < CHUNK_STEPS:
        days = int(draw.integers(_SPELL_DAYS_LEAST, _SPELL_DAYS_MOST, endpoint=True))
        spells += [tuple(Spell)[int(draw.integers(0, len(Spell)))]] * (days * STEPS_PER_DAY)
    return tuple(spells[:CHUNK_STEPS])


def _moved(token: DemoToken, price: int, noise: int, spell: Spell, jump_ppm: int) -> int:
    """One step of one token. `noise` is a sum of draws whose standard deviation is 2 * 10^6."""
    own = noise * _NOISE_PPM[token.temper] // (2 * PPM)
    drift = _SPELL_DRIFT_PPM[spell] * _BETA_PERCENT[token.temper] // 100
    away = min(2 * PPM, (price - token.price_units) * PPM // token.price_units)
    pull = _PULL_PPM[token.temper] * away // PPM
    return max(token.price_units // 50, price * (PPM + own + drift - pull + jump_ppm) // PPM)
