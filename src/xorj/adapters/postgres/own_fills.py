"""Our own settled copies, for the copy replay's delay and costs. Built by the quant engine."""

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from xorj.adapters.postgres.tables import decisions, fills, intents, leader_trades
from xorj.adapters.postgres.transactions import transaction
from xorj.primitives.ids import Mint
from xorj.trust.own_fills import OwnFill

# the newest say how late we are now
FILLS_MAX = 1_000
SLOT_S = 0.4


class PostgresOwnFills:
    """For one chain."""

    def __init__(self, engine: AsyncEngine, genesis: str) -> None:
        self._engine, self._genesis = engine, genesis

    async def newest(self) -> list[OwnFill]:
        """Copies of leaders' trades, the newest first, at most FILLS_MAX. Raises Unavailable."""
        copies = fills.join(intents, fills.c.intent_id == intents.c.id).join(decisions, intents.c.decision_id == decisions.c.id)
        theirs = copies.join(leader_trades, decisions.c.leader_trade_id == leader_trades.c.id)
        query = select(fills, (fills.c.slot - leader_trades.c.slot).label("delay_slots")).select_from(theirs)
        of_chain = and_(fills.c.genesis_hash == self._genesis, fills.c.block_time.is_not(None))
        async with transaction(self._engine) as connection:
            rows = await connection.execute(query.where(of_chain).order_by(fills.c.slot.desc(), fills.c.signature).limit(FILLS_MAX))
            return [
                OwnFill(
                    block_time=row.block_time,
                    input_mint=Mint(row.input_mint),
                    input_raw=int(row.input_raw),
                    output_mint=Mint(row.output_mint),
                    output_raw=int(row.output_raw),
                    delay_s=row.delay_slots * SLOT_S,
                )
                for row in rows
            ]
