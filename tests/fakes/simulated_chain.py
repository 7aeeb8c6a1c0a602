"""A chain in memory with the vault's rules, that can lose, delay, fork away and bring back transactions. For execution's tests.

What has landed is a list; every state is that list folded up to a slot, so that a fork is a removal and nothing needs undoing.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from xorj.chain.transactions import (
    Account,
    Blockhash,
    ChainInstruction,
    ChainTransaction,
    Commitment,
    EpochInfo,
    InnerInstructions,
    SendHint,
    SignatureInfo,
    SignatureStatus,
    Simulation,
    TokenBalance,
)
from xorj.localnet.genesis import token_account
from xorj.localnet.keys import local_keypair
from xorj.prices.price import Price
from xorj.primitives.amounts import Usd
from xorj.primitives.clock import ChainTime
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import LOCAL_GENESIS, USDC, Address, Mint, Signature, Slot, Wallet
from xorj.router import jupiter_v6
from xorj.router.jupiter_v6 import RouteAccounts, RouteStep
from xorj.router.quote import NoRoute, RouteQuote
from xorj.vault import accounts, borsh
from xorj.vault.accounts import NO_KEY, token_account_address
from xorj.vault.events import EVENT_TAG
from xorj.vault.instructions import BotTrade, Guard, VaultInstruction, decode, decode_bot_trade
from xorj.vault.interface import ACCOUNTS, EVENTS, LIMITS, NONCE_WINDOW, POSITION_SLOTS, WINDOW_BUCKETS

OWNER, BOT = local_keypair("simulated owner"), local_keypair("simulated bot")
BONK = Mint(str(local_keypair("simulated bonk").pubkey()))
VAULT = accounts.vault_address(OWNER.pubkey())
POLICY = accounts.policy_address(VAULT)
TRADE = accounts.trade_authority_address(VAULT)
EPOCH, DEPOSIT_RAW, FEE_LAMPORTS = 7, 1_000_000_000, 5_000
FINALITY_SLOTS, BLOCKHASH_BLOCKS, SKIPPED_SLOTS = 8, 150, 40
BORN_SLOT, BORN_SECONDS = 1_000, 1_700_000_000
_STRUCTURES = {structure.name: structure for structure in (*ACCOUNTS, *EVENTS)}


@dataclass(frozen=True)
class Landed:
    """One transaction in a block: a trade, or a brake. `output_raw` is 0 for what is no trade that succeeded."""

    signature: Signature
    slot: Slot
    call: BotTrade | VaultInstruction
    error: str | None
    output_raw: int

    @property
    def trade(self) -> BotTrade:
        assert isinstance(self.call, BotTrade)
        return self.call

    @property
    def is_effect(self) -> bool:
        return self.error is None and isinstance(self.call, BotTrade)


@dataclass
class SimulatedChain:
    """One unit of BONK costs one dollar. `fate` decides what becomes of bytes that are sent: slots until they land, None for never."""

    slot: int = BORN_SLOT
    landed: list[Landed] = field(default_factory=list)
    under_way: list[tuple[int, bytes]] = field(default_factory=list)
    fate: int | None = 1
    paused: bool = False
    bot: Keypair = BOT
    sent: dict[Signature, bytes] = field(default_factory=dict)
    # No token account is ever missing here, so that the trade is a message's only instruction.
    trade_index: int = 0

    @property
    def height(self) -> int:
        return self.slot - SKIPPED_SLOTS

    def slot_at(self, commitment: Commitment) -> Slot:
        back = {Commitment.PROCESSED: 0, Commitment.CONFIRMED: 1, Commitment.FINALIZED: FINALITY_SLOTS}[commitment]
        return Slot(self.slot - back)

    def passes(self, slots: int = 1) -> None:
        for _ in range(slots):
            self.slot += 1
            due = [data for at, data in self.under_way if at <= self.slot]
            self.under_way = [(at, data) for at, data in self.under_way if at > self.slot]
            for data in due:
                self._land(data)

    def accept(self, data: bytes) -> None:
        """Bytes on the wire: whoever sends them twice sends one transaction."""
        if self.fate is not None:
            self.under_way.append((self.slot + self.fate, data))

    def forks(self, *, comes_back: bool) -> None:
        """What is not finalized is undone; it may come back in a later block."""
        final = self.slot_at(Commitment.FINALIZED)
        undone = [one for one in self.landed if one.slot > final]
        self.landed = [one for one in self.landed if one.slot <= final]
        if comes_back:
            self.under_way += [(self.slot + 2, self.sent[one.signature]) for one in undone if one.signature in self.sent]

    def _land(self, data: bytes) -> None:
        whole = VersionedTransaction.from_bytes(data)
        signature = Signature(str(whole.signatures[0]))
        self.sent[signature] = data
        known = any(one.signature == signature for one in self.landed)
        if known or not _is_fresh(str(whole.message.recent_blockhash), self.height):
            return
        call = call_of(data)
        error = self.refusal(call, Slot(self.slot))
        output = call.amount_in if isinstance(call, BotTrade) and error is None else 0
        self.landed.append(Landed(signature, Slot(self.slot), call, error, output))

    def resumes(self) -> None:
        """Their owner lets his vault trade again."""
        signature, instruction = Signature(f"resumed in {self.slot}"), VaultInstruction("resume_vault", {}, (), {})
        self.landed.append(Landed(signature, Slot(self.slot), instruction, None, 0))

    def refusal(self, call: BotTrade | VaultInstruction, slot: Slot) -> str | None:
        """What the vault would say, as a node shows it."""
        guard, rules = guard_of(call), dict[int, bool]()
        if isinstance(call, BotTrade):
            rules[6026] = self.is_paused(slot)
        if guard is not None:
            rules[6029] = guard.bot_epoch != EPOCH
            rules[6033] = guard.deadline_slot < slot
            rules[6030] = guard.nonce in self.nonces(slot)
        if isinstance(call, BotTrade):
            rules[6004] = self.balances(slot)[Mint(str(call.input_mint))] < call.amount_in
        index = self.trade_index if isinstance(call, BotTrade) else 0
        return next((f'{{"InstructionError":[{index},{{"Custom":{code}}}]}}' for code, broken in rules.items() if broken), None)

    def effects(self, slot: Slot) -> list[Landed]:
        return [one for one in self.landed if one.is_effect and one.slot <= slot]

    def nonces(self, slot: Slot) -> set[int]:
        """Used up by a trade or burned."""
        guards = [guard_of(one.call) for one in self.landed if one.error is None and one.slot <= slot]
        return {guard.nonce for guard in guards if guard is not None}

    def is_paused(self, slot: Slot) -> bool:
        switched = [one.call.name for one in self.landed if isinstance(one.call, VaultInstruction) and not one.error and one.slot <= slot]
        last = [name for name in switched if name in ("pause_vault", "resume_vault")][-1:]
        return self.paused or last == ["pause_vault"]

    def balances(self, slot: Slot) -> dict[Mint, int]:
        held = defaultdict(int, {USDC: DEPOSIT_RAW, BONK: 0})
        for one in self.effects(slot):
            held[Mint(str(one.trade.input_mint))] -= one.trade.amount_in
            held[Mint(str(one.trade.output_mint))] += one.output_raw
        return held

    def account(self, address: Address, slot: Slot) -> Account | None:
        programs = {str(VAULT): _vault_bytes(), str(POLICY): self._policy_bytes(slot), str(accounts.config_address()): _config_bytes()}
        if address in programs:
            return Account(address, Address(str(accounts.PROGRAM_ID)), 1_000_000, programs[address], slot)
        if address == str(self.bot.pubkey()):
            return Account(address, Address("11111111111111111111111111111111"), 10**9, b"", slot)
        for mint, raw in self.balances(slot).items():
            key = Pubkey.from_string(mint)
            if address == mint:
                # 6 decimals, initialized
                return Account(address, Address(str(accounts.TOKEN_PROGRAM)), 1_461_600, bytes(44) + b"\x06\x01" + bytes(36), slot)
            for owner, amount in ((VAULT, raw), (TRADE, 0)):
                if address == str(token_account_address(owner, key)):
                    data = bytes(token_account(key, owner, amount).data)
                    return Account(address, Address(str(accounts.TOKEN_PROGRAM)), 2_000_000, data, slot)
        return None

    def transaction(self, signature: Signature, slot: Slot) -> ChainTransaction | None:
        one = next((one for one in self.landed if one.signature == signature and one.slot <= slot), None)
        return None if one is None else self._shown(one)

    def _shown(self, one: Landed) -> ChainTransaction:
        before = self.balances(Slot(one.slot - 1))
        earlier = [other for other in self.landed if other.slot == one.slot and self.landed.index(other) < self.landed.index(one)]
        for other in earlier:
            if other.is_effect:
                before[Mint(str(other.trade.input_mint))] -= other.trade.amount_in
                before[Mint(str(other.trade.output_mint))] += other.output_raw
        after = before.copy()
        inner: tuple[InnerInstructions, ...] = ()
        if one.is_effect:
            after[Mint(str(one.trade.input_mint))] -= one.trade.amount_in
            after[Mint(str(one.trade.output_mint))] += one.output_raw
            program = Address(str(accounts.PROGRAM_ID))
            inner = (InnerInstructions(0, (ChainInstruction(program, (), EVENT_TAG + _event_bytes(one)),)),)
        return ChainTransaction(
            signature=one.signature,
            slot=one.slot,
            transaction_index=0,
            block_time=BORN_SECONDS + one.slot,
            version=1,
            error=one.error,
            fee_lamports=FEE_LAMPORTS,
            signers_count=1,
            account_keys=(Address(str(self.bot.pubkey())),),
            pre_balances=(10**9,),
            post_balances=(10**9 - FEE_LAMPORTS,),
            pre_token_balances=_token_balances(before),
            post_token_balances=_token_balances(after),
            instructions=(),
            inner_instructions=inner,
            logs=(),
        )

    def _policy_bytes(self, slot: Slot) -> bytes:
        used = self.nonces(slot)
        base = max(0, max(used, default=0) - NONCE_WINDOW + 1)
        bitmap = sum(1 << (nonce - base) for nonce in used if nonce >= base)
        limits = {name: 10**12 for name, _ in LIMITS} | {"mint_mode": accounts.ANY_MINT, "bot_expires_at": 2**40}
        limits |= {name: 10_000 for name, _ in LIMITS if name.endswith("_bps")}
        free = {"mint": NO_KEY, "pinned_from": 0, "units": 0, "base_cost": 0}
        values: dict[str, object] = {
            "version": 1,
            "vault": VAULT,
            "base_mint": Pubkey.from_string(USDC),
            "trade_authority": TRADE,
            "bump": 255,
            "trade_authority_bump": 255,
            "paused": self.is_paused(slot),
            "was_granted": True,
            "bot_epoch": EPOCH,
            "nonce_base": base,
            "nonce_bitmap": list(bitmap.to_bytes(32, "little")),
            "window_hour": 0,
            "spend_buckets": [0] * WINDOW_BUCKETS,
            "loss_buckets": [0] * WINDOW_BUCKETS,
            "slots": [free] * POSITION_SLOTS,
            "loosening_delay": 3_600,
            "reserved": [0] * 56,
            **limits,
            **{f"pending_{name}": {"effective_at": 0, "value": 0} for name, _ in LIMITS},
        }
        return _encoded("VaultPolicy", values)


@dataclass
class SimulatedNode:
    """One provider's view of the chain. `lag` slots behind, or `down`; `blind` denies what it knows of signatures."""

    chain: SimulatedChain
    name: str = "node"
    lag: int = 0
    down: bool = False
    blind: bool = False
    first_block: int = 0
    genesis: str = LOCAL_GENESIS

    def _slot(self, commitment: Commitment) -> Slot:
        if self.down:
            raise Unavailable(self.name, "down")
        return Slot(self.chain.slot_at(commitment) - self.lag)

    async def signatures(
        self,
        address: Address,
        *,
        limit: int = 1_000,
        before: Signature | None = None,
        until: Signature | None = None,
        commitment: Commitment = Commitment.FINALIZED,
    ) -> list[SignatureInfo]:
        slot = self._slot(commitment)
        bots = [one for one in self.chain.landed if one.signature in self.chain.sent]
        rows = [SignatureInfo(one.signature, one.slot, None, one.error, 0) for one in bots if one.slot <= slot]
        rows.sort(key=lambda row: row.slot, reverse=True)
        known = [row.signature for row in rows]
        start = known.index(before) + 1 if before in known else 0
        end = known.index(until) if until in known else len(rows)
        return rows[start:end][:limit]

    async def transactions(
        self, signatures: Sequence[Signature], *, commitment: Commitment = Commitment.FINALIZED
    ) -> list[ChainTransaction | None]:
        slot = self._slot(commitment)
        return [None if self.blind else self.chain.transaction(signature, slot) for signature in signatures]

    async def accounts(
        self, addresses: Sequence[Address], *, commitment: Commitment = Commitment.CONFIRMED, slot_min: Slot | None = None
    ) -> list[Account | None]:
        slot = self._slot(commitment)
        return [self.chain.account(address, slot) for address in addresses]

    async def token_balances(self, owner: Wallet, *, commitment: Commitment = Commitment.CONFIRMED) -> tuple[Slot, dict[Mint, int]]:
        slot = self._slot(commitment)
        return slot, self.chain.balances(slot)

    async def lamports(self, address: Address, *, commitment: Commitment = Commitment.CONFIRMED) -> int:
        return 10**9

    async def statuses(self, signatures: Sequence[Signature]) -> tuple[Slot, list[SignatureStatus | None]]:
        processed = self._slot(Commitment.PROCESSED)
        return processed, [None if self.blind else self._status(signature) for signature in signatures]

    async def epoch_info(self, *, commitment: Commitment = Commitment.FINALIZED) -> EpochInfo:
        slot = self._slot(commitment)
        return EpochInfo(slot, slot - SKIPPED_SLOTS)

    async def is_blockhash_valid(self, blockhash: str, *, commitment: Commitment = Commitment.FINALIZED) -> tuple[Slot, bool]:
        slot = self._slot(commitment)
        return slot, _is_fresh(blockhash, slot - SKIPPED_SLOTS)

    async def first_available_block(self) -> Slot:
        self._slot(Commitment.PROCESSED)
        return Slot(self.first_block)

    async def genesis_hash(self) -> str:
        return self.genesis

    async def latest_blockhash(self, *, commitment: Commitment = Commitment.CONFIRMED) -> Blockhash:
        slot = self._slot(commitment)
        height = slot - SKIPPED_SLOTS
        return Blockhash(_blockhash(height), height + BLOCKHASH_BLOCKS, slot)

    async def recent_priority_fees(self, addresses: Sequence[Address]) -> list[int]:
        return [0, 100, 5_000]

    async def send(self, transaction: bytes) -> SendHint:
        if self.down:
            return SendHint(accepted=False, detail="down")
        self.chain.accept(transaction)
        return SendHint(accepted=True, detail="ok")

    async def simulate(self, transaction: bytes, *, accounts: Sequence[Address] = ()) -> Simulation:
        slot, trade = self._slot(Commitment.CONFIRMED), trade_of(transaction)
        error = self.chain.refusal(trade, slot)
        done = Landed(Signature("simulated"), slot, trade, error, 0 if error else trade.amount_in)
        after = replace(self.chain, landed=[*self.chain.landed, done])
        return Simulation(error, (), 80_000, tuple(after.account(address, slot) for address in accounts), slot)

    async def now(self) -> ChainTime:
        slot = self._slot(Commitment.CONFIRMED)
        return ChainTime(slot, slot - SKIPPED_SLOTS, BORN_SECONDS + slot)

    def _status(self, signature: Signature) -> SignatureStatus | None:
        for commitment in (Commitment.FINALIZED, Commitment.CONFIRMED, Commitment.PROCESSED):
            found = self.chain.transaction(signature, self._slot(commitment))
            if found is not None:
                return SignatureStatus(found.slot, commitment, found.error)
        return None


