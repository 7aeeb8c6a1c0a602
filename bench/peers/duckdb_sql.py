"""The whole job in DuckDB's SQL: FIFO by cumulative curves and an as-of join, daily marks by a join on (token, day), windows."""

from pathlib import Path

import duckdb
import numpy as np

# beyond it DuckDB works on the disk; its own default, four fifths of the machine, leaves too little for others
MEMORY_LIMIT = "60%"
SQL = """
with legs as (
  select wallet, token, swap, (time // 86400)::int as day, quantity, value, fee, (flags & 8) > 0 as closes
  from read_parquet('{folder}/bucket-*.parquet') where wallet % {every} = 0
), running as (
  select *, sum(greatest(quantity, 0)) over token_order as bought, sum(greatest(-quantity, 0)) over token_order as sold,
    sum(case when quantity > 0 then value else 0 end) over token_order as paid
  from legs window token_order as (partition by wallet, token order by swap)
), matching as (
  select *, sold - greatest(0, max(sold - bought) over token_order) as matched
  from running window token_order as (partition by wallet, token order by swap)
), curve as (
  select wallet, token, bought - quantity as q0, paid - value as f0, value / quantity as unit from running where quantity > 0
), costed as (
  select m.*, coalesce(c.f0 + (m.matched - c.q0) * c.unit, 0) as closed_cost
  from matching m asof left join curve c on m.wallet = c.wallet and m.token = c.token and m.matched >= c.q0
), changes as (
  select *, matched - coalesce(lag(matched) over token_order, 0) as newly_matched,
    closed_cost - coalesce(lag(closed_cost) over token_order, 0) as newly_cost,
    lead(day) over token_order as next_day, bought - matched as held, paid - closed_cost as held_cost
  from costed window token_order as (partition by wallet, token order by swap)
), by_swap as (
  select wallet, swap, day, fee, closes and newly_matched > 0 as closing,
    case when quantity < 0 then value * newly_matched / -quantity - newly_cost else 0 end as gain,
    case when quantity < 0 then value * (1 - newly_matched / -quantity) else 0 end as unmatched,
    sum(case when quantity > 0 then -value else value end) over (partition by wallet order by swap) as cash
  from changes
), contributed as (
  select *, greatest(0, max(-cash) over (partition by wallet order by swap)) as shortfall from by_swap
), totals as (
  select wallet, sum(gain) as realised, sum(closing and gain > 0) as wins, sum(closing) as closings,
    max(shortfall) + sum(unmatched) as capital, min(day) as first_day from contributed group by wallet
), swap_days as (
  select wallet, day, sum(gain - fee) as pnl, max(shortfall) as shortfall, sum(unmatched) as unmatched from contributed group by wallet, day
), segments as (
  select token, wallet, held, held_cost, unnest(range(day, coalesce(next_day, {last_day} + 1))) as day
  from changes where held > 0 and (next_day is null or next_day > day)
), prices as (
  select row_number() over () - 1 as token, unnest(prices) as price, first_day + generate_subscripts(prices, 1) - 1 as day
  from read_parquet('{folder}/marks.parquet')
), marked as (
  select wallet, s.day, sum(held * price - held_cost) as unrealised
  from segments s join prices p on s.token = p.token and s.day = p.day group by wallet, s.day
), calendar as (select wallet, unnest(range(first_day, {last_day} + 1)) as day from totals),
days as (
  select c.wallet, c.day, sum(coalesce(s.pnl, 0)) over w + coalesce(m.unrealised, 0) as pnl,
    max(coalesce(s.shortfall, 0)) over w + sum(coalesce(s.unmatched, 0)) over w as capital
  from calendar c left join swap_days s on c.wallet = s.wallet and c.day = s.day left join marked m on c.wallet = m.wallet and c.day = m.day
  window w as (partition by c.wallet order by c.day)
), based as (
  select *, coalesce(lag(pnl) over (partition by wallet order by day), 0) as before from days
), returns as (
  select wallet, day, pnl, case when capital + before > 0 then greatest((pnl - before) / (capital + before), -1) else 0 end as r from based
), linked as (select *, product(1 + r) over (partition by wallet order by day) as index from returns),
fallen as (
  select *, 1 - index / greatest(1, max(index) over (partition by wallet order by day)) as fall from linked
), measured as (
  select wallet, last(pnl order by day) as net, max(fall) as drawdown, avg(r) as mean, stddev_samp(r) as deviation,
    case when count(*) > 1 then sqrt(avg(least(r, 0) * least(r, 0))) end as downside from fallen group by wallet
)
select t.wallet, realised, net / nullif(capital, 0) as roi, wins / nullif(closings, 0) as win_rate, drawdown,
  mean / nullif(deviation, 0) * sqrt(365) as sharpe, mean / nullif(downside, 0) * sqrt(365) as sortino
from totals t join measured using (wallet) order by wallet
"""


def compute(folder: Path, every: int, last_day: int) -> dict[str, np.ndarray]:
    """Every `every`-th wallet's figures, on one thread."""
    with duckdb.connect(config={"threads": 1, "memory_limit": MEMORY_LIMIT, "temp_directory": str(folder / "duckdb")}) as connection:
        found = connection.execute(SQL.format(folder=folder, every=every, last_day=last_day)).fetchnumpy()
    return {name: np.ma.filled(np.ma.asarray(column).astype(float), np.nan) for name, column in found.items()}
