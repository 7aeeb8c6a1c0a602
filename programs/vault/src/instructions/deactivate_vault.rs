//! deactivate_vault: ends trading and deposits for good and clears the bot. Withdrawals stay.

use super::revoke_bot_authority::clear_bot;
use crate::{
    accounts::{load_policy, owned_vault, store_vault, writable, Context},
    arguments,
    error::{Checked, VaultError},
    events,
    runtime::Clock,
};

#[inline(never)]
pub fn deactivate_vault(context: &Context, data: &[u8]) -> Checked {
    arguments::none(data)?;
    let [owner, mut vault_account, mut policy] = context.take()?;
    let mut vault = owned_vault(&vault_account, &owner, context.program)?;
    writable([&vault_account, &policy])?;
    let policy = load_policy(&mut policy, &vault_account, context.program)?;
    if !vault.is_active {
        return Err(VaultError::VaultAlreadyInactive.into());
    }
    let now = Clock::get().unix_timestamp;
    vault.is_active = false;
    if vault.bot_authority.is_some() {
        clear_bot(&mut vault_account, &mut vault, policy, now);
    } else {
        store_vault(&mut vault_account, &vault);
    }
    events::vault_deactivated(vault_account.address(), owner.address(), now);
    Ok(())
}
