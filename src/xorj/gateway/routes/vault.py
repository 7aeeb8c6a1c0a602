"""A user's vault: what it is, and the transactions its owner signs. We build and forward; only his signature moves anything."""

import base64
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from xorj.gateway import vault_building as building
from xorj.gateway.access import AccountReading, VaultBuilding, account_reading
from xorj.gateway.bodies import (
    CloseAccountBody,
    DepositBody,
    PolicyBody,
    RecoverBody,
    SignatureText,
    SignedTransactionBody,
    WithdrawBody,
)
from xorj.gateway.idempotency import IdempotencyKey, once
from xorj.gateway.limiting import read_limit, write_limit
from xorj.gateway.parts import Parts, PartsOf
from xorj.gateway.refusals import conflict, not_found
from xorj.gateway.vault_checking import check
from xorj.gateway.vault_errors import explained
from xorj.identity.session import Session
from xorj.primitives.errors import InvalidInput, Unavailable
from xorj.primitives.ids import Address, Mint, Signature, Slot, Wallet
from xorj.reporting.overview import Vault, valued_vaults
from xorj.vault import accounts, borsh
from xorj.vault import instructions as vault

router = APIRouter(prefix="/vault", tags=["vault"])


async def _refuse_body(request: Request) -> None:
    if (await request.body()).strip() not in (b"", b"{}"):
        raise InvalidInput("body", given="a body", rule="no body; this action needs no words")


no_body = Depends(_refuse_body)


class UnsignedTransaction(BaseModel):
    """`transaction` in base64 has zeros in place of the owner's signature over `message`, the bytes he signs, in base64 too.

    It can land until the chain's block height passes `last_valid_block_height`; after that ask for another.
    """

    transaction: str
    message: str
    summary: str
    fee_payer: Wallet
    blockhash: str
    last_valid_block_height: int


class SentTransaction(BaseModel):
    """A node has taken it. What became of it says GET /api/vault/transactions/{signature}."""

    signature: Signature
    actions: list[str]


class TransactionState(BaseModel):
    """`unknown`: no node has seen it, or it has not landed; it may still while its blockhash lives."""

    signature: Signature
    state: Literal["unknown", "processed", "confirmed", "finalized", "failed"]
    slot: Slot | None
    error: str | None


class Deployment(BaseModel):
    """What a vault needs to know before it exists."""

    network: str
    program_id: Address
    config: Address
    base_mint: Mint
    bot_authority: Address | None
    deposit_cap_raw: str
    paused: bool
    vault: Address | None


@router.get("", dependencies=[read_limit])
async def mine(session: AccountReading, parts: PartsOf) -> list[Vault]:
    """The vaults of this wallet with what they hold; empty before the first."""
    found = await parts.accounts.vaults(session.user_id)
    try:
        prices = await parts.prices.prices(sorted({balance.mint for one in found for balance in one.balances}))
    except Unavailable:
        prices = {}
    return valued_vaults(found, prices)


@router.get("/deploy", dependencies=[read_limit])
async def deployment(
    parts: PartsOf,
    network: Annotated[str | None, Query(max_length=20)] = None,
    wallet: Annotated[str | None, Query(max_length=44, description="Whose vault's address to derive.")] = None,
) -> Deployment:
    """Program, base mint and limits of this network."""
    if network is not None and network != parts.place.environment:
        raise InvalidInput("network", given=network, rule=parts.place.environment)
    config = await _config(parts)
    return Deployment(
        network=parts.place.environment,
        program_id=Address(str(accounts.PROGRAM_ID)),
        config=Address(str(accounts.config_address())),
        base_mint=Mint(str(config.base_mint)),
        bot_authority=parts.place.bot,
        deposit_cap_raw=str(config.deposit_cap),
        paused=config.paused,
        vault=None if wallet is None else Address(str(accounts.vault_address(_pubkey(wallet, "wallet")))),
    )


@router.post("/deploy", dependencies=[write_limit, no_body])
async def deploy(session: VaultBuilding, parts: PartsOf) -> UnsignedTransaction:
    """Makes the vault of this wallet."""
    config = await _config(parts)
    return await _unsigned(parts, session, building.deploy(_owner(session), config.base_mint), "make your vault")


