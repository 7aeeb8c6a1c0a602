"""Made wallets with what a score may see of them, and what only their maker knows: roles, true skill, the next 90 days.

History and future are drawn from generators of their own, so that a future deleted changes nothing before it. Called by evaluation, the
fitted prior and the tests.
"""

from dataclasses import dataclass, fields

import numpy as np
from bench.trust import worlds as w
from bench.trust.worlds import World

from xorj.trust.cohort import Bools, Cohort, Floats, Ints
from xorj.trust.utility_sharpe import utility

PERSON, MARKET, PAST, CLONING, AHEAD, LUCK = range(6)


@dataclass(frozen=True, slots=True, eq=False)
class Traits:
    """float64[W] or int64[W] each: who the wallets are. skill, early, later: daily gross Sharpe now, before, and in the 90 days after."""

    role: Ints
    is_meme: Ints
    age: Ints
    rate: Floats
    size: Floats
    spread: Floats
    cost: Floats
    hours: Floats
    beta: Floats
    skill: Floats
    early: Floats
    later: Floats
    slips: Ints
    linked: Floats
    cluster: Ints

    def of(self, chosen: Ints | Bools) -> "Traits":
        return Traits(*(getattr(self, one.name)[chosen] for one in fields(self)))


@dataclass(frozen=True, slots=True, eq=False)
class Trading:
    """float64[W, D] each: what the wallets books show, copiers' returns before and their costs, and int64[W, D] round trips."""

    booked: Floats
    gross: Floats
    costs: Floats
    slipped: Floats
    trips: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """One moment: `cohort` and `booked` can be seen, the rest cannot. Returns are daily fractions; future is float64[W, 90]."""

    cohort: Cohort
    booked: Floats
    hours: Floats
    role: Ints
    future: Floats
    skill_now: Floats
    skill_ahead: Floats
    theta_now: Floats


def population(seed: int, world: World, wallets: int = w.WALLETS, *, with_truth: bool = True) -> Population:
    """The population of a seed. The same seed gives the same bytes; wallets that went bankrupt are not listed, so there may be fewer.

    theta_now takes most of the time and is NaN without the truth.
    """
    days = world.age_days[1]
    traits = _traits(_generator(seed, PERSON), world, wallets)
    market = np.concatenate([_market(_generator(seed, MARKET, half), world, half, span) for half, span in ((0, days), (1, w.FUTURE_DAYS))])
    alive = np.arange(days) >= days - traits.age[:, None]
    past = _history(seed, traits, world, alive, market[:days])
    seen = np.maximum(past.gross - world.cost_seen * past.costs + past.slipped, -1)
    listed = _final_equity(past.booked, past.gross - w.OWN_COST_SHARE * past.costs, traits.role) > w.BANKRUPT
    ahead = _ahead(seed, traits, world, market[days:], crowded=_crowded(seen, alive, world))
    cohort = Cohort(
        seen[listed], alive[listed], market[:days], past.trips.sum(axis=1)[listed], traits.linked[listed], traits.cluster[listed]
    )
    kept = traits.of(listed)
    return Population(
        cohort,
        np.maximum(past.booked, -1)[listed],
        kept.hours,
        kept.role,
        ahead[listed],
        true_sharpe(kept, world, kept.skill, ahead=False),
        true_sharpe(kept, world, kept.later, ahead=True),
        _true_theta(seed, kept, world) if with_truth else np.full(len(kept.role), np.nan),
    )


def _generator(*path: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(list(path))))


