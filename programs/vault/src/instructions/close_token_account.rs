//! close_token_account: an empty token account of the vault or of its trade authority; the rent goes to the owner.

use crate::{
    accounts::{owned_vault, same, Context},
    arguments,
    constants::{TRADE_SEED, VAULT_SEED},
    create::Derived,
    error::{Checked, VaultError},
    token,
};

#[inline(never)]
pub fn close_token_account(context: &Context, data: &[u8]) -> Checked {
    arguments::none(data)?;
    let [owner, vault_account, authority, token_account, token_program] = context.take(&[0, 3])?;
    let vault = owned_vault(vault_account, owner, context.program)?;
    token::any_program(token_program)?;
    let token = token::account(token_account, token_program.address()).ok_or(VaultError::InvalidTokenAccount)?;
    if !same(&token.owner, authority.address()) {
        return Err(VaultError::InvalidTokenAccount.into());
    }
    if token.amount() != 0 {
        return Err(VaultError::InvalidAmount.into());
    }

    let command = token::Command { program: token_program.address(), account: token_account, to: owner, authority };
    let mut derived = Derived { bump: vault.bump(), ..Derived::of(VAULT_SEED, owner.address()) };
    if !same(authority.address(), vault_account.address()) {
        derived = Derived::of(TRADE_SEED, vault_account.address());
        derived.check(authority, context.program)?;
    }
    command.close(&derived);
    Ok(())
}