@router.post("/policy", dependencies=[write_limit])
async def policy(session: VaultBuilding, parts: PartsOf, body: PolicyBody) -> UnsignedTransaction:
    """Sets limits. Tighter ones count at once, looser ones after the delay, before the first grant all at once."""
    return await _unsigned(parts, session, building.policy(_owner(session), body), "set your vault's limits")


@router.post("/deposit", dependencies=[write_limit])
async def deposit(session: VaultBuilding, parts: PartsOf, body: DepositBody) -> UnsignedTransaction:
    """Puts base units of the base mint from the wallet's own account into the vault."""
    config = await _config(parts)
    instructions = building.deposit(_owner(session), config.base_mint, int(body.amount_raw))
    return await _unsigned(parts, session, instructions, f"deposit {body.amount_raw} base units")


@router.post("/withdraw", dependencies=[write_limit])
async def withdraw(session: VaultBuilding, parts: PartsOf, body: WithdrawBody) -> UnsignedTransaction:
    """Takes any token out of the vault to the wallet's own account, whichever of the vault's token accounts it lies in. Nothing can hold
    this back."""
    owner, mint, program = _owner(session), Pubkey.from_string(body.mint), await _token_program(parts, body.mint)
    of = accounts.vault_address(owner)
    held = await parts.node.token_accounts(Address(str(of)), Mint(body.mint))
    taken = building.takings(held, accounts.token_account_address(of, mint, program), int(body.amount_raw))
    if isinstance(taken, building.CannotTake):
        raise conflict("would-fail", f"{body.amount_raw} base units cannot be withdrawn: {taken.why}.")
    where = "" if len(taken) == 1 else f" out of {len(taken)} token accounts"
    instructions = building.withdraw(owner, mint, program, taken)
    return await _unsigned(parts, session, instructions, f"withdraw {body.amount_raw} base units of {body.mint}{where}")


@router.post("/recover", dependencies=[write_limit])
async def recover(session: VaultBuilding, parts: PartsOf, body: RecoverBody) -> UnsignedTransaction:
    """Moves what trades have left behind of a token into the vault, and the trade authority's SOL to the wallet."""
    owner, mint, program = _owner(session), Pubkey.from_string(body.mint), await _token_program(parts, body.mint)
    trade = accounts.trade_authority_address(accounts.vault_address(owner))
    left_in = [Pubkey.from_string(one.address) for one in await parts.node.token_accounts(Address(str(trade)), Mint(body.mint))]
    if not left_in:
        raise conflict("nothing-to-recover", f"The trade authority {trade} has no token account of {body.mint}.")
    instructions = building.recover(owner, mint, program, left_in[: building.ACCOUNTS_PER_TRANSACTION_MAX])
    return await _unsigned(parts, session, instructions, f"recover what trades have left of {body.mint}")


@router.post("/close-account", dependencies=[write_limit])
async def close_account(session: VaultBuilding, parts: PartsOf, body: CloseAccountBody) -> UnsignedTransaction:
    """Closes an empty token account of the vault or of its trade authority; its rent goes to the wallet."""
    (found,) = await parts.node.accounts([Address(body.account)])
    if found is None:
        raise InvalidInput("account", given=body.account, rule="a token account on this chain")
    return await _unsigned(parts, session, building.close_account(_owner(session), found), f"close the token account {body.account}")


@router.post("/grant", dependencies=[write_limit, no_body])
async def grant(session: VaultBuilding, parts: PartsOf) -> UnsignedTransaction:
    """Lets the bot trade inside the vault's limits. It can never take anything out."""
    if parts.place.bot is None:
        raise conflict("no-bot", "No bot is configured here, so there is none to grant.")
    instruction = vault.grant_bot_authority(_owner(session), Pubkey.from_string(parts.place.bot))
    return await _unsigned(parts, session, [instruction], f"let the bot {parts.place.bot} trade in your vault")


@router.post("/revoke", dependencies=[write_limit, no_body])
async def revoke(session: VaultBuilding, parts: PartsOf) -> UnsignedTransaction:
    """Ends the bot's permission at once."""
    return await _unsigned(parts, session, [vault.revoke_bot_authority(_owner(session))], "end the bot's permission")


@router.post("/pause", dependencies=[write_limit, no_body])
async def pause(session: VaultBuilding, parts: PartsOf) -> UnsignedTransaction:
    """No trade until resumed; withdrawing works."""
    return await _unsigned(parts, session, [vault.pause_vault(_owner(session), _owner(session))], "pause trading in your vault")


