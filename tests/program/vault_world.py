"""A bare runtime with the vault program, an owner with USDC, a bot, and a market behind the router: the stage of the vault tests."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from solders.account import Account
from solders.clock import Clock
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0, MessageV1
from solders.pubkey import Pubkey
from solders.token.state import Mint, TokenAccount, TokenAccountState
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata
from tests.program.program_files import program
from tests.program.runtimes import runtime

from xorj.market import local_amm
from xorj.router import jupiter_v6
from xorj.vault import accounts, instructions
from xorj.vault.accounts import PROGRAM_ID, TOKEN_PROGRAM, token_account_address
from xorj.vault.errors import name_of
from xorj.vault.instructions import Guard
from xorj.vault.interface import INSTRUCTIONS

RICH = 10**12
NOW = 1_760_000_000
SLOT = 1_000
HOUR = 3_600
DAY = 24 * HOUR
USDC = 1_000_000
LOADER = instructions.UPGRADEABLE_LOADER
PROGRAM_DATA = Pubkey.find_program_address([bytes(PROGRAM_ID)], LOADER)[0]


def key(name: str) -> Keypair:
    """The same key for the same name, so that a failure can be looked at again."""
    return Keypair.from_seed(hashlib.sha256(name.encode()).digest())


@dataclass(frozen=True)
class Outcome:
    """What a transaction came to. `error` is the error's name, None on success."""

    error: str | None
    logs: list[str]
    compute_units: int
    inner: list[tuple[Pubkey, bytes]]


