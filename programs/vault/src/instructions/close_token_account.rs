//! close_token_account: an empty token account of the vault or of its trade authority; the rent goes to the owner.

use crate::{
    accounts::{owned_vault, same, writable, Context},
    arguments,
    constants::{TRADE_SEED, VAULT_SEED},
    error::{Checked, VaultError, SEEDS},
    token,
};
use pinocchio::{
    cpi::{Seed, Signer},
    Address,
};

#[inline(never)]
pub fn close_token_account(context: &Context, data: &[u8]) -> Checked {
    arguments::none(data)?;
    let [owner, vault_account, authority, token_account, token_program] = context.take()?;
    let vault = owned_vault(&vault_account, &owner, context.program)?;
    writable([&owner, &token_account])?;
    token::any_program(&token_program)?;
    let token = token::account(&token_account, token_program.address()).ok_or(VaultError::InvalidTokenAccount)?;
    if !same(&token.owner, authority.address()) {
        return Err(VaultError::InvalidTokenAccount.into());
    }
    if token.amount() != 0 {
        return Err(VaultError::InvalidAmount.into());
    }

    let command = token::Command { program: token_program.address(), account: &token_account, to: &owner, authority: &authority };
    if same(authority.address(), vault_account.address()) {
        let bump = [vault.bump];
        let seeds = [Seed::from(VAULT_SEED), Seed::from(owner.address().as_ref()), Seed::from(&bump)];
        command.close(&[Signer::from(&seeds)]);
        return Ok(());
    }
    let (address, bump) = Address::find_program_address(&[TRADE_SEED, vault_account.address().as_ref()], context.program);
    if !same(authority.address(), &address) {
        return Err(SEEDS);
    }
    let bump = [bump];
    let seeds = [Seed::from(TRADE_SEED), Seed::from(vault_account.address().as_ref()), Seed::from(&bump)];
    command.close(&[Signer::from(&seeds)]);
    Ok(())
}
