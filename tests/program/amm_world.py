"""A bare runtime with both local programs, two pools and a trader: the stage of the pool and router tests."""

from itertools import pairwise

from solders.account import Account
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.token import ID as TOKEN
from solders.token.associated import get_associated_token_address
from solders.token.state import Mint, TokenAccount, TokenAccountState
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata
from tests.program.program_files import program

from xorj.market import local_amm
from xorj.router import jupiter_v6

RICH = 10**12


def key(seed: int) -> Keypair:
    return Keypair.from_seed(bytes([seed]) * 32)


class AmmWorld:
    """Mints A, B and C; pools A/B and B/C; a trader with plenty of each."""

    def __init__(self) -> None:
        self.svm = LiteSVM()
        self.svm.add_program(local_amm.PROGRAM, program("local_amm"))
        self.svm.add_program(jupiter_v6.PROGRAM, program("local_router"))
        self.trader = key(1)
        self.svm.airdrop(self.trader.pubkey(), RICH)
        self.a, self.b, self.c = (key(seed).pubkey() for seed in (11, 12, 13))
        for mint in (self.a, self.b, self.c):
            self.svm.set_account(mint, Account(RICH, bytes(Mint(None, 10**15, 6, True, None)), TOKEN, False, 0))
            self.hold(self.trader.pubkey(), mint, RICH)

    def hold(self, owner: Pubkey, mint: Pubkey, amount: int) -> Pubkey:
        """Plants a token account at the associated address."""
        address = get_associated_token_address(owner, mint, TOKEN)
        state = TokenAccount(mint, owner, amount, None, TokenAccountState.Initialized, None, 0, None)
        self.svm.set_account(address, Account(RICH, bytes(state), TOKEN, False, 0))
        return address

    def pool(self, mint: Pubkey, other: Pubkey, reserve: int, other_reserve: int) -> local_amm.Pool:
        """Creates the pair's pool through the program, with these reserves."""
        pool = local_amm.pool_of(mint, other)
        for each, amount in ((mint, reserve), (other, other_reserve)):
            self.hold(pool.address, each, amount)
        assert self.send(local_amm.initialize_pool(self.trader.pubkey(), pool)) is None
        return pool

    def balance(self, owner: Pubkey, mint: Pubkey) -> int:
        account = self.svm.get_account(get_associated_token_address(owner, mint, TOKEN))
        return TokenAccount.from_bytes(account.data).amount if account else 0

    def transact(self, *instructions: Instruction, signers: tuple[Keypair, ...] = ()) -> TransactionMetadata | FailedTransactionMetadata:
        self.svm.expire_blockhash()
        keys = (self.trader, *signers)
        message = MessageV0.try_compile(self.trader.pubkey(), list(instructions), [], self.svm.latest_blockhash())
        return self.svm.send_transaction(VersionedTransaction(message, keys))

    def send(self, *instructions: Instruction) -> str | None:
        """None on success, else the error's text."""
        done = self.transact(*instructions)
        return str(done.err()) if isinstance(done, FailedTransactionMetadata) else None

    def route(self, *mints: Pubkey, amount_in: int, quoted: int, slippage_bps: int = 0, owner: Pubkey | None = None) -> Instruction:
        """route_v2 along `mints` through their pools."""
        who = owner or self.trader.pubkey()
        account = {mint: get_associated_token_address(who, mint, TOKEN) for mint in mints}
        hops = list(pairwise(mints))
        steps = [jupiter_v6.RouteStep(input_index=i, output_index=i + 1) for i in range(len(hops))]
        metas = [
            meta
            for given, got in hops
            for meta in (
                jupiter_v6.step_program(local_amm.PROGRAM),
                *local_amm.step_accounts(local_amm.pool_of(given, got), who, account[given], account[got], given),
            )
        ]
        accounts = jupiter_v6.RouteAccounts(who, account[mints[0]], account[mints[-1]], mints[0], mints[-1])
        return jupiter_v6.route_instruction(accounts, jupiter_v6.encode_route(amount_in, quoted, slippage_bps, steps), metas)