class VaultWorld:
    """Ana owns a vault and plenty of USDC; `bot` may be granted; BONK trades against USDC in a pool behind the router."""

    def __init__(self, *, router: bytes | None = None, features: str | None = None) -> None:
        self.svm = runtime(features)
        self.svm.add_program(PROGRAM_ID, program("xorj_vault"))
        self.svm.add_program(local_amm.PROGRAM, program("local_amm"))
        self.svm.add_program(jupiter_v6.PROGRAM, router or program("local_router"))
        self.owner, self.bot, self.stranger, self.admin, self.guardian = (key(name) for name in ("ana", "bot", "eve", "admin", "guard"))
        for person in (self.owner, self.bot, self.stranger, self.admin):
            self.svm.airdrop(person.pubkey(), RICH)
        self.usdc, self.bonk, self.wif = (key(name).pubkey() for name in ("usdc", "bonk", "wif"))
        for mint in (self.usdc, self.bonk, self.wif):
            self.plant_mint(mint)
        self.vault = accounts.vault_address(self.owner.pubkey())
        self.policy = accounts.policy_address(self.vault)
        self.trade = accounts.trade_authority_address(self.vault)
        self.nonce = 0
        self.at(SLOT, NOW)
        self.plant_upgrade_authority(self.admin.pubkey())

    # The clock and planted accounts

    def at(self, slot: int, unix_seconds: int) -> None:
        self.svm.set_clock(Clock(slot, unix_seconds, 0, 0, unix_seconds))

    def later(self, slots: int = 1, seconds: int = 1) -> None:
        now = self.svm.get_clock()
        self.at(now.slot + slots, now.unix_timestamp + seconds)

    @property
    def now(self) -> int:
        return int(self.svm.get_clock().unix_timestamp)

    @property
    def slot(self) -> int:
        return int(self.svm.get_clock().slot)

    def plant(self, address: Pubkey, data: bytes, owner: Pubkey = PROGRAM_ID, lamports: int = RICH) -> None:
        self.svm.set_account(address, Account(lamports, data, owner, False, 0))

    def plant_mint(self, mint: Pubkey, decimals: int = 6, token_program: Pubkey = TOKEN_PROGRAM) -> None:
        self.plant(mint, bytes(Mint(self.admin.pubkey(), 10**18, decimals, True, self.admin.pubkey())), token_program)

    def plant_upgrade_authority(self, authority: Pubkey | None) -> None:
        elf = self.svm.get_account(PROGRAM_DATA).data[45:]
        option = bytes(33) if authority is None else b"\x01" + bytes(authority)
        self.svm.set_account(PROGRAM_DATA, Account(RICH, (3).to_bytes(4, "little") + bytes(8) + option + elf, LOADER, False, 0))

    def hold(
        self,
        owner: Pubkey,
        mint: Pubkey,
        amount: int,
        *,
        at: Pubkey | None = None,
        delegate: Pubkey | None = None,
        close_authority: Pubkey | None = None,
        state: TokenAccountState = TokenAccountState.Initialized,
        token_program: Pubkey = TOKEN_PROGRAM,
    ) -> Pubkey:
        """Plants a token account, at the associated address unless told."""
        address = at or token_account_address(owner, mint, token_program)
        token = TokenAccount(mint, owner, amount, delegate, state, None, amount if delegate else 0, close_authority)
        self.plant(address, bytes(token), token_program)
        return address

    # Reading

    def balance(self, owner: Pubkey, mint: Pubkey) -> int:
        return self.amount(token_account_address(owner, mint))

    def amount(self, token_account: Pubkey) -> int:
        account = self.svm.get_account(token_account)
        return TokenAccount.from_bytes(bytes(account.data)[:165]).amount if account else 0

    def read_vault(self) -> accounts.VaultAccount:
        return accounts.decode_vault(bytes(self.svm.get_account(self.vault).data))

    def read_policy(self) -> accounts.VaultPolicy:
        return accounts.decode_policy(bytes(self.svm.get_account(self.policy).data))

    def read_config(self) -> accounts.Config:
        return accounts.decode_config(bytes(self.svm.get_account(accounts.config_address()).data))

    def state_of(self, addresses: Sequence[Pubkey]) -> dict[Pubkey, bytes | None]:
        """Everything about these accounts, to compare before with after."""
        found = {address: self.svm.get_account(address) for address in addresses}
        return {address: bytes(account) if account else None for address, account in found.items()}

    # Sending

    def send(self, *given: Instruction, signers: Sequence[Keypair] = (), payer: Keypair | None = None) -> Outcome:
        """One transaction; signs for everyone this world knows whose signature it needs."""
        payer = payer or self.admin
        known = {person.pubkey(): person for person in (self.owner, self.bot, self.stranger, self.admin, self.guardian, payer, *signers)}
        self.svm.expire_blockhash()
        message = self.message(payer.pubkey(), given)
        needed = message.account_keys[: message.header.num_required_signatures]
        done = self.svm.send_transaction(VersionedTransaction(message, [known[address] for address in needed]))
        return self._outcome(done, message)

    def message(self, payer: Pubkey, given: Sequence[Instruction]) -> MessageV0 | MessageV1:
        """What a transaction of these instructions says."""
        return MessageV0.try_compile(payer, list(given), [], self.svm.latest_blockhash())

    def all_keys(self, message: MessageV0 | MessageV1) -> list[Pubkey]:
        """Every account of the message, in its order."""
        return list(message.account_keys)

    def _outcome(self, done: TransactionMetadata | FailedTransactionMetadata, message: MessageV0 | MessageV1) -> Outcome:
        failed = isinstance(done, FailedTransactionMetadata)
        meta = done.meta() if failed else done
        keys = self.all_keys(message)
        inner = [
            (keys[each.instruction().program_id_index], bytes(each.instruction().data))
            for group in meta.inner_instructions()
            for each in group
        ]
        error = error_name(done.err()) if failed else None
        return Outcome(error, list(meta.logs()), meta.compute_units_consumed(), inner)

    def ok(self, *given: Instruction, signers: Sequence[Keypair] = ()) -> Outcome:
        done = self.send(*given, signers=signers)
        assert done.error is None, (done.error, done.logs)
        return done

    # The usual steps

    def with_config(self, vault_cap: int = 1_000 * USDC) -> "VaultWorld":
        admin = self.admin.pubkey()
        self.ok(
            instructions.initialize_config(
                admin, admin, self.usdc, admin=admin, guardian=self.guardian.pubkey(), vault_cap=vault_cap, loosening_delay_s=DAY
            )
        )
        return self

    def with_vault(self, deposit: int = 500 * USDC) -> "VaultWorld":
        """Config, vault, its token accounts for every mint, a deposit."""
        self.with_config()
        owner = self.owner.pubkey()
        self.ok(instructions.initialize_vault(owner))
        for mint in (self.usdc, self.bonk, self.wif):
            for holder in (owner, self.vault, self.trade):
                self.hold(holder, mint, 0)
        self.hold(owner, self.usdc, 10_000 * USDC)
        if deposit:
            self.ok(instructions.deposit(owner, self.usdc, deposit))
        return self

    def with_bot(self, deposit: int = 500 * USDC, **policy: object) -> "VaultWorld":
        """A vault whose policy admits what most tests do, and a granted bot one slot later."""
        self.with_vault(deposit)
        wide: dict[str, object] = {
            "spend_per_trade": 10**12,
            "spend_per_day": 10**12,
            "loss_per_day": 10**12,
            "spend_per_trade_bps": 10_000,
            "spend_per_day_bps": 10_000,
            "loss_per_day_bps": 10_000,
            "mint_mode": accounts.ANY_MINT,
        }
        self.ok(instructions.set_policy(self.owner.pubkey(), **wide | policy))  # type: ignore[arg-type]  # a table of keyword arguments
        self.ok(instructions.grant_bot_authority(self.owner.pubkey(), self.bot.pubkey()))
        self.later()
        return self

    def with_market(self, base_reserve: int = 100_000 * USDC, reserve: int = 100_000 * USDC) -> "VaultWorld":
        """Pools of USDC with BONK and with WIF."""
        for mint in (self.bonk, self.wif):
            pool = local_amm.pool_of(self.usdc, mint)
            self.hold(pool.address, self.usdc, base_reserve)
            self.hold(pool.address, mint, reserve)
            self.ok(local_amm.initialize_pool(self.admin.pubkey(), pool))
        return self

    def guard(self, **changes: int) -> Guard:
        """A guard that the vault accepts now, each time with a fresh nonce."""
        self.nonce += 1
        return replace(Guard(self.nonce, self.read_policy().bot_epoch, self.slot + 100), **changes)

    def hop(self, input_mint: Pubkey, output_mint: Pubkey) -> list[AccountMeta]:
        """The accounts of one step through the pool of these mints, for the trade authority."""
        source, destination = (token_account_address(self.trade, mint) for mint in (input_mint, output_mint))
        pool = local_amm.pool_of(input_mint, output_mint)
        return [
            jupiter_v6.step_program(local_amm.PROGRAM),
            *local_amm.step_accounts(pool, self.trade, source, destination, input_mint),
        ]

    def route_accounts(self, input_mint: Pubkey, output_mint: Pubkey, steps: Sequence[AccountMeta] = ()) -> list[AccountMeta]:
        source, destination = (token_account_address(self.trade, mint) for mint in (input_mint, output_mint))
        fixed = jupiter_v6.RouteAccounts(self.trade, source, destination, input_mint, output_mint)
        return list(jupiter_v6.route_instruction(fixed, b"", steps).accounts)

    def trade_of(
        self,
        input_mint: Pubkey,
        output_mint: Pubkey,
        amount_in: int,
        *,
        minimum: int = 1,
        guard: Guard | None = None,
        bot: Keypair | None = None,
        route_data: bytes | None = None,
        steps: Sequence[AccountMeta] | None = None,
        router: Pubkey = jupiter_v6.PROGRAM,
    ) -> Instruction:
        """A bot_trade through the honest router, or with what a test puts in its place."""
        data = route_data if route_data is not None else jupiter_v6.encode_route(amount_in, 1, 0, [jupiter_v6.RouteStep()])
        return instructions.bot_trade(
            (bot or self.bot).pubkey(),
            self.owner.pubkey(),
            input_mint=input_mint,
            output_mint=output_mint,
            router_program=router,
            amount_in=amount_in,
            minimum_amount_out=minimum,
            route_data=data,
            route_accounts=self.route_accounts(
                input_mint, output_mint, self.hop(input_mint, output_mint) if steps is None else list(steps)
            ),
            guard=guard or self.guard(),
        )

    def shared_route(self, amount_in: int, shared_id: int) -> Instruction:
        """A buy of BONK by shared_accounts_route_v2: through token accounts of the router's own authority, which holds them already."""
        authority = Pubkey.find_program_address([b"authority", bytes([shared_id])], jupiter_v6.PROGRAM)[0]
        inner_in, inner_out = (self.hold(authority, mint, 0) for mint in (self.usdc, self.bonk))
        source, destination = (token_account_address(self.trade, mint) for mint in (self.usdc, self.bonk))
        plain = [self.usdc, self.bonk, TOKEN_PROGRAM, TOKEN_PROGRAM, jupiter_v6.EVENT_AUTHORITY, jupiter_v6.PROGRAM]
        pool = local_amm.pool_of(self.usdc, self.bonk)
        route = [
            AccountMeta(authority, False, False),
            AccountMeta(self.trade, False, False),
            *(AccountMeta(each, False, True) for each in (source, inner_in, inner_out, destination)),
            *(AccountMeta(each, False, False) for each in plain),
            jupiter_v6.step_program(local_amm.PROGRAM),
            *local_amm.step_accounts(pool, authority, inner_in, inner_out, self.usdc),
        ]
        data = jupiter_v6.encode_route(amount_in, 1, 0, [jupiter_v6.RouteStep()], shared_id=shared_id)
        good = self.trade_of(self.usdc, self.bonk, amount_in, route_data=data)
        rest = [AccountMeta(meta.pubkey, False, meta.is_writable) for meta in route]
        return Instruction(good.program_id, good.data, [*good.accounts[:15], *rest])

    def buy(self, amount_in: int, mint: Pubkey | None = None) -> Instruction:
        return self.trade_of(self.usdc, mint or self.bonk, amount_in)

    def sell(self, amount_in: int, mint: Pubkey | None = None) -> Instruction:
        return self.trade_of(mint or self.bonk, self.usdc, amount_in)


def changed(
    instruction: Instruction, role: str, key: Pubkey | None = None, *, signer: bool | None = None, writable: bool | None = None
) -> Instruction:
    """The same instruction with another account, or other flags, in one role."""
    interface = next(each for each in INSTRUCTIONS if each.discriminator == bytes(instruction.data[:8]))
    at = [each.name for each in interface.accounts].index(role)
    metas = list(instruction.accounts)
    old = metas[at]
    metas[at] = AccountMeta(
        key or old.pubkey, old.is_signer if signer is None else signer, old.is_writable if writable is None else writable
    )
    return Instruction(instruction.program_id, instruction.data, metas)


def error_name(error: object) -> str:
    """`SlippageExceeded` for a custom code of ours, else the runtime's own word."""
    inner = getattr(error, "err", None)
    code = getattr(inner, "code", None)
    if code is not None:
        return name_of(code)
    return str(inner if inner is not None else error).rsplit(".", 1)[-1]