@dataclass
class SimulatedRouter:
    """A direct route at one to one."""

    no_route: bool = False

    async def quote(
        self, input_mint: Mint, output_mint: Mint, amount_in_raw: int, *, slippage_bps: int, taker: Address, payer: Address, output: Address
    ) -> RouteQuote | NoRoute:
        return NoRoute("NO_ROUTES_FOUND") if self.no_route else quote_for(input_mint, output_mint, amount_in_raw, slippage_bps)


def quote_for(input_mint: Mint, output_mint: Mint, amount_in_raw: int, slippage_bps: int = 100) -> RouteQuote:
    given, wanted = Pubkey.from_string(input_mint), Pubkey.from_string(output_mint)
    source, destination = (token_account_address(TRADE, mint) for mint in (given, wanted))
    data = jupiter_v6.encode_route(amount_in_raw, amount_in_raw, slippage_bps, [RouteStep()])
    step: list[AccountMeta] = [jupiter_v6.step_program(local_keypair("simulated amm").pubkey())]
    instruction: Instruction = jupiter_v6.route_instruction(RouteAccounts(TRADE, source, destination, given, wanted), data, step)
    floor = amount_in_raw * (10_000 - slippage_bps) // 10_000
    return RouteQuote(input_mint, output_mint, amount_in_raw, amount_in_raw, floor, slippage_bps, 0.0001, instruction)


