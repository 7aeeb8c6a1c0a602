"""What copying leaves behind for execution: a user, his vault, new intents. Straight into the tables."""

from itertools import count

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from xorj.adapters.postgres.projections import job_of_intent
from xorj.adapters.postgres.tables import intents, users, vaults
from xorj.primitives.ids import LOCAL_GENESIS

USER = "user-ana"
LEADER = "7rhxnLV8C77o6d8oz26AgK8x8m5ePsdeRawjqvojbjnQ"
_CAUSES = count(1)


async def plant_vault(engine: AsyncEngine, *, vault: str, owner: str, base_mint: str, bot: str) -> None:
    """One user with one vault."""
    async with engine.begin() as connection:
        await connection.execute(insert(users).values(id=USER, wallet_address=owner))
        await connection.execute(
            insert(vaults).values(
                address=vault,
                genesis_hash=LOCAL_GENESIS,
                owner=owner,
                user_id=USER,
                base_mint=base_mint,
                total_deposited_raw=500_000_000,
                bot_authority=bot,
                is_active=True,
                is_paused=False,
                as_of_slot=1,
            )
        )


async def plant_intent(
    engine: AsyncEngine,
    *,
    vault: str,
    side: str,
    input_mint: str,
    output_mint: str,
    amount_in_raw: int,
    slippage_bps: int = 200,
    created_slot: int = 1,
    expires_slot: int = 10**9,
) -> str:
    """A new intent with a cause of its own; its id."""
    number = next(_CAUSES)
    identity = f"intent-{number}"
    async with engine.begin() as connection:
        await connection.execute(
            insert(intents).values(
                id=identity,
                genesis_hash=LOCAL_GENESIS,
                user_id=USER,
                vault=vault,
                cause_kind="leader_trade",
                cause_id=f"cause-{number}",
                leg=0,
                rule_version=1,
                leader=LEADER,
                side=side,
                input_mint=input_mint,
                output_mint=output_mint,
                amount_in_raw=amount_in_raw,
                slippage_bps=slippage_bps,
                state="new",
                created_slot=created_slot,
                expires_slot=expires_slot,
            )
        )
        await job_of_intent(connection, identity)
    return identity