def _traits(rng: np.random.Generator, world: World, wallets: int) -> Traits:
    role = rng.choice(len(world.shares), wallets, p=np.array(world.shares) / sum(world.shares))
    is_meme = rng.random(wallets) < w.MEME_SHARE
    low, high = np.log(world.age_days)
    rate = np.clip(w.RATE_MEDIAN * np.exp(w.RATE_SPREAD * rng.standard_normal(wallets)), w.RATE_MIN, w.RATE_MAX)
    size = rng.beta(w.SIZE_A, w.SIZE_B, wallets)
    spread = np.where(is_meme, w.SPREAD_MEME, w.SPREAD_LIQUID) * np.exp(w.SPREAD_SPREAD * rng.standard_normal(wallets))
    hours = np.where(is_meme, w.HOURS_MEME, w.HOURS_LIQUID) * np.exp(w.HOURS_SPREAD * rng.standard_normal(wallets))
    cost = np.where(is_meme, w.COST_MEME, w.COST_LIQUID) * np.exp(w.COST_SPREAD * rng.standard_normal(wallets))
    cost *= world.cost_factor * (1 + np.exp(-hours / w.SHORT_HOLD_HOURS))
    rate, size = (np.where(role == w.LOTTERY, one, other) for one, other in ((w.LOTTERY_RATE, rate), (w.LOTTERY_SIZE, size)))
    skill, early, later = _skills(rng, role, world)
    shown = rng.random(wallets) >= world.links_hidden
    linked = np.where((role == w.WASH) & shown, rng.uniform(w.LINKED_MIN, w.LINKED_MAX, wallets), rng.uniform(0, w.LINKED_NOISE, wallets))
    return Traits(
        role,
        is_meme.astype(np.int64),
        np.exp(rng.uniform(low, high, wallets)).astype(np.int64),
        rate,
        size,
        spread,
        cost,
        hours,
        rng.uniform(0, w.BETA_MAX, wallets),
        skill,
        early,
        later,
        (rng.random(wallets) < w.AIRDROP_SLIPS).astype(np.int64),
        linked,
        np.where((role == w.SYBIL) & shown, w.CLONES, 1),
    )


def _skills(rng: np.random.Generator, role: Ints, world: World) -> tuple[Floats, Floats, Floats]:
    """Skill now, early in the window and later. An earlier or later self keeps the population's mean and spread."""
    drawn = [_regular_skill(rng, len(role)) for _ in range(3)]
    turncoat = rng.gamma(w.TURNCOAT_SHAPE, w.TURNCOAT_SCALE, len(role))
    mean = (w.SKILLED - w.UNSKILLED) * w.SKILL_SHAPE * w.SKILL_SCALE

    def another(persistence: float, fresh: Floats) -> Floats:
        moved: Floats = mean + persistence * (drawn[0] - mean) + np.sqrt(1 - persistence**2) * (fresh - mean)
        return moved

    early = drawn[0] if world.early_persistence is None else another(world.early_persistence, drawn[1])
    selves = (drawn[0], early, another(world.persistence, drawn[2]))
    return tuple(_skill_of_role(role, one, turncoat, world) for one in selves)  # type: ignore[return-value]


def _regular_skill(rng: np.random.Generator, wallets: int) -> Floats:
    kind, amount = rng.random(wallets), rng.gamma(w.SKILL_SHAPE, w.SKILL_SCALE, wallets)
    about_none = w.SKILL_NOISE * rng.standard_normal(wallets)
    result: Floats = np.where(kind < w.SKILLED, amount, np.where(kind < w.SKILLED + w.UNSKILLED, -amount, about_none))
    return result


def _skill_of_role(role: Ints, regular: Floats, turncoat: Floats, world: World) -> Floats:
    exists = float(world.skill_exists)
    cases = [role == w.REGULAR, role == w.TURNCOAT, role == w.BAG_HOLDER]
    result: Floats = np.select(cases, [exists * regular, exists * turncoat, np.full(len(role), w.BAG_HOLDER_SKILL)], 0.0)
    return result


def _market(rng: np.random.Generator, world: World, half: int, days: int) -> Floats:
    """SOL's daily returns. Regimes last 45 days on average unless the world fixes one for history and one for the future."""
    changes = rng.random(days) < 1 / w.REGIME_DAYS
    fresh = rng.integers(0, 3, days)
    regime, found = int(rng.integers(0, 3)), np.empty(days, np.int64)
    for day in range(days):
        regime = int(fresh[day]) if changes[day] else regime
        found[day] = regime if world.regimes is None else world.regimes[half]
    returns: Floats = np.array(w.REGIME_DRIFT)[found] + np.array(w.REGIME_SPREAD)[found] * rng.standard_normal(days)
    return returns


