"""What every attack asserts: the exact error, and that no account is another afterwards, the attacker's fee apart.

XORJ_ATTACK_ROUNDS=20 throws the dice twenty times as often.
"""

import os
from collections.abc import Sequence

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tests.program.vault_world import Outcome, VaultWorld, key

from xorj.market import local_amm
from xorj.router import jupiter_v6
from xorj.vault.accounts import PROGRAM_ID, TOKEN_2022_PROGRAM, TOKEN_PROGRAM

SYSTEM = Pubkey.default()
OWNERS = (SYSTEM, PROGRAM_ID, TOKEN_PROGRAM, TOKEN_2022_PROGRAM, local_amm.PROGRAM, jupiter_v6.PROGRAM)
# Pays the fee of every attack and takes no other part in it.
PAYER = key("attack's fee payer")
FEE_PER_SIGNATURE_LAMPORTS = 5_000
ROUNDS = int(os.environ.get("XORJ_ATTACK_ROUNDS", "1"))

Everything = dict[Pubkey, bytes]


def everything(world: VaultWorld, named: Sequence[Pubkey] = ()) -> Everything:
    """Lamports, data, owner and the rest of every account of the programs in play, and of those named; the fee payer apart."""
    found = {address: bytes(account) for owner in OWNERS for address, account in world.svm.get_program_accounts(owner)}
    others = {address: world.svm.get_account(address) for address in named}
    found |= {address: bytes(account) for address, account in others.items() if account}
    found.pop(PAYER.pubkey(), None)
    return found


def attempted(world: VaultWorld, *given: Instruction, signers: Sequence[Keypair] = ()) -> tuple[Outcome, list[str]]:
    """Sends one transaction. Returns what it came to, and which accounts it changed but for the fee."""
    if not world.svm.get_account(PAYER.pubkey()):
        world.svm.airdrop(PAYER.pubkey(), 10**12)
    named = [meta.pubkey for instruction in given for meta in instruction.accounts]
    before, funds = everything(world, named), world.svm.get_balance(PAYER.pubkey())
    done = world.send(*given, signers=signers, payer=PAYER)
    after, paid = everything(world, named), funds - world.svm.get_balance(PAYER.pubkey())
    signatures = {PAYER.pubkey()} | {meta.pubkey for instruction in given for meta in instruction.accounts if meta.is_signer}
    assert paid in {0, FEE_PER_SIGNATURE_LAMPORTS * len(signatures)}, "the fee and nothing else"
    return done, sorted(str(address) for address in before.keys() | after.keys() if before.get(address) != after.get(address))


def refused(world: VaultWorld, *given: Instruction, error: str, signers: Sequence[Keypair] = (), what: object = "") -> Outcome:
    """The transaction fails with exactly this error, and everything is as it was."""
    done, changed = attempted(world, *given, signers=signers)
    assert (done.error, changed) == (error, []), (what, done.logs)
    return done