@dataclass
class SimulatedPrices:
    chain: SimulatedChain

    async def prices(self, mints: Sequence[Mint]) -> dict[Mint, Price]:
        return {mint: Price(mint, Usd(Decimal(1)), 6, Slot(self.chain.slot), "simulated") for mint in mints}


def trade_of(data: bytes) -> BotTrade:
    """The one bot_trade of a transaction's bytes."""
    call = call_of(data)
    assert isinstance(call, BotTrade), call
    return call


def guard_of(call: BotTrade | VaultInstruction) -> Guard | None:
    """None where the instruction has none."""
    if isinstance(call, BotTrade):
        return call.guard
    guard = call.arguments.get("guard")
    return Guard(**guard) if isinstance(guard, dict) else None  # type: ignore[arg-type]  # three integers


def call_of(data: bytes) -> BotTrade | VaultInstruction:
    """The one instruction of the vault in a transaction's bytes."""
    message = VersionedTransaction.from_bytes(data).message
    keys = message.account_keys
    for compiled in message.instructions:
        if keys[compiled.program_id_index] == accounts.PROGRAM_ID:
            metas = [AccountMeta(keys[index], False, False) for index in bytes(compiled.accounts)]
            read = decode(bytes(compiled.data), [meta.pubkey for meta in metas])
            return decode_bot_trade(Instruction(accounts.PROGRAM_ID, bytes(compiled.data), metas)) if read.name == "bot_trade" else read
    raise AssertionError("no instruction of the vault in these bytes")


