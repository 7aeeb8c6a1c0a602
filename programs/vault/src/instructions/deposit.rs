//! deposit: base mint from the owner to the vault, under the cap. Anyone else, any other mint, any other account: refused.

use crate::{
    accounts::{program, read_config, same, Context, Owned},
    arguments,
    constants::{DEPOSIT_CEILING, TOKEN_PROGRAM},
    error::{Checked, VaultError},
    events, runtime, token,
};

#[inline(never)]
pub fn deposit(context: &Context, data: &[u8]) -> Checked {
    let mut amount = 0;
    arguments::amount(data, &mut amount)?;
    let Owned { accounts, vault, policy } = context.take_of_owner::<8>(&[1, 4, 5])?;
    let [owner, vault_account, _, config, owner_token, vault_token, mint, token_program] = accounts;
    let config = read_config(config, context.program)?;
    program(token_program, &TOKEN_PROGRAM)?;
    if !vault.is_active() {
        return Err(VaultError::VaultInactive.into());
    }
    if config.paused != 0 {
        return Err(VaultError::ProgramPaused.into());
    }
    if amount == 0 {
        return Err(VaultError::InvalidAmount.into());
    }
    if !same(mint.address(), &policy.base_mint) {
        return Err(VaultError::InvalidMint.into());
    }
    token::check_untampered(vault_token, mint.address(), vault_account.address())?;
    token::account_of(owner_token, &TOKEN_PROGRAM, mint.address(), owner.address())?;
    let total = vault.total_deposited().checked_add(amount).ok_or(VaultError::MathOverflow)?;
    if total > config.vault_cap.get().min(DEPOSIT_CEILING) {
        return Err(VaultError::DepositCapExceeded.into());
    }

    token::transfer(owner_token, vault_token, owner, amount, None);
    vault.set_total_deposited(total);
    let timestamp = runtime::now();
    let (vault, owner, mint) = (vault_account.address(), owner.address(), mint.address());
    events::Moved { vault, owner, mint, amount, total_deposited: total, timestamp }.deposited();
    Ok(())
}
