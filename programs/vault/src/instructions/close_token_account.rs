//! close_token_account: an empty token account of the vault or of its trade authority; the rent goes to the owner.

use crate::{
    accounts::{owned_vault, writable, Context},
    arguments,
    constants::{TRADE_SEED, VAULT_SEED},
    error::{VaultError, SEEDS},
    token,
};
use pinocchio::{
    address::address_eq,
    cpi::{Seed, Signer},
    Address, ProgramResult,
};

#[inline(never)]
pub fn close_token_account(context: Context, data: &[u8]) -> ProgramResult {
    arguments::none(data)?;
    let [owner, vault_account, authority, token_account, token_program] = context.take()?;
    let vault = owned_vault(&vault_account, &owner, context.program)?;
    writable([&owner, &token_account])?;
    token::any_program(&token_program)?;
    let token = token::account(&token_account, token_program.address()).ok_or(VaultError::InvalidTokenAccount)?;
    if !address_eq(&token.owner, authority.address()) {
        return Err(VaultError::InvalidTokenAccount.into());
    }
    if token.amount() != 0 {
        return Err(VaultError::InvalidAmount.into());
    }

    if address_eq(authority.address(), vault_account.address()) {
        let bump = [vault.bump];
        let seeds = [Seed::from(VAULT_SEED), Seed::from(owner.address().as_ref()), Seed::from(&bump)];
        return token::close(token_program.address(), &token_account, &owner, &authority, &[Signer::from(&seeds)]);
    }
    let (address, bump) = Address::find_program_address(&[TRADE_SEED, vault_account.address().as_ref()], context.program);
    if !address_eq(authority.address(), &address) {
        return Err(SEEDS);
    }
    let bump = [bump];
    let seeds = [Seed::from(TRADE_SEED), Seed::from(vault_account.address().as_ref()), Seed::from(&bump)];
    token::close(token_program.address(), &token_account, &owner, &authority, &[Signer::from(&seeds)])
}
