//! withdraw: any mint, classic or Token-2022, from the vault to its owner, at any time. No pause, no config, no bot stands in the way.

use crate::{
    accounts::{load_policy, owned_vault, same, store_vault, writable, Context},
    arguments::Reader,
    constants::VAULT_SEED,
    error::{Checked, VaultError},
    events,
    runtime::Clock,
    token,
};
use pinocchio::cpi::{Seed, Signer};

const ACCOUNTS: usize = 7;

#[inline(never)]
pub fn withdraw(context: &Context, data: &[u8]) -> Checked {
    let mut reader = Reader::new(data);
    let amount = reader.u64();
    reader.end()?;
    let [owner, mut vault_account, mut policy, vault_token, owner_token, mint, token_program] = context.take::<ACCOUNTS>()?;
    let mut vault = owned_vault(&vault_account, &owner, context.program)?;
    writable([&vault_account, &policy, &vault_token, &owner_token])?;
    let policy = load_policy(&mut policy, &vault_account, context.program)?;
    token::any_program(&token_program)?;
    if amount == 0 {
        return Err(VaultError::InvalidAmount.into());
    }
    let decimals = token::mint_decimals(&mint, token_program.address())?;
    let balance = token::account_of(&vault_token, token_program.address(), mint.address(), vault_account.address())?.amount();
    token::account_of(&owner_token, token_program.address(), mint.address(), owner.address())?;
    let left = balance.checked_sub(amount).ok_or(VaultError::InsufficientVaultBalance)?;

    if same(mint.address(), &policy.base_mint) {
        vault.total_deposited = vault.total_deposited.saturating_sub(amount);
    } else if let Some(index) = policy.slot_of(mint.address()) {
        policy.slot_mut(index)?.withdraw(amount, left)?;
    }
    let bump = [vault.bump];
    let seeds = [Seed::from(VAULT_SEED), Seed::from(owner.address().as_ref()), Seed::from(&bump)];
    let transfer = token::Transfer {
        program: token_program.address(),
        from: &vault_token,
        mint: &mint,
        to: &owner_token,
        authority: &vault_account,
        amount,
        decimals,
        extra: context.rest(ACCOUNTS),
    };
    transfer.checked(&[Signer::from(&seeds)]);
    store_vault(&mut vault_account, &vault);
    let timestamp = Clock::get().unix_timestamp;
    let total_deposited = vault.total_deposited;
    let (vault, owner, mint) = (vault_account.address(), owner.address(), mint.address());
    events::Moved { vault, owner, mint, amount, total_deposited, timestamp }.withdrawn();
    Ok(())
}
