"""The demo market's first state: tokens, pools, funded leaders, the arbitrage account's stock. Executed history starts from here.

Used by services/localnet.py through market.
"""

from dataclasses import replace

from solders.account import Account
from solders.pubkey import Pubkey

from xorj.demo.identities import ARBITRAGE, CONFIG_ADMIN, GUARDIAN
from xorj.demo.leaders import Leader
from xorj.demo.tokens import PRICE_UNITS_PER_USD, SOL_TOKEN, USDC_DECIMALS, USDC_MINT, DemoToken
from xorj.localnet.genesis import Genesis, local_genesis, mint_account, token_account, wallet_account
from xorj.localnet.keys import FAUCET, MINT_AUTHORITY
from xorj.market import local_amm
from xorj.vault.accounts import TOKEN_PROGRAM, token_account_address

LEADER_LAMPORTS = 200_000_000_000
STAFF_LAMPORTS = 10_000_000_000_000
FAUCET_USDC_RAW = 10**15
ARBITRAGE_USDC_RAW = 10**16
STOCK_DEPTHS = 1_000
POOL_LAMPORTS = 2_000_000
SLOTS_PER_SECOND = 5  # in history, as on a chain with slots of 200 ms
USDC_UNIT = 10**USDC_DECIMALS


def opening(tokens: tuple[DemoToken, ...], leaders: tuple[Leader, ...], unix_seconds: int) -> Genesis:
    """The genesis of a market whose history begins at `unix_seconds`."""
    accounts: dict[Pubkey, Account] = {}
    for staff in (ARBITRAGE, CONFIG_ADMIN, GUARDIAN, MINT_AUTHORITY):
        accounts[staff.pubkey()] = wallet_account(STAFF_LAMPORTS)
    hold(accounts, ARBITRAGE.pubkey(), USDC_MINT, ARBITRAGE_USDC_RAW)
    hold(accounts, FAUCET.pubkey(), USDC_MINT, FAUCET_USDC_RAW)
    for token in tokens:
        _add_token(accounts, token)
    for leader in leaders:
        accounts[leader.key.pubkey()] = wallet_account(LEADER_LAMPORTS)
        hold(accounts, leader.key.pubkey(), USDC_MINT, leader.start_usd * USDC_UNIT)
    # the node's own marks would double the history without telling anything about the market
    return replace(local_genesis(slot=1, unix_seconds=unix_seconds).with_accounts(accounts), node_marks=False)


def hold(accounts: dict[Pubkey, Account], owner: Pubkey, mint: Pubkey, raw: int) -> None:
    """Gives `owner` an associated account with that balance."""
    account = token_account(mint, owner, raw)
    if mint == SOL_TOKEN.mint:
        account = _wrapped(account, raw)
    accounts[token_account_address(owner, mint)] = account


def raw_for_usd(token: DemoToken, usd: int) -> int:
    """So many base units of a token are worth `usd` at its starting price."""
    unit: int = 10**token.decimals
    return usd * PRICE_UNITS_PER_USD * unit // token.price_units


def _add_token(accounts: dict[Pubkey, Account], token: DemoToken) -> None:
    stock = raw_for_usd(token, token.depth_usd) * STOCK_DEPTHS
    if token != SOL_TOKEN:
        accounts[token.mint] = mint_account(MINT_AUTHORITY.pubkey(), decimals=token.decimals, supply_raw=2 * stock)
    hold(accounts, ARBITRAGE.pubkey(), token.mint, stock)
    _add_pool(accounts, token.mint, raw_for_usd(token, token.depth_usd), USDC_MINT, token.depth_usd * USDC_UNIT)
    if token.sol_depth_usd:
        lamports = raw_for_usd(SOL_TOKEN, token.sol_depth_usd)
        _add_pool(accounts, token.mint, raw_for_usd(token, token.sol_depth_usd), SOL_TOKEN.mint, lamports)


def _add_pool(accounts: dict[Pubkey, Account], mint: Pubkey, raw: int, other: Pubkey, other_raw: int) -> None:
    pool = local_amm.pool_of(mint, other)
    _, bump = Pubkey.find_program_address([b"pool", bytes(pool.mint_a), bytes(pool.mint_b)], local_amm.PROGRAM)
    keys = b"".join(map(bytes, (pool.mint_a, pool.mint_b, pool.vault_a, pool.vault_b)))
    accounts[pool.address] = Account(POOL_LAMPORTS, local_amm.POOL_TAG + keys + bytes([bump]), local_amm.PROGRAM, False, 0)
    for each, amount in ((mint, raw), (other, other_raw)):
        hold(accounts, pool.address, each, amount)


def _wrapped(account: Account, lamports: int) -> Account:
    """A wrapped SOL account holds its balance in lamports beside its rent, and says so in its native field."""
    rent = account.lamports
    data = bytearray(account.data)
    data[109:113] = (1).to_bytes(4, "little")
    data[113:121] = rent.to_bytes(8, "little")
    return Account(rent + lamports, bytes(data), TOKEN_PROGRAM, False, account.rent_epoch)
