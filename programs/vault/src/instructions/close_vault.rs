//! close_vault: returns vault and policy to the owner. Refused while a bot is set. Token accounts are not looked at: a vault made again at
//! the same address reaches them again.

use crate::{
    accounts::Context,
    arguments::Reader,
    error::{require, Checked, VaultError},
};
use pinocchio::AccountView;

#[inline(never)]
pub fn close_vault(context: &Context, _: &mut Reader) -> Checked {
    let (owner, vault, policy) = (context.at(0), context.at(1), context.at(2));
    require(!context.vault().has_bot(), VaultError::VaultNotClosable)?;
    close(*policy, *owner)?;
    close(*vault, *owner)
}

/// Zeroes the data before the account goes, so that nothing can read it back within the transaction.
#[inline(never)]
fn close(mut account: AccountView, mut to: AccountView) -> Checked {
    to.set_lamports(to.lamports().checked_add(account.lamports()).ok_or(VaultError::MathOverflow)?);
    // SAFETY: nothing borrows the account, and it is gone after this.
    unsafe {
        account.borrow_unchecked_mut().fill(0);
        account.close_unchecked();
    }
    Ok(())
}
