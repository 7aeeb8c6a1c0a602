"""The vault's whole life on a running chain, by the adapters that production uses: on our local chain, and the same on a real validator.

initialize, policy, deposit, grant, a buy and a sale through router and pools, withdraw, revoke, close, with the committed program files.
"""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tests.validator.chains import VALIDATOR, local_chain, validator
from tests.validator.people import Landed, People, until

from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.localnet.keys import UPGRADE_AUTHORITY
from xorj.market import local_amm
from xorj.primitives.ids import Mint, Wallet
from xorj.router import jupiter_v6
from xorj.vault import accounts, events, instructions
from xorj.vault.instructions import Guard

USDC = 1_000_000
DAY = 86_400
RESERVE = 100_000 * USDC

needs_validator = pytest.mark.skipif(
    shutil.which(VALIDATOR) is None, reason=f"NOT CHECKED on a real validator: {VALIDATOR} is not on the PATH (programs/README.md)"
)
Chain = Callable[[Path], AbstractContextManager[str]]
CHAINS = [pytest.param(local_chain, id="local chain"), pytest.param(validator, id="validator", marks=[needs_validator, pytest.mark.slow])]


def told(landed: Landed) -> list[events.VaultEvent]:
    return events.parse_logs(landed.read.logs)


class Life:
    """One follower with one bot, and a market of one pool."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.admin, self.owner, self.bot = UPGRADE_AUTHORITY, Keypair(), Keypair()
        self.ana, self.nonce = self.owner.pubkey(), 0
        self.vault = accounts.vault_address(self.ana)
        self.trade = accounts.trade_authority_address(self.vault)

    async def begins(self) -> None:
        """A base mint and a token, the config, and a pool with liquidity."""
        admin = self.admin.pubkey()
        await self.people.funded(self.admin, self.owner, self.bot)
        self.usdc = await self.people.mint(self.admin, Keypair())
        self.bonk = await self.people.mint(self.admin, Keypair())
        config = instructions.initialize_config(
            admin, admin, self.usdc, admin=admin, guardian=admin, vault_cap=1_000 * USDC, loosening_delay_s=DAY
        )
        await self.people.lands(config, by=[self.admin])
        pool = local_amm.pool_of(self.usdc, self.bonk)
        for mint in (self.usdc, self.bonk):
            await self.people.holds(self.admin, pool.address, mint, RESERVE)
        await self.people.lands(local_amm.initialize_pool(admin, pool), by=[self.admin])

    async def opens_a_vault(self, deposit: int) -> Landed:
        await self.people.holds(self.admin, self.ana, self.usdc, 1_000 * USDC)
        await self.people.holds(self.admin, self.ana, self.bonk)
        await self.people.lands(
            instructions.initialize_vault(self.ana), instructions.set_policy(self.ana, mint_mode=accounts.ANY_MINT), by=[self.owner]
        )
        created = [
            instructions.create_token_account(self.ana, owner, mint)
            for owner in (self.vault, self.trade)
            for mint in (self.usdc, self.bonk)
        ]
        await self.people.lands(*created, by=[self.owner])
        return await self.people.lands(instructions.deposit(self.ana, self.usdc, deposit), by=[self.owner])

    async def policy(self) -> accounts.VaultPolicy:
        data = await self.people.data(accounts.policy_address(self.vault))
        assert data is not None
        return accounts.decode_policy(data)

    async def grants(self) -> Landed:
        """And waits for the next slot: in the slot of the grant the bot can do nothing."""
        granted = await self.people.lands(instructions.grant_bot_authority(self.ana, self.bot.pubkey()), by=[self.owner])

        async def is_over() -> bool:
            return await self.people.node.slot() > granted.read.slot

        await until(is_over)
        return granted

    async def guard(self) -> Guard:
        self.nonce += 1
        return Guard(self.nonce, (await self.policy()).bot_epoch, await self.people.node.slot() + 300)

    def trade_of(self, given: Pubkey, got: Pubkey, amount_in: int, guard: Guard, minimum: int = 1) -> Instruction:
        source, destination = (accounts.token_account_address(self.trade, mint) for mint in (given, got))
        pool = local_amm.pool_of(given, got)
        steps = [
            jupiter_v6.step_program(local_amm.PROGRAM),
            *(
                AccountMeta(meta.pubkey, False, meta.is_writable)
                for meta in local_amm.step_accounts(pool, self.trade, source, destination, given)
            ),
        ]
        fixed = jupiter_v6.RouteAccounts(self.trade, source, destination, given, got)
        data = jupiter_v6.encode_route(amount_in, minimum, 0, [jupiter_v6.RouteStep()])
        return instructions.bot_trade(
            self.bot.pubkey(),
            self.ana,
            input_mint=given,
            output_mint=got,
            router_program=jupiter_v6.PROGRAM,
            amount_in=amount_in,
            minimum_amount_out=minimum,
            route_data=data,
            route_accounts=list(jupiter_v6.route_instruction(fixed, data, steps).accounts),
            guard=guard,
        )

    async def holdings(self, owner: Pubkey) -> tuple[int, int]:
        """Base mint and token."""
        _, balances = await self.people.node.token_balances(Wallet(str(owner)))
        usdc, bonk = (balances.get(Mint(str(mint)), 0) for mint in (self.usdc, self.bonk))
        return usdc, bonk


@pytest.mark.parametrize("chain", CHAINS)
async def test_a_vault_lives_from_its_first_deposit_to_its_closing(chain: Chain, tmp_path: Path) -> None:
    with chain(tmp_path) as url:
        async with SolanaNode(url) as node:
            await live(Life(People(node, url)))


async def live(life: Life) -> None:
    await life.begins()
    deposited = await life.opens_a_vault(500 * USDC)
    assert told(deposited) == [events.Deposited(life.vault, life.ana, life.usdc, 500 * USDC, 500 * USDC, deposited.read.block_time or 0)]
    granted = await life.grants()
    assert (await life.policy()).bot_epoch == granted.read.slot

    pays = local_amm.amount_out(RESERVE, RESERVE, 50 * USDC)
    guard = await life.guard()
    bought = await life.people.lands(life.trade_of(life.usdc, life.bonk, 50 * USDC, guard, minimum=pays), by=[life.bot])
    inner = [(Pubkey.from_string(each.program), each.data) for group in bought.read.inner_instructions for each in group.instructions]
    (event,) = events.traded(inner)
    assert told(bought) == [event]
    assert (event.amount_in, event.amount_out) == (50 * USDC, pays)
    assert await life.holdings(life.vault) == (450 * USDC, pays)
    assert await life.holdings(life.trade) == (0, 0)
    # The same on every chain that runs these files: nothing in the path of a trade depends on the machine.
    assert bought.read.compute_units is not None
    assert bought.read.compute_units < 30_000

    again = await life.people.is_refused(life.trade_of(life.usdc, life.bonk, 50 * USDC, guard), by=[life.bot])
    assert '{"Custom":6030}' in again.replace(" ", ""), "the nonce is used"
    tight = await life.people.is_refused(life.trade_of(life.usdc, life.bonk, 51 * USDC, await life.guard()), by=[life.bot])
    assert "6024" in tight, "above a tenth of the deposits"

    sold = await life.people.lands(life.trade_of(life.bonk, life.usdc, pays, await life.guard()), by=[life.bot])
    left, none = await life.holdings(life.vault)
    assert none == 0
    assert sold.read.error is None
    lost = 500 * USDC - left
    assert (await life.policy()).lost_in_day(sold.read.block_time or 0) == lost > 0

    await leaves(life, left)


async def leaves(life: Life, left: int) -> None:
    """Withdraws all, takes the bot's right away, closes everything; nothing stays behind."""
    withdrawn = await life.people.lands(
        instructions.withdraw(life.ana, life.usdc, left), instructions.revoke_bot_authority(life.ana), by=[life.owner]
    )
    moved, changed = told(withdrawn)
    assert isinstance(moved, events.Withdrawn)
    assert isinstance(changed, events.AuthorityChanged)
    assert (moved.amount, changed.current) == (left, None)
    closed = [
        *(
            instructions.close_token_account(life.ana, mint, of_trade_authority=of_trade)
            for mint in (life.usdc, life.bonk)
            for of_trade in (False, True)
        ),
        instructions.close_vault(life.ana),
    ]
    await life.people.lands(*closed, by=[life.owner])
    gone = (life.vault, accounts.policy_address(life.vault), accounts.token_account_address(life.vault, life.usdc))
    assert [await life.people.data(each) for each in gone] == [None, None, None]
    assert (await life.holdings(life.ana))[0] == 500 * USDC + left
