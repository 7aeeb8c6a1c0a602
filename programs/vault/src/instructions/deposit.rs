//! deposit: base mint from the owner to the vault, under the cap. Anyone else, any other mint, any other account: refused.

use crate::{
    accounts::{owned_vault, program, read_config, read_policy, same, store_vault, writable, Context},
    arguments::Reader,
    constants::{DEPOSIT_CEILING, TOKEN_PROGRAM},
    error::{Checked, VaultError},
    events,
    runtime::Clock,
    token,
};

#[inline(never)]
pub fn deposit(context: &Context, data: &[u8]) -> Checked {
    let mut reader = Reader::new(data);
    let amount = reader.u64();
    reader.end()?;
    let [owner, mut vault_account, policy, config, owner_token, vault_token, mint, token_program] = context.take()?;
    let mut vault = owned_vault(&vault_account, &owner, context.program)?;
    writable([&vault_account, &owner_token, &vault_token])?;
    let policy = read_policy(&policy, &vault_account, context.program)?;
    let config = read_config(&config, context.program)?;
    program(&token_program, &TOKEN_PROGRAM)?;
    if !vault.is_active {
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
    token::untampered(&vault_token, &TOKEN_PROGRAM, mint.address(), vault_account.address())?;
    token::account_of(&owner_token, &TOKEN_PROGRAM, mint.address(), owner.address())?;
    let total = vault.total_deposited.checked_add(amount).ok_or(VaultError::MathOverflow)?;
    if total > config.vault_cap.get().min(DEPOSIT_CEILING) {
        return Err(VaultError::DepositCapExceeded.into());
    }

    token::Movement { from: &owner_token, to: &vault_token, authority: &owner }.of(amount, &[]);
    vault.total_deposited = total;
    store_vault(&mut vault_account, &vault);
    let timestamp = Clock::get().unix_timestamp;
    let (vault, owner, mint) = (vault_account.address(), owner.address(), mint.address());
    events::Moved { vault, owner, mint, amount, total_deposited: total, timestamp }.deposited();
    Ok(())
}
