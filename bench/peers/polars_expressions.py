"""The whole job in Polars expressions: FIFO by cumulative curves and one as-of join, daily marks by explode and gather."""

from pathlib import Path

import numpy as np
import polars as pl

TOKEN, WALLET = ["wallet", "token"], ["wallet"]
QUANTITY, VALUE = pl.col("quantity"), pl.col("value")


def compute(folder: Path, every: int, last_day: int) -> dict[str, np.ndarray]:
    """Every `every`-th wallet's figures."""
    legs = pl.scan_parquet(folder / "bucket-*.parquet").filter(pl.col("wallet") % every == 0).collect()
    legs = legs.with_columns((pl.col("time") // 86_400).cast(pl.Int64).alias("day"), pl.col("token").cast(pl.Int64))
    changes = matched(legs)
    swaps = by_swap(changes)
    totals = swaps.group_by("wallet").agg(
        pl.col("gain").sum().alias("realised"),
        (pl.col("closing") & (pl.col("gain") > 0)).sum().alias("wins"),
        pl.col("closing").sum().alias("closings"),
        (pl.col("shortfall").max() + pl.col("unmatched").sum()).alias("capital"),
        pl.col("day").min().alias("first_day"),
    )
    days = daily(swaps, marked(changes, folder, last_day), totals, last_day)
    found = totals.join(measured(days), on="wallet").sort("wallet")
    found = found.select(
        "wallet",
        "realised",
        (pl.col("net") / pl.when(pl.col("capital") > 0).then(pl.col("capital"))).alias("roi"),
        (pl.col("wins") / pl.when(pl.col("closings") > 0).then(pl.col("closings"))).alias("win_rate"),
        "drawdown",
        (pl.col("mean") / pl.when(pl.col("deviation") > 0).then(pl.col("deviation")) * 365**0.5).alias("sharpe"),
        (pl.col("mean") / pl.when(pl.col("downside") > 0).then(pl.col("downside")) * 365**0.5).alias("sortino"),
    )
    return {name: found[name].cast(pl.Float64).fill_null(float("nan")).to_numpy() for name in found.columns}


def matched(legs: pl.DataFrame) -> pl.DataFrame:
    """Each leg with what it newly matched at what cost, and what is held after it."""
    running = legs.with_columns(
        QUANTITY.clip(lower_bound=0).cum_sum().over(TOKEN).alias("bought"),
        (-QUANTITY).clip(lower_bound=0).cum_sum().over(TOKEN).alias("sold"),
        pl.when(QUANTITY > 0).then(VALUE).otherwise(0.0).cum_sum().over(TOKEN).alias("paid"),
    )
    running = running.with_columns(
        (pl.col("sold") - (pl.col("sold") - pl.col("bought")).cum_max().over(TOKEN).clip(lower_bound=0)).alias("matched")
    )
    curve = running.filter(QUANTITY > 0).select(
        *TOKEN, (pl.col("bought") - QUANTITY).alias("q0"), (pl.col("paid") - VALUE).alias("f0"), (VALUE / QUANTITY).alias("unit")
    )
    costed = running.join_asof(curve, left_on="matched", right_on="q0", by=TOKEN, strategy="backward", check_sortedness=False)
    costed = costed.with_columns((pl.col("f0") + (pl.col("matched") - pl.col("q0")) * pl.col("unit")).fill_null(0.0).alias("closed_cost"))
    return costed.with_columns(
        (pl.col("matched") - pl.col("matched").shift(1).over(TOKEN).fill_null(0.0)).alias("newly_matched"),
        (pl.col("closed_cost") - pl.col("closed_cost").shift(1).over(TOKEN).fill_null(0.0)).alias("newly_cost"),
        pl.col("day").shift(-1).over(TOKEN).alias("next_day"),
        (pl.col("bought") - pl.col("matched")).alias("held"),
        (pl.col("paid") - pl.col("closed_cost")).alias("held_cost"),
    )


def by_swap(changes: pl.DataFrame) -> pl.DataFrame:
    """Gain, contribution and cash by swap, in each wallet's order."""
    share = pl.col("newly_matched") / -QUANTITY
    swaps = changes.select(
        "wallet",
        "swap",
        "day",
        "fee",
        ((pl.col("flags") & 8 > 0) & (pl.col("newly_matched") > 0)).alias("closing"),
        pl.when(QUANTITY < 0).then(VALUE * share - pl.col("newly_cost")).otherwise(0.0).alias("gain"),
        pl.when(QUANTITY < 0).then(VALUE * (1 - share)).otherwise(0.0).alias("unmatched"),
        pl.when(QUANTITY > 0).then(-VALUE).otherwise(VALUE).alias("flow"),
    ).sort("wallet", "swap")
    swaps = swaps.with_columns(pl.col("flow").cum_sum().over(WALLET).alias("cash"))
    return swaps.with_columns((-pl.col("cash")).cum_max().over(WALLET).clip(lower_bound=0).alias("shortfall"))


def marked(changes: pl.DataFrame, folder: Path, last_day: int) -> pl.DataFrame:
    """What holdings are worth above their cost, by wallet and day."""
    marks = pl.read_parquet(folder / "marks.parquet")
    prices, first, count = marks["prices"].explode(), int(marks["first_day"][0]), int(marks["count"][0])
    held = changes.filter((pl.col("held") > 0) & (pl.col("next_day").is_null() | (pl.col("next_day") > pl.col("day"))))
    cells = held.select(
        "wallet", "token", "held", "held_cost", pl.int_ranges("day", pl.col("next_day").fill_null(last_day + 1)).alias("day")
    ).explode("day")
    cells = cells.with_columns(prices.gather(cells.select(pl.col("token") * count + pl.col("day") - first).to_series()).alias("price"))
    return cells.group_by("wallet", "day").agg((pl.col("held") * pl.col("price") - pl.col("held_cost")).sum().alias("unrealised"))


def daily(swaps: pl.DataFrame, marks: pl.DataFrame, totals: pl.DataFrame, last_day: int) -> pl.DataFrame:
    """Cumulative PnL and capital at every day's end."""
    sums = swaps.group_by("wallet", "day").agg(
        (pl.col("gain") - pl.col("fee")).sum().alias("pnl"), pl.col("shortfall").max(), pl.col("unmatched").sum()
    )
    calendar = totals.select("wallet", pl.int_ranges("first_day", last_day + 1).alias("day")).explode("day").sort("wallet", "day")
    days = calendar.join(sums, on=["wallet", "day"], how="left").join(marks, on=["wallet", "day"], how="left")
    days = days.with_columns(pl.col("pnl", "shortfall", "unmatched", "unrealised").fill_null(0.0))
    days = days.sort("wallet", "day")
    return days.select(
        "wallet",
        "day",
        (pl.col("pnl").cum_sum().over(WALLET) + pl.col("unrealised")).alias("pnl"),
        (pl.col("shortfall").cum_max().over(WALLET) + pl.col("unmatched").cum_sum().over(WALLET)).alias("capital"),
    )


def measured(days: pl.DataFrame) -> pl.DataFrame:
    """The statistics of each wallet's daily returns."""
    before = pl.col("pnl").shift(1).over(WALLET).fill_null(0.0)
    base = pl.col("capital") + before
    days = days.with_columns(pl.when(base > 0).then(((pl.col("pnl") - before) / base).clip(lower_bound=-1.0)).otherwise(0.0).alias("r"))
    days = days.with_columns((1 + pl.col("r")).cum_prod().over(WALLET).alias("index"))
    days = days.with_columns((1 - pl.col("index") / pl.col("index").cum_max().over(WALLET).clip(lower_bound=1.0)).alias("fall"))
    return days.group_by("wallet").agg(
        pl.col("pnl").last().alias("net"),
        pl.col("fall").max().alias("drawdown"),
        pl.col("r").mean().alias("mean"),
        pl.col("r").std(ddof=1).alias("deviation"),
        pl.when(pl.len() > 1).then((pl.col("r").clip(upper_bound=0.0) ** 2).mean().sqrt()).alias("downside"),
    )
