"""The world of the tour "from a leader trade to its settlement": Ana leads, Ben's vault follows, on a chain and stores in memory.

Every workflow is the real one. What a process would forget when it dies is made anew by `dies_and_restarts`; what is stored stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from solders.keypair import Keypair
from solders.signature import Signature as RawSignature
from tests.fakes.chain_history import ChainHistory
from tests.fakes.copy_rows import MemoryRows, wallet
from tests.fakes.copying_memory import FillRow, IntentRow
from tests.fakes.simulated_chain import BONK, BOT, OWNER, VAULT, SimulatedPrices
from tests.fakes.simulated_desk import World

from xorj.chain.transactions import Account, ChainInstruction, ChainTransaction, Commitment, TokenBalance
from xorj.copying.decision import Decision
from xorj.copying.exposure import Bounds
from xorj.copying.follow_leaders import Watch, follow_leader
from xorj.copying.follow_ranking import follow_ranking
from xorj.copying.plan_copies import Planning, plan_undecided
from xorj.copying.plan_missed_exits import plan_missed_exits
from xorj.copying.ports import PlannedCopy
from xorj.copying.situation import Running, Stopped
from xorj.execution.execute_intents import execute_intent
from xorj.execution.intent import Intent, IntentState
from xorj.execution.lease import Lease
from xorj.execution.ports import Moment
from xorj.execution.reconcile_intents import Resends, reconcile
from xorj.localnet.genesis import mint_account
from xorj.market.local_amm import PROGRAM_ID as LOCAL_AMM
from xorj.portfolio.attribution import Holdings
from xorj.portfolio.follow_vaults import Ended, follow_vaults
from xorj.portfolio.ledger import Comparison, LedgerCause, LedgerEntry
from xorj.portfolio.reconcile_ledger import Books, ledger_matches_chain
from xorj.primitives.ids import USDC, Address, Mint, Signature, Slot, UserId, Wallet

ANA = wallet("ana")
BEN = Wallet(str(OWNER.pubkey()))
BEN_VAULT = Address(str(VAULT))
WIF = Mint(str(Keypair.from_seed(bytes(31) + b"\x07").pubkey()))
MINTS = (USDC, BONK, WIF)
UNIT = 1_000_000
ROUNDS_MAX, SLOTS_A_ROUND = 60, 5


class Died(BaseException):
    """SIGKILL: no handler of ours may see it."""


@dataclass
class FlowChain:
    """Ana's history and balances, and whatever else of accounts the vault's chain lacks. Implements HistoryReader and AccountReader."""

    world: World
    history: ChainHistory = field(default_factory=ChainHistory)
    held: dict[Mint, int] = field(default_factory=lambda: {USDC: 1_000 * UNIT, BONK: 0, WIF: 0})
    count: int = 0
    accounts_asked: int = 0

    def trades(self, given: Mint, given_raw: int, got: Mint, got_raw: int) -> ChainTransaction:
        """Ana swaps; it is confirmed at once."""
        self.count += 1
        before = dict(self.held)
        self.held[given] -= given_raw
        self.held[got] += got_raw
        signature = Signature(str(RawSignature.from_bytes(self.count.to_bytes(64, "big"))))
        keys = (Address(ANA), *(Address(wallet(f"{who}'s {mint}")) for who in ("ana", "pool") for mint in MINTS), LOCAL_AMM)
        made = ChainTransaction(
            signature=signature,
            slot=Slot(self.world.chain.slot),
            transaction_index=self.count,
            block_time=1_700_000_000,
            version=0,
            error=None,
            fee_lamports=5_000,
            signers_count=1,
            account_keys=keys,
            pre_balances=(10**9, *[1] * (len(keys) - 1)),
            post_balances=(10**9 - 5_000, *[1] * (len(keys) - 1)),
            pre_token_balances=_rows(before),
            post_token_balances=_rows(self.held),
            instructions=(ChainInstruction(LOCAL_AMM, (), b"\x01", 1),),
            inner_instructions=(),
            logs=(),
        )
        self.history.add(made)
        self.world.chain.passes(2)
        return made

    async def token_balances(self, owner: Wallet, *, commitment: Commitment = Commitment.CONFIRMED) -> tuple[Slot, dict[Mint, int]]:
        return Slot(self.world.chain.slot), dict(self.held)

    async def lamports(self, address: Address, *, commitment: Commitment = Commitment.CONFIRMED) -> int:
        return 0

    async def accounts(
        self, addresses: Sequence[Address], *, commitment: Commitment = Commitment.CONFIRMED, slot_min: Slot | None = None
    ) -> list[Account | None]:
        self.accounts_asked += 1
        found = await self.world.nodes[0].accounts(addresses, commitment=commitment)
        return [self._mint(address) if address in MINTS else account for address, account in zip(addresses, found, strict=True)]

    def _mint(self, mint: Address) -> Account:
        account = mint_account(OWNER.pubkey(), decimals=6)
        return Account(mint, Address(str(account.owner)), account.lamports, bytes(account.data), Slot(self.world.chain.slot))


def _rows(held: dict[Mint, int]) -> tuple[TokenBalance, ...]:
    program = Address("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
    hers = [TokenBalance(number, mint, ANA, program, held[mint], 6) for number, mint in enumerate(MINTS, 1)]
    # what she gives the pool has, and what she gets it had
    pools = [
        TokenBalance(number, mint, wallet("a pool"), program, 10**18 - held[mint], 6) for number, mint in enumerate(MINTS, 1 + len(MINTS))
    ]
    return (*hers, *pools)


@dataclass
class CopyWorld:
    """Ben's vault holds 1,000 USDC and gives Ana all of its equity; she has 1,000 USD of her own. Every token costs a dollar."""

    trading: World = field(default_factory=World)
    rows: MemoryRows = field(default_factory=MemoryRows)
    draining: bool = False
    lease: Lease | None = None
    bounds: Bounds = field(default_factory=lambda: Bounds(share_bps=500, floor_raw=10_000 * UNIT, ramp_days=30))

    def __post_init__(self) -> None:
        self.chain = FlowChain(self.trading)
        self._forget()

    @staticmethod
    async def following() -> "CopyWorld":
        world = CopyWorld()
        await world.rows.user(BEN)
        await world.looks_at_vaults()
        world.rows.memory.ledger[BEN_VAULT, Signature("deposit"), USDC] = LedgerEntry(
            BEN_VAULT, USDC, 1_000 * UNIT, LedgerCause.DEPOSIT, Signature("deposit"), Slot(1), None
        )
        await world.rows.order(BEN_VAULT, allocation_bps=10_000)
        await world.rows.ranking([ANA])
        await follow_ranking(world.rows.stores.subscriptions, world.trading.nodes[0])
        return world

    def _forget(self) -> None:
        """What a new process begins with."""
        node, stores = self.trading.nodes[0], self.rows.stores
        feed = SimulatedPrices(self.trading.chain)
        self.watch = Watch(stores.trades, self.chain.history, self.chain, feed, node)
        self.planning = Planning(
            stores.trades,
            stores.follows,
            stores.portfolios,
            stores.standings,
            stores.decisions,
            self.chain,
            feed,
            stores.switch,
            node,
            Wallet(str(BOT.pubkey())),
            USDC,
            self.bounds,
        )
        self.resends = Resends()
        self.dies_at: Moment | None = None
        self.lease = None

    # What Ana does

    def buys(self, mint: Mint, usdc: int) -> None:
        self.chain.trades(USDC, usdc * UNIT, mint, usdc * UNIT)

    def sells(self, mint: Mint, usdc: int) -> None:
        self.chain.trades(mint, usdc * UNIT, USDC, usdc * UNIT)

    def switches(self, given: Mint, got: Mint, usdc: int) -> None:
        self.chain.trades(given, usdc * UNIT, got, usdc * UNIT)

    # The tour

    async def sees(self) -> int:
        """How many trades are new."""
        return len((await follow_leader(ANA, self.watch)).trades)

    async def plans_copies(self) -> list[Decision]:
        await self.sees()
        self._carry_over()
        decisions = [each for outcome in await plan_undecided(self.planning) for each in outcome.decisions]
        self._carry_over()
        return decisions

    async def executes(self) -> None:
        desk, lease = self.trading.desk(self._checkpoint), await self._lease()
        for intent in await desk.stores.intents.open_intents():
            await execute_intent(desk, lease, intent)

    async def settles(self) -> list[str]:
        """Runs execution until nothing is open; the states in which intents have ended, in the order of their making."""
        for _ in range(ROUNDS_MAX):
            await self.executes()
            self.trading.chain.passes(SLOTS_A_ROUND)
            await reconcile(self.trading.desk(self._checkpoint), await self._lease(), self._audit, self.resends)
            self._carry_over()
            if all(intent.state.is_terminal for intent in self.trading.memory.intents.values()):
                break
        return [intent.state.value for intent in self.trading.memory.intents.values()]

    async def dies_and_restarts(self, at: Moment) -> None:
        """Executes until the process is killed at that moment; a new process finds everything out."""
        self.dies_at = at
        try:
            await self.settles()
        except Died:
            self.trading.leases.lapse()
            self._carry_over()
            self._forget()
            return
        raise AssertionError(f"{at} was not reached")

    def is_restarted(self) -> None:
        self.trading.leases.lapse()
        self._forget()

    async def looks_at_vaults(self) -> list[Ended]:
        return await follow_vaults(self.rows.stores.vaults, self.chain, self.trading.nodes[0], bot=Wallet(str(BOT.pubkey())))

    async def plans_missed_exits(self) -> list[PlannedCopy]:
        copies = await plan_missed_exits(self.planning, self.rows.stores.exits)
        self._carry_over()
        return copies

    def goes_on(self) -> None:
        self.rows.memory.switch, self.trading.memory.stopped = Running(), None

    def is_stopped(self, reason: str) -> None:
        self.rows.memory.switch, self.trading.memory.stopped = Stopped(reason), reason

    # What one sees of it

    async def compares(self) -> Comparison:
        (vault,) = await self.rows.stores.vaults.known()
        return await ledger_matches_chain(vault, Books(self.rows.stores.ledger, self.rows.stores.vaults, ChainHistory(), self.chain))

    @property
    def holdings(self) -> Holdings:
        return self.rows.memory.holdings_of(BEN_VAULT)

    @property
    def effects(self) -> int:
        return len(self.trading.chain.effects(Slot(self.trading.chain.slot)))

    # Between the two memories, which are one database in earnest

    def _carry_over(self) -> None:
        theirs = self.trading.memory
        for row in self.rows.memory.intents.values():
            if row.id not in theirs.intents:
                theirs.intents[row.id] = _intent(row)
            row.state = theirs.intents[row.id].state.value
        for attempt_id, fill in theirs.fills.items():
            row = self.rows.memory.intents[theirs.attempts[attempt_id].intent_id]
            made = FillRow(row.vault, row.leader, row.side, fill.slot, 0, row.input_mint, fill.input_raw, row.output_mint, fill.output_raw)
            if made not in self.rows.memory.fills:
                self.rows.memory.fills.append(made)
            for change in fill.changes:
                entry = LedgerEntry(row.vault, change.mint, change.delta_raw, LedgerCause.TRADE, fill.signature, fill.slot, None)
                self.rows.memory.ledger.setdefault((row.vault, fill.signature, change.mint), entry)

    async def _lease(self) -> Lease:
        if self.lease is None:
            taken = await self.trading.leases.take("bot")
            assert isinstance(taken, Lease)
            self.lease = taken
        return self.lease

    async def _checkpoint(self, moment: Moment, _intent_id: str) -> None:
        if moment is self.dies_at:
            raise Died(moment)

    async def _audit(self) -> dict[Address, str]:
        return {}


def _intent(row: IntentRow) -> Intent:
    return Intent(
        id=row.id,
        user_id=UserId("ben"),
        vault=row.vault,
        owner=BEN,
        base_mint=USDC,
        leader=row.leader,
        side=row.side,
        input_mint=row.input_mint,
        output_mint=row.output_mint,
        amount_in_raw=row.amount_in_raw,
        slippage_bps=100,
        state=IntentState.NEW,
        reason=None,
        nonce=None,
        bot_epoch=None,
        created_slot=row.created_slot,
        expires_slot=row.expires_slot,
        attempts_count=0,
        version=0,
    )


def later(world: CopyWorld, slots: int) -> None:
    """Time passes and nobody looks."""
    world.trading.chain.passes(slots)
