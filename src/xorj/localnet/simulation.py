"""Trying a transaction without effect, as preflight and simulateTransaction do; used by the RPC's sending methods."""

from dataclasses import dataclass

from solders.account import Account
from solders.pubkey import Pubkey
from solders.transaction_metadata import FailedTransactionMetadata

from xorj.chain.transactions import Commitment
from xorj.localnet.bank import Bank
from xorj.localnet.effects import Balances, Resolved, balances, error_of, inner_instructions, return_data
from xorj.localnet.message import DecodedTransaction
from xorj.localnet.records import InnerRow, Json

_NOTHING_LOADED = frozenset(
    (
        "AccountNotFound",
        "InsufficientFundsForFee",
        "InvalidAccountForFee",
        "ProgramAccountNotFound",
        "InvalidProgramForExecution",
        "MaxLoadedAccountsDataSizeExceeded",
        "SanitizeFailure",
        "TooManyAccountLocks",
        "AccountLoadedTwice",
    )
)


@dataclass(frozen=True, slots=True)
class Simulated:
    """`executed` is False when the transaction did not even load: then there is no fee and there are no logs.

    `resolved` and the balances are None when its accounts could not be found out.
    """

    error: Json
    executed: bool
    resolved: Resolved | None = None
    before: Balances | None = None
    after: Balances | None = None
    fee_lamports: int | None = None
    loaded_bytes: int = 0
    logs: tuple[str, ...] = ()
    compute_units: int = 0
    inner_instructions: tuple[tuple[int, list[InnerRow]], ...] = ()
    return_data: tuple[str, str] | None = None
    accounts: dict[Pubkey, Account] | None = None


def simulate(bank: Bank, decoded: DecodedTransaction, *, verify: bool, any_blockhash: bool, commitment: Commitment) -> Simulated:
    """What would happen to the transaction on top of the present state.

    `any_blockhash` leaves out the checks of age and repetition; blockhashes are judged as of `commitment`.
    """
    bank.prepare()
    resolved = bank.resolve(decoded)
    if not isinstance(resolved, Resolved):
        return Simulated(resolved, executed=False)
    accounts = {key: bank.runtime.account(key) for key in resolved.keys}
    before = balances(resolved.keys, list(accounts.values()), bank.accounts.decimals)
    refusal = _refusal(bank, decoded, verify=verify, any_blockhash=any_blockhash, commitment=commitment)
    if refusal is not None:
        return Simulated(refusal, executed=False, resolved=resolved, before=before, after=before)
    outcome = bank.runtime.simulate(decoded.transaction)
    error = error_of(outcome)
    if isinstance(error, str) and error in _NOTHING_LOADED:
        return Simulated(error, executed=False, resolved=resolved, before=before, after=before)
    details = outcome.meta()
    failed = isinstance(outcome, FailedTransactionMetadata)
    changed = {} if isinstance(outcome, FailedTransactionMetadata) else dict(outcome.post_accounts())
    fee = details.fee() + decoded.priority_fee_lamports()
    after = balances(resolved.keys, [_alive(changed.get(key, accounts[key])) for key in resolved.keys], bank.accounts.decimals)
    after.lamports[0] -= fee if failed else decoded.priority_fee_lamports()
    return Simulated(
        error,
        executed=True,
        resolved=resolved,
        before=before,
        after=after,
        fee_lamports=fee,
        loaded_bytes=bank.accounts.loaded_bytes(resolved.keys, accounts),
        logs=tuple(details.logs()),
        compute_units=details.compute_units_consumed(),
        inner_instructions=tuple(inner_instructions(details)),
        return_data=return_data(details),
        accounts=changed,
    )


def _refusal(bank: Bank, decoded: DecodedTransaction, *, verify: bool, any_blockhash: bool, commitment: Commitment) -> Json:
    if not any_blockhash:
        return bank.refusal(decoded, verify=verify, commitment=commitment)
    return "SignatureFailure" if verify and not all(decoded.transaction.verify_with_results()) else None


def _alive(account: Account | None) -> Account | None:
    return account if account is not None and account.lamports else None
