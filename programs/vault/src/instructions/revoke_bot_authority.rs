//! revoke_bot_authority: the owner takes the right to trade away. Nothing gates it.

use crate::{
    accounts::{load_policy, owned_vault, store_vault, writable, Context},
    arguments,
    error::{Checked, VaultError},
    events,
    runtime::Clock,
    state::{Limit, Policy, Vault},
};
use pinocchio::AccountView;

#[inline(never)]
pub fn revoke_bot_authority(context: &Context, data: &[u8]) -> Checked {
    arguments::none(data)?;
    let [owner, mut vault_account, mut policy] = context.take()?;
    let mut vault = owned_vault(&vault_account, &owner, context.program)?;
    writable([&vault_account, &policy])?;
    let policy = load_policy(&mut policy, &vault_account, context.program)?;
    if vault.bot_authority.is_none() {
        return Err(VaultError::BotAuthorityNotSet.into());
    }
    clear_bot(&mut vault_account, &mut vault, policy, Clock::get().unix_timestamp);
    Ok(())
}

/// Clears the bot, and with it the expiry that was meant for it. Also what deactivation does.
pub fn clear_bot(account: &mut AccountView, vault: &mut Vault, policy: &mut Policy, now: i64) {
    let previous = vault.bot_authority.take();
    policy.bot_expires_at.set(0);
    policy.cancel(Limit::BotExpiresAt);
    store_vault(account, vault);
    events::AuthorityChanged {
        vault: account.address(),
        previous: previous.as_ref(),
        current: None,
        bot_epoch: policy.bot_epoch.get(),
        expires_at: 0,
        timestamp: now,
    }
    .log();
}
