//! close_vault: returns vault and policy to the owner. Refused while a bot is set. Token accounts are not looked at: a vault made again at
//! the same address reaches them again.

use crate::{
    accounts::{load_policy, owned_vault, writable, Context},
    arguments,
    error::{Checked, VaultError},
};
use pinocchio::AccountView;

#[inline(never)]
pub fn close_vault(context: &Context, data: &[u8]) -> Checked {
    arguments::none(data)?;
    let [mut owner, mut vault_account, mut policy] = context.take()?;
    let vault = owned_vault(&vault_account, &owner, context.program)?;
    writable([&owner, &vault_account, &policy])?;
    load_policy(&mut policy, &vault_account, context.program)?;
    if vault.bot_authority.is_some() {
        return Err(VaultError::VaultNotClosable.into());
    }
    close(&mut policy, &mut owner)?;
    close(&mut vault_account, &mut owner)
}

/// Zeroes the data before the account goes, so that nothing can read it back within the transaction.
#[inline(never)]
fn close(account: &mut AccountView, to: &mut AccountView) -> Checked {
    to.set_lamports(to.lamports().checked_add(account.lamports()).ok_or(VaultError::MathOverflow)?);
    // SAFETY: nothing borrows the account, and it is gone after this.
    unsafe {
        account.borrow_unchecked_mut().fill(0);
        account.close_unchecked();
    }
    Ok(())
}
