"""Realised PnL by SQL alone, from raw swaps: valuation by as-of joins, FIFO by cumulative curves. Shares nothing with the kernel.

With F(q) the cost of the first q units bought, a sale that moves the matched amount from m0 to m1 has cost F(m1) - F(m0), and each F is one
as-of lookup. What was sold beyond all purchases so far is the running maximum of sold less bought.
"""

import duckdb

from xorj.primitives.ids import SOL, USDC, USDT

_FIFO = f"""
with swaps as (
  select *, row_number() over (order by slot, tx_index, ix_index, wallet) as place from raw_swaps
), executions as (
  select place, case when input_mint = '{USDC}' then output_mint else input_mint end as mint,
    case when input_mint = '{USDC}' then amount_in / 1e6 else amount_out / 1e6 end as usd,
    case when input_mint = '{USDC}' then amount_out else amount_in end as raw
  from swaps where '{USDC}' in (input_mint, output_mint)
), sol as (select place, usd / (raw / 1e9) as price from executions where mint = '{SOL}' and usd >= 10 and raw > 0),
usdt as (select place, usd / (raw / 1e6) as price from executions where mint = '{USDT}' and usd >= 10 and raw > 0),
valued as (
  select swaps.*, coalesce(
    case when input_mint = '{USDC}' then amount_in / 1e6 when output_mint = '{USDC}' then amount_out / 1e6 end,
    usdt.price * case when input_mint = '{USDT}' then amount_in / 1e6 when output_mint = '{USDT}' then amount_out / 1e6 end,
    sol.price * case when input_mint = '{SOL}' then amount_in / 1e9 when output_mint = '{SOL}' then amount_out / 1e9 end) as usd
  from swaps asof left join sol on swaps.place >= sol.place asof left join usdt on swaps.place >= usdt.place
), legs as (
  select wallet, input_mint as mint, place, -amount_in::hugeint as quantity, usd from valued
  where input_mint <> '{USDC}' and usd is not null
  union all
  select wallet, output_mint, place, amount_out::hugeint, usd from valued
  where output_mint <> '{USDC}' and amount_out > 0 and usd is not null
), running as (
  select *, sum(greatest(quantity, 0)) over token as bought, sum(greatest(-quantity, 0)) over token as sold,
    sum(case when quantity > 0 then usd else 0 end) over token as cost
  from legs window token as (partition by wallet, mint order by place)
), matching as (
  select *, sold - greatest(0, max(sold - bought) over (partition by wallet, mint order by place)) as matched_after from running
), sales as (
  select wallet, mint, quantity, usd, matched_after, least(matched_after, coalesce(
    lag(matched_after) over (partition by wallet, mint order by place), 0)) as matched_before
  from matching where quantity < 0
), curve as (
  select wallet, mint, bought - quantity as q0, cost - usd as f0, usd / quantity as unit from running where quantity > 0
), priced as (
  select sales.*, coalesce(upper.f0 + (matched_after - upper.q0)::double * upper.unit, 0)
    - coalesce(lower.f0 + (matched_before - lower.q0)::double * lower.unit, 0) as closed_cost
  from sales
  asof left join curve as upper on sales.wallet = upper.wallet and sales.mint = upper.mint and sales.matched_after >= upper.q0
  asof left join curve as lower on sales.wallet = lower.wallet and sales.mint = lower.mint and sales.matched_before >= lower.q0
)
select wallets.wallet, coalesce(sum(usd * (matched_after - matched_before)::double / (-quantity)::double - closed_cost), 0) as realised,
  coalesce(sum(usd * (1 - (matched_after - matched_before)::double / (-quantity)::double)), 0) as unmatched
from (select distinct wallet from raw_swaps) as wallets left join priced using (wallet) group by wallets.wallet
"""


def realised_and_unmatched(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[float, float]]:
    """USD by wallet, from the table or view `raw_swaps`, whose columns are those of the recorded CSV."""
    return {wallet: (realised, unmatched) for wallet, realised, unmatched in connection.execute(_FIFO).fetchall()}
