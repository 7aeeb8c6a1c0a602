"""The local pool program: addresses, layout, quote and instructions. Must agree to the unit with programs/local_amm (tests compare them).

kept = floor(amount_in * 9970 / 10000);  amount_out = floor(reserve_out * kept / (reserve_in + kept))
"""

from dataclasses import dataclass

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.token import ID as TOKEN_PROGRAM
from solders.token.associated import get_associated_token_address

from xorj.primitives.errors import InvalidInput
from xorj.primitives.ids import Address

PROGRAM_ID = Address("Loca1Amm11111111111111111111111111111111111")
PROGRAM = Pubkey.from_string(PROGRAM_ID)
SYSTEM_PROGRAM = Pubkey.default()
POOL_LENGTH = 137
POOL_TAG = b"localamm"
FEE_BPS = 30
_KEPT_BPS = 9_970
_BPS = 10_000
_U64_MAX = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool as stored: `mint_a` before `mint_b` by bytes, and the two token accounts that are its reserves."""

    address: Pubkey
    mint_a: Pubkey
    mint_b: Pubkey
    vault_a: Pubkey
    vault_b: Pubkey

    def vaults(self, input_mint: Pubkey) -> tuple[Pubkey, Pubkey]:
        """(vault in, vault out) of a swap that gives `input_mint`."""
        if input_mint == self.mint_a:
            return self.vault_a, self.vault_b
        if input_mint == self.mint_b:
            return self.vault_b, self.vault_a
        raise InvalidInput("input_mint", given=str(input_mint), rule=f"a mint of pool {self.address}")


def pool_of(mint: Pubkey, other: Pubkey) -> Pool:
    """The one pool of a pair, whichever order its mints are given in. Its vaults are the pool's associated accounts."""
    mint_a, mint_b = sorted((mint, other), key=bytes)
    address, _ = Pubkey.find_program_address([b"pool", bytes(mint_a), bytes(mint_b)], PROGRAM)
    vault_a, vault_b = (get_associated_token_address(address, each, TOKEN_PROGRAM) for each in (mint_a, mint_b))
    return Pool(address, mint_a, mint_b, vault_a, vault_b)


def decode_pool(address: Pubkey, data: bytes) -> Pool:
    """Reads a pool account. Raises InvalidInput when the data is none."""
    if len(data) != POOL_LENGTH or not data.startswith(POOL_TAG):
        raise InvalidInput("pool", given=len(data), rule=f"{POOL_LENGTH} bytes that begin with the pool's tag")
    mint_a, mint_b, vault_a, vault_b = (Pubkey.from_bytes(data[at : at + 32]) for at in (8, 40, 72, 104))
    return Pool(address, mint_a, mint_b, vault_a, vault_b)


def amount_out(reserve_in: int, reserve_out: int, amount_in: int) -> int:
    """What `amount_in` base units buy, 0 when nothing. The program refuses where this is 0."""
    kept = amount_in * _KEPT_BPS // _BPS
    if reserve_in + amount_in > _U64_MAX or reserve_in + kept == 0:
        return 0
    return reserve_out * kept // (reserve_in + kept)


def amount_in_for(reserve_in: int, reserve_out: int, wanted_out: int) -> int | None:
    """The least input that buys at least `wanted_out`, None when the pool has not that much or could not hold the input."""
    if wanted_out >= reserve_out:
        return None
    kept = -(-reserve_in * wanted_out // (reserve_out - wanted_out))
    amount_in = -(-kept * _BPS // _KEPT_BPS)
    while amount_out(reserve_in, reserve_out, amount_in) < wanted_out:
        if reserve_in + amount_in > _U64_MAX:
            return None
        amount_in += 1
    return amount_in


def initialize_pool(payer: Pubkey, pool: Pool) -> Instruction:
    """Creates the pool account; its vaults must exist (create them as associated accounts of the pool first)."""
    metas = [
        AccountMeta(payer, is_signer=True, is_writable=True),
        AccountMeta(pool.address, is_signer=False, is_writable=True),
        *(AccountMeta(key, is_signer=False, is_writable=False) for key in (pool.mint_a, pool.mint_b, pool.vault_a, pool.vault_b)),
        AccountMeta(SYSTEM_PROGRAM, is_signer=False, is_writable=False),
    ]
    return Instruction(PROGRAM, b"\x00", metas)


def step_accounts(pool: Pool, owner: Pubkey, source: Pubkey, destination: Pubkey, input_mint: Pubkey) -> list[AccountMeta]:
    """The pool program's accounts of one swap, in its own order; `owner` signs."""
    vault_in, vault_out = pool.vaults(input_mint)
    return [
        AccountMeta(pool.address, is_signer=False, is_writable=False),
        AccountMeta(owner, is_signer=True, is_writable=False),
        *(AccountMeta(key, is_signer=False, is_writable=True) for key in (source, destination, vault_in, vault_out)),
        AccountMeta(TOKEN_PROGRAM, is_signer=False, is_writable=False),
    ]


def swap(
    pool: Pool, *, owner: Pubkey, source: Pubkey, destination: Pubkey, input_mint: Pubkey, amount_in: int, amount_out_min: int
) -> Instruction:
    """A swap straight through the pool, without the router."""
    data = b"\x01" + amount_in.to_bytes(8, "little") + amount_out_min.to_bytes(8, "little")
    return Instruction(PROGRAM, data, step_accounts(pool, owner, source, destination, input_mint))