def _blockhash(height: int) -> str:
    return str(Pubkey.from_bytes(height.to_bytes(32, "big")))


def _is_fresh(blockhash: str, height: int) -> bool:
    return height <= int.from_bytes(bytes(Pubkey.from_string(blockhash)), "big") + BLOCKHASH_BLOCKS


def _token_balances(held: dict[Mint, int]) -> tuple[TokenBalance, ...]:
    owner, program = Wallet(str(VAULT)), Address(str(accounts.TOKEN_PROGRAM))
    return tuple(TokenBalance(number, mint, owner, program, raw, 6) for number, (mint, raw) in enumerate(sorted(held.items())))


def _encoded(name: str, values: dict[str, object]) -> bytes:
    structure = _STRUCTURES[name]
    return (structure.discriminator or b"") + borsh.encode(structure.fields, values)


def _vault_bytes() -> bytes:
    values: dict[str, object] = {
        "owner": OWNER.pubkey(),
        "total_deposited": DEPOSIT_RAW,
        "bot_authority": BOT.pubkey(),
        "is_active": True,
        "created_at": BORN_SECONDS,
        "bump": 255,
    }
    return _encoded("VaultAccount", values).ljust(accounts.VAULT_BYTES, b"\0")


def _config_bytes() -> bytes:
    values: dict[str, object] = {
        "version": 1,
        "bump": 255,
        "paused": False,
        "routers": 1,
        "pending_routers": 0,
        "routers_effective_at": 0,
        "admin": OWNER.pubkey(),
        "pending_admin": NO_KEY,
        "guardian": OWNER.pubkey(),
        "base_mint": Pubkey.from_string(USDC),
        "vault_cap": 10**9,
        "loosening_delay": 3_600,
        "reserved": [0] * 64,
    }
    return _encoded("Config", values)


def _event_bytes(one: Landed) -> bytes:
    values: dict[str, object] = {
        "vault": VAULT,
        "bot_authority": BOT.pubkey(),
        "input_mint": one.trade.input_mint,
        "output_mint": one.trade.output_mint,
        "amount_in": one.trade.amount_in,
        "amount_out": one.output_raw,
        "minimum_amount_out": one.trade.minimum_amount_out,
        "timestamp": BORN_SECONDS + one.slot,
    }
    return _encoded("TradeExecuted", values)