@router.post("/resume", dependencies=[write_limit, no_body])
async def resume(session: VaultBuilding, parts: PartsOf) -> UnsignedTransaction:
    return await _unsigned(parts, session, [vault.resume_vault(_owner(session))], "resume trading in your vault")


@router.post("/deactivate", dependencies=[write_limit, no_body])
async def deactivate(session: VaultBuilding, parts: PartsOf) -> UnsignedTransaction:
    """Ends trading for good and clears the bot; withdrawing works."""
    return await _unsigned(parts, session, [vault.deactivate_vault(_owner(session))], "deactivate your vault")


@router.post("/close", dependencies=[write_limit, no_body])
async def close(session: VaultBuilding, parts: PartsOf) -> UnsignedTransaction:
    """Closes the vault and returns its rent. Withdraw everything first."""
    return await _unsigned(parts, session, [vault.close_vault(_owner(session))], "close your vault")


@router.post("/transactions", response_model=SentTransaction, dependencies=[write_limit])
async def send(
    request: Request, session: VaultBuilding, parts: PartsOf, body: SignedTransactionBody, idempotency_key: IdempotencyKey = None
) -> Response:
    """Sends what the wallet has signed. The same bytes sent twice are one transaction."""

    async def act() -> SentTransaction:
        checked = check(body.transaction, session.wallet)
        simulated = await parts.node.simulate(checked.raw)
        if simulated.error is not None:
            raise conflict("would-fail", explained(simulated.error), logs=list(simulated.logs[-5:]))
        hint = await parts.node.send(checked.raw)
        if not hint.accepted:
            raise conflict("not-accepted", f"The node did not take it: {hint.detail}", signature=checked.signature)
        return SentTransaction(signature=checked.signature, actions=list(checked.actions))

    return await once(request, parts, session, idempotency_key, act)


@router.get("/transactions/{signature}", dependencies=[read_limit, account_reading])
async def landed(parts: PartsOf, signature: Annotated[SignatureText, Path()]) -> TransactionState:
    """Where a sent transaction stands."""
    _, (found,) = await parts.node.statuses([Signature(signature)])
    if found is None:
        return TransactionState(signature=Signature(signature), state="unknown", slot=None, error=None)
    if found.error is not None:
        return TransactionState(signature=Signature(signature), state="failed", slot=found.slot, error=explained(found.error))
    return TransactionState(signature=Signature(signature), state=found.commitment.value, slot=found.slot, error=None)


async def _unsigned(parts: Parts, session: Session, instructions: Sequence[Instruction], summary: str) -> UnsignedTransaction:
    """Built on a fresh blockhash and tried: what would fail is refused with the program's own reason."""
    blockhash = await parts.node.latest_blockhash()
    built = building.transaction(_owner(session), instructions, blockhash)
    simulated = await parts.node.simulate(built.transaction)
    if simulated.error is not None:
        raise conflict("would-fail", explained(simulated.error), logs=list(simulated.logs[-5:]))
    return UnsignedTransaction(
        transaction=base64.b64encode(built.transaction).decode(),
        message=base64.b64encode(built.message).decode(),
        summary=summary,
        fee_payer=session.wallet,
        blockhash=blockhash.blockhash,
        last_valid_block_height=blockhash.last_valid_block_height,
    )


async def _token_program(parts: Parts, mint: str) -> Pubkey:
    """The program that the mint belongs to. Raises InvalidInput where it is no token's."""
    (found,) = await parts.node.accounts([Address(mint)])
    program = None if found is None else Pubkey.from_string(found.owner)
    if program not in building.TOKEN_PROGRAMS:
        raise InvalidInput("mint", given=mint, rule="the mint of a token on this chain")
    return program


async def _config(parts: Parts) -> accounts.Config:
    """The vault program's own settings on this chain. Raises the 404 of a chain without it."""
    (found,) = await parts.node.accounts([Address(str(accounts.config_address()))])
    try:
        return accounts.decode_config(found.data if found else b"")
    except borsh.Malformed:
        raise not_found("The vault program is not set up on this chain.") from None


def _owner(session: Session) -> Pubkey:
    return _pubkey(session.wallet, "wallet")


def _pubkey(text: str, field: str) -> Pubkey:
    try:
        return Pubkey.from_string(text)
    except ValueError:
        raise InvalidInput(field, given=text, rule="a base58 public key of 32 bytes") from None
