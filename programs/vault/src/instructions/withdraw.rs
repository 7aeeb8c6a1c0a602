//! withdraw: any mint, classic or Token-2022, from the vault to its owner, at any time. No pause, no config, no bot stands in the way.

use crate::{
    accounts::{same, Context, Owned},
    arguments,
    constants::VAULT_SEED,
    create::Derived,
    error::{Checked, VaultError},
    events, runtime,
    token::{self, Transfer},
};

#[inline(never)]
pub fn withdraw(context: &Context, data: &[u8]) -> Checked {
    let mut amount = 0;
    arguments::amount(data, &mut amount)?;
    let Owned { accounts, vault, policy } = context.take_of_owner(&[1, 2, 3, 4])?;
    let (owner, vault_account) = (accounts[0].address(), &accounts[1]);
    let mut transfer = Transfer::of(context, accounts);
    if amount == 0 {
        return Err(VaultError::InvalidAmount.into());
    }
    transfer.check(vault_account.address(), owner)?;
    let (balance, _) = token::left_in(transfer.from(), transfer.program());
    let left = balance.checked_sub(amount).ok_or(VaultError::InsufficientVaultBalance)?;

    transfer.send(vault_account, amount, &Derived { bump: vault.bump(), ..Derived::of(VAULT_SEED, owner) });
    let mint = transfer.mint();
    if same(mint, &policy.base_mint) {
        vault.set_total_deposited(vault.total_deposited().saturating_sub(amount));
    } else if let Some(index) = policy.slot_of(mint) {
        policy.slot_mut(index)?.withdraw(amount, left)?;
    }
    let (timestamp, total_deposited) = (runtime::now(), vault.total_deposited());
    events::Moved { vault: vault_account.address(), owner, mint, amount, total_deposited, timestamp }.withdrawn();
    Ok(())
}