def _history(seed: int, traits: Traits, world: World, alive: Bools, market: Floats) -> Trading:
    half = np.arange(alive.shape[1]) < alive.shape[1] - (traits.age // 2)[:, None]
    skill = np.where(half, traits.early[:, None], traits.skill[:, None])
    past = _traded(_generator(seed, PAST), traits, world, alive, market, skill, turned=False)
    sybils = np.flatnonzero(traits.role == w.SYBIL)
    some, life = traits.of(sybils), alive[sybils]
    for clone in range(w.CLONES - 1):
        other = _traded(_generator(seed, CLONING, clone), some, world, life, market, skill[sybils], turned=False)
        luckier = other.booked.sum(axis=1) > past.booked[sybils].sum(axis=1)
        for one in fields(past):
            getattr(past, one.name)[sybils[luckier]] = getattr(other, one.name)[luckier]
    return past


def _ahead(seed: int, traits: Traits, world: World, market: Floats, *, crowded: Bools) -> Floats:
    alive = np.ones((len(traits.role), w.FUTURE_DAYS), bool)
    skill = np.broadcast_to(traits.later[:, None], alive.shape)
    trading = _traded(_generator(seed, AHEAD), traits, world, alive, market, skill, turned=True)
    costs = trading.costs * np.where(crowded, 1 + world.crowd_cost, 1.0)[:, None]
    returns = np.maximum(trading.gross - costs, -1)
    gone = np.cumsum(returns <= -1, axis=1) > 0
    result: Floats = np.where(gone & (returns > -1), 0.0, returns)
    return result


def _traded(
    rng: np.random.Generator, traits: Traits, world: World, alive: Bools, market: Floats, skill: Floats, *, turned: bool
) -> Trading:
    """Trades one by one, then added up by day."""
    shape = alive.shape
    trips = rng.poisson(traits.rate[:, None], shape) * alive
    cell = np.repeat(np.arange(trips.size), trips.ravel())
    who, day = cell // shape[1], cell % shape[1]
    common = _noise(rng, world, 2 * shape[1]).reshape(2, shape[1])[traits.is_meme[who], day]
    noise = np.sqrt(1 - world.token_correlation) * _noise(rng, world, len(cell)) + np.sqrt(world.token_correlation) * common
    edge = (skill * (traits.spread / np.sqrt(traits.rate))[:, None])[who, day]
    copied, shown = _per_trip(rng, traits.of(who), edge, noise, turned=turned)
    copied, shown = np.maximum(copied, -1), np.maximum(shown, -1)
    size = traits.size[who]
    gross, books = _by_day(cell, size * copied, shape), _by_day(cell, size * shown, shape)
    costs = trips * (traits.size * traits.cost)[:, None]
    rows = np.flatnonzero(traits.role == w.MARTINGALE)
    if len(rows):
        made = _hiding_martingales if world.martingales_hide else _marked_martingales
        gross[rows], books[rows] = made(rng, alive[rows])
        costs[rows] = 0
    market_part = traits.beta[:, None] * market * (trips > 0)
    given = (rng.random(shape) < w.AIRDROP_DAY) * rng.exponential(w.AIRDROP_SIZE, shape) * alive * (traits.role == w.AIRDROP)[:, None]
    slipped = given * traits.slips[:, None] * (not turned)
    booked = books - w.OWN_COST_SHARE * costs + market_part * (traits.role != w.BAG_HOLDER)[:, None] + given
    return Trading(booked, gross + market_part, costs, slipped, trips)


def _by_day(cell: Ints, amounts: Floats, shape: tuple[int, ...]) -> Floats:
    result = np.zeros(shape)
    result.reshape(-1)[:] = np.bincount(cell, amounts, result.size)
    return result


def _noise(rng: np.random.Generator, world: World, count: int) -> Floats:
    """Fat-tailed and skewed to the right, mean 0 and variance 1."""
    scale = np.sqrt(world.tail_freedom / (world.tail_freedom - 2))
    result: Floats = w.NOISE_T * rng.standard_t(world.tail_freedom, count) / scale + w.NOISE_EXPONENTIAL * (rng.exponential(1, count) - 1)
    return result


def _per_trip(rng: np.random.Generator, each: Traits, edge: Floats, noise: Floats, *, turned: bool) -> tuple[Floats, Floats]:
    """What one round trip returns to a copier before costs, and what the wallet's books show of it."""
    count = len(edge)
    chance, tail = rng.random(count), rng.exponential(1, count)
    plain = edge + each.spread * noise
    bags = edge - each.spread * noise
    lottery = np.where(chance < w.LOTTERY_CHANCE, w.LOTTERY_WIN, -w.LOTTERY_LOSS * tail)
    turncoat = w.TURNED_COPIED + w.TURNED_SPREAD * noise if turned else plain
    roles = [each.role == role for role in (w.LOTTERY, w.BAG_HOLDER, w.WASH, w.SNIPER, w.TURNCOAT)]
    wash, sniper = w.WASH_COPIED + w.WASH_SPREAD * noise, w.SNIPER_COPIED + w.SNIPER_SPREAD * noise
    copied = np.select(roles, [lottery, bags, wash, sniper, turncoat], plain)
    pumped = np.abs(w.WASH_SHOWN + w.WASH_SHOWN_SPREAD * noise)
    sniped = np.where(chance < w.SNIPER_WIN_CHANCE, w.SNIPER_WIN * tail, -w.SNIPER_LOSS)
    return copied, np.select(roles[:4], [lottery, np.maximum(bags, 0), pumped, sniped], plain)


def _marked_martingales(rng: np.random.Generator, alive: Bools) -> tuple[Floats, Floats]:
    """Daily returns marked to liquidation, costs in them, and what the books show: a cycle's sum on the day it closes."""
    returns, books = np.zeros(alive.shape), np.zeros(alive.shape)
    losses, cycle = np.zeros(len(alive), np.int64), np.zeros(len(alive))
    for day in range(alive.shape[1]):
        won = rng.random(len(alive)) < w.MARTINGALE_WIN_CHANCE
        step = w.MARTINGALE_STEP_DAY * np.abs(1 + w.MARTINGALE_STEP_SPREAD * rng.standard_normal(len(alive)))
        returns[:, day] = np.where(won, step, -step) * 2.0**losses * alive[:, day]
        cycle += returns[:, day]
        closed = won | (losses == w.MARTINGALE_DOUBLINGS) | ~alive[:, day]
        books[:, day] = np.where(closed, cycle, 0)
        losses, cycle = np.where(closed, 0, losses + 1), np.where(closed, 0, cycle)
    return returns, books


def _hiding_martingales(rng: np.random.Generator, alive: Bools) -> tuple[Floats, Floats]:
    """A small gain on every day until the day of the crash, in the books and to the copier alike, with the costs in it."""
    gain = w.MARTINGALE_GAIN_DAY + w.MARTINGALE_SPREAD_DAY * rng.standard_normal(alive.shape)
    crash = rng.random(alive.shape) < w.MARTINGALE_CRASH_DAY
    day = np.where(crash, -rng.uniform(w.CRASH_MIN, w.CRASH_MAX, alive.shape), gain) * alive
    return day, day


def _final_equity(booked: Floats, own: Floats, role: Ints) -> Floats:
    """What is left of the wallet's own equity; what a bag-holder has not booked he has lost all the same."""
    mine = np.where((role == w.BAG_HOLDER)[:, None], own, booked)
    result: Floats = np.prod(1 + np.maximum(mine, -1), axis=1)
    return result


def _crowded(seen: Floats, alive: Bools, world: World) -> Bools:
    """Whom many copy: the 5 % with the best records as anybody would read them, by the t statistic of their copied days."""
    if world.crowd_cost == 0:
        return np.zeros(len(seen), bool)
    days = alive.sum(axis=1)
    mean = seen.sum(axis=1) / days
    spread = np.sqrt(np.where(alive, (seen - mean[:, None]) ** 2, 0).sum(axis=1) / days)
    quality = mean / np.where(spread > 0, spread, np.inf) * np.sqrt(days)
    result: Bools = quality >= np.quantile(quality, 0.95)
    return result


def true_sharpe(traits: Traits, world: World, skill: Floats, *, ahead: bool) -> Floats:
    """Mean over spread of a copier's daily net return, all costs paid, from the parameters; the market's part has mean 0 over regimes."""
    mean, square = _moments(traits, skill, ahead=ahead)
    frequent = traits.rate * traits.size
    day_mean, day_variance = frequent * mean, frequent * traits.size * square
    martingale = traits.role == w.MARTINGALE
    slow_mean, slow_square = _hiding_moments() if world.martingales_hide else _marked_moments()
    day_mean = np.where(martingale, slow_mean, day_mean)
    day_variance = np.where(martingale, slow_square - slow_mean**2, day_variance)
    market = (traits.beta * w.MARKET_SPREAD) ** 2 * (1 - np.exp(-traits.rate))
    result: Floats = day_mean / np.sqrt(day_variance + market)
    return result


def _marked_moments() -> tuple[float, float]:
    """Mean and mean square of a marked martingale's day; how many losses it has behind it has a geometric law, cut off."""
    losses = np.arange(w.MARTINGALE_DOUBLINGS + 1)
    chance = (1 - w.MARTINGALE_WIN_CHANCE) ** losses
    size = 2.0**losses
    mean = float((chance * size).sum() / chance.sum()) * w.MARTINGALE_STEP_DAY * (2 * w.MARTINGALE_WIN_CHANCE - 1)
    square = float((chance * size**2).sum() / chance.sum()) * w.MARTINGALE_STEP_DAY**2 * (1 + w.MARTINGALE_STEP_SPREAD**2)
    return mean, square


def _hiding_moments() -> tuple[float, float]:
    crash, loss = w.MARTINGALE_CRASH_DAY, (w.CRASH_MIN + w.CRASH_MAX) / 2
    mean = (1 - crash) * w.MARTINGALE_GAIN_DAY - crash * loss
    square = (1 - crash) * (w.MARTINGALE_GAIN_DAY**2 + w.MARTINGALE_SPREAD_DAY**2)
    return mean, square + crash * (loss**2 + (w.CRASH_MAX - w.CRASH_MIN) ** 2 / 12)


def _moments(traits: Traits, skill: Floats, *, ahead: bool) -> tuple[Floats, Floats]:
    """Mean and mean square of one round trip's net return to a copier."""
    edge = skill * traits.spread / np.sqrt(traits.rate)
    lottery_mean = w.LOTTERY_CHANCE * w.LOTTERY_WIN - (1 - w.LOTTERY_CHANCE) * w.LOTTERY_LOSS
    lottery_square = w.LOTTERY_CHANCE * w.LOTTERY_WIN**2 + (1 - w.LOTTERY_CHANCE) * 2 * w.LOTTERY_LOSS**2
    turned = ahead & (traits.role == w.TURNCOAT)
    roles = [traits.role == w.LOTTERY, traits.role == w.WASH, traits.role == w.SNIPER, turned]
    gross = np.select(roles, [np.full(len(edge), one) for one in (lottery_mean, w.WASH_COPIED, w.SNIPER_COPIED, w.TURNED_COPIED)], edge)
    spreads = (np.sqrt(lottery_square - lottery_mean**2), w.WASH_SPREAD, w.SNIPER_SPREAD, w.TURNED_SPREAD)
    spread = np.select(roles, [np.full(len(edge), one) for one in spreads], traits.spread)
    net = gross - traits.cost
    return net, net**2 + spread**2


# with 2,000 days the truth's own noise took three points from the band's coverage
THETA_DAYS = 8_000
_DAYS_AT_ONCE = 250


def _true_theta(seed: int, traits: Traits, world: World) -> Floats:
    """Daily utility-Sharpe of copying a regular wallet as it is today, over 8,000 made days without the market; NaN for other roles."""
    result = np.full(len(traits.role), np.nan)
    rows = np.flatnonzero(traits.role == w.REGULAR)
    some, total, squares = traits.of(rows), np.zeros(len(rows)), np.zeros(len(rows))
    for part in range(THETA_DAYS // _DAYS_AT_ONCE):
        alive = np.ones((len(rows), _DAYS_AT_ONCE), bool)
        skill = np.broadcast_to(some.skill[:, None], alive.shape)
        made = _traded(_generator(seed, LUCK, part), some, world, alive, np.zeros(_DAYS_AT_ONCE), skill, turned=False)
        u = utility(np.maximum(made.gross - made.costs, -1))
        total += u.sum(axis=1)
        squares += (u * u).sum(axis=1)
    mean = total / THETA_DAYS
    spread = np.sqrt(np.maximum(squares / THETA_DAYS - mean**2, 0))
    result[rows] = mean / np.where(spread > 0, spread, np.inf)
    return result
