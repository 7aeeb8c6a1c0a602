"""The world of the largest route that counts: two hops through the router's own accounts, by either version of a transaction.

A trade names 15 accounts of the vault and up to 50 of the router. With lookup tables (the router's two, and ours for the vault's fixed
accounts) it is a transaction of version 0; of version 1 it needs none. The test and the bench of the program measure it.
"""

from collections.abc import Sequence

from solders.account import Account
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.instruction import AccountMeta, Instruction
from solders.message import MessageV0, MessageV1, TransactionConfig
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from tests.program.vault_world import RICH, USDC, VaultWorld, key

from xorj.market import local_amm
from xorj.router import jupiter_v6
from xorj.vault import accounts
from xorj.vault.accounts import TOKEN_PROGRAM, token_account_address

BYTES_MAX, BYTES_MAX_OF_VERSION_1, LOCKS_MAX = 1_232, 4_096, 64
TABLE_PROGRAM = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")
UNITS_MAX = 400_000
SHARED_ID = 3
RESERVE = 10**12


class Tabled(VaultWorld):
    """Sends transactions of version 0 with the lookup tables that it has laid out."""

    tables: Sequence[AddressLookupTableAccount] = ()

    def lays_out_tables(self, trade: Instruction) -> None:
        """Ours holds the vault's fixed accounts; the router's accounts lie in two of its own."""
        ours = [meta.pubkey for meta in trade.accounts[:15]]
        routers = [meta.pubkey for meta in trade.accounts[15:] if meta.pubkey not in ours]
        distinct = list(dict.fromkeys(routers))
        half = len(distinct) // 2
        self.tables = [self.table(name, held) for name, held in (("ours", ours), ("one", distinct[:half]), ("two", distinct[half:]))]

    def table(self, name: str, held: Sequence[Pubkey]) -> AddressLookupTableAccount:
        """Plants a lookup table as the runtime stores it: kind, never deactivated, extended long ago, no authority."""
        address = key(f"table {name}").pubkey()
        head = (1).to_bytes(4, "little") + (2**64 - 1).to_bytes(8, "little") + bytes(8) + b"\0" + b"\0" + bytes(32) + bytes(2)
        self.svm.set_account(address, Account(RICH, head + b"".join(map(bytes, held)), TABLE_PROGRAM, False, 0))
        return AddressLookupTableAccount(address, list(held))

    def message(self, payer: Pubkey, given: Sequence[Instruction]) -> MessageV0 | MessageV1:
        return MessageV0.try_compile(payer, list(given), list(self.tables), self.svm.latest_blockhash())

    def all_keys(self, message: MessageV0 | MessageV1) -> list[Pubkey]:
        held = {table.key: table.addresses for table in self.tables}
        lookups = list(message.address_table_lookups) if isinstance(message, MessageV0) else []
        writable = [held[each.account_key][place] for each in lookups for place in each.writable_indexes]
        read = [held[each.account_key][place] for each in lookups for place in each.readonly_indexes]
        return [*message.account_keys, *writable, *read]

    def measured(self, instructions: Sequence[Instruction]) -> tuple[int, int]:
        """Bytes of the signed transaction that the bot pays for, and the accounts that it locks."""
        message = self.message(self.bot.pubkey(), instructions)
        return len(bytes(VersionedTransaction(message, [self.bot]))), len(self.all_keys(message))


class TwoHops(Tabled):
    """USDC to BONK to WIF by shared_accounts_route_v2: everything between is the router's own authority's."""

    def __init__(self) -> None:
        super().__init__()
        self.with_bot().with_market(RESERVE, RESERVE)
        between = local_amm.pool_of(self.bonk, self.wif)
        for mint in (self.bonk, self.wif):
            self.hold(between.address, mint, RESERVE)
        self.ok(local_amm.initialize_pool(self.admin.pubkey(), between))
        self.authority = Pubkey.find_program_address([b"authority", bytes([SHARED_ID])], jupiter_v6.PROGRAM)[0]
        self.inner = {mint: self.hold(self.authority, mint, 0) for mint in (self.usdc, self.bonk, self.wif)}

    def route(self, count: int) -> list[AccountMeta]:
        """So many accounts of the router: its fixed ones, both steps', and what a venue with more accounts would add."""
        source, destination = (token_account_address(self.trade, mint) for mint in (self.usdc, self.wif))
        plain = [self.usdc, self.wif, TOKEN_PROGRAM, TOKEN_PROGRAM, jupiter_v6.EVENT_AUTHORITY, jupiter_v6.PROGRAM]
        metas = [
            *(AccountMeta(each, False, False) for each in (self.authority, self.trade)),
            *(AccountMeta(each, False, True) for each in (source, self.inner[self.usdc], self.inner[self.wif], destination)),
            *(AccountMeta(each, False, False) for each in plain),
        ]
        for given, got in ((self.usdc, self.bonk), (self.bonk, self.wif)):
            pool = local_amm.pool_of(given, got)
            metas.append(jupiter_v6.step_program(local_amm.PROGRAM))
            metas.extend(local_amm.step_accounts(pool, self.authority, self.inner[given], self.inner[got], given))
        more = [key(f"tick array {n}").pubkey() for n in range(count - len(metas))]
        for address in more:
            self.plant(address, bytes(100), local_amm.PROGRAM)
        metas.extend(AccountMeta(each, False, place % 2 == 0) for place, each in enumerate(more))
        return [AccountMeta(meta.pubkey, False, meta.is_writable) for meta in metas]

    def trade_through(self, count: int) -> list[Instruction]:
        """The trade as the bot sends it, with its compute budget."""
        steps = [jupiter_v6.RouteStep(), jupiter_v6.RouteStep(input_index=1, output_index=2)]
        data = jupiter_v6.encode_route(100 * USDC, 1, 0, steps, shared_id=SHARED_ID)
        good = self.trade_of(self.usdc, self.wif, 100 * USDC, route_data=data, steps=[])
        return [
            set_compute_unit_limit(UNITS_MAX),
            set_compute_unit_price(10_000),
            Instruction(good.program_id, good.data, [*good.accounts[:15], *self.route(count)]),
        ]


class TwoHopsOfVersion1(TwoHops):
    """No tables: every address stands in the message."""

    def message(self, payer: Pubkey, given: Sequence[Instruction]) -> MessageV0 | MessageV1:
        inline = [each for each in given if each.program_id == accounts.PROGRAM_ID] or list(given)
        config = TransactionConfig(compute_unit_limit=UNITS_MAX, priority_fee=10_000)
        return MessageV1.try_compile(payer, inline, self.svm.latest_blockhash(), config)
