//! deactivate_vault: ends trading and deposits for good and clears the bot. Withdrawals stay.

use super::revoke_bot_authority::clear_bot;
use crate::{
    accounts::{Context, Owned},
    arguments,
    error::{Checked, VaultError},
    events, runtime,
};

#[inline(never)]
pub fn deactivate_vault(context: &Context, data: &[u8]) -> Checked {
    arguments::none(data)?;
    let Owned { accounts, vault, policy } = context.take_of_owner::<3>(&[1, 2])?;
    let [owner, vault_account, _] = accounts;
    if !vault.is_active() {
        return Err(VaultError::VaultAlreadyInactive.into());
    }
    let now = runtime::now();
    vault.deactivate();
    if vault.has_bot() {
        clear_bot(vault_account.address(), vault, policy, now);
    }
    events::vault_deactivated(vault_account.address(), owner.address(), now);
    Ok(())
}
